"""The SFTP server on loopback: one thread, one event loop, keys, logins, and what every session needs to know."""

from __future__ import annotations

import asyncio
import functools
import logging
import socket
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

import asyncssh
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from govfile.errors import ConfigurationError
from govfile.sandbox import pki
from govfile.sandbox.once import made_once
from govfile.sandbox.onss.accounts import Channel
from govfile.sandbox.onss.folders import View
from govfile.sandbox.onss.settings import HostKey
from govfile.sandbox.onss.sftp import Session
from govfile.sandbox.onss.tap import tapped

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from govfile.sandbox.onss.accounts import Channels
    from govfile.sandbox.onss.faults import Faults
    from govfile.sandbox.onss.settings import Settings
    from govfile.sandbox.onss.transfer import TransferPoint

_log = logging.getLogger("govfile.sandbox")
_HOST = "127.0.0.1"
_STOP_WITHIN = 10.0
_BACKLOG = 100
_REMEMBERED = 100_000
_SHA1 = b"ssh-rsa"
_RSA_SHA2 = ("rsa-sha2-256", "rsa-sha2-512")
_OTHERS = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521")


@made_once
def host_key(kind: HostKey, which: str = "host") -> asyncssh.SSHKey:
    """The server's key; made once in a process."""
    key: Any = pki.rsa_key(which) if kind is HostKey.RSA else _ed25519_key(which)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    return asyncssh.import_private_key(pem)


@made_once
def _ed25519_key(_which: str) -> ed25519.Ed25519PrivateKey:
    return ed25519.Ed25519PrivateKey.generate()


class _Login(asyncssh.SSHServer):
    """Who may come in on one connection."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._door.connections.add(conn)
        self._connection = conn
        if self._door.faults.hides_signatures:
            conn._send_ext_info = lambda: None  # type: ignore[method-assign]  # noqa: SLF001 - no public way

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._door.connections.discard(self._connection)

    def begin_auth(self, username: str) -> bool:  # noqa: ARG002
        if self._door.faults.banner is not None:
            self._connection.send_auth_banner(self._door.faults.banner)
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        if self._door.faults.sha1_only:
            key.all_sig_algorithms = {_SHA1}  # asyncssh announces its list and does not insist on it
        return self._door.admits(username, key.public_data)


class Door:
    """One SFTP server and the state its sessions share. `start`, then `stop`, from any one thread."""

    def __init__(self, *, settings: Settings, faults: Faults, channels: Channels, point: TransferPoint) -> None:
        self.faults = faults
        self.requests: deque[str] = deque(maxlen=_REMEMBERED)
        self.connections: set[asyncssh.SSHServerConnection] = set()
        self.port = 0
        self._settings = settings
        self._channels = channels
        self._point = point
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._ending: asyncio.Event | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._arriving: set[socket.socket] = set()

    # --- life

    def start(self) -> None:
        """Listen and serve. Raises `ConfigurationError` when the port is taken."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((_HOST, self._settings.port))
        except OSError as error:
            listener.close()
            raise ConfigurationError(
                f"the sandbox cannot listen on port {self._settings.port}: {error.strerror}",
                advice="choose another port, or 0 for any free one",
            ) from error
        listener.listen(_BACKLOG)
        listener.setblocking(False)
        self.port = int(listener.getsockname()[1])
        ready = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(listener, ready), name=f"govfile-sandbox-{self.port}", daemon=True
        )
        self._thread.start()
        ready.wait()

    def _run(self, listener: socket.socket, ready: threading.Event) -> None:
        asyncio.run(self._serve(listener, ready))

    async def _serve(self, listener: socket.socket, ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.slow_callback_duration = 60.0  # python -X dev: a busy machine is nobody's fault
        self._ending = asyncio.Event()
        self._loop.add_reader(listener, self._accept, listener)
        ready.set()
        await self._ending.wait()
        self._loop.remove_reader(listener)
        self.drop_connections()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for arriving in (listener, *self._arriving):
            arriving.close()

    def stop(self) -> None:
        """End all conversations and free the port; may be called twice."""
        if self._thread is None:
            return
        assert self._loop is not None
        assert self._ending is not None
        self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join(_STOP_WITHIN)
        self._thread = None

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _accept(self, listener: socket.socket) -> None:
        """Take one caller; not awaited, since a socket accepted by a cancelled task is nobody's and stays open."""
        try:
            client, _ = listener.accept()
        except OSError:  # the caller went away again
            return
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._arriving.add(client)
        self._start(self._receive(client))

    async def _receive(self, client: socket.socket) -> None:
        faults = self.faults
        if faults.cut_after_received is not None or faults.cut_after_sent is not None:
            self._arriving.discard(client)
            client = await tapped(client, received=faults.cut_after_received, sent=faults.cut_after_sent)
            self._arriving.add(client)
        try:
            await asyncssh.run_server(client, **self._options())
        except (asyncssh.Error, OSError) as error:
            _log.info("a connection ended before its login: %s", error)
            client.close()
        self._arriving.discard(client)

    @property
    def host_key(self) -> asyncssh.SSHKey:
        """The key the server shows unless it was told to show another."""
        return host_key(self._settings.host_key)

    def _options(self) -> dict[str, Any]:
        signatures = ("ssh-rsa",) if self.faults.sha1_only else (*_OTHERS, *_RSA_SHA2, "ssh-rsa")
        which = "another host" if self.faults.other_host_key else "host"
        rekeying = {} if self.faults.rekey_after is None else {"rekey_bytes": self.faults.rekey_after}
        return {
            **rekeying,
            "server_factory": functools.partial(_Login, self),
            "server_host_keys": [host_key(self._settings.host_key, which)],
            "signature_algs": signatures,
            "sftp_factory": self._session,
            "sftp_version": 3,
            "encoding": None,
            "allow_scp": False,
            "allow_pty": False,
            "agent_forwarding": False,
            "line_editor": False,
            "password_auth": False,
            "kbdint_auth": False,
            "gss_host": None,
            "keepalive_interval": 0,
            "compression_algs": None,
        }

    def _session(self, channel: asyncssh.SSHServerChannel[bytes]) -> Session:
        found = self._channels.get(str(channel.get_extra_info("username")))
        assert isinstance(found, Channel)
        view = View(found, point=self._point, settings=self._settings, faults=self.faults)
        return Session(channel, view=view, door=self)

    # --- for the sessions, and for the sandbox

    def admits(self, user: str, blob: bytes) -> bool:
        """Whether a user with that key may come in now; says why not in the findings."""
        now = self._point.run_due()
        found = self._channels.get(user)
        why = ""
        if self.faults.refuse_login:
            why = "on request"
        elif found is None:
            why = "there is no such user (the case of its letters counts)"
        elif found.key(now) is None:
            why = "the channel waits for the next synchronisation, at the hour and the half hour"
        elif found.key(now) != blob:
            why = "it is not the key uploaded for this user, or the change waits for the next synchronisation"
        if why:
            self._point.findings.append(f"login of {user!r} refused: {why}")
            _log.info("login refused: %s", why)
        return not why

    async def forever(self) -> None:
        """Never come back: for replies that do not come."""
        await asyncio.Event().wait()

    def drop_connections(self) -> None:
        """Cut every line now."""
        for connection in list(self.connections):
            connection.abort()

    def drop_from_outside(self) -> None:
        """Cut every line, asked from another thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.drop_connections)
