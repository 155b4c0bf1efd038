"""Sources that change or break while they are sent, and callers who stop: the outcome is said as it is."""

from __future__ import annotations

import contextlib
import hashlib
import io
import threading
from typing import TYPE_CHECKING, BinaryIO

import pytest

from govfile.errors import (
    ConfigurationError,
    InvalidContent,
    OutcomeUnknown,
    TransferAborted,
)
from govfile.filing.source import Source
from govfile.transports.base import TransferType
from support.scripted_ftp import ScriptedFtp, Talk

if TYPE_CHECKING:
    from collections.abc import Callable

    Handler = Callable[[Talk, str], None]

DOCUMENT = Source.of(b"<report/>")
LARGE = Source.of(bytes(range(256)) * 4096)


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
