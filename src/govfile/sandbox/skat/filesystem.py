"""The folders as pyftpdlib asks for them, answered from memory: nothing but large uploads ever touches a disk."""

from __future__ import annotations

import errno
import hashlib
import io
import posixpath
import tempfile
from typing import TYPE_CHECKING, Any

from govfile.sandbox.skat.folders import OUT, Entry, Place, Spot
from govfile.sandbox.skat.library import AbstractedFS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

_HELD_IN_MEMORY = 8 * 1024 * 1024
_MONTHS = ("", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Upload:
    """A file on its way in: measured while it is written, kept until it is judged."""

    def __init__(self, spot: Spot, name: str, *, limit: int | None) -> None:
        self.spot = spot
        self.name = name
        self.content = tempfile.SpooledTemporaryFile(max_size=_HELD_IN_MEMORY)  # noqa: SIM115 - `close` does it
        self.size = 0
        self.is_full = limit == 0
        self.closed = False
        self._limit = limit
        self._digest = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """Of what has been written."""
        return self._digest.hexdigest()

    def write(self, block: bytes) -> int:
        """Add a block; raises `OSError` (no space) beyond the limit."""
        if self._limit is not None and self.size + len(block) > self._limit:
            self.is_full = True
            raise OSError(errno.ENOSPC, "no space left")
        self._digest.update(block)
        self.size += len(block)
        return self.content.write(block)

    def close(self) -> None:
        """Forget the bytes; an upload is settled before it is closed."""
        self.closed = True
        self.content.close()


class Download(io.BytesIO):
    """A file on its way out."""

    def __init__(self, name: str, content: bytes) -> None:
        super().__init__(content)
        self.name = name


class Folders(AbstractedFS):  # type: ignore[misc]
    """One session's view of the gateway's folders. Paths are the same inside and outside."""

    def __init__(self, root: str, cmd_channel: Any) -> None:
        super().__init__(root, cmd_channel)
        self._view = cmd_channel.view
        self._faults = cmd_channel.door.faults

    # --- paths

    def ftp2fs(self, ftppath: str) -> str:
        return str(self.ftpnorm(ftppath))

    def fs2ftp(self, fspath: str) -> str:
        return fspath

    def validpath(self, path: str) -> bool:  # noqa: ARG002 - pyftpdlib's signature
        return True

    def realpath(self, path: str) -> str:
        return path

    # --- what is there

    def chdir(self, path: str) -> None:
        if not self.isdir(path):
            raise _missing(path)
        self.cwd = path

    def isdir(self, path: str) -> bool:
        return self._view.entries(path) is not None

    def isfile(self, path: str) -> bool:
        return self._entry(path) is not None

    def lexists(self, path: str) -> bool:
        return self.isdir(path) or self.isfile(path)

    def _entry(self, path: str) -> Entry | None:
        folder, name = posixpath.split(path)
        found = self._view.entries(folder) or []
        return next((entry for entry in found if entry.name == name and not entry.is_folder), None)

    def lstat(self, path: str) -> Entry:
        entry = self._entry(path)
        if entry is None:
            raise _missing(path)
        return entry

    stat = lstat

    def getsize(self, path: str) -> int:
        return self.lstat(path).size

    def getmtime(self, path: str) -> float:
        return self.lstat(path).modified.timestamp()

    def listdir(self, path: str) -> list[str]:
        return [entry.name for entry in self._entries(path)]

    def _entries(self, path: str) -> list[Entry]:
        entries = self._view.entries(path)
        if entries is None:
            raise _missing(path)
        if self._view.spot(path).place is not Place.OUT:
            return list(entries)
        now = self._view.back_end.run_due()
        flood = (f"status_{OUT}_{number:06}.xml_1.xml" for number in range(self._faults.flood))
        more = [
            Entry(name=name, is_folder=False, size=412, modified=now) for name in (*self._faults.extra_entries, *flood)
        ]
        return [*entries, *more]

    # --- listings

    def format_list(self, basedir: str, listing: list[str], ignore_err: bool = True) -> Iterator[bytes]:  # noqa: ARG002
        chosen = set(listing)
        for entry in self._entries(basedir):
            if entry.name in chosen:
                kind = "drwxr-xr-x" if entry.is_folder else "-rw-r--r--"
                line = f"{kind}   1 skat     skat     {entry.size:>8} {_ls_date(entry.modified)} {entry.name}\r\n"
                yield line.encode("utf-8", "surrogateescape")

    def format_mlsx(
        self,
        basedir: str,
        listing: list[str],
        perms: str,  # noqa: ARG002
        facts: list[str],
        ignore_err: bool = True,
    ) -> Iterator[bytes]:
        if not ignore_err and not self.lexists(path := posixpath.join(basedir, *listing)):
            raise _missing(path)
        chosen = set(listing)
        for entry in self._entries(basedir):
            if entry.name not in chosen:
                continue
            values = {"modify": f"{entry.modified:%Y%m%d%H%M%S}", "type": "dir" if entry.is_folder else "file"}
            if not entry.is_folder:
                values["size"] = str(entry.size)
            told = "".join(f"{fact}={value};" for fact, value in sorted(values.items()) if fact in facts)
            yield f"{told} {entry.name}\r\n".encode("utf-8", "surrogateescape")

    # --- contents

    def open(self, filename: str, mode: str) -> Upload | Download:
        if mode == "wb":
            return Upload(
                self._view.spot(filename), filename, limit=0 if self._faults.disk_full else self._view.settings.quota
            )
        content = self._view.read(filename)
        if mode != "rb" or content is None:
            raise _missing(filename)
        return Download(filename, content)

    def remove(self, path: str) -> None:
        spot = self._view.spot(path)
        if spot.place is not Place.IN_OUT or not self._view.back_end.remove(spot.identity, spot.name):
            raise _missing(path)


def _missing(path: str) -> OSError:
    return FileNotFoundError(errno.ENOENT, "no such file or folder", path)


def _ls_date(moment: datetime) -> str:
    return f"{_MONTHS[moment.month]} {moment:%d %H:%M}"
