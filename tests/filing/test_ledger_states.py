"""Start, record and what becomes of a submission whose process died."""

from __future__ import annotations

import multiprocessing
import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import pytest

from govfile import Ledger
from govfile.errors import ImpossibleStep, LedgerError
from govfile.filing.ledger.owners import Owner
from govfile.filing.states import Proof, State, Verdict
from govfile.filing.submission import Answer, Evidence
from support.filing import SCOPE, claim, sha256

if TYPE_CHECKING:
    from collections.abc import Callable

NOON = datetime(2026, 3, 2, 12, 0, 0, 5, tzinfo=UTC)


def test_a_filing_from_claim_to_answer_is_kept_with_its_evidence(
    ledger: Ledger, open_ledger: Callable[..., Ledger]
) -> None:
    submission, _ = ledger.claim(claim())
    ledger.start(submission.id)
    ledger.record(submission.id, Evidence(proof=Proof.CONFIRMED, detail="226 Transfer complete"))
    status = Evidence(
        proof=Proof.HANDED_OVER,
        detail="File delivered to requested Backend System",
        source="status_Udlaan_10101010_2025_a1.zip_1.xml",
        source_sha256=sha256("status 1"),
        saved_as="/srv/in/status_1.xml",
    )
    ledger.record(submission.id, status, at=NOON)
    answer = Answer(
        path=Path("/srv/in/answer.xml"), remote_name="answer.xml", size=12, sha256=sha256("answer"), received_at=NOON
    )
    last = ledger.record(
        submission.id, Evidence(proof=Proof.ANSWERED), verdict=Verdict.MIXED, answers=[answer], durable=True
    )
    assert [event.state for event in last.history] == [
        State.PREPARED,
        State.SENDING,
        State.SENT,
        State.DELIVERED,
        State.ANSWERED,
    ]
    assert last.history[3].evidence == status
    assert last.history[3].at == NOON
    assert (last.verdict, last.answers, last.revision) == (Verdict.MIXED, (answer,), 5)
    assert open_ledger().get(submission.id) == last


def test_f15_the_same_status_file_twice_counts_once(ledger: Ledger) -> None:
    submission, _ = ledger.claim(claim())
    status = Evidence(proof=Proof.TAKEN, source="status_2.xml", source_sha256=sha256("2"), saved_as="/in/a")
    first = ledger.record(submission.id, status)
    second = ledger.record(submission.id, attrs.evolve(status, saved_as="/in/b"))
    assert second == first
    replaced = ledger.record(submission.id, attrs.evolve(status, source_sha256=sha256("2, replaced")))
    assert len(replaced.history) == len(first.history) + 1


def test_an_answer_that_comes_again_is_kept_once_and_a_replaced_one_beside_it(ledger: Ledger) -> None:
    submission, _ = ledger.claim(claim())
    answer = Answer(path=Path("/in/a"), remote_name="a.xml", size=1, sha256=sha256("1"), received_at=NOON)
    other = attrs.evolve(answer, path=Path("/in/a.2"), sha256=sha256("2"))
    for found in ([answer], [answer], [other, answer]):
        last = ledger.record(submission.id, Evidence(proof=Proof.ANSWERED), answers=found)
    assert last.answers == (answer, other)


def test_only_one_of_many_starts_a_submission(open_ledger: Callable[..., Ledger]) -> None:
    ledger = open_ledger()
    submission, _ = ledger.claim(claim())
    started = []
    gate = threading.Barrier(8)

    def start() -> None:
        gate.wait()
        started.append(ledger.start(submission.id))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winners = [found for found in started if found is not None]
    assert len(winners) == 1
    assert winners[0].state is State.SENDING


def test_a_submission_that_may_have_arrived_never_starts_again(ledger: Ledger) -> None:
    submission, _ = ledger.claim(claim())
    ledger.start(submission.id)
    for proof in (Proof.LINK_LOST, Proof.SETTLED_ARRIVED):
        ledger.record(submission.id, Evidence(proof=proof))
        assert ledger.start(submission.id) is None


def test_a_submission_of_which_nothing_left_starts_again_under_its_name(ledger: Ledger) -> None:
    submission, _ = ledger.claim(claim())
    ledger.start(submission.id)
    ledger.record(submission.id, Evidence(proof=Proof.NOTHING_LEFT))
    restarted = ledger.start(submission.id)
    assert restarted is not None
    assert restarted.name == submission.name


def test_an_impossible_step_of_our_own_is_refused_and_changes_nothing(ledger: Ledger) -> None:
    submission, _ = ledger.claim(claim())
    with pytest.raises(ImpossibleStep, match="CONFIRMED from PREPARED"):
        ledger.record(submission.id, Evidence(proof=Proof.CONFIRMED))
    assert ledger.get(submission.id) == submission


