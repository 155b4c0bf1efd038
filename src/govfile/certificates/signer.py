"""Signing behind one protocol, so that a key may live in memory or in a token.

The schemes are those of RFC 8017 (RSASSA-PKCS1-v1_5 and RSASSA-PSS) and FIPS 186-5 (ECDSA).
"""

from __future__ import annotations

import enum
import hashlib
from typing import NoReturn, Protocol, TypeAlias, runtime_checkable

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from govfile.errors import CredentialError, InvalidContent

PrivateKey: TypeAlias = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
PublicKey: TypeAlias = rsa.RSAPublicKey | ec.EllipticCurvePublicKey

_HASHES: dict[str, type[hashes.HashAlgorithm]] = {
    "sha1": hashes.SHA1,
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}


class Scheme(enum.Enum):
    """How a digest becomes a signature."""

    RSA_PKCS1 = "rsa"
    RSA_PSS = "rsa-pss"
    ECDSA = "ecdsa"


class SignatureAlgorithm(enum.Enum):
    """A scheme and a hash. RSA-PSS uses MGF1 with the same hash and a salt as long as the digest.

    `RSA_SHA1_WHERE_DEMANDED` is for an authority that accepts nothing else; SHA-1 no longer resists collisions.
    """

    RSA_SHA256 = "rsa-sha256"
    RSA_SHA384 = "rsa-sha384"
    RSA_SHA512 = "rsa-sha512"
    RSA_SHA1_WHERE_DEMANDED = "rsa-sha1"
    RSA_PSS_SHA256 = "rsa-pss-sha256"
    RSA_PSS_SHA384 = "rsa-pss-sha384"
    RSA_PSS_SHA512 = "rsa-pss-sha512"
    ECDSA_SHA256 = "ecdsa-sha256"
    ECDSA_SHA384 = "ecdsa-sha384"
    ECDSA_SHA512 = "ecdsa-sha512"

    def __init__(self, text: str) -> None:
        scheme, _, hash_name = text.rpartition("-")
        #: The scheme alone.
        self.scheme: Scheme = Scheme(scheme)
        #: The hash as `hashlib` calls it, e.g. `sha256`.
        self.hash_name: str = hash_name
        #: The hash as `cryptography` takes it.
        self.hash: hashes.HashAlgorithm = _HASHES[hash_name]()

    @property
    def digest_size(self) -> int:
        """The length of the digest in bytes."""
        return self.hash.digest_size

    def digest(self, data: bytes) -> bytes:
        """The digest of `data`."""
        return hashlib.new(self.hash_name, data).digest()

    @classmethod
    def usual_for(cls, key: PublicKey) -> SignatureAlgorithm:
        """What to use where nobody asks for more: RSA with SHA-256, or ECDSA with the hash that matches the curve."""
        if isinstance(key, rsa.RSAPublicKey):
            return cls.RSA_SHA256
        if key.key_size <= 256:
            return cls.ECDSA_SHA256
        return cls.ECDSA_SHA384 if key.key_size <= 384 else cls.ECDSA_SHA512

    def check_key(self, key: PublicKey) -> None:
        """Raise `CredentialError` unless `key` can make this kind of signature."""
        if isinstance(key, ec.EllipticCurvePublicKey) != (self.scheme is Scheme.ECDSA):
            fitting = "ECDSA" if isinstance(key, ec.EllipticCurvePublicKey) else "RSA"
            raise CredentialError(
                f"a key of the type {describe_key(key)} cannot make {self.value} signatures",
                advice=f"choose an algorithm of the {fitting} family, or a key of the other type",
            )

    def check_digest(self, digest: bytes) -> None:
        """Raise `InvalidContent` unless `digest` is as long as the hash makes it."""
        if len(digest) != self.digest_size:
            raise InvalidContent(f"a digest for {self.value} has {self.digest_size} bytes, not {len(digest)}")


@runtime_checkable
class Signer(Protocol):
    """Something that signs: a key in memory, in a token, or behind a service of your own."""

    @property
    def public_key(self) -> PublicKey:
        """The public half of the key that signs."""
        ...

    def sign(self, data: bytes, algorithm: SignatureAlgorithm) -> bytes:
        """The signature over `data`: for RSA as long as the modulus, for ECDSA the DER form of RFC 3279.

        Raises `CredentialError` when the algorithm does not fit the key, or the key cannot be used.
        """
        ...

    def sign_digest(self, digest: bytes, algorithm: SignatureAlgorithm) -> bytes:
        """The same signature, from the digest of the data (`algorithm.digest_size` bytes).

        Raises `InvalidContent` for a digest of another length, and what `sign` raises.
        """
        ...


class SoftwareSigner:
    """A `Signer` whose key is in memory. It does not print, pickle or write its key; threads may share it."""

    __slots__ = ("__key", "__public")

    def __init__(self, key: PrivateKey) -> None:
        if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
            raise CredentialError(
                f"a key of the type {type(key).__name__} cannot be used", advice="use an RSA or an EC key"
            )
        self.__key = key
        self.__public = key.public_key()

    @property
    def private_key(self) -> PrivateKey:
        """The key itself, for a TLS library that must hold it."""
        return self.__key

    @property
    def public_key(self) -> PublicKey:
        """The public half."""
        return self.__public

    def sign(self, data: bytes, algorithm: SignatureAlgorithm) -> bytes:
        """See `Signer.sign`."""
        return self._sign(data, algorithm, algorithm.hash)

    def sign_digest(self, digest: bytes, algorithm: SignatureAlgorithm) -> bytes:
        """See `Signer.sign_digest`."""
        algorithm.check_digest(digest)
        return self._sign(digest, algorithm, Prehashed(algorithm.hash))

    def _sign(self, data: bytes, algorithm: SignatureAlgorithm, hashed: hashes.HashAlgorithm | Prehashed) -> bytes:
        algorithm.check_key(self.__public)
        try:
            if isinstance(self.__key, ec.EllipticCurvePrivateKey):
                return self.__key.sign(data, ec.ECDSA(hashed))
            return self.__key.sign(data, _padding(algorithm), hashed)
        except (ValueError, UnsupportedAlgorithm) as error:
            raise CredentialError(f"the key cannot make a {algorithm.value} signature: {error}") from error

    def __repr__(self) -> str:
        return f"<SoftwareSigner {describe_key(self.public_key)}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a private key cannot be pickled or copied; load it again in the other process")

    def __getstate__(self) -> NoReturn:
        raise TypeError("a private key cannot be pickled or copied; load it again in the other process")


def describe_key(key: PublicKey) -> str:
    """Type and size in words: `RSA 3072` or `EC secp256r1`."""
    return f"RSA {key.key_size}" if isinstance(key, rsa.RSAPublicKey) else f"EC {key.curve.name}"


def is_signature(key: PublicKey, signature: bytes, data: bytes, algorithm: SignatureAlgorithm) -> bool:
    """Whether `signature` over `data` was made with the private half of `key`."""
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, data, ec.ECDSA(algorithm.hash))
        else:
            key.verify(signature, data, _padding(algorithm), algorithm.hash)
    except (InvalidSignature, ValueError, UnsupportedAlgorithm):
        return False
    return True


def _padding(algorithm: SignatureAlgorithm) -> padding.AsymmetricPadding:
    if algorithm.scheme is Scheme.RSA_PSS:
        return padding.PSS(mgf=padding.MGF1(algorithm.hash), salt_length=algorithm.digest_size)
    return padding.PKCS1v15()
