"""Downloads: whole, or an error."""

from __future__ import annotations

import contextlib
import hashlib
import io
import ssl
import time
from typing import TYPE_CHECKING

import pytest

from govfile.errors import ConnectionFailed, TimedOut, TransferAborted, TransferRefused, TransportError
from support.scripted_ftp import ScriptedFtp, Talk

if TYPE_CHECKING:
    from collections.abc import Callable

    Handler = Callable[[Talk, str], None]

CONTENT = bytes(range(256)) * 3000


def get(server: ScriptedFtp, limit: int | None = None) -> bytes:
    into = io.BytesIO()
    with contextlib.closing(server.transport()) as transport:
        receipt = transport.get("/out/a.xml", into, limit=limit)
    assert receipt.size == len(into.getvalue())
    assert receipt.sha256 == hashlib.sha256(into.getvalue()).hexdigest()
    return into.getvalue()


def cut(sent: bytes, reply: str, *, reset: bool = False) -> Handler:
    """A download that ends without a TLS close."""

    def retrieve(talk: Talk, _: str) -> None:
        talk.reply("150 here it comes")
        data = talk.data()
        data.sendall(sent)
        if reset:
            talk.hard(data)
        data.close()
        talk.reply(reply)

    return retrieve


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def test_a_download_is_digested_and_counted(version: ssl.TLSVersion) -> None:
    with ScriptedFtp(minimum=version, maximum=version) as server:
        server.files["/out/a.xml"] = CONTENT
        assert get(server) == CONTENT


@pytest.mark.parametrize("size_reply", ["550 no", "502 not known", "213 768001", "213 many", "213 ²"])
def test_f12_a_download_without_a_tls_close_is_cut_off(size_reply: str) -> None:
    with ScriptedFtp() as server:
        server.on["RETR"] = cut(CONTENT, "226 done")
        server.on["SIZE"] = lambda talk, _: talk.reply(size_reply)
        with pytest.raises(ConnectionFailed, match="may be cut off after 768000 bytes"):
            get(server)


def test_f12_a_download_without_a_tls_close_is_whole_when_its_size_shows_it() -> None:
    with ScriptedFtp() as server:
        server.on["RETR"] = cut(CONTENT, "226 done")
        server.on["SIZE"] = lambda talk, _: talk.reply("213 768000")
        assert get(server) == CONTENT


@pytest.mark.parametrize(
    ("handler", "error"),
    [
        (cut(CONTENT[:1000], "426 broken"), TransferRefused),
        (cut(CONTENT[:1000], "226 done", reset=True), ConnectionFailed),
        (cut(CONTENT, "451 not all"), TransferRefused),
        (lambda talk, _: talk.reply("550 not here"), TransferRefused),
        (lambda talk, _: talk.reply("450 busy"), TransferRefused),
        (lambda talk, _: talk.drop(), ConnectionFailed),
        (lambda talk, _: talk.silence(), TimedOut),
    ],
    ids=["426", "reset", "451 after all", "550", "450", "dropped", "silent"],
)
def test_a_download_that_fails_is_never_a_short_success(handler: Handler, error: type[TransportError]) -> None:
    with ScriptedFtp() as server:
        server.on["RETR"] = handler
        with pytest.raises(error):
            get(server)


def test_f02_a_download_that_stops_moving_times_out() -> None:
    def stall(talk: Talk, _: str) -> None:
        talk.reply("150 here it comes")
        with contextlib.closing(talk.data()) as data:
            data.sendall(b"x")
            talk.silence()

    with ScriptedFtp() as server:
        server.on["RETR"] = stall
        with pytest.raises(TimedOut) as caught:
            get(server)
    assert caught.value.which == "data"


def test_a_download_beyond_the_limit_is_stopped_and_the_next_call_works() -> None:
    with ScriptedFtp() as server, contextlib.closing(server.transport()) as transport:
        server.files["/out/a.xml"] = CONTENT
        into = io.BytesIO()
        with pytest.raises(TransferAborted, match="limit of 100000 bytes"):
            transport.get("/out/a.xml", into, limit=100_000)
        assert len(into.getvalue()) <= 100_000
        assert transport.get("/out/a.xml", io.BytesIO(), limit=len(CONTENT)).size == len(CONTENT)


