"""Detached signatures over files of any size (CMS, RFC 5652), written and verified in constant memory.

A detached SignedData needs only the digest of the file, so the file is read once, a block at a time, or not at all
where its SHA-256 is known already. What is written is DER: SHA-256, RSA with PKCS#1 v1.5 or ECDSA, the signed
attributes content type, message digest and signing time, and the signer's certificate. Sources beside the RFC: the
pages on signatures in the help centre of the Belgian social security, and RFC 5754 for the algorithms.
"""

from __future__ import annotations

import hashlib
import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

import attrs
from cryptography.hazmat.primitives.serialization import Encoding

from govfile.certificates import _cms_names as names
from govfile.certificates import _der_write as der
from govfile.certificates._chain import why_not_trusted
from govfile.certificates._cms_check import Timestamp, check_signer, timestamp_of
from govfile.certificates._cms_names import way_of
from govfile.certificates._cms_read import SignedData, read_all
from govfile.certificates._der import NotDer, read
from govfile.certificates.signer import Scheme, SignatureAlgorithm, is_signature
from govfile.certificates.usage import check_signs_documents
from govfile.errors import ConfigurationError, CredentialError, InvalidContent, ProtocolError, TrustError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cryptography import x509

    from govfile.certificates.credential import Credential
    from govfile.certificates.trust import Trust

_BLOCK = 1024 * 1024
_CONTEXT_0 = 0xA0


@attrs.frozen
class Digest:
    """The SHA-256 of a file that was read before: 32 bytes."""

    sha256: bytes = attrs.field(repr=bytes.hex)

    def __attrs_post_init__(self) -> None:
        if len(self.sha256) != 32:
            raise InvalidContent(f"a SHA-256 digest has 32 bytes, not {len(self.sha256)}")

    @classmethod
    def from_hex(cls, text: str) -> Digest:
        """From 64 hexadecimal digits, as a ledger or a `Source` keeps them; raises `InvalidContent`."""
        try:
            return cls(bytes.fromhex(text))
        except ValueError as error:
            raise InvalidContent("a SHA-256 digest has 64 hexadecimal digits") from error

    @classmethod
    def of(cls, content: bytes | BinaryIO) -> Digest:
        """Of bytes, or of what is left in an open binary file; raises `InvalidContent` when it cannot be read."""
        return cls(_digest(content, "sha256"))


#: What is signed: the bytes, a binary file read from where it stands to its end, or the digest alone.
Content: TypeAlias = bytes | BinaryIO | Digest


@attrs.frozen(kw_only=True)
class CmsReport:
    """What a detached signature shows; each question is answered apart.

    `digest_matches`: the file is the one that was signed. `signature_valid`: the signature was made with the key of
    `certificate` (None where it is not there) over what else was signed. Without signed attributes there is one
    question only, and both have the same answer. `chain_trusted`: the certificate leads up to an anchor at the time
    asked about; None where no anchors were given. `signing_time` (aware UTC) is the signer's own word.
    `timestamp` is another's word for it, where there is one. `hash_name` as `hashlib` calls it. `problems` says in
    words why an answer is no.
    """

    digest_matches: bool
    signature_valid: bool
    chain_trusted: bool | None
    hash_name: str
    certificate: x509.Certificate | None = attrs.field(default=None, repr=False)
    signing_time: datetime | None = None
    timestamp: Timestamp | None = None
    problems: tuple[str, ...] = ()

    @property
    def signer(self) -> str:
        """The subject of the signer's certificate (RFC 4514), "" where it is not there; it may name a person."""
        return "" if self.certificate is None else self.certificate.subject.rfc4514_string()

    @property
    def is_weak(self) -> bool:
        """Whether it rests on SHA-1, against which files with the same digest can be made."""
        return self.hash_name == "sha1"

    @property
    def is_sound(self) -> bool:
        """Whether file, signature and certificate belong together; says nothing about trust in the certificate."""
        return self.digest_matches and self.signature_valid


def sign_detached(
    content: Content,
    credential: Credential,
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    with_chain: bool = False,
) -> bytes:
    """The detached signature over `content`, DER, about 2 KiB with an RSA key of 2048 bits.

    `clock` gives the signing time, at which the certificate must be valid. Only the signer's certificate is embedded,
    or its chain too `with_chain`. Raises `CredentialError` when the certificate is not valid or not for signatures,
    or the key cannot be used; `InvalidContent` when the file cannot be read.
    """
    now = clock()
    credential.check(now)
    check_signs_documents(credential.certificate)
    digest = content if isinstance(content, Digest) else Digest.of(content)
    certificate = credential.certificate
    # As encoded in the certificate: decoded and encoded again, a name need not be the same bytes.
    issuer = _issuer(certificate)
    hashed = der.sequence(der.oid(names.SHA256))
    attributes = (
        _attribute(names.CONTENT_TYPE, der.oid(names.DATA)),
        _attribute(names.SIGNING_TIME, der.time(now)),
        _attribute(names.MESSAGE_DIGEST, der.octets(digest.sha256)),
    )
    algorithm, signature = _signature(credential, der.set_of(*attributes))
    signer = der.sequence(
        der.integer(1),
        der.sequence(issuer, der.integer(certificate.serial_number)),
        hashed,
        der.encode(_CONTEXT_0, *sorted(attributes)),
        algorithm,
        der.octets(signature),
    )
    embedded = [certificate, *(credential.chain if with_chain else ())]
    data = der.sequence(
        der.integer(1),
        der.set_of(hashed),
        der.sequence(der.oid(names.DATA)),
        der.encode(_CONTEXT_0, *sorted(found.public_bytes(Encoding.DER) for found in embedded)),
        der.set_of(signer),
    )
    return der.sequence(der.oid(names.SIGNED_DATA), der.encode(_CONTEXT_0, data))


