"""Signatures of answers: detached SignedData (RFC 5652), and with a certified time as CAdES-T has it (RFC 5126)."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import Encoding

from govfile.sandbox.onss import der, papers

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography import x509

    from govfile.sandbox import pki

DATA, SIGNED_DATA, TIME_STAMPED = "1.2.840.113549.1.7.1", "1.2.840.113549.1.7.2", "1.2.840.113549.1.9.16.1.4"
CONTENT_TYPE, MESSAGE_DIGEST, SIGNING_TIME = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4", "1.2.840.113549.1.9.5"
SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.47"
TIME_STAMP_TOKEN = "1.2.840.113549.1.9.16.2.14"  # noqa: S105 - an object identifier
SHA256, RSA, ECDSA_SHA256 = "2.16.840.1.101.3.4.2.1", "1.2.840.113549.1.1.1", "1.2.840.10045.4.3.2"
_POLICY = "1.3.6.1.4.1.99999.1.1"  # the sandbox's own; 99999 is nobody's

_ATTRIBUTES, _UNSIGNED, _CERTIFICATES, _EXPLICIT = 0xA0, 0xA1, 0xA0, 0xA0


def sign(content: bytes, *, by: pki.Issued, at: datetime, timestamped: bool = False) -> bytes:
    """A detached signature over `content`, in DER. `timestamped` adds the time stamp token that makes it CAdES-T."""
    signature, info = _signed(hashlib.sha256(content).digest(), DATA, by, at)
    unsigned = b""
    if timestamped:
        token = _token(signature, at)
        unsigned = der.set_of(der.sequence(der.oid(TIME_STAMP_TOKEN), der.set_of(token)), tag=_UNSIGNED)
    return _wrap(der.sequence(der.oid(DATA)), by.certificate, der.sequence(info, unsigned), version=1)


def _token(signature: bytes, at: datetime) -> bytes:
    """A time stamp token over another signature (RFC 3161)."""
    imprint = der.sequence(_sha256(), der.octets(hashlib.sha256(signature).digest()))
    info = der.sequence(
        der.integer(1), der.oid(_POLICY), imprint, der.integer(secrets.randbits(63)), der.general_time(at)
    )
    stamper = papers.timestamper()
    _, signer = _signed(hashlib.sha256(info).digest(), TIME_STAMPED, stamper, at)
    inside = der.sequence(der.oid(TIME_STAMPED), der.tlv(_EXPLICIT, der.octets(info)))
    return _wrap(inside, stamper.certificate, der.sequence(signer), version=3)


def _signed(digest: bytes, content_type: str, by: pki.Issued, at: datetime) -> tuple[bytes, bytes]:
    """The signature's value, and the fields of SignerInfo up to it."""
    attributes = [
        _attribute(CONTENT_TYPE, der.oid(content_type)),
        _attribute(SIGNING_TIME, der.utc_time(at)),
        _attribute(MESSAGE_DIGEST, der.octets(digest)),
        _attribute(SIGNING_CERTIFICATE, _names(by.certificate)),
    ]
    signed = der.set_of(*attributes)
    if isinstance(by.key, ec.EllipticCurvePrivateKey):
        value = by.key.sign(signed, ec.ECDSA(hashes.SHA256()))
        algorithm = der.sequence(der.oid(ECDSA_SHA256))
    else:
        value = by.key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
        algorithm = der.sequence(der.oid(RSA), der.null())
    fields = (
        der.integer(1),
        issuer_and_serial(by.certificate),
        _sha256(),
        der.set_of(*attributes, tag=_ATTRIBUTES),
        algorithm,
        der.octets(value),
    )
    return value, b"".join(fields)


def issuer_and_serial(certificate: x509.Certificate) -> bytes:
    """How a signature names its signer's certificate; the issuer's name byte for byte as the certificate has it."""
    fields = der.read(certificate.tbs_certificate_bytes).children()
    issuer = fields[3] if fields[0].tag == _EXPLICIT else fields[2]
    return der.sequence(issuer.raw, der.integer(certificate.serial_number))


def _wrap(inside: bytes, certificate: x509.Certificate, signer: bytes, *, version: int) -> bytes:
    data = der.sequence(
        der.integer(version),
        der.set_of(_sha256()),
        inside,
        der.set_of(certificate.public_bytes(Encoding.DER), tag=_CERTIFICATES),
        der.set_of(signer),
    )
    return der.sequence(der.oid(SIGNED_DATA), der.tlv(_EXPLICIT, data))


def _names(certificate: x509.Certificate) -> bytes:
    """SigningCertificateV2 (RFC 5035): the digest of the signer's certificate."""
    digest = hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest()
    return der.sequence(der.sequence(der.sequence(der.octets(digest))))


def _attribute(kind: str, value: bytes) -> bytes:
    return der.sequence(der.oid(kind), der.set_of(value))


def _sha256() -> bytes:
    return der.sequence(der.oid(SHA256))
