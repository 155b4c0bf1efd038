"""`FtpsTransport`: the file transport over FTP with TLS."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from govfile.certificates.secret import check_secret
from govfile.errors import (
    AuthenticationRefused,
    ConfigurationError,
    GovfileError,
    InvalidName,
    Phase,
    ProtocolError,
    Rejected,
    TransferAborted,
    TransferRefused,
)
from govfile.transports._deadlines import Deadlines
from govfile.transports._paths import encode_path
from govfile.transports._reading import CheckedReader
from govfile.transports.base import GetReceipt, TransferType
from govfile.transports.ftps._data import Transfers
from govfile.transports.ftps._download import Download, receive
from govfile.transports.ftps._failures import SessionEnded
from govfile.transports.ftps._listings import FolderReader
from govfile.transports.ftps._passive import DataPorts
from govfile.transports.ftps._session import Opener, closing
from govfile.transports.ftps._tls import TlsContext
from govfile.transports.ftps._upload import Upload
from govfile.transports.ftps_policy import FtpsPolicy

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from typing import BinaryIO, Self

    from govfile.certificates.credential import Credential
    from govfile.certificates.secret import Secret
    from govfile.transports.base import Content, PutReceipt, RemoteFile
    from govfile.transports.ftps._data import Transfer
    from govfile.transports.ftps._listing import Entries
    from govfile.transports.ftps._replies import Reply
    from govfile.transports.ftps._session import Session

logger = logging.getLogger("govfile.transports.ftps")

_T = TypeVar("_T")


#: After these replies the session is given up: the server closes it (421), or demands a fresher TLS session (425, 522).
_OVER = frozenset({"421", "425", "522"})


class FtpsTransport:
    """Folders of files on an FTPS server, as `govfile.transports.base.FileTransport` draws it.

    `credential` is the client certificate with its key, shown on the control and on every data connection; `policy`
    says how TLS starts, whom to believe and how long to wait; `clock` gives the time certificates are checked at.

    It connects on first use and again, once, when the server ended an idle session. A refused login is remembered:
    this object never tries it twice. One instance serves one thread (`ConfigurationError` otherwise).

    `put` never appends, resumes, renames or uses a temporary name. An exception that is none of ours, such as
    KeyboardInterrupt, goes through it once the session is closed; after `committing` was called, whatever is not
    `TransferRefused` or `Rejected` leaves the outcome unknown.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        user: str,
        password: Secret,
        credential: Credential | None = None,
        policy: FtpsPolicy | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        if not 0 < port < 65536:
            raise ConfigurationError(f"{port} is no TCP port", advice="give a number from 1 to 65535")
        if not host:
            raise ConfigurationError("the host is empty", advice="give a host name or an address")
        check_secret(password, "password")
        self._host = host
        self._port = port
        self._user = user
        self._password = password
        self._credential = credential
        self._policy = policy or FtpsPolicy()
        self._clock = clock
        self._endpoint = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._deadlines = Deadlines(self._policy.timeouts, monotonic, self._endpoint)
        self._busy = threading.Lock()
        self._context: TlsContext | None = None
        self._session: Session | None = None
        self._refusal: AuthenticationRefused | None = None
        self._operation = ""
        self._is_repeated = False
        self._raw_names: dict[str, bytes] = {}
        self._ports = DataPorts(self._policy.passive)
        self._transfers = Transfers(self._policy.session_reuse)
        self._folders = FolderReader(self._ask, self._fetch, self._policy.listing_limit, self._endpoint)

    def __repr__(self) -> str:
        return f"FtpsTransport({self._endpoint}, user={self._user!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def endpoint(self) -> str:
        """Host and port."""
        return self._endpoint

    def home(self) -> str:
        """The folder a login starts in, absolute (PWD)."""
        with self._call("home"):
            return self._home()

    def list(self, folder: str) -> list[RemoteFile]:
        """The entries of `folder`, sizes and times where the server gives them.

        By MLSD, or LIST and NLST where the server does not know it. Names with control characters are skipped and
        reported in the log; names that are not UTF-8 are shown as Latin-1, and `get` and `remove` find them.
        """
        with self._call("list"):
            entries = self._folders.read(self._encode(folder), lambda: self._home().encode("utf-8"))
            entries.report()
            self._remember(folder, entries)
            return entries.found

    def put(
        self,
        path: str,
        content: Content,
        *,
        transfer_type: TransferType = TransferType.BINARY,
        committing: Callable[[], None] | None = None,
        progress: Callable[[int, int | None], None] | None = None,
    ) -> PutReceipt:
        """Send `content` under its final name; see `FileTransport.put`, and the class for what interrupts it.

        The source is read once and compared with the size and SHA-256 it promised: before anything is sent where it
        is small, otherwise before its last block leaves. `progress` is called with (0, size) before anything is sent.
        """
        raw_path = self._encode(path)
        with self._call("put"), contextlib.closing(CheckedReader(content)) as reader:
            if progress is not None:
                self._ask_progress(progress, content.size)
            prepared = self._first(lambda session: self._prepare(session, transfer_type))
            session = self._session
            assert session is not None
            upload = Upload(session, path, raw_path, reader, transfer_type, progress)
            try:
                if committing is not None:
                    committing()
            except BaseException:
                prepared[0].close()
                raise
            receipt = upload.run(self._transfers, self._ports, prepared)
            self._look_ahead(session, is_over=upload.out_of_step)
            return receipt

    def get(
        self,
        path: str,
        into: BinaryIO,
        *,
        limit: int | None = None,
        progress: Callable[[int, int | None], None] | None = None,
    ) -> GetReceipt:
        """Write the file's bytes to `into`; see `FileTransport.get`.

        Where the server ends the data without a TLS close, the size it reports must show that nothing is missing.
        """
        raw_path = self._encode(path)
        with self._call("get"):
            download = Download(path, into, limit, None, progress, self._endpoint)
            reply, clean = self._fetch("RETR", raw_path, download.take)
            download.check_end(reply, clean=clean, ask_size=lambda: self._size(raw_path))
            return GetReceipt(path=path, size=download.size, sha256=download.sha256, reply=str(reply))

    def remove(self, path: str) -> None:
        """Delete one remote file."""
        raw_path = self._encode(path)
        with self._call("remove"):
            reply = self._first(lambda session: self._delete(session, raw_path))
            if reply.code not in (250, 200):
                raise self._refused(f"delete {path}", str(reply), reply.code)

    def close(self) -> None:
        """Say goodbye within the `close` deadline; never raises, and may be called twice."""
        session, self._session = self._session, None
        if session is not None:
            self._deadlines.begin()
            session.quit()

    # --- sessions -----------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _call(self, operation: str) -> Iterator[None]:
        """One public call: one thread, one total deadline, our own errors, and no session kept that is out of step."""
        if not self._busy.acquire(blocking=False):
            raise ConfigurationError("one FtpsTransport is used by two threads", advice="open one for each thread")
        try:
            self._deadlines.begin()
            self._is_repeated, self._operation = operation == self._operation, operation
            yield
        except SessionEnded as ended:
            self._drop()
            ended.error.operation = operation
            raise ended.error from ended.error.__cause__
        except (TransferRefused, Rejected) as error:
            error.operation = operation
            if str(error.code) in _OVER:
                self._drop()
                self._transfers.begin_anew()
            raise
        except InvalidName:
            raise
        except GovfileError as error:
            error.operation = operation
            self._drop()
            raise
        except BaseException:
            self._drop()
            raise
        finally:
            self._busy.release()

    def _first(self, step: Callable[[Session], _T]) -> _T:
        """Do the first, harmless step of a call; an idle session that the server ended is replaced, once."""
        session = self._session
        if session is not None and not _is_alive(session):
            self._drop()
            session = None
        if session is not None:
            try:
                return step(session)
            except SessionEnded as ended:
                logger.info("%s ended an idle session (%s); connecting again", self._endpoint, ended)
                self._drop()
        return step(self._connect())

    def _connect(self) -> Session:
        if self._refusal is not None:
            raise AuthenticationRefused(
                f"{self._refusal.what} (remembered; not tried again)",
                certain="nothing was sent",
                endpoint=self._endpoint,
                advice=self._refusal.advice,
            )
        if self._credential is not None:
            self._credential.check(self._clock())
        if self._context is None:
            self._context = TlsContext(self._host, self._policy, self._credential, self._endpoint)
        opener = Opener(self._host, self._port, self._user, self._password, self._policy, self._deadlines)
        try:
            self._session = opener.open(self._context)
        except AuthenticationRefused as error:
            self._refusal = error
            raise
        return self._session

    def _drop(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.drop()

    # --- steps --------------------------------------------------------------------------------------------------

    def _prepare(self, session: Session, transfer_type: TransferType) -> tuple[socket.socket, int]:
        """What every transfer needs before its command: the type, and a TCP connection to a data port."""
        session.transfer_type(transfer_type)
        return self._ports.connect(session)

    def _look_ahead(self, session: Session, *, is_over: bool) -> None:
        """After a confirmed upload: where uploads follow each other, ask for the next data port already."""
        if self._is_repeated and not is_over:
            try:
                self._ports.ask_ahead(session)
            except (SessionEnded, GovfileError):
                is_over = True  # the upload is confirmed all the same; the next call connects again
        if is_over:
            self._drop()

    def _start(self, verb: str, argument: bytes | None) -> Transfer:
        """A transfer towards us, its data connection secured."""
        prepared = self._first(lambda session: self._prepare(session, TransferType.BINARY))
        assert self._session is not None
        return self._transfers.start(self._session, self._ports, prepared, verb, argument)

    def _ask(self, verb: str, argument: bytes | None) -> Reply:
        return self._first(lambda session: session.ask(verb, argument))

    def _delete(self, session: Session, raw_path: bytes) -> Reply:
        """Said once: where the link is lost behind it, another file may have the name by the time it is said again."""
        try:
            reply = session.control.command("DELE", raw_path)
        except SessionEnded as ended:
            ended.error.certain = "it is not known whether the file was removed"
            raise ended.error from ended.error.__cause__
        if reply.code == 421:
            raise SessionEnded(closing(self._endpoint, reply))
        return reply

    def _fetch(self, verb: str, argument: bytes | None, take: Callable[[bytes], None]) -> tuple[Reply, bool]:
        """Run a transfer towards us; its final reply, and whether its data ended cleanly."""
        transfer = self._start(verb, argument)
        assert self._session is not None
        return receive(self._session, transfer, take)

    def _home(self) -> str:
        reply = self._ask("PWD", None)
        found = re.search(r'"((?:[^"]|"")*)"', reply.text)
        if reply.is_refusal:
            raise self._refused("name the current folder", str(reply), reply.code)
        if reply.code != 257 or found is None or not found[1]:
            raise ProtocolError("the server named no folder", excerpt=str(reply)[:80], endpoint=self._endpoint)
        return found[1].replace('""', '"')

    def _size(self, raw_path: bytes) -> int | None:
        assert self._session is not None
        return self._session.ask("SIZE", raw_path).file_size

    def _ask_progress(self, progress: Callable[[int, int | None], None], size: int) -> None:
        try:
            progress(0, size)
        except Exception as error:
            raise TransferAborted(
                f"cancelled by the progress callback ({type(error).__name__})",
                certain="nothing was sent",
                phase=Phase.REQUEST,
                endpoint=self._endpoint,
            ) from error

    def _encode(self, path: str) -> bytes:
        return self._raw_names.get(path) or encode_path(path)

    def _remember(self, folder: str, entries: Entries) -> None:
        for entry in entries.found:  # it may have had another name in bytes before
            self._raw_names.pop(f"{folder.rstrip('/')}/{entry.name}", None)
        base = self._encode(folder).rstrip(b"/")
        for name, raw in entries.raw.items():
            self._raw_names[f"{folder.rstrip('/')}/{name}"] = base + b"/" + raw

    def _refused(self, what: str, reply: str, code: int) -> TransferRefused:
        return TransferRefused(
            f"the server refused to {what}: {reply}", code=code, reply=reply, endpoint=self._endpoint
        )


def _is_alive(session: Session) -> bool:
    """Whether a session can be used: ours, and nothing came that nobody asked for."""
    if session.made_by != os.getpid():
        return False
    try:
        return session.control.is_quiet()
    except GovfileError:  # a TLS alert
        return False
