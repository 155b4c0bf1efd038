"""Exit codes: one number says what became of the whole command."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from govfile import errors
from govfile.filing.states import State

if TYPE_CHECKING:
    from collections.abc import Iterable

    from govfile.filing.submission import Submission


class Exit(enum.IntEnum):
    """What a command's exit code means. 1 is left to defects of the program itself (a traceback)."""

    DONE = 0
    USAGE = 2
    REJECTED = 3
    UNKNOWN = 4
    CREDENTIAL = 5
    TRANSPORT = 6
    ALREADY_FILED = 7
    LEDGER = 8
    OTHER = 9
    WAITING = 10
    INTERRUPTED = 130
    TERMINATED = 143


MEANINGS: dict[Exit, str] = {
    Exit.DONE: "done: everything asked for holds",
    Exit.USAGE: "usage: the command line, the configuration, a file's content or its name, also a name used before",
    Exit.REJECTED: "the authority refused, or there is no right to the service",
    Exit.UNKNOWN: "the outcome of a filing is not known; never send it again, collect or settle it",
    Exit.CREDENTIAL: "key, certificate, passphrase, user name or password",
    Exit.TRANSPORT: "the other side could not be reached; nothing was handed over",
    Exit.ALREADY_FILED: "the content was filed before, under another name",
    Exit.LEDGER: "the ledger cannot be read, written or believed",
    Exit.OTHER: "the other side broke its protocol, or another error",
    Exit.WAITING: "nothing failed, but what was waited for is not there yet",
    Exit.INTERRUPTED: "interrupted (Ctrl-C)",
    Exit.TERMINATED: "ended by SIGTERM",
}

#: From worst to best. A command with many files exits with the first of these that happened to one of them.
SEVERITY: tuple[Exit, ...] = (
    Exit.TERMINATED,
    Exit.INTERRUPTED,
    Exit.UNKNOWN,
    Exit.LEDGER,
    Exit.OTHER,
    Exit.REJECTED,
    Exit.CREDENTIAL,
    Exit.TRANSPORT,
    Exit.USAGE,
    Exit.ALREADY_FILED,
    Exit.WAITING,
    Exit.DONE,
)

#: Looked through in this order, so that a class stands before the classes it derives from.
_BY_ERROR: tuple[tuple[type[errors.GovfileError], Exit], ...] = (
    (errors.OutcomeUnknown, Exit.UNKNOWN),
    (errors.DuplicateName, Exit.USAGE),  # other content has the name: this document was not filed
    (errors.AlreadyFiled, Exit.ALREADY_FILED),
    (errors.Rejected, Exit.REJECTED),
    (errors.CredentialError, Exit.CREDENTIAL),
    (errors.AuthenticationRefused, Exit.CREDENTIAL),
    (errors.TransportError, Exit.TRANSPORT),
    (errors.LedgerError, Exit.LEDGER),
    (errors.NotReady, Exit.WAITING),
    (errors.ConfigurationError, Exit.USAGE),
    (errors.InvalidName, Exit.USAGE),
    (errors.InvalidContent, Exit.USAGE),
)


def of_error(error: errors.GovfileError) -> Exit:
    """The exit code for one error."""
    submission = getattr(error, "submission", None)
    if isinstance(error, errors.Rejected) and submission is not None and submission.state is State.UNKNOWN:
        return Exit.UNKNOWN  # refused over the wire after bytes were taken; whether they were kept, nobody said
    return next((code for kind, code in _BY_ERROR if isinstance(error, kind)), Exit.OTHER)


def of_submission(submission: Submission) -> Exit:
    """The exit code for a filing as the ledger has it: DONE only when it is known to have been handed over."""
    match submission.state:
        case State.REJECTED:
            return Exit.REJECTED
        case State.UNKNOWN | State.SENDING:
            return Exit.UNKNOWN
        case State.PREPARED:
            return Exit.TRANSPORT
    return Exit.DONE


def worst(codes: Iterable[Exit]) -> Exit:
    """The most severe of `codes`; DONE where there are none."""
    return min(codes, key=SEVERITY.index, default=Exit.DONE)


def epilog() -> str:
    r"""The codes as they stand under `govfile --help`; `\b` tells the help formatter to keep the lines apart."""
    lines = [f"{code.value:>4}  {meaning}" for code, meaning in MEANINGS.items()]
    order = ", ".join(str(code.value) for code in SEVERITY)
    return "\b\nExit codes:\n" + "\n".join(lines) + f"\n\nWith many files, the first of {order} that happened."
