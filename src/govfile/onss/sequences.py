"""The five-character sequence of a name as a number: digits first, then letters, as the authority itself counts."""

from __future__ import annotations

import re
import string

from govfile.errors import InvalidName

_ALPHABET = string.digits + string.ascii_uppercase
_ALL_DIGITS = 99_999

#: How many sequences a sender has for one date and environment; 00000 is none.
MOST = 36**5 - 1


def sequence_text(number: int) -> str:
    """The `number`-th sequence: 1 is 00001, 99 999 is 99999, 100 000 is 0000A, and `MOST` is ZZZZZ.

    Raises `InvalidName` beyond.
    """
    if not 1 <= number <= MOST:
        raise InvalidName(
            f"there is no sequence number {number}: a sender has {MOST} for a date and environment",
            advice="go on tomorrow, with the date of that day",
        )
    if number <= _ALL_DIGITS:
        return f"{number:05}"
    low, high = 0, MOST
    while low < high:  # the smallest value up to which so many sequences hold a letter
        middle = (low + high) // 2
        if _with_letters(middle) < number - _ALL_DIGITS:
            low = middle + 1
        else:
            high = middle
    return _text(low)


def sequence_number(text: str) -> int:
    """The number that `sequence_text` makes this sequence from; raises `InvalidName` for what is no sequence."""
    if not re.fullmatch("[0-9A-Z]{5}", text) or text == "00000":
        raise InvalidName(f"{text[:20]!a} is no sequence: five digits or capital letters, from 00001 on")
    if text.isdigit():
        return int(text)
    return _ALL_DIGITS + _with_letters(int(text, 36))


def _with_letters(value: int) -> int:
    """How many of the values from 0 to `value` hold a letter, written to the base of 36."""
    plain, text = 0, _text(value)
    for place, character in enumerate(text):
        digit = int(character, 36)
        plain += min(digit, 10) * 10 ** (4 - place)
        if digit > 9:
            break
    else:
        plain += 1
    return value + 1 - plain


def _text(value: int) -> str:
    found = ""
    for _ in range(5):
        value, digit = divmod(value, 36)
        found = _ALPHABET[digit] + found
    return found
