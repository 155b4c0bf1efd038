"""What can be told of a declaration by its first bytes and its size: remarks, never refusals.

Sources: annex 30 of the glossary for unsupported encodings (138) and files too large (184), whose limits are not
published; official samples declare UTF-8.
"""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from govfile.onss.purposes import Purpose

#: How many of the first bytes are looked at.
START = 256

_WIDE = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_DECLARED = re.compile(rb"""<\?xml\s[^>]*?encoding\s*=\s*["']([A-Za-z][A-Za-z0-9._-]*)["']""")
_USUAL = {"utf-8", "ascii"}


def remarks_on(start: bytes, *, size: int, purpose: Purpose) -> tuple[str, ...]:
    """What may cause trouble, in words: a byte order mark, an unusual encoding, a size above the purpose's.

    `start` is the beginning of the file (`START` bytes will do), `size` that of the whole file in bytes.
    """
    found = []
    content = start[:START]
    if content.startswith(codecs.BOM_UTF8):
        found.append("the declaration begins with a byte order mark, which some readers take for content; leave it out")
        content = content.removeprefix(codecs.BOM_UTF8)
    if content.startswith(_WIDE):
        found.append("the declaration is in UTF-16 or UTF-32; write it in UTF-8, others may be refused (ACRF-138)")
    declared = _DECLARED.match(content)
    name = declared[1].decode("ascii") if declared else "utf-8"
    if _usual_name(name) not in _USUAL:
        found.append(f"the declaration names the encoding {name}; write it in UTF-8, others may be refused (ACRF-138)")
    if size > purpose.size_warning:
        found.append(
            f"the declaration has {size} bytes, more than the {purpose.size_warning} that are known to pass (ACRF-184)"
        )
    return tuple(found)


def _usual_name(name: str) -> str:
    try:
        return codecs.lookup(name).name
    except LookupError:
        return name
