"""What a server may answer over HTTPS, and what comes of it: whole answers, broken ones, endless ones."""

from __future__ import annotations

import gzip
import time
import zlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from govfile.errors import OutcomeUnknown, ProtocolError
from govfile.transports.base import MessageTransport
from govfile.transports.https_policy import HttpsPolicy
from support.scripted_https import PATIENT, ScriptedHttps, Talk, chunked, plain

if TYPE_CHECKING:
    from collections.abc import Callable

HTML = b"<!DOCTYPE html><html><body>Bad gateway</body></html>"


def ask(answer: Any, *, tls: bool = True, body: bytes = b"<q/>", **options: Any) -> tuple[Any, ScriptedHttps]:
    """The reply to one request, and the server that gave it."""
    timeouts = options.pop("timeouts", PATIENT)
    with ScriptedHttps(answer, tls=tls) as server, server.transport(timeouts=timeouts) as transport:
        return transport.post("/service", body, **options), server


def test_a_request_is_posted_as_it_stands_and_its_answer_comes_back() -> None:
    headers = {"SOAPAction": '"Issue"', "Content-Type": "text/xml; charset=utf-8"}
    answer = plain(200, b"<a/>", "Content-Type: Text/XML", "Date: Mon, 23 Nov 2026 08:00:00 GMT", "X-A: 1", "X-A: 2")
    with ScriptedHttps(answer) as server, server.transport(url=f"{server.url}/base/") as transport:
        assert isinstance(transport, MessageTransport)
        reply = transport.post("/service?x=1", b"<q/>", headers=headers)
        (request,) = server.requests
    assert (reply.status, reply.body, reply.media_type) == (200, b"<a/>", "text/xml")
    assert reply.date == datetime(2026, 11, 23, 8, tzinfo=UTC)
    assert reply.headers["x-a"] == "1, 2"
    assert request.line == "POST /base/service?x=1 HTTP/1.1"
    assert request.body == b"<q/>"
    assert request.headers["soapaction"] == '"Issue"'
    assert request.headers["accept-encoding"] == "identity"
    assert request.headers["host"] == transport.endpoint


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        (plain(502, HTML, "Content-Type: text/html"), 502, HTML),
        (plain(200, b""), 200, b""),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        (plain(500, b"<fault/>"), 500, b"<fault/>"),
        (plain(401, b"", 'WWW-Authenticate: Basic realm="x"'), 401, b""),
        (chunked(b"<a", b"/>"), 200, b"<a/>"),
        (chunked(), 200, b""),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 3 + plain(), 200, b"<ok/>"),
    ],
)
def test_w01_a_whole_answer_of_any_status_comes_back(answer: bytes, status: int, body: bytes) -> None:
    reply, _ = ask(answer)
    assert (reply.status, reply.body) == (status, body)


def until_the_end(talk: Talk) -> None:
    talk.send(b"HTTP/1.0 200 OK\r\n\r\n<whole/>")
    talk.sock.unwrap()  # type: ignore[attr-defined]


def test_an_answer_that_only_its_end_bounds_is_believed_when_tls_says_that_it_is_the_end() -> None:
    reply, _ = ask(until_the_end)
    assert reply.body == b"<whole/>"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_w01_no_redirect_is_followed(status: int) -> None:
    with ScriptedHttps() as elsewhere:
        answer = plain(status, b"", f"Location: {elsewhere.url}/secret?token=1")
        with pytest.raises(ProtocolError, match=r"points to 127\.0\.0\.1, which is never followed") as caught:
            ask(answer)
        assert elsewhere.connections == 0
    assert "token" not in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "no HTTP"),
        (b"HTTP/1.1 abc\r\n\r\n", "no HTTP"),
        (b"HTTP/2.0 200 OK\r\n\r\n", "no HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", "no HTTP"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n", "no HTTP"),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "HTTP 101"),
        (b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "head is malformed"),
        (plain(200, b"<a/>", "Transfer-Encoding: chunked"), "where it ends"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "where it ends"),
        (plain(200, b"<a/>", "Content-Length: 3"), "length is no number"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", "length is no number"),
        (plain(200, b"<a/>", "Content-Encoding: br"), "not asked for"),
        (plain(200, b"<a/>", "Content-Encoding: gzip"), "not the gzip"),
        (plain(200, gzip.compress(b"<a/>", mtime=0)[:-4], "Content-Encoding: gzip"), "not the gzip"),
        (plain(200, gzip.compress(b"", mtime=0) * 50_000, "Content-Encoding: gzip"), "not the gzip"),
    ],
)
def test_w01_what_is_no_readable_http_is_a_protocol_error(answer: bytes, says: str) -> None:
    with pytest.raises(ProtocolError, match=says) as caught:
        ask(answer)
    assert caught.value.certain
    assert caught.value.endpoint.startswith("127.0.0.1:")


