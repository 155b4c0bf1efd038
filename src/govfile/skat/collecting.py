"""Collecting what the gateway left in `out`: statuses first, then answers; what each proves is recorded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from govfile.errors import InvalidContent
from govfile.filing.fetching import STILL_WRITTEN, Fetched, evidence
from govfile.filing.fetching import Skipped as Skipped
from govfile.filing.saving import discard
from govfile.filing.states import Proof, Verdict
from govfile.filing.status import STATUS_LIMIT
from govfile.filing.submission import Answer
from govfile.skat.matching import BETWEEN
from govfile.skat.status import StatusBlock, StatusFile, StatusName, in_words
from govfile.xml.parse import check_well_formed

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta

    from govfile.filing.fetching import Fetcher
    from govfile.filing.ledger import Ledger
    from govfile.filing.submission import Evidence, Submission
    from govfile.skat.matching import Matcher
    from govfile.skat.session import Session
    from govfile.transports.base import FileTransport, RemoteFile

#: Bytes of one answer, unless the caller says otherwise.
ANSWER_LIMIT = 4 * 1024**3

#: A name with one of these would end the command that asks for it, or lead out of the folder.
_UNASKABLE = frozenset("\r\n\0/")


@attrs.frozen(kw_only=True)
class Collection:
    """What one look into `out` brought.

    `submissions` that learnt something, as they are now; `answers` that belong to one of them; `unsolicited` files that
    belong to none, saved all the same (a status 3 that comes later may still give one to its upload); `unread` status
    files whose content could not be used, saved all the same; `skipped` ones; names `removed` at the gateway; how many
    `statuses` were read. `silent` are submissions nothing was heard of for longer than the environment's patience;
    `filed_by_others` counts the submissions of this company that only another login can collect.
    """

    submissions: tuple[Submission, ...] = ()
    answers: tuple[Answer, ...] = ()
    unsolicited: tuple[Answer, ...] = ()
    unread: tuple[Answer, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    removed: tuple[str, ...] = ()
    statuses: int = 0
    silent: tuple[Submission, ...] = ()
    filed_by_others: tuple[tuple[str, int], ...] = ()


@attrs.define(kw_only=True)
class Collector:
    """One collection by one login. Make a new one for each."""

    ledger: Ledger
    session: Session
    matcher: Matcher
    fetcher: Fetcher
    clock: Callable[[], datetime]
    sleep: Callable[[float], None]
    second_look: timedelta
    delete: bool = False
    answer_limit: int = ANSWER_LIMIT
    _changed: dict[str, Submission] = attrs.field(factory=dict, init=False)
    _answers: list[Answer] = attrs.field(factory=list, init=False)
    _unsolicited: list[Answer] = attrs.field(factory=list, init=False)
    _unread: list[Answer] = attrs.field(factory=list, init=False)
    _done: list[RemoteFile] = attrs.field(factory=list, init=False)
    _announcing: list[tuple[RemoteFile, Answer, Submission, tuple[str, ...]]] = attrs.field(factory=list, init=False)
    _fresh: set[str] = attrs.field(factory=set, init=False)
    _statuses: int = attrs.field(default=0, init=False)

    def collect(self, *, silent: tuple[str, ...] = (), filed_by_others: tuple[tuple[str, int], ...] = ()) -> Collection:
        """Fetch everything new; raises `TransportError` and others when the conversation breaks, with all that was
        fetched until then recorded. `silent` ids are looked at once more afterwards.
        """
        with self.session.conversation() as transport:
            out, entries = self.session.list_out(transport)
            fresh = [
                entry for entry in entries if self._can_be_asked_for(entry) and not self.fetcher.was_received(entry)
            ]
            names = {entry.name: StatusName.parse(entry.name) for entry in fresh}
            self._fresh.update(names)
            doubtful: list[Fetched] = []
            try:
                for entry in sorted((e for e in fresh if names[e.name]), key=_by_name):
                    self._take(transport, out, entry, names[entry.name], doubtful)
                for entry in sorted((e for e in fresh if not names[e.name]), key=_by_name):
                    self._take(transport, out, entry, None, doubtful)
                self._look_again(transport, out, doubtful)
                self._claim_earlier()
            finally:
                for left in doubtful:
                    discard(left.temporary)
            removed = self._removed(transport, out)
        return Collection(
            submissions=tuple(self._changed.values()),
            answers=tuple(self._answers),
            unsolicited=tuple(self._unsolicited),
            unread=tuple(self._unread),
            skipped=tuple(self.fetcher.skipped),
            removed=removed,
            statuses=self._statuses,
            silent=tuple(self.ledger.get(found) for found in silent if found not in self._changed),
            filed_by_others=filed_by_others,
        )

    # --- one file -------------------------------------------------------------------------------------------------

    def _take(
        self,
        transport: FileTransport,
        out: str,
        entry: RemoteFile,
        name: StatusName | None,
        doubtful: list[Fetched],
    ) -> None:
        fetched = self.fetcher.fetch(transport, out, entry, STATUS_LIMIT if name else self.answer_limit)
        if fetched is None:
            return
        try:
            if self.fetcher.was_received(attrs.evolve(entry, size=fetched.size)):  # a listing without sizes cannot tell
                discard(fetched.temporary)
                return
            is_doubtful = not self._keep_if_whole(fetched, name)
        except BaseException:
            discard(fetched.temporary)
            raise
        if is_doubtful:
            doubtful.append(fetched)

    def _keep_if_whole(self, fetched: Fetched, name: StatusName | None) -> bool:
        if name is not None:
            status = StatusFile.read(name, fetched.temporary.read_bytes())
            if not status.problem:
                self._keep_status(fetched, status)
            return not status.problem
        if _is_whole_xml(fetched):
            self._keep_answer(fetched)
            return True
        return False

    def _look_again(self, transport: FileTransport, out: str, doubtful: list[Fetched]) -> None:
        """Files whose content does not show that they are whole count as whole when they stay as they are."""
        if not doubtful:
            return
        self.sleep(self.second_look.total_seconds())
        now = {entry.name: entry for entry in transport.list(out)}
        while doubtful:
            fetched = doubtful.pop()
            if not self._is_unchanged(transport, out, fetched, now):
                discard(fetched.temporary)
                self.fetcher.skip(fetched.entry, STILL_WRITTEN)
                continue
            name = StatusName.parse(fetched.entry.name)
            if name is None:
                self._keep_answer(fetched)
            else:
                self._keep_status(fetched, StatusFile.read(name, fetched.temporary.read_bytes()))

    def _is_unchanged(self, transport: FileTransport, out: str, fetched: Fetched, now: dict[str, RemoteFile]) -> bool:
        entry = now.get(fetched.entry.name)
        if entry is None:
            return True  # gone meanwhile: what we have is all there will be
        if entry.size is not None:
            return entry.size == fetched.size and entry.modified == fetched.entry.modified
        again = self.fetcher.fetch(transport, out, entry, self.answer_limit)
        if again is None:
            return False
        discard(again.temporary)
        return again.sha256 == fetched.sha256

    # --- what it proves -------------------------------------------------------------------------------------------

    def _keep_status(self, fetched: Fetched, status: StatusFile) -> None:
        saved = self.fetcher.keep(fetched)
        self._statuses += 1
        if status.problem:
            self._note_unread(fetched, saved, status)
            return
        found = self.matcher.for_status(status)
        if found is None:
            self._unsolicited.append(saved)
            self.fetcher.remember(fetched.entry, saved, "unsolicited", None)
            self._done.append(fetched.entry)
            return
        submission, block = found
        self._record(submission, self._status_evidence(status, block, saved))
        announced = block.responses if status.name.number == 3 else ()
        self.matcher.announce(submission, announced)
        elsewhere = tuple(name for name in announced if name not in self._fresh)
        if elsewhere:
            self._announcing.append((fetched.entry, saved, submission, elsewhere))
        else:
            self._is_kept(fetched.entry, saved, submission)

    def _is_kept(self, entry: RemoteFile, saved: Answer, submission: Submission) -> None:
        self.fetcher.remember(entry, saved, "status", submission.id)
        self._done.append(entry)

    def _claim_earlier(self) -> None:
        """Answers that were here before the status 3 that announces them. It is remembered afterwards, so that a crash
        repeats it, and read after all others, which may announce the same.
        """
        for entry, saved, submission, names in self._announcing:
            known = self.ledger.get(submission.id).answers
            for kept in self.matcher.came_before(submission, names, self.fetcher.login):
                answer = Answer(
                    path=Path(kept.saved_as),
                    remote_name=kept.remote_name,
                    size=kept.size,
                    sha256=kept.sha256,
                    received_at=kept.at,
                )
                if answer not in known:
                    self._answers.append(answer)
                    self._record(submission, evidence(Proof.ANSWERED, answer), (answer,))
            self._is_kept(entry, saved, submission)

    def _note_unread(self, fetched: Fetched, saved: Answer, status: StatusFile) -> None:
        """Kept and mentioned in the history it may belong to, but it proves nothing and is never removed."""
        self._unread.append(saved)
        named = self.matcher.named_by(status)
        submission = named[0] if len(named) == 1 else None
        if submission is not None:
            words = f"a status {status.name.number} came that cannot be read: {status.problem}"
            self._record(submission, evidence(Proof.NOTED, saved, words))
        self.fetcher.remember(fetched.entry, saved, "status", submission.id if submission else None)

    def _status_evidence(self, status: StatusFile, block: StatusBlock, saved: Answer) -> Evidence:
        proof = status.proof(block)
        words = BETWEEN.join(block.responses) if proof is Proof.ANNOUNCED and block.responses else in_words(block)
        code = next((error.code[:100] for error in block.errors if error.code), "")
        return evidence(proof, saved, words, code)

    def _keep_answer(self, fetched: Fetched) -> None:
        saved = self.fetcher.keep(fetched)
        submission = self.matcher.for_answer(fetched.entry.name, fetched.entry.modified)
        if submission is None:
            self._unsolicited.append(saved)
            self.fetcher.remember(fetched.entry, saved, "unsolicited", None)
        else:
            self._answers.append(saved)
            self._record(submission, evidence(Proof.ANSWERED, saved), (saved,))
            self.fetcher.remember(fetched.entry, saved, "answer", submission.id)
        self._done.append(fetched.entry)

    def _record(self, submission: Submission, evidence: Evidence, answers: tuple[Answer, ...] = ()) -> None:
        verdict = Verdict.UNREAD if answers else None
        self._changed[submission.id] = self.ledger.record(
            submission.id, evidence, verdict=verdict, at=self.clock(), answers=answers, durable=self.fetcher.is_durable
        )

    # --- asked for and removed -------------------------------------------------------------------------------------

    def _can_be_asked_for(self, entry: RemoteFile) -> bool:
        if entry.name not in ("", ".", "..") and not set(entry.name) & _UNASKABLE:
            return True
        self.fetcher.skip(entry, "its name is not that of a file in a folder")
        return False

    def _removed(self, transport: FileTransport, out: str) -> tuple[str, ...]:
        if not (self.delete and self._done):
            return ()
        return self.fetcher.remove(transport, out, self._done, transport.list(out))


def _by_name(entry: RemoteFile) -> str:
    return entry.name


def _is_whole_xml(fetched: Fetched) -> bool:
    """XML that parses to its end is whole; of other formats the content does not tell."""
    if not fetched.entry.name.casefold().endswith(".xml"):
        return False
    try:
        with fetched.temporary.open("rb") as reader:
            check_well_formed(reader)
    except InvalidContent:
        return False
    return True
