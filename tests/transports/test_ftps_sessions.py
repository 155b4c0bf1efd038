"""Sessions over time: TLS sessions resumed or not, idle ends, forks, folders, and secrets that stay in memory."""

from __future__ import annotations

import contextlib
import logging
import os
import resource
import signal
import socket
import ssl
import sys
import traceback
from typing import TYPE_CHECKING

import pytest
from OpenSSL import SSL

from govfile.errors import (
    AuthenticationRefused,
    ConnectionFailed,
    GovfileError,
    OutcomeUnknown,
    ProtocolError,
    TransferRefused,
)
from govfile.filing.source import Source
from govfile.transports.ftps.transport import _is_alive
from govfile.transports.ftps_policy import SessionReuse
from support.ftp_servers import authority
from support.pki import Authority, plain, rsa_key
from support.scripted_ftp import ScriptedFtp, Talk, credential_of, tls_context, wait_until
from support.small_upload import BOTH, DOCUMENT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from govfile.transports.ftps import FtpsTransport

TLS_1_2 = ssl.TLSVersion.TLSv1_2
SUPPORTED_VERSIONS = 43


@BOTH
def test_f07_a_server_that_cannot_resume_is_served_and_the_receipt_says_so(version: ssl.TLSVersion) -> None:
    with ScriptedFtp(minimum=version, maximum=version, resumes=False) as server:
        with contextlib.closing(server.transport()) as transport:
            assert transport.put("/a", DOCUMENT).tls_resumed is False
            assert transport.put("/b", DOCUMENT).tls_resumed is False
        assert server.connections == 1


def test_f07_a_server_that_declines_a_session_sees_our_certificate_and_is_judged_by_its_own() -> None:
    """Resuming TLS 1.2 offers no TLS 1.3; what a full handshake needs must be there all the same."""
    with ScriptedFtp(minimum=TLS_1_2, maximum=TLS_1_2, resumes=False, client_authority=authority().pem) as server:
        shown: list[bool] = []

        def store(talk: Talk, argument: str) -> None:
            talk.reply("150 send it")
            with contextlib.closing(talk.data()) as data:
                shown.append(bool(data.getpeercert()))
                server.files[argument] = talk.read_all(data)
            talk.reply("226 stored")

        server.on["STOR"] = store
        with contextlib.closing(server.transport(credential=credential_of())) as transport:
            assert transport.put("/a", DOCUMENT).tls_resumed is False
        assert shown == [True]
        assert server.count("STOR") == 1, "at the first try"
        assert server.files == {"/a": b"<report/>"}


def test_f07_a_data_connection_to_somebody_else_is_refused_before_any_content() -> None:
    stranger = Authority.create(plain("Somebody else"), key=rsa_key(5))
    somebody_else = tls_context(stranger.issue(plain("gateway"), key=rsa_key(3), hosts=["127.0.0.1"]), maximum=TLS_1_2)
    read: list[bytes] = []

    def store(talk: Talk, _: str) -> None:
        talk.reply("150 send it")
        with contextlib.suppress(OSError):
            read.append(talk.read_all(talk.data(somebody_else)))
        talk.reply("426 no")

    with ScriptedFtp(minimum=TLS_1_2, maximum=TLS_1_2) as server:
        server.on["STOR"] = store
        with contextlib.closing(server.transport()) as transport, pytest.raises(GovfileError, match="not believed"):
            transport.put("/a", DOCUMENT)
    assert read == []


@pytest.mark.parametrize("resumes", [False, True])
def test_f07_tls_1_3_is_offered_unless_a_session_of_1_2_is_resumed(resumes: bool) -> None:
    ours, theirs = socket.socketpair()
    with ScriptedFtp(maximum=TLS_1_2) as server, contextlib.closing(server.transport()) as transport, ours, theirs:
        transport.home()
        context = transport._context
        assert context is not None
        ours.setblocking(False)
        connection, _ = context.connection(ours, context.session if resumes else None)
        with pytest.raises(SSL.WantReadError):
            connection.do_handshake()
        hello = theirs.recv(8192)
    assert (b"\x03\x04" in extension(hello, SUPPORTED_VERSIONS)) is not resumes


def extension(hello: bytes, wanted: int) -> bytes:
    """The content of one extension of a ClientHello (RFC 8446, section 4.1.2); b"" where it is not there."""
    at = 5 + 4 + 2 + 32
    at += 1 + hello[at]
    at += 2 + int.from_bytes(hello[at : at + 2])
    at += 1 + hello[at] + 2
    while at < len(hello):
        kind, length = int.from_bytes(hello[at : at + 2]), int.from_bytes(hello[at + 2 : at + 4])
        if kind == wanted:
            return hello[at + 4 : at + 4 + length]
        at += 4 + length
    return b""


