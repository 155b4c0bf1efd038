"""Sending one file: OPEN, WRITEs on the way at once, CLOSE, a look at the size, and what is true at each point."""

from __future__ import annotations

import enum
import logging
from typing import TYPE_CHECKING

from govfile.errors import GovfileError, Phase, ProtocolError, TransferAborted
from govfile.transports.base import PutReceipt
from govfile.transports.sftp._failures import exists_already, refused, unknown, with_certainty
from govfile.transports.sftp._packets import (
    Code,
    Cursor,
    Kind,
    Open,
    Status,
    opening,
    read_attributes,
    read_status,
    string,
    write,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from govfile.transports._reading import CheckedReader
    from govfile.transports.sftp._packets import Reply
    from govfile.transports.sftp._session import Session
    from govfile.transports.sftp.values import Upload

logger = logging.getLogger("govfile.transports.sftp")


class Stage(enum.Enum):
    """How far an upload has come; the value is said as evidence."""

    ASKED = "the server was asked to create the file"
    WRITING = "the file was created, and not all of it was sent"
    SENT = "every byte was sent"
    CLOSED = "the close was confirmed"
    RENAMING = "every write and the close were confirmed, and the last name was asked for"


class Sending:
    """One file on its way. `outcome` is the receipt, or the error that says what is certain; None until it is over.

    `unconfirmed` are the bytes that were sent and not answered for.
    """

    def __init__(
        self,
        session: Session,
        upload: Upload,
        paths: tuple[bytes, bytes | None],
        reader: CheckedReader,
        progress: Callable[[int], None] | None,
    ) -> None:
        self.upload = upload
        self.outcome: PutReceipt | GovfileError | None = None
        self.unconfirmed = 0
        self._session = session
        self._path, self._last_path = paths
        self._reader = reader
        self._blocks: Iterator[memoryview] = reader.blocks()
        self._rest = memoryview(b"")
        self._progress = progress
        self._stage = Stage.ASKED
        self._handle = b""
        self._sent = self._confirmed = 0
        self._size_seen: int | None = None
        self._looked_twice = False
        self._failure: GovfileError | None = None
        self._words = ""
        self._unanswered = 0
        self._started = session.deadlines.monotonic()

    def start(self) -> None:
        """Ask for the file: a new one, unless the caller says that it is an earlier part of his own."""
        flags = Open.WRITE | Open.CREATE | (Open.TRUNCATE if self.upload.rewrite else Open.EXCLUSIVE)
        self._ask(Kind.OPEN, opening(self._path, flags), self._opened)

    def fill(self, budget: int) -> None:
        """Put WRITEs on the way while fewer than `budget` bytes are unconfirmed, and the CLOSE after the last one."""
        try:
            while self._stage is Stage.WRITING and self._failure is None and self.unconfirmed < budget:
                self._write_next()
        except GovfileError as error:
            self._give_up(error)

    def interrupted(self, error: GovfileError) -> None:
        """The link is gone: say what is certain."""
        if self.outcome is None:
            self._end(self._failure or self._after_loss(error))

    def release(self) -> None:
        """Close the source."""
        self._reader.close()

    # --- the way ------------------------------------------------------------------------------------------------

    def _ask(self, kind: Kind, body: bytes, then: Callable[[Reply], None]) -> None:
        self._unanswered += 1
        self._session.ask(kind, body, lambda reply: self._answered(reply, then))

    def _answered(self, reply: Reply, then: Callable[[Reply], None]) -> None:
        self._unanswered -= 1
        then(reply)
        if self._unanswered == 0 and self.outcome is None:
            self._settle()

    def _opened(self, reply: Reply) -> None:
        if reply.kind == Kind.HANDLE:
            self._handle = Cursor(reply.body).string()
            self._stage = Stage.WRITING
            return
        status = _status(reply)
        if self.upload.rewrite or status.code not in (Code.FAILURE, Code.FILE_ALREADY_EXISTS):
            self._end(self._refused("creating", status))
        else:  # version 3 has no code for a name that is taken
            self._ask(Kind.LSTAT, string(self._path), lambda found: self._judge_refusal(status, found))

    def _judge_refusal(self, status: Status, found: Reply) -> None:
        taken = found.kind == Kind.ATTRS or status.code == Code.FILE_ALREADY_EXISTS
        path, endpoint = self.upload.path, self._session.endpoint
        self._end(exists_already(path, endpoint) if taken else self._refused("creating", status))

    def _write_next(self) -> None:
        """One WRITE; behind the last one the CLOSE, and the look at the size, without waiting."""
        if not self._rest:
            self._rest = next(self._blocks, self._rest)
        piece = self._rest[: self._session.largest_write]
        self._rest = self._rest[len(piece) :]
        if piece:
            self._send(piece)
        if self._sent == self._reader.size:
            self._stage = Stage.SENT
            self._ask(Kind.CLOSE, string(self._handle), self._closed)
            if self._session.policy.confirm_size:
                self._ask(Kind.STAT, string(self._path), self._seen)

    def _send(self, piece: memoryview) -> None:
        offset, handle, count = self._sent, self._handle, len(piece)
        self._unanswered += 1
        self._session.send_packet(
            lambda number: write(number, handle, offset, piece),
            lambda reply: self._answered(reply, lambda answer: self._written(answer, count)),
        )
        self._sent += count
        self.unconfirmed += count

    def _written(self, reply: Reply, count: int) -> None:
        self.unconfirmed -= count
        status = _status(reply)
        if status.code != Code.OK:
            self._give_up(self._refused("writing", status, Phase.TRANSFER))
        elif self._failure is None:
            self._confirmed += count
            self._report()

    def _report(self) -> None:
        if self._progress is None:
            return
        try:
            self._progress(self._confirmed)
        except Exception as error:  # noqa: BLE001 - it is kept as the cause
            if self._stage is not Stage.WRITING:
                logger.warning("%s: %s was sent whole, too late to cancel", self._session.endpoint, self.upload.path)
                return
            aborted = TransferAborted(f"cancelled by the progress callback ({type(error).__name__})")
            aborted.__cause__ = error
            self._give_up(aborted)

    def _closed(self, reply: Reply) -> None:
        status = _status(reply)
        self._words = str(status)
        if self._failure is not None:
            return
        if status.code == Code.OK:
            self._stage = Stage.CLOSED
        else:
            self._failure = self._unknown(f"the server refused to close it: {status}")

    def _seen(self, reply: Reply) -> None:
        """The size; a server that moves files at once, or lets nobody look, gives none."""
        self._size_seen = read_attributes(Cursor(reply.body)).size if reply.kind == Kind.ATTRS else None
        if self._size_seen not in (None, self._sent) and not self._looked_twice:
            self._looked_twice = True  # the first answer may have been made before the CLOSE took effect
            self._ask(Kind.STAT, string(self._path), self._seen)

    def _renamed(self, reply: Reply) -> None:
        status = _status(reply)
        renaming = f"renaming {self.upload.path} to {self.upload.rename_to}"
        certain = f"all of it lies at {self.upload.path}"
        endpoint = self._session.endpoint
        refusal = refused(renaming, status, endpoint, phase=Phase.CONFIRM, certain=certain)
        self._end(self._receipt() if status.code == Code.OK else refusal)

    def _settle(self) -> None:
        """Every answer is in: the receipt, the last name, or the failure."""
        if self._failure is not None:
            self._end(self._failure)
        elif self._stage is Stage.CLOSED and self._size_seen not in (None, self._sent):
            self._end(self._unknown(f"the server shows {self._size_seen} bytes of {self._sent}"))
        elif self._stage is Stage.CLOSED and self._last_path is not None:
            self._stage = Stage.RENAMING
            self._ask(Kind.RENAME, string(self._path) + string(self._last_path), self._renamed)
        elif self._stage is Stage.CLOSED:
            self._end(self._receipt())

    def _end(self, outcome: PutReceipt | GovfileError) -> None:
        self.outcome = outcome
        self._reader.close()

    def _receipt(self) -> PutReceipt:
        path = self.upload.rename_to if self._stage is Stage.RENAMING else self.upload.path
        return PutReceipt(
            path=path or self.upload.path,
            bytes_sent=self._sent,
            sha256=self._reader.sha256,
            reply=f"every write and the close were confirmed: {self._words}",
            size_seen=self._size_seen,
            seconds=self._session.deadlines.monotonic() - self._started,
        )

    # --- failures -----------------------------------------------------------------------------------------------

    def _give_up(self, error: GovfileError) -> None:
        """Stop, and take the incomplete file away while it is still open: nobody must take it for the whole."""
        if self._failure is not None:
            return
        error.operation, error.endpoint = "put", self._session.endpoint
        self._failure = with_certainty(error, "the document was not handed over; an incomplete file may lie there")
        self._ask(Kind.REMOVE, string(self._path), self._removed)
        if self._stage is Stage.WRITING:
            self._stage = Stage.SENT
            self._ask(Kind.CLOSE, string(self._handle), self._closed)

    def _removed(self, reply: Reply) -> None:
        assert self._failure is not None
        if _status(reply).code == Code.OK:
            self._failure.certain = "the document was not handed over; the incomplete file was removed"

    def _after_loss(self, error: GovfileError) -> GovfileError | PutReceipt:
        if self._is_confirmed() and self._last_path is None:
            return self._receipt()
        begun = self._stage is Stage.ASKED and self._reader.size > 0
        if self._stage is Stage.WRITING or begun:
            sent = f"at most {self._sent} of {self._reader.size} bytes were sent"
            return with_certainty(error, f"the document was not handed over: {sent}; an incomplete file may lie there")
        failure = self._unknown(error.what)
        failure.__cause__ = error
        return failure

    def _is_confirmed(self) -> bool:
        """Whether all is answered for that a receipt says: answers may come in another order than their requests."""
        has_size = self._size_seen in (None, self._sent)
        return self._stage is Stage.CLOSED and self._confirmed == self._sent and has_size

    def _unknown(self, what: str) -> GovfileError:
        evidence = f"{self._stage.value} ({self._confirmed} of {self._reader.size} bytes confirmed)"
        return unknown(self.upload.path, what, evidence, self._session.endpoint)

    def _refused(self, verb: str, status: Status, phase: Phase = Phase.REQUEST) -> GovfileError:
        certain = "nothing was sent" if phase is Phase.REQUEST else ""
        return refused(f"{verb} {self.upload.path}", status, self._session.endpoint, phase=phase, certain=certain)


def _status(reply: Reply) -> Status:
    if reply.kind != Kind.STATUS:
        raise ProtocolError(f"an answer of type {reply.kind} came where a status was due")
    return read_status(reply.body)
