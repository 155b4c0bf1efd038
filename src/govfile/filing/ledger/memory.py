"""What this process wrote last of each submission, so that its next step need not be read first.

A memory is never believed alone: the step is written only where the row still has the revision and the checksum that
are remembered; where it has not, the row is read.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from govfile.filing.submission import Submission

#: Submissions remembered: more than a batch claims ahead of those that send.
_MOST = 512


class Held(NamedTuple):
    """A submission as it was written, with the guard, the owner and the checksum of its row."""

    submission: Submission
    guard: str
    owner: str
    crc: int


class Memory:
    """The latest submissions written. Without a lock, since it must survive a fork: each call below is one step."""

    def __init__(self) -> None:
        self._held: dict[str, Held] = {}
        self._order: deque[str] = deque()

    def keep(self, held: Held) -> None:
        """Remember what was written."""
        identifier = held.submission.id
        if identifier not in self._held:
            self._order.append(identifier)
        self._held[identifier] = held
        while len(self._order) > _MOST:
            self._held.pop(self._order.popleft(), None)

    def recall(self, identifier: str) -> Held | None:
        """What this process wrote last of a submission; others may have changed it since."""
        return self._held.get(identifier)