@pytest.mark.parametrize(
    ("coding", "coded"),
    [
        ("gzip", gzip.compress(b"<a/>", mtime=0)),
        ("X-GZIP", gzip.compress(b"<a", mtime=0) + gzip.compress(b"/>", mtime=0)),
        ("deflate", zlib.compress(b"<a/>")),
        ("identity", b"<a/>"),
    ],
)
def test_a_coding_that_came_unasked_is_undone(coding: str, coded: bytes) -> None:
    reply, _ = ask(plain(200, coded, f"Content-Encoding: {coding}"))
    assert reply.body == b"<a/>"


def cut(data: bytes) -> Callable[[Talk], None]:
    def answer(talk: Talk) -> None:
        talk.send(data)
        talk.hang_up()

    return answer


@pytest.mark.parametrize("tls", [True, False])
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 OK\r\nServer: x\r\n",
        plain(200, b"<a/>")[:-1],
        plain(200, b"<a/>")[:-4],
        chunked(b"<a", b"/>")[:-12],
        chunked(b"<a", b"/>")[:-8],
        b"HTTP/1.1 100 Continue\r\n\r\n",
    ],
)
def test_w06_an_answer_that_is_cut_off_leaves_the_outcome_unknown(data: bytes, tls: bool) -> None:
    with pytest.raises(OutcomeUnknown, match="ended before the whole answer") as caught:
        ask(cut(data), tls=tls)
    assert "was sent to 127.0.0.1" in caught.value.evidence
    assert caught.value.how_to_resolve


def test_w06_an_answer_bounded_by_its_end_only_is_not_believed_where_tls_did_not_end() -> None:
    with pytest.raises(OutcomeUnknown):
        ask(cut(b"HTTP/1.0 200 OK\r\n\r\n<half"))


def test_w06_a_reset_after_the_request_leaves_the_outcome_unknown() -> None:
    with pytest.raises(OutcomeUnknown):
        ask(Talk.reset)


# --- bounds -----------------------------------------------------------------------------------------------------


def endless_chunks(talk: Talk) -> None:
    talk.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not talk.stopping.is_set():
        talk.send(b"10000\r\n" + bytes(0x10000) + b"\r\n")


def one_endless_chunk(talk: Talk) -> None:
    talk.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFF\r\n")
    endless_bytes(talk)


def a_chunk_to_the_end(talk: Talk) -> None:
    talk.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n")
    endless_bytes(talk)


def endless_trailers(talk: Talk) -> None:
    talk.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n")
    while not talk.stopping.is_set():
        talk.send(b"X: y\r\n" * 10_000)


def endless_continues(talk: Talk) -> None:
    while not talk.stopping.is_set():
        talk.send(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)


def two_hundred_megabytes(talk: Talk) -> None:
    talk.send(b"HTTP/1.0 200 OK\r\n\r\n")
    for _ in range(200 * 16):
        endless_bytes(talk, 1)


def endless_bytes(talk: Talk, times: int = 10_000) -> None:
    for _ in range(times):
        talk.send(bytes(0x10000))


@pytest.mark.parametrize(
    "answer",
    [
        endless_chunks,
        one_endless_chunk,
        a_chunk_to_the_end,
        endless_trailers,
        endless_continues,
        two_hundred_megabytes,
        b"HTTP/1.1 200 OK\r\nContent-Length: 200000000\r\n\r\n",
        plain(200, gzip.compress(bytes(5_000_000), mtime=0), "Content-Encoding: gzip"),
        plain(200, gzip.compress(bytes(90_000), mtime=0) * 30, "Content-Encoding: gzip"),
    ],
    ids=lambda answer: getattr(answer, "__name__", "bytes"),
)
def test_w01_more_than_the_limit_is_not_read(answer: Any) -> None:
    began = time.monotonic()
    with pytest.raises(OutcomeUnknown, match="not read to its end"):
        ask(answer, limit=100_000)
    assert time.monotonic() - began < 15, "it stops at the limit"


