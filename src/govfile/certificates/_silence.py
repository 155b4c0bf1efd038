"""When an authority is asked no more: each request without an answer leaves one more customer in doubt."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from govfile.certificates.outcomes import Outcome, Result
from govfile.errors import ConnectionFailed, OutcomeUnknown, Phase, ProtocolError, Rejected, TransportError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from govfile.certificates.keystore import SlotId

#: An authority that leaves so many requests in a row without an answer is asked for nothing more in this round.
_ENOUGH = 3


class Silence:
    """Which authorities have answered none of their last requests."""

    def __init__(self) -> None:
        self._unanswered: dict[str, int] = {}

    @contextlib.contextmanager
    def listening(self, slot: SlotId) -> Iterator[None]:
        """Count an exchange that ends without an answer; any answer, a refusal too, ends the silence."""
        try:
            yield
        except Exception as error:
            unanswered = self._unanswered.pop(slot.authority, 0)
            if _is_no_answer(error):
                self._unanswered[slot.authority] = unanswered + 1
            raise
        self._unanswered.pop(slot.authority, None)

    def is_over(self, slot: SlotId) -> bool:
        """Whether the slot's authority need not be asked any more."""
        return self._unanswered.get(slot.authority, 0) >= _ENOUGH

    def result(self, slot: SlotId) -> Result | None:
        """What becomes of a slot that is not asked for; None for the others."""
        if not self.is_over(slot):
            return None
        error = ConnectionFailed(
            f"{slot.authority} gave no answer to {_ENOUGH} requests in a row, so it was not asked for this one",
            certain="nothing was sent for this slot",
            advice="run again when it answers",
        )
        return Result(slot=slot, outcome=Outcome.FAILED, error=error)


def _is_no_answer(error: Exception) -> bool:
    """A refusal is an answer, unless it came on the way, from nobody who signs for it."""
    if isinstance(error, Rejected):
        return error.phase is Phase.CONFIRM
    return isinstance(error, TransportError | OutcomeUnknown | ProtocolError)
