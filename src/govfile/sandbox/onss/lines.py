"""A signature in an FS file: base64 in one of the known layouts, without PEM header."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING

from govfile.sandbox.onss.settings import Layout

if TYPE_CHECKING:
    from collections.abc import Collection

_BASE64 = re.compile(rb"[A-Za-z0-9+/]+={0,2}")
_COLUMNS = {Layout.COLUMNS_76_CR: (76, b"\r"), Layout.COLUMNS_64_CRLF: (64, b"\r\n")}


class NotLaidOut(ValueError):
    """The file is in no layout that is read; the words say why."""


def write(der: bytes, layout: Layout) -> bytes:
    """`der` as the content of an FS file."""
    text = base64.b64encode(der)
    if layout is Layout.SINGLE:
        return text
    width, separator = _COLUMNS[layout]
    lines = [text[at : at + width] for at in range(0, len(text), width)]
    return separator.join(lines) + (separator if layout is Layout.COLUMNS_64_CRLF else b"")


def read(content: bytes, layouts: Collection[Layout]) -> bytes:
    """The signature in `content`; raises `NotLaidOut`."""
    if content.startswith(b"-----"):
        raise NotLaidOut("a PEM header is not part of the file")
    if content.startswith(b"\x30"):
        raise NotLaidOut("raw DER: the signature is sent as base64")
    layout = _layout(content)
    if layout not in layouts:
        raise NotLaidOut(f"{layout.value} is not read here")
    text = content.replace(b"\r", b"").replace(b"\n", b"")
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise NotLaidOut(f"no base64: {error}") from error


def _layout(content: bytes) -> Layout:
    if _BASE64.fullmatch(content) or _BASE64.fullmatch(content.removesuffix(b"\n").removesuffix(b"\r")):
        return Layout.SINGLE
    for layout, (width, separator) in _COLUMNS.items():
        lines = content.split(separator)
        if lines[-1] == b"":
            lines.pop()
        if lines and _are_columns(lines, width):
            return layout
    raise NotLaidOut("neither one line, nor 76 columns separated by CR, nor 64 columns separated by CR LF")


def _are_columns(lines: list[bytes], width: int) -> bool:
    full = all(len(line) == width for line in lines[:-1])
    return full and 0 < len(lines[-1]) <= width and all(_BASE64.fullmatch(line) for line in lines)
