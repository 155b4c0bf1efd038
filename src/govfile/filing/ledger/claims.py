"""Claiming names: one insertion, guarded by two unique constraints, and what to answer when it makes no row."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Any

import attrs

from govfile.errors import AlreadyFiled, DuplicateContent, DuplicateName, LedgerError
from govfile.filing.ledger.memory import Held
from govfile.filing.ledger.rows import COLUMNS, fold, from_row, micros, new_row, new_submission

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from govfile.filing.claim import Claim
    from govfile.filing.ledger.database import Session
    from govfile.filing.submission import Submission

#: How many names one question asks for.
NAMES_AT_ONCE = 100

_FOLDED = COLUMNS.index("folded")


def new_identifiers(count: int) -> list[str]:
    """Fresh ids: 32 hex digits that begin with the time, so that a big index grows at its end."""
    stamp = f"{time.time_ns() // 1_000_000:012x}"
    noise = secrets.token_hex(10 * count)
    return [stamp + noise[start : start + 20] for start in range(0, 20 * count, 20)]


@attrs.frozen
class Attempt:
    """A claim with all that its row needs. Trying it again, after a lost link, cannot make a second row."""

    claim: Claim
    identifier: str
    guard: str
    at: datetime

    @classmethod
    def of(cls, claim: Claim, identifier: str, at: datetime) -> Attempt:
        """What sets filings of one content apart: nothing, the caller's key, or a token for what stands in no way."""
        guard = f"once:{identifier}" if claim.is_dry_run else f"key:{claim.key}" if claim.key else ""
        return cls(claim, identifier, guard, at)

    @property
    def may_repeat(self) -> bool:
        """Whether there is a reason to file once more what was filed before. Where nothing was, it is a first filing,
        and refuses those that come later without a reason.
        """
        return self.claim.again is not None and not self.guard.startswith("once:")

    def repeated(self) -> Attempt:
        """The same, though its content was filed before."""
        return attrs.evolve(self, guard=f"once:{self.identifier}")

    @property
    def name_guard(self) -> tuple[str, str, str, str]:
        """What no two submissions share."""
        claim = self.claim
        return claim.authority, claim.environment, claim.sender, fold(claim.name)

    def row(self) -> tuple[Any, ...]:
        """What the insertion writes."""
        return new_row(self.claim, self.identifier, self.guard, micros(self.at))

    def submission(self) -> Submission:
        """What the caller gets once the row is there."""
        return new_submission(self.claim, self.identifier, self.at)


def claim_one(session: Session, attempt: Attempt) -> tuple[Submission, bool] | AlreadyFiled:
    """Claim, in one atomic statement; where it makes no row, say what stands in the way."""
    row = attempt.row()
    for _ in range(3):
        if session.insert(session.statements.claim, row) == 1:
            submission = attempt.submission()
            session.memory.keep(Held(submission, attempt.guard, "", row[-1]))
            return submission, True
        found = standing(session, attempt)
        if isinstance(found, DuplicateContent) and attempt.may_repeat:
            return claim_one(session, attempt.repeated())
        if found is not None:
            return found
    raise neither_claimed_nor_found(attempt.claim.name)


def insert_all(session: Session, attempts: Sequence[Attempt]) -> list[Submission]:
    """Claim all that do not exclude each other, inside the caller's transaction; [] unless that was every one."""
    first, _ = _in_order(attempts)
    rows = [attempt.row() for attempt in first]
    if session.insert_all(session.statements.claim, rows) != len(attempts):
        return []
    checksums = {row[0]: row[-1] for row in rows}
    made = []
    for attempt in attempts:
        made.append(submission := attempt.submission())
        session.memory.keep(Held(submission, attempt.guard, "", checksums[attempt.identifier]))
    return made


def outcomes_of(session: Session, attempts: Sequence[Attempt]) -> list[tuple[Submission, bool] | AlreadyFiled]:
    """What came of `insert_all`. Records never go away, so nothing needs to be locked while they are looked up."""
    taken = _rows_by_name(session, attempts)
    outcomes: list[tuple[Submission, bool] | AlreadyFiled] = []
    for attempt in attempts:
        row = taken.get(attempt.name_guard)
        if row is not None:
            outcomes.append(_same_name(from_row(row)[0], attempt))
            continue
        found = standing(session, attempt)
        if isinstance(found, DuplicateContent) and attempt.may_repeat:
            attempt, found = attempt.repeated(), None  # which does not stand in its way
        outcomes.append(claim_one(session, attempt) if found is None else found)
    return outcomes


