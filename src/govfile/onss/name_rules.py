"""What the transfer point checks in a name and in a set of names, told before anything is sent.

Each fault carries the number of the error that the authority would answer with (ACRF and the number in annex 30 of
its glossary), "" where it publishes none.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator

#: How many elements each kind of name has when it is sent, and the code for a name that has not.
_LONG = {"FI": (8, "131"), "FS": (8, "132"), "GO": (7, "107"), "TD": (7, "")}
_RECEIVED = ("FO", "CO")

#: The folder for each environment letter, and the code for another one.
_FOLDERS = {"R": ("IN", "118"), "T": ("INTEST", "119"), "S": ("INTEST-S", "257")}


@attrs.frozen
class NameFault:
    """One fault: the authority's `code` (three digits) and the `message` in our words."""

    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.message} (ACRF-{self.code})" if self.code else self.message


@attrs.frozen(kw_only=True)
class NameLimits:
    """What the authority checks and does not publish: `oldest` age of a name's date (None: not checked here), and
    how many parts there may be.
    """

    oldest: timedelta | None = None
    most_parts: int = 9


def faults_of(
    name: str,
    *,
    on: date | None = None,
    sender: str | None = None,
    used: Container[str] = (),
    limits: NameLimits | None = None,
    strictly: bool = True,
) -> tuple[NameFault, ...]:
    """Every fault of a name, in the order of its elements; none when it may be sent.

    `on` is today's date in Belgium (None: dates are not compared), `sender` the number of the login, `used` the names
    sent before. Not `strictly`, the short form without parts passes, as old senders and the authority write it.
    """
    elements = name.split(".")
    prefix = elements[0]
    if prefix not in _LONG and prefix not in _RECEIVED:
        return (NameFault("129", f"{_shown(prefix)} is no prefix: a name begins with FI, FS, GO or TD"),)
    if strictly and prefix in _RECEIVED:
        return (NameFault("129", f"{prefix} begins the name of an answer: what is sent begins with FI, FS, GO or TD"),)
    count, code = _LONG.get(prefix, (8, ""))
    if len(elements) != count if strictly else not 6 <= len(elements) <= 8:
        return (NameFault(code, f"{_shown(name)} has {len(elements)} elements where {prefix} names have {count}"),)
    found = [
        *_purpose(elements[1], code),
        *_sender(elements[2], sender, code),
        *_date(elements[3], on, limits or NameLimits()),
        *_sequence(elements[4]),
        *_environment(elements[5]),
        *_parts(prefix, elements[6:], limits or NameLimits()),
    ]
    if name in used:
        found.append(NameFault("133", f"{name} was sent before: a name is used once, also where it was refused"))
    return tuple(found)


def faults_of_set(names: Iterable[str], *, signed: bool = True) -> tuple[NameFault, ...]:
    """What is missing or too much in a set of names that were or are to be sent together.

    `signed`: each declaration has its signature; otherwise there must be none.
    """
    by_prefix: dict[str, list[list[str]]] = {"FI": [], "FS": [], "GO": []}
    stems = set()
    for name in names:
        elements = name.split(".")
        by_prefix.setdefault(elements[0], []).append(elements)
        stems.add(tuple(elements[1:6]))
    declarations, signatures, triggers = (by_prefix[prefix] for prefix in ("FI", "FS", "GO"))
    found = []
    if len(stems) > 1:
        found.append(NameFault("", "the names belong to different sets"))
    if not triggers:
        found.append(NameFault("130", "the GO file is missing: without it nothing is processed"))
    if not declarations:
        found.append(NameFault("142", "there is no declaration, no FI file"))
    announced = _announced(triggers or declarations)
    if announced:
        found += _numbering(declarations, announced, "FI", "120", "123")
        if signed:
            found += _numbering(signatures, announced, "FS", "122", "124")
    if signatures and not signed:
        found.append(NameFault("121", "there are FS files where none belong"))
    return tuple(found)


