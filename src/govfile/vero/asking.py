"""Asking for a certificate, once: what is on the disk before the request leaves, and what its answer is worth.

The order is: key and request on the disk; a note that the request is about to leave; the request; a note of what came
back. Whatever breaks before the second of these asks for nothing. Whatever breaks behind it, and is not a verified
answer, leaves it unknown: one-time codes may be spent and a certificate may be made, so nothing is sent again by
itself.
"""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING

import attrs

from govfile.errors import (
    CredentialError,
    GovfileError,
    KeyStoreError,
    OutcomeUnknown,
    Phase,
    ProtocolError,
    Rejected,
    TransportError,
)
from govfile.vero import messages
from govfile.vero.application import Application, Journal, Kept, Kind
from govfile.vero.messages import Operation
from govfile.xml.parse import blot

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from govfile.certificates.credential import Credential
    from govfile.certificates.keystore import Pending
    from govfile.transports.base import Reply
    from govfile.vero.desk import Desk
    from govfile.vero.ids import CustomerId, TransferCodes
    from govfile.vero.messages import Answer

logger = logging.getLogger("govfile.vero")

_OPERATIONS = {Kind.ENROL: Operation.SIGN_NEW, Kind.RENEW: Operation.RENEW}
_SETTLE = {
    Kind.ENROL: (
        "the transfer codes may be spent: do not use them again before you know. Ask the authority's support whether "
        "it took the request. With its RetrievalId, settle(…, arrived=True, retrieval_id=…) and fetch go on; if it "
        "never arrived, settle(…, arrived=False) and enrol with the same codes. If nobody can tell, abandon the "
        "request and order new codes"
    ),
    Kind.RENEW: (
        "the certificate in use stays in use. Ask the authority's support whether it took the request. With its "
        "RetrievalId, settle(…, arrived=True, retrieval_id=…) and fetch go on; if it never arrived, "
        "settle(…, arrived=False) and renew again"
    ),
}


