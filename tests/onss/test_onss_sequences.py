"""Sequences: digits first, then letters, each once, 36^5 - 1 of them."""

from __future__ import annotations

import random
import re

import pytest

from govfile import InvalidName
from govfile.onss.sequences import MOST, sequence_number, sequence_text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1, "00001"),
        (10, "00010"),
        (99_999, "99999"),
        (100_000, "0000A"),
        (100_025, "0000Z"),
        (100_026, "0001A"),
        (100_260, "000A0"),
        (MOST, "ZZZZZ"),
    ],
)
def test_digits_first_then_letters(number: int, text: str) -> None:
    assert sequence_text(number) == text
    assert sequence_number(text) == number


def test_there_is_one_for_each_number() -> None:
    """A run across the change from digits to letters, by another way of counting."""
    letters = (f"{high}{low}" for high in ("0000", "0001") for low in "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    assert [sequence_text(number) for number in range(100_000, 100_052)] == list(letters)
    chance = random.Random(4)
    for number in (chance.randrange(1, MOST + 1) for _ in range(2000)):
        assert sequence_number(sequence_text(number)) == number
    assert MOST == 36**5 - 1


def test_later_numbers_are_never_digits_alone() -> None:
    chance = random.Random(5)
    texts = [sequence_text(chance.randrange(100_000, MOST + 1)) for _ in range(2000)]
    assert all(re.fullmatch("[0-9A-Z]{5}", text) and not text.isdigit() for text in texts)


@pytest.mark.parametrize("number", [0, -1, MOST + 1])
def test_there_are_no_others(number: int) -> None:
    with pytest.raises(InvalidName, match="no sequence number"):
        sequence_text(number)


@pytest.mark.parametrize(
    "text", ["00000", "0001", "000001", "abcde", "0000 ", "00-01", "\u0660\u0660\u0660\u0660\u0661", ""]
)
def test_what_is_no_sequence(text: str) -> None:
    with pytest.raises(InvalidName, match="no sequence"):
        sequence_number(text)
