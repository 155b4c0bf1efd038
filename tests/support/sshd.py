"""OpenSSH's server on loopback, configured as each test needs it, and a wire that breaks where a test says."""

from __future__ import annotations

import contextlib
import functools
import getpass
import os
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

import attrs
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from govfile.certificates.ssh import SshKey
from govfile.transports.base import Timeouts
from govfile.transports.sftp import HostKeys, SftpPolicy, SftpTransport
from support.programs import require

if TYPE_CHECKING:
    from collections.abc import Iterator

QUICK = Timeouts(connect=10, tls=20, reply=20, data=20, close=2)


@attrs.frozen(kw_only=True)
class Server:
    """A running SSH server: where it is, its host keys by kind, whom it lets in, and a folder of its files."""

    host: str = "127.0.0.1"
    port: int
    user: str
    key: SshKey
    host_keys: dict[str, SshKey]
    files: Path
    log: Path

    @property
    def pins(self) -> HostKeys:
        """All its host keys, pinned."""
        return HostKeys.pinned(*(key.fingerprint for key in self.host_keys.values()))

    def transport(self, *, port: int | None = None, policy: SftpPolicy | None = None) -> SftpTransport:
        """A transport that believes this server, with short deadlines."""
        return SftpTransport(
            self.host,
            port or self.port,
            user=self.user,
            key=self.key,
            host_keys=self.pins,
            policy=policy or SftpPolicy(timeouts=QUICK),
        )


def openssh_bytes(key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    """A private key as OpenSSH stores it."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())


@functools.cache
def key_bytes(name: str) -> bytes:
    """Throw-away keys of this process, made once: names that begin with `rsa` are RSA keys, others Ed25519."""
    if name.startswith("rsa"):
        return openssh_bytes(rsa.generate_private_key(public_exponent=65537, key_size=2048))
    return openssh_bytes(ed25519.Ed25519PrivateKey.generate())


def ssh_key(name: str) -> SshKey:
    """One of them, loaded."""
    return SshKey.from_bytes(key_bytes(name))


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@contextlib.contextmanager
def sshd(
    folder: Path,
    *options: str,
    host: tuple[str, ...] = ("ed25519-host", "rsa-host"),
    subsystem: str = "internal-sftp",
) -> Iterator[Server]:
    """Debian's sshd; `options` are lines of sshd_config put before ours (the first one said counts there)."""
    program = require("sshd")
    folder.mkdir(parents=True, exist_ok=True)
    files = folder / "files"
    files.mkdir()
    for name in (*host, "rsa-user"):
        path = folder / name
        path.write_bytes(key_bytes(name))
        path.chmod(0o600)
    (folder / "authorized").write_text(ssh_key("rsa-user").public_line() + "\n")
    port = free_port()
    lines = [
        *options,
        f"Port {port}",
        "ListenAddress 127.0.0.1",
        *(f"HostKey {folder / name}" for name in host),
        f"AuthorizedKeysFile {folder / 'authorized'}",
        "StrictModes no",
        "UsePAM no",
        "PermitRootLogin prohibit-password",
        "PasswordAuthentication no",
        "PidFile none",
        f"Subsystem sftp {subsystem}",
        "LogLevel VERBOSE",
        "MaxStartups 100",
    ]
    (folder / "config").write_text("\n".join(lines) + "\n")
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    log = folder / "sshd-log"
    with log.open("wb") as words:
        process = subprocess.Popen([program, "-D", "-e", "-f", str(folder / "config")], stderr=words)
        try:
            _await(port, process, log)
            yield Server(
                port=port,
                user=getpass.getuser() if os.getuid() else "root",
                key=ssh_key("rsa-user"),
                host_keys={ssh_key(name).kind: ssh_key(name) for name in host},
                files=files,
                log=log,
            )
        finally:
            process.terminate()
            process.wait(10)


def _await(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(200):
        if process.poll() is not None:
            raise RuntimeError(f"sshd ended: {log.read_text('utf-8', 'replace')}")
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("sshd does not listen")


class CutWire:
    """A relay on loopback that counts SSH packets each way, and hangs up after a chosen one.

    It can tell packets apart because AES-GCM leaves their lengths in the clear. `sent` and `received` count the
    client's and the server's packets of the latest connection; `cut` is ("sent" or "received", number), None for
    never. With `stall`, it goes silent there instead of hanging up.
    """

    def __init__(self, port: int) -> None:
        self.target = port
        self.cut: tuple[str, int] | None = None
        self.stall = False
        self.counts = {"sent": 0, "received": 0}
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._open: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()

    def hang_up(self) -> None:
        """End every connection now."""
        for sock in self._open:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        self._open.clear()

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self.target))
            for sock in (near, far):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._open += [near, far]
            self.connections += 1
            self.counts = {"sent": 0, "received": 0}
            for source, sink, way in ((near, far, "sent"), (far, near, "received")):
                threading.Thread(target=self._relay, args=(source, sink, way), daemon=True).start()

    def _relay(self, source: socket.socket, sink: socket.socket, way: str) -> None:
        with contextlib.suppress(OSError, EOFError, ValueError):
            stream = source.makefile("rb")
            sink.sendall(stream.readline())
            is_secret = False
            while True:
                head = _exactly(stream, 4)
                length = int.from_bytes(head, "big")
                body = _exactly(stream, length + (16 if is_secret else 0))
                if self.cut == (way, self.counts[way]):
                    if self.stall:
                        threading.Event().wait(30)
                    break
                self.counts[way] += 1
                sink.sendall(head + body)
                is_secret = is_secret or body[1] == 21  # NEWKEYS
        for sock in (source, sink):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


def _exactly(stream: object, count: int) -> bytes:
    data: bytes = stream.read(count)  # type: ignore[attr-defined]
    if len(data) < count:
        raise EOFError
    return data
