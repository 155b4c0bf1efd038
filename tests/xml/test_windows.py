"""For how long a signed statement holds (T-07): whole times with a zone, a small skew, a bounded length."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import attrs
import pytest

from govfile.errors import ConfigurationError, TrustError
from govfile.xml.policy import Window
from govfile.xml.verifying import verify
from support import xml_messages as messages

BEGIN = datetime(2026, 6, 1, 11, 55, tzinfo=UTC)
END = BEGIN + timedelta(hours=24)
SKEW = timedelta(seconds=30)
TICK = timedelta(seconds=1)
CONDITIONS = f'<saml:Conditions NotBefore="{messages.FROM}" NotOnOrAfter="{messages.UNTIL}"/>'.encode()


def card(begin: str | None, end: str | None) -> bytes:
    """A card signed with these times in it."""
    parts = [f'{name}="{value}"' for name, value in (("NotBefore", begin), ("NotOnOrAfter", end)) if value is not None]
    changed = messages.CARD_ENVELOPE.replace(CONDITIONS, f"<saml:Conditions {' '.join(parts)}/>".encode())
    return messages.signed_card(changed)


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (BEGIN - SKEW, None),
        (BEGIN - SKEW - TICK, "holds from 2026-06-01 11:55:00 UTC"),
        (BEGIN, None),
        (END - TICK, None),
        (END + SKEW - TICK, None),
        (END + SKEW, "held until 2026-06-02 11:55:00 UTC"),
    ],
)
def test_t07_a_statement_holds_from_its_begin_to_before_its_end(at: datetime, said: str | None) -> None:
    if said is None:
        verified = verify(messages.signed_card(), messages.card_policy(), at=at)
        assert (verified.valid_from, verified.valid_until) == (BEGIN, END)
        return
    with pytest.raises(TrustError, match=said) as caught:
        verify(messages.signed_card(), messages.card_policy(), at=at)
    assert "clock" in caught.value.advice


def test_t07_without_skew_the_end_is_already_too_late() -> None:
    policy = attrs.evolve(messages.card_policy(), window=Window(skew=timedelta()))
    assert verify(messages.signed_card(), policy, at=END - timedelta(microseconds=1)).parts
    for wrong in (END, BEGIN - timedelta(microseconds=1)):
        with pytest.raises(TrustError):
            verify(messages.signed_card(), policy, at=wrong)


@pytest.mark.parametrize(
    ("begin", "end", "said"),
    [
        (messages.FROM, messages.FROM, "ends before it begins"),
        (messages.UNTIL, messages.FROM, "ends before it begins"),
        (messages.FROM, "2036-06-01T11:55:00Z", "claims to hold for"),
        (messages.FROM, "2026-06-02T11:55:01Z", "claims to hold for"),
        ("2026-06-01T11:55:00", messages.UNTIL, "NotBefore names no time zone"),
        (messages.FROM, "2026-06-02T11:55:00", "NotOnOrAfter names no time zone"),
        (None, messages.UNTIL, "NotBefore is missing"),
        (messages.FROM, None, "NotOnOrAfter is missing"),
        (messages.FROM, "", "missing"),
        ("2026-06-01", messages.UNTIL, "NotBefore is not a time"),
        ("2026-02-30T00:00:00Z", messages.UNTIL, "NotBefore is not a time"),
        ("0001-01-01T00:00:00+14:00", messages.UNTIL, "NotBefore is not a time"),
        (messages.FROM, "9999-12-31T23:59:59-14:00", "NotOnOrAfter is not a time"),
        ("٢٠٢٦-06-01T11:55:00Z", messages.UNTIL, "NotBefore is not a time"),
        (messages.FROM, "2026-06-01T24:00:00Z", "not a time"),
    ],
)
def test_t07_times_that_say_too_much_or_too_little_are_refused(begin: str | None, end: str | None, said: str) -> None:
    with pytest.raises(TrustError, match=said):
        verify(card(begin, end), messages.card_policy(), at=messages.NOW)


def test_t07_fractions_and_offsets_are_understood() -> None:
    document = card("2026-06-01T13:55:00.1234567+02:00", "2026-06-01T06:55:00.5-05:30")
    verified = verify(document, messages.card_policy(), at=messages.NOW)
    assert verified.valid_from == BEGIN + timedelta(microseconds=123456)
    assert verified.valid_until == datetime(2026, 6, 1, 12, 25, 0, 500000, tzinfo=UTC)


def test_t07_a_statement_without_begin_holds_from_its_issue_where_a_policy_says_so() -> None:
    policy = attrs.evolve(messages.card_policy(), window=Window(begins_when_issued=True))
    document = card(None, messages.UNTIL)
    assert verify(document, policy, at=messages.NOW).valid_from == BEGIN
    with pytest.raises(TrustError, match="holds from"):
        verify(document, policy, at=BEGIN - timedelta(minutes=1))
    undated = messages.CARD_ENVELOPE.replace(f' IssueInstant="{messages.FROM}"'.encode(), b"")
    undated = undated.replace(f' NotBefore="{messages.FROM}"'.encode(), b"")
    with pytest.raises(TrustError, match="IssueInstant is missing"):
        verify(messages.signed_card(undated), policy, at=messages.NOW)


def test_t07_conditions_twice_are_refused() -> None:
    twice = messages.signed_card(messages.CARD_ENVELOPE.replace(CONDITIONS, CONDITIONS * 2))
    with pytest.raises(TrustError, match="2 elements Conditions"):
        verify(twice, messages.card_policy(), at=messages.NOW)
    none = messages.signed_card(messages.CARD_ENVELOPE.replace(CONDITIONS, b""))
    with pytest.raises(TrustError, match="0 elements Conditions"):
        verify(none, messages.card_policy(), at=messages.NOW)


DANISH = Window(zone=ZoneInfo("Europe/Copenhagen"), longest=timedelta(hours=26), skew=timedelta())


@pytest.mark.parametrize(
    ("begin", "end", "expected"),
    [
        ("2026-06-01T13:55:00", "2026-06-02T13:55:00", (BEGIN, END)),
        # the hour that comes twice in autumn: the window is the shorter one
        (
            "2026-10-25T02:30:00",
            "2026-10-26T02:30:00",
            (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), datetime(2026, 10, 26, 1, 30, tzinfo=UTC)),
        ),
        (
            "2026-10-24T02:30:00",
            "2026-10-25T02:30:00",
            (datetime(2026, 10, 24, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ),
    ],
)
def test_t07_local_times_are_read_where_a_policy_names_their_zone(
    begin: str, end: str, expected: tuple[datetime, datetime]
) -> None:
    policy = attrs.evolve(messages.card_policy(), window=DANISH)
    verified = verify(card(begin, end), policy, at=expected[0])
    assert (verified.valid_from, verified.valid_until) == expected


def test_t07_a_local_time_that_never_was_is_refused() -> None:
    policy = attrs.evolve(messages.card_policy(), window=DANISH)
    with pytest.raises(TrustError, match="clocks skip"):
        verify(card("2026-03-29T02:30:00", "2026-03-29T12:00:00"), policy, at=datetime(2026, 3, 29, 9, tzinfo=UTC))


def test_a_window_must_be_a_window() -> None:
    for wrong in (timedelta(hours=1), timedelta(seconds=-1)):
        with pytest.raises(ConfigurationError, match="skew"):
            Window(skew=wrong)
    with pytest.raises(ConfigurationError, match="longest"):
        Window(longest=timedelta())