def test_f07_resumption_that_must_be_and_is_not_sends_no_content() -> None:
    with ScriptedFtp(resumes=False) as server:
        transport = server.transport(session_reuse=SessionReuse.ALWAYS)
        with pytest.raises(OutcomeUnknown, match="did not resume") as caught:
            transport.put("/a", DOCUMENT)
    assert "no content was sent" in caught.value.evidence


@BOTH
def test_f07_a_data_handshake_that_fails_with_resumption_is_tried_once_without(version: ssl.TLSVersion) -> None:
    """Such servers refuse the transfer command; nothing has left, and it is given once more."""

    def refuse_resumed(talk: Talk, argument: str) -> None:
        talk.reply("150 send it")
        data = talk.data()
        resumed = data.session_reused
        with contextlib.closing(data):
            if resumed and talk.server.count("STOR") + talk.server.count("MLSD") == 1:
                return talk.reply("425 cannot resume")
            content = talk.read_all(data)
        talk.server.files[argument] = content
        return talk.reply("226 stored")

    def refuse_before_tls(talk: Talk, argument: str) -> None:
        if talk.server.count("STOR") == 1:
            talk.accept().close()
            talk.reply("425 cannot resume")
        else:
            refuse_resumed(talk, argument)

    with ScriptedFtp(minimum=version, maximum=version) as server:
        server.on["STOR"] = refuse_before_tls
        committed: list[int] = []
        with contextlib.closing(server.transport()) as transport:
            receipt = transport.put("/a", DOCUMENT, committing=lambda: committed.append(1))
            assert receipt.tls_resumed is False
            assert transport.put("/b", DOCUMENT).tls_resumed is False, "what was learnt is kept"
        assert server.files == {"/a": b"<report/>", "/b": b"<report/>"}
        assert committed == [1]


@pytest.mark.parametrize("reuse", [SessionReuse.ALWAYS, SessionReuse.NEVER])
def test_f07_a_fixed_policy_is_not_changed_by_a_refusal(reuse: SessionReuse) -> None:
    with ScriptedFtp() as server:
        server.on["STOR"] = lambda talk, _: talk.reply("425 no")
        with contextlib.closing(server.transport(session_reuse=reuse)) as transport, pytest.raises(TransferRefused):
            transport.put("/a", DOCUMENT)
        assert server.count("STOR") == 1


@BOTH
def test_f07_a_data_connection_refused_for_once_does_not_end_resumption_for_good(version: ssl.TLSVersion) -> None:
    def demanding(talk: Talk, argument: str) -> None:
        if talk.server.count("STOR") == 1:
            talk.reply("425 not now")
            return
        talk.reply("150 send it")
        with contextlib.closing(talk.data()) as data:
            if data.session_reused:
                talk.server.files[argument] = talk.read_all(data)
        talk.reply("226 stored" if argument in talk.server.files else "522 resume the session")

    with ScriptedFtp(minimum=version, maximum=version) as server:
        server.on["STOR"] = demanding
        with contextlib.closing(server.transport()) as transport:
            with pytest.raises(TransferRefused, match="522"):
                transport.put("/a", DOCUMENT)
            assert transport.put("/b", DOCUMENT).tls_resumed
        assert server.files == {"/b": b"<report/>"}


def ends_idle(how: str, server: ScriptedFtp) -> Callable[[Talk, str], None]:
    """A PWD after which the server ends the session; once."""

    def answer(talk: Talk, _: str) -> None:
        talk.reply('257 "/"')
        if server.connections > 1:
            return
        if how == "421":
            talk.reply("421 idle for too long")
        talk.drop(reset=how == "reset")

    return answer


@pytest.mark.parametrize("how", ["421", "closed", "reset"])
@pytest.mark.parametrize(
    "call",
    [
        lambda transport: transport.home(),
        lambda transport: transport.list("/out"),
        lambda transport: transport.put("/a", DOCUMENT),
        lambda transport: transport.remove("/b"),
    ],
    ids=["home", "list", "put", "remove"],
)
def test_an_idle_session_that_ended_is_replaced_once(how: str, call: Callable[[FtpsTransport], object]) -> None:
    with ScriptedFtp() as server:
        server.files["/b"] = b"x"
        server.on["PWD"] = ends_idle(how, server)
        with contextlib.closing(server.transport()) as transport:
            transport.home()
            wait_until(lambda: transport._session is None or not _is_alive(transport._session))
            call(transport)
        assert server.connections == 2
        assert server.count("STOR") <= 1


def test_a_session_with_an_unasked_reply_stays_out_of_use_however_often_one_looks() -> None:
    def answer(talk: Talk, _: str) -> None:
        talk.reply('257 "/"')
        talk.reply("421 idle for too long")

    with ScriptedFtp() as server:
        server.on["PWD"] = answer
        with contextlib.closing(server.transport()) as transport:
            transport.home()
            session = transport._session
            assert session is not None
            wait_until(lambda: not _is_alive(session))
            assert not _is_alive(session)


