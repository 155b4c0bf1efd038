"""Collecting what the authority left: fetched once, kept as it came, matched, recorded, then perhaps removed.

An answer is taken only when its trigger is there. Content, signature and trigger are kept together. For each answer:
download under temporary names, make sure that it is whole and its signature holds, give the files their names durably,
record what they prove, remember that they were received. A crash between any two of these steps repeats the answer and
changes nothing. What no rule knows is left where it is.
"""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING

import attrs

from govfile.errors import TransferAborted, TransferRefused
from govfile.filing.ledger.receipts import Received
from govfile.filing.saving import discard
from govfile.filing.submission import Answer
from govfile.onss.answers import AnswerFiles, Outbox
from govfile.onss.fs import LARGEST
from govfile.onss.replies import READ_WHOLE, Content, Reply

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta
    from pathlib import Path

    from govfile.filing.ledger import Ledger
    from govfile.filing.saving import Folder
    from govfile.filing.scope import Scope
    from govfile.filing.submission import Submission
    from govfile.onss.judging import Judge
    from govfile.onss.replies import Reader
    from govfile.onss.session import Session
    from govfile.transports.base import FileTransport, RemoteFile

logger = logging.getLogger("govfile.onss")

#: Bytes of one answer, unless the caller says otherwise.
ANSWER_LIMIT = 1024**3


@attrs.frozen(kw_only=True)
class Skipped:
    """A remote file that was left for later, and why."""

    remote_name: str
    reason: str


