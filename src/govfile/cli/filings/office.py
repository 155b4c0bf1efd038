"""What the shared commands need of an authority: a gateway or a channel, and where it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from govfile.cli.output import Output
    from govfile.cli.session import Session
    from govfile.filing.ledger import Ledger
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


@attrs.frozen(kw_only=True)
class Desk:
    """How the commands of one authority reach it: `open` its office for a session's profile, where that is (`place`),
    `look` for what came back into a folder, and `report` that, line by line.
    """

    open: Callable[[Session, Ledger], AbstractContextManager[Office]]
    place: Callable[[Session], Place]
    look: Callable[[Any, Path], Any]
    report: Callable[[Output, Any], None]
