"""Object identifiers of CMS (RFC 5652, 3161, 5035, 5126), and which hash and scheme an algorithm stands for."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import attrs

from govfile.certificates._der import INTEGER, SEQUENCE, NotDer
from govfile.certificates.signer import Scheme
from govfile.errors import TrustError

if TYPE_CHECKING:
    from govfile.certificates._der import Element

DATA = "1.2.840.113549.1.7.1"
SIGNED_DATA = "1.2.840.113549.1.7.2"
TIMESTAMP_INFO = "1.2.840.113549.1.9.16.1.4"

CONTENT_TYPE = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
SIGNING_TIME = "1.2.840.113549.1.9.5"
SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.12"
SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"
TIMESTAMP = "1.2.840.113549.1.9.16.2.14"

SHA256 = "2.16.840.1.101.3.4.2.1"
RSA = "1.2.840.113549.1.1.1"
ECDSA_SHA256 = "1.2.840.10045.4.3.2"

_RSA_PSS = "1.2.840.113549.1.1.10"
_MGF1 = "1.2.840.113549.1.1.8"

_HASHES = {
    "1.3.14.3.2.26": "sha1",
    SHA256: "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}
_FORBIDDEN = {
    "1.2.840.113549.2.2": "MD2",
    "1.2.840.113549.2.4": "MD4",
    "1.2.840.113549.2.5": "MD5",
    "1.2.840.113549.1.1.2": "MD2",
    "1.2.840.113549.1.1.3": "MD4",
    "1.2.840.113549.1.1.4": "MD5",
}
#: Signature algorithms: the scheme, and the hash where the name fixes one.
_SCHEMES: dict[str, tuple[Scheme, str | None]] = {
    RSA: (Scheme.RSA_PKCS1, None),
    "1.2.840.113549.1.1.5": (Scheme.RSA_PKCS1, "sha1"),
    "1.3.14.3.2.29": (Scheme.RSA_PKCS1, "sha1"),
    "1.2.840.113549.1.1.11": (Scheme.RSA_PKCS1, "sha256"),
    "1.2.840.113549.1.1.12": (Scheme.RSA_PKCS1, "sha384"),
    "1.2.840.113549.1.1.13": (Scheme.RSA_PKCS1, "sha512"),
    "1.2.840.10045.2.1": (Scheme.ECDSA, None),
    "1.2.840.10045.4.1": (Scheme.ECDSA, "sha1"),
    ECDSA_SHA256: (Scheme.ECDSA, "sha256"),
    "1.2.840.10045.4.3.3": (Scheme.ECDSA, "sha384"),
    "1.2.840.10045.4.3.4": (Scheme.ECDSA, "sha512"),
}


@attrs.frozen
class Algorithm:
    """An AlgorithmIdentifier: its dotted name, and its parameters where it has any."""

    name: str
    parameters: Element | None = None

    @classmethod
    def of(cls, element: Element) -> Algorithm:
        """Read one; raises `NotDer`."""
        parts = list(element.expect(SEQUENCE))
        if not 1 <= len(parts) <= 2:
            raise NotDer(f"an algorithm of {len(parts)} parts")
        return cls(dotted(parts[0]), parts[1] if len(parts) == 2 else None)

    @property
    def hash_name(self) -> str:
        """As `hashlib` calls it; raises `TrustError` for a hash that proves nothing or that is not known."""
        if self.name in _FORBIDDEN:
            raise TrustError(
                f"the signature rests on {_FORBIDDEN[self.name]}, which proves nothing any more",
                advice="ask for one by SHA-256",
            )
        if self.name not in _HASHES:
            raise TrustError(f"the signature rests on the hash {self.name[:60]}, which is not known here")
        return _HASHES[self.name]


@attrs.frozen
class Way:
    """How a signature was made: the scheme and its hash; `salt` is the length in bytes for RSA-PSS."""

    scheme: Scheme
    hash_name: str
    salt: int = 0


def way_of(digest: Algorithm, signature: Algorithm) -> Way:
    """What both algorithms of a signer say together.

    Raises `TrustError` for unknown or forbidden ones and where they contradict each other, or `NotDer`.
    """
    hash_name = digest.hash_name
    if signature.name == _RSA_PSS:
        way = _pss(signature)
    elif signature.name in _FORBIDDEN:
        way = Way(Scheme.RSA_PKCS1, signature.hash_name)
    elif signature.name in _SCHEMES:
        scheme, fixed = _SCHEMES[signature.name]
        way = Way(scheme, fixed or hash_name)
    else:
        raise TrustError(f"the signature is of the kind {signature.name[:60]}, which is not known here")
    if way.hash_name != hash_name:
        raise TrustError(f"the signature names two hashes, {hash_name} and {way.hash_name}")
    return way


def _pss(algorithm: Algorithm) -> Way:
    """RSASSA-PSS-params (RFC 4055, section 3.1); what is left out is SHA-1 and 20 bytes."""
    parts = {0xA0: "1.3.14.3.2.26", 0xA1: "1.3.14.3.2.26"}
    salt, masking = 20, _MGF1
    for part in algorithm.parameters.expect(SEQUENCE) if algorithm.parameters is not None else ():
        if part.tag == 0xA0:
            parts[part.tag] = Algorithm.of(part.child(0)).name
        elif part.tag == 0xA1:
            mask = Algorithm.of(part.child(0))
            masking = mask.name
            parts[part.tag] = Algorithm.of(mask.parameters).name if mask.parameters is not None else ""
        elif part.tag == 0xA2:
            salt = int.from_bytes(part.child(0).expect(INTEGER).content, "big")
    if masking != _MGF1 or parts[0xA0] != parts[0xA1] or salt > 512:
        raise TrustError("the RSA-PSS signature has unusual parameters, which are not supported")
    return Way(Scheme.RSA_PSS, Algorithm(parts[0xA0]).hash_name, salt)


def dotted(element: Element) -> str:
    """The dotted form of an object identifier; raises `NotDer`."""
    return _dotted(element.expect(0x06).content)


@lru_cache(maxsize=256)
def _dotted(content: bytes) -> str:
    if not content or content[-1] & 0x80 or len(content) > 40:
        raise NotDer("an object identifier that is empty, cut off or too long")
    arcs, current = [], 0
    for byte in content:
        current = current << 7 | byte & 0x7F
        if not byte & 0x80:
            arcs.append(current)
            current = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(str(arc) for arc in (first, arcs[0] - 40 * first, *arcs[1:]))