def _rows_by_name(session: Session, attempts: Sequence[Attempt]) -> dict[tuple[str, ...], Sequence[Any]]:
    """The rows that hold the names asked for, a hundred to a question."""
    scopes: dict[tuple[str, str, str], list[str]] = {}
    for attempt in attempts:
        authority, environment, sender, folded = attempt.name_guard
        scopes.setdefault((authority, environment, sender), []).append(folded)
    rows: dict[tuple[str, ...], Sequence[Any]] = {}
    for scope, names in scopes.items():
        for start in range(0, len(names), NAMES_AT_ONCE):
            some = names[start : start + NAMES_AT_ONCE]
            some += some[-1:] * (NAMES_AT_ONCE - len(some))
            values: dict[str, Any] = dict(zip(("authority", "environment", "sender"), scope, strict=True))
            values.update((f"name_{position}", name) for position, name in enumerate(some))
            for row in session.all(session.statements.by_names, values):
                rows[*scope, row[_FOLDED]] = row
    return rows


def _in_order(attempts: Sequence[Attempt]) -> tuple[list[Attempt], list[Attempt]]:
    """Those to insert at once, and those that repeat a name or content of an earlier one.

    The first are in one order for everybody: two transactions that lock the same names cannot wait for each other.
    """
    first: dict[tuple[str, ...], Attempt] = {}
    contents: set[tuple[str, ...]] = set()
    later = []
    for attempt in attempts:
        claim = attempt.claim
        scope = (claim.authority, claim.environment, claim.sender)
        name, content = attempt.name_guard, (*scope, claim.service, claim.sha256, attempt.guard)
        if name in first or content in contents:
            later.append(attempt)
        else:
            first[name] = attempt
            contents.add(content)
    return [first[name] for name in sorted(first)], later


def standing(session: Session, attempt: Attempt) -> tuple[Submission, bool] | AlreadyFiled | None:
    """What the ledger holds under the claim's name, or else with its content; None for neither."""
    claim = attempt.claim
    scope = {"authority": claim.authority, "environment": claim.environment, "sender": claim.sender}
    row = session.one(session.statements.by_name, {**scope, "folded": fold(claim.name)})
    if row is not None:
        return _same_name(from_row(row)[0], attempt)
    content = {**scope, "service": claim.service, "sha256": claim.sha256, "guard": attempt.guard}
    row = session.one(session.statements.by_content, content)
    return None if row is None else _same_content(from_row(row)[0], attempt)


def _same_name(found: Submission, attempt: Attempt) -> tuple[Submission, bool] | DuplicateName:
    claim = attempt.claim
    if found.id == attempt.identifier:
        return found, True
    is_same = (found.name, found.sha256, found.service, found.is_dry_run) == (
        claim.name,
        claim.sha256,
        claim.service,
        claim.is_dry_run,
    )
    if is_same:
        return found, False
    return DuplicateName(
        _why_not_the_name(found, claim),
        submission=found,
        certain="this call sent nothing",
        advice="choose another name; a name can be used once, for ever",
        operation="claim",
    )


def _why_not_the_name(found: Submission, claim: Claim) -> str:
    when = f"on {found.created:%Y-%m-%d}"
    if found.name != claim.name:
        return f"the name {claim.name} differs only in case from {found.name}, which was claimed {when}"
    if found.sha256 is None:
        return f"the name {claim.name} was found in use at the authority {when}, with content unknown here"
    if found.sha256 != claim.sha256:
        return f"the name {claim.name} was claimed {when} for other content"
    if found.service != claim.service:
        return f"the name {claim.name} was claimed {when} for the same content to the service {found.service}"
    return f"the name {claim.name} was claimed {when} as {'a dry run' if found.is_dry_run else 'a real filing'}"


def _same_content(found: Submission, attempt: Attempt) -> tuple[Submission, bool] | DuplicateContent:
    claim = attempt.claim
    if found.name == claim.name and found.is_dry_run == claim.is_dry_run:
        # The index of names must have missed it; the content's index did not.
        return found, found.id == attempt.identifier
    return filed_before(claim.name, found)


def filed_before(name: str, found: Submission) -> DuplicateContent:
    """What to say of the content meant for `name`, which `found` carries already."""
    return DuplicateContent(
        f"the content of {name} was filed on {found.created:%Y-%m-%d} to {found.service} as {found.name} "
        f"({found.state.value})",
        submission=found,
        certain="this call sent nothing",
        advice="if it is meant to be filed again, say why with again=, or set the filings apart with key=",
        operation="claim",
    )


def neither_claimed_nor_found(name: str) -> LedgerError:
    """What to say where a unique constraint refuses a row, and no row is there that could be why."""
    return LedgerError(
        f"the name {name} can neither be claimed nor found",
        certain="nothing was claimed",
        advice="run `govfile ledger verify`: an index of the ledger may be damaged",
    )
