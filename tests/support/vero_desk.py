"""A certificate service in this process, for tests of single steps: it answers as it is told, and counts.

What the real one does, and a strict judge of every request, is `govfile.sandbox.VeroSandbox`.
"""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import attrs
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from govfile import Credential, KeyStore, Secret, vero
from govfile.certificates.signer import SoftwareSigner
from govfile.certificates.trust import Trust
from govfile.filing.patience import Patience
from govfile.transports.base import Reply
from govfile.vero import CertificateService
from govfile.xml.algorithms import Canonicalization
from govfile.xml.signing import Reference, sign
from govfile.xml.splicing import Place
from support import pki
from support.keystores import Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from govfile.vero import Environment

NS = "http://certificates.vero.fi/2017/10/certificateservices"
CUSTOMER = "0123456-7"
TRANSFER_ID = "31415926535897932384626433832795"
TRANSFER_PASSWORD = "Kq7mZr2Tx9Wv4Bn6"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LIFE = timedelta(days=730)
ISSUER = "Desk Data Providers Issuing CA"


@cache
def services_authority() -> pki.Authority:
    """Issues who signs answers."""
    return pki.Authority.create(
        pki.plain("Desk Services Issuing CA"), key=pki.ec_key(11), not_before=NOON - LIFE, not_after=NOON + 9 * LIFE
    )


@cache
def issuing_authority() -> pki.Authority:
    """Issues the customers' certificates."""
    return pki.Authority.create(
        pki.plain(ISSUER), key=pki.ec_key(12), not_before=NOON - LIFE, not_after=NOON + 9 * LIFE
    )


@cache
def signer(name: str = "Desk", authority: Callable[[], pki.Authority] = services_authority) -> Credential:
    """Who signs answers."""
    found = authority().issue(
        pki.plain(name), key=pki.rsa_key(7), not_before=NOON - timedelta(days=30), not_after=NOON + 8 * LIFE
    )
    return Credential.from_signer(SoftwareSigner(found.key), found.certificate, at=NOON)


def environment(**changes: Any) -> Environment:
    """The desk's environment."""
    quick = Patience(first=timedelta(seconds=30), usual=timedelta(seconds=40), give_up=timedelta(minutes=10))
    found = vero.Environment(
        name="test",
        element="TEST",
        url="https://desk.invalid",
        answer_signers=Trust.only(services_authority().pem),
        issuers=Trust.only(issuing_authority().pem),
        issuer_name=ISSUER,
        patience=quick,
    )
    return attrs.evolve(found, **changes)


def issue(public: Any, *, customer: str = CUSTOMER, begins: datetime, life: timedelta = LIFE) -> x509.Certificate:
    """A customer's certificate."""
    issuer = issuing_authority().identity
    builder = x509.CertificateBuilder().issuer_name(issuer.certificate.subject).public_key(public)
    builder = builder.subject_name(
        pki.name((NameOID.COMMON_NAME, customer), (NameOID.ORGANIZATION_NAME, "Ab Example Oy"))
    )
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(begins)
    builder = builder.not_valid_after(begins + life)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    return builder.sign(issuer.key, SHA256())


def answer(
    name: str,
    inner: str,
    *,
    by: Credential | None = None,
    form: Canonicalization = Canonicalization.INCLUSIVE,
    declared: str = "",
) -> bytes:
    """A signed answer in its envelope; the signature is made before the envelope is there."""
    document = f'<ns2:{name} xmlns:ns2="{NS}"{declared}>{inner}</ns2:{name}>'.encode()
    signed = sign(
        document,
        by or signer(),
        [Reference(id="", is_enveloped=True, canonicalization=form)],
        Place(path=(f"{{{NS}}}{name}",)),
        canonicalization=form,
    )
    return envelope(signed)


def envelope(message: bytes, declared: bytes = b"") -> bytes:
    """A SOAP 1.1 envelope as the service writes it."""
    opened = b'<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"' + declared + b">"
    return opened + b"<SOAP-ENV:Header/><SOAP-ENV:Body>" + message + b"</SOAP-ENV:Body></SOAP-ENV:Envelope>"


def result(*codes: str) -> str:
    """The Result element: OK without codes, FAIL with them."""
    if not codes:
        return "<Result><Status>OK</Status></Result>"
    infos = "".join(
        f"<ErrorInfo><ErrorCode>{code}</ErrorCode><ErrorMessage>about {code}</ErrorMessage></ErrorInfo>"
        for code in codes
    )
    return f"<Result><Status>FAIL</Status>{infos}</Result>"


