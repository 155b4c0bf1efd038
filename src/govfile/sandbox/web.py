"""A small web server on loopback for the sandboxes that speak HTTP: threads, TLS, keep-alive, and broken on request.

It knows nothing of SOAP. A sandbox gives it a function from `Request` to `Response`; what is to go wrong on the wire
is said in the response.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import struct
import threading
from collections import deque
from datetime import UTC, datetime
from email.utils import format_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer
from typing import TYPE_CHECKING, Any, NoReturn, cast

import attrs

from govfile.errors import ConfigurationError
from govfile.sandbox import web_tls

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cryptography import x509

    from govfile.sandbox.web_tls import Tls

_log = logging.getLogger("govfile.sandbox")
_POLL, _STOP_WITHIN, _IDLE, _DRAIN = 0.02, 10.0, 60.0, 0.5
_RESET = struct.pack("ii", 1, 0)
_XML = "text/xml; charset=utf-8"


@attrs.frozen(kw_only=True)
class Request:
    """A whole request: `headers` by lower-case name, `certificate` the one its client showed in TLS."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str] = attrs.field(repr=False)
    body: bytes = attrs.field(repr=False)
    certificate: x509.Certificate | None = attrs.field(default=None, repr=False)

    @property
    def media_type(self) -> str:
        """The content type without its parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


@attrs.frozen(kw_only=True)
class Response:
    """An answer. `content_type` may be empty for none.

    What can be wrong on the way: `delay` seconds before it; the body in pieces of `piece` bytes with `pause` seconds
    between them; only `cut_after` bytes of the body, then the link breaks (0: the head only). `chunked` sends it
    without a length, `date` is what its Date header says (aware UTC), `filler` bytes of blanks follow the body.
    """

    status: int = 200
    body: bytes = attrs.field(default=b"", repr=False)
    content_type: str = _XML
    headers: Mapping[str, str] = attrs.field(factory=dict)
    date: datetime | None = None
    delay: float = 0.0
    piece: int = 1 << 16
    pause: float = 0.0
    cut_after: int | None = None
    chunked: bool = False
    filler: int = 0


class WebServer:
    """HTTP/1.1 on `host`; TLS where `tls` is given (a function is asked anew at each connection).

    `handler` is called in the connection's thread, several at once; None from it breaks the connection off
    without an answer. Requests above `most` bytes are answered 413. `clock` gives the Date header.
    """

    def __init__(
        self,
        handler: Callable[[Request], Response | None],
        *,
        tls: Tls | Callable[[], Tls] | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        most: int = 64 << 20,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.handler = handler
        self.most = most
        self.clock = clock
        self.findings: deque[str] = deque(maxlen=1000)
        self.ending = threading.Event()
        self._tls = tls
        self._address = (host, port)
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """Where it listens; 0 when it does not."""
        return int(self._server.socket.getsockname()[1]) if self._server is not None else 0

    @property
    def url(self) -> str:
        """`https://127.0.0.1:…`, without a slash at its end."""
        return f"{'http' if self._tls is None else 'https'}://{self._address[0]}:{self.port}"

    def start(self) -> None:
        """Listen and serve. Raises `ConfigurationError` when the port is taken."""
        self.ending.clear()
        try:
            self._server = _Server(self._address, self)
        except OSError as error:
            raise ConfigurationError(f"nothing can listen on port {self._address[1]}: {error.strerror}") from error
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL,), name="govfile-sandbox-web", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """End every conversation and free the port; may be called twice."""
        if self._server is None or self._thread is None:
            return
        self.ending.set()
        self._server.shutdown()
        self._thread.join(_STOP_WITHIN)
        self._server.server_close()
        self._server.end_conversations()
        self._server = self._thread = None

    def context(self) -> ssl.SSLContext | None:
        """What the next connection is shown; None for plain HTTP."""
        tls = self._tls() if callable(self._tls) else self._tls
        return web_tls.context(tls) if tls is not None else None

    def find(self, why: str) -> None:
        """Remember why somebody was turned away."""
        self.findings.append(why)
        _log.debug("%s", why)


class _Server(TCPServer):
    """Accepts; each connection has a thread of its own, its handshake included."""

    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], owner: WebServer) -> None:
        self.owner = owner
        self._lock = threading.Lock()
        self._open: dict[threading.Thread, socket.socket] = {}
        super().__init__(address, _Conversation)

    def process_request(self, request: Any, client_address: Any) -> None:
        thread = threading.Thread(
            target=self._converse, args=(request, client_address), name="govfile-sandbox-web-client", daemon=True
        )
        with self._lock:
            self._open[thread] = request
        thread.start()

    def _converse(self, plain: socket.socket, client_address: Any) -> None:
        connection = plain
        try:
            plain.settimeout(_IDLE)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            context = self.owner.context()
            if context is not None:
                connection = context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
                self._shake_hands(connection)
            self.finish_request(connection, client_address)
            _say_goodbye(connection)
        except (OSError, ValueError) as error:
            self.owner.find(f"a conversation ended: {error}")
        finally:
            connection.close()
            with self._lock:
                del self._open[threading.current_thread()]

    def _shake_hands(self, connection: ssl.SSLSocket) -> None:
        with self._lock:
            self._open[threading.current_thread()] = connection
            if self.owner.ending.is_set():
                raise ConnectionAbortedError("the server stops")
        try:
            connection.do_handshake()
        except OSError as error:
            self.owner.find(f"a handshake failed: {error}")
            _let_it_be_read(connection)  # or the alert is lost
            raise

    def end_conversations(self) -> None:
        """Close what is open, and wait for its threads."""
        with self._lock:
            threads = dict(self._open)
        for connection in threads.values():
            with contextlib.suppress(OSError):  # not the method of `ssl`, which takes TLS from under the other thread
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
        for thread in threads:
            thread.join(_STOP_WITHIN)


def _say_goodbye(connection: socket.socket) -> None:
    """End TLS as it should be ended, without waiting for the other side to do so."""
    if isinstance(connection, ssl.SSLSocket):
        connection.settimeout(0)
        with contextlib.suppress(OSError, ValueError):
            connection.unwrap()


def _let_it_be_read(connection: socket.socket) -> None:
    """Say no more and take what still comes: closing with bytes unread would reset what was said last."""
    with contextlib.suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_WR)
        connection.settimeout(_DRAIN)
        while socket.socket.recv(connection, 1 << 16):
            pass


class _TooMuch(Exception):
    """The request is larger than the server takes."""


class _Conversation(BaseHTTPRequestHandler):
    """One connection's requests, one after another."""

    protocol_version = "HTTP/1.1"

    @property
    def _owner(self) -> WebServer:
        return cast("_Server", self.server).owner

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - named so by the base class
        """Say nothing: the base class writes to the standard error."""

    def _answer(self) -> None:
        owner = self._owner
        try:
            body = self._body()
        except (_TooMuch, ValueError) as error:
            self.close_connection = True
            code = 413 if isinstance(error, _TooMuch) else 400
            owner.find(f"a request was refused with {code}")
            self._send(Response(status=code, body=b"refused\n", content_type="text/plain"))
            _let_it_be_read(self.connection)
            return
        path, _, query = self.path.partition("?")
        request = Request(
            method=self.command,
            path=path,
            query=query,
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
            certificate=self._certificate(),
        )
        try:
            response = owner.handler(request)
        except Exception:  # noqa: BLE001 - a bug is told to the client, and the server goes on
            _log.exception("the sandbox failed to answer")
            response = Response(status=500, body=b"the sandbox has a bug\n", content_type="text/plain")
        if response is None or owner.ending.wait(response.delay):
            self._reset()
        else:
            self._send(response)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815 - the base class looks for these

    def _certificate(self) -> x509.Certificate | None:
        if not isinstance(self.connection, ssl.SSLSocket):
            return None
        der = self.connection.getpeercert(binary_form=True)
        return web_tls.certificate(der) if der else None

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return self._chunks()
        length = int(self.headers.get("Content-Length", "0"))
        if not 0 <= length <= self._owner.most:
            raise _TooMuch
        return self._exactly(length)

    def _chunks(self) -> bytes:
        body = bytearray()
        while size := int(self.rfile.readline(100).partition(b";")[0], 16):
            if len(body) + size > self._owner.most:
                raise _TooMuch
            body += self._exactly(size)
            self.rfile.readline(100)
        while self.rfile.readline(1000).strip():
            pass
        return bytes(body)

    def _exactly(self, size: int) -> bytes:
        data = self.rfile.read(size)
        if len(data) < size:
            raise ConnectionResetError("the request broke off")
        return data

    def _send(self, response: Response) -> None:
        body = response.body + b" " * response.filler if response.filler < 1 << 20 else response.body
        blanks = response.filler if body is response.body else 0
        head = self._head(response, len(body) + blanks)
        if self.command == "HEAD":
            self.wfile.write(head)
            return
        if response.cut_after is not None:
            self.wfile.write(head + body[: response.cut_after])
            self._reset()
        self._write(head, body, blanks, response)

    def _write(self, head: bytes, body: bytes, blanks: int, response: Response) -> None:
        start = head
        for at in range(0, len(body), response.piece):
            self.wfile.write(start + _framed(body[at : at + response.piece], is_chunk=response.chunked))
            start = b""
            if response.pause and self._owner.ending.wait(response.pause):
                self._reset()
        for at in range(0, blanks, 1 << 20):
            self.wfile.write(start + _framed(b" " * min(1 << 20, blanks - at), is_chunk=response.chunked))
            start = b""
        self.wfile.write(start + (b"0\r\n\r\n" if response.chunked else b""))

    def _head(self, response: Response, length: int) -> bytes:
        try:
            phrase = HTTPStatus(response.status).phrase
        except ValueError:
            phrase = "Unknown"
        fields = {"Server": "govfile-sandbox", "Date": _http_date(response.date or self._owner.clock())}
        if response.content_type:
            fields["Content-Type"] = response.content_type
        if response.chunked:
            fields["Transfer-Encoding"] = "chunked"
        elif response.status != HTTPStatus.NO_CONTENT:
            fields["Content-Length"] = str(length)
        if self.close_connection:
            fields["Connection"] = "close"
        lines = [f"{name}: {value}" for name, value in {**fields, **response.headers}.items()]
        return "\r\n".join([f"HTTP/1.1 {response.status} {phrase}", *lines, "", ""]).encode("latin-1")

    def _reset(self) -> NoReturn:
        """End the connection as a broken link does."""
        with contextlib.suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        raise ConnectionResetError("cut by the sandbox")


def _framed(data: bytes, *, is_chunk: bool) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data) if is_chunk else data


def _http_date(at: datetime) -> str:
    return format_datetime(at.astimezone(UTC), usegmt=True)
