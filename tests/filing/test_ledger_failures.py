"""What the database cannot do comes back in our words, and nothing half-done is believed."""

from __future__ import annotations

import math
import pickle
import sqlite3
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy.exc import OperationalError

from govfile import Ledger
from govfile.errors import ConfigurationError, LedgerBusy, LedgerError, Retry
from govfile.filing.ledger.claims import Attempt
from govfile.filing.ledger.database import Session
from govfile.filing.states import Proof, State
from govfile.filing.submission import Evidence
from support.filing import claim
from support.small_disks import make_read_only, small_disk

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_a_full_disk_is_an_error_and_what_was_claimed_before_stays(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 400 * 1024) as disk:
        ledger = Ledger.open(disk / "filings.db")
        claimed: list[str] = []

        def claim_until_it_fails() -> None:
            for number in range(5000):
                claimed.append(ledger.claim(claim(f"{number}.zip"))[0].id)  # noqa: PERF401 - kept up to the failure

        with pytest.raises(LedgerError, match="disk") as full:
            claim_until_it_fails()
        assert "free" in full.value.advice
        assert isinstance(full.value.__cause__, Exception)
        assert [found.id for found in ledger.search()][: len(claimed)] == claimed
        assert ledger.verify() == []
        ledger.close()


def test_a_disk_too_full_for_a_new_ledger_leaves_none(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 16 * 1024) as disk:
        with pytest.raises(LedgerError, match=r"full|No space"):
            Ledger.open(disk / "filings.db")
        assert list(disk.iterdir()) == []


def test_a_read_only_disk_is_an_error_that_says_so(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 4 * 1024 * 1024) as disk:
        with Ledger.open(disk / "filings.db") as ledger:
            ledger.claim(claim())
        make_read_only(disk)
        with pytest.raises(LedgerError, match=r"read-only|cannot be written|cannot be opened"):
            Ledger.open(disk / "filings.db").claim(claim("b.zip"))
        with pytest.raises(LedgerError, match="Read-only file system"):
            Ledger.open(disk / "other.db")


def test_a_ledger_that_another_holds_is_busy_after_the_patience_given(tmp_path: Path) -> None:
    path = tmp_path / "filings.db"
    with Ledger.open(path, patience=0.2) as ledger:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        begun = time.monotonic()
        with pytest.raises(LedgerBusy) as busy:
            ledger.claim(claim())
        assert time.monotonic() - begun < 5
        assert busy.value.retry is Retry.SAME_REQUEST
        other.execute("ROLLBACK")
        other.close()
        assert ledger.claim(claim())[1]


def test_patience_without_end_waits(open_ledger: Callable[..., Ledger]) -> None:
    first, second = open_ledger(), open_ledger(patience=math.inf)
    held, leave = threading.Event(), threading.Event()

    def hold(session: Any) -> None:
        session.insert(session.statements.claim, row)
        held.set()
        leave.wait(10)

    row = Attempt.of(claim(), "0" * 32, datetime.now(UTC)).row()
    holder = threading.Thread(target=lambda: first._database.transaction(hold))
    holder.start()
    held.wait(10)
    threading.Timer(0.3, leave.set).start()
    assert second.claim(claim())[0].id == "0" * 32
    holder.join()


@pytest.mark.servers
def test_a_table_that_another_holds_is_busy_after_the_patience_given(database_url: str) -> None:
    import psycopg

    with Ledger.open(database_url, patience=0.2) as ledger:
        with psycopg.connect(database_url) as other:
            other.execute("LOCK TABLE govfile_submission")
            with pytest.raises(LedgerBusy):
                ledger.claim(claim())
        assert ledger.claim(claim())[1]


@pytest.mark.servers
def test_a_connection_that_the_server_ended_is_made_anew(database_url: str, server: Any) -> None:
    with Ledger.open(database_url) as ledger:
        first, _ = ledger.claim(claim())
        server.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        assert ledger.claim(claim()) == (first, False)
        server.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        started = ledger.start(first.id)
        assert started is not None
        assert started.state is State.SENDING


@pytest.mark.parametrize(
    ("earlier", "proof", "expected"),
    [
        ([], Proof.NOTHING_LEFT, State.PREPARED),
        ([], Proof.CONFIRMED, State.SENT),
        ([], Proof.TRIGGERING, State.SENDING),
        ([Proof.LINK_LOST], Proof.SETTLED_ARRIVED, State.SENT),
        ([Proof.LINK_LOST], Proof.SETTLED_NEVER_ARRIVED, State.PREPARED),
        ([Proof.CONFIRMED], Proof.TAKEN, State.RECEIVED),
    ],
)
@pytest.mark.parametrize("many", [False, True])
def test_a_step_that_took_effect_before_the_link_was_lost_is_taken_once(
    ledger: Ledger,
    monkeypatch: pytest.MonkeyPatch,
    earlier: list[Proof],
    proof: Proof,
    expected: State,
    many: bool,
) -> None:
    submission, _ = ledger.claim(claim())
    ledger.start(submission.id)
    for known in earlier:
        ledger.record(submission.id, Evidence(proof=known))
    news = (submission.id, Evidence(proof=proof, detail="the answer to this is lost"))
    with monkeypatch.context() as patch:
        patch.setattr(Session, "say" if many else "change", lost_once(Session.say if many else Session.change, many))
        recorded = ledger.record_many([news])[0] if many else ledger.record(*news)
    assert recorded.state is expected
    assert [event.evidence.proof for event in recorded.history[2:]] == [*earlier, proof]
    assert ledger.get(submission.id) == recorded


