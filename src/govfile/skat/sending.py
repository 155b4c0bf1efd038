"""Sending one claimed document, and recording exactly what is known afterwards.

The order is: look where the service's folder is, let the transport prepare everything that leaves no trace, record that
sending starts, send, record what the server said. Whatever breaks after the start is recorded as unknown, never as
failed: only the gateway's own word moves it on from there.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import attrs

from govfile.errors import (
    DuplicateName,
    GovfileError,
    LedgerError,
    OutcomeUnknown,
    Rejected,
    Retry,
    TransferRefused,
)
from govfile.filing.ledger.owners import Owner
from govfile.filing.recording import Elsewhere, in_words, is_elsewhere, is_settled
from govfile.filing.states import Proof
from govfile.filing.submission import Evidence
from govfile.skat.codes import NAME_REUSED
from govfile.skat.folders import not_visible
from govfile.transports.base import join
from govfile.xml.parse import blot

if TYPE_CHECKING:
    from collections.abc import Callable

    from govfile.filing.ledger import Ledger
    from govfile.filing.recording import Recorder
    from govfile.filing.source import Source
    from govfile.filing.submission import Submission
    from govfile.skat.services import ServiceProfile
    from govfile.skat.session import Session
    from govfile.transports.base import PutReceipt

    Progress = Callable[[int, int | None], None]

logger = logging.getLogger("govfile.skat")

HOW_TO_RESOLVE = (
    "do not file it again; collect, and wait for a status: one that comes settles it. If none comes within a day or "
    "two, ask the authority whether it arrived, and settle it by hand"
)


@attrs.define
class Sender:
    """Sends for one session and writes to one ledger."""

    ledger: Ledger
    session: Session
    recorder: Recorder

    def send(
        self, submission: Submission, source: Source, profile: ServiceProfile, progress: Progress | None = None
    ) -> Submission:
        """Send a PREPARED submission under its claimed name; returns it as it is afterwards.

        When somebody else has it by now, it comes back as they left it, and nothing is sent. Raises `OutcomeUnknown`
        when the link was lost after the start; any other error means that the document was not handed over.
        """
        start: Owner | None = None
        started = False

        def committing() -> None:
            nonlocal start, started
            start = Owner.here()
            if self.ledger.start(submission.id, by=start, seen=submission.revision) is None:
                raise Elsewhere
            started = True

        try:
            with self.session.conversation() as transport:
                folder = self.session.layout(transport).folder_of(profile.folder, endpoint=transport.endpoint)
                receipt = transport.put(
                    join(folder, submission.name),
                    source,
                    transfer_type=profile.transfer,
                    committing=committing,
                    progress=progress,
                )
            evidence = _evidence(submission, receipt)
            self.recorder.unrecorded[submission.id] = evidence  # until it is: Ctrl-C may come before the next line
        except BaseException as error:
            if started:
                return self._broke_off(submission, profile, error)
            if is_elsewhere(error):
                return self.ledger.get(submission.id)
            if start is not None:
                self.recorder.take_back(submission, start)
            raise
        return self._ended(submission, evidence)

    def _ended(self, submission: Submission, evidence: Evidence) -> Submission:
        if evidence.proof is not Proof.CONFIRMED:
            recorded = self.recorder.record(submission, evidence)
            raise self._unknown("the document changed while it was sent", evidence.detail, recorded)
        try:
            return self.recorder.record(submission, evidence)
        except LedgerError as error:
            raise LedgerError(
                f"{submission.name} was sent, but the ledger could not record it: {error.what}",
                certain=f"the server confirmed the whole document ({evidence.detail}); "
                "the ledger still says it is being sent",
                advice="make room for the ledger or mend it, then resume; do not file the document again",
                operation="submit",
                retry=Retry.AFTER_A_LOOK,
            ) from error

    def _broke_off(self, submission: Submission, profile: ServiceProfile, error: BaseException) -> Submission:
        """Record what an error after the start means, and raise what the caller is to see; returns the submission where
        the gateway's word, collected meanwhile, says what became of it.
        """
        if isinstance(error, TransferRefused):
            self._refused(submission, profile, error)
            raise error
        evidence = Evidence(proof=Proof.LINK_LOST, detail=in_words(error), code=getattr(error, "code", "") or "")
        try:
            recorded = self.recorder.record(submission, evidence)
        except LedgerError as failure:
            logger.error("the ledger could not record what became of %s", submission.id)  # noqa: TRY400 no payloads
            recorded = submission
            error.add_note(f"The ledger could not record this: {failure.what}")
        if isinstance(error, Rejected):
            error.certain = f"{error.certain}; whether the gateway kept them, it does not say"
            error.advice = HOW_TO_RESOLVE
            error.retry = Retry.AFTER_A_LOOK
        if isinstance(error, OutcomeUnknown) and is_settled(recorded):
            return recorded
        if isinstance(error, OutcomeUnknown | Rejected):
            error.submission = recorded
        elif isinstance(error, Exception):
            raise self._unknown(f"sending {submission.name} broke off", evidence.detail, recorded) from error
        raise error

    def _refused(self, submission: Submission, profile: ServiceProfile, error: TransferRefused) -> None:
        reply = blot(" ".join(error.reply.split()))[:200]
        if NAME_REUSED in error.reply:
            evidence = Evidence(proof=Proof.NAME_REUSED, detail=reply, code=NAME_REUSED)
            raise DuplicateName(
                f"the gateway refused the name {submission.name}: it was used before",
                submission=self.recorder.record(submission, evidence),
                certain="nothing was handed over now; the name is burnt",
                advice="look whether the earlier file of this name is the same report, before filing under a new name",
                operation="submit",
                endpoint=error.endpoint,
            ) from error
        self.recorder.record(submission, Evidence(proof=Proof.NOTHING_LEFT, detail=reply, code=str(error.code)))
        visible = self._visible()
        if visible is not None and profile.folder not in visible:
            raise not_visible(profile.folder, visible, endpoint=error.endpoint) from error

    def _visible(self) -> tuple[str, ...] | None:
        """The services visible now, None when that cannot be asked; a refusal may mean that a role was withdrawn."""
        try:
            return tuple(self.session.look().services)
        except GovfileError as error:
            logger.debug("could not look at the folders after a refusal: %s", type(error).__name__)
            return None

    def _unknown(self, what: str, evidence: str, submission: Submission) -> OutcomeUnknown:
        return OutcomeUnknown(
            f"{what}: it may or may not have arrived",
            evidence=evidence,
            how_to_resolve=HOW_TO_RESOLVE,
            submission=submission,
            operation="submit",
        )


def _evidence(submission: Submission, receipt: PutReceipt) -> Evidence:
    """What the server's last word shows."""
    if receipt.sha256 != submission.sha256:
        return Evidence(proof=Proof.LINK_LOST, detail="the server confirmed other bytes than were claimed")
    said = blot(" ".join(receipt.reply.split()))[:200]
    return Evidence(proof=Proof.CONFIRMED, detail=f"{receipt.bytes_sent} bytes; the server said: {said}")
