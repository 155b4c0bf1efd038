"""The certificate service behind its door: invitations, orders, certificates, and the rules of its operations."""

from __future__ import annotations

import hmac
import threading
import uuid
from typing import TYPE_CHECKING

import attrs
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from govfile.errors import ConfigurationError
from govfile.sandbox.vero import issuing, messages, xml
from govfile.sandbox.vero.issuing import Holder
from govfile.sandbox.vero.settings import Code
from govfile.sandbox.vero.verifying import BadSignature, verify

if TYPE_CHECKING:
    from datetime import datetime

    from govfile.sandbox.clock import SandboxClock
    from govfile.sandbox.vero.faults import Faults, Forged
    from govfile.sandbox.vero.messages import Asked
    from govfile.sandbox.vero.settings import Settings

_SHORT = 100


class Refused(Exception):
    """A FAIL: its code, and words for whoever reads the answer."""

    def __init__(self, code: Code, words: str) -> None:
        super().__init__(words)
        self.code = code


@attrs.define(kw_only=True)
class Invitation:
    """Transfer codes sent to a customer."""

    holder: Holder
    transfer_id: str = attrs.field(repr=False)
    transfer_password: str = attrs.field(repr=False)
    sent: datetime
    used: datetime | None = None


@attrs.frozen(kw_only=True)
class Issued:
    """A certificate that was issued; `by` is the operation that asked for it."""

    by: str
    customer_id: str
    at: datetime
    certificate: x509.Certificate
    retrieval_id: str = attrs.field(repr=False)


@attrs.define(kw_only=True)
class _Order:
    issued: Issued
    forged: Forged | None
    polls: int = 0


