"""`SftpTransport`: the file transport over SFTP."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from typing import TYPE_CHECKING

from govfile.errors import AuthenticationRefused, ConfigurationError, GovfileError, InvalidName, Phase, TransferRefused
from govfile.transports._deadlines import Deadlines
from govfile.transports.base import TransferType
from govfile.transports.sftp._download import Receiving
from govfile.transports.sftp._folders import Names, read_folder
from govfile.transports.sftp._handshake import Place, check_settings, hang_up, log_in, open_channel, trusted
from govfile.transports.sftp._packets import Code, Cursor, Entry, Kind, read_attributes, read_names, string
from govfile.transports.sftp._packets import remote_file as as_remote_file
from govfile.transports.sftp._session import Session
from govfile.transports.sftp._uploads import Uploads
from govfile.transports.sftp.policy import SftpPolicy
from govfile.transports.sftp.values import Upload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import BinaryIO, Self

    from govfile.certificates.ssh import SshKey
    from govfile.transports.base import Content, GetReceipt, PutReceipt, RemoteFile
    from govfile.transports.sftp.host_keys import HostKeys
    from govfile.transports.sftp.values import SessionFacts

logger = logging.getLogger("govfile.transports.sftp")

#: A session idle for longer (seconds) is asked whether it still stands before anything depends on it.
_IDLE = 15.0


class SftpTransport:
    """Folders of files on an SFTP server, as `govfile.transports.base.FileTransport` draws it.

    `key` signs the login; `host_keys` are the only ones believed; `policy` says how the conversation is held. It
    connects on first use, and again when the server ended an idle session. A refused login is remembered: this
    object never tries it twice. One instance serves one thread (`ConfigurationError` otherwise).

    Every WRITE and CLOSE is answered for before a receipt is given. `put` creates its file exclusively, and where it
    fails half-way it removes what it wrote, if it can. The link lost before the last byte was sent is certain: the
    document was not handed over (`ConnectionFailed`, `TimedOut`), though an incomplete file may lie there. Lost later
    it is `OutcomeUnknown`. An empty file is complete once it was asked for. An exception that is none of ours, such
    as KeyboardInterrupt, goes through once the session is closed; the outcome is then unknown.
    """

    def __init__(
        self,
        host: str,
        port: int = 22,
        *,
        user: str,
        key: SshKey,
        host_keys: HostKeys,
        policy: SftpPolicy | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        check_settings(host, port, user)
        self._user = user
        self._key = key
        self._host_keys = host_keys
        self._policy = policy or SftpPolicy()
        self._endpoint = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._deadlines = Deadlines(self._policy.timeouts, monotonic, self._endpoint)
        self._place = Place(host=host, port=port, policy=self._policy, deadlines=self._deadlines)
        self._busy = threading.Lock()
        self._session: Session | None = None
        self._facts: SessionFacts | None = None
        self._refusal: AuthenticationRefused | None = None
        self._names = Names(self._endpoint)

    def __repr__(self) -> str:
        return f"SftpTransport({self._endpoint}, user={self._user!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def endpoint(self) -> str:
        """Host and port."""
        return self._endpoint

    @property
    def facts(self) -> SessionFacts | None:
        """What was agreed in the last session: the signature algorithm of the login among it. None before the first."""
        return self._facts

    def connect(self) -> SessionFacts:
        """Connect and log in now; what was agreed."""
        with self._call("connect") as session:
            return session.facts

    def home(self) -> str:
        """The folder a login starts in, absolute (REALPATH)."""
        with self._call("home") as session:
            doing = "naming the folder of the login"
            body = session.expect(session.call(Kind.REALPATH, string(b"."), doing), Kind.NAME, doing)
            return next((entry.name.decode("utf-8", "replace") for entry in read_names(body)), "/")

    def list(self, folder: str) -> list[RemoteFile]:
        """The entries of `folder`.

        Devices, pipes, sockets, and names that hold `/` or control characters are skipped and reported in the log;
        names that are not UTF-8 are shown as Latin-1, and `get` and `remove` find them.
        """
        with self._call("list") as session:
            return self._names.show(folder, read_folder(session, folder, self._names.encode(folder)))

    def look(self, path: str) -> RemoteFile | None:
        """One entry without listing its folder; None when it is not there. Raises `TransferRefused` otherwise."""
        raw = self._names.encode(path)
        with self._call("look") as session:
            reply = session.call(Kind.LSTAT, string(raw), f"looking at {path}")
            try:
                attributes = read_attributes(Cursor(session.expect(reply, Kind.ATTRS, f"looking at {path}")))
            except TransferRefused as error:
                if error.code == Code.NO_SUCH_FILE:
                    return None
                raise
            return as_remote_file(Entry(raw.rpartition(b"/")[2], attributes))

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
        """Send `content` under its final name; see `FileTransport.put`, and the class for what is certain when.

        Raises `DuplicateName` when the file is there, unless `rewrite` says that it is an earlier part of our own,
        and `TransferRefused` for any other refusal (`.code` is the SFTP status). `progress` is called with (0, size)
        first, then with confirmed bytes.
        """
        if transfer_type is not TransferType.BINARY:
            raise ConfigurationError("SFTP sends files byte for byte; it has no ASCII type")
        upload = Upload(path=path, content=content, rewrite=rewrite)
        (outcome,) = self._send(
            [upload],
            None if committing is None else lambda _: committing(),
            None if progress is None else lambda _, done: progress(done, content.size),
        )
        if isinstance(outcome, GovfileError):
            raise outcome
        return outcome

    def put_many(
        self,
        uploads: Sequence[Upload],
        *,
        committing: Callable[[Upload], None] | None = None,
        progress: Callable[[Upload, int], None] | None = None,
    ) -> tuple[PutReceipt | GovfileError, ...]:
        """Send several files over one session, many on the way at once; a receipt or an error for each, in order.

        They are independent of each other: where one must be complete before the next, use one call for each. A
        failure of one stops no other. Raises only when no session comes about, or what `committing` raises.
        """
        return self._send(uploads, committing, progress)

    def get(
        self,
        path: str,
        into: BinaryIO,
        *,
        limit: int | None = None,
        progress: Callable[[int, int | None], None] | None = None,
    ) -> GetReceipt:
        """Write the file's bytes to `into`; see `FileTransport.get`."""
        raw = self._names.encode(path)
        with self._call("get") as session:
            return Receiving(session, path, into, limit, progress).run(raw)

    def remove(self, path: str) -> None:
        """Delete one remote file."""
        raw = self._names.encode(path)
        with self._call("remove") as session:
            session.require_ok(session.call(Kind.REMOVE, string(raw), f"deleting {path}"), f"deleting {path}")

    def close(self) -> None:
        """End the session; never raises, and may be called twice."""
        self._drop()

    # --- sessions -----------------------------------------------------------------------------------------------

    def _send(
        self,
        uploads: Sequence[Upload],
        committing: Callable[[Upload], None] | None,
        progress: Callable[[Upload, int], None] | None,
    ) -> tuple[PutReceipt | GovfileError, ...]:
        with self._call("put") as session:
            run = Uploads(session, uploads, committing, progress)
            try:
                run.run()
            finally:
                run.close()
            if run.loss is not None:
                self._drop()
            return tuple(outcome for outcome in run.outcomes if outcome is not None)

    @contextlib.contextmanager
    def _call(self, operation: str) -> Iterator[Session]:
        """One public call: one thread, one total deadline, our own errors, and no session kept that is out of step."""
        if not self._busy.acquire(blocking=False):
            raise ConfigurationError("one SftpTransport is used by two threads", advice="open one for each thread")
        try:
            self._deadlines.begin()
            yield self._ready()
        except (TransferRefused, InvalidName) as error:
            error.operation = operation
            if getattr(error, "phase", None) is Phase.TRANSFER:
                self._drop()
            raise
        except GovfileError as error:
            error.operation, error.endpoint = operation, error.endpoint or self._endpoint
            self._drop()
            raise
        except BaseException:
            self._drop()
            raise
        finally:
            self._busy.release()

    def _ready(self) -> Session:
        """The session, asked whether it stands where it was idle; or a new one."""
        session = self._session
        if session is not None and session.is_alive():
            if self._deadlines.monotonic() - session.last_used < _IDLE:
                return session
            with contextlib.suppress(GovfileError):
                session.call(Kind.REALPATH, string(b"."), "asking whether the session stands")
                return session
            logger.info("%s ended an idle session; connecting again", self._endpoint)
        self._drop()
        return self._connect()

    def _connect(self) -> Session:
        if self._refusal is not None:
            raise AuthenticationRefused(
                f"{self._refusal.what} (remembered; not tried again)",
                certain="nothing was sent",
                endpoint=self._endpoint,
                advice=self._refusal.advice,
            )
        connection = trusted(self._place, self._host_keys)
        try:
            facts = log_in(self._place, connection, self._user, self._key)
            channel = open_channel(self._place, connection)
            connection.set_keepalive(int(self._policy.keep_alive))
            session = Session(connection, channel, facts, self._policy, self._deadlines)
            session.greet()
        except BaseException as error:
            if isinstance(error, AuthenticationRefused):
                self._refusal = error
            hang_up(connection)
            raise
        self._session, self._facts = session, facts
        return session

    def _drop(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.drop()
