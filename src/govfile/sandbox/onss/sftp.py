"""The SFTP side of one connection: asyncssh speaks the protocol, every request is ours."""

from __future__ import annotations

import asyncio
import contextlib
import enum
import posixpath
from typing import TYPE_CHECKING

import asyncssh

from govfile.sandbox.onss.faults import When
from govfile.sandbox.onss.folders import Denied, Failed, Missing, Opened

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from govfile.sandbox.onss.boxes import Stored
    from govfile.sandbox.onss.door import Door
    from govfile.sandbox.onss.folders import View

_FOLDER_MODE, _FILE_MODE = 0o40750, 0o100640
_OWNER = 1000
_SHOWN_OWNER = "channel"
_LISTED_AT_ONCE = 100


class _Open(enum.IntFlag):
    """Flags of an open request (draft-ietf-secsh-filexfer-02, section 6.3)."""

    WRITE = 0x02
    APPEND = 0x04
    CREAT = 0x08
    TRUNC = 0x10
    EXCL = 0x20


class Session(asyncssh.SFTPServer):
    """The requests of one connection. Nothing of the machine's own files can be reached by it."""

    def __init__(self, channel: asyncssh.SSHServerChannel[bytes], *, view: View, door: Door) -> None:
        super().__init__(channel)
        self._view = view
        self._door = door
        self._is_over = False

    # --- around each request

    @contextlib.asynccontextmanager
    async def _request(self, operation: str, path: str | bytes) -> AsyncIterator[str]:
        """Note a request, be slow, drop or fall silent where asked to; turn refusals into replies."""
        faults = self._door.faults
        shown = path.decode("utf-8", "surrogateescape") if isinstance(path, bytes) else path
        self._door.requests.append(f"{operation} {shown}")
        if faults.delay:
            await asyncio.sleep(faults.delay)
        if operation in faults.silent_at:
            await self._door.forever()
        drop = faults.drop
        falls = drop is not None and drop.falls_on(operation, posixpath.basename(shown))
        if drop is not None and falls and drop.when is When.BEFORE:
            self._drop()
        with _replies():
            yield shown
        if falls:
            self._drop()

    def _drop(self) -> None:
        self._door.faults.drop = None
        self._is_over = True
        self.connection.abort()
        raise asyncssh.SFTPConnectionLost("on request")

    # --- files

    async def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:  # noqa: ARG002
        """Open a file to read or to write."""
        opened: Opened | None = None
        try:
            async with self._request("open", path) as name:
                if not pflags & _Open.WRITE:
                    return self._view.open_to_read(name)
                opened = self._view.open_to_write(
                    name,
                    creates=bool(pflags & _Open.CREAT),
                    truncates=bool(pflags & _Open.TRUNC),
                    exclusive=bool(pflags & _Open.EXCL),
                    appends=bool(pflags & _Open.APPEND),
                )
        except asyncssh.SFTPConnectionLost:
            if opened is not None:  # nobody else knows of it, so nobody else would close it
                self._abandon(opened)
            raise
        return opened

    async def read(self, file_obj: object, offset: int, size: int) -> bytes:
        """Bytes of an open file."""
        opened = _opened(file_obj)
        async with self._request("read", opened.name):
            return self._view.read(opened, offset, size)

    async def write(self, file_obj: object, offset: int, data: bytes) -> int:
        """Bytes into an open file."""
        opened = _opened(file_obj)
        async with self._request("write", opened.name):
            self._view.write(opened, offset, data)
        return len(data)

    async def close(self, file_obj: object) -> None:
        """The end of an open file, or of the connection that left it open."""
        opened = _opened(file_obj)
        if self._is_over or self.channel.is_closing() or self.connection.is_closed():
            self._abandon(opened)
            return
        try:
            async with self._request("close", opened.name):
                self._view.close(opened)
        except asyncssh.SFTPConnectionLost:
            self._abandon(opened)
            raise

    def _abandon(self, opened: Opened) -> None:
        """What becomes of a file whose line broke before it was closed: it is there, as far as it came."""
        if self._door.faults.loses_open_files:
            self._view.forget(opened)
        else:
            with contextlib.suppress(Failed):
                self._view.close(opened)

    # --- attributes

    async def stat(self, path: bytes) -> asyncssh.SFTPAttrs:
        """Attributes of a file or folder."""
        async with self._request("stat", path) as name:
            return self._attributes(self._view.attributes(name))

    async def lstat(self, path: bytes) -> asyncssh.SFTPAttrs:
        """The same: there are no links."""
        return await self.stat(path)

    async def fstat(self, file_obj: object) -> asyncssh.SFTPAttrs:
        """Attributes of an open file."""
        opened = _opened(file_obj)
        async with self._request("fstat", opened.name):
            if self._door.faults.forbids_stat:
                raise Denied(opened.name)
            return self._attributes(opened.stored)

    async def setstat(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:  # noqa: ARG002
        """Modes and times are accepted and not kept."""
        async with self._request("setstat", path):
            pass

    async def lsetstat(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        """As above."""
        await self.setstat(path, attrs)

    async def fsetstat(self, file_obj: object, attrs: asyncssh.SFTPAttrs) -> None:
        """As above."""
        await self.setstat(_opened(file_obj).name.encode(), attrs)

    def _attributes(self, stored: Stored | None) -> asyncssh.SFTPAttrs:
        if stored is None:
            return asyncssh.SFTPAttrs(uid=_OWNER, gid=_OWNER, permissions=_FOLDER_MODE, size=4096, atime=0, mtime=0)
        changed = int(stored.modified.timestamp())
        size = None if self._door.faults.hides_sizes else self._view.visible_size(stored)
        return asyncssh.SFTPAttrs(
            uid=_OWNER, gid=_OWNER, permissions=_FILE_MODE, size=size, atime=changed, mtime=changed
        )

    def format_user(self, uid: int | None) -> str:  # noqa: ARG002 - not the machine's users
        """Who owns files, as listings show it."""
        return _SHOWN_OWNER

    def format_group(self, gid: int | None) -> str:  # noqa: ARG002
        """As above."""
        return _SHOWN_OWNER

    # --- folders

    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        """The entries of a folder."""
        async with self._request("scandir", path) as name:
            entries = list(self._view.list(name))
        dots: list[tuple[str, Stored | None]] = [(".", None), ("..", None)]
        for number, (entry, stored) in enumerate([*dots, *entries]):
            raw = entry.encode("utf-8", "surrogateescape")
            found = asyncssh.SFTPName(raw, attrs=self._attributes(stored))
            yield found
            if number % _LISTED_AT_ONCE == 0:
                await asyncio.sleep(0)

    async def realpath(self, path: bytes) -> bytes:
        """The absolute path."""
        async with self._request("realpath", path) as name:
            return self._view.canonical(name).encode("utf-8", "surrogateescape")

    async def remove(self, path: bytes) -> None:
        """Delete a file."""
        async with self._request("remove", path) as name:
            self._view.remove(name)

    async def rename(self, oldpath: bytes, newpath: bytes) -> None:
        """Rename a file."""
        async with self._request("rename", oldpath) as name:
            self._view.rename(name, newpath.decode("utf-8", "surrogateescape"))

    async def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        """The same."""
        await self.rename(oldpath, newpath)

    # --- what nobody may do

    async def _refuse(self, operation: str, path: bytes) -> None:
        async with self._request(operation, path) as name:
            raise Denied(name)

    async def mkdir(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:  # noqa: ARG002
        """Folders are the authority's."""
        await self._refuse("mkdir", path)

    async def rmdir(self, path: bytes) -> None:
        """Folders are the authority's."""
        await self._refuse("rmdir", path)

    async def readlink(self, path: bytes) -> bytes:
        """There are no links."""
        await self._refuse("readlink", path)
        return b""

    async def symlink(self, oldpath: bytes, newpath: bytes) -> None:  # noqa: ARG002
        """There are no links."""
        await self._refuse("symlink", oldpath)

    async def link(self, oldpath: bytes, newpath: bytes) -> None:  # noqa: ARG002
        """There are no links."""
        await self._refuse("link", oldpath)

    async def statvfs(self, path: bytes) -> asyncssh.SFTPVFSAttrs:
        """How much room there is, is not told."""
        await self._refuse("statvfs", path)
        return asyncssh.SFTPVFSAttrs()

    async def fstatvfs(self, file_obj: object) -> asyncssh.SFTPVFSAttrs:
        """How much room there is, is not told."""
        return await self.statvfs(_opened(file_obj).name.encode())

    async def fsync(self, file_obj: object) -> None:
        """Everything is in memory."""
        async with self._request("fsync", _opened(file_obj).name):
            pass


def _opened(file_obj: object) -> Opened:
    assert isinstance(file_obj, Opened)
    return file_obj


@contextlib.contextmanager
def _replies() -> Iterator[None]:
    """Refusals in the words of SFTP version 3."""
    try:
        yield
    except Missing as error:
        raise asyncssh.SFTPNoSuchFile("No such file") from error
    except Denied as error:
        raise asyncssh.SFTPPermissionDenied("Permission denied") from error
    except Failed as error:
        raise asyncssh.SFTPFailure(str(error)) from error
