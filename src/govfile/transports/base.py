"""What every way of moving files offers: one narrow protocol and the values it speaks in."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, BinaryIO, Protocol, runtime_checkable

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime


class TransferType(enum.Enum):
    """How content crosses: byte for byte, or as lines that each end in CRLF on the wire (FTP type A)."""

    BINARY = "binary"
    ASCII = "ascii"


@attrs.frozen(kw_only=True)
class Timeouts:
    """Deadlines in seconds, each for one phase; `total` bounds a whole call (None: no bound beside the phases).

    `connect` covers name resolution and TCP, `tls` a handshake, `reply` the wait for one server reply, `data` the
    longest time in which no byte moves, `close` a TLS shutdown.
    """

    connect: float = 30.0
    tls: float = 30.0
    reply: float = 120.0
    data: float = 120.0
    close: float = 5.0
    total: float | None = None


class Content(Protocol):
    """What `put` sends: it may be opened again and again, and gives the same bytes each time."""

    @property
    def size(self) -> int:
        """Bytes."""
        ...

    @property
    def sha256(self) -> str:
        """64 hex digits, of the bytes as `open` gives them."""
        ...

    def open(self) -> BinaryIO:
        """A fresh reader at the start."""
        ...


@attrs.frozen(kw_only=True)
class RemoteFile:
    """One entry of a remote folder. `size` (bytes) and `modified` (aware UTC) are None where the server gives none."""

    name: str
    is_folder: bool = False
    size: int | None = None
    modified: datetime | None = None


@attrs.frozen(kw_only=True)
class PutReceipt:
    """What is known of an upload that the server confirmed.

    `bytes_sent` as they crossed the wire (with CRLF in ASCII), `sha256` of the source bytes as they were read while
    sending; `reply` the server's final words; `size_seen` the size the server reported afterwards, None where it was
    not asked or does not say; `tls_version` and `tls_resumed` of the data connection (None where there is no TLS).
    """

    path: str
    bytes_sent: int
    sha256: str
    reply: str
    size_seen: int | None = None
    tls_version: str | None = None
    tls_resumed: bool | None = None
    data_port: int | None = None
    seconds: float = 0.0


@attrs.frozen(kw_only=True)
class GetReceipt:
    """What is known of a complete download: bytes written, their SHA-256, and the server's final words."""

    path: str
    size: int
    sha256: str
    reply: str


@runtime_checkable
class FileTransport(Protocol):
    """Folders of files at the other side. One instance serves one thread; open one more for parallel work.

    Every method connects on first use and raises `TransportError`, `CredentialError` or `ProtocolError` as
    `govfile.errors` draws them. Remote paths use `/`; they are data and never decide a local path.
    """

    @property
    def endpoint(self) -> str:
        """The other side, for messages: host and port, no secret."""
        ...

    def home(self) -> str:
        """The folder a login starts in, absolute."""
        ...

    def list(self, folder: str) -> list[RemoteFile]:
        """The entries of `folder`, files and folders; [] when it is empty. Bounded in count and line length.

        Raises `TransferRefused` when the folder is not there or may not be listed.
        """
        ...

    def put(
        self,
        path: str,
        content: Content,
        *,
        transfer_type: TransferType = TransferType.BINARY,
        committing: Callable[[], None] | None = None,
        progress: Callable[[int, int | None], None] | None = None,
    ) -> PutReceipt:
        """Send `content` under its final name; returns once the server has confirmed the whole of it.

        `progress` is called as bytes move with (bytes done, bytes in all); raising from it cancels the transfer.
        `committing` is called once, after everything that can be checked without a trace and right before the first
        command that can leave one at the other side: record the intent there. If it raises, nothing was sent.

        Raises `TransportError` when it is certain that the document was not handed over, `Rejected` when the server
        refused it after the data, and `OutcomeUnknown` in every other case. Never appends, resumes or renames.
        """
        ...

    def get(
        self,
        path: str,
        into: BinaryIO,
        *,
        limit: int | None = None,
        progress: Callable[[int, int | None], None] | None = None,
    ) -> GetReceipt:
        """Write the file's bytes to `into`; raises `TransferAborted` beyond `limit` bytes.

        A download that ends without the other side's clean end is an error, never a short success.
        """
        ...

    def remove(self, path: str) -> None:
        """Delete one remote file; raises `TransferRefused` when it is not there or may not be deleted."""
        ...

    def close(self) -> None:
        """End the session; never raises, and may be called twice."""
        ...


@runtime_checkable
class ExclusiveTransport(FileTransport, Protocol):
    """A file transport that touches no file that is there already."""

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
        """As `FileTransport.put`; raises `DuplicateName` when the file is there, unless `rewrite` says that it is an
        earlier part of our own.
        """
        ...
