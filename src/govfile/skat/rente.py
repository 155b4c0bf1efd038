"""The zips of the Rente areas (`Udlaan`, `Indlaan`, `Pantebreve`, `Prioritetslaan`, `Pensiondiverse`).

Sources: the authority's pages on Rente through the gateway (oid 2244952) and on validating (oid 2254265). One file
inside for each account, named exactly as its KontoID; no folders; names in UTF-8. The pattern of the outer name is
printed as an image: that it reads `<SE>_<period>_<UniktNavn>.zip` is inferred, so its shape is a setting.
"""

from __future__ import annotations

import re
import struct
import zipfile
from typing import TYPE_CHECKING

from govfile.errors import InvalidContent

if TYPE_CHECKING:
    from govfile.transports.base import Content

#: Put before a name, it asks for a check instead of filing.
VALIDATION_PREFIX = "val_"

KONTO_ID_LENGTH = 30
KONTO_ID_FORBIDDEN = frozenset("\\!*'();:@&=+$,/?#[]")

#: `<SE number>_<period>_<UniktNavn>.zip`, as far as it can be inferred.
OUTER_SHAPE = re.compile(r"[0-9]{8}_[0-9A-Za-z-]{4,}_[0-9A-Za-z_]+\.zip")

_ENCRYPTED, _UTF8_NAMES = 0x1, 0x800
_BROKEN = (zipfile.BadZipFile, struct.error, EOFError, ValueError, OverflowError, NotImplementedError, OSError)


def check_zip(content: Content) -> None:
    """Check a Rente zip from its directory alone: nothing is unpacked, so a bomb costs nothing.

    Raises `InvalidContent` naming the entry (by its place: names are account numbers) and the rule.
    """
    with content.open() as reader:
        try:
            with zipfile.ZipFile(reader) as archive:
                entries = archive.infolist()
            if any(entry.header_offset < 0 for entry in entries):
                raise zipfile.BadZipFile("its beginning is missing")
        except _BROKEN as error:
            raise InvalidContent(
                "the document is not a zip that can be read",
                advice="send the zip itself, whole, with one file for each account",
            ) from error
    if not entries:
        raise InvalidContent("the zip is empty", advice="put in one file for each account")
    seen: set[str] = set()
    for place, entry in enumerate(entries, start=1):
        fault = _fault(entry, seen)
        if fault:
            raise InvalidContent(
                f"file {place} of {len(entries)} in the zip {fault}",
                advice="each file in the zip is named exactly as its KontoID, with no folders",
            )
        seen.add(entry.orig_filename)


def _fault(entry: zipfile.ZipInfo, seen: set[str]) -> str:
    name = entry.orig_filename
    if not name:
        return "has no name"
    if "/" in name or "\\" in name:
        return "lies in a folder or is one"
    if entry.flag_bits & _ENCRYPTED:
        return "is encrypted: the gateway takes no password for it"
    if not name.isascii() and not entry.flag_bits & _UTF8_NAMES:
        return "has a name that is not marked as UTF-8"
    if len(name) > KONTO_ID_LENGTH:
        return f"has a name of {len(name)} characters; a KontoID has at most {KONTO_ID_LENGTH}"
    for place, letter in enumerate(name, start=1):
        if letter in KONTO_ID_FORBIDDEN or not letter.isprintable():
            return f"has {letter!r} at place {place} of its name, which a KontoID must not hold"
    if name in seen:
        return "has the same name as an earlier one"
    return ""


def smuggles_prefix(name: str, prefix: str) -> bool:
    """Whether `prefix` stands where the gateway could take it for a wish to validate: at the start, or after a `_`."""
    return re.search(rf"(^|_){re.escape(prefix)}", name, re.IGNORECASE) is not None
