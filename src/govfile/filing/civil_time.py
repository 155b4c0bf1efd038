"""Civil time in the countries on Central European Time, also on a machine without the time zone database.

Summer time by the rule of directive 2000/84/EC: from the last Sunday of March to the last Sunday of October, both
times at 01:00 UTC.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def to_utc(local: datetime, zone: str) -> datetime:
    """A naive local time in `zone` (`Europe/…`) as aware UTC; raises `OverflowError` at the ends of the calendar.

    In the hour that the clock repeats in October the first of the two is meant.
    """
    return (local - _offset(local, zone)).replace(tzinfo=UTC)


def to_local(at: datetime, zone: str) -> datetime:
    """An aware time as naive local time in `zone` (`Europe/…`)."""
    try:
        return at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    except (ZoneInfoNotFoundError, OSError):  # a bare machine without the time zone database
        moment = at.astimezone(UTC).replace(tzinfo=None)
        begins, ends = (_last_sunday(moment.year, month).replace(hour=1) for month in (3, 10))
        return moment + timedelta(hours=2 if begins <= moment < ends else 1)


def by_rule(local: datetime) -> timedelta:
    """The distance from UTC at a naive local time on Central European Time, by the rule alone."""
    begins = _last_sunday(local.year, 3).replace(hour=2)
    ends = _last_sunday(local.year, 10).replace(hour=3)
    return timedelta(hours=2 if begins + timedelta(hours=1) <= local < ends else 1)


def _offset(local: datetime, zone: str) -> timedelta:
    try:
        offset = local.replace(tzinfo=ZoneInfo(zone)).utcoffset()
    except (ZoneInfoNotFoundError, OSError):  # a bare machine without the time zone database
        return by_rule(local)
    return offset if offset is not None else by_rule(local)


def _last_sunday(year: int, month: int) -> datetime:
    last = datetime(year, month, 31)  # noqa: DTZ001 March and October both have 31 days
    return last - timedelta(days=(last.weekday() + 1) % 7)
