"""Fetching the certificate of a request that the service took: again and again, until it is there.

The service knows no "not ready yet": that is a FAIL like any other, and its codes are not public. So a FAIL leaves it
open, unless the environment names its code as a refusal. Asking again for the same RetrievalId does no harm, as far as
published clients show.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NoReturn

import attrs
from cryptography import x509

from govfile.certificates._names import issuer_of
from govfile.certificates.keystore import Expected
from govfile.errors import (
    ConnectionFailed,
    CredentialError,
    GovfileError,
    NotReady,
    OutcomeUnknown,
    ProtocolError,
    Rejected,
    Retry,
    TransportError,
)
from govfile.vero import messages
from govfile.vero.application import Application, Journal
from govfile.vero.asking import refusal
from govfile.vero.ids import CustomerId, RetrievalId
from govfile.vero.messages import Operation

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from govfile.certificates.credential import Credential
    from govfile.certificates.keystore import KeyStore, Pending
    from govfile.vero.desk import Desk
    from govfile.vero.messages import Answer
    from govfile.vero.pace import Pace

logger = logging.getLogger("govfile.vero")


@attrs.frozen
class Fetcher:
    """Fetches from one desk into one key store."""

    desk: Desk
    store: KeyStore
    journal: Journal
    clock: Callable[[], datetime]

    def fetch(self, pending: Pending, pace: Pace) -> Credential:
        """The credential, in use from now on, once its certificate is there.

        Raises `NotReady` when the patience ends first, the last `TransportError` or `ProtocolError` when no look
        succeeded, `Rejected` for a refusal, and `CredentialError` or `TrustError` for a certificate that must not be
        used: then nothing has changed, and the request stays pending.
        """
        waiting: GovfileError = NotReady(
            f"the certificate of {pending.slot} is not looked for yet: the service needs a little while",
            certain="the service has the request; key and RetrievalId are on the disk",
            advice="call fetch later, in this process or another one",
        )
        pause = None
        while pace.next_look(pause):
            try:
                return self.look(pending)
            except (NotReady, TransportError, ProtocolError) as error:
                if error.retry is not Retry.SAME_REQUEST:
                    raise
                logger.info("the certificate is looked for again: %s", type(error).__name__)
                waiting = error
            pause = self.desk.pause
        raise waiting

    def look(self, pending: Pending) -> Credential:
        """The same by one look, without waiting. What may be tried again says so by its `retry`."""
        try:
            answer = self._asked(pending)
        except (TransportError, ProtocolError) as error:
            if error.retry is Retry.NEVER:
                raise
            raise _nothing_new(error) from error.__cause__
        except Rejected as fault:
            raise not_ready(pending, fault.reasons) from fault
        return self._accept(pending, answer) if answer.is_ok else self._no(pending, answer)

    def _asked(self, pending: Pending) -> Answer:
        application = Application.of(pending)
        assert application.retrieval_id is not None
        message = messages.get(
            self.desk.environment.element,
            CustomerId(pending.slot.holder),
            application.customer_name,
            RetrievalId(application.retrieval_id),
            to=messages.contract(),
        )
        try:
            reply = self.desk.post(Operation.GET, message)
        except OutcomeUnknown as error:  # asking again does no harm, so nothing needs to be found out
            raise ConnectionFailed(
                f"the answer about the certificate was lost: {error.evidence}", endpoint=error.endpoint
            ) from error
        return self.desk.read(Operation.GET, reply)

    def _no(self, pending: Pending, answer: Answer) -> NoReturn:
        """Raise what a FAIL means: a refusal where a code is known as one, else that it is not there yet."""
        environment = self.desk.environment
        if environment.refusals.intersection(answer.codes) and not environment.not_ready.intersection(answer.codes):
            self.journal.refused(pending, answer.codes)
            raise refusal(pending, Application.of(pending).kind, answer)
        raise not_ready(pending, tuple((reason.code, reason.text) for reason in answer.reasons))

    def _accept(self, pending: Pending, answer: Answer) -> Credential:
        """Put the certificate in use, if it is ours."""
        environment = self.desk.environment
        assert answer.certificate is not None
        try:
            certificate = x509.load_der_x509_certificate(answer.certificate)
            issuer = issuer_of(certificate)
        except (ValueError, x509.InvalidVersion) as error:
            raise ProtocolError("what the service sent as a certificate cannot be read as one") from error
        _, issuers = environment.anchors()
        expected = Expected(trust=issuers, common_name=pending.slot.holder, issuer=environment.issuer_name)
        above = tuple(found for found in issuers.anchors if found.subject == issuer)
        try:
            return self.store.complete(
                pending, certificate, above, expected=expected, force=environment.repeats, at=self.clock()
            )
        except CredentialError as error:
            self.desk.explained(error, Operation.GET)
            raise


def not_ready(pending: Pending, reasons: tuple[tuple[str, str], ...]) -> NotReady:
    """What to raise while a certificate is not there."""
    named = ", ".join(code for code, _ in reasons)
    return NotReady(
        f"the certificate of {pending.slot} is not there yet{f' ({named})' if named else ''}",
        reasons=reasons,
        certain="the service has the request; key and RetrievalId are on the disk, and nothing is lost",
        advice="fetch it later, in this process or another one; when it lasts for days, show the codes to the "
        "authority's support",
        operation=Operation.GET.value,
    )


def _nothing_new(error: GovfileError) -> GovfileError:
    """A look that failed has changed nothing, whatever became of the request: it may be made again."""
    error.retry = Retry.SAME_REQUEST
    error.certain = "the service has the request; key and RetrievalId are on the disk"
    error.advice = "fetch it later, in this process or another one"
    return error
