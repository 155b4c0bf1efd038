"""What is to be done and when, by the sandbox's clock.

Nothing runs by itself: whatever is due is done when somebody looks, at the time it was due.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime


@attrs.frozen(order=True)
class _Step:
    due: datetime
    meant: datetime
    order: int
    do: Callable[[datetime], None] = attrs.field(order=False)


class Agenda:
    """Steps in the order in which they are due. Not safe for several threads by itself."""

    def __init__(self) -> None:
        self._steps: list[_Step] = []
        self._count = 0

    def add(self, due: datetime, do: Callable[[datetime], None]) -> None:
        """Do something at `due`; it is told that time."""
        self._count += 1
        heapq.heappush(self._steps, _Step(due, due, self._count, do))

    def run(self, now: datetime, *, away_until: datetime | None = None) -> None:
        """Do all that is due by `now`, nothing of it before `away_until`."""
        while self._steps and self._steps[0].due <= now:
            if away_until is not None and self._steps[0].due < away_until:
                step = heapq.heappop(self._steps)
                heapq.heappush(self._steps, attrs.evolve(step, due=away_until))
                continue
            step = heapq.heappop(self._steps)
            step.do(step.due)
