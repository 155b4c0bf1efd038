"""The check of a declaration's signature: strict, small, and our own, so that it cannot share a mistake with a client.

Demanded are a detached SignedData in DER (RFC 5652) with one signer, SHA-2 (or, where tolerated, SHA-1), RSA of 2048
bits with PKCS #1 v1.5 or ECDSA, the signer's certificate inside, no CRLs and no unsigned attributes (annex 25 has
codes for each), and a certificate that is registered for the sender, valid, and issued by a recognised authority.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import attrs
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from govfile.sandbox.onss import der
from govfile.sandbox.onss.papers import signers_authorities
from govfile.sandbox.onss.signing import CONTENT_TYPE, DATA, MESSAGE_DIGEST, RSA, SIGNED_DATA, issuer_and_serial

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from govfile.sandbox.onss.settings import Settings

_DIGESTS: dict[str, hashes.HashAlgorithm] = {
    "2.16.840.1.101.3.4.2.1": hashes.SHA256(),
    "2.16.840.1.101.3.4.2.2": hashes.SHA384(),
    "2.16.840.1.101.3.4.2.3": hashes.SHA512(),
    "1.3.14.3.2.26": hashes.SHA1(),  # noqa: S303 - published as tolerated
}
_RSA_WITH = {
    "1.2.840.113549.1.1.5": "sha1",
    "1.2.840.113549.1.1.11": "sha256",
    "1.2.840.113549.1.1.12": "sha384",
    "1.2.840.113549.1.1.13": "sha512",
}
_ECDSA_WITH = {
    "1.2.840.10045.4.1": "sha1",
    "1.2.840.10045.4.3.2": "sha256",
    "1.2.840.10045.4.3.3": "sha384",
    "1.2.840.10045.4.3.4": "sha512",
}
_LEAST_RSA_BITS = 2048
_EXPLICIT, _CERTIFICATES, _CRLS, _ATTRIBUTES, _UNSIGNED, _KEY_ID = 0xA0, 0xA0, 0xA1, 0xA0, 0xA1, 0x80


class BadSignature(ValueError):
    """The signature is refused: `code` of annex 30, and words for the sandbox's owner."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code = code


@attrs.frozen(kw_only=True)
class _Signer:
    issuer_and_serial: bytes
    key_id: bytes
    digest: hashes.HashAlgorithm
    attributes: der.Node | None
    algorithm: str
    value: bytes


def verify(
    signature: bytes, content: bytes, *, registered: Collection[bytes], at: datetime, settings: Settings
) -> x509.Certificate:
    """The signer's certificate, when `signature` (DER) is right for `content`; raises `BadSignature`.

    `registered` are the certificates on the channel, in DER.
    """
    try:
        certificates, signer = _take_apart(signature)
    except (ValueError, IndexError) as error:
        why = error if isinstance(error, der.NotDer) else "something is missing, or too much of it"
        raise BadSignature("125", f"the signature cannot be read: {why}") from error
    if isinstance(signer.digest, hashes.SHA1) and not settings.accepts_sha1:
        raise BadSignature("125", "signed with SHA-1")
    certificate = _certificate_of(signer, certificates)
    _check_value(signer, certificate, content)
    _check_certificate(certificate, registered, at, settings)
    return certificate


def _take_apart(signature: bytes) -> tuple[list[x509.Certificate], _Signer]:
    kind, wrapped = der.read(signature).expect(der.SEQUENCE).children()
    if kind.oid != SIGNED_DATA:
        raise der.NotDer("it is no SignedData")
    (data,) = wrapped.expect(_EXPLICIT).children()
    _, _, inside, *rest, signers = data.expect(der.SEQUENCE).children()
    if len(inside.children()) != 1 or inside.children()[0].oid != DATA:
        raise der.NotDer("the content is inside, or is not plain data: a detached signature is sent")
    certificates: list[x509.Certificate] = []
    for node in rest:
        if node.tag == _CRLS:
            raise der.NotDer("there are CRLs in it")
        certificates += [_certificate(found.raw) for found in node.expect(_CERTIFICATES).children()]
    infos = signers.expect(der.SET).children()
    if len(infos) != 1:
        raise der.NotDer(f"{len(infos)} signers")
    return certificates, _signer(infos[0])


def _certificate(raw: bytes) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(raw)
    except ValueError as error:
        raise der.NotDer("a certificate in it cannot be read") from error


