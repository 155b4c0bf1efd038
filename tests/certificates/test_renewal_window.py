"""C-01: before, in and after the window in which an authority renews."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from govfile.certificates.renewal import RenewalWindow
from govfile.errors import ConfigurationError
from support.keystores import NOON

SECOND = timedelta(seconds=1)
CASES = {
    "a second too early": (NOON - timedelta(days=60) - SECOND, False, False, False),
    "the first moment": (NOON - timedelta(days=60), True, False, False),
    "a second before the last week": (NOON - timedelta(days=7) - SECOND, True, False, False),
    "the last week": (NOON - timedelta(days=7), True, True, False),
    "the last second": (NOON - SECOND, True, True, False),
    "expired": (NOON, False, False, True),
}


@pytest.mark.parametrize("case", CASES)
def test_c01_windows_open_become_urgent_and_pass(case: str) -> None:
    at, *states = CASES[case]
    window = RenewalWindow.before_expiry(NOON, at=at)
    assert [window.is_open, window.is_urgent, window.has_passed] == states
    assert (window.opens, window.closes) == (NOON - timedelta(days=60), NOON)


def test_c01_other_zones_are_the_same_moment() -> None:
    helsinki = timezone(timedelta(hours=2))
    at = datetime(2026, 1, 1, 14, tzinfo=helsinki)
    assert RenewalWindow.before_expiry(NOON, at=at, days=60).opens == at.astimezone(helsinki)


def test_windows_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="time zone"):
        RenewalWindow.before_expiry(NOON, at=NOON.replace(tzinfo=None))
    with pytest.raises(ConfigurationError, match="urgent"):
        RenewalWindow.before_expiry(NOON, at=NOON, days=5, urgent_days=7)