def test_g05_a_download_can_be_cancelled() -> None:
    def stop(done: int, _: int | None) -> None:
        if done > 100_000:
            raise RuntimeError("stop")

    with ScriptedFtp() as server, contextlib.closing(server.transport()) as transport:
        server.files["/out/a.xml"] = CONTENT
        with pytest.raises(TransferAborted) as caught:
            transport.get("/out/a.xml", io.BytesIO(), progress=stop)
        assert isinstance(caught.value.__cause__, RuntimeError)
        assert transport.home() == "/"


def test_a_disk_that_is_full_is_said() -> None:
    class Full(io.BytesIO):
        def write(self, block: object, /) -> int:
            raise OSError(28, "No space left on device")

    with ScriptedFtp() as server, contextlib.closing(server.transport()) as transport:
        server.files["/out/a.xml"] = CONTENT
        with pytest.raises(TransferAborted, match="No space left"):
            transport.get("/out/a.xml", Full())


def test_f16_a_file_that_is_gone_between_listing_and_download_is_a_refusal() -> None:
    with ScriptedFtp() as server, contextlib.closing(server.transport()) as transport:
        server.files["/out/a.xml"] = CONTENT
        [entry] = transport.list("/out")
        del server.files["/out/a.xml"]
        with pytest.raises(TransferRefused, match="550"):
            transport.get(f"/out/{entry.name}", io.BytesIO())
        assert transport.list("/out") == []


def test_f16_a_refusal_that_leaves_the_data_connection_open_is_heard_at_once() -> None:
    held = []

    def refuse(talk: Talk, _: str) -> None:
        data = talk.data()
        held.append(data)
        time.sleep(0.1)  # the client is reading data by now
        talk.reply("550 no such file")

    with ScriptedFtp() as server:
        server.on["RETR"] = refuse
        started = time.monotonic()
        with pytest.raises(TransferRefused, match="550"):
            get(server)
        assert time.monotonic() - started < 5
        held[0].close()


def test_a_download_that_is_confirmed_early_is_read_to_its_end() -> None:
    def hasty(talk: Talk, _: str) -> None:
        data = talk.data()
        talk.raw(b"150 soon\r\n226 done\r\n")
        time.sleep(0.1)
        data.sendall(CONTENT)
        data.unwrap()
        data.close()

    with ScriptedFtp() as server:
        server.on["RETR"] = hasty
        assert get(server) == CONTENT


def test_a_confirmation_that_overtakes_the_end_of_the_handshake_takes_nothing_from_the_download() -> None:
    """In a full handshake of TLS 1.2 the server speaks last, and may have confirmed all before we hear it."""
    document = CONTENT[:1000]

    def retrieve(talk: Talk, _: str) -> None:
        talk.reply("150 here it comes")
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = talk.server.context.wrap_bio(incoming, outgoing, server_side=True)
        with contextlib.closing(talk.accept()) as sock:
            while True:
                try:
                    tls.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    sock.sendall(outgoing.read())
                    incoming.write(sock.recv(65536))
            tls.write(document)
            with contextlib.suppress(ssl.SSLError):
                tls.unwrap()
            talk.reply("226 done")
            time.sleep(0.1)
            sock.sendall(outgoing.read())

    with ScriptedFtp(maximum=ssl.TLSVersion.TLSv1_2, resumes=False) as server:
        server.on["RETR"] = retrieve
        assert get(server) == document


def test_a_writer_that_takes_less_at_once_gets_the_whole_all_the_same() -> None:
    """An unbuffered file may take a part and say so, as on a disk that fills up."""

    class Unbuffered(io.BytesIO):
        def write(self, block: object, /) -> int:
            assert isinstance(block, bytes)
            return super().write(block[:1000])

    class Stuck(io.BytesIO):
        def write(self, block: object, /) -> int:
            return 0

    with ScriptedFtp() as server, contextlib.closing(server.transport()) as transport:
        server.files["/out/a.xml"] = CONTENT
        into = Unbuffered()
        assert transport.get("/out/a.xml", into).size == len(CONTENT)
        assert into.getvalue() == CONTENT
        with pytest.raises(TransferAborted, match="takes no more"):
            transport.get("/out/a.xml", Stuck())
