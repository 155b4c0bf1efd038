"""Sending one claimed set, and recording exactly what is known afterwards.

The order is: record that sending starts, declarations, signatures, each confirmed; record that the trigger goes next;
the trigger. Whatever breaks before that last record files nothing, and the same bytes may be sent again. Whatever
breaks behind it leaves the set unknown, until its trigger is seen or the authority speaks.
"""

from __future__ import annotations

import hashlib
import io
import logging
from typing import TYPE_CHECKING

import attrs

from govfile.errors import (
    ConfigurationError,
    ConnectionFailed,
    DuplicateName,
    GovfileError,
    LedgerError,
    OutcomeUnknown,
    Phase,
    Rejected,
    Retry,
    TransferAborted,
    TransferRefused,
)
from govfile.filing.ledger.owners import Owner
from govfile.filing.recording import Elsewhere, Recorder, in_words, is_elsewhere, is_settled
from govfile.filing.states import Proof
from govfile.filing.submission import Evidence
from govfile.onss.session import missing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import BinaryIO

    from govfile.filing.ledger import Ledger
    from govfile.filing.submission import Submission
    from govfile.onss.session import Session
    from govfile.transports.base import Content, ExclusiveTransport, FileTransport, PutReceipt

    Progress = Callable[[int, int | None], None]

logger = logging.getLogger("govfile.onss")

HOW_TO_RESOLVE = (
    "do not file it again; collect: the trigger seen in its folder, or an acknowledgement, settles it. If neither "
    "comes within a day, ask the contact centre whether the file arrived, and settle it by hand"
)
NOTHING_FILED = "nothing is filed: the trigger was not sent"


@attrs.frozen
class Held:
    """Bytes to send."""

    content: bytes = attrs.field(repr=False)

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.content)

    @property
    def sha256(self) -> str:
        """64 hex digits."""
        return hashlib.sha256(self.content).hexdigest()

    def open(self) -> BinaryIO:
        """A fresh reader."""
        return io.BytesIO(self.content)


#: What triggers and cancellations hold.
EMPTY = Held(b"")


@attrs.define
class _Course:
    """How far a set has come."""

    start: Owner | None = None
    is_started: bool = False
    is_triggered: bool = False
    sent: int = 0


