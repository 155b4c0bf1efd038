"""A small HTTPS server that answers as a test tells it, down to the byte, and a proxy that leads to it.

    with ScriptedHttps(plain(200, b"<ok/>")) as server, server.transport() as transport: ...

An answer is bytes, or a function that gets the `Talk` (socket and request) and writes what it likes. Several answers
are given in turn, the last one again and again. It is built on `ssl` alone, with Nagle's delay off.
"""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import struct
import threading
from typing import TYPE_CHECKING, Any, Self

import attrs
import pytest

from govfile.certificates.trust import Trust
from govfile.transports.base import Timeouts
from govfile.transports.https import HttpsTransport
from support.ftp_servers import authority, server_identity
from support.scripted_ftp import tls_context

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from govfile.errors import GovfileError
    from support.pki import Identity

#: Generous, for a busy machine; tests of a deadline make that one short.
PATIENT = Timeouts(connect=20.0, tls=20.0, reply=20.0, data=20.0, total=40.0)


@attrs.frozen
class Request:
    """What came: the first line, the headers (names in lower case), the body."""

    line: str
    headers: dict[str, str]
    body: bytes


class Talk:
    """One request on one connection, as an answer sees it."""

    def __init__(self, sock: socket.socket, request: Request, stopping: threading.Event) -> None:
        self.sock = sock
        self.request = request
        self.stopping = stopping

    def send(self, data: bytes) -> None:
        """Send it all."""
        self.sock.sendall(data)

    def drip(self, data: bytes, seconds: float = 0.02) -> None:
        """Send it byte by byte, each some time after the last."""
        for byte in data:
            self.send(bytes([byte]))
            if self.stopping.wait(seconds):
                return

    def wait(self) -> None:
        """Say nothing until the server stops."""
        self.stopping.wait(60)

    def reset(self) -> None:
        """Break the connection, unread data lost on both sides."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.sock.detach())  # at once, whoever else reads from it

    def hang_up(self) -> None:
        """End the connection without the end that TLS would say."""
        self.sock.shutdown(socket.SHUT_RDWR)


def plain(status: int = 200, body: bytes = b"<ok/>", *headers: str) -> bytes:
    """An answer with a length."""
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def chunked(*chunks: bytes) -> bytes:
    """An answer in chunks."""
    pieces = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + pieces


class _Listener:
    """Accepts connections on loopback, each in a thread of its own, and leaves nothing open behind."""

    def __init__(self) -> None:
        self.connections = 0
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self.drop_connections()
        while self._threads:
            self._threads.pop().join(30)
            self.drop_connections()
        self._listener.close()

    def drop_connections(self) -> None:
        """End all that is open."""
        with self._lock:
            for sock in self._open:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)

    def _start(self, work: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self.stopping.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections += 1
            self._start(self._hold, sock)

    def _hold(self, sock: socket.socket) -> None:
        with self._tracked(sock), contextlib.suppress(OSError):
            self.serve(sock)

    @contextlib.contextmanager
    def _tracked(self, sock: socket.socket) -> Iterator[None]:
        with self._lock:
            self._open.add(sock)
        try:
            yield
        finally:
            with self._lock:
                self._open.discard(sock)
            sock.close()

    def serve(self, sock: socket.socket) -> None:
        """Hold one conversation."""
        raise AssertionError("each kind of server says how")


class ScriptedHttps(_Listener):
    """The server. `requests` is what came; `context` the TLS in use (None: clear text), to be changed at will."""

    def __init__(self, *answers: Any, tls: bool = True, identity: Identity | None = None, **context: Any) -> None:
        super().__init__()
        self.answers: list[bytes | Callable[[Talk], None]] = list(answers) or [plain()]
        self.requests: list[Request] = []
        self.handshakes: list[str] = []
        self.context: ssl.SSLContext | None = None
        self._settings = context
        if tls:
            self.use(identity or server_identity())

    def use(self, identity: Identity) -> None:
        """Show this certificate from the next connection on."""
        self.context = tls_context(identity, **self._settings)

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"{'http' if self.context is None else 'https'}://127.0.0.1:{self.port}"

    @contextlib.contextmanager
    def transport(
        self, *, timeouts: Timeouts = PATIENT, trust: Trust | None = None, **more: Any
    ) -> Iterator[HttpsTransport]:
        """A transport to it."""
        url = more.pop("url", self.url)
        transport = HttpsTransport(url, trust=trust or trusted(), timeouts=timeouts, **more)
        with contextlib.closing(transport):
            yield transport

    def serve(self, sock: socket.socket) -> None:
        if self.context is None:
            self._talk(sock)
            return
        tls = self.context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        with self._tracked(tls):
            try:
                tls.do_handshake()
            except ssl.SSLError as error:
                self.handshakes.append(str(error.reason))
                return
            self.handshakes.append(str(tls.version()))
            self._talk(tls)

    def _talk(self, sock: socket.socket) -> None:
        with sock.makefile("rb") as reader:
            while not self.stopping.is_set():
                request = _read(reader)
                if request is None:
                    return
                with self._lock:
                    self.requests.append(request)
                    answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                if isinstance(answer, bytes):
                    sock.sendall(answer)
                else:
                    answer(Talk(sock, request, self.stopping))
                    if sock.fileno() < 0:
                        return


def _read(reader: Any) -> Request | None:
    line = reader.readline().decode("latin-1").rstrip()
    if not line:
        return None
    headers: dict[str, str] = {}
    while row := reader.readline().decode("latin-1").rstrip():
        name, _, value = row.partition(":")
        headers[name.lower()] = value.strip()
    return Request(line, headers, reader.read(int(headers.get("content-length", "0"))))


class ScriptedProxy(_Listener):
    """A proxy that leads every CONNECT to `port` on this computer, or gives `refusal` as its answer."""

    def __init__(self, port: int, refusal: bytes | None = None) -> None:
        super().__init__()
        self._leads_to = port
        self._refusal = refusal
        self.requests: list[Request] = []

    def serve(self, sock: socket.socket) -> None:
        with sock.makefile("rb", buffering=0) as reader:
            request = _read(reader)
        if request is None:
            return
        self.requests.append(request)
        if self._refusal is not None:
            sock.sendall(self._refusal)
            return
        upstream = socket.create_connection(("127.0.0.1", self._leads_to))
        with self._tracked(upstream):
            sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            self._start(_pour, upstream, sock)
            _pour(sock, upstream)


def _pour(source: socket.socket, into: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(64 * 1024):
            into.sendall(data)
    with contextlib.suppress(OSError):
        into.shutdown(socket.SHUT_WR)


def trusted() -> Trust:
    """The throw-away authority of the servers, and no other."""
    return Trust(system=False, anchors=(authority().identity.certificate,))


def never() -> None:
    """What `committing` is where nothing may come so far."""
    pytest.fail("nothing may be about to leave")


def fails(server: ScriptedHttps, kind: type[GovfileError], **options: Any) -> GovfileError:
    """The error of a post that must not come to the point where something leaves."""
    with server.transport(**options) as transport, pytest.raises(kind) as caught:
        transport.post("/", b"<q/>", committing=never)
    assert server.requests == []
    return caught.value
