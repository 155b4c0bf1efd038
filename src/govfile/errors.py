"""Every error a public call of `govfile` raises.

    GovfileError
    ├─ you or your set-up are wrong; nothing has left the machine
    │  ├─ ConfigurationError       a setting; names it
    │  │  └─ MissingExtra          an optional package is not installed; also an ImportError
    │  ├─ CredentialError          key, certificate, passphrase
    │  │  └─ KeyStoreError         the folder that keeps them
    │  │     ├─ KeyStoreBusy       locked by another process
    │  │     └─ KeyStoreTooNew     written by a newer version
    │  ├─ InvalidName              a file name or identifier
    │  └─ InvalidContent           the document itself
    ├─ AlreadyFiled                carries the earlier `.submission`
    │  ├─ DuplicateName            the name is taken by other content
    │  └─ DuplicateContent         the content was filed before, under another name
    ├─ TransportError              could not reach it, or not get it across; `.phase`
    │  ├─ ConnectionFailed
    │  ├─ TimedOut                 `.which` deadline
    │  ├─ TlsFailed                `.alert`
    │  ├─ PeerIdentityError        the other side is not who it should be
    │  ├─ AuthenticationRefused    it does not accept who we are; never tried again by itself
    │  │  └─ ChannelNotYetSynchronised  a channel so new that it may not be known yet; `.expected`
    │  ├─ TransferRefused          the server refused a command; `.code`, `.reply`
    │  └─ TransferAborted          our side stopped it: cancelled, or the source changed
    ├─ Rejected                    the authority said no; `.code` verbatim
    │  └─ NotAuthorised            no right to this service; `.visible`
    ├─ NotReady                    it has the request, and its answer is not there yet; ask again later
    ├─ OutcomeUnknown              it may or may not have arrived; `.evidence`, `.how_to_resolve`
    ├─ ProtocolError               the other side spoke outside its specification
    ├─ TrustError                  signature, digest, audience, time window
    └─ LedgerError                 the durable record
       ├─ LedgerBusy               locked by another process
       ├─ LedgerDamaged            the file is there and cannot be believed
       ├─ LedgerTooNew             written by a newer version
       └─ ImpossibleStep           our own code asked for a transition that does not exist

Each says what happened and, where that does not say it already, what is certain and what to do next. None of an
underlying library's errors escapes a public call; it is kept as `__cause__`.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from govfile.filing.submission import Submission


class Retry(enum.Enum):
    """Whether the same call may be made again."""

    NEVER = "never"
    SAME_REQUEST = "same request"
    AFTER_A_LOOK = "only after a look"


class Phase(enum.Enum):
    """How far a conversation with a server had come."""

    RESOLVE = "resolve"
    CONNECT = "connect"
    TLS = "tls"
    AUTHENTICATE = "authenticate"
    REQUEST = "request"
    TRANSFER = "transfer"
    CONFIRM = "confirm"
    CLOSE = "close"


class GovfileError(Exception):
    """Base of the tree.

    `what` happened; what is `certain` now; the `advice` on what to do next. `operation` is the call that failed,
    `endpoint` the other side (host and port, never a secret), `retry` whether the same call may be made again.
    """

    retry: Retry = Retry.NEVER

    def __init__(
        self,
        what: str,
        *,
        certain: str = "",
        advice: str = "",
        operation: str = "",
        endpoint: str = "",
        retry: Retry | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.certain = certain
        self.advice = advice
        self.operation = operation
        self.endpoint = endpoint
        if retry is not None:
            self.retry = retry

    def __str__(self) -> str:
        parts = (
            self.what,
            self.certain and f"Certain: {self.certain}",
            self.advice and f"Next: {self.advice}",
        )
        return " ".join(part if part.endswith((".", "!", "?")) else f"{part}." for part in parts if part)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(kind: type[GovfileError], args: tuple[Any, ...], state: dict[str, Any]) -> GovfileError:
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(state)
    return error


# --- you or your set-up are wrong -------------------------------------------------------------------------------


class ConfigurationError(GovfileError):
    """A setting is missing, unknown or contradictory. Nothing has left the machine."""


class MissingExtra(ConfigurationError, ImportError):
    """An optional package is needed: `pip install 'govfile[<extra>]'`."""

    def __init__(self, package: str, extra: str, *, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs the package {package}, which is not installed",
            advice=f"pip install 'govfile[{extra}]'",
        )


class CredentialError(GovfileError):
    """A key, certificate or passphrase cannot be used: wrong, expired, of the wrong kind, or refused by the peer."""


class KeyStoreError(CredentialError):
    """The key store cannot be read or written, or a step would put a credential at risk. What was in use stays so."""


class KeyStoreBusy(KeyStoreError):
    """Another process works on the same slot for longer than the patience."""

    retry = Retry.SAME_REQUEST


class KeyStoreTooNew(KeyStoreError):
    """The key store was written by a newer version of govfile."""


class InvalidName(GovfileError, ValueError):
    """A file name or identifier breaks a rule. Nothing has left the machine."""


class InvalidContent(GovfileError, ValueError):
    """The document breaks a rule that can be checked here. Nothing has left the machine."""


# --- filed before -----------------------------------------------------------------------------------------------


class AlreadyFiled(GovfileError):
    """The ledger knows this name or this content already. Nothing has left the machine."""

    def __init__(self, what: str, *, submission: Submission | None, **context: Any) -> None:
        super().__init__(what, **context)
        self.submission = submission


class DuplicateName(AlreadyFiled):
    """The name is bound to other content, for ever."""


class DuplicateContent(AlreadyFiled):
    """The same content was filed before with this authority, environment, sender and service, under another name."""


# --- could not reach it -----------------------------------------------------------------------------------------


class TransportError(GovfileError):
    """The other side could not be reached, or the transfer did not come about.

    Unless it is an `OutcomeUnknown`, a failed upload is certain: no document was handed over.
    """

    retry = Retry.SAME_REQUEST
    default_phase: ClassVar[Phase] = Phase.REQUEST

    def __init__(self, what: str, *, phase: Phase | None = None, **context: Any) -> None:
        super().__init__(what, **context)
        self.phase = phase or self.default_phase


class ConnectionFailed(TransportError):
    """Name not found, connection refused, no route, or lost before anything was sent."""

    default_phase = Phase.CONNECT


class TimedOut(TransportError):
    """A deadline passed; `which` names it (`connect`, `tls`, `reply`, `data`, `total`)."""

    def __init__(self, what: str, *, which: str, **context: Any) -> None:
        super().__init__(what, **context)
        self.which = which


class TlsFailed(TransportError):
    """The TLS handshake failed; `alert` is the reason the TLS library gave."""

    retry = Retry.NEVER
    default_phase = Phase.TLS

    def __init__(self, what: str, *, alert: str = "", **context: Any) -> None:
        super().__init__(what, **context)
        self.alert = alert


class PeerIdentityError(TransportError):
    """The server's certificate or host key is not the one expected. No login was sent."""

    retry = Retry.NEVER
    default_phase = Phase.TLS


