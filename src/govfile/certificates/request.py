"""New keys, and the certificate requests (PKCS#10, RFC 2986) made with them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from govfile.certificates._names import subject_of
from govfile.certificates.signer import PrivateKey, PublicKey, SignatureAlgorithm
from govfile.errors import ConfigurationError, CredentialError

if TYPE_CHECKING:
    from collections.abc import Sequence

_log = logging.getLogger("govfile.certificates")

USUAL_BITS = 2048
_LARGEST_BITS = 8192
_LONGEST_NAME = 64


def new_key(bits: int = USUAL_BITS) -> rsa.RSAPrivateKey:
    """A fresh RSA key of `bits` (2048 to 8192); takes a tenth of a second, and seconds for long ones.

    Raises `ConfigurationError` for another size.
    """
    if not USUAL_BITS <= bits <= _LARGEST_BITS or bits % 256:
        raise ConfigurationError(
            f"RSA keys of {bits} bits are not made here", advice=f"choose {USUAL_BITS}, 3072 or 4096 bits"
        )
    if bits != USUAL_BITS:
        _log.warning("a key of %d bits is made; not every authority takes other sizes than %d", bits, USUAL_BITS)
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def subject_name(common_name: str, *, organisation: str = "", country: str = "") -> x509.Name:
    """A subject with common name, organisation and country (two letters), those that are empty left out.

    Raises `ConfigurationError` for text that does not fit into a name (X.520: 64 characters, and 2 for the country).
    """
    wanted = (
        (NameOID.COMMON_NAME, common_name),
        (NameOID.ORGANIZATION_NAME, organisation[:_LONGEST_NAME]),
        (NameOID.COUNTRY_NAME, country),
    )
    try:
        return x509.Name([x509.NameAttribute(oid, text) for oid, text in wanted if text])
    except ValueError as error:
        raise ConfigurationError(f"the subject of a certificate request cannot be made: {error}") from error


def make_request(key: PrivateKey, subject: x509.Name) -> bytes:
    """A certificate request in DER form, signed with `key` (RSA with SHA-256; ECDSA with the curve's hash)."""
    algorithm = SignatureAlgorithm.usual_for(key.public_key()).hash
    assert isinstance(algorithm, hashes.SHA256 | hashes.SHA384 | hashes.SHA512)
    return x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, algorithm).public_bytes(Encoding.DER)


def key_of_request(request: bytes) -> PublicKey:
    """The public key in a DER request, whose own signature is checked; raises `CredentialError` for anything else."""
    try:
        found = x509.load_der_x509_csr(request)
        is_sound, key = found.is_signature_valid, found.public_key()
    except ValueError as error:
        raise CredentialError("the certificate request cannot be read", advice="make a new one") from error
    if not is_sound or not isinstance(key, PublicKey):
        raise CredentialError("the certificate request is not signed by its own RSA or EC key")
    return key


def common_names(certificate: x509.Certificate) -> Sequence[str]:
    """The common names in the certificate's subject, in their order; none where the subject cannot be read."""
    try:
        return [str(found.value) for found in subject_of(certificate).get_attributes_for_oid(NameOID.COMMON_NAME)]
    except ValueError:
        return []
