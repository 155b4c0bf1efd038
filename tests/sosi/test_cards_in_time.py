"""When a card holds (T-07), and how a clock that is off is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
import pytest

from govfile.errors import ConfigurationError, TrustError
from govfile.sosi import (
    DgwsVersion,
    cards,
)
from support import fake_sts
from support.id_cards import WANTED, card, resigned, verified
from support.xml_messages import NOW

VECTORS = Path(__file__).parents[1] / "xml" / "vectors"
# --- T-07 times -------------------------------------------------------------------------------------------------

BEGIN, END, TICK = NOW - timedelta(minutes=5), NOW + timedelta(hours=23, minutes=55), timedelta(seconds=1)
SKEW = timedelta(seconds=30)


@pytest.mark.parametrize("at", [BEGIN - SKEW, BEGIN, END - TICK, END + SKEW - TICK])
def test_t07_a_card_holds_from_its_begin_to_before_its_end(at: datetime) -> None:
    assert verified(card(), at=at).is_verified


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (BEGIN - SKEW - TICK, "0:00:31 before"),
        (BEGIN - timedelta(minutes=10), "0:10:00 before"),
        (END + SKEW, "0:00:30 after"),
    ],
)
def test_t07_w07_a_clock_that_is_off_is_said_in_the_message(at: datetime, said: str) -> None:
    with pytest.raises(TrustError, match=said) as caught:
        verified(card(), at=at)
    assert "clock" in caught.value.advice


def test_t07_the_skew_is_what_the_trust_says() -> None:
    with pytest.raises(TrustError):
        verified(card(), at=END, skew=timedelta())
    assert verified(card(), at=END + timedelta(minutes=4), skew=timedelta(minutes=5)).is_verified
    with pytest.raises(ConfigurationError, match="skew"):
        verified(card(), skew=timedelta(hours=1))


def conditions(begin: str, end: str) -> tuple[bytes, bytes]:
    written = b'NotBefore="2026-06-01T11:55:00Z" NotOnOrAfter="2026-06-02T11:55:00Z"'
    return written, f'NotBefore="{begin}" NotOnOrAfter="{end}"'.encode()


@pytest.mark.parametrize(
    ("begin", "end", "said"),
    [
        ("2026-06-01T11:55:00Z", "2026-06-02T11:55:01Z", "claims to hold"),
        ("2026-06-01T11:55:00Z", "2036-06-01T11:55:00Z", "claims to hold"),
        ("2026-06-01T12:00:00Z", "2026-06-01T12:00:00Z", "ends before it begins"),
        ("2026-06-01T12:00:00Z", "2026-06-01T11:00:00Z", "ends before it begins"),
        ("", "2026-06-02T11:55:00Z", "NotBefore is missing"),
        ("2026-06-01T11:55:00Z", "tomorrow", "NotOnOrAfter is not a time"),
        ("2026-06-01T13:55:00", "2026-06-02T11:55:00Z", "without a zone"),
        ("2026-06-01T11:55:00Z", "2026-06-02T13:55:00", "without a zone"),
    ],
)
def test_t07_other_windows_are_refused(begin: str, end: str, said: str) -> None:
    with pytest.raises(TrustError, match=said):
        verified(resigned(conditions(begin, end)))


def test_t07_times_with_an_offset_or_fractions_are_read() -> None:
    found = verified(resigned(conditions("2026-06-01T13:55:00.000+02:00", "2026-06-02T11:55:00.00Z")))
    assert (found.valid_from, found.expires) == (BEGIN, END)


@pytest.mark.parametrize(
    ("at", "begin", "end"),
    [
        (datetime(2026, 10, 24, 12, tzinfo=UTC), "2026-10-24T13:55:00", "2026-10-25T13:55:00"),
        (datetime(2026, 3, 28, 12, tzinfo=UTC), "2026-03-28T12:55:00", "2026-03-29T12:55:00"),
    ],
)
def test_t07_cards_of_version_1_0_over_a_change_of_the_clocks(at: datetime, begin: str, end: str) -> None:
    built = cards.build(attrs.evolve(WANTED, version=DgwsVersion.V1_0), fake_sts.employee(), at=at)
    assert f'NotBefore="{begin}"'.encode() in built.xml
    found = verified(fake_sts.signed_card(built.xml), at=at)
    assert found.expires - found.valid_from <= timedelta(hours=24)
    assert (found.valid_from, found.expires) == (built.valid_from, built.expires)
