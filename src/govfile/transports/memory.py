"""A file transport without a network: folders in memory, with the same contract, for tests of whatever is above."""

from __future__ import annotations

import hashlib
import posixpath
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import attrs

from govfile.errors import (
    AuthenticationRefused,
    DuplicateName,
    GovfileError,
    InvalidContent,
    OutcomeUnknown,
    TransferAborted,
    TransferRefused,
)
from govfile.transports._paths import encode_path
from govfile.transports._writing import write_whole
from govfile.transports.base import GetReceipt, PutReceipt, RemoteFile, TransferType
from govfile.transports.line_ends import LineEnds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import BinaryIO

    from govfile.transports.base import Content


@attrs.define
class StoredFile:
    """A file of a `MemoryServer`: its bytes as they arrived, how they crossed, and when (aware UTC)."""

    data: bytes
    transfer_type: TransferType
    modified: datetime


class MemoryServer:
    """The other side of `MemoryTransport`s: any number of them may share it. Paths are absolute, `/` is the root.

    One that `is_exclusive` stores no file over another, unless asked to.
    """

    def __init__(
        self,
        folders: Iterable[str] = (),
        *,
        home: str = "/",
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        is_exclusive: bool = False,
    ) -> None:
        self.is_exclusive = is_exclusive
        self.folders: set[str] = {"/"}
        self.files: dict[str, StoredFile] = {}
        self.home = home
        self.clock = clock
        for folder in [home, *folders]:
            self.make_folder(folder)

    def make_folder(self, folder: str) -> None:
        """Make a folder, and those above it."""
        path = self.absolute(folder)
        while path != "/":
            self.folders.add(path)
            path = posixpath.dirname(path)

    def store(self, path: str, data: bytes, transfer_type: TransferType = TransferType.BINARY) -> None:
        """Put a file there, as the authority would."""
        self.files[self.absolute(path)] = StoredFile(data, transfer_type, self.clock())

    def absolute(self, path: str) -> str:
        """A path as the server sees it: relative ones start at `home`."""
        return posixpath.normpath(posixpath.join("/", self.home, path))


class MemoryTransport:
    """`FileTransport` on a `MemoryServer`. `accepts_login` False makes every call an `AuthenticationRefused`."""

    def __init__(self, server: MemoryServer | None = None, *, accepts_login: bool = True) -> None:
        self.server = server or MemoryServer()
        self.accepts_login = accepts_login
        self.closed = False

    @property
    def endpoint(self) -> str:
        """`memory`."""
        return "memory"

    def home(self) -> str:
        """The folder a login starts in."""
        self._log_in()
        return self.server.home

    def list(self, folder: str) -> list[RemoteFile]:
        """The entries of `folder`; raises `TransferRefused` (550) when it is not there."""
        self._log_in()
        base = self._path(folder)
        if base not in self.server.folders:
            raise self._refused(550, f"{folder}: no such folder")
        folders = [
            RemoteFile(name=posixpath.basename(path), is_folder=True)
            for path in sorted(self.server.folders)
            if path != "/" and posixpath.dirname(path) == base
        ]
        files = [
            RemoteFile(name=posixpath.basename(path), size=len(found.data), modified=found.modified)
            for path, found in sorted(self.server.files.items())
            if posixpath.dirname(path) == base
        ]
        return folders + files

    def put(
        self,
        path: str,
        content: Content,
        *,
        transfer_type: TransferType = TransferType.BINARY,
        committing: Callable[[], None] | None = None,
        progress: Callable[[int, int | None], None] | None = None,
        rewrite: bool = False,
    ) -> PutReceipt:
        """Store `content`; raises `TransferRefused` where its folder is not there (553) or it is one itself (550),
        else as `FtpsTransport` does.

        Nothing is stored unless size and SHA-256 are as promised.
        """
        self._log_in()
        place = self._path(path)
        data = self._read(content)
        if progress is not None:
            self._report(progress, 0, content.size)
        if committing is not None:
            committing()
        if posixpath.dirname(place) not in self.server.folders:
            raise self._refused(553, f"{path}: no such folder")
        if place in self.server.folders:
            raise self._refused(550, f"{path}: not a file")
        if self.server.is_exclusive and not rewrite and place in self.server.files:
            raise DuplicateName(f"{path} is there already", submission=None, certain="nothing was sent")
        if progress is not None:
            try:
                progress(len(data), content.size)
            except Exception as error:
                raise self._unknown(path, f"the progress callback raised {type(error).__name__}") from error
        wire = LineEnds().translate(data) if transfer_type is TransferType.ASCII else data
        self.server.store(place, wire, transfer_type)
        return PutReceipt(
            path=path, bytes_sent=len(wire), sha256=hashlib.sha256(data).hexdigest(), reply="226 Transfer complete"
        )

    def get(
        self,
        path: str,
        into: BinaryIO,
        *,
        limit: int | None = None,
        progress: Callable[[int, int | None], None] | None = None,
    ) -> GetReceipt:
        """Write the file's bytes to `into`; raises `TransferRefused` (550) or `TransferAborted` beyond `limit`."""
        self._log_in()
        found = self.server.files.get(self._path(path))
        if found is None:
            raise self._refused(550, f"{path}: no such file")
        if limit is not None and len(found.data) > limit:
            raise TransferAborted(f"{path} is larger than the limit of {limit} bytes", endpoint=self.endpoint)
        try:
            write_whole(into, found.data)
        except (OSError, ValueError) as error:
            raise TransferAborted(f"{path} cannot be written here: {error}", endpoint=self.endpoint) from error
        if progress is not None:
            self._report(progress, len(found.data), None)
        digest = hashlib.sha256(found.data).hexdigest()
        return GetReceipt(path=path, size=len(found.data), sha256=digest, reply="226 Transfer complete")

    def remove(self, path: str) -> None:
        """Delete one file; raises `TransferRefused` (550) when it is not there."""
        self._log_in()
        if self.server.files.pop(self._path(path), None) is None:
            raise self._refused(550, f"{path}: no such file")

    def close(self) -> None:
        """Nothing to end; the transport may be used again."""
        self.closed = True

    def _log_in(self) -> None:
        if not self.accepts_login:
            raise AuthenticationRefused("the server refused the login", endpoint=self.endpoint)
        self.closed = False

    def _path(self, path: str) -> str:
        encode_path(path)
        return self.server.absolute(path)

    def _read(self, content: Content) -> bytes:
        try:
            with content.open() as reader:
                data = reader.read()
        except (OSError, ValueError) as error:
            raise InvalidContent(f"the document can no longer be read: {error}") from error
        if len(data) != content.size or hashlib.sha256(data).hexdigest() != content.sha256:
            raise TransferAborted("the source changed", certain="nothing was sent", endpoint=self.endpoint)
        return data

    def _report(self, progress: Callable[[int, int | None], None], done: int, size: int | None) -> None:
        try:
            progress(done, size)
        except Exception as error:
            raise TransferAborted(
                f"cancelled by the progress callback ({type(error).__name__})", endpoint=self.endpoint
            ) from error

    def _refused(self, code: int, text: str) -> GovfileError:
        return TransferRefused(
            f"the server refused: {code} {text}", code=code, reply=f"{code} {text}", endpoint=self.endpoint
        )

    def _unknown(self, path: str, what: str) -> OutcomeUnknown:
        return OutcomeUnknown(
            f"it is not known whether {path} arrived: {what}",
            evidence=f"the server was told to store {path}; then {what}",
            how_to_resolve="wait for the authority's word or look there; never send it again before",
            endpoint=self.endpoint,
        )
