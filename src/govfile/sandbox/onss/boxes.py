"""The folders of one sender, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from govfile.sandbox.onss.settings import FOLDERS

if TYPE_CHECKING:
    from datetime import datetime


@attrs.define(eq=False)
class Stored:
    """A file: no more than `kept` bytes of its content are held, `size` counts all. Half is there until `whole_at`."""

    modified: datetime
    kept: int
    content: bytearray = attrs.field(factory=bytearray, repr=False)
    size: int = 0
    whole_at: datetime | None = None

    @classmethod
    def of(cls, content: bytes, at: datetime, whole_at: datetime | None = None) -> Stored:
        """A finished file."""
        return cls(modified=at, kept=len(content), content=bytearray(content), size=len(content), whole_at=whole_at)

    def write(self, offset: int, data: bytes) -> None:
        """Put bytes at an offset; a gap before it is filled with zeros."""
        self.size = max(self.size, offset + len(data))
        data = data[: max(0, self.kept - offset)]
        if data:
            self.content.extend(bytes(max(0, offset - len(self.content))))
            self.content[offset : offset + len(data)] = data

    def visible(self, now: datetime) -> int:
        """How many bytes a reader finds now."""
        return self.size if self.whole_at is None or now >= self.whole_at else self.size // 2

    def read(self, offset: int, size: int, now: datetime) -> bytes:
        """Bytes from an offset, as far as they are there now."""
        return bytes(self.content[offset : min(offset + size, self.visible(now))])


class Boxes:
    """Folder → name → file, and what has been moved out of sight and not been looked at yet."""

    def __init__(self) -> None:
        self.folders: dict[str, dict[str, Stored]] = {name: {} for name in FOLDERS}
        self.moved: dict[str, dict[str, Stored]] = {name: {} for name in FOLDERS}

    def hide(self, folder: str, name: str) -> None:
        """Move a file out of sight."""
        stored = self.folders[folder].pop(name, None)
        if stored is not None:
            self.moved[folder][name] = stored

    def waiting(self, folder: str) -> dict[str, Stored]:
        """All that lies in an inbox, in sight or not."""
        return {**self.folders[folder], **self.moved[folder]}

    def clear(self, folder: str, name: str, *, keep_in_sight: bool = False) -> None:
        """Take a file away after it was dealt with."""
        self.moved[folder].pop(name, None)
        if not keep_in_sight:
            self.folders[folder].pop(name, None)