def folder_fault(environment: str, folder: str) -> NameFault | None:
    """What is wrong with sending names of an `environment` (R, T or S) into a `folder`, None when nothing is."""
    right, code = _FOLDERS.get(environment, ("", "117"))
    if folder.strip("/") == right:
        return None
    return NameFault(code, f"files of the environment {_shown(environment)} belong into {right or 'no folder'}")


def _purpose(text: str, code: str) -> Iterator[NameFault]:
    if not re.fullmatch("[A-Z]{4}", text):
        yield NameFault(code, f"the purpose {_shown(text)} is not four capital letters")


def _sender(text: str, own: str | None, code: str) -> Iterator[NameFault]:
    if not re.fullmatch("[0-9]{6}", text):
        yield NameFault(code, f"the sender {_shown(text)} is not six digits; leading zeros count")
    elif own is not None and text != own:
        yield NameFault("108", f"the sender {text} is not that of the login, {own}")


def _date(text: str, on: date | None, limits: NameLimits) -> Iterator[NameFault]:
    if len(text) != 8:
        yield NameFault("109", f"the date {_shown(text)} does not have eight positions")
        return
    try:
        # strptime also takes blanks and other scripts' digits
        stated = datetime.strptime(text, "%Y%m%d").date() if re.fullmatch("[0-9]{8}", text) else None  # noqa: DTZ007
    except ValueError:
        stated = None
    if stated is None:
        yield NameFault("110", f"the date {_shown(text)} is no date (year, month, day)")
    elif on is not None and stated > on:
        yield NameFault("111", f"the date {text} lies in the future: in Belgium it is {on:%Y%m%d}")
    elif on is not None and limits.oldest is not None and on - stated > limits.oldest:
        yield NameFault("126", f"the date {text} is more than {limits.oldest.days} days old")


def _sequence(text: str) -> Iterator[NameFault]:
    if len(text) != 5:
        yield NameFault("112", f"the sequence {_shown(text)} does not have five positions")
    elif not re.fullmatch("[0-9A-Z]{5}", text):
        yield NameFault("367", f"the sequence {_shown(text)} holds a character outside 0-9 and A-Z")
    elif text == "00000":
        yield NameFault("127", "the sequence 00000 is zero; the first one is 00001")


def _environment(text: str) -> Iterator[NameFault]:
    if text not in _FOLDERS:
        yield NameFault(
            "117", f"the environment {_shown(text)} is none of R (real), T (circuit test), S (declaration test)"
        )


def _parts(prefix: str, elements: list[str], limits: NameLimits) -> Iterator[NameFault]:
    """The number of parts and the part; a wrong part is numbering, for which FI and FS have a code each."""
    if not elements:
        return
    text = elements[0]
    if len(text) != 1:
        yield NameFault("114", f"the number of parts {_shown(text)} does not have one position")
    elif text not in "0123456789":
        yield NameFault("115", f"the number of parts {_shown(text)} is no digit")
    elif text == "0":
        yield NameFault("116", "the number of parts is zero")
    elif int(text) > limits.most_parts:
        yield NameFault("128", f"{text} parts are more than the {limits.most_parts} allowed")
    elif len(elements) == 2 and not (re.fullmatch("[1-9]", elements[1]) and elements[1] <= text):
        code = {"FI": "123", "FS": "124"}.get(prefix, "")
        yield NameFault(code, f"part {_shown(elements[1])} is none of the {text} parts")


def _announced(names: list[list[str]]) -> int:
    text = names[0][6] if names and len(names[0]) > 6 else ""
    return int(text) if re.fullmatch("[1-9]", text) else 0


def _numbering(names: list[list[str]], announced: int, prefix: str, count: str, order: str) -> Iterator[NameFault]:
    if len(names) != announced:
        yield NameFault(count, f"{len(names)} {prefix} files where {announced} are announced")
    elif {elements[7] if len(elements) > 7 else "" for elements in names} != {str(n + 1) for n in range(announced)}:
        yield NameFault(order, f"the {prefix} files are not numbered from 1 to {announced}")


def _shown(text: str) -> str:
    return ascii(text if len(text) <= 40 else text[:37] + "...")
