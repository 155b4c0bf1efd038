"""Whether a certificate may sign documents.

Sources: RFC 5280 section 4.2.1.3 for the key usages; the portal manual of the Belgian social security for the eID,
whose card holds an authentication and a signature certificate, of which only the second one signs declarations; and
its page on signatures, which asks for keys in line with the recommendations of NIST or ANSSI.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from govfile.certificates._material import label
from govfile.errors import CredentialError

if TYPE_CHECKING:
    from collections.abc import Iterator

_EID_ISSUER = re.compile(r".*\b(Citizen|Foreigner) CA\b.*", re.IGNORECASE | re.DOTALL)
_AUTHENTICATION = re.compile(r".*\(Authentication\)\s*", re.IGNORECASE | re.DOTALL)

_USAGES = {
    "digital_signature": "digitalSignature",
    "content_commitment": "nonRepudiation",
    "key_encipherment": "keyEncipherment",
    "data_encipherment": "dataEncipherment",
    "key_agreement": "keyAgreement",
    "key_cert_sign": "keyCertSign",
    "crl_sign": "cRLSign",
}


def check_signs_documents(certificate: x509.Certificate) -> None:
    """Raise `CredentialError` unless the certificate is one that signs documents.

    Its key usage must hold nonRepudiation (also called contentCommitment) or digitalSignature, or be absent, which
    allows everything; that of a Belgian eID must hold nonRepudiation. An authority's own certificate, RSA keys below
    2048 bits and EC keys below 256 are refused.
    """
    who = label(certificate)
    _check_key(certificate, who)
    constraints = _extension(certificate, x509.BasicConstraints, who)
    if isinstance(constraints, x509.BasicConstraints) and constraints.ca:
        raise CredentialError(
            f"the {who} is that of a certificate authority", advice="use the certificate that the authority issued"
        )
    usage = _extension(certificate, x509.KeyUsage, who)
    if not isinstance(usage, x509.KeyUsage):
        return
    named = ", ".join(word for attribute, word in _USAGES.items() if getattr(usage, attribute)) or "nothing"
    if is_belgian_eid(certificate) and not usage.content_commitment:
        raise CredentialError(
            f"the {who} is the authentication certificate of a Belgian eID (key usage {named})",
            advice="use the card's other one, the signature certificate (key usage nonRepudiation)",
        )
    if not (usage.content_commitment or usage.digital_signature):
        raise CredentialError(
            f"the {who} is not for signatures: its key usage is {named}",
            advice="use a certificate whose key usage holds nonRepudiation or digitalSignature",
        )


def is_belgian_eid(certificate: x509.Certificate) -> bool:
    """Whether it comes from a Belgian identity card, by the names of issuer and holder.

    The issuers are called `Citizen CA` and `Foreigner CA`, the holder's common name ends in `(Authentication)` or
    `(Signature)` (certification practice statements at repository.eid.belgium.be).
    """
    if not any(country == "BE" for country in _values(certificate, "issuer", NameOID.COUNTRY_NAME)):
        return False
    issuers = _values(certificate, "issuer", NameOID.COMMON_NAME)
    holders = _values(certificate, "subject", NameOID.COMMON_NAME)
    return any(map(_EID_ISSUER.fullmatch, issuers)) or any(map(_AUTHENTICATION.fullmatch, holders))


def _check_key(certificate: x509.Certificate, who: str) -> None:
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise CredentialError(f"the key of the {who} cannot be read") from error
    if isinstance(key, rsa.RSAPublicKey):
        smallest, kind = 2048, "RSA"
    elif isinstance(key, ec.EllipticCurvePublicKey):
        smallest, kind = 256, "EC"
    else:
        raise CredentialError(f"the key of the {who} is of another kind than RSA and EC", advice="use one of these")
    if key.key_size < smallest:
        raise CredentialError(
            f"the key of the {who} has {key.key_size} bits, too few for a signature",
            advice=f"use an {kind} key of {smallest} bits or more",
        )


def _extension(certificate: x509.Certificate, kind: type[x509.ExtensionType], who: str) -> x509.ExtensionType | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
    except (x509.DuplicateExtension, x509.UnsupportedGeneralNameType, ValueError) as error:
        raise CredentialError(f"the extensions of the {who} cannot be read") from error


def _values(certificate: x509.Certificate, whose: str, oid: x509.ObjectIdentifier) -> Iterator[str]:
    try:
        name: x509.Name = getattr(certificate, whose)
    except ValueError:
        return
    yield from (str(found.value) for found in name.get_attributes_for_oid(oid))
