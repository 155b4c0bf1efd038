"""A throw-away public key infrastructure: authorities, and certificates in the shapes the real ones have.

    authority = Authority.create(OCES3_TEST_ISSUER, pss=True)
    company = authority.issue(oces3(cvr="10101010"))
    company.pkcs12(b"passphrase"), company.pem, company.key_pem(), company.certificate, company.chain

Keys come from a small pool, made once a process, so that certificates are cheap. Dates are relative to now unless
given. Every person, company and number is invented.
"""

from __future__ import annotations

import functools
import ipaddress
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import attrs
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from collections.abc import Sequence

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
_Attribute = tuple[x509.ObjectIdentifier, str]

# What ASN.1's PrintableString holds; hostile attributes are written as UTF8String.
_PRINTABLE = re.compile(r"[A-Za-z0-9 '()+,./:=?-]*")

UUID = "5d1f3a0c-7f0b-4c7e-9a55-1c2d3e4f5a6b"
DECOY_UUID = "00000000-1111-4222-8333-444444444444"


@functools.cache
def rsa_key(number: int = 0, bits: int = 2048) -> rsa.RSAPrivateKey:
    """The `number`-th RSA key of this process; equal arguments give the same key."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@functools.cache
def ec_key(number: int = 0, curve: type[ec.EllipticCurve] = ec.SECP256R1) -> ec.EllipticCurvePrivateKey:
    """The `number`-th EC key of this process; equal arguments give the same key."""
    return ec.generate_private_key(curve())


def name(*rdns: _Attribute | list[_Attribute]) -> x509.Name:
    """A distinguished name; an RDN given as a list of attributes is multi-valued."""
    sets: list[list[_Attribute]] = [list(rdn) if isinstance(rdn, list) else [rdn] for rdn in rdns]
    return x509.Name(x509.RelativeDistinguishedName(_attribute(*found) for found in held) for held in sets)


def _attribute(oid: x509.ObjectIdentifier, value: str) -> x509.NameAttribute[str]:
    if _PRINTABLE.fullmatch(value):
        return x509.NameAttribute(oid, value)
    return x509.NameAttribute(oid, value, _type=_ASN1Type.UTF8String)


def oces2(
    *,
    cvr: str = "10101010",
    what: str = "UID",
    number: str = "9876543210",
    organisation: str = "Eksempel ApS",
    common_name: str = "Eksempel ApS",
) -> x509.Name:
    """An OCES2 subject: the last RDN holds serialNumber and commonName together."""
    return name(
        (NameOID.COUNTRY_NAME, "DK"),
        (NameOID.ORGANIZATION_NAME, f"{organisation} // CVR:{cvr}"),
        [(NameOID.SERIAL_NUMBER, f"CVR:{cvr}-{what}:{number}"), (NameOID.COMMON_NAME, common_name)],
    )


def oces2_personal(*, number: str = "9208-2002-2-000000000000") -> x509.Name:
    """An OCES2 personal subject, which names no company."""
    return name(
        (NameOID.COUNTRY_NAME, "DK"),
        (NameOID.ORGANIZATION_NAME, "Ingen organisatorisk tilknytning"),
        [(NameOID.SERIAL_NUMBER, f"PID:{number}"), (NameOID.COMMON_NAME, "Test Testesen")],
    )


def oces3(
    *,
    cvr: str = "10101010",
    letter: str = "O",
    uuid: str = UUID,
    organisation: str = "Eksempel ApS",
    common_name: str = "Eksempel ApS - filing",
) -> x509.Name:
    """An OCES3 subject: five single-valued RDNs; `letter` O for organisations and systems, E for employees."""
    return name(
        (NameOID.COUNTRY_NAME, "DK"),
        (NameOID.ORGANIZATION_IDENTIFIER, f"NTRDK-{cvr}"),
        (NameOID.ORGANIZATION_NAME, organisation),
        (NameOID.SERIAL_NUMBER, f"UI:DK-{letter}:G:{uuid}"),
        (NameOID.COMMON_NAME, common_name),
    )


def plain(common_name: str) -> x509.Name:
    """A subject with nothing but a common name."""
    return name((NameOID.COMMON_NAME, common_name))


OCES3_ISSUER = name(
    (NameOID.COUNTRY_NAME, "DK"),
    (NameOID.ORGANIZATION_NAME, "Den Danske Stat"),
    (NameOID.COMMON_NAME, "Den Danske Stat OCES udstedende-CA 1"),
)
OCES3_TEST_ISSUER = name(
    (NameOID.COUNTRY_NAME, "DK"),
    (NameOID.ORGANIZATION_NAME, "Den Danske Stat"),
    (NameOID.ORGANIZATIONAL_UNIT_NAME, "Test - cti"),
    (NameOID.COMMON_NAME, "Den Danske Stat OCES udstedende-CA 1"),
)
OCES2_ISSUER = name(
    (NameOID.COUNTRY_NAME, "DK"),
    (NameOID.ORGANIZATION_NAME, "TRUST2408"),
    (NameOID.COMMON_NAME, "TRUST2408 OCES CA IV"),
)
OCES2_TEST_ISSUER = name(
    (NameOID.COUNTRY_NAME, "DK"),
    (NameOID.ORGANIZATION_NAME, "TRUST2408"),
    (NameOID.COMMON_NAME, "TRUST2408 Systemtest XXII CA"),
)


@attrs.frozen(kw_only=True)
class Identity:
    """A key, its certificate and the certificates above it (issuer first, root last)."""

    key: Key = attrs.field(repr=False)
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...] = ()

    @property
    def pem(self) -> bytes:
        """The certificate alone, PEM."""
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def chain_pem(self) -> bytes:
        """The certificates above it, PEM, issuer first."""
        return b"".join(found.public_bytes(Encoding.PEM) for found in self.chain)

    def key_pem(self, passphrase: bytes | None = None, form: PrivateFormat = PrivateFormat.PKCS8) -> bytes:
        """The private key, PEM; encrypted when a passphrase is given."""
        return self.key.private_bytes(Encoding.PEM, form, _encryption(passphrase))

    def pkcs12(self, passphrase: bytes | None = None, *, friendly_name: bytes | None = b"company") -> bytes:
        """Key, certificate and chain as a modern PKCS#12 file."""
        return pkcs12.serialize_key_and_certificates(
            friendly_name, self.key, self.certificate, self.chain, _encryption(passphrase)
        )


