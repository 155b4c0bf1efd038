"""`Ledger`: what programs see of the durable record."""

from __future__ import annotations

import logging
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import unquote

import attrs

from govfile.errors import AlreadyFiled, ConfigurationError, ImpossibleStep, LedgerBusy, LedgerError
from govfile.filing.ledger.claims import Attempt, claim_all, claim_one, new_identifiers
from govfile.filing.ledger.owners import Owner
from govfile.filing.ledger.rows import COLUMNS, fold, from_row, micros, to_row
from govfile.filing.states import Proof, State
from govfile.filing.submission import Evidence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from types import TracebackType

    from govfile.certificates.secret import Secret
    from govfile.filing.claim import Claim
    from govfile.filing.ledger.database import Database, Session
    from govfile.filing.states import Verdict
    from govfile.filing.submission import Answer, Submission

log = logging.getLogger("govfile.ledger")

#: Rows read at a time while searching.
_PAGE = 500

#: How often a change is worked out again because another process was quicker.
_RACES = 100

_URL = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*)://")


def _now() -> datetime:
    return datetime.now(UTC)


class Ledger:
    """The record of every submission; open one with `Ledger.open` or `Ledger.postgresql`.

    May be used from several threads and after a fork. Calls raise `LedgerBusy` when others hold the database for
    longer than the patience given, `LedgerDamaged` when it cannot be believed, and `LedgerError` for a full disk, a
    read-only file or a server out of reach.
    """

    def __init__(
        self, database: Database, *, is_new: bool, clock: Callable[[], datetime], release: Callable[[], None]
    ) -> None:
        self._database = database
        self._is_new = is_new
        self._clock = clock
        self._release = release

    @classmethod
    def open(
        cls,
        place: str | os.PathLike[str],
        *,
        create: bool = True,
        clock: Callable[[], datetime] = _now,
        patience: float = 30.0,
    ) -> Ledger:
        """The ledger in the SQLite file at `place`, or in the PostgreSQL database that a URL without password names.

        A file that is not there is made, unless `create` is False. `patience` (seconds) is how long to wait for
        others. Raises `LedgerDamaged` for a file that is no ledger (it is left as it is), `LedgerTooNew` for one that a
        newer version wrote, `ConfigurationError` for a place that is not safe, `LedgerError` when it cannot be opened.
        """
        from govfile.filing.ledger import opening

        text: Any = os.fspath(place)
        if not isinstance(text, str) or not text or text == ":memory:":
            raise ConfigurationError(f"{text!r} is no place for a ledger", advice="give a file path or a database URL")
        scheme = _URL.match(text) if isinstance(place, str) else None
        if scheme is None:
            return cls(**opening.in_file(Path(text), create=create, patience=patience), clock=clock)
        if scheme[1] == "sqlite":
            path = Path(unquote(text[scheme.end() :].removeprefix("/")))
            return cls(**opening.in_file(path, create=create, patience=patience), clock=clock)
        return cls(**opening.at_url(text, create=create, patience=patience), clock=clock)

    @classmethod
    def postgresql(
        cls,
        *,
        host: str,
        database: str,
        user: str,
        password: Secret | None,
        port: int = 5432,
        create: bool = True,
        clock: Callable[[], datetime] = _now,
        patience: float = 30.0,
        **settings: str,
    ) -> Ledger:
        """The ledger in a PostgreSQL database; `settings` are further libpq keywords, such as `sslmode`.

        Without `password` libpq looks for one itself (`~/.pgpass`, certificates). Raises as `open` does.
        """
        from govfile.filing.ledger import opening

        if any("password" in name for name in settings):
            raise ConfigurationError("a password is given as password=Secret(…) only")
        keywords = {**settings, "host": host, "port": port, "dbname": database, "user": user}
        opened = opening.at_server(keywords, password=password, create=create, patience=patience)
        return cls(**opened, clock=clock)

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

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Make everything recorded durable, and let go; may be called twice."""
        self._database.close()
        self._release()

    # --- before a document leaves ---------------------------------------------------------------------------------

    def claim(self, claim: Claim) -> tuple[Submission, bool]:
        """Bind a name to its content, durably (on the disk when this returns), and say whether this call did it.

        The same name with the same content, to the same service, gives the submission recorded before.
        Raises `DuplicateName` or `DuplicateContent`, both with the earlier `.submission`.
        """
        attempt = Attempt.of(claim, new_identifiers(1)[0], self._clock())
        outcome = self._database.run(lambda session: claim_one(session, attempt))
        if isinstance(outcome, AlreadyFiled):
            raise outcome
        return outcome

    def claim_many(self, claims: Iterable[Claim]) -> list[tuple[Submission, bool] | AlreadyFiled]:
        """Claim all in one durable transaction; the outcomes in the order given, refusals as values."""
        wanted = list(claims)
        if not wanted:
            return []
        now = self._clock()
        attempts = [
            Attempt.of(claim, its, now) for claim, its in zip(wanted, new_identifiers(len(wanted)), strict=True)
        ]
        # One order for everybody: two servers' transactions that lock the same names cannot wait for each other.
        order = sorted(range(len(wanted)), key=lambda i: fold(wanted[i].name))
        ordered = [attempts[i] for i in order]
        outcomes = self._database.transaction(lambda session: claim_all(session, ordered))
        placed = dict(zip(order, outcomes, strict=True))
        return [placed[i] for i in range(len(wanted))]

    def start(self, submission_id: str) -> Submission | None:
        """Move a PREPARED submission to SENDING, durably, with this process as its owner.

        None when it is not PREPARED, or when another process (or thread) was quicker.
        """
        at, owner = self._clock(), str(Owner.here())

        def work(session: Session) -> Submission | None:
            submission, guard, its_owner = self._read(session, submission_id)
            if its_owner == owner:
                return submission
            if submission.state is not State.PREPARED:
                return None
            started = submission.after(Evidence(proof=Proof.STARTED), at)
            return started if _replace(session, submission, started, guard, owner) else None

        return self._database.run(work)

    def record(
        self,
        submission_id: str,
        evidence: Evidence,
        *,
        verdict: Verdict | None = None,
        at: datetime | None = None,
        answers: Sequence[Answer] = (),
        durable: bool = False,
    ) -> Submission:
        """Add evidence to a submission's history, with the verdict and the answer files that came with it.

        Evidence read from the same raw file twice counts once. Unless `durable`, it is safe from the end of this
        process at once, but from a power cut only after the next durable call or `close`; nothing is lost that the
        authority's folders cannot tell again. Raises `ImpossibleStep` for a step of our own that does not exist, and
        `LedgerError` for an id that is not here.
        """
        moment = at or self._clock()
        here = Owner.here()

        def work(session: Session) -> Submission | None:
            submission, guard, owner = self._read(session, submission_id)
            fresh = [answer for answer in answers if not _has_answer(submission, answer)]
            if _is_known(submission, evidence) and not fresh and verdict in (None, submission.verdict):
                return submission
            _check_owner(submission, evidence, owner, here)
            after = submission.after(evidence, moment, verdict=verdict)
            after = attrs.evolve(after, answers=(*after.answers, *fresh)) if fresh else after
            return after if _replace(session, submission, after, guard, owner) else None

        for _ in range(_RACES):
            result = self._database.run(work, durable=durable)
            if result is not None:
                return result
        raise LedgerBusy(f"others keep changing submission {submission_id}", advice="call again")

    # --- looking --------------------------------------------------------------------------------------------------

    def get(self, submission_id: str) -> Submission:
        """The submission with this id; raises `LedgerError` when there is none."""
        return self._database.run(lambda session: self._read(session, submission_id)[0])

    def find(self, *, authority: str, environment: str, sender: str, name: str) -> Submission | None:
        """The submission filed under exactly this name, or None."""
        values = {"authority": authority, "environment": environment, "sender": sender, "folded": fold(name)}
        row = self._database.run(lambda session: session.one(session.statements.by_name, values))
        found = None if row is None else from_row(row)[0]
        return found if found is not None and found.name == name else None

    def knows_sender(self, *, authority: str, environment: str, sender: str) -> bool:
        """Whether anything was ever claimed for this sender; if not, look at the authority before filing."""
        values = {"authority": authority, "environment": environment, "sender": sender}
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

    def _rows(self, *, limit: int | None, **filters: Any) -> Iterator[tuple[Submission, str]]:
        given = {name: value for name, value in filters.items() if value is not None}
        names, after, left = frozenset(given), 0, limit
        while left is None or left > 0:
            page = _PAGE if left is None else min(_PAGE, left)
            values = {**given, "after": after, "page": page}
            rows = self._page(names, values)
            for row in rows:
                submission, _, owner = from_row(row[1:])
                yield submission, owner
            if len(rows) < page:
                return
            after = rows[-1][0]
            left = None if left is None else left - len(rows)

    def _page(self, names: frozenset[str], values: dict[str, Any]) -> Sequence[Sequence[Any]]:
        return self._database.run(lambda session: session.all(session.statements.search(names), values))

    def _read(self, session: Session, submission_id: str) -> tuple[Submission, str, str]:
        row = session.one(session.statements.by_id, {"id": submission_id})
        if row is None:
            raise LedgerError(
                f"the ledger holds no submission {submission_id}",
                advice="check that this is the ledger it was filed with",
            )
        return from_row(row)


def _replace(session: Session, before: Submission, after: Submission, guard: str, owner: str) -> bool:
    """Write `after` over `before`, unless another process has changed it since."""
    values = dict(zip(COLUMNS, to_row(after, guard, owner), strict=True))
    values["was"] = before.revision
    return session.change(session.statements.record, values) == 1


def _is_known(submission: Submission, evidence: Evidence) -> bool:
    if not evidence.source_sha256:
        return False
    mark = (evidence.proof, evidence.code, evidence.source, evidence.source_sha256)
    return any(
        mark == (known.proof, known.code, known.source, known.source_sha256)
        for known in (event.evidence for event in submission.history)
    )


def _has_answer(submission: Submission, answer: Answer) -> bool:
    return any((known.remote_name, known.sha256) == (answer.remote_name, answer.sha256) for known in submission.answers)


def _check_owner(submission: Submission, evidence: Evidence, owner: str, here: Owner) -> None:
    """Nobody but the sending process may say that nothing left: another would let it be sent a second time."""
    if evidence.proof is not Proof.NOTHING_LEFT or submission.state is not State.SENDING:
        return
    if owner and not Owner.parse(owner).is_same_process(here):
        raise ImpossibleStep(f"{submission.name} is being sent by another process", advice="leave it to that process")


def _has_ended(owner: str, here: Owner) -> bool:
    try:
        return Owner.parse(owner).is_provably_dead(here)
    except ValueError:
        return False
