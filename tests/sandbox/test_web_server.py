"""The sandboxes' web server: HTTP as it should be, and broken on request."""

from __future__ import annotations

import contextlib
import functools
import http.client
import socket
import ssl
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from govfile.errors import ConfigurationError
from govfile.sandbox import pki
from govfile.sandbox.web import Request, Response, WebServer
from govfile.sandbox.web_tls import Tls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LOST = (http.client.HTTPException, ConnectionError, ssl.SSLError)
CLIENTS = pki.Issuer.OCES2


def echo(request: Request) -> Response:
    said = f"{request.method} {request.path} {request.query} {request.body.decode()}"
    return Response(body=said.encode(), content_type="text/plain")


def always(response: Response, _: Request) -> Response:
    return response


@contextlib.contextmanager
def running(
    handler: Callable[[Request], Response | None] = echo, *, most: int = 1 << 20, tls: Tls | None = None
) -> Iterator[WebServer]:
    server = WebServer(handler, tls=tls, most=most, clock=lambda: datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC))
    server.start()
    try:
        yield server
    finally:
        server.stop()


def trusting(*, certificate: Path | None = None) -> ssl.SSLContext:
    anchor = pki.pem(pki.authority(pki.Issuer.SERVERS).certificate).decode()
    context = ssl.create_default_context(cadata=anchor)
    if certificate is not None:
        context.load_cert_chain(certificate)
    return context


@contextlib.contextmanager
def connected(server: WebServer, context: ssl.SSLContext | None = None) -> Iterator[http.client.HTTPConnection]:
    if context is None:
        found = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    else:
        found = http.client.HTTPSConnection("127.0.0.1", server.port, timeout=20, context=context)
    with contextlib.closing(found):
        yield found


def ask(connection: http.client.HTTPConnection, path: str = "/", body: bytes = b"") -> tuple[int, bytes]:
    connection.request("POST", path, body=body)
    with connection.getresponse() as found:
        return found.status, found.read()


