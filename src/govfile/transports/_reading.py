"""Reads a document while it is sent; the last block is held back until all of it is as promised."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from govfile.errors import InvalidContent, TransferAborted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from govfile.transports.base import Content

#: Bytes read, hashed and sent at a time.
BLOCK = 256 * 1024


class CheckedReader:
    """The blocks of a document. The last one comes out only when size and SHA-256 are as promised.

    A document of one block is therefore checked before anything is sent. Raises `TransferAborted` on a difference and
    `InvalidContent` when the source cannot be read.
    """

    def __init__(self, content: Content) -> None:
        self.size = content.size
        self._promised = content.sha256
        self._digest = hashlib.sha256()
        self._done = 0
        self._at_end = False
        try:
            self._reader: BinaryIO = content.open()
        except (OSError, ValueError) as error:
            raise InvalidContent(f"the document can no longer be read: {error}") from error
        try:
            self._buffer = bytearray(min(BLOCK, self.size + 1))
            self._first = self._read(self._buffer)
            if self._at_end or self._done > self.size:
                self._check_whole()
        except BaseException:
            self._reader.close()
            raise

    @property
    def sha256(self) -> str:
        """The digest of what was read, 64 hex digits."""
        return self._digest.hexdigest()

    def blocks(self) -> Iterator[memoryview]:
        """The blocks in order; each is good until the next is asked for."""
        buffer, current = self._buffer, self._first
        spare = bytearray() if self._at_end else bytearray(BLOCK)
        while not self._at_end:
            following = self._read(spare)
            if not following or self._done > self.size:
                break
            yield current
            buffer, spare, current = spare, buffer, following
            if len(spare) < BLOCK:
                spare = bytearray(BLOCK)
        self._check_whole()
        if current:
            yield current

    def close(self) -> None:
        """Close the source."""
        self._reader.close()

    def _read(self, buffer: bytearray) -> memoryview:
        """Fill `buffer` as far as the source goes."""
        view, filled = memoryview(buffer), 0
        readinto = getattr(self._reader, "readinto", None)
        try:
            while filled < len(buffer):
                if readinto is not None:
                    count = readinto(view[filled:]) or 0
                else:
                    block = self._reader.read(len(buffer) - filled)
                    count = len(block)
                    view[filled : filled + count] = block
                if not count:
                    self._at_end = True
                    break
                filled += count
        except (OSError, ValueError) as error:
            raise InvalidContent(f"the document can no longer be read: {error}") from error
        self._done += filled
        self._digest.update(view[:filled])
        return view[:filled]

    def _check_whole(self) -> None:
        if self._done == self.size and self.sha256 == self._promised:
            return
        found = "more" if self._done > self.size else f"{self._done}"
        raise TransferAborted(
            f"the source changed: {self.size} bytes were promised and {found} read, "
            f"SHA-256 {self._promised[:12]}… promised and {self.sha256[:12]}… read",
            certain="the last block was not sent",
            advice="let the file come to rest, then submit it again",
        )
