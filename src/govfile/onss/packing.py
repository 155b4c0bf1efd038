"""Unpacking CO files, compressed answers. The way they are compressed is not published, so the bytes tell.

The authority's error list knows ZIP files with exactly one entry (annex 30, codes 280 and 281). Names inside are never
looked at.
"""

from __future__ import annotations

import enum
import io
import zipfile
import zlib
from typing import IO, TYPE_CHECKING

import attrs

from govfile.errors import ProtocolError

if TYPE_CHECKING:
    from collections.abc import Iterator

_BLOCK = 64 * 1024
#: Below this size (bytes) any ratio will do: a file of blanks compresses a thousandfold.
_ALWAYS_ALLOWED = 1024 * 1024

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1


class Packing(enum.Enum):
    """How a file is compressed; `NONE`: it is XML as it stands."""

    ZIP = "zip"
    GZIP = "gzip"
    ZLIB = "zlib"
    NONE = "none"


@attrs.frozen(kw_only=True)
class PackingLimits:
    """How much is unpacked before a file is refused: `size` in bytes, and `ratio` of unpacked to packed."""

    size: int = 256 * 1024 * 1024
    ratio: int = 200


@attrs.frozen(kw_only=True)
class Unpacked:
    """The `content` of a compressed file, and how it was compressed."""

    packing: Packing
    content: bytes = attrs.field(repr=False)


def sniff(start: bytes) -> Packing | None:
    """How a file is compressed, by its first bytes; None when that cannot be told."""
    if start[:4] == b"PK\x03\x04":
        return Packing.ZIP
    if start[:2] == b"\x1f\x8b":
        return Packing.GZIP
    if len(start) > 1 and start[0] & 0x0F == 8 and start[0] >> 4 <= 7 and int.from_bytes(start[:2], "big") % 31 == 0:
        return Packing.ZLIB
    if start.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<":
        return Packing.NONE
    return None


def unpack(packed: bytes, *, limits: PackingLimits | None = None) -> Unpacked:
    """The content of a CO file.

    Raises `ProtocolError` for a file of an unknown kind, a damaged or encrypted one, one with no entry or several,
    and one that unpacks beyond `limits`.
    """
    limits = limits or PackingLimits()
    packing = sniff(packed)
    if packing is None:
        raise _refused("it is neither ZIP nor gzip nor zlib nor XML")
    if packing is Packing.NONE:
        return Unpacked(packing=packing, content=packed)
    blocks = _unzip(packed) if packing is Packing.ZIP else _inflate(packed, packing)
    found = bytearray()
    most = min(limits.size, max(_ALWAYS_ALLOWED, len(packed) * limits.ratio))
    for block in blocks:
        found += block
        if len(found) > most:
            raise _refused(f"it unpacks to more than {most} bytes")
    return Unpacked(packing=packing, content=bytes(found))


def _unzip(packed: bytes) -> Iterator[bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            entries = archive.infolist()
            if len(entries) != 1:
                raise _refused(f"the ZIP holds {len(entries)} entries where one belongs")
            (entry,) = entries
            if entry.flag_bits & _ENCRYPTED or entry.compress_type not in _METHODS or entry.is_dir():
                raise _refused("its entry is encrypted, a folder, or compressed in an unusual way")
            with archive.open(entry) as reader:
                yield from _blocks(reader)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        raise _refused("the ZIP is damaged") from error


def _blocks(reader: IO[bytes]) -> Iterator[bytes]:
    while block := reader.read(_BLOCK):
        yield block


def _inflate(packed: bytes, packing: Packing) -> Iterator[bytes]:
    """gzip or zlib, one member, nothing behind it but zeros, as tapes and some tools leave them."""
    decompress = zlib.decompressobj(wbits=31 if packing is Packing.GZIP else 15)
    waiting = packed
    try:
        while not decompress.eof:
            block = decompress.decompress(waiting, _BLOCK)
            waiting = decompress.unconsumed_tail
            if not block and not waiting and not decompress.eof:
                raise _refused(f"the {packing.value} data is cut off")
            yield block
    except zlib.error as error:
        raise _refused(f"the {packing.value} data is damaged") from error
    if decompress.unused_data.strip(b"\0"):
        raise _refused(f"there is more behind the {packing.value} data")


def _refused(reason: str) -> ProtocolError:
    return ProtocolError(
        f"the compressed file cannot be unpacked: {reason}", advice="keep it and ask the contact centre how to read it"
    )
