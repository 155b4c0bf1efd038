"""What can be asked of a ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from govfile.errors import LedgerError
from govfile.filing.claim import MOST, storable
from govfile.filing.ledger.export import write_rows
from govfile.filing.ledger.owners import Owner
from govfile.filing.ledger.receipts import from_receipt_row
from govfile.filing.ledger.rows import fold, from_row, micros
from govfile.filing.ledger.verify import examine
from govfile.filing.states import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime
    from typing import Literal, TextIO

    from govfile.filing.ledger.database import Database, Session
    from govfile.filing.ledger.receipts import Received
    from govfile.filing.ledger.statements import Statement
    from govfile.filing.ledger.verify import Finding
    from govfile.filing.submission import Submission

#: Rows read at a time.
_PAGE = 500


class Reader:
    """The asking half of `Ledger`: nothing here changes a record."""

    def __init__(
        self, database: Database, *, is_new: bool, clock: Callable[[], datetime], release: Callable[[], None]
    ) -> None:
        self._database = database
        self._is_new = is_new
        self._clock = clock
        self._release = release

    @property
    def is_new(self) -> bool:
        """Whether this call of `open` made the ledger: then it remembers no earlier filings."""
        return self._is_new

    @property
    def place(self) -> str:
        """Where the ledger is, for messages; no password in it."""
        return self._database.place

    def __repr__(self) -> str:
        return f"<Ledger {self.place}>"

    def get(self, submission_id: str) -> Submission:
        """The submission with this id; raises `LedgerError` when there is none."""
        return self._database.run(lambda session: read(session, submission_id)[0])

    def find(self, *, authority: str, environment: str, sender: str, name: str) -> Submission | None:
        """The submission filed under exactly this name, or None."""
        values = _storable(authority=authority, environment=environment, sender=sender, folded=fold(storable(name)))
        row = self._database.run(lambda session: session.one(session.statements.by_name, values))
        found = None if row is None else from_row(row)[0]
        return found if found is not None and found.name == name else None

    def knows_sender(self, *, authority: str, environment: str, sender: str) -> bool:
        """Whether anything was ever claimed for this sender; if not, look at the authority before filing."""
        values = _storable(authority=authority, environment=environment, sender=sender)
        return self._database.run(lambda session: session.one(session.statements.knows_sender, values)) is not None

    def search(
        self,
        *,
        state: State | None = None,
        authority: str | None = None,
        environment: str | None = None,
        sender: str | None = None,
        service: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = None,
    ) -> Iterator[Submission]:
        """Submissions in the order of their claims, read page by page, so that any number fits in memory.

        `since` (inclusive) and `until` (exclusive) are aware datetimes and bound the time of the claim.
        """
        for submission, _ in self._rows(
            limit=limit,
            state=state and state.value,
            authority=authority,
            environment=environment,
            sender=sender,
            service=service,
            since=since and micros(since),
            until=until and micros(until),
        ):
            yield submission

    def interrupted(self, *, authority: str, environment: str, sender: str) -> list[Submission]:
        """Submissions whose process has provably ended while it was sending them.

        Processes of other machines and containers cannot be seen from here; theirs are left to a person.
        """
        here = Owner.here()
        sending = self._rows(
            state=State.SENDING.value, authority=authority, environment=environment, sender=sender, limit=None
        )
        return [submission for submission, owner in sending if _has_ended(owner, here)]

    def was_started_here(self, submission_id: str) -> bool:
        """Whether this very process was the last that began to send it; raises `LedgerError` for an unknown id."""
        owner = self._database.run(lambda session: read(session, submission_id)[2])
        try:
            return Owner.parse(owner).is_same_process(Owner.here())
        except ValueError:  # nobody began yet
            return False

    def received(
        self,
        *,
        authority: str | None = None,
        environment: str | None = None,
        login: str | None = None,
        submission_id: str | None = None,
        what: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = None,
    ) -> Iterator[Received]:
        """The files taken from the authority, in the order they were remembered; bounds are on the time of that."""
        filters = {
            "authority": authority,
            "environment": environment,
            "login": login,
            "submission_id": submission_id,
            "what": what,
            "since": since and micros(since),
            "until": until and micros(until),
        }
        for row in self._pages("receipts", limit, filters):
            yield from_receipt_row(row[1:])

    def was_received(
        self,
        *,
        authority: str,
        environment: str,
        login: str,
        remote_name: str,
        size: int | None,
        modified: datetime | None = None,
    ) -> bool:
        """Whether the file that a listing shows was taken before: same name, and same size and time as far as known.

        A name that comes back with another size or time is another file.
        """
        if size is not None and size > MOST:  # a listing may say anything
            return False
        filters = {
            "authority": authority,
            "environment": environment,
            "login": login,
            "remote_name": remote_name,
            "size": size,
        }
        for row in self._pages("receipts", None, filters):
            known = from_receipt_row(row[1:]).modified
            if modified is None or known is None or known == modified:
                return True
        return False

    def export(self, stream: TextIO, format: Literal["jsonl", "csv"] = "jsonl") -> int:  # noqa: A002 - a keyword callers read
        """Write every submission to a text stream, and say how many there were.

        "jsonl" has one JSON object a line, with the whole history; "csv" one flat row each, in which no cell can start
        a spreadsheet's formula. Open a file for it with `newline=""`.
        """
        return write_rows(self.search(), stream, format)

    def verify(self) -> list[Finding]:
        """Read everything, and report what does not fit; empty when the ledger is sound. Repairs nothing."""
        return examine(self._database, self._pages)

    def _rows(self, *, limit: int | None, **filters: Any) -> Iterator[tuple[Submission, str]]:
        for row in self._pages("search", limit, filters):
            submission, _, owner = from_row(row[1:])
            yield submission, owner

    def _pages(
        self, which: Literal["search", "receipts", "set_parts"], limit: int | None, filters: dict[str, Any]
    ) -> Iterator[Sequence[Any]]:
        """Rows with their sequence number in front; no transaction stays open between two pages."""
        given = _storable(**{name: value for name, value in filters.items() if value is not None})
        names, after, left = frozenset(given), 0, limit
        while left is None or left > 0:
            size = _PAGE if left is None else min(_PAGE, left)
            rows = self._page(which, names, {**given, "after": after, "page": size})
            yield from rows
            if len(rows) < size:
                return
            after = rows[-1][0]
            left = None if left is None else left - len(rows)

    def _page(
        self, which: Literal["search", "receipts", "set_parts"], names: frozenset[str], values: dict[str, Any]
    ) -> Sequence[Sequence[Any]]:
        def work(session: Session) -> Sequence[Sequence[Any]]:
            statement: Statement = getattr(session.statements, which)(names)
            return session.all(statement, values)

        return self._database.run(work)


def read(session: Session, submission_id: str) -> tuple[Submission, str, str]:
    """A submission, its guard and its owner; raises `LedgerError` when the id is not here."""
    row = session.one(session.statements.by_id, _storable(id=submission_id))
    if row is None:
        raise LedgerError(
            f"the ledger holds no submission {submission_id}",
            advice="check that this is the ledger it was filed with",
        )
    return from_row(row)


def _storable(**values: Any) -> dict[str, Any]:
    """What is asked for, spelt as it would be written: what no database holds is simply not there."""
    return {name: storable(value) if isinstance(value, str) else value for name, value in values.items()}


def _has_ended(owner: str, here: Owner) -> bool:
    try:
        return Owner.parse(owner).is_provably_dead(here)
    except ValueError:
        return False
