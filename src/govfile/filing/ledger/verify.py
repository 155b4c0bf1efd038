"""Reading a whole ledger, and saying what does not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import attrs

from govfile.errors import LedgerError
from govfile.filing.ledger.receipts import from_receipt_row
from govfile.filing.ledger.rows import COLUMNS, fold, from_row
from govfile.filing.ledger.set_rows import from_kept_row, from_part_row
from govfile.filing.states import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Literal

    from govfile.filing.ledger.database import Database
    from govfile.filing.submission import Submission

#: How many findings SQLite's own check reports at most.
_MOST = 100

_ID = COLUMNS.index("id")
_FOLDED = COLUMNS.index("folded")
_SET_NAMES = COLUMNS.index("set_names")
_STATE = COLUMNS.index("state")
_UNSENT = frozenset(state.value for state in (State.PREPARED, State.SENDING, State.UNKNOWN))


@attrs.frozen(kw_only=True)
class Finding:
    """Something that does not fit: in which record (None: the database itself), and what."""

    submission_id: str | None
    problem: str

    def __str__(self) -> str:
        return f"{self.submission_id}: {self.problem}" if self.submission_id else self.problem


class _Pages(Protocol):
    def __call__(
        self, which: Literal["search", "receipts", "set_parts"], limit: int | None, filters: dict[str, Any]
    ) -> Iterator[Sequence[Any]]: ...


def examine(database: Database, pages: _Pages) -> list[Finding]:
    """Everything that does not fit; memory does not grow with the number of sound records."""
    try:
        return [
            *_database(database),
            *(
                finding
                for row in pages("search", None, {})
                for finding in (*_submission(row[1:]), *_kept(database, row[1:]))
            ),
            *(finding for row in pages("receipts", None, {}) for finding in _readable(from_receipt_row, row[1:])),
            *(finding for row in pages("set_parts", None, {}) for finding in _readable(from_part_row, row[1:])),
        ]
    except LedgerError as error:
        return [Finding(submission_id=None, problem=str(error))]


def _database(database: Database) -> Iterator[Finding]:
    if not database.is_local:
        return
    for row in database.run(lambda session: session.say(f"PRAGMA integrity_check({_MOST})")):
        if row[0] != "ok":
            yield Finding(submission_id=None, problem=str(row[0]))


def _submission(row: Sequence[Any]) -> Iterator[Finding]:
    identifier = str(row[_ID])
    try:
        submission, _, _ = from_row(row)
    except LedgerError as error:
        yield Finding(submission_id=identifier, problem=str(error))
        return
    if row[_FOLDED] != fold(submission.name):
        yield Finding(submission_id=identifier, problem="its name is guarded in another form than it has")
    for problem in _history(submission):
        yield Finding(submission_id=identifier, problem=problem)


def _kept(database: Database, row: Sequence[Any]) -> Iterator[Finding]:
    """What is kept for a set until its trigger is confirmed."""
    if row[_SET_NAMES] is None or row[_STATE] not in _UNSENT:
        return
    values = {"submission_id": row[_ID]}
    for kept in database.run(lambda session: session.all(session.statements.kept_for, values)):
        yield from _readable(from_kept_row, kept)


def _history(submission: Submission) -> Iterator[str]:
    """The history told again must end where the record stands."""
    events = len(submission.history) + (submission.archived is not None)  # being archived leaves no event
    if submission.revision != events:
        yield f"revision {submission.revision} after {events} changes"
    told = attrs.evolve(submission, history=submission.history[:1], revision=1, state=submission.history[0].state)
    try:
        for event in submission.history[1:]:
            told = told.after(event.evidence, event.at)
            if told.state is not event.state:
                yield f"{event.evidence.proof.name} is said to lead to {event.state.name}, not {told.state.name}"
                return
    except LedgerError as error:
        yield f"its history holds an impossible step: {error.what}"
        return
    if told.state is not submission.state:
        yield f"its state is {submission.state.name}, its history ends in {told.state.name}"


def _readable(read: Callable[[Sequence[Any]], object], row: Sequence[Any]) -> Iterator[Finding]:
    try:
        read(row)
    except LedgerError as error:
        yield Finding(submission_id=None, problem=str(error))
