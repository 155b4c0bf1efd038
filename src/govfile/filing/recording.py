"""Writing down what became of a transfer, also when the ledger cannot take it at once."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import attrs

from govfile.errors import GovfileError, LedgerError, OutcomeUnknown
from govfile.filing.ledger.owners import Owner
from govfile.filing.states import State
from govfile.xml.parse import blot

if TYPE_CHECKING:
    from govfile.filing.ledger import Ledger
    from govfile.filing.submission import Evidence, Submission


class Elsewhere(Exception):
    """Another process or thread has started sending this submission."""


@attrs.define
class Recorder:
    """Records evidence in one ledger.

    `unrecorded` holds what the ledger could not take yet: evidence, or a start to take back.
    """

    ledger: Ledger
    unrecorded: dict[str, Evidence | Owner] = attrs.field(factory=dict)

    def record(self, submission: Submission, evidence: Evidence, *, durable: bool = False) -> Submission:
        """Write it down; what the ledger refuses is kept for `catch_up`, and its error raised."""
        try:
            recorded = self.ledger.record(submission.id, evidence, durable=durable)
        except BaseException as error:
            self.unrecorded[submission.id] = evidence
            if not isinstance(error, LedgerError):  # interrupted: this process may be at its end
                with contextlib.suppress(LedgerError):
                    self.catch_up()
            raise
        self.unrecorded.pop(submission.id, None)
        return recorded

    def catch_up(self) -> None:
        """Write down what the ledger could not take earlier; raises `LedgerError` while it still cannot."""
        for identifier, what in list(self.unrecorded.items()):
            if isinstance(what, Owner):
                self.ledger.take_back(identifier, what)
            elif self.ledger.get(identifier).state is State.SENDING:
                self.ledger.record(identifier, what, durable=True)
            self.unrecorded.pop(identifier, None)

    def take_back(self, submission: Submission, start: Owner) -> None:
        """The ledger did not say whether the start took effect: if it did, it must not look as if we were sending."""
        try:
            self.ledger.take_back(submission.id, start)
        except BaseException as error:
            self.unrecorded[submission.id] = start
            if not isinstance(error, LedgerError):
                raise


def is_elsewhere(error: BaseException) -> bool:
    """Whether an error is, or was caused by, somebody else's having the submission."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, Elsewhere):
            return True
        seen = seen.__cause__
    return False


def is_settled(submission: Submission) -> bool:
    """Whether the authority's word has overtaken a transfer of which this side did not hear the end."""
    return submission.state.has_reached(State.SENT) or submission.state is State.REJECTED


def in_words(error: BaseException) -> str:
    """What broke off, without anything a foreign exception may hold of the document."""
    if isinstance(error, OutcomeUnknown):
        return blot(error.evidence)[:300]
    if isinstance(error, GovfileError):
        return blot(error.what)[:300]
    return f"{type(error).__name__} while sending"
