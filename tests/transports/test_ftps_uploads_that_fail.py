"""What goes wrong once the server was told to store a document: refused, rejected, or unknown; never a false "done"."""

from __future__ import annotations

import contextlib
import hashlib
import re
import ssl
from typing import TYPE_CHECKING

import pytest

from govfile.errors import (
    GovfileError,
    OutcomeUnknown,
    Phase,
    Rejected,
    Retry,
    TransferRefused,
)
from govfile.filing.source import Source
from govfile.transports.ftps_policy import SessionReuse
from support.ftp_servers import authority, server_identity
from support.scripted_ftp import ScriptedFtp, Talk, tls_context

if TYPE_CHECKING:
    from collections.abc import Callable

    from govfile.transports.base import PutReceipt
    from govfile.transports.ftps import FtpsTransport

    Handler = Callable[[Talk, str], None]

DOCUMENT = Source.of(b"<report/>")
LARGE = Source.of(bytes(range(256)) * 4096)


def put(transport: FtpsTransport, content: Source = DOCUMENT) -> PutReceipt:
    with contextlib.closing(transport):
        return transport.put("/Udlaan/a.zip", content)


def after_data(then: Handler) -> Handler:
    """A STOR that takes everything, and then does something else than confirm it."""

    def store(talk: Talk, argument: str) -> None:
        talk.reply("150 send it")
        with contextlib.closing(talk.data()) as data:
            talk.server.files[argument] = talk.read_all(data)
            with contextlib.suppress(OSError):
                data.unwrap()
        then(talk, argument)

    return store


def during_data(then: Handler) -> Handler:
    """A STOR that takes one block, and then does something else."""

    def store(talk: Talk, argument: str) -> None:
        talk.reply("150 send it")
        with contextlib.closing(talk.data()) as data:
            data.recv(1000)
            then(talk, argument)

    return store


def accepted_without_tls(talk: Talk, _: str) -> None:
    talk.reply("150 send it")
    with contextlib.closing(talk.accept()):
        talk.silence()


def silence(talk: Talk, _: str) -> None:
    talk.silence()


def drop(talk: Talk, _: str) -> None:
    talk.drop()


def reset(talk: Talk, _: str) -> None:
    talk.drop(reset=True)


def garbage(talk: Talk, _: str) -> None:
    talk.raw(b"\xff\xfe not a reply\r\n")
    talk.silence()


@pytest.mark.parametrize(
    ("handler", "arrived"),
    [
        pytest.param(silence, False, id="f02 silent after STOR"),
        pytest.param(accepted_without_tls, False, id="f02 silent in the data handshake"),
        pytest.param(drop, False, id="f09 dropped after STOR"),
        pytest.param(reset, False, id="f09 reset after STOR"),
        pytest.param(garbage, False, id="f19 garbage after STOR"),
        pytest.param(after_data(silence), True, id="f02 silent after the data"),
        pytest.param(after_data(drop), True, id="f09 dropped before 226"),
        pytest.param(after_data(reset), True, id="f09 reset before 226"),
        pytest.param(after_data(garbage), True, id="f19 garbage before 226"),
        pytest.param(
            after_data(lambda talk, _: talk.raw(b"226-and so on\r\n" * 9000)), True, id="f19 226 never closed"
        ),
        pytest.param(after_data(lambda talk, _: talk.reply("200 fine")), True, id="another 2xx is no confirmation"),
        pytest.param(after_data(lambda talk, _: talk.reply("350 and now?")), True, id="3xx is no confirmation"),
        pytest.param(after_data(lambda talk, _: talk.reply("451 not now")), True, id="f11 451 after the data"),
        pytest.param(after_data(lambda talk, _: talk.reply("426 broken")), True, id="f11 426 after the data"),
        pytest.param(after_data(lambda talk, _: talk.reply("421 closing")), True, id="f11 421 after the data"),
    ],
)
@pytest.mark.parametrize("content", [DOCUMENT, LARGE], ids=["small", "large"])
def test_f09_whatever_ends_an_upload_without_a_clear_reply_is_unknown(
    handler: Handler, arrived: bool, content: Source
) -> None:
    with ScriptedFtp() as server:
        server.on["STOR"] = handler
        with pytest.raises(OutcomeUnknown) as caught:
            put(server.transport(), content)
        assert server.count("STOR") == 1, "never sent again"
        assert ("/Udlaan/a.zip" in server.files) is arrived
    error = caught.value
    assert error.retry is Retry.AFTER_A_LOOK
    assert "told to store /Udlaan/a.zip" in error.evidence
    assert ("every byte was sent" in error.evidence) is arrived
    assert "never send it again" in error.how_to_resolve


