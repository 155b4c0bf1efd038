"""Collecting what the gateway left in `out`: fetched once, kept as it came, matched, recorded, then perhaps removed.

For each file: download under a temporary name, make sure that it is whole, give it its name durably, record what it
proves, remember that it was received. A crash between any two of these steps repeats the file and changes nothing.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import attrs

from govfile.errors import InvalidContent, TransferAborted, TransferRefused
from govfile.filing.ledger.receipts import Received
from govfile.filing.saving import discard
from govfile.filing.states import Proof, Verdict
from govfile.filing.status import STATUS_LIMIT
from govfile.filing.submission import Answer, Evidence, Submission
from govfile.skat.folders import join
from govfile.skat.matching import BETWEEN
from govfile.skat.status import StatusBlock, StatusFile, StatusName, in_words
from govfile.xml.parse import check_well_formed

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta
    from pathlib import Path

    from govfile.filing.ledger import Ledger
    from govfile.filing.saving import Folder
    from govfile.filing.scope import Scope
    from govfile.skat.matching import Matcher
    from govfile.skat.session import Session
    from govfile.transports.base import FileTransport, RemoteFile

logger = logging.getLogger("govfile.skat")

#: Bytes of one answer, unless the caller says otherwise.
ANSWER_LIMIT = 4 * 1024**3

#: A name with one of these would end the command that asks for it, or lead out of the folder.
_UNASKABLE = frozenset("\r\n\0/")


@attrs.frozen(kw_only=True)
class Skipped:
    """A remote file that was left for later, and why."""

    remote_name: str
    reason: str


@attrs.frozen(kw_only=True)
class Collection:
    """What one look into `out` brought.

    `submissions` that learnt something, as they are now; `answers` that belong to one of them; `unsolicited` files that
    belong to none, saved all the same; `unread` status files whose content could not be used, saved all the same;
    `skipped` ones; names `removed` at the gateway; how many `statuses` were read. `silent` are submissions nothing was
    heard of for longer than the environment's patience; `filed_by_others` counts the submissions of this company that
    only another login can collect.
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


@attrs.frozen(kw_only=True)
class _Fetched:
    """A file that was downloaded whole, still under a temporary name."""

    entry: RemoteFile
    temporary: Path
    size: int
    sha256: str


