"""A throw-away public key infrastructure: one that issues client certificates in the Danish shapes, one for servers.

Keys are made when first needed and kept for the life of the process, so that a second sandbox starts at once. Nothing
is written to disk. Issuer names say that they are the sandbox's, so that nobody takes them for the real ones.
"""

from __future__ import annotations

import enum
import ipaddress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import attrs
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from govfile.sandbox.once import made_once

if TYPE_CHECKING:
    from collections.abc import Sequence

_DAY = timedelta(days=1)
_OCES_LIFE = timedelta(days=3 * 365)


class Issuer(enum.Enum):
    """Who signed a certificate."""

    OCES2 = "OCES2"
    OCES3 = "OCES3"
    SERVERS = "servers"
    STRANGER = "stranger"


class ServerCertificate(enum.Enum):
    """What a server shows: the right certificate, or one wrong in a single way."""

    GOOD = "good"
    WRONG_NAME = "wrong name"
    EXPIRED = "expired"
    NOT_YET_VALID = "not yet valid"
    UNKNOWN_ISSUER = "unknown issuer"


@attrs.frozen(kw_only=True)
class Issued:
    """A private key with its certificate and the certificate of its issuer."""

    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey = attrs.field(repr=False)
    certificate: x509.Certificate
    issuer: x509.Certificate

    def pkcs12(self, passphrase: str) -> bytes:
        """Key, certificate and issuer as a PKCS#12 file under `passphrase`."""
        encryption = BestAvailableEncryption(passphrase.encode())
        return pkcs12.serialize_key_and_certificates(
            b"govfile sandbox", self.key, self.certificate, [self.issuer], encryption
        )

    def pem(self) -> bytes:
        """Key (not encrypted), certificate and issuer as PEM, in this order: for clients that read nothing else."""
        key = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return key + pem(self.certificate, self.issuer)


def pem(*certificates: x509.Certificate) -> bytes:
    """The certificates as one PEM bundle."""
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


@made_once
def rsa_key(_use: str) -> rsa.RSAPrivateKey:
    """A 2048-bit key; equal uses share one within the process."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@made_once
def ec_key(_use: str) -> ec.EllipticCurvePrivateKey:
    """A key on P-256; equal uses share one within the process."""
    return ec.generate_private_key(ec.SECP256R1())


@made_once
def authority(issuer: Issuer) -> Issued:
    """The self-signed certificate of `issuer` and its key; the same one all through the process."""
    key = rsa_key("clients' issuer") if issuer in (Issuer.OCES2, Issuer.OCES3) else ec_key(issuer.value)
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, f"govfile sandbox {issuer.value} CA"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "govfile sandbox"),
            x509.NameAttribute(NameOID.COUNTRY_NAME, "DK"),
        ]
    )
    now = datetime.now(UTC)
    builder = certificate_builder(name, name, key.public_key(), now - 30 * _DAY, now + 3650 * _DAY)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_key_usage(for_authority=True), critical=True)
    certificate = builder.sign(key, hashes.SHA256())
    return Issued(key=key, certificate=certificate, issuer=certificate)


def client(
    subject: x509.Name,
    issuer: Issuer,
    *,
    use: str,
    valid: tuple[datetime, datetime] | None = None,
) -> Issued:
    """A client certificate for `subject`: OCES3 signs with RSASSA-PSS (SHA-256, salt 32), the others PKCS#1 v1.5.

    Equal `use` gives the same RSA key within the process. `valid` is from now for three years unless given.
    """
    signer = authority(issuer)
    key = rsa_key(use)
    now = datetime.now(UTC)
    start, end = valid or (now - _DAY, now - _DAY + _OCES_LIFE)
    builder = certificate_builder(subject, signer.certificate.subject, key.public_key(), start, end)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_key_usage(for_authority=False), critical=True)
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32) if issuer is Issuer.OCES3 else None
    certificate = builder.sign(signer.key, hashes.SHA256(), rsa_padding=pss)
    return Issued(key=key, certificate=certificate, issuer=signer.certificate)


@made_once
def server(what: ServerCertificate = ServerCertificate.GOOD) -> Issued:
    """A server certificate for localhost, 127.0.0.1 and ::1; wrong in the way `what` says."""
    signer = authority(Issuer.STRANGER if what is ServerCertificate.UNKNOWN_ISSUER else Issuer.SERVERS)
    key = ec_key("server")
    now = datetime.now(UTC)
    start, end = {
        ServerCertificate.EXPIRED: (now - 20 * _DAY, now - 2 * _DAY),
        ServerCertificate.NOT_YET_VALID: (now + 2 * _DAY, now + 20 * _DAY),
    }.get(what, (now - _DAY, now + 365 * _DAY))
    host = "gateway.invalid" if what is ServerCertificate.WRONG_NAME else "localhost"
    names: Sequence[x509.GeneralName] = [x509.DNSName(host)]
    if what is not ServerCertificate.WRONG_NAME:
        names = [*names, *(x509.IPAddress(ipaddress.ip_address(found)) for found in ("127.0.0.1", "::1"))]
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    builder = certificate_builder(subject, signer.certificate.subject, key.public_key(), start, end)
    builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.key.public_key()), critical=False
    )
    certificate = builder.sign(signer.key, hashes.SHA256())
    return Issued(key=key, certificate=certificate, issuer=signer.certificate)


def certificate_builder(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey,
    start: datetime,
    end: datetime,
) -> x509.CertificateBuilder:
    """What every certificate here has: names, key, serial number, validity and the key's identifier."""
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _key_usage(*, for_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not for_authority,
        content_commitment=False,
        key_encipherment=not for_authority,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=for_authority,
        crl_sign=for_authority,
        encipher_only=False,
        decipher_only=False,
    )
