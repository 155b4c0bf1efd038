"""A writer for DER (ITU-T X.690): the few types that a detached signature is made of."""

from __future__ import annotations

from datetime import UTC
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

SET = 0x31

_INTEGER, _OCTETS, _NULL, _OID, _SEQUENCE = 0x02, 0x04, 0x05, 0x06, 0x30
_UTC_TIME, _GENERALIZED_TIME = 0x17, 0x18


def encode(tag: int, *parts: bytes) -> bytes:
    """One element: the tag byte, the length in its shortest form, and the parts one after the other."""
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def sequence(*parts: bytes) -> bytes:
    """SEQUENCE of encoded elements, in this order."""
    return encode(_SEQUENCE, *parts)


def set_of(*parts: bytes) -> bytes:
    """SET OF encoded elements, in the order DER asks for."""
    return encode(SET, *sorted(parts))


def octets(content: bytes) -> bytes:
    """OCTET STRING."""
    return encode(_OCTETS, content)


def null() -> bytes:
    """NULL."""
    return encode(_NULL)


def integer(number: int) -> bytes:
    """INTEGER, of either sign: serial numbers of old certificates are sometimes negative."""
    bits = number.bit_length() if number >= 0 else (-number - 1).bit_length()
    return encode(_INTEGER, number.to_bytes(bits // 8 + 1, "big", signed=True))


@lru_cache(maxsize=256)
def oid(dotted: str) -> bytes:
    """OBJECT IDENTIFIER from its dotted form."""
    first, second, *others = (int(arc) for arc in dotted.split("."))
    return encode(_OID, *(_base128(arc) for arc in (first * 40 + second, *others)))


def time(at: datetime) -> bytes:
    """An aware time to the second: UTCTime from 1950 to 2049, GeneralizedTime outside (RFC 5652, section 11.3)."""
    moment = at.astimezone(UTC)
    if 1950 <= moment.year < 2050:
        return encode(_UTC_TIME, f"{moment:%y%m%d%H%M%S}Z".encode("ascii"))
    return encode(_GENERALIZED_TIME, f"{moment.year:04}{moment:%m%d%H%M%S}Z".encode("ascii"))


def _base128(arc: int) -> bytes:
    groups = [arc & 0x7F]
    while arc := arc >> 7:
        groups.append(0x80 | arc & 0x7F)
    return bytes(reversed(groups))
