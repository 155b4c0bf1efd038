"""Many files over several sessions of one login: spread, each sent once, whatever a session or the server does."""

from __future__ import annotations

import io
import threading
from typing import TYPE_CHECKING

import attrs
import pytest

from govfile.errors import ConfigurationError, ConnectionFailed, GovfileError, OutcomeUnknown, Phase
from govfile.filing.source import Source
from govfile.transports.base import PutReceipt
from govfile.transports.memory import MemoryServer, MemoryTransport
from govfile.transports.sftp import SeveralSessions, Upload
from support.sshd import sshd

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

FOLDER = "/IN"


@attrs.define
class Site:
    """A server in memory and the sessions opened to it; `behave` is called with a session's number before its share."""

    server: MemoryServer = attrs.field(factory=lambda: MemoryServer([FOLDER], is_exclusive=True))
    behave: Callable[[int], None] = lambda number: None
    shares: dict[int, list[str]] = attrs.field(factory=dict)
    opened: int = 0
    closed: int = 0

    def open(self) -> SessionInMemory:
        self.opened += 1
        return SessionInMemory(self, self.opened)


class SessionInMemory(MemoryTransport):
    def __init__(self, site: Site, number: int) -> None:
        super().__init__(site.server)
        self.site, self.number = site, number

    def put_many(
        self, uploads: Sequence[Upload], *, committing: Callable[[Upload], None]
    ) -> tuple[PutReceipt | GovfileError, ...]:
        self.site.behave(self.number)
        self.site.shares.setdefault(self.number, []).extend(upload.path for upload in uploads)
        receipts = []
        for upload in uploads:
            committing(upload)
            receipts.append(self.put(upload.path, upload.content))
        return tuple(receipts)

    def close(self) -> None:
        self.site.closed += 1
        super().close()


def uploads(*sizes: int) -> list[Upload]:
    return [
        Upload(path=f"{FOLDER}/{number}", content=Source.of(bytes([number]) * size))
        for number, size in enumerate(sizes)
    ]


def unreachable() -> ConnectionFailed:
    return ConnectionFailed("too many sessions", phase=Phase.CONNECT)


def test_every_file_crosses_once_and_the_receipts_keep_their_order() -> None:
    site = Site()
    wanted = uploads(*range(1, 31))
    receipts = SeveralSessions(site.open, 4).put_many(wanted)
    assert [receipt.path for receipt in receipts if isinstance(receipt, PutReceipt)] == [each.path for each in wanted]
    assert sorted(path for share in site.shares.values() for path in share) == sorted(each.path for each in wanted)
    assert sorted(len(share) for share in site.shares.values()) == [7, 7, 8, 8]


def test_one_large_file_does_not_hold_up_the_small_ones() -> None:
    site = Site()
    SeveralSessions(site.open, 2).put_many(uploads(10, 10, 1_000_000, 10))
    assert sorted(map(len, site.shares.values())) == [1, 3]


def test_no_more_sessions_are_used_than_there_are_files() -> None:
    site = Site()
    sessions = SeveralSessions(site.open, 4)
    assert len(sessions.put_many(uploads(1, 1))) == 2
    assert sorted(site.shares) == [1, 2]
    assert sessions.put_many([]) == ()


@pytest.mark.parametrize("count", [0, -1, 17])
def test_a_count_that_makes_no_sense_is_refused(count: int) -> None:
    with pytest.raises(ConfigurationError, match="1 to 16"):
        SeveralSessions(Site().open, count)


def test_a_server_that_lets_in_fewer_gets_everything_over_those() -> None:
    def behave(number: int) -> None:
        if number > 2 and threading.current_thread() is not threading.main_thread():
            raise unreachable()

    site = Site(behave=behave)
    receipts = SeveralSessions(site.open, 4).put_many(uploads(*[5] * 12))
    assert all(isinstance(receipt, PutReceipt) for receipt in receipts)
    assert set(site.shares) == {1, 2}
    assert len(site.server.files) == 12


def test_without_any_session_the_first_ones_error_is_raised() -> None:
    def behave(number: int) -> None:
        raise unreachable()

    site = Site(behave=behave)
    with pytest.raises(ConnectionFailed):
        SeveralSessions(site.open, 3).put_many(uploads(1, 2, 3))
    assert site.server.files == {}


def test_s04_a_share_of_which_anything_may_have_left_is_never_sent_by_another_session() -> None:
    site = Site()

    def committing(upload: Upload) -> None:
        if upload.path.endswith("/1"):
            raise OutcomeUnknown("lost after the first byte", evidence="", how_to_resolve="look")

    with pytest.raises(OutcomeUnknown):
        SeveralSessions(site.open, 2).put_many(uploads(1, 1, 1, 1), committing=committing)
    assert f"{FOLDER}/1" not in site.server.files


@pytest.mark.parametrize("number", [1, 2])
def test_an_interruption_is_raised_once_every_session_has_stopped(number: int) -> None:
    def behave(which: int) -> None:
        if which == number:
            raise KeyboardInterrupt

    site = Site(behave=behave)
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        SeveralSessions(site.open, 3).put_many(uploads(1, 1, 1))
    assert threading.active_count() == before


def test_everything_else_goes_over_the_first_session() -> None:
    site = Site()
    sessions = SeveralSessions(site.open, 3)
    sessions.put(f"{FOLDER}/one", Source.of(b"content"))
    into = io.BytesIO()
    assert sessions.get(f"{FOLDER}/one", into).size == 7
    assert [found.name for found in sessions.list(FOLDER)] == ["one"]
    assert sessions.home() == "/"
    sessions.remove(f"{FOLDER}/one")
    assert site.server.files == {}
    sessions.close()
    assert site.closed == 3


@pytest.mark.servers
def test_openssh_takes_files_over_four_sessions(tmp_path: Path) -> None:
    with sshd(tmp_path / "it") as server:
        sessions = SeveralSessions(server.transport, 4)
        folder = server.files / "IN"
        folder.mkdir()
        wanted = [Upload(path=f"{folder}/{number}", content=Source.of(b"%d" % number)) for number in range(50)]
        try:
            receipts = sessions.put_many(wanted)
        finally:
            sessions.close()
        assert all(isinstance(receipt, PutReceipt) for receipt in receipts)
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
            str(number): b"%d" % number for number in range(50)
        }