def reply(body: bytes, status: int = 200, **headers: str) -> Reply:
    """An HTTP answer."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status=status, headers={"content-type": "text/xml; charset=utf-8", **named}, body=body)


class FakeService:
    """The transport and the service behind it.

    `plan` holds what happens to the next requests of an operation: an exception to raise before or (with `after_`)
    behind the point of no return, a `Reply`, or a function from the request to a `Reply`; the usual answer follows.
    """

    endpoint = "desk.invalid:443"

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.plan: dict[str, list[Any]] = {}
        self.asked: list[tuple[str, bytes]] = []
        self.requests: dict[str, x509.CertificateSigningRequest] = {}
        self.not_ready = 0
        self.closed = 0

    def operations(self) -> list[str]:
        """What was asked, in order."""
        return [name for name, _ in self.asked]

    def next(self, operation: str, *what: Any) -> None:
        """Put something into the plan."""
        self.plan.setdefault(operation, []).extend(what)

    def post(
        self,
        path: str,
        body: bytes,
        *,
        headers: Mapping[str, str] | None = None,
        limit: int | None = None,
        total: float | None = None,
        committing: Callable[[], None] | None = None,
    ) -> Reply:
        operation = (headers or {})["SOAPAction"].strip('"')
        planned = self.plan.get(operation) or [None]
        what = planned.pop(0) if self.plan.get(operation) else None
        if isinstance(what, Before):
            raise what.error
        if committing is not None:
            committing()
        if isinstance(what, BaseException):
            raise what
        self.asked.append((operation, body))
        if isinstance(what, Reply):
            return what
        if callable(what):
            found = what(body)
            assert isinstance(found, Reply)
            return found
        return getattr(self, f"_{operation}")(body) if operation else reply(b"")

    def close(self) -> None:
        self.closed += 1

    def receipt(self, operation: str, body: bytes) -> Reply:
        """Take a request."""
        number = f"R{len(self.requests) + 1:05d}"
        encoded = re.search(rb"<CertificateRequest>(.*?)</CertificateRequest>", body, re.DOTALL)
        assert encoded is not None
        self.requests[number] = x509.load_der_x509_csr(base64.b64decode(encoded[1]))
        name = f"{operation[0].upper()}{operation[1:]}Response"
        return reply(answer(name, f"<RetrievalId>{number}</RetrievalId>{result()}"))

    def _signNewCertificate(self, body: bytes) -> Reply:  # noqa: N802
        return self.receipt("signNewCertificate", body)

    def _renewCertificate(self, body: bytes) -> Reply:  # noqa: N802
        return self.receipt("renewCertificate", body)

    def _getCertificate(self, body: bytes) -> Reply:  # noqa: N802
        if self.not_ready > 0:
            self.not_ready -= 1
            return reply(answer("GetCertificateResponse", result("PKI020")))
        number = re.search(rb"<RetrievalId>(.*?)</RetrievalId>", body)
        customer = re.search(rb"<CustomerId>(.*?)</CustomerId>", body)
        assert number is not None
        assert customer is not None
        public = self.requests[number[1].decode()].public_key()
        return got(issue(public, customer=customer[1].decode(), begins=self.clock()))


@attrs.frozen
class Before:
    """An error that comes before the point of no return."""

    error: BaseException


def got(certificate: x509.Certificate | bytes) -> Reply:
    """The answer that holds a certificate (bytes: in DER form)."""
    der = certificate if isinstance(certificate, bytes) else certificate.public_bytes(Encoding.DER)
    encoded = base64.b64encode(der).decode()
    return reply(answer("GetCertificateResponse", f"<Certificate>{encoded}</Certificate>{result()}"))


class VeroDesk:
    """A service, a key store and a client, on a clock that only sleeping moves."""

    def __init__(self, folder: Path, *, passphrase: Secret | None = None, **changes: Any) -> None:
        self.folder = folder
        self.passphrase = passphrase
        self.clock = Clock(NOON)
        self.service = FakeService(self.clock)
        self.environment = environment(**changes)
        self.slept: list[float] = []
        self.keys = self.store()
        self.client = self.another()

    def store(self) -> KeyStore:
        """The store, as another process opens it."""
        return KeyStore(self.folder / "keys", self.passphrase, clock=self.clock, patience=0.2)

    def another(self, **changes: Any) -> CertificateService:
        """The client, as another process opens it."""
        return CertificateService(
            attrs.evolve(self.environment, **changes),
            self.store(),
            clock=self.clock,
            sleep=self.sleep,
            transport=self.transport,
        )

    def transport(self) -> FakeService:
        """The way to the service."""
        return self.service

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock.now += timedelta(seconds=seconds)

    def enrol(self, number: int = 0, client: CertificateService | None = None, **options: Any) -> Credential:
        """Enrol with the codes, with a key that is there already."""
        codes = {"transfer_id": TRANSFER_ID, "transfer_password": Secret(TRANSFER_PASSWORD)}
        return (client or self.client).enrol(
            CUSTOMER, customer_name="Ab Example Oy", key=pki.rsa_key(number), **{**codes, **options}
        )

    def due(self, days: float = 30) -> Credential:
        """Enrol, and let so much time pass that so many days are left."""
        found = self.enrol()
        self.clock.now = found.expires - timedelta(days=days)
        self.service.asked.clear()
        return found

    def renew(self, number: int = 1) -> Credential:
        """Renew with a key that is there already."""
        return self.client.renew(CUSTOMER, key=pki.rsa_key(number))
