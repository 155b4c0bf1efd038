"""Connections that are kept, shared, forked, cancelled; and what the logs say of it all."""

from __future__ import annotations

import contextlib
import http.client
import logging
import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from govfile.certificates.secret import Secret
from govfile.errors import ConnectionFailed, OutcomeUnknown
from govfile.transports.https._watch import Watch, is_readable
from govfile.transports.https_policy import HttpsPolicy, Proxy
from support.scripted_https import PATIENT, ScriptedHttps, ScriptedProxy, Talk, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from govfile.transports.https import HttpsTransport

KEPT = HttpsPolicy(idle=60.0)


@pytest.fixture
def server() -> Iterator[ScriptedHttps]:
    with ScriptedHttps() as found:
        yield found


@pytest.fixture
def transport(server: ScriptedHttps) -> Iterator[HttpsTransport]:
    with server.transport(policy=KEPT) as found:
        yield found


def test_a_connection_is_kept(server: ScriptedHttps, transport: HttpsTransport) -> None:
    for _ in range(5):
        assert transport.post("/", b"<q/>").status == 200
    assert server.connections == 1
    assert len(server.requests) == 5


@pytest.mark.parametrize(
    ("answer", "connections"),
    [
        (plain(200, b"<a/>", "Connection: close"), 2),
        (plain(200, b"<a/>").replace(b"HTTP/1.1", b"HTTP/1.0"), 2),
        (plain(200, b"<a/>", "Keep-Alive: timeout=0, max=5"), 2),
        (plain(200, b"<a/>", "Keep-Alive: timeout=60"), 1),
        (plain(500, b"<a/>"), 1),
    ],
)
def test_a_connection_is_kept_only_as_the_server_says(answer: bytes, connections: int) -> None:
    with ScriptedHttps(answer) as server, server.transport(policy=KEPT) as transport:
        transport.post("/", b"")
        transport.post("/", b"")
        assert server.connections == connections


def test_a_connection_is_not_kept_beyond_the_policy(server: ScriptedHttps) -> None:
    now = [100.0]
    with server.transport(policy=HttpsPolicy(idle=4.0), monotonic=lambda: now[0]) as transport:
        for seconds, connections in ((0.0, 1), (3.9, 1), (4.1, 2)):
            now[0] += seconds
            transport.post("/", b"")
            assert server.connections == connections


def test_a_connection_that_the_server_closed_is_noticed_before_anything_is_sent(
    server: ScriptedHttps, transport: HttpsTransport
) -> None:
    transport.post("/", b"1")
    (kept,) = transport._pool._waiting
    server.drop_connections()
    wait_until(lambda: is_readable(kept.sock))
    assert transport.post("/", b"2").status == 200
    assert [request.body for request in server.requests] == [b"1", b"2"]


def test_w03_words_that_nobody_asked_for_are_not_taken_for_the_next_answer(server: ScriptedHttps) -> None:
    """A second answer behind the first must not be read as the answer to the next request."""
    said = threading.Event()

    def twice(talk: Talk) -> None:
        talk.send(plain(200, b"first"))
        said.wait(30)
        talk.send(plain(200, b"smuggled"))

    server.answers = [twice, plain(200, b"second")]
    with server.transport(policy=KEPT) as transport:
        assert transport.post("/", b"").body == b"first"
        (kept,) = transport._pool._waiting
        said.set()
        wait_until(lambda: is_readable(kept.sock))
        assert transport.post("/", b"").body == b"second"
    assert server.connections == 2


def test_w06_a_kept_connection_that_breaks_under_a_request_is_an_unknown_outcome_and_nothing_is_repeated(
    server: ScriptedHttps, transport: HttpsTransport
) -> None:
    transport.post("/", b"1")
    server.answers = [Talk.reset]
    with pytest.raises(OutcomeUnknown):
        transport.post("/", b"2")
    assert [request.body for request in server.requests] == [b"1", b"2"]
    assert server.connections == 1


def test_a_connection_that_breaks_before_the_first_byte_is_certain(
    server: ScriptedHttps, transport: HttpsTransport
) -> None:
    transport.post("/", b"1")
    (kept,) = transport._pool._waiting

    def meanwhile() -> None:
        server.drop_connections()
        wait_until(lambda: is_readable(kept.sock))
        with contextlib.suppress(OSError):  # the first write after the other side's end is accepted by the system
            kept.sock.setblocking(True)
            socket.socket.shutdown(kept.sock, socket.SHUT_WR)

    with pytest.raises(ConnectionFailed) as caught:
        transport.post("/", b"2", committing=meanwhile)
    assert caught.value.certain == "no byte of the request left"
    assert len(server.requests) == 1


