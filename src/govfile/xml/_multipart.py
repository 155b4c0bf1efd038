"""The parts of a `multipart/related` answer, and an XML document put together again from them (MTOM).

Sources: RFC 2046 (multipart), RFC 2387 (related), RFC 2392 (`cid:`), W3C XML-binary Optimized Packaging (XOP) 1.0.
"""

from __future__ import annotations

import base64
import binascii
import re
from email.message import Message
from email.utils import collapse_rfc2231_value
from typing import TYPE_CHECKING
from urllib.parse import unquote

import attrs

from govfile.errors import ProtocolError
from govfile.xml import _tree

if TYPE_CHECKING:
    from collections.abc import Collection

    from lxml.etree import _Element

    from govfile.xml.parse import Limits

_INCLUDE = "{http://www.w3.org/2004/08/xop/include}Include"
_SLASH = ord("/")
_MOST_PARTS = 1000
_LONGEST_HEADER = 16 * 1024
_HEADERS_END = re.compile(rb"\r?\n\r?\n")
_FOLDED = re.compile(rb"\r?\n[ \t]+")


@attrs.frozen
class Part:
    """One part: its Content-ID without angle brackets ("" for none), its media type in lower case, its bytes."""

    content_id: str
    media_type: str
    content: bytes


def parameters(content_type: str) -> dict[str, str]:
    """The parameters of a Content-Type, names in lower case, without their quotes."""
    message = Message()
    message["Content-Type"] = re.sub(r"[\r\n]+", " ", content_type)
    found = message.get_params(failobj=[], unquote=True) or []
    return {name.lower(): collapse_rfc2231_value(value) for name, value in found[1:]}


def root_part(body: bytes, content_type: str, limits: Limits) -> bytes:
    """The root document of a `multipart/related` body, with everything that was taken out of it put back as Base64.

    Raises `ProtocolError` when the parts do not fit together.
    """
    given = parameters(content_type)
    parts = split(body, given.get("boundary", ""))
    start = given.get("start", "").strip("<>")
    root = next((part for part in parts if part.content_id == start), None) if start else parts[0]
    if root is None:
        raise _broken("the part named as its start is not there")
    return _put_together(root.content, {part.content_id: part for part in parts if part.content_id}, limits)


def split(body: bytes, boundary: str) -> list[Part]:
    """The parts between the boundaries, at least one; raises `ProtocolError`."""
    if not 0 < len(boundary) <= 70 or not boundary.isascii():
        raise _broken("it names no usable boundary")
    delimiter = re.compile(rb"(?:\A|\r?\n)--" + re.escape(boundary.encode()) + rb"(--)?[ \t]*(?:\r?\n|\Z)")
    parts: list[Part] = []
    begin: int | None = None
    for match in delimiter.finditer(body):
        if begin is not None:
            parts.append(_part(body[begin : match.start()]))
        if match[1]:
            break
        if len(parts) >= _MOST_PARTS:
            raise _broken(f"it has more than {_MOST_PARTS} parts")
        begin = match.end()
    else:
        raise _broken("its last boundary is missing: it was cut short")
    if not parts:
        raise _broken("it has no part")
    return parts


def _part(content: bytes) -> Part:
    if content.startswith((b"\r\n", b"\n")):  # a part without headers
        return Part("", "", content.split(b"\n", 1)[1])
    end = _HEADERS_END.search(content, 0, _LONGEST_HEADER)
    if end is None:
        raise _broken("a part has no end to its headers")
    headers = _headers(content[: end.start()])
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    encoding = headers.get("content-transfer-encoding", "binary").lower()
    content_id = headers.get("content-id", "").strip("<>")
    return Part(content_id, media_type, _decode(content[end.end() :], encoding))


def _headers(block: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in _FOLDED.sub(b" ", block).splitlines():
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon or name.lower() in found:
            raise _broken("a part has a header that cannot be read")
        found[name.lower()] = value.strip()
    return found


def _decode(content: bytes, encoding: str) -> bytes:
    if encoding in {"binary", "8bit", "7bit"}:
        return content
    if encoding == "base64":
        try:
            return base64.b64decode(b"".join(content.split()), validate=True)
        except binascii.Error as error:
            raise _broken("a part is not the Base64 it says it is") from error
    raise _broken("a part has a transfer encoding that is not read here")


def _put_together(document: bytes, parts: dict[str, Part], limits: Limits) -> bytes:
    """The document with each `xop:Include` replaced by what it names."""
    if b"Include" not in document:
        return document
    tree = _tree.read(document, limits=limits, what="the answer's root part", free=None)
    included: dict[int, Part] = {}
    for number, include in enumerate(tree.root.iter("*")):
        if include.tag == _INCLUDE:
            included[number] = _included(include, parts)
    spans = _spans(document, included.keys())
    edits = [(*span, part) for span, part in zip(spans, included.values(), strict=True)]
    size = len(document) + sum(4 * len(part.content) // 3 + 4 for _, _, part in edits)
    if size > limits.size:
        raise _broken(f"put together it has more than the {limits.size} bytes that are read as XML")
    pieces: list[bytes] = []
    done = 0
    for start, end, part in edits:
        pieces += [document[done:start], base64.b64encode(part.content)]
        done = end
    return b"".join([*pieces, document[done:]])


def _included(include: _Element, parts: dict[str, Part]) -> Part:
    """What an include names."""
    parent = include.getparent()
    alone = parent is not None and len(parent) == 1 and not (parent.text or "").strip() and not include.tail
    if not alone or len(include):
        raise _broken("a part stands beside other content")
    part = parts.get(unquote((include.get("href") or "").removeprefix("cid:")))
    if part is None:
        raise _broken("it includes a part that is not there")
    return part


def _spans(document: bytes, wanted: Collection[int]) -> list[tuple[int, int]]:
    """From where to where the elements of these numbers go, which hold no others; numbers are by order of beginning."""
    spans: list[tuple[int, int]] = []
    number = start = -1
    for match in _tree.TAG.finditer(document):
        if match[1] and start >= 0:
            spans.append((start, match.end()))
            start = -1
        elif match[2]:
            number += 1
            if number in wanted and document[match.end() - 2] == _SLASH:
                spans.append(match.span())
            elif number in wanted:
                start = match.start()
    return spans


def _broken(reason: str) -> ProtocolError:
    return ProtocolError(f"the multipart answer cannot be read: {reason}")
