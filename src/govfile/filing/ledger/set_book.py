"""What a ledger does for documents that several remote files carry."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from govfile.errors import AlreadyFiled, LedgerBusy
from govfile.filing.ledger.claims import new_identifiers
from govfile.filing.ledger.reader import Reader
from govfile.filing.ledger.rows import from_row
from govfile.filing.ledger.set_claims import RaceLost, Wanted, claim_sets
from govfile.filing.ledger.set_rows import from_kept_row, from_part_row

if TYPE_CHECKING:
    from collections.abc import Iterable

    from govfile.errors import DuplicateContent
    from govfile.filing.ledger.database import Session
    from govfile.filing.sets import Numbered, Part, SetDraft
    from govfile.filing.submission import Submission

_RACES = 20


class SetBook(Reader):
    """The half of `Ledger` that knows sets of files."""

    def claim_set(self, draft: SetDraft) -> tuple[Submission, bool]:
        """Give the set the next number and claim its name and contents, durably, in one transaction.

        A number is given out once for ever, to one process on one machine. Raises `DuplicateContent`, with the earlier
        `.submission`, when any part was filed before; then no number is used up.
        """
        (outcome,) = self.claim_sets([draft])
        if isinstance(outcome, AlreadyFiled):
            raise outcome
        return outcome

    def claim_sets(self, drafts: Iterable[SetDraft]) -> list[tuple[Submission, bool] | DuplicateContent]:
        """Claim all in one durable transaction; the outcomes in the order given, refusals as values."""
        given = list(drafts)
        if not given:
            return []
        now = self._clock()
        wanted = [Wanted(draft, its, now) for draft, its in zip(given, new_identifiers(len(given)), strict=True)]
        tries = itertools.count()

        def work(session: Session) -> list[tuple[Submission, bool] | DuplicateContent]:
            return claim_sets(session, wanted, may_be_done=next(tries) > 0)

        for _ in range(_RACES):
            try:
                return self._database.transaction(work)
            except RaceLost:
                continue
        raise LedgerBusy("others keep claiming the same contents", advice="call again")

    def find_content(
        self, *, authority: str, environment: str, sender: str, sha256: str, key: str | None = None
    ) -> Submission | None:
        """The set that a content was filed in, under the same `key`, or None."""
        scope = {"authority": authority, "environment": environment, "sender": sender}
        values = {**scope, "sha256": sha256, "guard": f"key:{key}" if key else ""}

        def work(session: Session) -> Submission | None:
            row = session.one(session.statements.part_by_content, values)
            found = row and session.one(session.statements.by_id, {"id": row[0]})
            return from_row(found)[0] if found else None

        return self._database.run(work)

    def parts(self, submission_id: str) -> tuple[Part, ...]:
        """The parts of a set, in order; () for a document of one file."""
        values = {"submission_id": submission_id}
        rows = self._database.run(lambda session: session.all(session.statements.parts_of, values))
        return tuple(map(from_part_row, rows))

    def kept(self, submission_id: str) -> dict[str, bytes]:
        """The bytes kept for a set, by remote name."""
        values = {"submission_id": submission_id}
        rows = self._database.run(lambda session: session.all(session.statements.kept_for, values))
        return dict(map(from_kept_row, rows))

    def drop_kept(self, submission_ids: Iterable[str]) -> None:
        """Forget the bytes kept for sets whose trigger is confirmed: they will not be sent again."""
        given = list(submission_ids)
        if not given:
            return

        def work(session: Session) -> None:
            session.insert_all(session.statements.drop_kept, [(identifier,) for identifier in given])

        self._database.transaction(work, durable=False)

    def burn_numbers(self, numbered: Numbered, numbers: Iterable[int]) -> int:
        """Note numbers that were found in use at the authority, so that they are never given out; how many were new.

        For ledgers that were restored from a backup, and for senders that others use too.
        """
        wanted = sorted({number for number in numbers if 1 <= number <= numbered.most})
        if not wanted:
            return 0

        def work(session: Session) -> int:
            session.insert(session.statements.start_counter, (*numbered.where.values(), 0))
            row = session.one(session.statements.counted, numbered.where)
            last = int(row[0]) if row is not None else 0
            rows = [(*numbered.where.values(), number) for number in wanted if number > last]
            return session.insert_all(session.statements.use_number, rows) if rows else 0

        return self._database.transaction(work)
