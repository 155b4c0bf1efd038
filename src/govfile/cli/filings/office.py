"""What the shared commands need of an authority: a gateway or a channel, and where it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import attrs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from govfile.filing.patience import Patience
    from govfile.filing.recovery import Resumed
    from govfile.filing.submission import Submission


class Office(Protocol):
    """A gateway or a channel, as far as the shared commands use it."""

    def resume(self) -> Sequence[Resumed]:
        """Finish what a crash left behind."""
        ...

    def settle(self, submission: Submission, *, arrived: bool, reason: str) -> Submission:
        """Settle an unknown outcome by hand."""
        ...

    def withdraw(self, submission: Submission, *, reason: str) -> Submission:
        """Take back what was never sent."""
        ...

    def rebuild(self) -> int:
        """Burn the names that are used up; how many were new."""
        ...


@attrs.frozen
class Place:
    """What tells an environment's filings from others in a ledger, and how often to look there."""

    authority: str
    environment: str
    patience: Patience
