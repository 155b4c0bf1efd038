"""Danish local time, as the gateway stamps its files: fourteen digits and no zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def from_stamp(stamp: str) -> datetime | None:
    """`yyyyMMddHHmmss` in Danish local time (fractions of a second may follow) as aware UTC; None when it is no time.

    That the stamp is local time is inferred from a published sample whose transaction id holds the same moment in UTC.
    In the hour that the clock repeats in October the first of the two is meant.
    """
    digits = stamp.strip()
    if not (digits.isascii() and digits.isdigit() and 14 <= len(digits) <= 20):
        return None
    try:
        local = datetime.strptime(digits[:14], "%Y%m%d%H%M%S")  # noqa: DTZ007 the zone is added below
        return (local - _offset(local)).replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _offset(local: datetime) -> timedelta:
    try:
        offset = local.replace(tzinfo=ZoneInfo("Europe/Copenhagen")).utcoffset()
    except (ZoneInfoNotFoundError, OSError):  # a bare machine without the time zone database
        return by_rule(local)
    return offset if offset is not None else by_rule(local)


def by_rule(local: datetime) -> timedelta:
    """Denmark's distance from UTC at a naive local time by the rule of directive 2000/84/EC: summer time from the last
    Sunday of March, 02:00, to the last Sunday of October, 03:00.
    """
    begins = _last_sunday(local.year, 3).replace(hour=2)
    ends = _last_sunday(local.year, 10).replace(hour=3)
    return timedelta(hours=2 if begins + timedelta(hours=1) <= local < ends else 1)


def _last_sunday(year: int, month: int) -> datetime:
    last = datetime(year, month, 31)  # noqa: DTZ001 March and October both have 31 days
    return last - timedelta(days=(last.weekday() + 1) % 7)
