"""Reading one answer: its head, its framing and its body, each bounded."""

from __future__ import annotations

import http.client
import re
import zlib
from email.errors import MultipartInvariantViolationDefect, StartBoundaryNotFoundDefect
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from govfile.errors import ProtocolError
from govfile.transports.base import Reply
from govfile.transports.https._watch import TooMuch

if TYPE_CHECKING:
    from govfile.transports.https._watch import WatchedSocket, WatchedTls

_BLOCK = 64 * 1024
#: What the reader of heads misses after one that announces parts: it reads no body.
_OF_THE_BODY = {StartBoundaryNotFoundDefect, MultipartInvariantViolationDefect}
_LENGTH = re.compile(r"[0-9]{1,18}")
_NO_BODY = {204, 205, 304}
#: Of one gzip stream; what is left is copied for each.
_MOST_MEMBERS = 100
_KEPT = re.compile(r"timeout\s*=\s*(\d{1,6})", re.IGNORECASE)


def read_answer(sock: WatchedSocket | WatchedTls, limit: int) -> tuple[Reply, bool, float | None]:
    """The answer, whether the connection can be used again, and for how many seconds the server says (None: not said).

    Raises `ProtocolError`, `TooMuch`, and what sockets and `http.client` raise.
    """
    answer = http.client.HTTPResponse(sock, method="POST")
    try:
        answer.begin()
        expected = _framing(answer)
        if expected is not None and expected > limit:
            raise TooMuch(limit)
        body = _body(answer, expected, limit)
        headers = {name: ", ".join(answer.headers.get_all(name) or ()) for name in map(str.lower, answer.headers)}
        reply = Reply(
            status=answer.status, headers=headers, body=_decode(body, headers.get("content-encoding", ""), limit)
        )
        kept = _KEPT.search(headers.get("keep-alive", ""))
        return reply, not answer.will_close, float(kept[1]) if kept else None
    finally:
        answer.close()


def _framing(answer: http.client.HTTPResponse) -> int | None:
    """How long the body is, None where only its end tells; raises `ProtocolError` where that is ambiguous.

    Two readers that disagree on where an answer ends disagree on what the next one is (RFC 9112, 6.3).
    """
    if any(type(found) not in _OF_THE_BODY for found in answer.headers.defects) or answer.status < 200:
        raise _unreadable(f"HTTP {answer.status}" if answer.status < 200 else "its head is malformed")
    if 300 <= answer.status < 400:
        raise _redirected(answer)
    lengths = answer.headers.get_all("content-length") or []
    coding = answer.headers.get("transfer-encoding")
    if coding is not None and (lengths or coding.strip().lower() != "chunked"):
        raise _unreadable("it leaves open where it ends")
    if len(lengths) > 1 or not all(_LENGTH.fullmatch(length.strip()) for length in lengths):
        raise _unreadable("its length is no number")
    if answer.status in _NO_BODY:
        return 0
    return int(lengths[0]) if lengths else None


def _body(answer: http.client.HTTPResponse, expected: int | None, limit: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while piece := answer.read(_BLOCK):
        size += len(piece)
        if size > limit:
            raise TooMuch(limit)
        pieces.append(piece)
    body = b"".join(pieces)
    if expected is not None and size != expected:
        raise http.client.IncompleteRead(b"", expected - size)
    if expected is None and not answer.chunked and not body:  # perhaps not even the head was whole
        raise http.client.IncompleteRead(b"")
    return body


def _decode(body: bytes, coding: str, limit: int) -> bytes:
    """Undo a content coding that came unasked, no further than `limit` bytes."""
    coding = coding.strip().lower()
    if coding in {"", "identity"} or not body:
        return body
    if coding not in {"gzip", "x-gzip", "deflate"}:
        raise _unreadable(f"it is coded as {coding[:20]!r}, which was not asked for")
    try:
        return _inflate(body, 15 if coding == "deflate" else 31, limit)
    except zlib.error as error:
        raise _unreadable(f"it is not the {coding} it says it is") from error


def _inflate(body: bytes, window: int, limit: int) -> bytes:
    out = b""
    members = 0
    while body:  # gzip may come in several members
        members += 1
        if members > _MOST_MEMBERS:
            raise zlib.error("it has too many members")
        member: Any = zlib.decompressobj(window)
        out += member.decompress(body, limit + 1 - len(out))
        if len(out) > limit:
            raise TooMuch(limit)
        if not member.eof:
            raise zlib.error("it was cut short")
        body = member.unused_data
    return out


def _redirected(answer: http.client.HTTPResponse) -> ProtocolError:
    try:
        where = urlsplit(answer.headers.get("location", "")).hostname or "the same server"
    except ValueError:
        where = "an unreadable address"
    return ProtocolError(
        f"the server answered HTTP {answer.status} and points to {where[:100]}, which is never followed",
        certain="the request was sent to the server that was asked for, and to no other",
        advice="check the address in the settings against the authority's own word",
    )


def _unreadable(reason: str) -> ProtocolError:
    return ProtocolError(f"the server's answer cannot be read: {reason}")
