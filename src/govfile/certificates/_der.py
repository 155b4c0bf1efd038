"""A reader for the outer layers of DER and BER (ITU-T X.690): enough to look into a PKCS#12 file unopened."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterator

SEQUENCE = 0x30
INTEGER = 0x02
OCTETS = 0x04
OCTETS_CONSTRUCTED = 0x24
OID = 0x06
CONTEXT_0 = 0xA0

_DEEPEST = 32
_LONGEST_LENGTH = 8


class NotDer(ValueError):
    """The bytes are no DER or BER."""


class CutShort(NotDer):
    """The bytes end before the element does."""


@attrs.frozen
class Element:
    """One element: its tag byte, its content, and the number of bytes it takes up with its header."""

    tag: int
    content: bytes = attrs.field(repr=False)
    size: int

    def __iter__(self) -> Iterator[Element]:
        """The elements inside; raises `NotDer` where there are none."""
        offset = 0
        while offset < len(self.content):
            inner = read(self.content, offset)
            offset += inner.size
            yield inner

    def child(self, index: int) -> Element:
        """The inner element at `index`; raises `NotDer` where there is none."""
        inner = list(self)
        if index >= len(inner):
            raise NotDer(f"{len(inner)} inner elements where {index + 1} belong")
        return inner[index]

    @property
    def octets(self) -> bytes:
        """The bytes of an octet string, put together where BER has split them."""
        if self.tag == OCTETS_CONSTRUCTED:
            return b"".join(part.content for part in self)
        if self.tag != OCTETS:
            raise NotDer(f"tag {self.tag:#04x} where an octet string belongs")
        return self.content

    def expect(self, tag: int) -> Element:
        """Itself; raises `NotDer` when its tag is another."""
        if self.tag != tag:
            raise NotDer(f"tag {self.tag:#04x} where {tag:#04x} belongs")
        return self


def read(data: bytes, offset: int = 0, depth: int = 0) -> Element:
    """The element that begins at `offset`; raises `CutShort` or another `NotDer`."""
    if depth > _DEEPEST:
        raise NotDer(f"nested deeper than {_DEEPEST}")
    if len(data) - offset < 2:
        raise CutShort("no room for a tag and a length")
    tag, first = data[offset], data[offset + 1]
    if tag & 0x1F == 0x1F:
        raise NotDer("a tag of several bytes")
    start = offset + 2
    if first == 0x80:
        return _indefinite(data, offset, depth)
    length = first
    if first > 0x80:
        count = first & 0x7F
        if count > _LONGEST_LENGTH:
            raise NotDer(f"a length of {count} bytes")
        start += count
        length = int.from_bytes(data[offset + 2 : start], "big")
    if start + length > len(data):
        raise CutShort(f"{start + length - offset} bytes are announced, {len(data) - offset} are there")
    return Element(tag, data[start : start + length], start + length - offset)


def _indefinite(data: bytes, offset: int, depth: int) -> Element:
    """BER's open-ended form: inner elements up to two zero bytes."""
    start = place = offset + 2
    while data[place : place + 2] != b"\0\0":
        place += read(data, place, depth + 1).size
    return Element(data[offset], data[start:place], place + 2 - offset)