class Office:
    """Answers what `messages.read` let through. `answer` may be called from several threads."""

    def __init__(self, *, clock: SandboxClock, settings: Settings, faults: Faults) -> None:
        self._clock = clock
        self._settings = settings
        self._faults = faults
        self._lock = threading.Lock()
        self._invitations: dict[str, Invitation] = {}
        self._orders: dict[str, _Order] = {}
        self._renewed: set[int] = set()

    @property
    def issued(self) -> tuple[Issued, ...]:
        """All certificates, oldest first."""
        with self._lock:
            return tuple(order.issued for order in self._orders.values())

    def invite(self, invitation: Invitation) -> None:
        """Send transfer codes; they are known to nobody else."""
        with self._lock:
            if invitation.transfer_id in self._invitations:
                raise ConfigurationError("these transfer codes were sent already")
            self._invitations[invitation.transfer_id] = invitation

    def answer(self, asked: Asked) -> tuple[str, ...]:
        """The content of the answer, written; FAIL included."""
        try:
            with self._lock:
                return self._do(asked)
        except Refused as refusal:
            return (messages.result("FAIL", [(refusal.code.value, str(refusal)[:_SHORT])]),)

    def _do(self, asked: Asked) -> tuple[str, ...]:
        if asked["Environment"] != self._settings.element:
            raise Refused(Code.WRONG_ENVIRONMENT, f"this service is for {self._settings.element}")
        if asked.operation == messages.GET:
            content = xml.leaf("Certificate", self._get(asked))
        else:
            content = xml.leaf(
                "RetrievalId", self._sign(asked) if asked.operation == messages.SIGN else self._renew(asked)
            )
        return content, messages.result("OK")

    # --- the three operations

    def _sign(self, asked: Asked) -> str:
        invitation = self._invitations.get(asked["TransferId"])
        is_known = invitation is not None and hmac.compare_digest(
            invitation.transfer_password.encode(), asked["TransferPassword"].encode()
        )
        if invitation is None or not is_known or invitation.holder.customer_id != asked["CustomerId"]:
            raise Refused(Code.UNKNOWN_CODES, "customer and transfer codes do not belong together")
        now = self._clock()
        if invitation.used is not None:
            raise Refused(Code.USED_CODES, "the transfer codes are used up")
        if now - invitation.sent > self._settings.codes_last:
            raise Refused(Code.LAPSED_CODES, "the transfer codes have lapsed")
        key = self._requested_key(asked)
        invitation.used = now
        name = invitation.holder.name or asked["CustomerName"]
        return self._order(asked, key, attrs.evolve(invitation.holder, name=name))

    def _renew(self, asked: Asked) -> str:
        old = self._signer(asked)
        if issuing.holder_of(old) != asked["CustomerId"]:
            raise Refused(Code.WRONG_CUSTOMER, "the certificate is another customer's")
        now = self._clock()
        if not old.not_valid_before_utc <= now < old.not_valid_after_utc:
            raise Refused(Code.EXPIRED_CERTIFICATE, "the certificate is over: order a new one")
        if now < old.not_valid_after_utc - self._settings.opens_before:
            raise Refused(Code.TOO_EARLY, "it is too early to renew this certificate")
        if self._settings.renews_once and old.serial_number in self._renewed:
            raise Refused(Code.RENEWED_ALREADY, "the certificate was renewed already")
        key = self._requested_key(asked)
        if _spki(key) == _spki(old.public_key()):
            raise Refused(Code.SAME_KEY, "a renewal needs a new key")
        self._renewed.add(old.serial_number)
        return self._order(asked, key, Holder(customer_id=asked["CustomerId"], name=_organisation(old)))

    def _get(self, asked: Asked) -> str:
        order = self._orders.get(asked["RetrievalId"])
        if order is None or order.issued.customer_id != asked["CustomerId"]:
            raise Refused(Code.UNKNOWN_RETRIEVAL, "no such certificate was ordered")
        order.polls += 1
        is_ready = order.polls > self._settings.polls_before_ready
        is_ready = is_ready and self._clock() >= order.issued.at + self._settings.ready_after
        if not is_ready or self._faults.touching(asked.operation).never_ready:
            raise Refused(Code.NOT_READY, "the certificate is not ready yet")
        return issuing.in_base64(order.issued.certificate, order.forged)

    # --- what they need

    def _order(self, asked: Asked, key: rsa.RSAPublicKey, holder: Holder) -> str:
        now = self._clock()
        forged = self._faults.touching(asked.operation).forged
        certificate = issuing.customer_certificate(key, holder, at=now, years=self._settings.years, forged=forged)
        issued = Issued(
            by=asked.operation,
            customer_id=holder.customer_id,
            at=now,
            certificate=certificate,
            retrieval_id=uuid.uuid4().hex.upper(),
        )
        self._orders[issued.retrieval_id] = _Order(issued=issued, forged=forged)
        return issued.retrieval_id

    def _signer(self, asked: Asked) -> x509.Certificate:
        try:
            old = verify(asked.document, canonicalizations=frozenset({xml.EXCLUSIVE}))
        except BadSignature as error:
            raise Refused(Code.BAD_SIGNATURE, str(error)) from error
        if not issuing.is_ours(old):
            raise Refused(Code.FOREIGN_CERTIFICATE, "the signer's certificate was not issued here")
        return old

    def _requested_key(self, asked: Asked) -> rsa.RSAPublicKey:
        try:
            request = x509.load_der_x509_csr(asked.certificate_request)
            key, is_proven = request.public_key(), request.is_signature_valid
        except (ValueError, UnsupportedAlgorithm, InvalidSignature) as error:
            raise Refused(Code.UNREADABLE_REQUEST, "the certificate request cannot be read") from error
        if not is_proven:
            raise Refused(Code.UNPROVEN_KEY, "the certificate request is not signed with its own key")
        if not isinstance(key, rsa.RSAPublicKey) or key.key_size not in self._settings.key_sizes:
            sizes = ", ".join(map(str, sorted(self._settings.key_sizes)))
            raise Refused(Code.WRONG_KEY_SIZE, f"the key is not RSA of {sizes} bits")
        return key


def _spki(key: object) -> bytes:
    assert isinstance(key, rsa.RSAPublicKey)
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _organisation(certificate: x509.Certificate) -> str:
    found = certificate.subject.get_attributes_for_oid(x509.oid.NameOID.ORGANIZATION_NAME)
    return str(found[0].value) if found else ""
