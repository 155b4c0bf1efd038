"""A key and the certificates found beside it: which one is its own, and which lead from it to a root."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from govfile.certificates._names import is_self_issued
from govfile.certificates.signer import PrivateKey, PublicKey, describe_key
from govfile.errors import CredentialError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cryptography import x509


@attrs.frozen
class Material:
    """What a file held: one key, and certificates in any order, each once."""

    key: PrivateKey = attrs.field(repr=False)
    certificates: tuple[x509.Certificate, ...]

    @classmethod
    def of(cls, key: object, certificates: Iterable[x509.Certificate]) -> Material:
        """Raises `CredentialError` for a key that is neither RSA nor EC."""
        if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
            raise CredentialError(
                f"a key of the type {type(key).__name__} cannot be used", advice="use an RSA or an EC key"
            )
        return cls(key, tuple(dict.fromkeys(certificates)))


def certificate_for(key: PublicKey, certificates: Sequence[x509.Certificate]) -> x509.Certificate:
    """The one certificate that `key` belongs to; raises `CredentialError` for none and for several."""
    if not certificates:
        raise CredentialError("there is a key and no certificate", advice="give the certificate too")
    fitting = [found for found in dict.fromkeys(certificates) if key_of(found) == key]
    if not fitting:
        raise CredentialError(
            f"the key ({describe_key(key)}) does not fit {_listed(certificates)}",
            advice="give the key and the certificate that were issued together",
        )
    if len(fitting) > 1:
        raise CredentialError(
            f"the key fits several certificates: {_listed(fitting)}", advice="give only the one to be used"
        )
    return fitting[0]


def chain_of(certificate: x509.Certificate, others: Iterable[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    """Those of `others` that lead from `certificate` towards a root, in order; the rest is left out."""
    left = [found for found in dict.fromkeys(others) if found != certificate]
    chain: list[x509.Certificate] = []
    current = certificate
    while not is_self_issued(current):
        issuers = [found for found in left if _issued(found, current)]
        if not issuers:
            break
        current = max(issuers, key=lambda found: found.not_valid_after_utc)
        left.remove(current)
        chain.append(current)
    return tuple(chain)


def label(certificate: x509.Certificate) -> str:
    """A certificate in a message: the beginning of its fingerprint and its last day, and no name of a person."""
    fingerprint = certificate.fingerprint(hashes.SHA256()).hex()
    return f"certificate {fingerprint[:16]}… (until {certificate.not_valid_after_utc:%Y-%m-%d})"


def _listed(certificates: Sequence[x509.Certificate]) -> str:
    return ", ".join(label(found) for found in dict.fromkeys(certificates))


def key_of(certificate: x509.Certificate) -> object:
    """The certificate's public key, None for one that cannot be read."""
    try:
        return certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return None  # a key of a kind unknown here is not ours


def _issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True
