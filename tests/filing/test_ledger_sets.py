"""Documents that several files carry: numbers given out once, contents filed once, bytes kept until they are sent."""

from __future__ import annotations

import datetime as dt
import multiprocessing
import shutil
import sqlite3
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from govfile import Ledger
from govfile.errors import AlreadyFiled, DuplicateContent, ImpossibleStep, LedgerDamaged, LedgerError
from govfile.filing.ledger.owners import Owner
from govfile.filing.states import Proof, State
from govfile.filing.submission import Evidence
from support.filing import numbered, set_draft

if TYPE_CHECKING:
    from pathlib import Path

    from govfile.filing.submission import Submission

SCOPE = {"authority": "onss", "environment": "test", "sender": "101420"}


def number_of(submission: Submission) -> int:
    return int(submission.name.rpartition(".")[2])


def test_a_set_keeps_its_names_its_parts_and_its_bytes(ledger: Ledger) -> None:
    made, is_ours = ledger.claim_set(set_draft(b"<a/>", b"<b/>"))
    assert is_ours
    assert made.remote_names == ("FI.00001.1", "FI.00001.2", "FS.00001", "GO.00001")
    assert ledger.get(made.id) == made
    assert ledger.find(name="GO.00001", **SCOPE) == made
    assert [part.size for part in ledger.parts(made.id)] == [4, 4]
    assert ledger.kept(made.id) == {"FS.00001": b"signature"}
    ledger.drop_kept([made.id])
    assert ledger.kept(made.id) == {}
    assert ledger.verify() == []


def test_numbers_follow_each_other_for_each_sender_day_and_environment(ledger: Ledger) -> None:
    def claim(content: bytes, **changes: Any) -> int:
        return number_of(ledger.claim_set(set_draft(content, count=numbered(**changes)))[0])

    assert [claim(b"1"), claim(b"2")] == [1, 2]
    assert claim(b"3", day="20260303", sender="112768") == 1
    assert claim(b"4", environment="elsewhere") == 1
    assert claim(b"5") == 3


def test_the_same_content_is_refused_and_uses_up_no_number(ledger: Ledger) -> None:
    first, _ = ledger.claim_set(set_draft(b"<a/>"))
    for draft in (set_draft(b"<a/>"), set_draft(b"<a/>", service="DMWA"), set_draft(b"<b/>", b"<a/>")):
        with pytest.raises(DuplicateContent) as refused:
            ledger.claim_set(draft)
        assert refused.value.submission == first
    assert ledger.find_content(**SCOPE, sha256=first.sha256 or "") == first
    assert ledger.find_content(**SCOPE, sha256=first.sha256 or "", key="other") is None
    assert number_of(ledger.claim_set(set_draft(b"<b/>"))[0]) == 2


@pytest.mark.parametrize("changes", [{"again": "the first one was refused"}, {"key": "branch 7"}])
def test_a_reason_or_a_key_sets_filings_of_one_content_apart(ledger: Ledger, changes: dict[str, Any]) -> None:
    ledger.claim_set(set_draft(b"<a/>"))
    assert number_of(ledger.claim_set(set_draft(b"<a/>", **changes))[0]) == 2


def test_a_reason_given_for_a_first_set_leaves_it_the_first(ledger: Ledger) -> None:
    meant = set_draft(b"<a/>", b"<b/>", again="the ledger was lost")
    assert [number_of(ledger.claim_set(meant)[0]) for _ in range(2)] == [1, 2]
    with pytest.raises(DuplicateContent) as refused:
        ledger.claim_set(set_draft(b"<b/>"))
    assert refused.value.submission is not None
    assert number_of(refused.value.submission) == 1


def test_many_sets_are_claimed_at_once_and_refusals_are_values(ledger: Ledger) -> None:
    outcomes = ledger.claim_sets([set_draft(b"1"), set_draft(b"2"), set_draft(b"1"), set_draft(b"3")])
    assert isinstance(outcomes[2], DuplicateContent)
    assert [number_of(made[0]) for made in outcomes if not isinstance(made, AlreadyFiled)] == [1, 2, 3]
    assert ledger.claim_sets([]) == []


