"""Receiving one file: READs on the way at once, written in order, to the end of file that the server names."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from govfile.errors import Phase, ProtocolError, Retry, TransferAborted
from govfile.transports._writing import write_whole
from govfile.transports.base import GetReceipt
from govfile.transports.sftp._failures import refused
from govfile.transports.sftp._packets import Code, Cursor, Kind, Open, opening, read_attributes, read_status, string
from govfile.transports.sftp._packets import reading as read_body

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    from govfile.transports.sftp._packets import Reply
    from govfile.transports.sftp._session import Session

#: READs asked before the size is known: a small file is then here in one round trip.
_AT_FIRST = 2


class Receiving:
    """One download. Memory is bounded by the policy's `in_flight`."""

    def __init__(
        self,
        session: Session,
        path: str,
        into: BinaryIO,
        limit: int | None,
        progress: Callable[[int, int | None], None] | None,
    ) -> None:
        self._session = session
        self._path = path
        self._into = into
        self._limit = limit
        self._progress = progress
        self._digest = hashlib.sha256()
        self._handle = b""
        self._size: int | None = None
        self._has_size = False
        self._asked = self._written = self._unanswered = 0
        self._end: int | None = None
        self._early: dict[int, memoryview] = {}

    def run(self, path: bytes) -> GetReceipt:
        """Fetch it; raises `TransferRefused`, `TransferAborted`, `ProtocolError`, or how the link was lost."""
        session, doing = self._session, f"opening {self._path}"
        opened = session.call(Kind.OPEN, opening(path, Open.READ), doing)
        self._handle = Cursor(session.expect(opened, Kind.HANDLE, doing)).string()
        session.ask(Kind.FSTAT, string(self._handle), self._sized)
        while self._end is None or self._unanswered:
            self._ask_more()
            session.turn(f"receiving {self._path}")
        self._check_end()
        session.call(Kind.CLOSE, string(self._handle), f"closing {self._path}")
        return GetReceipt(
            path=self._path,
            size=self._written,
            sha256=self._digest.hexdigest(),
            reply=f"SSH_FX_EOF after {self._written} bytes",
        )

    def _sized(self, reply: Reply) -> None:
        self._has_size = True
        if reply.kind == Kind.ATTRS:
            self._size = read_attributes(Cursor(reply.body)).size or None
        if self._size is not None and self._limit is not None and self._size > self._limit:
            raise self._too_large()

    def _ask_more(self) -> None:
        block = self._session.largest_read
        most = max(1, self._session.policy.in_flight // block) if self._has_size else _AT_FIRST
        while self._end is None and self._unanswered < most and self._may_ask():
            self._ask(self._asked, block)
            self._asked += block

    def _may_ask(self) -> bool:
        """Up to the size, and once beyond it, where the end of file is said."""
        held_back = self._asked - self._written > self._session.policy.in_flight
        beyond = self._size is not None and self._asked > self._size
        return not held_back and (not beyond or self._unanswered == 0)

    def _ask(self, offset: int, length: int) -> None:
        self._unanswered += 1
        self._session.ask(
            Kind.READ, read_body(self._handle, offset, length), lambda reply: self._came(reply, offset, length)
        )

    def _came(self, reply: Reply, offset: int, length: int) -> None:
        self._unanswered -= 1
        if reply.kind == Kind.STATUS:
            status = read_status(reply.body)
            if status.code != Code.EOF:
                raise refused(f"reading {self._path}", status, self._session.endpoint, phase=Phase.TRANSFER)
            self._end = offset if self._end is None else min(self._end, offset)
            return
        count = int.from_bytes(reply.body[:4], "big")
        piece = memoryview(reply.body)[4 : 4 + count]
        if reply.kind != Kind.DATA or not 0 < len(piece) == count <= length:
            raise ProtocolError(f"an answer of type {reply.kind} with {count} bytes came to a READ of {length}")
        if count < length:
            self._ask(offset + count, length - count)
        self._early[offset] = piece
        while (ready := self._early.pop(self._written, None)) is not None:
            self._write(ready)

    def _write(self, piece: memoryview) -> None:
        if self._limit is not None and self._written + len(piece) > self._limit:
            raise self._too_large()
        try:
            write_whole(self._into, piece)
        except (OSError, ValueError) as error:
            raise self._aborted(f"{self._path} cannot be written here: {error}") from error
        self._digest.update(piece)
        self._written += len(piece)
        if self._progress is not None:
            try:
                self._progress(self._written, self._size)
            except Exception as error:
                raise self._aborted(f"cancelled by the progress callback ({type(error).__name__})") from error

    def _check_end(self) -> None:
        if self._early or self._end != self._written or self._size not in (None, self._written):
            shown = "unknown" if self._size is None else f"{self._size} bytes"
            raise TransferAborted(
                f"{self._path} changed while it was read: its size was {shown}, {self._written} bytes came",
                certain="what was written is not to be relied on",
                advice="fetch it again when it has come to rest",
                retry=Retry.SAME_REQUEST,
            )

    def _too_large(self) -> TransferAborted:
        return self._aborted(f"{self._path} is larger than the limit of {self._limit} bytes")

    def _aborted(self, what: str) -> TransferAborted:
        return TransferAborted(what, certain="the file still lies at the other side")
