"""Compressed answers (CO), well made or as a trap; and answers whose XML is spoilt."""

from __future__ import annotations

import gzip
import io
import itertools
import zipfile
import zlib
from typing import TYPE_CHECKING

from govfile.sandbox.onss.faults import Damage, Trick
from govfile.sandbox.onss.replies import Packing

if TYPE_CHECKING:
    from collections.abc import Iterable

_MUCH = 256 << 20
_BLOCK = bytes(1 << 20).replace(b"\0", b" ")
_FIXED_DATE = (2026, 1, 5, 9, 0, 0)


def pack(name: str, content: bytes, how: Packing, trick: Trick | None = None) -> bytes:
    """`content` compressed; `name` is its name inside where the format has one."""
    if trick is not None:
        return _trap(name, content, trick)
    match how:
        case Packing.ZIP:
            return _zip([(name, [content])])
        case Packing.GZIP:
            return gzip.compress(content, mtime=0)
        case Packing.ZLIB:
            return zlib.compress(content)


def _trap(name: str, content: bytes, trick: Trick) -> bytes:
    match trick:
        case Trick.BOMB:
            return _zip([(name, (_BLOCK for _ in range(_MUCH // len(_BLOCK))))])
        case Trick.TWO_ENTRIES:
            return _zip([(name, [content]), (f"{name}.2", [content])])
        case Trick.CLIMBING_NAME:
            return _zip([(f"../../{name}", [content])])


def _zip(members: list[tuple[str, Iterable[bytes]]]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, blocks in members:
            member = zipfile.ZipInfo(name, _FIXED_DATE)
            member.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(member, "w", force_zip64=True) as writer:
                for block in blocks:
                    writer.write(block)
    return packed.getvalue()


def damaged(content: bytes, how: Damage) -> bytes:
    """The XML spoilt in one way."""
    declaration, _, rest = content.partition(b"\n")
    match how:
        case Damage.EMPTY:
            return b""
        case Damage.TRUNCATED:
            return content[: len(content) // 2]
        case Damage.OVERSIZED:
            return declaration + b"\n" + b" " * (32 << 20) + rest
        case Damage.DOCTYPE:
            return declaration + b'\n<!DOCTYPE x SYSTEM "file:///etc/hostname">\n' + rest
        case Damage.ENTITIES:
            return declaration + b"\n" + _entities() + rest.replace(b"<Form>", b"<Form>&j;&local;", 1)
        case Damage.NOT_XML:
            return b"503 Service Unavailable\n"
        case Damage.UNKNOWN_ELEMENTS:
            return content.replace(b"<Form>", b'<Form><Unheard a="1">of<Deeper/></Unheard>').replace(
                b"</Form>", b"<AfterAll>1</AfterAll></Form>"
            )
        case Damage.WRONG_ENCODING:
            return content.decode().encode("utf-16")


def _entities() -> bytes:
    names = "abcdefghij"
    grown = [f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in itertools.pairwise(names)]
    lines = ["<!DOCTYPE x [", '<!ENTITY a "lol">', *grown, '<!ENTITY local SYSTEM "file:///etc/hostname">', "]>", ""]
    return "\n".join(lines).encode()
