"""Steps that are not preceded by a reading: whatever others did meanwhile, nothing of it is lost or overwritten."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import attrs
import pytest
from sqlalchemy import Connection

from govfile import Ledger
from govfile.errors import LedgerDamaged
from govfile.filing.ledger.memory import _MOST, Held, Memory
from govfile.filing.states import Proof, State
from govfile.filing.submission import Evidence
from support.filing import claim, sha256

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CONFIRMED = Evidence(proof=Proof.CONFIRMED, detail="226 Transfer complete")
DELIVERED = Evidence(proof=Proof.HANDED_OVER, source="status_1.xml", source_sha256=sha256("1"))
NOTHING_LEFT = Evidence(proof=Proof.NOTHING_LEFT, detail="550 no")


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The first word of each statement run from now on."""
    seen: list[str] = []
    real = Connection.exec_driver_sql

    def note(self: Connection, statement: str, *rest: object, **more: object) -> object:
        seen.append(statement.split()[0])
        return real(self, statement, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Connection, "exec_driver_sql", note)
    return seen


def test_a_submission_takes_one_statement_for_each_of_its_steps(ledger: Ledger, statements: list[str]) -> None:
    ledger.record(ledger.claim(claim("first.zip"))[0].id, DELIVERED)  # opens both connections
    del statements[:]
    submission, _ = ledger.claim(claim())
    ledger.start(submission.id)
    ledger.record(submission.id, CONFIRMED)
    assert statements == ["INSERT", "UPDATE", "UPDATE"]


def test_what_another_recorded_meanwhile_is_kept(ledger: Ledger, open_ledger: Callable[..., Ledger]) -> None:
    submission, _ = ledger.claim(claim())
    ledger.start(submission.id)
    open_ledger().record(submission.id, DELIVERED)
    after = ledger.record(submission.id, CONFIRMED)
    assert [event.evidence.proof for event in after.history] == [
        Proof.CLAIMED,
        Proof.STARTED,
        Proof.HANDED_OVER,
        Proof.CONFIRMED,
    ]
    assert after.state is State.DELIVERED
    assert ledger.get(submission.id) == after


def test_a_submission_another_started_is_not_started_again(ledger: Ledger, open_ledger: Callable[..., Ledger]) -> None:
    submission, _ = ledger.claim(claim())
    assert open_ledger().start(submission.id) is not None
    assert ledger.start(submission.id) is None


def test_a_submission_another_started_and_gave_back_is_started(
    ledger: Ledger, open_ledger: Callable[..., Ledger]
) -> None:
    submission, _ = ledger.claim(claim())
    other = open_ledger()
    other.start(submission.id)
    other.record(submission.id, NOTHING_LEFT)
    started = ledger.start(submission.id)
    assert started is not None
    assert len(started.history) == 4
    assert ledger.verify() == []


def test_evidence_that_contradicts_only_what_is_remembered_is_recorded(
    ledger: Ledger, open_ledger: Callable[..., Ledger]
) -> None:
    submission, _ = ledger.claim(claim())
    open_ledger().start(submission.id)
    assert ledger.record(submission.id, CONFIRMED).state is State.SENT  # PREPARED, as remembered, could not be


def test_a_batch_is_remembered_in_the_order_it_was_claimed(ledger: Ledger, statements: list[str]) -> None:
    claims = [claim(f"10101010_2025_{number:02}.zip") for number in range(30, 0, -1)]
    outcomes = ledger.claim_many(claims)
    del statements[:]
    for outcome, wanted in zip(outcomes, claims, strict=True):
        assert isinstance(outcome, tuple)
        assert outcome[0].name == wanted.name
        assert ledger.start(outcome[0].id) is not None
    assert set(statements) == {"UPDATE"}
    assert ledger.verify() == []


def test_l02_a_row_that_changed_under_its_revision_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "filings.db"
    with Ledger.open(path) as ledger:
        submission, _ = ledger.claim(claim())
        with closing(sqlite3.connect(path)) as other:
            other.execute("UPDATE govfile_submission SET crc = crc + 1")
            other.commit()
        with pytest.raises(LedgerDamaged):
            ledger.start(submission.id)


def test_memory_stays_small(ledger: Ledger) -> None:
    memory = Memory()
    submission, _ = ledger.claim(claim())
    for number in range(3 * _MOST):
        memory.keep(Held(attrs.evolve(submission, id=f"{number:032}"), "", "", 0))
    assert memory.recall(f"{0:032}") is None
    assert memory.recall(f"{3 * _MOST - 1:032}") is not None
    assert sum(memory.recall(f"{number:032}") is not None for number in range(3 * _MOST)) == _MOST
