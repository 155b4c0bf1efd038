"""Collecting what the authority left: fetched once, kept as it came, matched, recorded, then perhaps removed.

An answer is taken only when its trigger is there. Content, signature and trigger are kept together, once it is whole
and its signature holds, or stays as it is. What no rule knows is left where it is.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import attrs

from govfile.filing.fetching import STILL_WRITTEN, Fetched, Skipped
from govfile.filing.saving import discard
from govfile.onss.answers import AnswerFiles, Outbox
from govfile.onss.fs import LARGEST
from govfile.onss.replies import READ_WHOLE, Content, Reply

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta
    from pathlib import Path

    from govfile.filing.fetching import Fetcher
    from govfile.filing.ledger import Ledger
    from govfile.filing.submission import Answer, Submission
    from govfile.onss.judging import Judge
    from govfile.onss.replies import Reader
    from govfile.onss.session import Session
    from govfile.transports.base import FileTransport

#: Bytes of one answer, unless the caller says otherwise.
ANSWER_LIMIT = 1024**3


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


@attrs.define(kw_only=True)
class Collector:
    """One collection. Make a new one for each."""

    ledger: Ledger
    session: Session
    fetcher: Fetcher
    reader: Reader
    judge: Judge
    sleep: Callable[[float], None]
    second_look: timedelta
    delete: bool = False
    answer_limit: int = ANSWER_LIMIT
    _replies: list[Reply] = attrs.field(factory=list, init=False)
    _answers: list[Answer] = attrs.field(factory=list, init=False)
    _unsolicited: list[Answer] = attrs.field(factory=list, init=False)
    _unread: list[Answer] = attrs.field(factory=list, init=False)
    _done: list[AnswerFiles] = attrs.field(factory=list, init=False)

    def collect(self, *, silent: tuple[str, ...] = ()) -> Collection:
        """Fetch everything new; raises `TransportError` and others when the conversation breaks, with all that was
        fetched until then recorded. `silent` ids are looked at once more afterwards.
        """
        with self.session.conversation() as transport:
            outbox = Outbox.of(self.session.list_answers(transport))
            doubtful = [
                found
                for found in outbox.answers
                if not self.fetcher.was_received(found.content) and self._take(found, transport)
            ]
            if doubtful:
                self._look_again(transport, doubtful)
            removed = self._removed(transport)
        changed = self.judge.changed
        return Collection(
            submissions=tuple(changed.values()),
            replies=tuple(self._replies),
            answers=tuple(self._answers),
            unsolicited=tuple(self._unsolicited),
            unread=tuple(self._unread),
            skipped=tuple(self.fetcher.skipped),
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

    def _fetch_all(self, transport: FileTransport, files: AnswerFiles) -> list[Fetched] | None:
        fetched: list[Fetched] = []
        try:
            for entry in files.files:
                limit = self.answer_limit if entry is files.content else LARGEST
                found = self.fetcher.fetch(transport, self._remote, entry, limit)
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

    def _read(self, files: AnswerFiles, fetched: list[Fetched]) -> Content:
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
                self.fetcher.skip(files.content, STILL_WRITTEN)

    # --- keeping ------------------------------------------------------------------------------------------------

    def _keep(self, files: AnswerFiles, fetched: list[Fetched], content: Content) -> None:
        kept = [self.fetcher.keep(one) for one in fetched]
        unpacked = self._keep_unpacked(files, content)
        reply = Reply(
            name=files.name,
            answer=kept[0],
            files=(*(one.path for one in kept), *([unpacked] if unpacked else [])),
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
        with self.fetcher.folder.writing() as (path, writer):
            writer.write(content.unpacked)
        digest = hashlib.sha256(content.unpacked).hexdigest()
        try:
            return self.fetcher.folder.keep(path, f"{files.content.name}.xml", digest)
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

    # --- asked for and removed ----------------------------------------------------------------------------------

    def _remember(self, files: AnswerFiles, reply: Reply, what: str, submission_id: str | None) -> None:
        self.fetcher.remember(files.content, reply.answer, what, submission_id)

    def _removed(self, transport: FileTransport) -> tuple[str, ...]:
        """The trigger of an answer goes last, and none without the rest: what replaced it would lie there unseen."""
        if not (self.delete and self._done):
            return ()
        now = self.session.list_answers(transport)
        unchanged = [files for files in self._done if all(entry in now for entry in files.files)]
        done = [entry for files in unchanged for entry in files.files]
        return self.fetcher.remove(transport, self._remote, done, now)

    @property
    def _remote(self) -> str:
        return self.session.environment.answers