def test_a_removal_whose_reply_was_lost_is_not_said_again() -> None:
    """By then another file may lie there under the same name."""

    def replace(talk: Talk, argument: str) -> None:
        talk.server.files[argument] = b"a newer answer"
        talk.drop()

    with ScriptedFtp() as server:
        server.on["DELE"] = replace
        with contextlib.closing(server.transport()) as transport:
            transport.home()
            with pytest.raises(ConnectionFailed) as caught:
                transport.remove("/out/a")
        assert caught.value.certain == "it is not known whether the file was removed"
        assert server.count("DELE") == 1
        assert server.files == {"/out/a": b"a newer answer"}


def test_421_as_the_answer_to_the_first_command_of_a_call_is_the_end_of_an_idle_session() -> None:
    with ScriptedFtp() as server:
        server.on["TYPE"] = lambda talk, _: talk.reply("421 idle" if server.connections == 1 else "200 ok")
        with contextlib.closing(server.transport()) as transport:
            transport.home()
            assert transport.put("/a", DOCUMENT).reply == "226 stored"
        assert server.connections == 2


def test_a_server_that_ends_every_session_is_not_tried_for_ever() -> None:
    with ScriptedFtp() as server:
        server.on["TYPE"] = lambda talk, _: talk.reply("421 no")
        with contextlib.closing(server.transport()) as transport:
            transport.home()
            with pytest.raises(ConnectionFailed, match="421"):
                transport.put("/a", DOCUMENT)
        assert server.connections == 2


def test_a_login_refused_when_connecting_again_is_remembered() -> None:
    with ScriptedFtp() as server:
        server.on["PWD"] = ends_idle("closed", server)
        transport = server.transport()
        transport.home()
        server.on["PASS"] = lambda talk, _: talk.reply("530 locked")
        for _ in range(2):
            with pytest.raises(AuthenticationRefused, match="530 locked"):
                transport.home()
        assert server.count("PASS") == 2


@pytest.mark.parametrize(
    ("reply", "home"),
    [('257 "/"', "/"), ('257 "/a ""quoted"" one" is it', '/a "quoted" one'), ('257-x\r\n257 "/b"', "/b")],
)
def test_home_reads_the_quoted_path(reply: str, home: str) -> None:
    with ScriptedFtp() as server:
        server.on["PWD"] = lambda talk, _: talk.reply(reply)
        with contextlib.closing(server.transport()) as transport:
            assert transport.home() == home


@pytest.mark.parametrize("reply", ["257 nothing", '257 ""', '200 "/"'])
def test_home_without_a_path_is_a_protocol_error(reply: str) -> None:
    with ScriptedFtp() as server:
        server.on["PWD"] = lambda talk, _: talk.reply(reply)
        with contextlib.closing(server.transport()) as transport, pytest.raises(ProtocolError):
            transport.home()


@pytest.mark.parametrize("how", ["silent", "closed", "reset", "never opened"])
def test_close_never_raises_and_is_bounded(how: str) -> None:
    with ScriptedFtp() as server:
        server.on["QUIT"] = lambda talk, _: talk.silence() if how == "silent" else talk.drop(reset=how == "reset")
        transport = server.transport()
        if how != "never opened":
            transport.home()
        transport.close()
        transport.close()
        assert transport.home() == "/", "it may be used again"
        transport.close()


def test_g07_a_child_process_leaves_its_parents_session_alone() -> None:
    with ScriptedFtp() as server, contextlib.closing(server.transport()) as transport:
        transport.home()
        child = os.fork()
        if child == 0:
            status = 1
            try:
                transport.close()
                status = 0
            finally:
                os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert transport.home() == "/"
        assert server.connections == 1
        assert server.count("QUIT") == 0


def test_passwords_are_masked_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "govfile")
    with ScriptedFtp() as server, contextlib.closing(server.transport()) as transport:
        transport.home()
        assert "PASS ***" in caplog.text
        assert "correct horse" not in caplog.text + repr(transport) + repr(vars(transport))


def test_nothing_is_written_to_disk_during_a_whole_session(tmp_path: Path) -> None:
    """The child may not write a single byte to any file: the kernel would end it. The session succeeds."""
    places = [tmp_path / name for name in ("tmp", "home", "cwd")]
    for place in places:
        place.mkdir()
    with ScriptedFtp(client_authority=authority().pem) as server:
        child = os.fork()
        if child == 0:
            status = 1
            try:
                os.environ.update(TMPDIR=str(places[0]), HOME=str(places[1]))
                os.chdir(places[2])
                signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
                resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
                with contextlib.closing(server.transport(credential=credential_of())) as transport:
                    transport.put("/a", Source.of(bytes(1_000_000)))
                    transport.list("/")
                    status = 0
            except BaseException:  # noqa: BLE001  (a forked child reports by its exit code, whatever happened)
                traceback.print_exc(file=sys.__stderr__)
            finally:
                os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert server.files == {"/a": bytes(1_000_000)}
    assert [path for place in places for path in place.iterdir()] == []
