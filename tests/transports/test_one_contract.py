"""One contract, and all that say they keep it: in memory, faulty without a fault, FTPS and SFTP on real servers."""

from __future__ import annotations

import contextlib
import hashlib
import io
from typing import TYPE_CHECKING, BinaryIO, NoReturn

import attrs
import pytest

from govfile.errors import (
    ConfigurationError,
    DuplicateName,
    InvalidContent,
    InvalidName,
    OutcomeUnknown,
    TransferAborted,
    TransferRefused,
)
from govfile.filing.source import Source
from govfile.transports.base import FileTransport, TransferType
from govfile.transports.faulty import FaultPlan, FaultyTransport
from govfile.transports.ftps import FtpsTransport
from govfile.transports.memory import MemoryServer, MemoryTransport
from govfile.transports.sftp import SftpTransport
from support.ftp_servers import FtpServer, proftpd, vsftpd
from support.scripted_ftp import credential_of
from support.sshd import sshd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DOCUMENT = Source.of(b"0001a\n9998b\n")
LARGE = Source.of(bytes(range(256)) * 16384)


@attrs.frozen
class Place:
    """A transport, and an empty folder at its other side."""

    transport: FileTransport
    folder: str

    def path(self, name: str) -> str:
        return f"{self.folder}/{name}"

    def names(self) -> list[str]:
        return [entry.name for entry in self.transport.list(self.folder)]


def ftps(server: FtpServer) -> Place:
    return Place(
        FtpsTransport(
            server.host,
            server.port,
            user=server.user,
            password=server.password,
            credential=credential_of(server.identity),
            policy=server.policy(),
        ),
        "/Udlaan",
    )


@contextlib.contextmanager
def open_place(kind: str, factory: pytest.TempPathFactory) -> Iterator[Place]:
    with contextlib.ExitStack() as stack:
        if kind == "sftp":
            server = stack.enter_context(sshd(factory.mktemp("sshd") / "it"))
            yield Place(stack.enter_context(server.transport()), str(server.files))
        elif kind in ("proftpd", "vsftpd"):
            place = ftps(stack.enter_context({"proftpd": proftpd, "vsftpd": vsftpd}[kind]()))
            stack.callback(place.transport.close)
            yield place
        else:
            memory = MemoryTransport(MemoryServer(["/Udlaan"]))
            yield Place(FaultyTransport(memory, FaultPlan()) if kind == "faulty" else memory, "/Udlaan")