def test_s17_numbers_found_in_use_are_never_given_out(ledger: Ledger) -> None:
    assert ledger.burn_numbers(numbered(), [1, 2, 4, 0, 1000]) == 3
    assert ledger.burn_numbers(numbered(), [1, 2]) == 0
    assert [number_of(ledger.claim_set(set_draft(bytes([n])))[0]) for n in range(3)] == [3, 5, 6]
    assert ledger.burn_numbers(numbered(), [3, 5, 7]) == 1
    assert number_of(ledger.claim_set(set_draft(b"x"))[0]) == 8
    assert ledger.burn_numbers(numbered(), []) == 0


def test_s17_a_ledger_restored_from_a_backup_gives_out_no_number_that_was_seen(tmp_path: Path) -> None:
    path, backup = tmp_path / "filings.db", tmp_path / "backup.db"
    with Ledger.open(path) as ledger:
        ledger.claim_set(set_draft(b"1"))
    shutil.copy(path, backup)
    with Ledger.open(path) as ledger:
        lost, _ = ledger.claim_set(set_draft(b"2"))
    shutil.copy(backup, path)
    with Ledger.open(path) as ledger:
        ledger.burn_numbers(numbered(), [number_of(lost)])
        assert number_of(ledger.claim_set(set_draft(b"3"))[0]) == 3


def test_a_long_row_of_numbers_in_use_is_passed_over(ledger: Ledger) -> None:
    count = numbered(most=5000)
    ledger.burn_numbers(count, range(1, 2501))
    assert number_of(ledger.claim_set(set_draft(b"1", count=count))[0]) == 2501


def test_a_day_without_numbers_left_says_so(ledger: Ledger) -> None:
    count = numbered(most=2)
    for content in (b"1", b"2"):
        ledger.claim_set(set_draft(content, count=count))
    with pytest.raises(LedgerError, match="used all 2 numbers"):
        ledger.claim_set(set_draft(b"3", count=count))


def test_a_name_claimed_by_other_means_is_passed_over(ledger: Ledger) -> None:
    ledger.burn(**SCOPE, service="DMFA", names=["GO.00001", "GO.00003"], found="IN")
    assert [number_of(ledger.claim_set(set_draft(bytes([n])))[0]) for n in range(2)] == [2, 4]


def test_l10_a_clock_that_goes_back_gives_out_no_number_twice(tmp_path: Path) -> None:
    now = [dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)]
    with Ledger.open(tmp_path / "filings.db", clock=lambda: now[0]) as ledger:
        first, _ = ledger.claim_set(set_draft(b"1"))
        now[0] -= dt.timedelta(days=1)
        second, _ = ledger.claim_set(set_draft(b"2"))
    assert [number_of(first), number_of(second)] == [1, 2]


def _claim_all(place: str, who: int, won: multiprocessing.Queue[tuple[int, int]]) -> None:
    with Ledger.open(place, patience=200) as ledger:
        for content in range(60):
            try:
                made, _ = ledger.claim_set(set_draft(f"{content}".encode(), count=numbered(most=10_000)))
                won.put((content, number_of(made)))
                mine, _ = ledger.claim_set(set_draft(f"{who} {content}".encode(), count=numbered(most=10_000)))
                won.put((-1, number_of(mine)))
            except DuplicateContent:
                continue