def _signer(info: der.Node) -> _Signer:
    _, who, digest, *rest = info.expect(der.SEQUENCE).children()
    attributes = rest.pop(0) if rest[0].tag == _ATTRIBUTES else None
    algorithm, value, *more = rest
    if more:
        raise der.NotDer("there are unsigned attributes in it")
    hashed = digest.children()[0].oid
    if hashed not in _DIGESTS:
        raise der.NotDer(f"digest algorithm {hashed}")
    return _Signer(
        issuer_and_serial=who.raw if who.tag == der.SEQUENCE else b"",
        key_id=who.content if who.tag == _KEY_ID else b"",
        digest=_DIGESTS[hashed],
        attributes=attributes,
        algorithm=algorithm.children()[0].oid,
        value=value.expect(der.OCTETS).content,
    )


def _certificate_of(signer: _Signer, certificates: list[x509.Certificate]) -> x509.Certificate:
    for certificate in certificates:
        if issuer_and_serial(certificate) == signer.issuer_and_serial:
            return certificate
        if signer.key_id and signer.key_id == _key_id(certificate):
            return certificate
    raise BadSignature("125", "the signer's certificate is not in the signature")


def _key_id(certificate: x509.Certificate) -> bytes | None:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except x509.ExtensionNotFound:
        return None


def _check_value(signer: _Signer, certificate: x509.Certificate, content: bytes) -> None:
    signed = content
    if signer.attributes is not None:
        _check_attributes(signer, content)
        signed = der.tlv(der.SET, signer.attributes.content)
    key = _key(certificate)
    named = signer.digest.name
    try:
        if isinstance(key, rsa.RSAPublicKey) and signer.algorithm in (RSA, *_RSA_WITH):
            if key.key_size < _LEAST_RSA_BITS:
                raise BadSignature("125", f"an RSA key of {key.key_size} bits")
            _same_digest(_RSA_WITH.get(signer.algorithm, named), named)
            key.verify(signer.value, signed, padding.PKCS1v15(), signer.digest)
        elif isinstance(key, ec.EllipticCurvePublicKey) and signer.algorithm in _ECDSA_WITH:
            _same_digest(_ECDSA_WITH[signer.algorithm], named)
            key.verify(signer.value, signed, ec.ECDSA(signer.digest))
        else:
            raise BadSignature("125", f"signature algorithm {signer.algorithm} with this key")
    except InvalidSignature as error:
        raise BadSignature("125", "the signature's value is wrong") from error


def _key(certificate: x509.Certificate) -> object:
    try:
        return certificate.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadSignature("125", "the certificate's key is of no known kind") from error


def _same_digest(one: str, other: str) -> None:
    if one != other:
        raise BadSignature("125", f"the signature names {one} and {other}")


def _check_attributes(signer: _Signer, content: bytes) -> None:
    assert signer.attributes is not None
    try:
        found = {}
        for attribute in signer.attributes.children():
            kind, values = attribute.expect(der.SEQUENCE).children()
            found[kind.oid] = values.expect(der.SET).children()
        (kind,), (digest,) = found[CONTENT_TYPE], found[MESSAGE_DIGEST]
        if kind.oid != DATA:
            raise BadSignature("125", "the signed content type is not data")
        expected = hashlib.new(signer.digest.name, content).digest()
        if digest.expect(der.OCTETS).content != expected:
            raise BadSignature("125", "the digest is of other bytes: line ends changed before signing?")
    except (KeyError, der.NotDer) as error:
        raise BadSignature("125", f"the signed attributes cannot be read: {error}") from error
    except ValueError as error:
        if isinstance(error, BadSignature):
            raise
        raise BadSignature("125", "the signed attributes are incomplete") from error


def _check_certificate(
    certificate: x509.Certificate, registered: Collection[bytes], at: datetime, settings: Settings
) -> None:
    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        raise BadSignature("125", f"the certificate is valid until {certificate.not_valid_after_utc:%Y-%m-%d}")
    if not settings.any_issuer and not any(_issued(certificate, by) for by in signers_authorities()):
        raise BadSignature("125", "the certificate's issuer is not recognised")
    if not _may_sign(certificate):
        raise BadSignature("125", "the certificate is not for signatures: that of an eID for authentication?")
    if certificate.public_bytes(Encoding.DER) not in registered:
        raise BadSignature("153", "the certificate is not the one registered on the channel")


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _may_sign(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return usage.content_commitment