@pytest.fixture(
    scope="module",
    params=[
        "memory",
        "faulty",
        *(pytest.param(kind, marks=pytest.mark.servers) for kind in ("proftpd", "vsftpd", "sftp")),
    ],
)
def opened(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with open_place(request.param, tmp_path_factory) as place:
        yield place


@pytest.fixture
def place(opened: Place) -> Iterator[Place]:
    yield opened
    for name in opened.names():
        opened.transport.remove(opened.path(name))


class Odd:
    """A source that is not what it promised, or cannot be read."""

    size = DOCUMENT.size
    sha256 = DOCUMENT.sha256

    def __init__(self, reader: Callable[[], BinaryIO]) -> None:
        self.open = reader


def stop(*_: object) -> NoReturn:
    raise RuntimeError("stop")


@pytest.mark.parametrize("size", [0, 1, 300_000])
@pytest.mark.parametrize("name", ["a.zip", "a b.xml", "blåbær.txt", "-dash", 'it\'s "quoted"'])
def test_what_is_put_is_listed_fetched_and_removed(place: Place, name: str, size: int) -> None:
    content, calls = Source.of(b"x" * size), list[tuple[int, int | None]]()
    receipt = place.transport.put(place.path(name), content, progress=lambda *seen: calls.append(seen))
    assert (receipt.path, receipt.bytes_sent, receipt.sha256) == (place.path(name), size, content.sha256)
    assert calls[-1] == (size, size)
    assert [(entry.name, entry.is_folder) for entry in place.transport.list(place.folder)] == [(name, False)]
    into = io.BytesIO()
    fetched = place.transport.get(place.path(name), into)
    assert (fetched.size, fetched.sha256) == (size, hashlib.sha256(into.getvalue()).hexdigest())
    assert into.getvalue() == b"x" * size
    place.transport.remove(place.path(name))
    assert place.names() == []


@pytest.mark.parametrize(
    "call",
    [
        lambda transport, path: transport.list(path),
        lambda transport, path: transport.get(path, io.BytesIO()),
        lambda transport, path: transport.remove(path),
        lambda transport, path: transport.put(f"{path}/a", DOCUMENT),
    ],
    ids=["list", "get", "remove", "put"],
)
def test_what_is_not_there_is_refused(place: Place, call: Callable[[FileTransport, str], object]) -> None:
    with pytest.raises(TransferRefused):
        call(place.transport, place.path("nowhere"))
    assert place.names() == []


@pytest.mark.parametrize("name", ["a\nb", "a\rb", "a\0b", "a\udcff"])
def test_f14_a_name_that_no_server_may_be_asked_for_is_refused_here(place: Place, name: str) -> None:
    for call in (
        lambda path: place.transport.put(path, DOCUMENT),
        lambda path: place.transport.get(path, io.BytesIO()),
        lambda path: place.transport.list(path),
        lambda path: place.transport.remove(path),
    ):
        with pytest.raises(InvalidName):
            call(place.path(name))


def test_f18_a_source_that_changed_or_is_gone_is_found_before_anything_is_sent(place: Place) -> None:
    committed: list[int] = []
    for reader, error in (
        (lambda: io.BytesIO(b"0001a\n9998c\n"), TransferAborted),
        (lambda: io.BytesIO(), TransferAborted),
    ):
        with pytest.raises(error):
            place.transport.put(place.path("a"), Odd(reader), committing=lambda: committed.append(1))

    def gone() -> BinaryIO:
        raise FileNotFoundError(2, "No such file or directory")

    with pytest.raises(InvalidContent):
        place.transport.put(place.path("a"), Odd(gone), committing=lambda: committed.append(1))
    assert committed == []
    assert place.names() == []


def test_an_error_while_committing_sends_nothing_and_the_next_call_works(place: Place) -> None:
    with pytest.raises(RuntimeError, match="stop"):
        place.transport.put(place.path("a"), DOCUMENT, committing=stop)
    assert place.names() == []
    committed: list[int] = []
    place.transport.put(place.path("a"), DOCUMENT, committing=lambda: committed.append(1))
    assert (place.names(), committed) == (["a"], [1])


def test_g05_cancelling_is_certain_before_and_unknown_after_the_point_of_no_return(place: Place) -> None:
    committed: list[int] = []

    def later(done: int, _: int | None) -> None:
        if done:
            raise RuntimeError("stop")

    with pytest.raises(TransferAborted):
        place.transport.put(place.path("a"), DOCUMENT, progress=stop, committing=lambda: committed.append(1))
    assert (place.names(), committed) == ([], [])
    if isinstance(place.transport, SftpTransport):
        return  # it takes an incomplete file away again, or is too late to cancel: shown where its faults are
    with pytest.raises(OutcomeUnknown):
        place.transport.put(place.path("b"), LARGE, progress=later, committing=lambda: committed.append(1))
    assert committed == [1]


def test_g06_an_interrupt_goes_through_and_the_next_call_works(place: Place) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        place.transport.put(place.path("a"), DOCUMENT, progress=interrupt)
    place.transport.put(place.path("b"), DOCUMENT)
    with pytest.raises(KeyboardInterrupt):
        place.transport.get(place.path("b"), io.BytesIO(), progress=interrupt)
    assert place.names() == ["b"]


def test_a_download_is_bounded_can_be_cancelled_and_says_where_it_cannot_be_written(place: Place) -> None:
    class Full(io.BytesIO):
        def write(self, block: object, /) -> int:
            raise OSError(28, "No space left on device")

    place.transport.put(place.path("a"), DOCUMENT)
    with pytest.raises(TransferAborted, match="limit"):
        place.transport.get(place.path("a"), io.BytesIO(), limit=DOCUMENT.size - 1)
    with pytest.raises(TransferAborted, match="RuntimeError"):
        place.transport.get(place.path("a"), io.BytesIO(), progress=stop)
    with pytest.raises(TransferAborted, match="No space left"):
        place.transport.get(place.path("a"), Full())
    assert place.transport.get(place.path("a"), io.BytesIO(), limit=DOCUMENT.size).size == DOCUMENT.size


def test_a_folder_is_no_file(place: Place) -> None:
    for call in (
        lambda: place.transport.put(place.folder, DOCUMENT),
        lambda: place.transport.get(place.folder, io.BytesIO()),
        lambda: place.transport.remove(place.folder),
    ):
        with pytest.raises((TransferRefused, DuplicateName)):  # the latter where nothing is ever written over
            call()
    assert place.names() == []


def test_lines_are_sent_with_crlf_where_that_is_asked_for(place: Place) -> None:
    if isinstance(place.transport, SftpTransport):
        with pytest.raises(ConfigurationError, match="no ASCII"):
            place.transport.put(place.path("a"), DOCUMENT, transfer_type=TransferType.ASCII)
        return
    receipt = place.transport.put(place.path("a"), DOCUMENT, transfer_type=TransferType.ASCII)
    assert (receipt.bytes_sent, receipt.sha256) == (DOCUMENT.size + 2, DOCUMENT.sha256)


def test_it_is_closed_twice_and_used_again(place: Place) -> None:
    assert isinstance(place.transport, FileTransport)
    place.transport.close()
    place.transport.close()
    assert place.transport.home().startswith("/")
    assert place.transport.endpoint
