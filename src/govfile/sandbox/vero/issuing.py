"""Certificates as the authority issues them: of customers, of those who sign its answers, and wrong ones on request.

The profile of a customer's certificate is that of a published test certificate of the real authority.
"""

from __future__ import annotations

import base64
import functools
import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import attrs
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from govfile.sandbox.pki import certificate_builder
from govfile.sandbox.vero import throw_away
from govfile.sandbox.vero.faults import Forged
from govfile.sandbox.vero.signing import Signer
from govfile.sandbox.vero.throw_away import Authority, Key

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import rsa

_DAY = timedelta(days=1)
_LONGEST_ORGANISATION = 30
_SIGNERS_YEARS = 3
_PLACE = "http://crl.sandbox.invalid"


@attrs.frozen(kw_only=True)
class Holder:
    """Whom a certificate is for."""

    customer_id: str
    name: str


def customer_certificate(
    public_key: rsa.RSAPublicKey, holder: Holder, *, at: datetime, years: int = 2, forged: Forged | None = None
) -> x509.Certificate:
    """A certificate from `at` for `years`, to the second."""
    start = at.astimezone(UTC).replace(microsecond=0)
    end = _years_later(start, years)
    if forged is Forged.EXPIRED:
        start, end = start - 800 * _DAY, start - _DAY
    elif forged is Forged.NOT_YET:
        start, end = start + _DAY, end + _DAY
    elif forged is Forged.SHORT:
        end = start + 30 * _DAY
    if forged is Forged.OTHER_KEY:
        public_key = throw_away.key(Key.STRANGER).public_key()
    if forged is Forged.OTHER_CUSTOMER:
        holder = attrs.evolve(holder, customer_id="7654321-9")
    subject = _subject(holder)
    issuer = throw_away.certificate(
        Authority.SERVICES if forged is Forged.WRONG_AUTHORITY else Authority.DATA_PROVIDERS
    )
    key = Key.SERVICES if forged is Forged.WRONG_AUTHORITY else Key.DATA_PROVIDERS
    by = throw_away.key(Key.STRANGER if forged is Forged.STRANGER else key)
    builder = certificate_builder(subject, issuer.subject, public_key, start, end)
    builder = builder.add_extension(x509.BasicConstraints(forged is Forged.AN_AUTHORITY, None), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
    builder = builder.add_extension(_places(), critical=False)
    builder = builder.add_extension(_revocations(), critical=False)
    return _signed(builder, by, key_encipherment=True)


@functools.lru_cache(maxsize=64)
def answer_signer(name: str, *, year: int, by: Authority = Authority.SERVICES, is_over: bool = False) -> Signer:
    """Who signs answers in `year`: a certificate for three years, as a published one of the register has it."""
    start = datetime(year - 1, 7, 1, tzinfo=UTC)
    end = datetime(year, 1, 1, tzinfo=UTC) if is_over else _years_later(start, _SIGNERS_YEARS)
    subject = _name((NameOID.COMMON_NAME, name), (NameOID.ORGANIZATION_NAME, "govfile sandbox"))
    issuer = throw_away.certificate(by)
    key = throw_away.key(Key.ANSWERS)
    builder = certificate_builder(subject, issuer.subject, key.public_key(), start, end)
    return Signer(key=key, certificate=_signed(builder, throw_away.key(Key(by.value)), key_encipherment=False))


@functools.cache
def stranger() -> Signer:
    """Somebody who signed his own certificate, and gave it the name of the issuing authority."""
    key = throw_away.key(Key.STRANGER)
    name = throw_away.certificate(Authority.SERVICES).subject
    start = datetime(2020, 1, 1, tzinfo=UTC)
    builder = certificate_builder(name, name, key.public_key(), start, _years_later(start, 25))
    return Signer(key=key, certificate=_signed(builder, key, key_encipherment=False))


def is_ours(certificate: x509.Certificate) -> bool:
    """Whether the customers' authority issued it."""
    try:
        certificate.verify_directly_issued_by(throw_away.certificate(Authority.DATA_PROVIDERS))
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def holder_of(certificate: x509.Certificate) -> str:
    """The customer's id."""
    found = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else ""


def in_base64(certificate: x509.Certificate, forged: Forged | None = None) -> str:
    """The certificate as an answer carries it, or spoilt on the way."""
    made = certificate.public_bytes(Encoding.PEM if forged is Forged.PEM else Encoding.DER)
    return base64.b64encode(b"this is no certificate" if forged is Forged.JUNK else made).decode()


def _years_later(start: datetime, years: int) -> datetime:
    day = 28 if (start.month, start.day) == (2, 29) else start.day
    return start.replace(year=start.year + years, day=day)


def _subject(holder: Holder) -> x509.Name:
    attributes = [(NameOID.COMMON_NAME, holder.customer_id), (NameOID.SERIAL_NUMBER, secrets.token_hex(16).upper())]
    if holder.name:
        attributes.append((NameOID.ORGANIZATION_NAME, holder.name[:_LONGEST_ORGANISATION]))
    return _name(*attributes)


def _name(*attributes: tuple[x509.ObjectIdentifier, str]) -> x509.Name:
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in (*attributes, (NameOID.COUNTRY_NAME, "FI"))])


def _signed(builder: x509.CertificateBuilder, by: rsa.RSAPrivateKey, *, key_encipherment: bool) -> x509.Certificate:
    usage = x509.KeyUsage(
        digital_signature=True,
        key_encipherment=key_encipherment,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    builder = builder.add_extension(usage, critical=True)
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key())
    return builder.add_extension(authority, critical=False).sign(by, hashes.SHA256())


def _places() -> x509.AuthorityInformationAccess:
    location = x509.UniformResourceIdentifier(f"{_PLACE}/issuing.cer")
    return x509.AuthorityInformationAccess([x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, location)])


def _revocations() -> x509.CRLDistributionPoints:
    location = x509.UniformResourceIdentifier(f"{_PLACE}/issuing.crl")
    return x509.CRLDistributionPoints([x509.DistributionPoint([location], None, None, None)])