@attrs.define(kw_only=True)
class Collector:
    """One collection by one login. Make a new one for each."""

    ledger: Ledger
    session: Session
    matcher: Matcher
    scope: Scope
    folder: Folder
    clock: Callable[[], datetime]
    sleep: Callable[[float], None]
    second_look: timedelta
    delete: bool = False
    answer_limit: int = ANSWER_LIMIT
    _changed: dict[str, Submission] = attrs.field(factory=dict, init=False)
    _answers: list[Answer] = attrs.field(factory=list, init=False)
    _unsolicited: list[Answer] = attrs.field(factory=list, init=False)
    _unread: list[Answer] = attrs.field(factory=list, init=False)
    _skipped: list[Skipped] = attrs.field(factory=list, init=False)
    _done: list[RemoteFile] = attrs.field(factory=list, init=False)
    _statuses: int = attrs.field(default=0, init=False)

    def collect(self, *, silent: tuple[str, ...] = (), filed_by_others: tuple[tuple[str, int], ...] = ()) -> Collection:
        """Fetch everything new; raises `TransportError` and others when the conversation breaks, with all that was
        fetched until then recorded. `silent` ids are looked at once more afterwards.
        """
        with self.session.conversation() as transport:
            out, entries = self.session.list_out(transport)
            fresh = [entry for entry in entries if self._can_be_asked_for(entry) and not self._was_received(entry)]
            names = {entry.name: StatusName.parse(entry.name) for entry in fresh}
            doubtful: list[_Fetched] = []
            try:
                for entry in sorted((e for e in fresh if names[e.name]), key=_by_name):
                    self._take(transport, out, entry, names[entry.name], doubtful)
                for entry in sorted((e for e in fresh if not names[e.name]), key=_by_name):
                    self._take(transport, out, entry, None, doubtful)
                self._look_again(transport, out, doubtful)
            finally:
                for left in doubtful:
                    discard(left.temporary)
            removed = self._remove(transport, out) if self.delete and self._done else ()
        return Collection(
            submissions=tuple(self._changed.values()),
            answers=tuple(self._answers),
            unsolicited=tuple(self._unsolicited),
            unread=tuple(self._unread),
            skipped=tuple(self._skipped),
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
        doubtful: list[_Fetched],
    ) -> None:
        fetched = self._fetch(transport, out, entry, STATUS_LIMIT if name else self.answer_limit)
        if fetched is None:
            return
        if self._was_received(attrs.evolve(entry, size=fetched.size)):  # a listing without sizes could not tell
            discard(fetched.temporary)
            return
        try:
            is_doubtful = not self._keep_if_whole(fetched, name)
        except BaseException:
            discard(fetched.temporary)
            raise
        if is_doubtful:
            doubtful.append(fetched)

    def _keep_if_whole(self, fetched: _Fetched, name: StatusName | None) -> bool:
        if name is not None:
            status = StatusFile.read(name, fetched.temporary.read_bytes())
            if not status.problem:
                self._keep_status(fetched, status)
            return not status.problem
        if _is_whole_xml(fetched):
            self._keep_answer(fetched)
            return True
        return False

    def _fetch(self, transport: FileTransport, out: str, entry: RemoteFile, limit: int) -> _Fetched | None:
        if entry.size is not None and entry.size > limit:
            self._skip(entry, f"it has {entry.size} bytes, more than the {limit} that are fetched")
            return None
        try:
            with self.folder.writing() as (path, writer):
                receipt = transport.get(join(out, entry.name), writer, limit=limit)
        except TransferRefused as error:
            self._skip(entry, f"it was there and could not be fetched: {error.code}")
            return None
        except TransferAborted:
            self._skip(entry, f"it is longer than the {limit} bytes that are fetched")
            return None
        fetched = _Fetched(entry=entry, temporary=path, size=receipt.size, sha256=receipt.sha256)
        if entry.size is not None and entry.size != receipt.size:
            discard(path)
            self._skip(entry, "its size changed while it was fetched: it is still being written")
            return None
        return fetched

    def _look_again(self, transport: FileTransport, out: str, doubtful: list[_Fetched]) -> None:
        """Files whose content does not show that they are whole count as whole when they stay as they are."""
        if not doubtful:
            return
        self.sleep(self.second_look.total_seconds())
        now = {entry.name: entry for entry in transport.list(out)}
        while doubtful:
            fetched = doubtful.pop()
            if not self._is_unchanged(transport, out, fetched, now):
                discard(fetched.temporary)
                self._skip(fetched.entry, "it is still being written, or was replaced while it was fetched")
                continue
            name = StatusName.parse(fetched.entry.name)
            if name is None:
                self._keep_answer(fetched)
            else:
                self._keep_status(fetched, StatusFile.read(name, fetched.temporary.read_bytes()))

    def _is_unchanged(self, transport: FileTransport, out: str, fetched: _Fetched, now: dict[str, RemoteFile]) -> bool:
        entry = now.get(fetched.entry.name)
        if entry is None:
            return True  # gone meanwhile: what we have is all there will be
        if entry.size is not None:
            return entry.size == fetched.size and entry.modified == fetched.entry.modified
        again = self._fetch(transport, out, entry, self.answer_limit)
        if again is None:
            return False
        discard(again.temporary)
        return again.sha256 == fetched.sha256

    # --- what it proves -------------------------------------------------------------------------------------------

    def _keep_status(self, fetched: _Fetched, status: StatusFile) -> None:
        saved = self._save(fetched)
        self._statuses += 1
        if status.problem:
            self._note_unread(fetched, saved, status)
            return
        found = self.matcher.for_status(status)
        if found is None:
            self._unsolicited.append(saved)
            self._remember(fetched, saved, "unsolicited", None)
            self._done.append(fetched.entry)
            return
        submission, block = found
        self._record(submission, self._status_evidence(status, block, saved))
        self.matcher.announce(submission, block.responses if status.name.number == 3 else ())
        self._remember(fetched, saved, "status", submission)
        self._done.append(fetched.entry)

    def _note_unread(self, fetched: _Fetched, saved: Answer, status: StatusFile) -> None:
        """Kept and mentioned in the history it may belong to, but it proves nothing and is never removed."""
        self._unread.append(saved)
        named = self.matcher.named_by(status)
        submission = named[0] if len(named) == 1 else None
        if submission is not None:
            words = f"a status {status.name.number} came that cannot be read: {status.problem}"
            self._record(submission, self._evidence(Proof.NOTED, saved, words))
        self._remember(fetched, saved, "status", submission)

    def _status_evidence(self, status: StatusFile, block: StatusBlock, saved: Answer) -> Evidence:
        proof = status.proof(block)
        words = BETWEEN.join(block.responses) if proof is Proof.ANNOUNCED and block.responses else in_words(block)
        code = block.errors[0].code[:100] if block.errors else ""
        return self._evidence(proof, saved, words, code)

    def _evidence(self, proof: Proof, saved: Answer, words: str = "", code: str = "") -> Evidence:
        return Evidence(
            proof=proof,
            detail=words,
            code=code,
            source=saved.remote_name,
            source_sha256=saved.sha256,
            saved_as=str(saved.path),
        )

    def _keep_answer(self, fetched: _Fetched) -> None:
        saved = self._save(fetched)
        submission = self.matcher.for_answer(fetched.entry.name, fetched.entry.modified)
        if submission is None:
            self._unsolicited.append(saved)
            self._remember(fetched, saved, "unsolicited", None)
        else:
            self._answers.append(saved)
            self._record(submission, self._evidence(Proof.ANSWERED, saved), (saved,))
            self._remember(fetched, saved, "answer", submission)
        self._done.append(fetched.entry)

    def _save(self, fetched: _Fetched) -> Answer:
        path = self.folder.keep(fetched.temporary, fetched.entry.name, fetched.sha256)
        return Answer(
            path=path,
            remote_name=fetched.entry.name,
            size=fetched.size,
            sha256=fetched.sha256,
            received_at=self.clock(),
        )

    def _record(self, submission: Submission, evidence: Evidence, answers: tuple[Answer, ...] = ()) -> None:
        verdict = Verdict.UNREAD if answers else None
        self._changed[submission.id] = self.ledger.record(
            submission.id, evidence, verdict=verdict, at=self.clock(), answers=answers, durable=self.delete
        )

    # --- received and removed -------------------------------------------------------------------------------------

    def _can_be_asked_for(self, entry: RemoteFile) -> bool:
        if entry.name not in ("", ".", "..") and not set(entry.name) & _UNASKABLE:
            return True
        self._skip(entry, "its name is not that of a file in a folder")
        return False

    def _was_received(self, entry: RemoteFile) -> bool:
        return entry.size is not None and self.ledger.was_received(
            authority=self.scope.authority,
            environment=self.scope.environment,
            login=self.session.login.username,
            remote_name=entry.name,
            size=entry.size,
            modified=entry.modified,
        )

    def _remember(self, fetched: _Fetched, saved: Answer, what: str, submission: Submission | None) -> None:
        self.ledger.remember_received(
            Received(
                authority=self.scope.authority,
                environment=self.scope.environment,
                login=self.session.login.username,
                remote_name=fetched.entry.name,
                size=fetched.size,
                modified=fetched.entry.modified,
                sha256=fetched.sha256,
                saved_as=str(saved.path),
                at=saved.received_at,
                submission_id=submission.id if submission else None,
                what=what,
            ),
            durable=self.delete,
        )

    def _remove(self, transport: FileTransport, out: str) -> tuple[str, ...]:
        """Remove what was saved and recorded, unless it has changed since."""
        now = {entry.name: entry for entry in transport.list(out)}
        removed = []
        for entry in self._done:
            if now.get(entry.name) != entry:
                continue
            try:
                transport.remove(join(out, entry.name))
            except TransferRefused as error:
                self._skip(entry, f"saved, but it could not be removed: {error.code}")
                continue
            removed.append(entry.name)
        return tuple(removed)

    def _skip(self, entry: RemoteFile, reason: str) -> None:
        logger.info("a file in out was skipped: %s", reason)
        self._skipped.append(Skipped(remote_name=entry.name, reason=reason))


def _by_name(entry: RemoteFile) -> str:
    return entry.name


def _is_whole_xml(fetched: _Fetched) -> bool:
    """XML that parses to its end is whole; of other formats the content does not tell."""
    if not fetched.entry.name.casefold().endswith(".xml"):
        return False
    try:
        with fetched.temporary.open("rb") as reader:
            check_well_formed(reader)
    except InvalidContent:
        return False
    return True
