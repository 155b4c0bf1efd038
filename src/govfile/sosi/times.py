"""How Den Gode Webservice writes times.

Version 1.0 has Danish local time and no zone; version 1.0.1 has UTC with a `Z`. Both are written without fractions.
Read is whatever the two allow: with a zone or without, with fractions or without.
"""

from __future__ import annotations

import enum
from datetime import UTC, datetime, timedelta, tzinfo

from govfile.errors import ConfigurationError, ProtocolError, TrustError

_HOUR = timedelta(hours=1)
_WINTER, _SUMMER = _HOUR, 2 * _HOUR


class DgwsVersion(enum.Enum):
    """The versions of Den Gode Webservice that are in use."""

    V1_0 = "1.0"
    V1_0_1 = "1.0.1"


class _DanishTime(tzinfo):
    """Time in Denmark by the rule of directive 2000/84/EC, also on a machine without the time zone database."""

    def utcoffset(self, at: datetime | None, /) -> timedelta:
        if at is None:
            return _WINTER
        local = at.replace(tzinfo=None, fold=0)
        begins = _last_sunday(at.year, 3).replace(hour=2)
        ends = _last_sunday(at.year, 10).replace(hour=3)
        if begins <= local < begins + _HOUR:  # skipped; see PEP 495
            return _SUMMER if at.fold else _WINTER
        if ends - _HOUR <= local < ends:  # there twice
            return _WINTER if at.fold else _SUMMER
        return _SUMMER if begins <= local < ends else _WINTER

    def dst(self, at: datetime | None, /) -> timedelta:
        return self.utcoffset(at) - _WINTER

    def tzname(self, at: datetime | None, /) -> str:
        return "CEST" if self.dst(at) else "CET"

    def fromutc(self, at: datetime, /) -> datetime:
        moment = at.replace(tzinfo=None)
        begins, ends = (_last_sunday(at.year, month).replace(hour=1) for month in (3, 10))
        offset = _SUMMER if begins <= moment < ends else _WINTER
        return (at + offset).replace(fold=int(ends <= moment < ends + _HOUR))

    def __repr__(self) -> str:
        return "DANISH_TIME"


def _last_sunday(year: int, month: int) -> datetime:
    last = datetime(year, month, 31)  # noqa: DTZ001 March and October both have 31 days
    return last - timedelta(days=(last.weekday() + 1) % 7)


#: The time zone of times that name none.
DANISH_TIME: tzinfo = _DanishTime()


def write(at: datetime, version: DgwsVersion = DgwsVersion.V1_0_1) -> str:
    """An aware time as a message of that version has it; fractions of a second are cut off."""
    if at.tzinfo is None:
        raise ConfigurationError(f"the time {at} has no time zone", advice="give an aware datetime, e.g. in UTC")
    if version is DgwsVersion.V1_0:
        return at.astimezone(DANISH_TIME).replace(tzinfo=None, microsecond=0).isoformat()
    return at.astimezone(UTC).isoformat(timespec="seconds").removesuffix("+00:00") + "Z"


def read(text: str, what: str = "a time") -> datetime:
    """A time of a message, in UTC; without a zone it is Danish, and of a repeated hour the first is meant.

    Raises `ProtocolError`, with `what` in it, for anything else.
    """
    from govfile.xml.window import moment

    try:
        return moment(text, what, DANISH_TIME, is_later=False)
    except TrustError as error:
        raise ProtocolError(error.what) from error


def window(begin: datetime, life: timedelta, version: DgwsVersion) -> tuple[datetime, datetime]:
    """Begin and end of something that holds for at most `life` from `begin`, as that version can write them.

    In version 1.0 nobody can tell the hour that the clocks repeat in October from its repetition; begin and end are
    moved out of it, to the second before. Nor does it last longer by the clock on the wall than `life`.
    """
    begin = begin.astimezone(UTC).replace(microsecond=0)
    if version is not DgwsVersion.V1_0:
        return begin, begin + life
    begin = _out_of_the_repeated_hour(begin)
    on_the_wall = begin.astimezone(DANISH_TIME).replace(tzinfo=None) + life
    latest = min(begin + life, on_the_wall.replace(tzinfo=DANISH_TIME).astimezone(UTC))
    return begin, _out_of_the_repeated_hour(latest)


def _out_of_the_repeated_hour(at: datetime) -> datetime:
    local = at.astimezone(DANISH_TIME).replace(tzinfo=None)
    first, second = (local.replace(tzinfo=DANISH_TIME, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first == second:
        return at
    return first.replace(minute=0, second=0) - timedelta(seconds=1)
