"""What a run of the `Renewer` tells: what became of each slot, and who must be reminded."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

import attrs

from govfile.errors import GovfileError

if TYPE_CHECKING:
    from datetime import datetime

    from govfile.certificates.deploy import HookFailure
    from govfile.certificates.keystore import SlotId


class Outcome(enum.Enum):
    """What a run did for a slot."""

    RENEWED = "renewed"
    NOT_DUE = "not due"
    WAITING = "asked for, not there yet"
    BUSY = "another process is at work"
    BY_HAND = "only a person can renew it"
    MISSED = "expired: a new enrolment is needed"
    CLOCK_DOUBTED = "the clock is in doubt"
    UNKNOWN = "it is not known whether the request arrived"
    FAILED = "failed"


_BAD = frozenset({Outcome.MISSED, Outcome.CLOCK_DOUBTED, Outcome.UNKNOWN, Outcome.FAILED})


@attrs.frozen(kw_only=True)
class Result:
    """What became of one slot: the outcome, the error behind it, and hooks that failed after a renewal."""

    slot: SlotId
    outcome: Outcome
    error: Exception | None = attrs.field(default=None, repr=False)
    expires: datetime | None = None
    is_urgent: bool = False
    hook_failures: tuple[HookFailure, ...] = ()

    @property
    def is_bad(self) -> bool:
        """Whether somebody must look at it."""
        return self.outcome in _BAD or bool(self.hook_failures)

    def __str__(self) -> str:
        until = f"; the one in use ends {self.expires:%Y-%m-%d}" if self.expires else ""
        why = f": {_told(self.error)}" if self.error else ""
        hooks = "".join(f"; the hook {found.hook} {found.why}" for found in self.hook_failures)
        return f"{self.slot}: {self.outcome.value}{until}{' (urgent)' if self.is_urgent else ''}{why}{hooks}"


@attrs.frozen(kw_only=True)
class Reminder:
    """A credential near its end: `days` is the mark it has passed, 60, 30 or 7; 0 when it has expired."""

    slot: SlotId
    expires: datetime
    days: int

    def __str__(self) -> str:
        if not self.days:
            return f"{self.slot}: expired on {self.expires:%Y-%m-%d}"
        return f"{self.slot}: expires on {self.expires:%Y-%m-%d}, in less than {self.days} days"


@attrs.frozen(kw_only=True)
class Summary:
    """What a run did: one result for each slot, the reminders, and what in the store belongs to no slot."""

    results: tuple[Result, ...]
    reminders: tuple[Reminder, ...] = ()
    strays: tuple[str, ...] = ()

    @property
    def exit_status(self) -> int:
        """0 when nobody has to look at it, else 1. Reminders alone are no failure."""
        return int(bool(self.strays) or any(result.is_bad for result in self.results))

    def __str__(self) -> str:
        lines = [str(result) for result in self.results if result.outcome is not Outcome.NOT_DUE]
        quiet = len(self.results) - len(lines)
        return "\n".join([*lines, *map(str, self.reminders), *self.strays, f"{quiet} of {len(self.results)} not due"])


def _told(error: Exception) -> str:
    """An error in a summary: ours in full, anybody else's by its type, since its text may hold anything."""
    return error.what if isinstance(error, GovfileError) else type(error).__name__