@attrs.frozen(kw_only=True)
class Collection:
    """What one look into the folder with answers brought.

    `submissions` that learnt something, as they are now; `replies` are all answers fetched, as they were read. Of
    their files, `answers` belong to one of the submissions, `unsolicited` to none (saved all the same), and `unread`
    could not be believed or read (saved all the same). `skipped` were left for later, `untouched` are files that are
    no whole answers; `removed` at the authority. `silent` are submissions nothing was heard of for longer than usual.
    """

    submissions: tuple[Submission, ...] = ()
    replies: tuple[Reply, ...] = ()
    answers: tuple[Answer, ...] = ()
    unsolicited: tuple[Answer, ...] = ()
    unread: tuple[Answer, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    untouched: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    silent: tuple[Submission, ...] = ()


@attrs.frozen(kw_only=True)
class _Fetched:
    """A remote file that was downloaded whole, still under a temporary name."""

    entry: RemoteFile
    temporary: Path
    size: int
    sha256: str


@attrs.define(kw_only=True)
class Collector:
    """One collection. Make a new one for each."""

    ledger: Ledger
    session: Session
    scope: Scope
    user: str
    folder: Folder
    reader: Reader
    judge: Judge
    clock: Callable[[], datetime]
    sleep: Callable[[float], None]
    second_look: timedelta
    delete: bool = False
    answer_limit: int = ANSWER_LIMIT
    _replies: list[Reply] = attrs.field(factory=list, init=False)
    _answers: list[Answer] = attrs.field(factory=list, init=False)
    _unsolicited: list[Answer] = attrs.field(factory=list, init=False)
    _unread: list[Answer] = attrs.field(factory=list, init=False)
    _skipped: list[Skipped] = attrs.field(factory=list, init=False)
    _done: list[AnswerFiles] = attrs.field(factory=list, init=False)

    def collect(self, *, silent: tuple[str, ...] = ()) -> Collection:
        """Fetch everything new; raises `TransportError` and others when the conversation breaks, with all that was
        fetched until then recorded. `silent` ids are looked at once more afterwards.
        """
        with self.session.conversation() as transport:
            outbox = Outbox.of(self.session.list_answers(transport))
            doubtful = [
                found for found in outbox.answers if not self._was_received(found) and self._take(found, transport)
            ]
            if doubtful:
                self._look_again(transport, doubtful)
            removed = self._remove(transport) if self.delete and self._done else ()
        changed = self.judge.changed
        return Collection(
            submissions=tuple(changed.values()),
            replies=tuple(self._replies),
            answers=tuple(self._answers),
            unsolicited=tuple(self._unsolicited),
            unread=tuple(self._unread),
            skipped=tuple(self._skipped),
            untouched=(*outbox.incomplete, *outbox.unknown),
            removed=removed,
            silent=tuple(self.ledger.get(found) for found in silent if found not in changed),
        )

    # --- one answer ---------------------------------------------------------------------------------------------

    def _take(self, files: AnswerFiles, transport: FileTransport, *, is_last_look: bool = False) -> bool:
        """Whether it is doubtful: it may still be written, so it is to be looked at again before anything is kept."""
        fetched = self._fetch_all(transport, files)
        if fetched is None:
            return False
        try:
            content = self._read(files, fetched)
            if content.problem and not is_last_look:
                return True
            self._keep(files, fetched, content)
        finally:
            for one in fetched:
                discard(one.temporary)
        return False

    def _fetch_all(self, transport: FileTransport, files: AnswerFiles) -> list[_Fetched] | None:
        fetched: list[_Fetched] = []
        try:
            for entry in files.files:
                limit = self.answer_limit if entry is files.content else LARGEST
                found = self._fetch(transport, entry, limit)
                if found is None:
                    for one in fetched:
                        discard(one.temporary)
                    return None
                fetched.append(found)
        except BaseException:
            for one in fetched:
                discard(one.temporary)
            raise
        return fetched

    def _fetch(self, transport: FileTransport, entry: RemoteFile, limit: int) -> _Fetched | None:
        if entry.size is not None and entry.size > limit:
            self._skip(entry, f"it has {entry.size} bytes, more than the {limit} that are fetched")
            return None
        try:
            with self.folder.writing() as (path, writer):
                receipt = transport.get(self._path(entry), writer, limit=limit)
        except TransferRefused as error:
            self._skip(entry, f"it was there and could not be fetched: {error.code}")
            return None
        except TransferAborted:
            self._skip(entry, f"it is longer than the {limit} bytes that are fetched")
            return None
        if entry.size is not None and entry.size != receipt.size:
            discard(path)
            self._skip(entry, "its size changed while it was fetched: it is still being written")
            return None
        return _Fetched(entry=entry, temporary=path, size=receipt.size, sha256=receipt.sha256)

    def _read(self, files: AnswerFiles, fetched: list[_Fetched]) -> Content:
        content = fetched[0]
        if content.size > READ_WHOLE:
            return Content()
        by_name = {one.entry.name: one for one in fetched}
        fs = by_name[files.signature.name].temporary.read_bytes() if files.signature else None
        return self.reader.read(files.name, content.temporary.read_bytes(), fs, is_compressed=files.is_compressed)

    def _look_again(self, transport: FileTransport, doubtful: list[AnswerFiles]) -> None:
        """What cannot be believed at the first look counts as it is when it stays as it is."""
        self.sleep(self.second_look.total_seconds())
        now = {found.content.name: found for found in Outbox.of(self.session.list_answers(transport)).answers}
        for files in doubtful:
            if now.get(files.content.name) == files:
                self._take(files, transport, is_last_look=True)
            else:
                self._skip(files.content, "it is still being written, or was replaced while it was fetched")

    # --- keeping ------------------------------------------------------------------------------------------------

    def _keep(self, files: AnswerFiles, fetched: list[_Fetched], content: Content) -> None:
        paths = [self.folder.keep(one.temporary, one.entry.name, one.sha256) for one in fetched]
        answer = Answer(
            path=paths[0],
            remote_name=files.content.name,
            size=fetched[0].size,
            sha256=fetched[0].sha256,
            received_at=self.clock(),
        )
        unpacked = self._keep_unpacked(files, content)
        reply = Reply(
            name=files.name,
            answer=answer,
            files=(*paths, *([unpacked] if unpacked else [])),
            unpacked=unpacked,
            signature=content.signature,
            acrf=content.acrf,
            notification=content.notification,
            problem=content.problem,
        )
        self._sort_in(files, self.judge.judge(reply))

    def _keep_unpacked(self, files: AnswerFiles, content: Content) -> Path | None:
        """A compressed answer is kept as it came, and beside it as it is read."""
        if content.unpacked is None:
            return None
        with self.folder.writing() as (path, writer):
            writer.write(content.unpacked)
        digest = hashlib.sha256(content.unpacked).hexdigest()
        try:
            return self.folder.keep(path, f"{files.content.name}.xml", digest)
        finally:
            discard(path)

    def _sort_in(self, files: AnswerFiles, reply: Reply) -> None:
        self._replies.append(reply)
        submission_id = next((match.id for match in reply.matches if match.id), None)
        if reply.problem:
            self._unread.append(reply.answer)
            self._remember(files, reply, "status", submission_id)
            return
        if submission_id is None:
            self._unsolicited.append(reply.answer)
            self._remember(files, reply, "unsolicited", None)
            if reply.acrf is None and reply.notification is None:
                self._done.append(files)  # what is about a file of somebody else is left for them
            return
        self._answers.append(reply.answer)
        self._remember(files, reply, "status" if reply.acrf else "answer", submission_id)
        if all(match.id for match in reply.matches):
            self._done.append(files)

    # --- received and removed -------------------------------------------------------------------------------------

    def _was_received(self, files: AnswerFiles) -> bool:
        entry = files.content
        return entry.size is not None and self.ledger.was_received(
            authority=self.scope.authority,
            environment=self.scope.environment,
            login=self.user,
            remote_name=entry.name,
            size=entry.size,
            modified=entry.modified,
        )

    def _remember(self, files: AnswerFiles, reply: Reply, what: str, submission_id: str | None) -> None:
        self.ledger.remember_received(
            Received(
                authority=self.scope.authority,
                environment=self.scope.environment,
                login=self.user,
                remote_name=reply.answer.remote_name,
                size=reply.answer.size,
                modified=files.content.modified,
                sha256=reply.answer.sha256,
                saved_as=str(reply.answer.path),
                at=reply.answer.received_at,
                submission_id=submission_id,
                what=what,
            ),
            durable=self.delete,
        )

    def _remove(self, transport: FileTransport) -> tuple[str, ...]:
        """Remove what was saved and recorded, unless it has changed since; the trigger last."""
        now = {entry.name: entry for entry in self.session.list_answers(transport)}
        removed = []
        for entry in (entry for files in self._done for entry in files.files):
            if now.get(entry.name) != entry:
                continue
            try:
                transport.remove(self._path(entry))
            except TransferRefused as error:
                self._skip(entry, f"saved, but it could not be removed: {error.code}")
                continue
            removed.append(entry.name)
        return tuple(removed)

    def _path(self, entry: RemoteFile) -> str:
        return f"{self.session.environment.answers}/{entry.name}"

    def _skip(self, entry: RemoteFile, reason: str) -> None:
        logger.info("an answer was skipped: %s", reason)
        self._skipped.append(Skipped(remote_name=entry.name, reason=reason))