def test_f17_processes_that_ask_at_once_get_numbers_of_their_own_and_each_content_once(place: str) -> None:
    Ledger.open(place).close()
    context = multiprocessing.get_context("spawn")
    won: multiprocessing.Queue[tuple[int, int]] = context.Queue()
    processes = [context.Process(target=_claim_all, args=(place, who, won)) for who in range(4)]
    for process in processes:
        process.start()
    found = []
    while any(process.is_alive() for process in processes) or not won.empty():
        if not won.empty():
            found.append(won.get())
    assert [process.exitcode for process in processes] == [0] * 4
    contents = Counter(content for content, _ in found if content >= 0)
    assert contents == dict.fromkeys(range(60), 1)
    numbers = Counter(number for _, number in found)
    assert numbers == dict.fromkeys(range(1, len(found) + 1), 1), "no number twice, none left out"


def test_l02_a_changed_part_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "filings.db"
    with Ledger.open(path) as ledger:
        made, _ = ledger.claim_set(set_draft(b"1"))
    other = sqlite3.connect(path)
    other.execute("UPDATE govfile_part SET name = 'FI.00002'")
    other.execute("UPDATE govfile_kept SET content = 'AAAA'")
    other.commit()
    other.close()
    with Ledger.open(path) as ledger:
        kept, part = sorted(map(str, ledger.verify()))
        assert "the bytes kept for 'FS.00001' does not fit its checksum" in kept
        assert "the part 'FI.00002' does not fit its checksum" in part
        with pytest.raises(LedgerDamaged, match="checksum"):
            ledger.parts(made.id)
        with pytest.raises(LedgerDamaged, match="checksum"):
            ledger.kept(made.id)


# --- the steps of a set -----------------------------------------------------------------------------------------------


def started(ledger: Ledger, *proofs: Proof) -> Submission:
    made, _ = ledger.claim_set(set_draft(b"1"))
    ledger.start(made.id)
    for proof in proofs:
        ledger.record(made.id, Evidence(proof=proof))
    return ledger.get(made.id)


def test_s12_what_was_not_triggered_may_be_sent_again_once_its_process_is_dead(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = started(ledger)
    with monkeypatch.context() as patch:
        patch.setattr(Owner, "is_same_process", lambda self, other: False)
        with pytest.raises(ImpossibleStep, match="may be on its way"):
            ledger.record(made.id, Evidence(proof=Proof.NOT_TRIGGERED))
        patch.setattr(Owner, "is_provably_dead", lambda self, viewer: True)
        assert ledger.record(made.id, Evidence(proof=Proof.NOT_TRIGGERED)).state is State.PREPARED
    assert ledger.start(made.id) is not None


def test_s12_what_may_have_been_triggered_is_never_made_ready_again(ledger: Ledger) -> None:
    made = started(ledger, Proof.TRIGGERING)
    assert made.was_triggered
    with pytest.raises(ImpossibleStep, match="may have left"):
        ledger.record(made.id, Evidence(proof=Proof.NOT_TRIGGERED))
    assert ledger.record(made.id, Evidence(proof=Proof.LINK_LOST)).state is State.UNKNOWN


def test_an_earlier_trigger_says_nothing_of_a_new_start(ledger: Ledger) -> None:
    made = started(ledger, Proof.TRIGGERING, Proof.NOTHING_LEFT)
    assert ledger.start(made.id) is not None
    again = ledger.get(made.id)
    assert again.was_started
    assert not again.was_triggered
    assert ledger.record(made.id, Evidence(proof=Proof.NOT_TRIGGERED)).state is State.PREPARED


def test_many_are_started_and_recorded_in_one_transaction(ledger: Ledger) -> None:
    made = [
        outcome[0] for outcome in ledger.claim_sets([set_draft(b"1"), set_draft(b"2")]) if isinstance(outcome, tuple)
    ]
    first, second = made
    ledger.start(second.id)
    outcomes = ledger.start_many([first, second], by=Owner.here())
    assert [found and found.state for found in outcomes] == [State.SENDING, None]
    both = ledger.record_many([(one.id, Evidence(proof=Proof.TRIGGERING)) for one in made], durable=True)
    assert [found.was_triggered for found in both] == [True, True]
    assert ledger.record_many([]) == []
    assert ledger.start_many([], by=Owner.here()) == []
