"""What every way of moving bytes offers: a protocol for files, one for messages, and the values they speak in."""

from __future__ import annotations

import enum
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, BinaryIO, Protocol, runtime_checkable

import attrs

from govfile.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Seconds; more than eleven days.
_LONGEST = 1_000_000

NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class TransferType(enum.Enum):
    """How content crosses: byte for byte, or as lines that each end in CRLF on the wire (FTP type A)."""

    BINARY = "binary"
    ASCII = "ascii"


@attrs.frozen(kw_only=True)
class Timeouts:
    """Deadlines in seconds, each for one phase; `total` bounds a whole call (None: no bound beside the phases).

    `connect` covers name resolution and TCP, `tls` a handshake, `reply` the wait for one server reply, `data` the
    longest time in which no byte moves, `close` a TLS shutdown. Raises `ConfigurationError` for what is no such time.
    """

    connect: float = 30.0
    tls: float = 30.0
    reply: float = 120.0
    data: float = 120.0
    close: float = 5.0
    total: float | None = None

    def __attrs_post_init__(self) -> None:
        for name, seconds in attrs.asdict(self).items():
            if seconds is not None and not 0 <= seconds <= _LONGEST:  # the system cannot wait for much longer
                raise ConfigurationError(
                    f"a deadline of {seconds} seconds ({name}) cannot be kept",
                    advice=f"give 0 to {_LONGEST}; for `total` leave it out where there is no such bound",
                )


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

        `progress` is called as bytes move with (bytes done, bytes in all); raising from it cancels the transfer, unless
        all of it was on its way already.
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


def http_date(text: str) -> datetime | None:
    """The moment that an HTTP date names (RFC 9110, 5.6.7), aware UTC; None for anything else."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _lower_case_names(headers: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType({name.lower(): value for name, value in headers.items()})


@attrs.frozen(kw_only=True)
class Reply:
    """One complete HTTP answer, of any status.

    `headers` has lower-case names; where a header came several times its values are joined by `, `. `body` is what the
    other side meant (a transfer or content coding is undone), as bytes. Its repr shows neither: they may hold a secret.
    """

    status: int
    headers: Mapping[str, str] = attrs.field(factory=dict, converter=_lower_case_names, repr=False)
    body: bytes = attrs.field(default=b"", repr=False)

    @property
    def content_type(self) -> str:
        """The Content-Type header as it came, with its parameters; `""` where there was none."""
        return self.headers.get("content-type", "")

    @property
    def media_type(self) -> str:
        """The Content-Type without its parameters, in lower case."""
        return self.content_type.partition(";")[0].strip().lower()

    @property
    def date(self) -> datetime | None:
        """The server's clock as its Date header gives it, aware UTC; None where it says nothing readable."""
        return http_date(self.headers.get("date", ""))


@runtime_checkable
class MessageTransport(Protocol):
    """Requests that each get one answer from one server. May be called from several threads at once.

    The first call connects. Nothing is ever sent a second time by the transport itself, and no redirect is followed.
    """

    @property
    def endpoint(self) -> str:
        """The other side, for messages: host and port, no secret."""
        ...

    def post(
        self,
        path: str,
        body: bytes,
        *,
        headers: Mapping[str, str] = NO_HEADERS,
        limit: int | None = None,
        total: float | None = None,
        committing: Callable[[], None] | None = None,
    ) -> Reply:
        """Post `body` to `path` (absolute, below the transport's own base) and return the whole answer, of any status.

        `limit` bounds the answer's body in bytes, as it came and after decoding; `total` the whole call in seconds;
        None takes the transport's own. `committing` is called once, right before the first byte of the request can
        leave: the connection stands by then. If it raises, nothing was sent.

        Raises the `TransportError` family when it is certain that no byte of the request left, `OutcomeUnknown` when
        it or a part of it left and no whole answer came, and `ProtocolError` for a redirect or unreadable HTTP.
        """
        ...

    def close(self) -> None:
        """End every connection; never raises, and may be called twice."""
        ...


def join(folder: str, name: str) -> str:
    """The remote path of `name` in `folder`."""
    return f"{folder.rstrip('/')}/{name}"
