"""The sandbox's clock: real time, or a hand that only tests move."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

from govfile.errors import ConfigurationError


class SandboxClock:
    """Call it for the time (aware UTC). It runs with the machine's, or stands still at `start`; both can be advanced.

    It is also a clock and a sleep for the client under test: `Gateway(..., clock=clock, sleep=clock.sleep)` makes days
    of waiting pass at once.
    """

    def __init__(self, start: datetime | None = None) -> None:
        if start is not None and start.tzinfo is None:
            raise ConfigurationError("the sandbox's clock starts at an aware datetime", advice="add tzinfo=UTC")
        self._start = start
        self._advanced = timedelta()
        self._lock = threading.Lock()

    def __call__(self) -> datetime:
        """The time now."""
        with self._lock:
            return (self._start or datetime.now(UTC)) + self._advanced

    def advance(self, by: timedelta | float) -> datetime:
        """Move on by a timedelta or by seconds; returns the new time."""
        step = by if isinstance(by, timedelta) else timedelta(seconds=by)
        if step < timedelta():
            raise ConfigurationError("the sandbox's clock only goes forward")
        with self._lock:
            self._advanced += step
        return self()

    def sleep(self, seconds: float) -> None:
        """Let `seconds` pass at once."""
        self.advance(seconds)
