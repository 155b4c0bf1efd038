"""What the server says no to, and what is known after a loss, as errors of our own."""

from __future__ import annotations

import copy

from govfile.errors import DuplicateName, GovfileError, OutcomeUnknown, Phase, Retry, TransferRefused
from govfile.transports.sftp._packets import Code, Status

_LOOK = "look at the other side, or wait for the authority's word; send it again only when it is clear"

_ADVICE = {
    Code.NO_SUCH_FILE: "check that the folder is there and spelt as the server has it",
    Code.PERMISSION_DENIED: "this account has no right to do that there",
    Code.WRITE_PROTECT: "the other side is read-only",
    Code.NO_SPACE_ON_FILESYSTEM: "the other side is full; tell the server's owner",
    Code.QUOTA_EXCEEDED: "the account's quota is used up",
    Code.FAILURE: "the server gives no reason; quota, a full disk and a read-only folder look like this",
    Code.OP_UNSUPPORTED: "the server cannot do that at all",
}


def refused(
    doing: str, status: Status, endpoint: str, *, phase: Phase = Phase.REQUEST, certain: str = ""
) -> TransferRefused:
    """The server said no while `doing` something; the same request would get the same answer."""
    return TransferRefused(
        f"the server refused while {doing}: {status}",
        code=status.code,
        reply=str(status),
        phase=phase,
        certain=certain,
        endpoint=endpoint,
        retry=Retry.NEVER,
        advice=next((text for code, text in _ADVICE.items() if code == status.code), ""),
    )


def exists_already(path: str, endpoint: str) -> DuplicateName:
    """The name is taken at the other side."""
    return DuplicateName(
        f"{path} is there already",
        submission=None,
        certain="it was left as it is, and nothing was sent",
        advice="look at what it is; a name is used once",
        operation="put",
        endpoint=endpoint,
        retry=Retry.NEVER,
    )


def unknown(path: str, what: str, evidence: str, endpoint: str) -> OutcomeUnknown:
    """It may have arrived."""
    return OutcomeUnknown(
        f"it is not known whether {path} arrived: {what}",
        evidence=f"{evidence}; then {what}",
        how_to_resolve=_LOOK,
        operation="put",
        endpoint=endpoint,
    )


def with_certainty(error: GovfileError, certain: str) -> GovfileError:
    """The same error for one file of several, saying what is certain of this one."""
    mine = copy.copy(error)
    mine.certain, mine.operation = certain, "put"
    mine.__cause__ = error.__cause__ or error
    return mine