@pytest.mark.parametrize(
    "handler",
    [
        pytest.param(during_data(drop), id="f09 dropped"),
        pytest.param(during_data(reset), id="f09 reset"),
        pytest.param(during_data(silence), id="f02 silent"),
        pytest.param(during_data(lambda talk, _: talk.reply("426 broken")), id="f11 426"),
        pytest.param(during_data(lambda talk, _: talk.reply("450 not now")), id="f11 450"),
        pytest.param(during_data(lambda talk, _: talk.reply("226 all here")), id="226 before the end"),
    ],
)
def test_f09_a_link_lost_in_the_middle_is_unknown(handler: Handler) -> None:
    with ScriptedFtp() as server:
        server.on["STOR"] = handler
        with pytest.raises(OutcomeUnknown) as caught:
            put(server.transport(), Source.of(bytes(64 * 1024 * 1024)))
        assert server.count("STOR") == 1
    assert "not the whole" in caught.value.evidence


@pytest.mark.parametrize(
    "reply",
    [
        "550 FILENAME_CANNOT_BE_REUSED_FOR_TRANSACTION",
        "553 name not allowed",
        "552 quota",
        "450 busy",
        "452 no space",
        "421 closing",
        "425 no data connection",
        "530 not for you",
    ],
)
def test_f11_a_refusal_before_any_content_is_certain(reply: str) -> None:
    """F-10 as well: should a server refuse a used name at once, its words come through."""
    with ScriptedFtp() as server:
        server.on["STOR"] = lambda talk, _: talk.reply(reply)
        with pytest.raises(TransferRefused) as caught:
            put(server.transport(session_reuse=SessionReuse.NEVER))
        assert (caught.value.code, caught.value.reply) == (int(reply[:3]), reply)
        assert "no document was handed over" in caught.value.certain
        assert server.count("STOR") == 1


@pytest.mark.parametrize("content", [DOCUMENT, LARGE, Source.of(b"")], ids=["small", "large", "empty"])
@pytest.mark.parametrize("reply", ["552 quota exceeded", "550 no", "553 name", "500 what"])
def test_f11_a_final_no_after_the_data_is_a_rejection(reply: str, content: Source) -> None:
    with ScriptedFtp() as server:
        server.on["STOR"] = after_data(lambda talk, _: talk.reply(reply))
        with pytest.raises(Rejected) as caught:
            put(server.transport(), content)
    assert (caught.value.code, caught.value.text, caught.value.phase) == (reply[:3], reply, Phase.CONFIRM)


def test_f11_a_final_no_in_the_middle_of_the_data_is_a_rejection() -> None:
    with ScriptedFtp() as server:
        server.on["STOR"] = during_data(lambda talk, _: talk.reply("552 quota exceeded"))
        with pytest.raises(Rejected, match="552 quota exceeded"):
            put(server.transport(), Source.of(bytes(64 * 1024 * 1024)))


def test_the_session_goes_on_after_a_refusal_and_after_a_rejection() -> None:
    with ScriptedFtp() as server, contextlib.closing(server.transport()) as transport:
        server.on["STOR"] = lambda talk, _: talk.reply("550 no")
        with pytest.raises(TransferRefused):
            transport.put("/a", DOCUMENT)
        server.on["STOR"] = after_data(lambda talk, _: talk.reply("552 no"))
        with pytest.raises(Rejected):
            transport.put("/b", DOCUMENT)
        del server.on["STOR"]
        assert transport.put("/c", DOCUMENT).reply == "226 stored"
        assert server.connections == 1


def test_after_an_unknown_outcome_the_next_call_has_a_new_session() -> None:
    with ScriptedFtp() as server, contextlib.closing(server.transport()) as transport:
        server.on["STOR"] = after_data(silence)
        with pytest.raises(OutcomeUnknown):
            transport.put("/a", DOCUMENT)
        del server.on["STOR"]
        assert transport.put("/b", DOCUMENT).reply == "226 stored"
        assert server.connections == 2


