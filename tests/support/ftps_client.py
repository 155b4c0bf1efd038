"""A foreign FTPS client for judging servers: Python's own ftplib, which knows nothing of ours."""

from __future__ import annotations

import ftplib
import io
import ssl
import tempfile
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from pathlib import Path

    from govfile.sandbox.skat import Identity, SkatSandbox
    from govfile.sandbox.skat.authority import Host


class Client(ftplib.FTP_TLS):
    """`ftplib.FTP_TLS` that can resume the control connection's TLS session, and speak TLS from the first byte."""

    resumes = False
    implicit = False

    def connect(self, host: str = "", port: int = 0, timeout: float = -999, source_address: Any = None) -> str:
        if not self.implicit:
            return super().connect(host, port, timeout, source_address)
        import socket as sockets

        raw = sockets.create_connection((host, port), 10)
        self.sock = self.context.wrap_socket(raw, server_hostname=host)
        self.af = raw.family
        self.host = host
        self.file = self.sock.makefile("r", encoding=self.encoding)
        self.welcome = self.getresp()
        return self.welcome

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[socket.socket, int | None]:
        if not self.resumes:
            return super().ntransfercmd(cmd, rest)
        connection, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        assert isinstance(self.sock, ssl.SSLSocket)
        return self.context.wrap_socket(connection, server_hostname=self.host, session=self.sock.session), size

    def upload(self, path: str, content: bytes, *, ascii_type: bool = False) -> str:
        """Store `content` under `path`; returns the server's last words."""
        if ascii_type:
            return self.storlines(f"STOR {path}", io.BytesIO(content))
        return self.storbinary(f"STOR {path}", io.BytesIO(content))

    def download(self, path: str) -> bytes:
        """The bytes of a file."""
        blocks: list[bytes] = []
        self.retrbinary(f"RETR {path}", blocks.append)
        return b"".join(blocks)

    def names(self, folder: str) -> list[str]:
        """The names in a folder, by MLSD."""
        return [name for name, _ in self.mlsd(folder)]


def context(
    identity: Identity | None, trust: bytes, folder: Path, *, version: ssl.TLSVersion | None = None
) -> ssl.SSLContext:
    """A client context with the identity's certificate; `folder` is for the file that `ssl` insists on."""
    found = ssl.create_default_context(cadata=trust.decode())
    if version is not None:
        found.minimum_version = found.maximum_version = version
    if identity is not None:
        with tempfile.NamedTemporaryFile(dir=folder, suffix=".pem") as place:
            place.write(identity.pem())
            place.flush()
            found.load_cert_chain(place.name)
    return found


def log_in(
    sandbox: SkatSandbox,
    folder: Path,
    identity: Identity | None = None,
    *,
    at: Host | None = None,
    username: str | None = None,
    password: str | None = None,
    resumes: bool = False,
    implicit: bool = False,
    version: ssl.TLSVersion | None = None,
    timeout: float = 10,
) -> Client:
    """A logged-in session with protected data connections; raises what ftplib and ssl raise."""
    identity = identity or sandbox.identity
    client = Client(context=context(identity, sandbox.trust_pem(), folder, version=version), timeout=timeout)
    client.resumes, client.implicit = resumes, implicit
    try:
        client.connect("localhost", (at or sandbox).port)
        client.login(username or identity.username, password or identity.password.reveal(), secure=not implicit)
        client.prot_p()
    except BaseException:
        client.close()
        raise
    return client


def eventually(condition: Callable[[], bool], *, within: float = 5.0) -> bool:
    """Whether `condition` comes to hold: the server's thread may be a moment behind its own reply."""
    end = time.monotonic() + within
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True
