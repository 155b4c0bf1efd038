"""An SFTP server that misbehaves in one way at a time (asyncssh, which shares nothing with the transport)."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, Any

import asyncssh
import attrs

from support.sshd import Server, key_bytes, ssh_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path


@attrs.define(kw_only=True)
class Faults:
    """What goes wrong; all off at first. `writes` counts the WRITE requests of all files."""

    fail_write: int | None = None  # the number of the WRITE that fails, from 0
    fail_close: bool = False
    forbid_stat: bool = False
    hide_size: bool = False
    show_size: int | None = None
    move_to: Path | None = None  # files are gone the moment they are closed
    forbid_remove: bool = False
    fail_rename: bool = False
    stall_write: int | None = None
    short_reads: int | None = None
    cut_reads_at: int | None = None  # no byte from here on, and no end of file either
    endless_listing: bool = False
    names: tuple[bytes, ...] = ()
    writes: int = 0
    opened: list[Any] = attrs.field(factory=list, repr=False)
    banner: str = ""


class _Server(asyncssh.SSHServer):
    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._connection: asyncssh.SSHServerConnection | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn

    def begin_auth(self, username: str) -> bool:
        if self._faults.banner and self._connection is not None:
            self._connection.send_auth_banner(self._faults.banner)
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return True


class _Files(asyncssh.SFTPServer):
    """The account's files below `root`."""

    def __init__(self, chan: asyncssh.SSHServerChannel[bytes], faults: Faults, root: Path) -> None:
        super().__init__(chan, chroot=str(root).encode())
        self._faults = faults
        self._root = root

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        opened = super().open(path, pflags, attrs)
        self._faults.opened.append(opened)
        return opened

    async def write(self, file_obj: Any, offset: int, data: bytes) -> int:
        number, self._faults.writes = self._faults.writes, self._faults.writes + 1
        if number == self._faults.stall_write:
            await asyncio.sleep(30)
        if number == self._faults.fail_write:
            raise asyncssh.SFTPFailure("No space left on device")
        return super().write(file_obj, offset, data)  # type: ignore[return-value]

    def read(self, file_obj: Any, offset: int, size: int) -> bytes:
        if self._faults.cut_reads_at is not None and offset >= self._faults.cut_reads_at:
            raise asyncssh.SFTPFailure("Input/output error")
        return super().read(file_obj, offset, min(size, self._faults.short_reads or size))  # type: ignore[return-value]

    def close(self, file_obj: Any) -> None:
        name = file_obj.name
        super().close(file_obj)
        if self._faults.move_to is not None:
            source = self._root / name.decode().rpartition("/")[2]
            if source.exists():
                source.rename(self._faults.move_to / source.name)
        if self._faults.fail_close:
            raise asyncssh.SFTPFailure("Disk quota exceeded")

    def stat(self, path: bytes) -> Any:
        if self._faults.forbid_stat:
            raise asyncssh.SFTPPermissionDenied("Permission denied")
        found = asyncssh.SFTPAttrs.from_local(super().stat(path))  # type: ignore[arg-type]
        if self._faults.hide_size:
            found.size = None
        elif self._faults.show_size is not None:
            found.size = self._faults.show_size
        return found

    def remove(self, path: bytes) -> None:
        if self._faults.forbid_remove:
            raise asyncssh.SFTPPermissionDenied("Permission denied")
        super().remove(path)

    def rename(self, oldpath: bytes, newpath: bytes) -> None:
        if self._faults.fail_rename:
            raise asyncssh.SFTPPermissionDenied("Permission denied")
        super().rename(oldpath, newpath)

    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        for name in self._faults.names:
            yield asyncssh.SFTPName(name, attrs=asyncssh.SFTPAttrs(permissions=0o100644, size=1))
        while self._faults.endless_listing:
            yield asyncssh.SFTPName(b"again", attrs=asyncssh.SFTPAttrs(size=1))


@contextlib.contextmanager
def faulty_sftp(root: Path, faults: Faults, **options: Any) -> Iterator[Server]:
    """The server on a thread of its own; `options` go to asyncssh."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> asyncssh.SSHAcceptor:
        return await asyncssh.create_server(
            lambda: _Server(faults),
            "127.0.0.1",
            0,
            server_host_keys=[asyncssh.import_private_key(key_bytes("ed25519-host"))],
            sftp_factory=lambda channel: _Files(channel, faults, root),
            **options,
        )

    acceptor = asyncio.run_coroutine_threadsafe(start(), loop).result(20)
    key = ssh_key("ed25519-host")
    try:
        yield Server(
            port=acceptor.get_port(),
            user="sender",
            key=ssh_key("rsa-user"),
            host_keys={key.kind: key},
            files=root,
            log=root / "no-log",
        )
    finally:
        asyncio.run_coroutine_threadsafe(_stop(acceptor), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(20)
        loop.close()
        for file in faults.opened:
            file.close()


async def _stop(acceptor: asyncssh.SSHAcceptor) -> None:
    acceptor.close()
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
