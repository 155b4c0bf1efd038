"""Threads of one process that write: in turn, waiting for the disk together, none spoiling it for another."""

from __future__ import annotations

import multiprocessing
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from govfile import Ledger
from govfile.errors import LedgerBusy, LedgerError
from govfile.filing.ledger.database import Database
from govfile.filing.ledger.writers import Writers
from govfile.filing.states import State
from support.filing import claim

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

SECONDS = 30


class Desk:
    """A line of writers whose first piece of work can be held up, so that the others gather behind it."""

    def __init__(self, first: BaseException | None = None, shared: BaseException | None = None) -> None:
        self.groups: list[int] = []
        self.go_on = threading.Event()
        self.is_held = threading.Event()
        self._first = first
        self._shared = shared
        self.writers = Writers(self._one, self._several)

    def _one(self, work: Callable[[Any], Any]) -> Any:
        self.groups.append(1)
        if len(self.groups) == 1:
            self.is_held.set()
            assert self.go_on.wait(SECONDS)
            if self._first is not None:
                raise self._first
        return work(None)

    def _several(self, works: Sequence[Callable[[Any], Any]]) -> list[Any]:
        self.groups.append(len(works))
        if self._shared is not None:
            raise self._shared
        return [work(None) for work in works]

    def serve(self, works: Sequence[Callable[[Any], Any]]) -> list[Any]:
        """Run all at once, the first held up until the others wait; results, or the errors raised."""
        with ThreadPoolExecutor(len(works)) as pool:
            outcomes = [pool.submit(self.writers.together, works[0])]
            assert self.is_held.wait(SECONDS)
            outcomes += [pool.submit(self.writers.together, work) for work in works[1:]]
            while len(self.writers._waiting) < len(works) - 1:
                self.go_on.wait(0.001)
            self.go_on.set()
            return [outcome.exception(SECONDS) or outcome.result() for outcome in outcomes]


def results(count: int) -> list[Callable[[Any], int]]:
    return [lambda _, number=number: number for number in range(count)]  # type: ignore[misc]


def fails(_: Any) -> int:
    raise LedgerError("no such submission")


def test_what_gathers_behind_one_write_is_written_at_once() -> None:
    desk = Desk()
    assert desk.serve(results(5)) == [0, 1, 2, 3, 4]
    assert desk.groups == [1, 4]


def test_one_that_fails_fails_alone() -> None:
    desk = Desk()
    *sound, failed = desk.serve([*results(3), fails])
    assert sound == [0, 1, 2]
    assert isinstance(failed, LedgerError)
    assert desk.groups == [1, 3, 1, 1, 1]


def test_nobody_waits_a_second_time_for_a_busy_ledger() -> None:
    desk = Desk(shared=LedgerBusy("busy"))
    first, *others = desk.serve(results(3))
    assert first == 0
    assert [type(error) for error in others] == [LedgerBusy, LedgerBusy]
    assert others[0] is not others[1]
    assert desk.groups == [1, 2]


def test_g06_an_interrupt_of_the_one_that_writes_leaves_the_others_served() -> None:
    desk = Desk(first=KeyboardInterrupt())
    first, *others = desk.serve(results(3))
    assert isinstance(first, KeyboardInterrupt)
    assert others == [1, 2]


def test_g06_what_was_interrupted_is_not_done_later_for_somebody_who_is_gone() -> None:
    done: list[str] = []

    def one(work: Callable[[Any], Any]) -> Any:
        return work(None)

    def interrupted(_: Any) -> None:
        if not done:
            done.append("interrupted")
            raise KeyboardInterrupt
        done.append("done after all")

    writers = Writers(one, lambda works: [one(work) for work in works])
    with pytest.raises(KeyboardInterrupt):
        writers.together(interrupted)
    writers.together(lambda _: done.append("the next"))
    assert done == ["interrupted", "the next"]


def test_threads_that_start_at_once_share_transactions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    groups: list[int] = []
    real = Database._several

    def note(self: Database, works: Sequence[Any]) -> Any:
        groups.append(len(works))
        return real(self, works)

    monkeypatch.setattr(Database, "_several", note)
    with Ledger.open(tmp_path / "filings.db") as ledger, ThreadPoolExecutor(8) as pool:
        made = ledger.claim_many([claim(f"10101010_2025_{number:03}.zip") for number in range(200)])
        identifiers = [outcome[0].id for outcome in made if isinstance(outcome, tuple)]
        started = list(pool.map(ledger.start, identifiers * 2))
        assert sum(submission is not None for submission in started) == 200, "each by one thread only"
        assert {ledger.get(identifier).state for identifier in identifiers} == {State.SENDING}
        assert ledger.verify() == []
    assert groups, "some gathered"


def _start(ledger: Ledger, identifier: str, answer: Any) -> None:
    started = ledger.start(identifier)
    answer.put(started is not None and started.state is State.SENDING)


def test_l04_a_fork_while_a_thread_writes_leaves_the_child_able_to_write(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    with Ledger.open(tmp_path / "filings.db") as ledger:
        submission, _ = ledger.claim(claim())
        writers = ledger._database._writers
        assert writers is not None
        held, go_on = threading.Event(), threading.Event()

        def hold() -> None:
            with writers.turn:
                held.set()
                go_on.wait(SECONDS)

        holder = threading.Thread(target=hold)
        holder.start()
        assert held.wait(SECONDS)
        answer = context.Queue()
        child = context.Process(target=_start, args=(ledger, submission.id, answer))
        child.start()
        try:
            assert answer.get(timeout=SECONDS) is True
        finally:
            go_on.set()
            holder.join()
            child.join(SECONDS)
        assert ledger.start(submission.id) is None
