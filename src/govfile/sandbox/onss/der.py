"""ASN.1 for the sandbox's own signatures: written as DER, and read as DER and nothing looser (ITU-T X.690)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from datetime import datetime

BOOLEAN, INTEGER, BIT_STRING, OCTETS, NULL, OID, UTF8 = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0C
UTC_TIME, GENERAL_TIME, SEQUENCE, SET = 0x17, 0x18, 0x30, 0x31

_MOST_DEEP = 16


class NotDer(ValueError):
    """What was read is no DER; the words say where it breaks the rules."""


@attrs.frozen
class Node:
    """One value: its tag byte, its content, and all of it as it stood."""

    tag: int
    content: bytes = attrs.field(repr=False)
    raw: bytes = attrs.field(repr=False)
    depth: int = 0

    def children(self) -> list[Node]:
        """What is inside a constructed value."""
        if not self.tag & 0x20:
            raise NotDer(f"tag {self.tag:02x} has nothing inside")
        if self.depth >= _MOST_DEEP:
            raise NotDer("too deeply nested")
        found, at = [], 0
        while at < len(self.content):
            node = _read(self.content, at, self.depth + 1)
            found.append(node)
            at += len(node.raw)
        return found

    def expect(self, tag: int) -> Node:
        """This node; raises `NotDer` when it has another tag."""
        if self.tag != tag:
            raise NotDer(f"tag {self.tag:02x} where {tag:02x} belongs")
        return self

    @property
    def number(self) -> int:
        """The value of an INTEGER."""
        return int.from_bytes(self.expect(INTEGER).content, "big", signed=True)

    @property
    def oid(self) -> str:
        """The value of an OBJECT IDENTIFIER, dotted."""
        content = self.expect(OID).content
        if not content or content[-1] & 0x80:
            raise NotDer("an object identifier is cut short")
        arcs, value = [], 0
        for byte in content:
            value = value << 7 | byte & 0x7F
            if not byte & 0x80:
                arcs.append(value)
                value = 0
        first = min(arcs[0] // 40, 2)
        return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


def read(data: bytes) -> Node:
    """The one value that `data` is; raises `NotDer`."""
    node = _read(data, 0, 0)
    if len(node.raw) != len(data):
        raise NotDer(f"{len(data) - len(node.raw)} bytes after the end")
    return node


def _read(data: bytes, at: int, depth: int) -> Node:
    if len(data) - at < 2:
        raise NotDer("cut short")
    tag, length, start = data[at], data[at + 1], at + 2
    if tag & 0x1F == 0x1F:
        raise NotDer("a tag of several bytes")
    if length == 0x80:
        raise NotDer("an indefinite length: BER, not DER")
    if length & 0x80:
        count = length & 0x7F
        length = int.from_bytes(data[start : start + count], "big")
        if count > 4 or length < 0x80 or length.bit_length() <= 8 * (count - 1):
            raise NotDer("a length not written the shortest way")
        start += count
    if start + length > len(data):
        raise NotDer("cut short")
    return Node(tag, data[start : start + length], data[at : start + length], depth)


def tlv(tag: int, *contents: bytes) -> bytes:
    """Tag, length, and the contents one after the other."""
    content = b"".join(contents)
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def sequence(*contents: bytes) -> bytes:
    """SEQUENCE."""
    return tlv(SEQUENCE, *contents)


def set_of(*contents: bytes, tag: int = SET) -> bytes:
    """SET OF, in the order that DER demands."""
    return tlv(tag, *sorted(contents))


def integer(value: int) -> bytes:
    """INTEGER."""
    return tlv(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def oid(dotted: str) -> bytes:
    """OBJECT IDENTIFIER."""
    first, second, *rest = map(int, dotted.split("."))
    content = b""
    for arc in (40 * first + second, *rest):
        digits = [arc & 0x7F]
        while arc := arc >> 7:
            digits.append(arc & 0x7F | 0x80)
        content += bytes(reversed(digits))
    return tlv(OID, content)


def octets(content: bytes) -> bytes:
    """OCTET STRING."""
    return tlv(OCTETS, content)


def null() -> bytes:
    """NULL."""
    return tlv(NULL)


def utc_time(at: datetime) -> bytes:
    """UTCTime, to the second."""
    return tlv(UTC_TIME, at.strftime("%y%m%d%H%M%SZ").encode())


def general_time(at: datetime) -> bytes:
    """GeneralizedTime, to the second."""
    return tlv(GENERAL_TIME, at.strftime("%Y%m%d%H%M%SZ").encode())
