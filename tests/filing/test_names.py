"""F-14: names that could do harm, or be refused later, are refused here."""

from __future__ import annotations

import random
import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as some

from govfile.errors import ConfigurationError, InvalidName
from govfile.filing.names import CAREFUL, SAFE_CHARACTERS, NameRule, NameTemplate

AT = datetime(2026, 3, 2, 9, 0, 5, 123999, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "is empty"),
        ("a\rb", "a carriage return at position 2"),
        ("ab\n", "a line feed at position 3"),
        ("a\0", "NUL at position 2"),
        ("a/b", "'/' at position 2"),
        ("..\\b", r"'\\\\' at position 3"),
        ("../b", "'/' at position 3"),
        ("a..b", r"'\.\.' at position 2"),
        (".hidden", r"begins with '\.'"),
        (" a", "a space at position 1"),
        ("a b", "a space at position 2"),
        ("a\tb", "a tab at position 2"),
        ("\x1b[31m", r"U\+001B\) at position 1"),
        ("løn.zip", r"LATIN SMALL LETTER O WITH STROKE \(U\+00F8\) at position 2"),
        ("Ålborg.zip", r"LATIN CAPITAL LETTER A WITH RING ABOVE \(U\+00C5\) at position 1"),
        ("a\u0308.zip", r"COMBINING DIAERESIS \(U\+0308\) at position 2"),
        ("a\udce6", r"U\+DCE6\) at position 2"),
        ("\uff11.zip", "FULLWIDTH DIGIT ONE"),
        ("a" * 300, "has 300 characters, the limit is 100"),
    ],
)
def test_f14_a_bad_name_is_refused_with_the_character_and_its_position(name: str, words: str) -> None:
    with pytest.raises(InvalidName, match=words) as refused:
        CAREFUL.check(name)
    assert str(refused.value).isascii()
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize("name", ["a", "19552101_2025_a1.zip", "ping20201204143002-hb01.xml", "a" * 100, "-a", "a."])
def test_a_good_name_comes_back_as_it_is(name: str) -> None:
    assert CAREFUL.check(name) == name


@pytest.mark.parametrize("forbidden", ["/", "\\", "\0", "\r", "\n"])
def test_f14_no_rule_can_allow_what_ends_lines_or_separates_folders(forbidden: str) -> None:
    careless = NameRule(characters=SAFE_CHARACTERS | {forbidden})
    assert not careless.allows(f"a{forbidden}b")


def test_a_rule_may_allow_more_and_says_what() -> None:
    rule = NameRule(characters=SAFE_CHARACTERS | set("æøå "))
    assert rule.check("løn marts.zip") == "løn marts.zip"
    with pytest.raises(InvalidName, match="begins with a space"):
        rule.check(" x")
    with pytest.raises(InvalidName, match=r"use only A-Z a-z 0-9 a space - \. _ "):
        rule.check("x:y")


def test_a_forbidden_prefix_counts_in_any_case_unless_case_matters() -> None:
    rule = NameRule(forbidden_prefixes=("val_",))
    assert not rule.allows("VAL_19552101_2025_a1.zip")
    assert rule.allows("value.zip")
    assert NameRule(forbidden_prefixes=("val_",), is_case_sensitive=True).allows("VAL_a.zip")


def test_a_pattern_holds_for_the_whole_name_and_is_told_in_words() -> None:
    rule = NameRule(pattern=r"\d{8}_[A-Za-z0-9]{1,25}", shape="<CVR>_<up to 25 letters and digits>")
    assert rule.check("10101010_123") == "10101010_123"
    with pytest.raises(InvalidName, match="does not have the form <CVR>_<up to 25"):
        rule.check("10101010_123.xml")
    with pytest.raises(ConfigurationError, match="not a regular expression"):
        NameRule(pattern="(")


def test_a_template_makes_the_time_and_eight_random_digits() -> None:
    template = NameTemplate(prefix="10101010_", suffix=".zip", clock=lambda: AT, randomness=random.Random(7).randbytes)
    assert re.fullmatch(r"10101010_20260302090005123-[0-9a-f]{8}\.zip", template.make())
    assert template.make() != template.make()


def test_a_template_writes_the_time_in_utc() -> None:
    there = AT.astimezone(timezone(timedelta(hours=2)))
    assert NameTemplate(clock=lambda: there, randomness=bytes).make() == "20260302090005123-00000000"


def test_a_template_that_could_never_keep_its_rule_is_refused_at_once() -> None:
    with pytest.raises(InvalidName, match="the limit is 100"):
        NameTemplate(prefix="x" * 80)
    with pytest.raises(InvalidName, match="'-' at position 18"):
        NameTemplate(rule=NameRule(characters=frozenset("0123456789abcdef")))


@given(some.text(max_size=120))
def test_whatever_is_allowed_is_harmless(name: str) -> None:
    if CAREFUL.allows(name):
        assert re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}", name)
        assert ".." not in name


@given(some.datetimes(timezones=some.just(UTC)), some.binary(min_size=4, max_size=4))
def test_every_name_made_keeps_the_rule(at: datetime, noise: bytes) -> None:
    made = NameTemplate(
        prefix="10101010_", suffix=".zip", clock=lambda: at, randomness=lambda count: noise[:count]
    ).make()
    assert CAREFUL.allows(made)