@pytest.mark.parametrize("answer", [plain(200, b"x" * 11), chunked(b"x" * 5, b"x" * 6)], ids=["length", "chunks"])
def test_the_limit_is_the_policys_where_none_is_given(answer: bytes) -> None:
    with ScriptedHttps(answer) as server:
        with server.transport(policy=HttpsPolicy(limit=10)) as transport, pytest.raises(OutcomeUnknown):
            transport.post("", b"")
        with server.transport(policy=HttpsPolicy(limit=11)) as transport:
            assert len(transport.post("", b"").body) == 11
        assert server.requests[0].line == "POST / HTTP/1.1"


# --- deadlines --------------------------------------------------------------------------------------------------


def a_slow_body(talk: Talk) -> None:
    talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n<a")
    talk.wait()


def dripped(data: bytes) -> Callable[[Talk], None]:
    return lambda talk: talk.drip(data * 1000)


@pytest.mark.parametrize(
    ("answer", "change", "which"),
    [
        (Talk.wait, {"reply": 0.2}, "reply"),
        (a_slow_body, {"data": 0.2}, "data"),
        (dripped(b"HTTP/1.1 200 OK\r\nX: y"), {"total": 1.0}, "total"),
        (dripped(b"HTTP/1.1 100 Continue\r\n\r\n"), {"total": 1.0}, "total"),
        (lambda talk: (talk.send(plain(200, b"x" * 9999)[:60]), talk.drip(b"x" * 9999)), {"total": 1.0}, "total"),
    ],
    ids=["silent", "half", "head", "continues", "body"],
)
def test_w06_a_silent_or_dripping_server_does_not_outlast_a_deadline(
    answer: Any, change: dict[str, float], which: str
) -> None:
    began = time.monotonic()
    with pytest.raises(OutcomeUnknown, match=f"deadline: {which}"):
        ask(answer, tls=which != "total", timeouts=attrs.evolve(PATIENT, **change))
    assert time.monotonic() - began < 10


def test_the_total_can_be_given_with_a_call() -> None:
    with pytest.raises(OutcomeUnknown, match=r"within 0\.3 s \(deadline: total\)"):
        ask(Talk.wait, tls=False, total=0.3)


def test_w06_a_server_that_does_not_take_the_request_does_not_outlast_a_deadline() -> None:
    """It reads the head and then nothing."""
    with ScriptedHttps(tls=False) as server, server.transport(timeouts=attrs.evolve(PATIENT, data=0.3)) as transport:
        server._talk = lambda sock: server.stopping.wait(60)  # type: ignore[assignment,method-assign]
        with pytest.raises(OutcomeUnknown, match="took no more of it"):
            transport.post("", bytes(30_000_000))


def test_a_server_that_takes_the_request_drop_by_drop_does_not_outlast_the_total() -> None:
    def sip(sock: Any) -> None:
        while not server.stopping.wait(0.01) and sock.recv(4096):
            pass

    with ScriptedHttps(tls=False) as server, server.transport(timeouts=attrs.evolve(PATIENT, total=1.0)) as transport:
        server._talk = sip  # type: ignore[method-assign]
        with pytest.raises(OutcomeUnknown, match="took no more of it"):
            transport.post("", bytes(30_000_000))


def test_an_answer_before_the_whole_request_was_taken_is_an_answer() -> None:
    """A server may refuse a request by its length; the connection is not used again."""

    def refuse(sock: Any) -> None:
        sock.sendall(plain(413, b"too large"))
        server.stopping.wait(60)

    with ScriptedHttps(tls=False) as server, server.transport(timeouts=attrs.evolve(PATIENT, data=0.3)) as transport:
        server._talk = refuse  # type: ignore[method-assign]
        for _ in range(2):
            reply = transport.post("", bytes(30_000_000))
            assert (reply.status, reply.body) == (413, b"too large")
        assert server.connections == 2