def _encryption(passphrase: bytes | None) -> KeySerializationEncryption:
    return NoEncryption() if passphrase is None else BestAvailableEncryption(passphrase)


@attrs.frozen(kw_only=True)
class Authority:
    """A certificate authority. `pss` signs with RSASSA-PSS (SHA-256, salt 32), as the OCES3 authorities do."""

    identity: Identity
    pss: bool = False

    @classmethod
    def create(
        cls,
        subject: x509.Name | None = None,
        *,
        key: Key | None = None,
        pss: bool = False,
        issuer: Authority | None = None,
        not_before: datetime | None = None,
        not_after: datetime | None = None,
    ) -> Authority:
        """A self-signed root, or a subordinate authority when `issuer` is given."""
        subject = subject or plain("Govfile test root")
        key = key or rsa_key(1 if issuer else 0)
        builder = _builder(subject, key, not_before, not_after, timedelta(days=3650))
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
        if issuer is None:
            certificate = _sign(builder.issuer_name(subject), key, pss=pss)
            return cls(identity=Identity(key=key, certificate=certificate), pss=pss)
        identity = issuer._finish(builder, key)
        return cls(identity=identity, pss=pss)

    def subordinate(self, subject: x509.Name, *, key: Key | None = None, pss: bool = False) -> Authority:
        """An authority below this one."""
        return Authority.create(subject, key=key, pss=pss, issuer=self)

    def issue(
        self,
        subject: x509.Name | None = None,
        *,
        key: Key | None = None,
        not_before: datetime | None = None,
        not_after: datetime | None = None,
        hosts: Sequence[str] = (),
    ) -> Identity:
        """A certificate under this authority; with `hosts` (names or addresses) one for a server."""
        key = key or rsa_key(2)
        builder = _builder(subject or oces3(), key, not_before, not_after, timedelta(days=1095))
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_usage(signs_certificates=False), critical=True)
        if hosts:
            alternatives = x509.SubjectAlternativeName([_host(host) for host in hosts])
            builder = builder.add_extension(alternatives, critical=False)
            server = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
            builder = builder.add_extension(server, critical=False)
        return self._finish(builder, key)

    def expired(self, subject: x509.Name | None = None, *, key: Key | None = None) -> Identity:
        """A certificate that ended yesterday."""
        now = datetime.now(UTC)
        return self.issue(subject, key=key, not_before=now - timedelta(days=100), not_after=now - timedelta(days=1))

    def not_yet_valid(self, subject: x509.Name | None = None, *, key: Key | None = None) -> Identity:
        """A certificate that begins tomorrow."""
        now = datetime.now(UTC)
        return self.issue(subject, key=key, not_before=now + timedelta(days=1), not_after=now + timedelta(days=100))

    @property
    def pem(self) -> bytes:
        """The authority's own certificate, PEM: the trust anchor."""
        return self.identity.pem

    def _finish(self, builder: x509.CertificateBuilder, key: Key) -> Identity:
        own = self.identity.key.public_key()
        builder = builder.issuer_name(self.identity.certificate.subject)
        builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(own), critical=False)
        certificate = _sign(builder, self.identity.key, pss=self.pss)
        return Identity(key=key, certificate=certificate, chain=(self.identity.certificate, *self.identity.chain))


def _builder(
    subject: x509.Name, key: Key, not_before: datetime | None, not_after: datetime | None, life: timedelta
) -> x509.CertificateBuilder:
    begin = not_before or datetime.now(UTC) - timedelta(hours=1)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(not_after or begin + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _sign(builder: x509.CertificateBuilder, key: Key, *, pss: bool) -> x509.Certificate:
    if pss and isinstance(key, rsa.RSAPrivateKey):
        scheme = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
        return builder.sign(key, hashes.SHA256(), rsa_padding=scheme)
    return builder.sign(key, hashes.SHA256())


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=not signs_certificates,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
