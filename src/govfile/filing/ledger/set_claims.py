"""Claiming sets: the next number, the name it makes, and every part's content, in one transaction or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from govfile.errors import AlreadyFiled, DuplicateContent, LedgerError
from govfile.filing.ledger.claims import Attempt, filed_before, neither_claimed_nor_found, standing
from govfile.filing.ledger.rows import from_row
from govfile.filing.ledger.set_rows import to_kept_row, to_part_row

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from govfile.filing.ledger.database import Session
    from govfile.filing.sets import Numbered, SetClaim, SetDraft
    from govfile.filing.submission import Submission

_PAGE = 1000


@attrs.frozen
class Wanted:
    """A set to claim. Trying it again, after a lost link, cannot make a second one."""

    draft: SetDraft
    identifier: str
    at: datetime


def claim_sets(
    session: Session, wanted: Iterable[Wanted], *, may_be_done: bool = False
) -> list[tuple[Submission, bool] | DuplicateContent]:
    """Claim each, inside the caller's transaction; a refusal uses up no number.

    `may_be_done`: an earlier try may have taken effect, its answer lost.
    """
    counters: dict[Numbered, _Counter] = {}
    outcomes: list[tuple[Submission, bool] | DuplicateContent] = []
    for one in wanted:
        row = session.one(session.statements.by_id, {"id": one.identifier}) if may_be_done else None
        if row is not None:
            outcomes.append((from_row(row)[0], True))
            continue
        numbered = one.draft.numbered
        counter = counters.get(numbered) or counters.setdefault(numbered, _Counter.at(session, numbered))
        outcomes.append(_claim(session, one, counter))
    for counter in counters.values():
        session.change(session.statements.count_to, {**_was(counter.numbered), "last": counter.last})
    return outcomes


def _claim(session: Session, wanted: Wanted, counter: _Counter) -> tuple[Submission, bool] | DuplicateContent:
    number = counter.last
    while True:
        number = counter.free(session, number + 1)
        outcome = _insert(session, wanted, wanted.draft.named(number))
        if isinstance(outcome, AlreadyFiled) and not isinstance(outcome, DuplicateContent):
            continue  # a name with this number was claimed by other means
        if not isinstance(outcome, AlreadyFiled):
            counter.last = number
        return outcome


def _insert(session: Session, wanted: Wanted, claim: SetClaim) -> tuple[Submission, bool] | AlreadyFiled:
    attempt = Attempt.of(claim.claim, wanted.identifier, wanted.at)
    earlier = _earlier(session, attempt, claim)
    if earlier is not None and not attempt.may_repeat:
        return earlier
    if earlier is not None:
        attempt = attempt.repeated()
    if session.insert(session.statements.claim, attempt.row()) != 1:
        found = standing(session, attempt)
        if isinstance(found, AlreadyFiled):
            return found
        raise neither_claimed_nor_found(claim.claim.name)
    rows = [to_part_row(attempt, position, part) for position, part in enumerate(claim.parts, start=1)]
    made = sum(session.insert(session.statements.claim_part, row) for row in rows)
    if made != len(rows):
        raise RaceLost(claim.claim.name)  # another machine was quicker, between the look and the insertion
    for name, content in claim.kept:
        session.insert(session.statements.keep, to_kept_row(wanted.identifier, name, content))
    return attempt.submission(), True


class RaceLost(Exception):
    """The content was claimed by others this moment: the transaction is undone and tried again."""


def _earlier(session: Session, attempt: Attempt, claim: SetClaim) -> DuplicateContent | None:
    """The refusal, where any of the parts was filed before, alone or in a set, for whatever purpose."""
    scope = {name: getattr(attempt.claim, name) for name in ("authority", "environment", "sender")}
    for part in claim.parts:
        row = session.one(session.statements.part_by_content, {**scope, "sha256": part.sha256, "guard": attempt.guard})
        if row is not None:
            return _refusal(session, str(row[0]), part.name)
    return None


def _refusal(session: Session, submission_id: str, name: str) -> DuplicateContent:
    row = session.one(session.statements.by_id, {"id": submission_id})
    if row is None:
        raise LedgerError(f"the ledger holds a part of {submission_id} and not that submission itself")
    return filed_before(name, from_row(row)[0])


def _was(numbered: Numbered) -> dict[str, str]:
    return {f"was_{name}": value for name, value in numbered.where.items()}


@attrs.define
class _Counter:
    """The numbers of a day while one transaction counts: nobody else does, until it ends.

    `used` are those found in use at the authority, read up to `known_to`.
    """

    numbered: Numbered
    last: int
    used: set[int] = attrs.field(factory=set)
    known_to: int = 0

    @classmethod
    def at(cls, session: Session, numbered: Numbered) -> _Counter:
        """Lock the counter, and read it."""
        session.insert(session.statements.start_counter, (*numbered.where.values(), 0))
        row = session.one(session.statements.counted, numbered.where)
        return cls(numbered, int(row[0]) if row is not None else 0)

    def free(self, session: Session, number: int) -> int:
        """The first number from `number` on that was not found in use."""
        while True:
            if number > self.known_to:
                self._read(session, number)
            if number not in self.used:
                break
            number += 1
        if number > self.numbered.most:
            raise LedgerError(
                f"{self.numbered.sender} has used all {self.numbered.most} numbers of {self.numbered.day} in "
                f"{self.numbered.environment}",
                certain="nothing was claimed or sent",
                advice="go on tomorrow, with the date of that day",
            )
        return number

    def _read(self, session: Session, number: int) -> None:
        values = {**self.numbered.where, "number": number, "page": _PAGE}
        found = [int(row[0]) for row in session.all(session.statements.used_from, values)]
        self.used.update(found)
        self.known_to = found[-1] if len(found) == _PAGE else self.numbered.most + 1