def raw(server: WebServer, request: bytes) -> bytes:
    """Send bytes, read to the end."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as plain:
        plain.sendall(request)
        plain.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: plain.recv(1 << 16), b""))


def test_one_connection_carries_many_requests() -> None:
    with running() as server, connected(server) as connection:
        assert ask(connection, "/a?b=c", b"d") == (200, b"POST /a b=c d")
        first = connection.sock
        for number in range(20):
            assert ask(connection, body=str(number).encode()) == (200, f"POST /  {number}".encode())
        assert connection.sock is first


def test_head_date_and_length() -> None:
    with running() as server:
        found = raw(server, b"HEAD /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    head, end, body = found.partition(b"\r\n\r\n")
    assert (end, body) == (b"\r\n\r\n", b"")
    assert b"Content-Length: 9" in head
    assert b"Date: Wed, 02 Jan 2030 03:04:05 GMT" in head


def test_a_chunked_request() -> None:
    with running() as server:
        head = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        found = raw(server, head + b"3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: x\r\n\r\n")
    assert found.endswith(b"POST /  abcde")


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"POST / HTTP/1.1\r\nContent-Length: 101\r\n\r\n" + b"x" * 101, b"413"),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"413"),
        (b"POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n" + b"x" * 101, b"413"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"400"),
        (b"BREW / HTTP/1.1\r\n\r\n", b"501"),
        (b"nonsense\r\n\r\n", b"400"),
    ],
)
def test_requests_it_does_not_take(request_: bytes, status: bytes) -> None:
    heard: list[Request] = []

    def remember(request: Request) -> Response:
        heard.append(request)
        return Response()

    with running(remember, most=100) as server:
        assert status in raw(server, request_).partition(b"\r\n")[0]
    assert heard == []


def test_half_a_request_is_never_handled() -> None:
    heard: list[Request] = []

    def remember(request: Request) -> Response:
        heard.append(request)
        return Response()

    with running(remember) as server:
        assert raw(server, b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc") == b""
    assert heard == []


def test_no_answer_breaks_the_connection_off() -> None:
    with running(lambda _: None) as server, connected(server) as connection, pytest.raises(LOST):
        ask(connection)


@pytest.mark.parametrize("cut_after", [0, 5])
def test_an_answer_cut_off(cut_after: int) -> None:
    with running(lambda _: Response(body=b"x" * 100, cut_after=cut_after)) as server, connected(server) as connection:
        with pytest.raises((*LOST, http.client.IncompleteRead)) as caught:
            ask(connection)
        if isinstance(caught.value, http.client.IncompleteRead):
            assert len(caught.value.partial) <= cut_after


def test_pieces_chunks_and_blanks() -> None:
    body = bytes(range(256))
    pieces = Response(body=body, piece=10, pause=0.001, chunked=True, filler=(1 << 20) + 5)
    for response in (pieces, Response(body=body, filler=(1 << 20) + 5), Response(body=body, filler=5)):
        with running(functools.partial(always, response)) as server, connected(server) as connection:
            status, found = ask(connection)
        assert status == 200
        assert found == body + b" " * response.filler


def test_headers_status_and_date_are_the_handlers() -> None:
    made = Response(status=599, headers={"Retry-After": "3"}, content_type="", date=datetime(2020, 2, 29, tzinfo=UTC))
    with running(lambda _: made) as server:
        head = raw(server, b"GET / HTTP/1.1\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 599 Unknown\r\n")
    assert b"Retry-After: 3" in head
    assert b"Content-Type" not in head
    assert b"Date: Sat, 29 Feb 2020 00:00:00 GMT" in head


def test_a_bug_of_the_sandbox_is_told_and_does_not_stop_it(caplog: pytest.LogCaptureFixture) -> None:
    def buggy(request: Request) -> Response:
        if request.path == "/bug":
            raise ZeroDivisionError
        return echo(request)

    with running(buggy) as server, connected(server) as connection:
        assert ask(connection, "/bug")[0] == 500
        assert ask(connection)[0] == 200
    assert "ZeroDivisionError" in caplog.text


def test_stopping_ends_what_is_going_on() -> None:
    begun = threading.Event()

    def slow(_: Request) -> Response:
        begun.set()
        return Response(delay=600)

    failed: list[BaseException] = []
    with running(slow) as server, connected(server) as idle:

        def wait() -> None:
            try:
                with connected(server) as connection:
                    ask(connection)
            except LOST as error:
                failed.append(error)

        idle.connect()
        worker = threading.Thread(target=wait)
        worker.start()
        assert begun.wait(10)
        start = time.monotonic()
        server.stop()
        assert time.monotonic() - start < 30
        worker.join(10)
    assert len(failed) == 1
    assert server.port == 0


def test_a_port_that_is_taken() -> None:
    with running() as server, pytest.raises(ConfigurationError, match=f"port {server.port}"):
        WebServer(echo, port=server.port).start()


# --- TLS


def client_papers(folder: Path, issuer: pki.Issuer = CLIENTS) -> Path:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a client")])
    valid = (datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC))
    place = folder / "client.pem"
    place.write_bytes(pki.client(name, issuer, use="web client", valid=valid).pem())
    return place


def test_tls_with_a_certificate_of_the_sandboxs_issuer() -> None:
    with running(tls=Tls()) as server, connected(server, trusting()) as connection:
        assert server.url == f"https://127.0.0.1:{server.port}"
        assert ask(connection)[0] == 200
        assert isinstance(connection.sock, ssl.SSLSocket)


@pytest.mark.parametrize("what", [found for found in pki.ServerCertificate if found.value != "good"])
def test_a_wrong_server_certificate(what: pki.ServerCertificate) -> None:
    with (
        running(tls=Tls(certificate=what)) as server,
        connected(server, trusting()) as connection,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        ask(connection)


def test_the_handler_sees_the_clients_certificate_whatever_its_dates(tmp_path: Path) -> None:
    tls = Tls(clients=(pki.authority(CLIENTS).certificate,))
    seen: list[x509.Certificate | None] = []

    def look(request: Request) -> Response:
        seen.append(request.certificate)
        return Response()

    with running(look, tls=tls) as server, connected(server, trusting(certificate=client_papers(tmp_path))) as client:
        assert ask(client)[0] == 200
    (found,) = seen
    assert found is not None
    assert found.not_valid_after_utc.year == 2021


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_without_a_certificate_the_client_is_told_so(version: ssl.TLSVersion) -> None:
    tls = Tls(clients=(pki.authority(CLIENTS).certificate,), ceiling=version)
    with running(tls=tls) as server, connected(server, trusting()) as connection:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            ask(connection)
        _wait_for(lambda: any("certificate" in why.lower() for why in server.findings))


def _wait_for(happened: Callable[[], bool]) -> None:
    """The server's thread may be a moment behind the client's."""
    deadline = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_certificate_may_be_optional(tmp_path: Path) -> None:
    tls = Tls(clients=(pki.authority(CLIENTS).certificate,), demanded=False)
    with running(tls=tls) as server:
        for context in (trusting(), trusting(certificate=client_papers(tmp_path))):
            with connected(server, context) as connection:
                assert ask(connection)[0] == 200
        stranger = trusting(certificate=client_papers(tmp_path, pki.Issuer.STRANGER))
        with connected(server, stranger) as connection, pytest.raises((ssl.SSLError, ConnectionError)):
            ask(connection)


def test_what_is_shown_may_change_while_it_runs() -> None:
    shown = [Tls(certificate=pki.ServerCertificate.EXPIRED)]
    server = WebServer(echo, tls=lambda: shown[-1])
    server.start()
    try:
        with connected(server, trusting()) as connection, pytest.raises(ssl.SSLCertVerificationError):
            ask(connection)
        shown.append(Tls())
        with connected(server, trusting()) as connection:
            assert ask(connection)[0] == 200
    finally:
        server.stop()


def test_a_client_that_only_knocks_does_not_keep_others_waiting() -> None:
    with running(tls=Tls()) as server, socket.create_connection(("127.0.0.1", server.port)):
        with connected(server, trusting()) as connection:
            assert ask(connection)[0] == 200
        with socket.create_connection(("127.0.0.1", server.port)) as other:
            other.sendall(b"GET / HTTP/1.1\r\n\r\n")
            assert b"HTTP/1.1 200" not in other.recv(100)
