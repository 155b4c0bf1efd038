"""Belgian local time: the date in a file's name, and the times in the authority's forms.

That the authority counts days and hours by Belgian time is inferred: no text says so, and a name dated tomorrow is
refused (ACRF-111).
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from govfile.filing.civil_time import to_local, to_utc

if TYPE_CHECKING:
    from collections.abc import Callable

_ZONE = "Europe/Brussels"


def now() -> datetime:
    """The time of this computer's clock (aware UTC)."""
    return datetime.now(UTC)


def today(clock: Callable[[], datetime] = now) -> date:
    """The date in Belgium at the time of `clock` (aware)."""
    return to_local(clock(), _ZONE).date()


def local(at: datetime) -> datetime:
    """An aware time as naive Belgian local time."""
    return to_local(at, _ZONE)


def from_form(day: str, hour: str) -> datetime | None:
    """A form's `YYYY-MM-DD` and `HH:MM:SS.mmm` as aware UTC; None where they are no time."""
    text = f"{day.strip()} {hour.strip()}"
    for form in ("%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S"):
        try:
            return to_utc(datetime.strptime(text, form), _ZONE)  # noqa: DTZ007 `to_utc` adds the zone
        except (ValueError, OverflowError):
            continue
    return None
