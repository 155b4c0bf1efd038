"""Sending one claimed record, and recording exactly what is known afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from govfile.errors import GovfileError, OutcomeUnknown, Phase, Rejected, TransportError
from govfile.filing import recovery
from govfile.filing.ledger.owners import Owner
from govfile.filing.recording import Elsewhere, Recorder, in_words, is_elsewhere
from govfile.filing.states import Proof, State
from govfile.filing.submission import Evidence
from govfile.vero import register_desk
from govfile.vero.delivery import DeliveryStatus, delivery

if TYPE_CHECKING:
    from govfile.filing.ledger import Ledger
    from govfile.filing.submission import Submission
    from govfile.transports.base import Reply
    from govfile.vero.delivery import Delivery
    from govfile.vero.record import Record
    from govfile.vero.register_desk import RegisterDesk

HOW_TO_RESOLVE = (
    "do not send it again; ask for its delivery_status: any status beyond 0 settles it. If the register still does not "
    "know it after some hours, settle it by hand"
)


@attrs.define
class Sender:
    """Sends at one desk and writes to one ledger."""

    ledger: Ledger
    desk: RegisterDesk
    _start: Owner | None = attrs.field(default=None, init=False)
    _is_started: bool = attrs.field(default=False, init=False)

    def send(self, submission: Submission, record: Record) -> Submission:
        """Send a PREPARED record; returns what is known of it afterwards.

        When somebody else has it by now, it comes back as they left it. Raises `OutcomeUnknown` when it may have
        arrived, `Rejected` for a fault behind the whole record; any other error means that nothing left.
        """
        message = record.signed(self.desk.credential)

        def committing() -> None:
            self._start = Owner.here()
            if self.ledger.start(submission.id, by=self._start) is None:
                raise Elsewhere
            self._is_started = True

        try:
            reply = self.desk.post(register_desk.WAGE_REPORTS, message, committing)
        except BaseException as error:  # noqa: BLE001 recorded, then raised again
            return self._broke_off(submission, error)
        return self._answered(submission, record, reply)

    def learn(self, submission: Submission, told: Delivery) -> Submission:
        """Record what a verified status proves: nothing, where it cannot be about what this side has."""
        if submission.state is State.PREPARED and not _may_have_left(submission):
            noted = attrs.evolve(told.evidence(), proof=Proof.NOTED)
            return self.ledger.record(submission.id, noted, durable=True)
        return self.ledger.record(submission.id, told.evidence(), verdict=told.verdict, durable=True)

    def if_abandoned(self, submission: Submission) -> Submission:
        """The submission; UNKNOWN from now on when the process that was sending it has ended."""
        if submission.state is not State.SENDING:
            return submission
        scope = {"authority": submission.authority, "environment": submission.environment}
        left = self.ledger.interrupted(**scope, sender=submission.sender)
        if any(found.id == submission.id for found in left):
            return recovery.interrupted(self.ledger, submission).submission
        return submission

    # --- the end --------------------------------------------------------------------------------------------------

    def _broke_off(self, submission: Submission, error: BaseException) -> Submission:
        """Record what an error means, and raise what the caller is to see."""
        if not self._is_started:
            if is_elsewhere(error):
                return self.ledger.get(submission.id)
            if self._start is not None:
                Recorder(self.ledger).take_back(submission, self._start)
            raise error
        if isinstance(error, TransportError):
            evidence = Evidence(proof=Proof.NOTHING_LEFT, detail=in_words(error))
            self.ledger.record(submission.id, evidence, durable=True)
            raise error
        recorded = self._lost(submission, in_words(error))
        if isinstance(error, GovfileError):
            raise self._unknown(recorded, in_words(error)) from error
        raise error

    def _answered(self, submission: Submission, record: Record, reply: Reply) -> Submission:
        """Record what the answer proves: a verified acknowledgement, or nothing."""
        try:
            found = self.desk.read(register_desk.WAGE_REPORTS, reply)
            told = delivery(record.subject, found.values, "AckData", found.unknown)
        except Rejected as fault:
            fault.submission = self._lost(submission, "a SOAP fault came, which nobody signs", fault.code)
            fault.phase, fault.advice = Phase.CONFIRM, HOW_TO_RESOLVE
            raise
        except GovfileError as error:
            words = f"an answer came that cannot be believed: {in_words(error)}"
            raise self._unknown(self._lost(submission, words), words) from error
        if told.status is DeliveryStatus.UNKNOWN:
            words = "a genuine acknowledgement says that the register does not know the record"
            raise self._unknown(self._lost(submission, words), words)
        confirmed = Evidence(proof=Proof.CONFIRMED, detail="the register acknowledged the record")
        return self.learn(self.ledger.record(submission.id, confirmed, durable=True), told)

    def _lost(self, submission: Submission, words: str, code: str = "") -> Submission:
        return self.ledger.record(submission.id, Evidence(proof=Proof.LINK_LOST, detail=words, code=code), durable=True)

    def _unknown(self, submission: Submission, evidence: str) -> OutcomeUnknown:
        return OutcomeUnknown(
            f"it is not known whether the register took the record {submission.name}",
            evidence=evidence,
            how_to_resolve=HOW_TO_RESOLVE,
            submission=submission,
            operation="send_wage_reports",
            endpoint=self.desk.endpoint,
        )


def _may_have_left(submission: Submission) -> bool:
    """Whether it was under way once: a person may have settled too early that it never arrived."""
    under_way = (Proof.LINK_LOST, Proof.INTERRUPTED, Proof.CONFIRMED)
    return any(event.evidence.proof in under_way for event in submission.history)
