"""Writes what was received, whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from typing import BinaryIO

_Block = TypeVar("_Block", bytes, memoryview)


def write_whole(into: BinaryIO, block: _Block) -> None:
    """All of `block`, also to a writer that takes less at once, as an unbuffered file does on a disk that fills up.

    One that does not count what it takes is believed to take everything. Raises `OSError` where it takes nothing.
    """
    while block:
        taken: int | None = into.write(block)
        if taken is None:
            return
        if taken == 0:
            raise OSError("it takes no more bytes")
        block = block[taken:]