def test_a_closed_transport_holds_nothing_open(server: ScriptedHttps, transport: HttpsTransport) -> None:
    transport.post("/", b"")
    transport.close()
    transport.close()
    assert transport._pool._waiting == []
    assert transport.post("/", b"").status == 200, "it still works"
    assert transport._pool._waiting == [], "and keeps nothing"


# --- the intent -------------------------------------------------------------------------------------------------


def test_the_intent_is_told_once_with_the_connection_standing_and_before_anything_leaves(
    server: ScriptedHttps, transport: HttpsTransport
) -> None:
    seen: list[tuple[int, int]] = []
    for _ in range(2):
        transport.post("/", b"", committing=lambda: seen.append((server.connections, len(server.requests))))
    assert seen == [(1, 0), (1, 1)]


def test_when_the_intent_cannot_be_recorded_nothing_is_sent(server: ScriptedHttps, transport: HttpsTransport) -> None:
    def full() -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        transport.post("/", b"", committing=full)
    transport.post("/", b"later")
    assert [request.body for request in server.requests] == [b"later"]


@pytest.mark.parametrize("step", [0, 1, 2])
def test_g06_a_call_that_is_interrupted_ends_at_once_and_its_connection_is_not_used_again(
    step: int, server: ScriptedHttps, transport: HttpsTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it sends, while it waits for the answer, and in the middle of it."""
    server.answers = [lambda talk: talk.send(plain(200, bytes(100_000)))]
    transport.post("/", b"1")
    (kept,) = transport._pool._waiting
    before, steps = Watch.before, iter(range(3))

    def interrupted(watch: Watch, sock: Any, is_sending: bool = False) -> Any:
        if next(steps) == step:
            raise KeyboardInterrupt
        return before(watch, sock, is_sending)

    with monkeypatch.context() as patch:
        patch.setattr(Watch, "before", interrupted)
        with pytest.raises(KeyboardInterrupt):
            transport.post("/", b"2")
    assert kept.sock.fileno() == -1, "closed"
    assert transport._pool._waiting == []
    assert transport.post("/", b"3").status == 200
    assert server.connections == 2


# --- threads and processes --------------------------------------------------------------------------------------


def test_g07_threads_share_a_transport_and_each_gets_its_own_answer(server: ScriptedHttps) -> None:
    server.answers = [lambda talk: talk.send(plain(200, talk.request.body))]
    with server.transport(policy=HttpsPolicy(idle=60.0, connections=3)) as transport:
        with ThreadPoolExecutor(12) as threads:
            bodies = [f"<n>{number}</n>".encode() for number in range(120)]
            replies = list(threads.map(lambda body: transport.post("/", body).body, bodies))
        assert replies == bodies
        assert 1 <= len(transport._pool._waiting) <= 3
    assert server.connections <= 120


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork.*:DeprecationWarning")
def test_g07_a_forked_process_uses_connections_of_its_own(server: ScriptedHttps, transport: HttpsTransport) -> None:
    server.answers = [lambda talk: talk.send(plain(200, talk.request.body))]
    assert transport.post("/", b"before").body == b"before"
    with transport._pool._lock:  # as another thread might at that moment
        child = os.fork()
        if child == 0:
            with contextlib.suppress(BaseException):
                os._exit(0 if transport.post("/", b"child", total=30).body == b"child" else 1)
            os._exit(2)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert server.connections == 2
    assert transport.post("/", b"after").body == b"after"
    assert server.connections == 2, "the parent's own was not disturbed"


# --- logs -------------------------------------------------------------------------------------------------------


def test_w10_nothing_that_is_sent_or_comes_back_is_logged_however_talkative(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http.client.HTTPConnection, "debuglevel", 9)
    caplog.set_level(logging.DEBUG)
    hidden = "body-0101010101-secret"
    answer = plain(200, hidden.encode(), f"Set-Cookie: {hidden}")
    with ScriptedHttps(answer) as server, ScriptedProxy(server.port) as proxy:
        login = Proxy(url=f"http://127.0.0.1:{proxy.port}", user="me", password=Secret(hidden))
        with server.transport(policy=HttpsPolicy(proxy=login)) as transport:
            transport.post(f"/service?token={hidden}", hidden.encode(), headers={"Authorization": hidden})
    server_broken = ScriptedHttps(lambda talk: (talk.send(answer[:-3]), talk.hang_up()))
    with (
        server_broken as server,
        server.transport(timeouts=PATIENT) as transport,
        pytest.raises(OutcomeUnknown) as caught,
    ):
        transport.post("/service", hidden.encode(), headers={"Authorization": hidden})
    printed = capfd.readouterr()
    logged = "\n".join(f"{record.getMessage()} {record.args} {record.exc_text}" for record in caplog.records)
    assert "/service: HTTP 200, 22 bytes out, 22 in" in logged
    for text in (logged, printed.out, printed.err, str(caught.value), repr(caught.value), repr(login)):
        assert "0101010101" not in text


def wait_until(condition: Any) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)