@attrs.frozen
class Asker:
    """Asks at one desk, and writes down how far it came."""

    desk: Desk
    journal: Journal
    clock: Callable[[], datetime]

    def enrol(self, pending: Pending, customer: CustomerId, name: str | None, codes: TransferCodes) -> Pending:
        """Ask for a new certificate, which spends the codes; the pending request with its RetrievalId noted.

        Raises `Rejected`, `OutcomeUnknown`, and `TransportError` where nothing left.
        """
        pending = self.journal.ready(pending, Kind.ENROL, name)
        element = self.desk.environment.element
        message = messages.sign_new(element, customer, name, codes, pending.request, to=messages.contract())
        return self._ask(pending, Kind.ENROL, message, codes)

    def renew(self, pending: Pending, customer: CustomerId, name: str | None, signed_by: Credential) -> Pending:
        """Ask for a successor, signed by the certificate in use; the same otherwise."""
        if signed_by.public_key == _key_of(pending):
            raise CredentialError(
                "a renewal needs a new key, and this is the key of the certificate in use",
                certain="nothing was sent",
                advice="leave the key out, so that a new one is made",
            )
        pending = self.journal.ready(pending, Kind.RENEW, name)
        element = self.desk.environment.element
        message = messages.renew(element, customer, name, pending.request, signed_by, to=messages.contract())
        return self._ask(pending, Kind.RENEW, message, None)

    def look_again(self, pending: Pending) -> Pending:
        """Go on where the answer is not known: by the answer that was kept, when it can be believed by now.

        Raises `OutcomeUnknown` when it cannot, or there is none, and `Rejected` when it says no.
        """
        application = Application.of(pending)
        if application.kept is None:
            raise self._unknown(
                pending, application.kind, "the process or the link ended before an answer was believed"
            )
        return self._understood(pending, application.kind, application.kept, None)

    # --- inside ---------------------------------------------------------------------------------------------------

    def _ask(self, pending: Pending, kind: Kind, message: bytes, codes: TransferCodes | None) -> Pending:
        operation, ready, marked = _OPERATIONS[kind], pending, False
        spent = codes.fingerprint(pending.slot.holder) if codes else ""

        def committing() -> None:
            nonlocal pending, marked
            marked = True
            pending = self.journal.asking(pending, self.clock(), spent)

        try:
            reply = self.desk.post(operation, message, committing)
        except OutcomeUnknown as error:
            raise self._unknown(pending, kind, error.evidence) from error
        except ProtocolError as error:
            if not marked:
                raise
            raise self._unknown(pending, kind, error.what) from error
        except TransportError:
            if marked:
                name = Application.of(ready).customer_name
                self.journal.ready(ready, kind, name)
            raise
        return self._understood(pending, kind, reply, codes)

    def _understood(self, pending: Pending, kind: Kind, answer: Reply | Kept, codes: TransferCodes | None) -> Pending:
        try:
            found = self.desk.read(_OPERATIONS[kind], answer)
        except Rejected as fault:
            fault.text = codes.blotted(fault.text) if codes else fault.text
            fault.reasons = ((fault.code, fault.text),)
            fault.phase = Phase.CONFIRM
            fault.certain = "nobody signs a fault: whether the service took the request is not known"
            fault.advice = _SETTLE[kind]
            raise
        except GovfileError as error:
            self._keep(pending, answer, codes)
            raise self._unknown(pending, kind, f"an answer came that cannot be believed: {error.what}") from error
        if not found.is_ok:
            with contextlib.suppress(KeyStoreError):  # what the service said matters more than that it is noted
                self.journal.refused(pending, found.codes)
            raise refusal(pending, kind, found, codes)
        assert found.retrieval_id is not None
        logger.info("the service took the request of %s", pending.slot)
        try:
            return self.journal.asked(pending, found.retrieval_id)
        except KeyStoreError as error:
            raise self._not_noted(pending, kind, found.retrieval_id, error) from error

    def _keep(self, pending: Pending, answer: Reply | Kept, codes: TransferCodes | None) -> None:
        """Keep what may be believed later, unless it repeats a code: notes hold no secrets."""
        if isinstance(answer, Kept) or (codes and codes.are_in(answer.body.decode("latin-1"))):
            return
        with contextlib.suppress(KeyStoreError):  # that the outcome is unknown matters more
            self.journal.keep(pending, Kept.of(answer))

    def _unknown(self, pending: Pending, kind: Kind, evidence: str) -> OutcomeUnknown:
        error = OutcomeUnknown(
            f"it is not known whether the service took the request of {pending.slot} ({kind.value})",
            evidence=evidence,
            how_to_resolve=_SETTLE[kind],
        )
        self.desk.explained(error, _OPERATIONS[kind])
        return error

    def _not_noted(self, pending: Pending, kind: Kind, retrieval_id: str, error: KeyStoreError) -> OutcomeUnknown:
        """The service took it, and only this error knows by which id."""
        found = self._unknown(pending, kind, f"it gave the RetrievalId {retrieval_id}, which could not be written down")
        found.what = (
            f"the service took the request of {pending.slot}, and the key store cannot be written: {error.what}"
        )
        found.how_to_resolve = f"make room, then fetch(…, retrieval_id={retrieval_id!r}); do not use the codes again"
        found.advice = found.how_to_resolve
        return found


def refusal(pending: Pending, kind: Kind, answer: Answer, codes: TransferCodes | None = None) -> Rejected:
    """What to raise for a verified no."""
    reasons = tuple((one.code, blot(codes.blotted(one.text) if codes else one.text)) for one in answer.reasons)
    return refused(pending, kind, reasons)


def refused(pending: Pending, kind: Kind, reasons: tuple[tuple[str, str], ...]) -> Rejected:
    """The same for reasons that are known."""
    code, text = reasons[0] if reasons else ("", "")
    named = ", ".join(code for code, _ in reasons) or "without a code"
    again = "enrol again with codes that are right" if kind is Kind.ENROL else "renew again when the reason is gone"
    return Rejected(
        f"the service refused the request of {pending.slot} ({kind.value}): {named}",
        code=code,
        text=text,
        reasons=reasons,
        certain="the answer is genuine, no certificate is made by this request, and what was in use stays in use",
        advice=f"the meaning of the codes is not published; see the reasons' texts, then {again}",
        operation=_OPERATIONS[kind].value,
    )


def _key_of(pending: Pending) -> object:
    from govfile.certificates.request import key_of_request

    return key_of_request(pending.request)
