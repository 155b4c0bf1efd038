"""Whether a signer's signature holds (RFC 5652, section 5.6), and what its time-stamp says (RFC 3161, RFC 5126)."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

import attrs
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import Encoding

from govfile.certificates import _cms_names as names
from govfile.certificates._cms_names import Algorithm, Way, dotted, way_of
from govfile.certificates._cms_read import Attributes, SignerInfo, at_most, moment, signed_data
from govfile.certificates._der import OCTETS, SEQUENCE, NotDer, read
from govfile.certificates.signer import Scheme
from govfile.errors import TrustError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from cryptography import x509

_PREHASHED: dict[str, type[hashes.HashAlgorithm]] = {
    "sha1": hashes.SHA1,
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}


@attrs.frozen(kw_only=True)
class Timestamp:
    """A time-stamp token on a signature (CAdES-T): `time` (aware UTC, None where it cannot be read) and `authority`,
    the subject of the certificate that signed the token, "" where it is not inside.

    `is_of_this` says that it was made for this very signature, `signature_valid` that the token's own signature
    holds. Whether the authority is believed is not judged. `problem` says in words what is wrong.
    """

    time: datetime | None = None
    authority: str = ""
    is_of_this: bool = False
    signature_valid: bool = False
    problem: str = ""


@attrs.frozen(kw_only=True)
class Checked:
    """What was found about one signer."""

    certificate: x509.Certificate | None
    digest_matches: bool
    signature_valid: bool
    signing_time: datetime | None
    problems: tuple[str, ...]


def check_signer(
    signer: SignerInfo, content_type: str, digest: bytes, way: Way, known: Iterable[x509.Certificate]
) -> Checked:
    """Judge a signer against the `digest` of the content; raises `NotDer` where the attributes cannot be read."""
    problems: list[str] = []
    certificate = next((found for found in known if signer.is_by(found)), None)
    if certificate is None:
        problems.append("the certificate of the signer is not among those given")
    if signer.signed is None:
        matches = certificate is not None and _holds(certificate, signer.signature, digest, way)
        valid, time = matches, None
        if certificate is not None and not matches:
            problems.append("the signature is not over this file, or not by this certificate")
        if content_type != names.DATA:
            valid, problems = False, [*problems, "there are no signed attributes, which this content type must have"]
    else:
        covered = hashlib.new(way.hash_name, signer.signed.covered).digest()
        valid = certificate is not None and _holds(certificate, signer.signature, covered, way)
        if certificate is not None and not valid:
            problems.append("the signature does not fit the certificate and the signed attributes")
        faults = _attribute_faults(signer.signed, content_type, certificate)
        valid, problems = valid and not faults, [*problems, *faults]
        stated = signer.signed.single(names.MESSAGE_DIGEST)
        matches = stated is not None and hmac.compare_digest(stated.octets, digest)
        if not matches:
            problems.append("the file is not the one that was signed: its digest is another")
        time = moment(signer.signed.single(names.SIGNING_TIME))
    return Checked(
        certificate=certificate,
        digest_matches=matches,
        signature_valid=valid,
        signing_time=time,
        problems=tuple(problems),
    )


def _attribute_faults(signed: Attributes, content_type: str, certificate: x509.Certificate | None) -> list[str]:
    """What RFC 5652 (section 11.1) and RFC 5035 ask of signed attributes."""
    faults = []
    stated = signed.single(names.CONTENT_TYPE)
    if stated is None or dotted(stated) != content_type:
        faults.append("the signed content type is missing or another")
    for name, hash_name in ((names.SIGNING_CERTIFICATE, "sha1"), (names.SIGNING_CERTIFICATE_V2, "sha256")):
        value = signed.single(name)
        if value is None or certificate is None:
            continue
        first = value.expect(SEQUENCE).child(0).child(0)  # SigningCertificate > certs > ESSCertID
        parts = at_most(first.expect(SEQUENCE), 3, "parts of a certificate's id")
        if parts and parts[0].tag == SEQUENCE:
            hash_name = Algorithm.of(parts.pop(0)).hash_name
        own = hashlib.new(hash_name, certificate.public_bytes(Encoding.DER)).digest()
        if not parts or not hmac.compare_digest(parts[0].expect(OCTETS).content, own):
            faults.append("the signed attributes name another certificate")
    return faults


def _holds(certificate: x509.Certificate, signature: bytes, digest: bytes, way: Way) -> bool:
    """Whether `signature` over `digest` was made with the certificate's key."""
    hashed = Prehashed(_PREHASHED[way.hash_name]())
    try:
        key = certificate.public_key()
        if isinstance(key, ec.EllipticCurvePublicKey) and way.scheme is Scheme.ECDSA:
            key.verify(signature, digest, ec.ECDSA(hashed))
        elif isinstance(key, rsa.RSAPublicKey) and way.scheme is Scheme.RSA_PKCS1:
            key.verify(signature, digest, padding.PKCS1v15(), hashed)
        elif isinstance(key, rsa.RSAPublicKey) and way.scheme is Scheme.RSA_PSS:
            mask = padding.MGF1(_PREHASHED[way.hash_name]())
            key.verify(signature, digest, padding.PSS(mgf=mask, salt_length=way.salt), hashed)
        else:
            return False
    except (InvalidSignature, ValueError, UnsupportedAlgorithm):
        return False
    return True


def timestamp_of(signer: SignerInfo) -> Timestamp | None:
    """The time-stamp on a signature, None where there is none; what cannot be read says so."""
    if signer.unsigned is None or names.TIMESTAMP not in signer.unsigned.values:
        return None
    try:
        return _timestamp(signer)
    except (NotDer, TrustError) as error:
        return Timestamp(problem=f"the time-stamp cannot be used: {error}")


def _timestamp(signer: SignerInfo) -> Timestamp:
    assert signer.unsigned is not None
    element = signer.unsigned.single(names.TIMESTAMP)
    assert element is not None
    token = signed_data(element)
    if token.content is None or token.content_type != names.TIMESTAMP_INFO or len(token.signers) != 1:
        raise NotDer("it is no time-stamp token by one authority")
    parts = at_most(read(token.content).expect(SEQUENCE), 10, "parts of a time-stamp")
    if len(parts) < 5:
        raise NotDer(f"a time-stamp of {len(parts)} parts")
    algorithm, imprint = Algorithm.of(parts[2].child(0)), parts[2].child(1).octets
    made = hashlib.new(algorithm.hash_name, signer.signature).digest()
    own = token.signers[0]
    way = way_of(own.digest_algorithm, own.signature_algorithm)
    digest = hashlib.new(way.hash_name, token.content).digest()
    checked = check_signer(own, token.content_type, digest, way, token.certificates)
    is_of_this = hmac.compare_digest(imprint, made)
    problems = list(checked.problems) + ([] if is_of_this else ["it was made for another signature"])
    return Timestamp(
        time=moment(parts[4]),
        authority="" if checked.certificate is None else checked.certificate.subject.rfc4514_string(),
        is_of_this=is_of_this,
        signature_valid=checked.signature_valid and checked.digest_matches,
        problem="; ".join(problems),
    )
