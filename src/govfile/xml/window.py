"""Whether a signed statement holds now."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from govfile.errors import TrustError

if TYPE_CHECKING:
    from datetime import tzinfo

    from govfile.xml.policy import Window
    from govfile.xml.verifying import VerifiedPart

_TIME = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-](?:0\d|1[0-4]):[0-5]\d)?", re.ASCII
)  # xs:dateTime, the years people live in
_CLOCK = "compare this computer's clock with another one"


def check_window(statement: VerifiedPart, window: Window, at: datetime) -> tuple[datetime, datetime]:
    """Raise `TrustError` unless what is stated holds at `at` (aware); its begin and end, in UTC."""
    name = window.element.rpartition("}")[2]
    found = statement.rows(window.element)
    if len(found) != 1:
        raise TrustError(f"the message has {len(found)} elements {name} that say for how long it holds, not one")
    conditions = found[0].attributes
    begins = "NotBefore", conditions.get("NotBefore")
    if begins[1] is None and window.begins_when_issued:
        begins = "IssueInstant", found[0].above.get("IssueInstant")
    begin = moment(begins[1], begins[0], window.zone, is_later=True)
    end = moment(conditions.get("NotOnOrAfter"), "NotOnOrAfter", window.zone, is_later=False)
    if end <= begin:
        raise TrustError("the message ends before it begins to hold")
    if end - begin > window.longest:
        raise TrustError(f"the message claims to hold for {end - begin}, more than {window.longest}")
    if at + window.skew < begin:
        raise TrustError(
            f"the message holds from {begin:%Y-%m-%d %H:%M:%S} UTC, and it is {_now(at)}, "
            f"{_shown(begin - at)} before that",
            advice=f"{_CLOCK}: it may be behind",
        )
    if at - window.skew >= end:
        raise TrustError(
            f"the message held until {end:%Y-%m-%d %H:%M:%S} UTC, and it is {_now(at)}, {_shown(at - end)} after that",
            advice=f"ask for a new one; or {_CLOCK}: it may be ahead",
        )
    return begin, end


def _now(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def _shown(distance: timedelta) -> str:
    return str(timedelta(seconds=round(distance.total_seconds())))


def moment(text: str | None, what: str, zone: tzinfo | None, *, is_later: bool) -> datetime:
    """A time of a message (xs:dateTime) in UTC; `zone` is that of times that name none, `what` names it in errors.

    Of two moments that a local time may mean it is the later or the earlier one. Raises `TrustError` for what is no
    time, for one without a zone where `zone` is None, and for one that the clocks skip.
    """
    match = _TIME.fullmatch((text or "").strip(" \t\r\n"))
    if match is None:
        raise TrustError(f"{what} is not a time" if text else f"{what} is missing")
    zoned = (match[3] or "").replace("Z", "+00:00")
    try:
        found = datetime.fromisoformat(match[1] + zoned)
        if not zoned:
            found = _local(found, what, zone, is_later=is_later)
        found = found.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise TrustError(f"{what} is not a time") from error
    return found if match[2] is None else found + timedelta(microseconds=int(match[2].ljust(9, "0")) // 1000)


def _local(moment: datetime, what: str, zone: tzinfo | None, *, is_later: bool) -> datetime:
    if zone is None:
        raise TrustError(f"{what} names no time zone")
    meant = moment.replace(tzinfo=zone, fold=int(is_later))
    if meant.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != moment:
        raise TrustError(f"{what} is a time that the clocks skip in spring")
    return meant