@attrs.define
class Sender:
    """Sends for one session and writes to one ledger."""

    ledger: Ledger
    session: Session
    recorder: Recorder

    def send(
        self, submission: Submission, files: Mapping[str, Content], progress: Progress | None = None
    ) -> Submission:
        """Send a PREPARED set: `files` holds its declarations and signatures by remote name.

        When somebody else has it by now, it comes back as they left it, and nothing is sent. Raises `OutcomeUnknown`
        when the link was lost after the trigger left; any other error means that nothing was filed.
        """
        course = _Course()
        try:
            with self.session.conversation() as transport:
                self._start(submission, course)
                self._send_files(transport, submission, files, course, progress)
                receipt = self._trigger(transport, submission, course)
        except BaseException as error:  # noqa: BLE001 recorded, then raised again
            return self._ended(submission, course, error)
        return self._confirmed(submission, course, receipt)

    # --- the way ------------------------------------------------------------------------------------------------

    def _start(self, submission: Submission, course: _Course) -> None:
        course.start = Owner.here()
        if self.ledger.start(submission.id, by=course.start, seen=submission.revision) is None:
            raise Elsewhere
        course.is_started = True

    def _send_files(
        self,
        transport: FileTransport,
        submission: Submission,
        files: Mapping[str, Content],
        course: _Course,
        progress: Progress | None,
    ) -> None:
        """Declarations and signatures, one after the other, each whole before the next."""
        whole = sum(files[name].size for name in submission.remote_names[:-1])
        for name in submission.remote_names[:-1]:
            content, before = files[name], course.sent

            def report(done: int, _: int | None, before: int = before) -> None:
                if progress is not None:
                    progress(before + done, whole)

            try:
                receipt = _exclusive(transport).put(
                    self.path(name),
                    content,
                    progress=None if progress is None else report,
                    rewrite=submission.was_started,
                )
            except TransferRefused as refused:
                if not (submission.was_started and lies_there(transport, self.path(name), content, refused)):
                    raise
                course.sent += content.size
                continue
            check_receipt(receipt, content)
            course.sent += receipt.bytes_sent

    def _trigger(self, transport: FileTransport, submission: Submission, course: _Course) -> PutReceipt:
        def committing() -> None:
            self.ledger.record(submission.id, Evidence(proof=Proof.TRIGGERING), durable=True)
            course.is_triggered = True

        return transport.put(self.path(submission.name), EMPTY, committing=committing)

    def path(self, name: str) -> str:
        """Where a file of ours goes."""
        return f"{self.session.environment.upload}/{name}"

    # --- the end ------------------------------------------------------------------------------------------------

    def _confirmed(self, submission: Submission, course: _Course, receipt: PutReceipt) -> Submission:
        seen = "" if receipt.size_seen is None else ", and it lies there"
        count = len(submission.remote_names) - 1
        detail = f"{count} files of {course.sent} bytes, each confirmed; then the trigger was confirmed{seen}"
        return self.confirmed(submission, detail)

    def confirmed(self, submission: Submission, detail: str) -> Submission:
        """Record that the server confirmed a set and its trigger, with `detail` in words."""
        try:
            recorded = self.recorder.record(submission, Evidence(proof=Proof.CONFIRMED, detail=detail))
            self.ledger.drop_kept([submission.id])
        except LedgerError as error:
            raise LedgerError(
                f"{submission.name} was triggered, but the ledger could not record it: {error.what}",
                certain="the server confirmed the whole set; the ledger still says it is being sent",
                advice="make room for the ledger or mend it, then resume; do not file the document again",
                operation="submit",
                retry=Retry.AFTER_A_LOOK,
            ) from error
        return recorded

    def _ended(self, submission: Submission, course: _Course, error: BaseException) -> Submission:
        """Record what an error means; returns what is known where it is none, else raises what the caller is to see."""
        if not course.is_started:
            if is_elsewhere(error):
                return self.ledger.get(submission.id)
            if course.start is not None:
                self.recorder.take_back(submission, course.start)
            raise error
        return self.ended(submission, error, is_triggered=course.is_triggered)

    def ended(self, submission: Submission, error: BaseException, *, is_triggered: bool) -> Submission:
        """Record what an error means for a set that was started; returns what is known, or raises what to tell.

        `is_triggered` says whether its trigger may have left.
        """
        if not is_triggered:
            return self._not_filed(submission, error)
        if isinstance(error, DuplicateName):
            words = "the trigger was in its folder already"
            return self._noted(submission, Evidence(proof=Proof.SEEN, detail=words), error)
        if isinstance(error, TransferRefused):
            return self._not_filed(submission, error)
        return self._unknown(submission, error)

    def _not_filed(self, submission: Submission, error: BaseException) -> Submission:
        if isinstance(error, DuplicateName):
            raise self._name_taken(submission, error) from error
        self._noted(submission, Evidence(proof=Proof.NOTHING_LEFT, detail=in_words(error)), error)
        if isinstance(error, TransferRefused) and self._has_no_folder():
            raise missing(self.session.environment.upload, self.session.environment, error) from error
        if isinstance(error, OutcomeUnknown):
            raise ConnectionFailed(
                f"sending {submission.name} broke off: {error.evidence}",
                phase=Phase.TRANSFER,
                certain=NOTHING_FILED,
                advice="call again, or resume: the same bytes are sent under the same names",
                operation="submit",
                endpoint=error.endpoint,
            ) from error
        if isinstance(error, GovfileError):
            error.certain = NOTHING_FILED
            if isinstance(error, Rejected):
                error.submission = self.ledger.get(submission.id)
        raise error

    def _name_taken(self, submission: Submission, error: DuplicateName) -> DuplicateName:
        evidence = Evidence(proof=Proof.NAME_REUSED, detail="a file of this name, not ours, lies at the authority")
        return DuplicateName(
            f"{error.what}: the name {submission.name} is in use by somebody else",
            submission=self._noted(submission, evidence, error),
            certain=f"{NOTHING_FILED}; the name is burnt",
            advice="find out who sends under this sender number too, let rebuild() burn the names in use, and submit "
            "the document once more with again=",
            operation="submit",
            endpoint=error.endpoint,
        )

    def _unknown(self, submission: Submission, error: BaseException) -> Submission:
        evidence = Evidence(proof=Proof.LINK_LOST, detail=in_words(error), code=getattr(error, "code", "") or "")
        recorded = self._noted(submission, evidence, error)
        if isinstance(error, OutcomeUnknown) and is_settled(recorded):
            return recorded
        if isinstance(error, OutcomeUnknown | Rejected):
            error.submission = recorded
        elif isinstance(error, Exception):
            raise OutcomeUnknown(
                f"the trigger of {submission.name} may or may not have arrived",
                evidence=evidence.detail,
                how_to_resolve=HOW_TO_RESOLVE,
                submission=recorded,
                operation="submit",
            ) from error
        raise error

    def _noted(self, submission: Submission, evidence: Evidence, error: BaseException) -> Submission:
        try:
            return self.recorder.record(submission, evidence)
        except LedgerError as failure:
            logger.error("the ledger could not record what became of %s", submission.id)  # noqa: TRY400 no payloads
            error.add_note(f"The ledger could not record this: {failure.what}")
            return submission

    def _has_no_folder(self) -> bool:
        try:
            with self.session.conversation() as transport:
                self.session.list_uploads(transport)
        except ConfigurationError:
            return True
        except GovfileError as error:
            logger.debug("could not look at the folder after a refusal: %s", type(error).__name__)
        return False


def check_receipt(receipt: PutReceipt, content: Content) -> None:
    """Raise `TransferAborted` when the server confirmed other bytes than were claimed."""
    if receipt.sha256 != content.sha256:
        raise TransferAborted("the document changed while it was sent", certain=NOTHING_FILED)
    if receipt.size_seen not in (None, content.size):
        raise TransferAborted(f"the server shows {receipt.size_seen} bytes of {content.size}", certain=NOTHING_FILED)


def lies_there(transport: FileTransport, path: str, content: Content, refused: TransferRefused) -> bool:
    """Whether a file of ours, which may not be written again, lies there whole from an earlier attempt.

    Servers need not allow overwriting. Where it lies there otherwise, or may not be read, `refused` says what to do.
    """
    digest = _Digest()
    try:
        transport.get(path, digest, limit=content.size)  # type: ignore[arg-type] # it is written to, and no more
        if digest.sha256 == content.sha256:
            return True
    except (TransferRefused, TransferAborted) as error:
        logger.info("what an earlier attempt left cannot be compared: %s", type(error).__name__)
    refused.advice = (
        "an earlier attempt may have left a part of it there, which this server lets nobody write again: withdraw the "
        "set, then submit it with again=, under the next number"
    )
    return False


class _Digest:
    """Takes bytes for their SHA-256 alone."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def write(self, block: bytes) -> int:
        self._digest.update(block)
        return len(block)

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()


def _exclusive(transport: FileTransport) -> ExclusiveTransport:
    return transport  # type: ignore[return-value] # what a session opens