def verify_detached(
    signature: bytes,
    content: Content,
    *,
    trust: Trust | None = None,
    at: datetime | None = None,
    certificates: Iterable[x509.Certificate] = (),
) -> CmsReport:
    """What a detached signature (DER or BER, at most 1 MiB) shows about `content`.

    One that holds a content too is judged by the file, and its own content must be the same.

    `trust` holds the anchors, `at` (aware; now, if left out) is the time at which the chain must hold,
    `certificates` are further ones for signatures that embed none. Revocation is not looked up. Raises
    `ProtocolError` for bytes that are no detached signature by one signer, `TrustError` for MD5 and for algorithms
    that are not known here (also for a hash other than SHA-256 where only the digest is given), `InvalidContent`
    when the file cannot be read.
    """
    try:
        data = read_all(signature)
        return _report(data, content, trust, _moment(at), tuple(certificates))
    except NotDer as error:
        raise ProtocolError(
            f"this is no detached signature: {error}", advice="check that it is the signature that belongs to the file"
        ) from error


def _report(
    data: SignedData, content: Content, trust: Trust | None, at: datetime, further: tuple[x509.Certificate, ...]
) -> CmsReport:
    if len(data.signers) != 1:
        raise NotDer(f"it has {len(data.signers)} signers where one belongs")
    (signer,) = data.signers
    way = way_of(signer.digest_algorithm, signer.signature_algorithm)
    known = (*data.certificates, *further)
    digest = _digest(content, way.hash_name)
    checked = check_signer(signer, data.content_type, digest, way, known)
    problems = list(checked.problems)
    is_other = data.content is not None and _digest(data.content, way.hash_name) != digest
    problems += ["it holds a content of its own, which is not the file"] if is_other else []
    chain_trusted = None
    if trust is not None:
        reason = "the signer's certificate is not there"
        if checked.certificate is not None:
            reason = why_not_trusted(checked.certificate, known, trust, at)
        chain_trusted = not reason
        problems += [f"the certificate is not trusted: {reason}"] if reason else []
    return CmsReport(
        digest_matches=checked.digest_matches and not is_other,
        signature_valid=checked.signature_valid,
        chain_trusted=chain_trusted,
        hash_name=way.hash_name,
        certificate=checked.certificate,
        signing_time=checked.signing_time,
        timestamp=timestamp_of(signer),
        problems=tuple(problems),
    )


def _digest(content: Content, hash_name: str) -> bytes:
    if isinstance(content, Digest):
        if hash_name != "sha256":
            raise TrustError(
                f"the signature is by {hash_name}, and only the SHA-256 of the file is given", advice="give the file"
            )
        return content.sha256
    hashed = hashlib.new(hash_name)
    given: object = content
    if isinstance(given, bytes | bytearray | memoryview):
        hashed.update(given)
        return hashed.digest()
    if isinstance(given, io.TextIOBase) or not hasattr(given, "read"):
        raise InvalidContent(f"{type(given).__name__} is not a binary file", advice="open it with mode 'rb'")
    assert not isinstance(content, bytes)
    try:
        while block := content.read(_BLOCK):
            hashed.update(block)
    except (OSError, ValueError) as error:
        raise InvalidContent(f"the file to sign or verify cannot be read: {error}") from error
    return hashed.digest()


def _signature(credential: Credential, attributes: bytes) -> tuple[bytes, bytes]:
    """The algorithm, encoded, and the signature over the encoded attributes."""
    is_rsa = SignatureAlgorithm.usual_for(credential.public_key).scheme is Scheme.RSA_PKCS1
    way = SignatureAlgorithm.RSA_SHA256 if is_rsa else SignatureAlgorithm.ECDSA_SHA256
    made = credential.signer.sign(attributes, way)
    if not is_signature(credential.public_key, made, attributes, way):
        raise CredentialError(
            "the signature that the key made does not verify", advice="check the token, then sign again"
        )
    name = (der.oid(names.RSA), der.null()) if is_rsa else (der.oid(names.ECDSA_SHA256),)
    return der.sequence(*name), made


def _attribute(name: str, value: bytes) -> bytes:
    return der.sequence(der.oid(name), der.set_of(value))


def _issuer(certificate: x509.Certificate) -> bytes:
    parts = list(read(certificate.tbs_certificate_bytes))
    found = parts[3 if parts[0].tag == _CONTEXT_0 else 2]
    return der.encode(found.tag, found.content)


def _moment(at: datetime | None) -> datetime:
    if at is None:
        return datetime.now(UTC)
    if at.tzinfo is None:
        raise ConfigurationError(f"the time {at} has no time zone", advice="give an aware datetime, e.g. in UTC")
    return at
