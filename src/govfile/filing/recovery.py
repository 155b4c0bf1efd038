"""After a crash: what can be said of a submission, and whether its document is still the one that was claimed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from govfile.errors import (
    ConfigurationError,
    CredentialError,
    GovfileError,
    ImpossibleStep,
    InvalidContent,
    OutcomeUnknown,
)
from govfile.filing.source import Source
from govfile.filing.states import Proof, State
from govfile.filing.submission import Evidence

if TYPE_CHECKING:
    from govfile.filing.ledger import Ledger
    from govfile.filing.submission import Submission


@attrs.frozen(kw_only=True)
class Resumed:
    """A submission that was left unfinished, as it is now; `error` says why it is not finished yet (None: it is)."""

    submission: Submission
    error: GovfileError | None = None


def interrupted(
    ledger: Ledger, submission: Submission, why: str = "the process that was sending it has ended"
) -> Resumed:
    """Record that the process ended while it was sending."""
    evidence = Evidence(proof=Proof.INTERRUPTED, detail=why)
    recorded = ledger.record(submission.id, evidence, durable=True)
    unknown = OutcomeUnknown(
        f"{submission.name} was being sent when its process ended",
        evidence=evidence.detail,
        how_to_resolve="collect, and wait for a status: one that comes settles it; do not file it again",
        submission=recorded,
        operation="resume",
    )
    return Resumed(submission=recorded, error=unknown if recorded.state is State.UNKNOWN else None)


def settle(ledger: Ledger, submission: Submission, *, arrived: bool, reason: str) -> Submission:
    """Record what a person found out about an UNKNOWN submission, or one left SENDING by a machine that is gone.

    Raises `ImpossibleStep` in any other state, `ConfigurationError` without a reason.
    """
    said = _reason(reason)
    if submission.state not in (State.UNKNOWN, State.SENDING):
        raise ImpossibleStep(
            f"{submission.name} is {submission.state.value}: only an unknown outcome is settled by hand",
            certain="nothing was changed",
            advice="look at its history; what was never sent is submitted again or resumed",
        )
    if submission.state is State.SENDING:
        gone = "given up by a person: whoever was sending it is gone"
        ledger.record(submission.id, Evidence(proof=Proof.INTERRUPTED, detail=gone), durable=True)
    proof = Proof.SETTLED_ARRIVED if arrived else Proof.SETTLED_NEVER_ARRIVED
    return ledger.record(submission.id, Evidence(proof=proof, detail=said), durable=True)


def withdraw(ledger: Ledger, submission: Submission, *, reason: str) -> Submission:
    """Record that a PREPARED submission is not to be sent; its name stays claimed for its content.

    Raises `ConfigurationError` when it may have left already, or without a reason.
    """
    said = _reason(reason)
    if submission.state is not State.PREPARED:
        raise ConfigurationError(
            f"{submission.name} is {submission.state.value}: only what was never sent can be withdrawn",
            certain="nothing was changed",
            advice="ask the authority how to take back what it has",
        )
    return ledger.record(submission.id, Evidence(proof=Proof.WITHDRAWN, detail=said), durable=True)


def _reason(reason: str) -> str:
    given: object = reason
    if not isinstance(given, str) or not reason.strip():
        raise ConfigurationError("a person's word needs a reason", advice="say how it was found out, and whom to ask")
    return reason.strip()


def same_source(submission: Submission, username: str) -> Source:
    """The document of a prepared submission, if it is still what was claimed and may be sent by `username`.

    Raises `InvalidContent` when it is gone or has changed, `CredentialError` when another login claimed it.
    """
    check_login(submission, username)
    if submission.source_path is None:
        raise InvalidContent(
            f"the document of {submission.name} was not a file, so it cannot be found again",
            certain="nothing was sent; its name stays claimed",
            advice="submit the same content under the same name",
        )
    source = Source.of(submission.source_path)
    if source.sha256 != submission.sha256:
        raise InvalidContent(
            f"the file behind {submission.name} has changed since it was claimed",
            certain="nothing was sent; the name stays bound to the earlier content",
            advice="put the earlier file back, or submit the new one under a new name",
        )
    return source


def check_login(submission: Submission, username: str) -> None:
    """Whoever files is the one that collects: a claim made by another login is left to it."""
    if submission.filed_by != username:
        raise CredentialError(
            f"{submission.name} was claimed by {submission.filed_by}, and this is {username}",
            certain="nothing was sent",
            advice=f"use the certificate of {submission.filed_by}: only the login that files can collect the answer",
        )
