"""The certificates of the Belgian channel: signers in the shapes of PersonalSign and eID, the institution, its clock.

Issuers' names say that they are the sandbox's. Persons, companies and numbers are invented.
"""

from __future__ import annotations

import enum
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from govfile.sandbox import pki
from govfile.sandbox.once import made_once
from govfile.sandbox.onss import der

if TYPE_CHECKING:
    from collections.abc import Callable

PublicKey: TypeAlias = rsa.RSAPublicKey | ec.EllipticCurvePublicKey
PrivateKey: TypeAlias = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

_DAY = timedelta(days=1)
_LIFE = timedelta(days=3 * 365)
_QC_STATEMENTS = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.3")
_QC_COMPLIANCE = "0.4.0.1862.1.1"


class CertificateKind(enum.Enum):
    """Which certificate a signer has.

    The chip of an eID holds two: one signs declarations (non-repudiation), the other proves identity and must not.
    """

    PERSONAL_SIGN = "PersonalSign 3 Pro"
    EID_SIGNATURE = "eID, signature"
    EID_AUTHENTICATION = "eID, authentication"


class _Authority(enum.Enum):
    PERSONAL_SIGN = "PersonalSign CA"
    CITIZEN = "Citizen CA"
    INSTITUTIONS = "Institutions CA"


_ISSUERS = {
    CertificateKind.PERSONAL_SIGN: _Authority.PERSONAL_SIGN,
    CertificateKind.EID_SIGNATURE: _Authority.CITIZEN,
    CertificateKind.EID_AUTHENTICATION: _Authority.CITIZEN,
}


@made_once
def _authority(which: _Authority) -> pki.Issued:
    key = pki.ec_key(which.value)
    name = _name(C="BE", O="govfile sandbox", CN=f"govfile sandbox {which.value}")
    now = datetime.now(UTC)
    builder = pki.certificate_builder(name, name, key.public_key(), now - 30 * _DAY, now + 3650 * _DAY)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage("key_cert_sign", "crl_sign"), critical=True)
    certificate = builder.sign(key, hashes.SHA256())
    return pki.Issued(key=key, certificate=certificate, issuer=certificate)


def signers_authorities() -> tuple[x509.Certificate, ...]:
    """The authorities whose certificates may sign declarations."""
    return tuple(_authority(which).certificate for which in dict.fromkeys(_ISSUERS.values()))


def institutions_authority() -> x509.Certificate:
    """The authority that answers' signatures lead to."""
    return _authority(_Authority.INSTITUTIONS).certificate


def certify(
    public_key: PublicKey,
    kind: CertificateKind = CertificateKind.PERSONAL_SIGN,
    *,
    valid: tuple[datetime, datetime] | None = None,
) -> x509.Certificate:
    """A signer's certificate for `public_key`, whose private half may be in a token."""
    issuer = _authority(_ISSUERS[kind])
    now = datetime.now(UTC)
    start, end = valid or (now - _DAY, now - _DAY + _LIFE)
    builder = pki.certificate_builder(_subject(kind), issuer.certificate.subject, public_key, start, end)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    if kind is CertificateKind.EID_AUTHENTICATION:
        builder = builder.add_extension(_usage("digital_signature"), critical=True)
    else:
        usages = ("content_commitment",) if kind is CertificateKind.EID_SIGNATURE else _SIGNS
        builder = builder.add_extension(_usage(*usages), critical=True)
        qualified = der.sequence(der.sequence(der.oid(_QC_COMPLIANCE)))
        builder = builder.add_extension(x509.UnrecognizedExtension(_QC_STATEMENTS, qualified), critical=False)
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False
    )
    return builder.sign(issuer.key, hashes.SHA256())


_SIGNS = ("digital_signature", "content_commitment")


def signer(kind: CertificateKind, *, use: str, valid: tuple[datetime, datetime] | None = None) -> pki.Issued:
    """A signer's key and certificate; equal `use` and kind share the key. PersonalSign is RSA, eID on P-384."""
    key = pki.rsa_key(f"signer {use}") if kind is CertificateKind.PERSONAL_SIGN else _p384_key(f"{kind} {use}")
    certificate = certify(key.public_key(), kind, valid=valid)
    return pki.Issued(key=key, certificate=certificate, issuer=_authority(_ISSUERS[kind]).certificate)


@made_once
def institution(*, is_expired: bool = False) -> pki.Issued:
    """Who signs the answers."""
    name = _name(C="BE", O="govfile sandbox", CN="govfile sandbox ONSS", serialNumber="CBE=0000000097")
    return _institution("institution", name, _SIGNS, is_expired=is_expired)


@made_once
def timestamper() -> pki.Issued:
    """Who certifies the time (RFC 3161)."""
    name = _name(C="BE", O="govfile sandbox", CN="govfile sandbox time stamps")
    purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
    return _institution("time stamps", name, _SIGNS, lambda builder: builder.add_extension(purpose, critical=True))


def _institution(
    use: str,
    name: x509.Name,
    usages: tuple[str, ...],
    extend: Callable[[x509.CertificateBuilder], x509.CertificateBuilder] = lambda builder: builder,
    *,
    is_expired: bool = False,
) -> pki.Issued:
    issuer = _authority(_Authority.INSTITUTIONS)
    key = pki.rsa_key(use)
    now = datetime.now(UTC)
    start, end = (now - 800 * _DAY, now - 5 * _DAY) if is_expired else (now - 10 * _DAY, now + _LIFE)
    builder = pki.certificate_builder(name, issuer.certificate.subject, key.public_key(), start, end)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = extend(builder.add_extension(_usage(*usages), critical=True))
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False
    )
    return pki.Issued(key=key, certificate=builder.sign(issuer.key, hashes.SHA256()), issuer=issuer.certificate)


@made_once
def _p384_key(_use: str) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP384R1())


def _subject(kind: CertificateKind) -> x509.Name:
    person = {"surname": "Voorbeeld", "givenName": "Jan"}
    if kind is CertificateKind.PERSONAL_SIGN:
        company = {"O": "Voorbeeldbedrijf NV", "OU": "Personeelsdienst", "CN": "Jan Voorbeeld"}
        return _name(C="BE", **company, **person, serialNumber="govfile-sandbox-1")
    use = "Signature" if kind is CertificateKind.EID_SIGNATURE else "Authentication"
    return _name(C="BE", CN=f"Jan Voorbeeld ({use})", **person, serialNumber="00000000097")


_TYPES = {
    "C": NameOID.COUNTRY_NAME,
    "O": NameOID.ORGANIZATION_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "CN": NameOID.COMMON_NAME,
    "surname": NameOID.SURNAME,
    "givenName": NameOID.GIVEN_NAME,
    "serialNumber": NameOID.SERIAL_NUMBER,
}


def _name(**attributes: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(_TYPES[key], text) for key, text in attributes.items()])


_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


def _usage(*wanted: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{usage: usage in wanted for usage in _USAGES})
