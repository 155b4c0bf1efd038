"""`Ledger`: what programs see of the durable record."""

from __future__ import annotations

import itertools
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import unquote

from govfile.errors import AlreadyFiled, ConfigurationError, LedgerBusy
from govfile.filing.ledger.burnt import BurntScope, burnt_rows
from govfile.filing.ledger.claims import Attempt, claim_one, insert_all, new_identifiers, outcomes_of
from govfile.filing.ledger.owners import Owner
from govfile.filing.ledger.reader import read
from govfile.filing.ledger.receipts import to_receipt_row
from govfile.filing.ledger.set_book import SetBook
from govfile.filing.ledger.steps import News, record_one, replace, start_one
from govfile.filing.states import Proof, State
from govfile.filing.submission import Evidence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from types import TracebackType

    from govfile.certificates.secret import Secret
    from govfile.filing.claim import Claim
    from govfile.filing.ledger.database import Session
    from govfile.filing.ledger.receipts import Received
    from govfile.filing.states import Verdict
    from govfile.filing.submission import Answer, Submission

#: How often a change is worked out again because another process was quicker.
_RACES = 100

_URL = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*)://")


def _now() -> datetime:
    return datetime.now(UTC)


class Ledger(SetBook):
    """The record of every submission; open one with `Ledger.open` or `Ledger.postgresql`.

    May be used from several threads and after a fork. Calls raise `LedgerBusy` when others hold the database for
    longer than the patience given, `LedgerDamaged` when it cannot be believed, and `LedgerError` for a full disk, a
    read-only file or a server out of reach.
    """

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

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def sync(self) -> None:
        """Make everything recorded so far durable."""
        self._database.sync()

    def close(self) -> None:
        """Make everything recorded durable, and let go; may be called twice."""
        try:
            self._database.close()
        finally:
            self._release()

    # --- before a document leaves ---------------------------------------------------------------------------------

    def claim(self, claim: Claim, *, durable: bool = True) -> tuple[Submission, bool]:
        """Bind a name to its content, durably (on the disk when this returns), and say whether this call did it.

        Not `durable`, it is on the disk once `start` returns, at the latest: one wait for the disk instead of two.
        The same name with the same content, to the same service, gives the submission recorded before.
        Raises `DuplicateName` or `DuplicateContent`, both with the earlier `.submission`.
        """
        attempt = Attempt.of(claim, new_identifiers(1)[0], self._clock())
        outcome = self._database.write(lambda session: claim_one(session, attempt), durable=durable)
        if isinstance(outcome, AlreadyFiled):
            raise outcome
        return outcome

    def claim_many(self, claims: Iterable[Claim]) -> list[tuple[Submission, bool] | AlreadyFiled]:
        """Claim all in one durable transaction; the outcomes in the order given, refusals as values.

        Of two that exclude each other the first is claimed.
        """
        wanted = list(claims)
        if not wanted:
            return []
        now = self._clock()
        attempts = [
            Attempt.of(claim, its, now) for claim, its in zip(wanted, new_identifiers(len(wanted)), strict=True)
        ]
        made = self._database.transaction(lambda session: insert_all(session, attempts))
        if made:
            return [(submission, True) for submission in made]
        return self._database.write(lambda session: outcomes_of(session, attempts))

    def burn(
        self,
        *,
        authority: str,
        environment: str,
        sender: str,
        service: str,
        names: Iterable[str],
        found: str,
    ) -> int:
        """Claim names that were `found` in use at the authority, with content unknown; the number newly claimed.

        For rebuilding a ledger that was lost: a later claim of such a name raises `DuplicateName`. The submissions
        count as SENT, on the evidence that their names were seen.
        """
        return self.burn_all(
            authority=authority, environment=environment, sender=sender, names={service: names}, found=found
        )

    def burn_all(
        self, *, authority: str, environment: str, sender: str, names: Mapping[str, Iterable[str]], found: str
    ) -> int:
        """`burn` the names of several services, given by service, in one durable transaction."""
        scope = BurntScope(authority=authority, environment=environment, sender=sender, found=found)
        rows = burnt_rows(scope, names, self._clock())
        if not rows:
            return 0
        return self._database.transaction(lambda session: session.insert_all(session.statements.claim, rows))

    def start(self, submission_id: str, *, by: Owner | None = None, seen: int | None = None) -> Submission | None:
        """Move a PREPARED submission to SENDING, durably, with this process as its owner.

        None when it is not PREPARED, when another process (or thread) was quicker, or when a person has withdrawn it
        since the revision `seen`. When it raises, `take_back` with the same `by` (an `Owner.here()`) undoes what may
        have taken effect all the same.
        """
        at, owner = self._clock(), str(by or Owner.here())
        return self._database.write_together(lambda session: start_one(session, submission_id, owner, at, seen))

    def start_many(self, submissions: Iterable[Submission], *, by: Owner) -> list[Submission | None]:
        """`start` for each, as it was seen, in one durable transaction."""
        given = list(submissions)
        at, owner = self._clock(), str(by)
        return self._database.transaction(
            lambda session: [start_one(session, known.id, owner, at, known.revision) for known in given]
        )

    def take_back(self, submission_id: str, by: Owner) -> Submission:
        """Undo the `start` of this very owner, if it took effect: nothing was sent, and it is PREPARED again."""
        at, owner = self._clock(), str(by)
        nothing_left = Evidence(proof=Proof.NOTHING_LEFT, detail="the start could not be confirmed; nothing was sent")

        def work(session: Session) -> Submission | None:
            submission, guard, its_owner = read(session, submission_id)
            if submission.state is not State.SENDING or its_owner != owner:
                return submission
            after = submission.after(nothing_left, at)
            return after if replace(session, submission, after, guard, owner) else None

        for _ in range(_RACES):
            result = self._database.write(work)
            if result is not None:
                return result
        raise LedgerBusy(f"others keep changing submission {submission_id}", advice="call again")

    # --- what became of it ----------------------------------------------------------------------------------------

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
        news = News(evidence=evidence, at=at or self._clock(), verdict=verdict, answers=tuple(answers))
        here = Owner.here()
        for _ in range(_RACES):
            result = self._database.write(_record_once([(submission_id, news)], here), durable=durable)[0]
            if result is not None:
                return result
        raise LedgerBusy(f"others keep changing submission {submission_id}", advice="call again")

    def record_many(self, evidence: Iterable[tuple[str, Evidence]], *, durable: bool = False) -> list[Submission]:
        """`record` one piece of evidence for each (submission id, evidence), in one transaction."""
        given = [(identifier, News(evidence=its, at=self._clock())) for identifier, its in evidence]
        here = Owner.here()
        results = self._database.transaction(_record_once(given, here), durable=durable) if given else []
        return [
            found or self.record(identifier, news.evidence, at=news.at, durable=durable)
            for found, (identifier, news) in zip(results, given, strict=True)
        ]

    def remember_received(self, received: Received, *, durable: bool = True) -> bool:
        """Note that a file was taken from the authority; True when it was not known before.

        Durable unless told otherwise: afterwards the remote copy may be removed.
        """
        row = to_receipt_row(received)
        made = self._database.write(lambda session: session.insert(session.statements.receive, row), durable=durable)
        return made == 1

    def archive(self, before: datetime, into: str | os.PathLike[str]) -> int:
        """Move the full records of final submissions (ANSWERED, REJECTED), unchanged since `before`, to the new file
        `into`, one JSON object a line; returns how many.

        Their names and digests stay, and go on refusing duplicates; what is read of them later says in `.archived`
        which file holds the rest. The file is on the disk before the ledger changes, and is not made for none. Raises
        `ConfigurationError` when there is a file already, `LedgerError` when it cannot be written.
        """
        from govfile.filing.ledger.archive import slim_down, write_archive

        path = Path(into).absolute()
        return slim_down(self._database, path) if write_archive(self._archivable(before), path) else 0

    def _archivable(self, before: datetime) -> Iterator[Submission]:
        for state in (State.ANSWERED, State.REJECTED):
            for submission in self.search(state=state, until=before):
                if submission.archived is None and submission.history[-1].at < before:
                    yield submission


def _record_once(given: Sequence[tuple[str, News]], here: Owner) -> Callable[[Session], list[Submission | None]]:
    """`record_one` for each; run again, it adds nothing that took effect the first time, its answer lost."""
    tries = itertools.count()

    def work(session: Session) -> list[Submission | None]:
        is_again = next(tries) > 0
        return [
            (is_again and _as_recorded(session, identifier, news)) or record_one(session, identifier, news, here)
            for identifier, news in given
        ]

    return work


def _as_recorded(session: Session, submission_id: str, news: News) -> Submission | None:
    submission = read(session, submission_id)[0]
    is_there = any((event.at, event.evidence) == (news.at, news.evidence) for event in submission.history)
    return submission if is_there else None