def lost_once(real: Callable[..., Any], many: bool) -> Callable[..., Any]:
    """`real`, whose first answer (to a COMMIT, for many) does not come."""
    left = [1]

    def call(session: Session, words: Any, *more: Any) -> Any:
        result = real(session, words, *more)
        if left and (words == "COMMIT" or not many):
            left.clear()
            lost = OperationalError(None, None, sqlite3.OperationalError("the server closed the connection"))
            lost.connection_invalidated = True
            raise lost
        return result

    return call


def test_nothing_of_a_batch_stays_when_it_breaks_in_the_middle(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    from govfile.filing.ledger import book

    real: Callable[..., Any] = book.__dict__["insert_all"]

    def break_off(session: Any, attempts: Any) -> Any:
        real(session, attempts)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(book, "insert_all", break_off)
        with pytest.raises(KeyboardInterrupt):
            ledger.claim_many([claim(f"{number}.zip") for number in range(5)])
    assert list(ledger.search()) == []
    assert ledger.claim(claim("0.zip"))[1]


def test_g07_a_ledger_serves_many_threads(open_ledger: Callable[..., Ledger]) -> None:
    ledger = open_ledger()
    failures: list[BaseException] = []

    def work(who: int) -> None:
        try:
            for number in range(10):
                submission, _ = ledger.claim(claim(f"{who}-{number}.zip"))
                ledger.start(submission.id)
                ledger.record(submission.id, Evidence(proof=Proof.CONFIRMED))
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=work, args=(who,)) for who in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sum(1 for _ in ledger.search(state=State.SENT)) == 60
    assert ledger.verify() == []


def test_errors_can_be_pickled_for_pools_of_processes(ledger: Ledger) -> None:
    with pytest.raises(LedgerError) as raised:
        ledger.get("nowhere")
    assert str(pickle.loads(pickle.dumps(raised.value))) == str(raised.value)


def test_closing_twice_does_nothing_and_a_closed_ledger_leaves_one_file(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path / "filings.db")
    submission, _ = ledger.claim(claim())
    ledger.record(submission.id, Evidence(proof=Proof.NOTED))
    ledger.close()
    ledger.close()
    assert [found.name for found in tmp_path.iterdir()] == ["filings.db"]


def test_a_closed_ledger_says_so(ledger: Ledger) -> None:
    ledger.close()
    with pytest.raises(LedgerError, match="the ledger is closed"):
        ledger.claim(claim())


def test_a_time_without_its_zone_is_refused(ledger: Ledger) -> None:
    with pytest.raises(ConfigurationError, match="without its zone"):
        list(ledger.search(since=datetime(2026, 3, 2)))  # noqa: DTZ001 - that is the point
    assert list(ledger.search(since=datetime(2026, 3, 2, tzinfo=UTC))) == []


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:hush@localhost/filings",
        "postgresql://localhost/filings?password=hush",
        "postgresql://localhost/filings?sslpassword=hush",
        "postgresql://localhost:port/filings?%zz=hush",
    ],
)
def test_l09_a_url_with_a_password_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        Ledger.open(url)
    assert "hush" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_a_server_that_is_not_there_is_an_error() -> None:
    with pytest.raises(LedgerError, match="no connection to the database server"):
        Ledger.open("postgresql://127.0.0.1:1/filings?connect_timeout=2", patience=2)


def test_the_scope_of_a_search_is_what_was_asked_for(ledger: Ledger) -> None:
    ledger.claim(claim("a.zip"))
    ledger.claim(claim("b.zip", environment="production"))
    ledger.claim(claim("c.zip", service="Indlaan"))
    ledger.claim(claim("d.zip", sender="30808460"))
    found = ledger.search(
        authority="skat", environment="test", sender="10101010", service="Udlaan", state=State.PREPARED
    )
    assert [submission.name for submission in found] == ["a.zip"]
    assert [submission.name for submission in ledger.search(limit=3)] == ["a.zip", "b.zip", "c.zip"]
    assert list(ledger.search(limit=0)) == []
    assert list(ledger.search(authority="onss")) == []
