"""Deadlines: one for each phase, and one for the call as a whole."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, NamedTuple, cast

from govfile.errors import Phase, TimedOut

if TYPE_CHECKING:
    import select
    from collections.abc import Callable

    from govfile.transports.base import Timeouts

Which = Literal["connect", "tls", "reply", "data", "close"]

_PHASES = {
    "connect": Phase.CONNECT,
    "tls": Phase.TLS,
    "reply": Phase.REQUEST,
    "data": Phase.TRANSFER,
    "close": Phase.CLOSE,
}


class Limit(NamedTuple):
    """The moment (on the monotonic clock) by which something must have happened, and what to say when it has not."""

    end: float
    which: str
    seconds: float
    phase: Phase
    doing: str


class Deadlines:
    """Gives out limits; `begin` starts the total of a new call."""

    def __init__(self, timeouts: Timeouts, monotonic: Callable[[], float], endpoint: str) -> None:
        self.monotonic = monotonic
        self.endpoint = endpoint
        self._timeouts = timeouts
        self._end = math.inf

    def begin(self) -> None:
        """Start the total of a new call."""
        total = self._timeouts.total
        self._end = math.inf if total is None else self.monotonic() + total

    def limit(self, which: Which, doing: str, phase: Phase | None = None) -> Limit:
        """The limit of one phase that starts now, never later than the end of the call."""
        seconds: float = getattr(self._timeouts, which)
        end = self.monotonic() + seconds
        phase = phase or _PHASES[which]
        if end > self._end:
            return Limit(self._end, "total", self._timeouts.total or 0.0, phase, doing)
        return Limit(end, which, seconds, phase, doing)

    def flowing(self, doing: str) -> Limit:
        """The limit for the next block of data; raises `TimedOut` once the call's total has passed, however well the
        data may flow.
        """
        limit = self.limit("data", doing, Phase.TRANSFER)
        self.check(limit)
        return limit

    def anew(self, limit: Limit) -> Limit:
        """The same limit from now on, since something has moved; the call's total stays."""
        return limit if limit.which == "total" else self.limit(cast("Which", limit.which), limit.doing, limit.phase)

    def check(self, limit: Limit) -> None:
        """Raise `TimedOut` when it has passed, also where there would be something to read or room to write."""
        if self.monotonic() >= limit.end:
            raise self.passed(limit)

    def poll(self, poller: select.poll, limit: Limit) -> list[tuple[int, int]]:
        """What became ready; raises `TimedOut` when nothing does before the limit."""
        remaining = limit.end - self.monotonic()
        ready = poller.poll(math.ceil(remaining * 1000)) if remaining > 0 else poller.poll(0)
        if not ready:
            raise self.passed(limit)
        return ready

    def passed(self, limit: Limit) -> TimedOut:
        """The error for a limit that has passed."""
        what = "it was not over" if limit.which == "total" else "nothing came"
        return TimedOut(
            f"{what} within {limit.seconds:g} s while {limit.doing}",
            which=limit.which,
            phase=limit.phase,
            endpoint=self.endpoint,
            advice="try again; if it stays silent, look at firewalls on the way",
        )
