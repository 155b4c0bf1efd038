"""What services say when they refuse a call: the codes of Den Gode Webservice, and what to do about each.

Sources: MedCom's schema for DGWS; what Seal.Java and a provider's library add. The list is open: codes that are not in
it go through verbatim. Retry is the reader's judgement; only codes that speak of the moment are worth asking again.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from govfile.errors import Phase, Rejected, Retry, TrustError
from govfile.sosi.faults import redacted, shown_name
from govfile.transports.http_hints import clocks_note

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from govfile.xml.soap import SoapFault


class FaultCode(enum.Enum):
    """The codes known; the value is the word on the wire."""

    SYNTAX_ERROR = "syntax_error"
    MISSING_REQUIRED_HEADER = "missing_required_header"
    SECURITY_LEVEL_FAILED = "security_level_failed"
    INVALID_USERNAME_PASSWORD = "invalid_username_password"  # noqa: S105 a code
    INVALID_SIGNATURE = "invalid_signature"
    INVALID_IDCARD = "invalid_idcard"
    INVALID_CERTIFICATE = "invalid_certificate"
    EXPIRED_IDCARD = "expired_idcard"
    NOT_AUTHORIZED = "not_authorized"
    ILLEGAL_HTTP_METHOD = "illegal_HTTP_method"
    NONREPUDIATION_NOT_SUPPORTED = "nonrepudiation_not_supported"
    PROCESSING_PROBLEM = "processing_problem"
    INVALID_DATE_TIMEZONE = "invalid_date_timezone"
    SERVER_ERROR = "server_error"
    REQUEST_PAYLOAD_VALIDATION_ERROR = "request_payload_validation_error"
    RESPONSE_PAYLOAD_VALIDATION_ERROR = "response_payload_validation_error"

    @classmethod
    def of(cls, text: str) -> FaultCode | None:
        """The code of that name, without regard to case; None for one that is not known."""
        wanted = text.strip().casefold()
        return next((code for code in cls if code.value.casefold() == wanted), None)

    @property
    def may_repeat(self) -> bool:
        """Whether the same message, under the same message id, may succeed later."""
        return self in {FaultCode.PROCESSING_PROBLEM, FaultCode.SERVER_ERROR}


_ADVICE = {
    FaultCode.SYNTAX_ERROR: "the service cannot read the message: look at the body and at the versions it takes",
    FaultCode.MISSING_REQUIRED_HEADER: "the service demands a header that was not sent: see its description",
    FaultCode.SECURITY_LEVEL_FAILED: "the service demands a card of another level: see its description",
    FaultCode.INVALID_USERNAME_PASSWORD: "mend the user name or the password",
    FaultCode.INVALID_SIGNATURE: "look whether something on the way wrote the card's XML anew, and whether the card "
    "is of the service's environment",
    FaultCode.INVALID_IDCARD: "look whether the card is of the service's environment, and of the kind it takes",
    FaultCode.INVALID_CERTIFICATE: "the service does not take the certificate: look at its dates and its environment",
    FaultCode.EXPIRED_IDCARD: "have a new card signed, then send the same message once more",
    FaultCode.NOT_AUTHORIZED: "have the user or the system authorised at the service; the same call is refused again",
    FaultCode.ILLEGAL_HTTP_METHOD: "calls are posted: look at the address",
    FaultCode.NONREPUDIATION_NOT_SUPPORTED: "leave non_repudiation out of the header",
    FaultCode.PROCESSING_PROBLEM: "send the same message later, under the same message id",
    FaultCode.INVALID_DATE_TIMEZONE: "the service wants other times: look at the card's version (1.0 or 1.0.1)",
    FaultCode.SERVER_ERROR: "send the same message later, under the same message id",
    FaultCode.REQUEST_PAYLOAD_VALIDATION_ERROR: "the body breaks the service's schema: mend it",
    FaultCode.RESPONSE_PAYLOAD_VALIDATION_ERROR: "the service's own answer broke its schema: tell its operator",
}


def code_of(fault: SoapFault) -> str:
    """The code of a fault verbatim: the `FaultCode` of its detail, or else SOAP's own."""
    return (fault.detail_text("FaultCode") or fault.code_name or "").strip()


def refused(
    fault: SoapFault,
    *,
    operation: str = "",
    endpoint: str = "",
    at: datetime | None = None,
    their_time: datetime | None = None,
) -> Rejected:
    """A service's fault as an error: code and actor as they came where they are names, its text without persons, and
    what to do.

    `at` is our time and `their_time` that of the answer's Date header (both aware): the error says so where they differ
    by more than a minute. `retry` is SAME_REQUEST for an expired card (with a new one) and for what is wrong at the
    service only for now, NEVER for other codes that are known, AFTER_A_LOOK for all others.
    """
    code = shown_name(code_of(fault))
    known = FaultCode.of(code)
    shown = redacted(fault.text)
    hint = clocks_note(their_time, at) if at is not None else ""
    advice = _ADVICE[known] if known else "read the text; the code is not one this version has advice on"
    if known is None:
        retry = Retry.AFTER_A_LOOK
    else:
        retry = Retry.SAME_REQUEST if known.may_repeat or known is FaultCode.EXPIRED_IDCARD else Retry.NEVER
    return Rejected(
        f"the service refused: {shown or 'without a word'} ({code or 'no code'})",
        code=code,
        text=shown,
        actor=shown_name(fault.actor.strip()),
        known=known is not None,
        phase=Phase.CONFIRM,
        advice=f"{hint}: set it right first; {advice}" if hint else advice,
        operation=operation,
        endpoint=endpoint,
        retry=retry,
    )


class CallRefused(TrustError):
    """A call that this service does not accept; `fault_code` is what to answer the caller."""

    def __init__(self, what: str, *, fault_code: FaultCode, **context: Any) -> None:
        super().__init__(what, **context)
        self.fault_code = fault_code
