"""What one login sees and may do: the root, six folders, and the files in them."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

import attrs

from govfile.sandbox.onss.boxes import Stored
from govfile.sandbox.onss.settings import BY_INBOX, FOLDERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from govfile.sandbox.onss.accounts import Channel
    from govfile.sandbox.onss.faults import Faults
    from govfile.sandbox.onss.settings import Settings
    from govfile.sandbox.onss.transfer import TransferPoint

_ROOT = ""


class Missing(Exception):
    """There is no such file or folder."""


class Denied(Exception):
    """That is not allowed."""


class Failed(Exception):
    """It did not work; the words go to the client."""


@attrs.define(eq=False)
class Opened:
    """An open file; `is_written` where it came for that."""

    folder: str
    name: str
    stored: Stored = attrs.field(repr=False)
    is_written: bool
    appends: bool = False


class View:
    """The folders as one login sees them, safe to use from several threads. Raises `Missing`, `Denied`, `Failed`."""

    def __init__(self, channel: Channel, *, point: TransferPoint, settings: Settings, faults: Faults) -> None:
        self._channel = channel
        self._point = point
        self._settings = settings
        self._faults = faults

    # --- paths

    def canonical(self, path: str) -> str:
        """The absolute form of a path; the login's folder is the root."""
        return posixpath.normpath(posixpath.join("/", path)).replace("//", "/", 1)

    def _split(self, path: str) -> tuple[str, str]:
        """Folder and name; either may be empty."""
        folder, _, name = self.canonical(path)[1:].partition("/")
        if folder and (folder not in FOLDERS or folder in self._faults.missing_folders or "/" in name):
            raise Missing(path)
        return folder, name

    def _file(self, path: str) -> tuple[str, str, Stored]:
        folder, name = self._split(path)
        stored = self._point.boxes(self._channel.sender).folders[folder].get(name) if folder and name else None
        if stored is None or (self._faults.vanishing and folder not in BY_INBOX):
            raise Missing(path)
        return folder, name, stored

    # --- looking

    def attributes(self, path: str) -> Stored | None:
        """The file, or None for a folder."""
        with self._point.lock:
            self._point.run_due()
            if self._faults.forbids_stat and self._split(path)[1]:
                raise Denied(path)
            if not self._split(path)[1]:
                return None
            return self._file(path)[2]

    def list(self, path: str) -> Iterator[tuple[str, Stored | None]]:
        """The entries of a folder, with None for a folder in it."""
        with self._point.lock:
            now = self._point.run_due()
            folder, name = self._split(path)
            if name:
                raise Missing(path)
            if folder == _ROOT:
                entries: dict[str, Stored | None] = {
                    each: None for each in FOLDERS if each not in self._faults.missing_folders
                }
            else:
                entries = dict(self._point.boxes(self._channel.sender).folders[folder])
                if folder not in BY_INBOX:
                    extra = [*self._faults.extra_entries]
                    extra += [f"FO.NOTI.999999.20260101.{number:05}.R" for number in range(self._faults.flood)]
                    entries.update({each: Stored.of(b"", now) for each in extra})
        return iter(entries.items())

    def visible_size(self, stored: Stored) -> int:
        """How many bytes of a file are there now."""
        return stored.visible(self._point.run_due())

    # --- reading

    def open_to_read(self, path: str) -> Opened:
        """Open an existing file."""
        with self._point.lock:
            self._point.run_due()
            folder, name, stored = self._file(path)
            return Opened(folder, name, stored, is_written=False)

    def read(self, opened: Opened, offset: int, size: int) -> bytes:
        """Bytes of an open file; none at its end."""
        limit = self._faults.cut_downloads
        if limit is not None and offset + size > limit and opened.stored.size > limit:
            raise Failed("read error")
        with self._point.lock:
            return opened.stored.read(offset, size, self._point.run_due())

    # --- writing

    def open_to_write(self, path: str, *, creates: bool, truncates: bool, exclusive: bool, appends: bool) -> Opened:
        """Open a file in an inbox; it is there from now on."""
        with self._point.lock:
            now = self._point.run_due()
            folder, name = self._split(path)
            if folder not in BY_INBOX or not name or self._faults.refuse_open:
                raise Denied(path)
            box = self._point.boxes(self._channel.sender).folders[folder]
            stored = box.get(name)
            if stored is None and not creates:
                raise Missing(path)
            if stored is not None and exclusive and self._settings.honours_exclusive:
                raise Failed("File exists")
            if stored is not None and not self._settings.may_overwrite:
                raise Denied(path)
            if stored is None or truncates:
                stored = box[name] = Stored(modified=now, kept=self._settings.largest)
            return Opened(folder, name, stored, is_written=True, appends=appends)

    def write(self, opened: Opened, offset: int, data: bytes) -> None:
        """Put bytes into an open file."""
        with self._point.lock:
            if not opened.is_written:
                raise Denied(opened.name)
            offset = opened.stored.size if opened.appends else offset
            limit = self._faults.disk_full_after
            if limit is not None and offset + len(data) > limit:
                opened.stored.write(offset, data[: max(0, limit - offset)])
                raise Failed("No space left on device")
            opened.stored.write(offset, data)
            opened.stored.modified = self._point.run_due()

    def close(self, opened: Opened) -> None:
        """The client is done with a file: one that was written goes to the transfer point."""
        if not opened.is_written:
            return
        if self._faults.refuse_close:
            self.forget(opened)
            raise Failed("Disk quota exceeded")
        self._point.closed(self._channel, opened.folder, opened.name, opened.stored)

    def forget(self, opened: Opened) -> None:
        """An open file goes away."""
        with self._point.lock:
            box = self._point.boxes(self._channel.sender).folders[opened.folder]
            if opened.is_written and box.get(opened.name) is opened.stored:
                del box[opened.name]

    # --- changing

    def remove(self, path: str) -> None:
        """Delete a file, where that is allowed."""
        with self._point.lock:
            self._point.run_due()
            folder, name, _ = self._file(path)
            allowed = self._settings.may_delete if folder in BY_INBOX else self._settings.may_delete_answers
            if not allowed:
                raise Denied(path)
            del self._point.boxes(self._channel.sender).folders[folder][name]

    def rename(self, old: str, new: str) -> None:
        """Rename within an inbox, where that is allowed."""
        with self._point.lock:
            self._point.run_due()
            folder, name, stored = self._file(old)
            to_folder, to_name = self._split(new)
            if not self._settings.may_rename or folder not in BY_INBOX or to_folder != folder or not to_name:
                raise Denied(old)
            box = self._point.boxes(self._channel.sender).folders[folder]
            if to_name in box:
                raise Failed("File exists")
            box[to_name] = box.pop(name)
            self._point.closed(self._channel, folder, to_name, stored)