def without_goodbye(talk: Talk, argument: str) -> None:
    talk.reply("150 send it")
    with contextlib.closing(talk.data()) as data:
        talk.server.files[argument] = talk.read_all(data)
    talk.reply("226 stored")


def goodbye_after_the_reply(talk: Talk, argument: str) -> None:
    talk.reply("150 send it")
    data = talk.data()
    talk.server.files[argument] = talk.read_all(data)
    talk.reply("226 stored")
    talk.server.over.wait(0.2)
    data.close()


def hanging_shutdown(talk: Talk, argument: str) -> None:
    talk.reply("150 send it")
    with contextlib.closing(talk.data()) as data:
        talk.server.files[argument] = talk.read_all(data)
        talk.server.over.wait(0.6)
        talk.reply("226 stored")


@pytest.mark.parametrize("handler", [without_goodbye, goodbye_after_the_reply, hanging_shutdown])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def test_f12_the_reply_decides_an_upload_and_not_the_tls_shutdown(handler: Handler, version: ssl.TLSVersion) -> None:
    with ScriptedFtp(minimum=version, maximum=version) as server:
        server.on["STOR"] = handler
        assert put(server.transport(), LARGE).reply == "226 stored"
        assert hashlib.sha256(server.files["/Udlaan/a.zip"]).hexdigest() == LARGE.sha256


def test_a_size_that_differs_after_the_confirmation_is_unknown() -> None:
    with ScriptedFtp() as server:
        server.on["SIZE"] = lambda talk, _: talk.reply("213 8")
        with pytest.raises(OutcomeUnknown, match="reported 8 bytes"):
            put(server.transport(ask_size=True))


@pytest.mark.parametrize(
    ("answer", "seen"),
    [
        (lambda talk, _: talk.reply("213 9"), 9),
        (lambda talk, _: talk.reply("550 not yours to see"), None),
        (lambda talk, _: talk.reply("213 some"), None),
        (lambda talk, _: talk.reply("213 ²"), None),
        (drop, None),
        (silence, None),
    ],
    ids=["says", "refuses", "odd", "superscript", "dropped", "silent"],
)
def test_a_size_that_is_not_said_takes_nothing_from_the_confirmation(answer: Handler, seen: int | None) -> None:
    with ScriptedFtp() as server, contextlib.closing(server.transport(ask_size=True)) as transport:
        server.on["SIZE"] = answer
        assert transport.put("/a", DOCUMENT).size_seen == seen
        server.on["SIZE"] = lambda talk, _: talk.reply("213 9")
        assert transport.put("/b", DOCUMENT).size_seen == 9
        assert server.files == {"/a": b"<report/>", "/b": b"<report/>"}


def wanting_a_certificate(reply: str) -> Handler:
    """A STOR whose data connection wants a certificate that we have not, under TLS 1.3: we hear of it only later."""
    version = ssl.TLSVersion.TLSv1_3
    context = tls_context(server_identity(), authority().pem, version, version)

    def store(talk: Talk, _: str) -> None:
        talk.reply("150 send it")
        sock = talk.accept()
        with contextlib.closing(sock.dup()), contextlib.suppress(ssl.SSLError):  # held open: no reset ends it
            context.wrap_socket(sock, server_side=True)
        talk.reply(reply)

    return store


@pytest.mark.parametrize(
    ("reply", "error", "certain"),
    [
        ("425 no certificate", TransferRefused, "no document was handed over"),
        ("550 no certificate", Rejected, "sent"),
        ("226 stored", OutcomeUnknown, "a client certificate is required|the server answered 226"),
    ],
)
def test_f05_a_certificate_missed_on_the_data_connection_is_judged_by_the_reply_unless_it_confirms(
    reply: str, error: type[GovfileError], certain: str
) -> None:
    with ScriptedFtp() as server:
        server.on["STOR"] = wanting_a_certificate(reply)
        with pytest.raises(error) as caught:
            put(server.transport(session_reuse=SessionReuse.NEVER))
        assert re.search(certain, caught.value.certain)
