"""Danish local time, as the gateway stamps its files: fourteen digits and no zone."""

from __future__ import annotations

from datetime import datetime

from govfile.filing.civil_time import to_utc


def from_stamp(stamp: str) -> datetime | None:
    """`yyyyMMddHHmmss` in Danish local time (fractions of a second may follow) as aware UTC; None when it is no time.

    That the stamp is local time is inferred from a published sample whose transaction id holds the same moment in UTC.
    In the hour that the clock repeats in October the first of the two is meant.
    """
    digits = stamp.strip()
    if not (digits.isascii() and digits.isdigit() and 14 <= len(digits) <= 20):
        return None
    try:
        return to_utc(datetime.strptime(digits[:14], "%Y%m%d%H%M%S"), "Europe/Copenhagen")  # noqa: DTZ007 `to_utc` adds it
    except (ValueError, OverflowError):
        return None
