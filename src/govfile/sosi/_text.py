"""What may stand in a card. The values themselves never get into messages: they may be personal."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from govfile.errors import InvalidContent

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Our own bound, in characters; the services state none.
LONGEST = 255

#: Control characters, and what XML cannot hold at all.
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")

_START = (
    "A-Z_a-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c-\u200d\u2070-\u218f\u2c00-\u2fef"
    "\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_MORE = "\\-.0-9\u00b7\u0300-\u036f\u203f-\u2040"
#: XML 1.0, fifth edition, and Namespaces in XML 1.0: a name without a colon.
_NCNAME = re.compile(f"[{_START}][{_START}{_MORE}]*")
_NOT_IN_A_NAME = re.compile(f"[^{_START}{_MORE}]+")


def check_texts(texts: Iterable[tuple[str, str | None]]) -> None:
    """`check_text` for the names and values of several, those that are None left out."""
    for what, value in texts:
        if value is not None:
            check_text(what, value)


def check_text(what: str, value: str) -> None:
    """Raise `InvalidContent` unless `value` can be written into a card; `what` names it."""
    if not value or value.isspace():
        raise InvalidContent(f"{what} is missing")
    if len(value) > LONGEST:
        raise InvalidContent(f"{what} has {len(value)} characters, more than the {LONGEST} that are written")
    if _UNFIT.search(value) is not None:
        raise InvalidContent(f"{what} holds a control character or one that XML cannot hold")


def check_name(what: str, value: str) -> None:
    """Raise `InvalidContent` unless `value` is an XML name without a colon (NCName)."""
    check_text(what, value)
    if _NCNAME.fullmatch(value) is None:
        raise InvalidContent(
            f"{what} is not a name as XML has them: letters, digits, '.', '-' and '_', beginning with a letter or '_'",
            advice="leave the issuer out to have it made from the system's name",
        )


def name_from(value: str) -> str:
    """An XML name made from a text: what cannot be in one is left out. Raises `InvalidContent` when nothing is left."""
    kept = _NOT_IN_A_NAME.sub("", value)
    if kept and _NCNAME.fullmatch(kept) is None:
        kept = f"_{kept}"[:LONGEST]
    if not kept:
        raise InvalidContent(
            "no issuer can be made from the system's name: it has no letters or digits", advice="give an issuer"
        )
    return kept
