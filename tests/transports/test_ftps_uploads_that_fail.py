"""What goes wrong once the server was told to store a document: refused, rejected, or unknown; never a false "done"."""

from __future__ import annotations

import contextlib
import hashlib
import io
import ssl
import threading
from typing import TYPE_CHECKING, BinaryIO

import pytest

from govfile.errors import (
    ConfigurationError,
    InvalidContent,
    OutcomeUnknown,
    Phase,
    Rejected,
    Retry,
    TransferAborted,
    TransferRefused,
)
from govfile.filing.source import Source
from govfile.transports.base import TransferType
from govfile.transports.ftps_policy import SessionReuse
from support.scripted_ftp import ScriptedFtp, Talk

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


# --- how the data ends ------------------------------------------------------------------------------------------


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


# --- the source -------------------------------------------------------------------------------------------------


class Changing:
    """A source that gives other bytes than it promised."""

    def __init__(self, promised: bytes, given: bytes) -> None:
        self.size = len(promised)
        self.sha256 = hashlib.sha256(promised).hexdigest()
        self._given = given

    def open(self) -> BinaryIO:
        return io.BytesIO(self._given)


@pytest.mark.parametrize("given", [b"<rep0rt/>", b"<report/", b"<report/>\n", b""])
def test_f18_a_small_source_that_changed_is_found_before_anything_is_sent(given: bytes) -> None:
    with ScriptedFtp() as server:
        transport = server.transport()
        with pytest.raises(TransferAborted, match="the source changed"):
            transport.put("/a", Changing(b"<report/>", given))
        assert server.connections == 0


@pytest.mark.parametrize("change", ["a byte in the middle", "shorter", "much shorter", "longer", "endless"])
@pytest.mark.parametrize("transfer_type", TransferType)
def test_f18_a_large_source_that_changed_never_arrives_whole(change: str, transfer_type: TransferType) -> None:
    promised = bytes(range(48, 112)) * 16 * 1024
    given = {
        "a byte in the middle": promised[:500_000] + b"X" + promised[500_001:],
        "shorter": promised[:-1],
        "much shorter": promised[:300_000],
        "longer": promised + b"X",
        "endless": promised * 9,
    }[change]
    got: list[tuple[bytes, bool]] = []

    def store(talk: Talk, _: str) -> None:
        talk.reply("150 send it")
        found, clean = bytearray(), False
        with contextlib.closing(talk.data()) as data, contextlib.suppress(OSError):
            while block := data.recv(65536):
                found += block
            clean = True
        got.append((bytes(found), clean))
        talk.reply("426 broken" if not clean else "226 stored")

    with ScriptedFtp() as server:
        server.on["STOR"] = store
        with (
            pytest.raises(OutcomeUnknown, match="the source changed") as caught,
            contextlib.closing(server.transport()) as transport,
        ):
            transport.put("/a", Changing(promised, given), transfer_type=transfer_type)
    assert "the last block was withheld" in caught.value.evidence
    assert isinstance(caught.value.__cause__, TransferAborted)
    [(arrived, clean)] = got
    assert not clean, "the transfer ends by a reset, so that nobody takes it for whole"
    assert len(arrived) < len(promised)


class Unreadable:
    size = 9
    sha256 = DOCUMENT.sha256

    def open(self) -> BinaryIO:
        raise PermissionError(13, "Permission denied")


def test_an_unreadable_source_is_found_before_connecting() -> None:
    with ScriptedFtp() as server:
        with pytest.raises(InvalidContent, match="Permission denied"):
            server.transport().put("/a", Unreadable())
        assert server.connections == 0


class Breaking(io.BytesIO):
    def readinto(self, buffer: object, /) -> int:
        if self.tell() > 600_000:
            raise OSError(5, "Input/output error")
        return super().readinto(buffer)  # type: ignore[arg-type]


class BreaksLater:
    size = LARGE.size
    sha256 = LARGE.sha256

    def open(self) -> BinaryIO:
        with LARGE.open() as reader:
            return Breaking(reader.read())


def test_a_source_that_breaks_while_it_is_sent_leaves_the_outcome_unknown() -> None:
    with ScriptedFtp() as server:
        with (
            pytest.raises(OutcomeUnknown, match="Input/output error"),
            contextlib.closing(server.transport()) as transport,
        ):
            transport.put("/a", BreaksLater())
        assert "/a" not in server.files


# --- stopping ---------------------------------------------------------------------------------------------------


def raising_at(call: int, error: BaseException) -> Callable[[int, int | None], None]:
    calls = 0

    def progress(_: int, __: int | None) -> None:
        nonlocal calls
        calls += 1
        if calls == call:
            raise error

    return progress


def test_g05_cancelling_before_anything_is_sent_is_certain() -> None:
    with ScriptedFtp() as server:
        committed: list[int] = []
        with pytest.raises(TransferAborted, match="cancelled by the progress callback") as caught:
            server.transport().put(
                "/a", DOCUMENT, progress=raising_at(1, RuntimeError("stop")), committing=lambda: committed.append(1)
            )
        assert isinstance(caught.value.__cause__, RuntimeError)
        assert not committed
        assert server.connections == 0


def test_g05_cancelling_in_the_middle_leaves_the_outcome_unknown() -> None:
    with ScriptedFtp() as server, contextlib.closing(server.transport()) as transport:
        with pytest.raises(OutcomeUnknown) as caught:
            transport.put("/a", LARGE, progress=raising_at(3, RuntimeError("stop")))
        assert isinstance(caught.value.__cause__, TransferAborted)
        assert isinstance(caught.value.__cause__.__cause__, RuntimeError)
        assert transport.put("/b", DOCUMENT).reply == "226 stored"
        assert server.connections == 2
        assert "/a" not in server.files


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(1)], ids=["ctrl-c", "exit"])
@pytest.mark.parametrize("call", [1, 2, 4])
def test_g06_an_interrupt_goes_through_and_the_session_is_closed(error: BaseException, call: int) -> None:
    with ScriptedFtp() as server, contextlib.closing(server.transport()) as transport:
        transport.home()
        with pytest.raises(type(error)):
            transport.put("/a", LARGE, progress=raising_at(call, error))
        assert "/a" not in server.files
        assert transport.put("/b", DOCUMENT).reply == "226 stored"
        assert server.connections == 2


def test_an_error_while_committing_sends_nothing() -> None:
    def full() -> None:
        raise OSError(28, "No space left on device")

    with ScriptedFtp() as server, contextlib.closing(server.transport()) as transport:
        with pytest.raises(OSError, match="No space"):
            transport.put("/a", DOCUMENT, committing=full)
        assert server.count("STOR") == 0


def test_committing_happens_once_and_after_the_data_port_was_reached() -> None:
    with ScriptedFtp() as server, contextlib.closing(server.transport()) as transport:
        seen: list[list[str]] = []
        transport.put("/a", DOCUMENT, committing=lambda: seen.append([line.split()[0] for line in server.seen]))
        [before] = seen
        assert before[-1] == "PASV"


def test_g07_two_threads_on_one_transport_are_refused() -> None:
    entered, done = threading.Event(), threading.Event()

    def wait() -> None:
        entered.set()
        done.wait(5)

    with ScriptedFtp() as server, contextlib.closing(server.transport()) as transport:
        other = threading.Thread(target=lambda: transport.put("/a", DOCUMENT, committing=wait))
        other.start()
        assert entered.wait(5)
        try:
            with pytest.raises(ConfigurationError, match="two threads"):
                transport.home()
        finally:
            done.set()
            other.join(5)
        assert server.files == {"/a": b"<report/>"}
