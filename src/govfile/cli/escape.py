"""Text from elsewhere, made safe to print: no terminal escapes, no hidden or reordering characters, one line."""

from __future__ import annotations

import unicodedata

#: Format (Cf: bidirectional marks, zero width), control (Cc), surrogate, private and unassigned, and both separators
#: that break a line.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def printable(text: object) -> str:
    r"""`str(text)` with every character that a terminal could act on written as `\xNN`, `\uNNNN` or `\UNNNNNNNN`.

    A backslash stays as it is, so that ordinary text is unchanged. The result has no line ends.
    """
    plain = str(text)
    if plain.isascii() and plain.isprintable():
        return plain
    return "".join(_escaped(mark) if unicodedata.category(mark) in _HIDDEN else mark for mark in plain)


def _escaped(mark: str) -> str:
    number = ord(mark)
    if mark in "\n\r\t":
        return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}[mark]
    if number <= 0xFF:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"
