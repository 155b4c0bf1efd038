"""File names as the transfer point reads them: every element judged by itself, each fault with its own code.

The codes are those of the glossary's annex 30 (2022/1).
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import attrs

from govfile.sandbox.onss.settings import BY_INBOX, Circuit, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

_PREFIXES = ("FI", "FS", "GO", "TD")
_STRUCTURE = {"FI": "131", "FS": "132", "GO": "107", "TD": "107"}
_NUMBERING = {"FI": "123", "FS": "124"}
_MISPLACED = {Circuit.REAL: "118", Circuit.CIRCUIT_TEST: "119", Circuit.DECLARATION_TEST: "257"}
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

#: Sender of every answer of the transfer point.
TRANSFER_POINT = "999999"


@attrs.frozen(kw_only=True)
class Name:
    """A sound name. `parts` and `index` are 0 where the name ends before them."""

    prefix: str
    purpose: str
    sender: str
    date: str
    sequence: str
    circuit: Circuit
    parts: int
    index: int

    @property
    def set_key(self) -> tuple[str, ...]:
        """What the files of one set share."""
        return self.purpose, self.sender, self.date, self.sequence, self.circuit.value


def belgian_day(at: datetime) -> date:
    """The date in Belgium."""
    return at.astimezone(ZoneInfo("Europe/Brussels")).date()


def read(
    name: str, *, folder: str, sender: str, now: datetime, settings: Settings
) -> tuple[Name | None, tuple[str, ...]]:
    """The name, or None with all codes it earns; `folder` is where it lies and `sender` whose folder that is."""
    pieces = name.split(".")
    prefix = pieces[0]
    if prefix not in _PREFIXES:
        return None, ("129",)
    if not _is_built_right(pieces, settings):
        return None, (_STRUCTURE[prefix],)
    codes = list(_faults(pieces, folder, sender, now, settings))
    if codes:
        return None, tuple(codes)
    return (
        Name(
            prefix=prefix,
            purpose=pieces[1],
            sender=pieces[2],
            date=pieces[3],
            sequence=pieces[4],
            circuit=Circuit(pieces[5]),
            parts=int(pieces[6]) if len(pieces) > 6 else 0,
            index=int(pieces[7]) if len(pieces) > 7 else 0,
        ),
        (),
    )


def _is_built_right(pieces: list[str], settings: Settings) -> bool:
    whole = 8 if pieces[0] in _NUMBERING else 7
    lengths = {whole, 6} if settings.short_names else {whole}
    return (
        len(pieces) in lengths
        and re.fullmatch("[A-Z]{4}", pieces[1]) is not None
        and re.fullmatch("[0-9]{6}", pieces[2]) is not None
    )


def _faults(pieces: list[str], folder: str, sender: str, now: datetime, settings: Settings) -> Iterator[str]:
    if pieces[2] != sender:
        yield "108"
    yield from _date_faults(pieces[3], now, settings)
    yield from _sequence_faults(pieces[4])
    try:
        circuit = Circuit(pieces[5])
    except ValueError:
        yield "117"
    else:
        if BY_INBOX.get(folder) is not circuit:
            yield _MISPLACED[circuit]
    if len(pieces) > 6:
        yield from _parts_faults(pieces[6], settings)
    if len(pieces) > 7 and not (re.fullmatch("[1-9]", pieces[7]) and pieces[7] <= pieces[6]):
        yield _NUMBERING[pieces[0]]


def _date_faults(text: str, now: datetime, settings: Settings) -> Iterator[str]:
    if len(text) != 8:
        yield "109"
        return
    day = _day(text)
    if day is None:
        yield "110"
        return
    today = belgian_day(now)
    if day > today:
        yield "111"
    elif today - day > settings.oldest:
        yield "126"


def _day(text: str) -> date | None:
    if not re.fullmatch("[0-9]{8}", text):
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None


def _sequence_faults(text: str) -> Iterator[str]:
    if len(text) != 5:
        yield "112"
    elif not set(text) <= set(_ALPHABET):
        yield "367"
    elif text == "00000":
        yield "127"


def _parts_faults(text: str, settings: Settings) -> Iterator[str]:
    if len(text) != 1:
        yield "114"
    elif text not in "0123456789":
        yield "115"
    elif text == "0":
        yield "116"
    elif int(text) > settings.most_parts:
        yield "128"


def sequence(number: int) -> str:
    """The `number`-th sequence number: 00001 to 99999, then from A0000 on."""
    if number < 10**5:
        return f"{number:05}"
    value = number - 10**5 + 10 * 36**4
    return "".join(_ALPHABET[value // 36**place % 36] for place in range(4, -1, -1))