@pytest.mark.parametrize("call", ["get", "start", "record"])
def test_an_id_that_is_not_here_is_an_error(ledger: Ledger, call: str) -> None:
    arguments = [Evidence(proof=Proof.NOTED)] if call == "record" else []
    with pytest.raises(LedgerError, match="holds no submission nowhere"):
        getattr(ledger, call)("nowhere", *arguments)


def test_evidence_of_two_threads_is_all_kept(open_ledger: Callable[..., Ledger]) -> None:
    ledger = open_ledger()
    submission, _ = ledger.claim(claim())

    def note(who: str) -> None:
        for number in range(15):
            ledger.record(submission.id, Evidence(proof=Proof.NOTED, detail=f"{who}{number}"))

    threads = [threading.Thread(target=note, args=(who,)) for who in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    details = {event.evidence.detail for event in ledger.get(submission.id).history}
    assert details == {""} | {f"{who}{number}" for who in "abcd" for number in range(15)}


def _start_and_die(place: str, submission_id: str) -> None:
    Ledger.open(place).start(submission_id)
    os.kill(os.getpid(), 9)


def test_l04_what_a_dead_process_was_sending_is_found_and_what_a_living_one_sends_is_not(
    ledger: Ledger, place: str
) -> None:
    dead, _ = ledger.claim(claim("dead.zip"))
    alive, _ = ledger.claim(claim("alive.zip"))
    other, _ = ledger.claim(claim("other.zip", sender="30808460"))
    for submission in (alive, other):
        ledger.start(submission.id)
    child = multiprocessing.get_context("spawn").Process(target=_start_and_die, args=(place, dead.id))
    child.start()
    child.join()
    assert [found.name for found in ledger.interrupted(**SCOPE)] == ["dead.zip"]
    assert ledger.get(dead.id).state is State.SENDING
    settled = ledger.record(dead.id, Evidence(proof=Proof.INTERRUPTED))
    assert settled.state is State.UNKNOWN
    assert ledger.interrupted(**SCOPE) == []


def test_l04_another_process_may_not_say_that_nothing_left(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    submission, _ = ledger.claim(claim())
    ledger.start(submission.id)
    stranger = attrs.evolve(Owner.here(), pid=1)
    monkeypatch.setattr(Owner, "here", staticmethod(lambda: stranger))
    with pytest.raises(ImpossibleStep, match="sent by another process"):
        ledger.record(submission.id, Evidence(proof=Proof.NOTHING_LEFT))
    assert ledger.record(submission.id, Evidence(proof=Proof.CONFIRMED)).state is State.SENT


def _fork_and_end() -> tuple[int, Owner]:
    """A process of ours that ends at once, still to be waited for."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(writer, str(Owner.here()).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        return pid, Owner.parse(pipe.read().decode())


def _owner_of_a_dead_process() -> Owner:
    pid, owner = _fork_and_end()
    os.waitpid(pid, 0)
    return owner


def test_l04_death_is_believed_only_with_proof() -> None:
    here, dead = Owner.here(), _owner_of_a_dead_process()
    assert dead.is_provably_dead(here)
    assert not here.is_provably_dead(here)
    assert attrs.evolve(here, started="1").is_provably_dead(here)
    assert attrs.evolve(here, boot="an earlier start of this machine").is_provably_dead(here)
    assert not attrs.evolve(dead, host="another").is_provably_dead(here)
    assert not attrs.evolve(dead, space="pid:[another container]").is_provably_dead(here)
    assert not attrs.evolve(dead, boot="").is_provably_dead(here)


def test_l04_a_process_that_ended_but_was_not_reaped_is_dead() -> None:
    pid, owner = _fork_and_end()
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    try:
        assert owner.is_provably_dead(Owner.here())
    finally:
        os.waitpid(pid, 0)


@pytest.mark.parametrize("text", ["", "[]", "[1]", "{}", "no json"])
def test_an_owner_that_cannot_be_read_is_not_called_dead(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever the reason, `interrupted` takes it for "not proven"
        Owner.parse(text)


def test_l10_order_is_by_sequence_when_the_clock_runs_backwards(open_ledger: Callable[..., Ledger]) -> None:
    times = iter([NOON, NOON - timedelta(days=400), NOON - timedelta(days=1)])
    ledger = open_ledger(clock=lambda: next(times))
    for name in ("first.zip", "second.zip", "third.zip"):
        ledger.claim(claim(name))
    assert [found.name for found in ledger.search()] == ["first.zip", "second.zip", "third.zip"]
    assert [found.name for found in ledger.search(since=NOON - timedelta(days=2))] == ["first.zip", "third.zip"]