class AuthenticationRefused(TransportError):
    """The server does not accept the user name, password or key. Never tried again by itself: accounts lock."""

    retry = Retry.NEVER
    default_phase = Phase.AUTHENTICATE


class ChannelNotYetSynchronised(AuthenticationRefused):
    """A login was refused while the channel is so new that the server may not know it; `expected` (aware UTC) is when
    it next learns of new ones. Never tried again by itself.
    """

    def __init__(self, what: str, *, expected: datetime, **context: Any) -> None:
        super().__init__(what, **context)
        self.expected = expected


class TransferRefused(TransportError):
    """The server refused a command, and the document was not handed over; `code` and `reply` as it gave them."""

    def __init__(self, what: str, *, code: int, reply: str, **context: Any) -> None:
        super().__init__(what, **context)
        self.code = code
        self.reply = reply


class TransferAborted(TransportError):
    """This side stopped a download or an upload: cancelled by the caller, or the source changed while it was read."""

    retry = Retry.AFTER_A_LOOK
    default_phase = Phase.TRANSFER


# --- the authority said no --------------------------------------------------------------------------------------


class Rejected(GovfileError):
    """The authority refused; `code` verbatim, `text` as it wrote it (redacted), `known` when we have advice on it.

    `reasons` are the pairs of code and text of an authority that may give several. `actor` is the part of it that
    refused, "" where it names none. `submission` is the filing that was refused, as recorded; None where there is none.
    `phase` is CONFIRM where the refusal came over the wire, after the whole document; None where it came later.
    """

    def __init__(
        self,
        what: str,
        *,
        code: str,
        text: str = "",
        known: bool = False,
        actor: str = "",
        submission: Submission | None = None,
        phase: Phase | None = None,
        reasons: Sequence[tuple[str, str]] = (),
        **context: Any,
    ) -> None:
        super().__init__(what, **context)
        self.phase = phase
        self.reasons = tuple(reasons)
        self.code = code
        self.actor = actor
        self.text = text
        self.known = known
        self.submission = submission


class NotAuthorised(Rejected):
    """This credential has no right to the service; `visible` lists the services it can see."""

    def __init__(self, what: str, *, code: str = "", visible: Sequence[str] = (), **context: Any) -> None:
        super().__init__(what, code=code, **context)
        self.visible = tuple(visible)


class NotReady(GovfileError):
    """The authority has the request, and its answer is not there yet; `reasons` are the pairs of code and text it gave.

    It may also be a refusal whose code nobody has published: look at the codes when it lasts.
    """

    retry = Retry.SAME_REQUEST

    def __init__(self, what: str, *, reasons: Sequence[tuple[str, str]] = (), **context: Any) -> None:
        super().__init__(what, **context)
        self.reasons = tuple(reasons)


class OutcomeUnknown(GovfileError):
    """The document may or may not have arrived; `evidence` is all that is known. It is never sent again by itself."""

    retry = Retry.AFTER_A_LOOK

    def __init__(
        self,
        what: str,
        *,
        evidence: str,
        how_to_resolve: str,
        submission: Submission | None = None,
        **context: Any,
    ) -> None:
        super().__init__(what, certain=evidence, advice=how_to_resolve, **context)
        self.evidence = evidence
        self.how_to_resolve = how_to_resolve
        self.submission = submission


class ProtocolError(GovfileError):
    """The other side sent something outside its specification; `excerpt` is a short, printable piece of it."""

    retry = Retry.AFTER_A_LOOK

    def __init__(self, what: str, *, excerpt: str = "", **context: Any) -> None:
        super().__init__(what, **context)
        self.excerpt = excerpt


class TrustError(GovfileError):
    """A signature, digest, audience or time window does not hold."""


# --- the durable record -----------------------------------------------------------------------------------------


class LedgerError(GovfileError):
    """The ledger cannot be read or written. Nothing that was not recorded has left the machine."""


class LedgerBusy(LedgerError):
    """Another process holds the ledger for longer than the time-out."""

    retry = Retry.SAME_REQUEST


class LedgerDamaged(LedgerError):
    """The ledger is there and cannot be believed. It is left as it is, never replaced."""


class LedgerTooNew(LedgerError):
    """The ledger was written by a newer version of govfile."""


class ImpossibleStep(LedgerError):
    """A step that does not exist from the submission's state: what is not unknown was settled, or it is a defect."""
