"""What an answer says beside its body: what time it is there, and when to come again."""

from __future__ import annotations

import re
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from govfile.transports.base import http_date

if TYPE_CHECKING:
    from datetime import datetime

    from govfile.transports.base import Reply

#: A Date header has whole seconds and is as old as the answer's way here.
NOTICEABLE = timedelta(minutes=1)

#: However long a server asks for: nobody is kept waiting longer, in seconds.
LONGEST_WAIT = 300.0

_SECONDS = re.compile(r"\s*(\d{1,9})\s*")


def clock_offset(reply: Reply, now: datetime) -> timedelta | None:
    """How far the server's clock is ahead of `now` (aware; negative: behind), None where it does not say."""
    there = reply.date
    return None if there is None else there - now


def clock_note(reply: Reply, now: datetime, *, noticeable: timedelta = NOTICEABLE) -> str:
    """A sentence for a message when the clocks are `noticeable` apart, "" when they agree or nothing is known.

    A signature that is "not yet valid" is most often one made by a computer with the wrong time.
    """
    return clocks_note(reply.date, now, noticeable=noticeable)


def clocks_note(there: datetime | None, now: datetime, *, noticeable: timedelta = NOTICEABLE) -> str:
    """The same for a time that the server gave in another way (`there`, aware; None: it gave none)."""
    if there is None or abs(there - now) < noticeable:
        return ""
    offset, now = there - now, now.astimezone(UTC)
    minutes = abs(offset).total_seconds() / 60
    apart = f"{minutes:.0f} minutes" if minutes < 120 else f"{minutes / 60:.0f} hours"
    side = "behind" if offset > timedelta(0) else "ahead of"
    return (
        f"the server's clock says {now + offset:%Y-%m-%d %H:%M:%S} UTC, "
        f"this computer's is {apart} {side} it ({now:%Y-%m-%d %H:%M:%S} UTC)"
    )


def retry_after(reply: Reply, now: datetime, *, longest: float = LONGEST_WAIT) -> float | None:
    """The seconds to wait that a Retry-After header asks for (RFC 9110, 10.2.3), no more than `longest`.

    None where there is no such header, or none that can be read.
    """
    text = reply.headers.get("retry-after", "")
    if seconds := _SECONDS.fullmatch(text):
        return min(float(seconds[1]), longest)
    moment = http_date(text)
    return None if moment is None else min(max((moment - now).total_seconds(), 0.0), longest)
