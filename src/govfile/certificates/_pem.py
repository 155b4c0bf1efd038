"""Reading PEM (RFC 7468 and OpenSSL's older form): keys and certificates in any order, with text between them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_ssh_private_key,
)

from govfile.certificates._files import NOT_OPENED, utf8
from govfile.certificates._material import Material
from govfile.certificates.signer import describe_key
from govfile.errors import CredentialError

if TYPE_CHECKING:
    from govfile.certificates.secret import Secret

_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----[^-]*(?:-(?!----)[^-]*)*-----END \1-----")
_KEYS = {
    b"PRIVATE KEY",
    b"ENCRYPTED PRIVATE KEY",
    b"RSA PRIVATE KEY",
    b"EC PRIVATE KEY",
    b"DSA PRIVATE KEY",
    b"OPENSSH PRIVATE KEY",
}
_CERTIFICATES = {b"CERTIFICATE", b"X509 CERTIFICATE"}


def open_pem(data: bytes, passphrase: Secret | None) -> Material:
    """The one key of a PEM file, and its certificates.

    Raises `CredentialError`: not PEM, no key, several keys, a wrong or missing passphrase, a damaged block.
    """
    blocks = _blocks(data)
    keys = [_key(block, title, passphrase) for title, block in blocks if title in _KEYS]
    certificates = [_certificate(block) for title, block in blocks if title in _CERTIFICATES]
    if not keys:
        raise CredentialError("the PEM file holds no private key", advice=_where_the_key_is(data))
    halves = {_public_bytes(key): key for key in keys}
    if len(halves) > 1:
        names = ", ".join(f"{number}: {describe_key(key.public_key())}" for number, key in enumerate(keys, 1))
        raise CredentialError(
            f"the PEM file holds {len(halves)} different keys ({names})", advice="leave only the one that files"
        )
    return Material.of(keys[0], certificates)


def open_certificates(data: bytes, what: str) -> tuple[x509.Certificate, ...]:
    """The certificates of a PEM bundle, or the one of a DER file; keys beside them are not read.

    Raises `CredentialError` when there is none, or one is damaged.
    """
    if b"-----BEGIN " not in data:
        try:
            return (x509.load_der_x509_certificate(data),)
        except (ValueError, x509.InvalidVersion) as error:
            raise CredentialError(
                f"the {what} is neither PEM nor DER", advice="give an X.509 certificate (.pem, .crt, .cer)"
            ) from error
    found = tuple(_certificate(block) for title, block in _blocks(data) if title in _CERTIFICATES)
    if not found:
        raise CredentialError(f"the {what} holds no CERTIFICATE block", advice="give the certificate, not the key")
    return found


def _blocks(data: bytes) -> list[tuple[bytes, bytes]]:
    blocks = [(match[1], match[0]) for match in _BLOCK.finditer(data)]
    begun = data.count(b"-----BEGIN ")
    if not begun:
        raise CredentialError("this is not a PEM file", advice=_other_form(data))
    if begun != len(blocks):
        raise CredentialError("the PEM file is cut short: a block begins and does not end", advice="copy it again")
    return blocks


def _other_form(data: bytes) -> str:
    if data[:1] == b"\x30":
        return "it is binary: use Credential.from_pkcs12 for a .p12 or .pfx file; a bare key goes through openssl pkey"
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return "it is UTF-16 text: save it as plain ASCII"
    return "a PEM file has lines that read -----BEGIN …-----"


def _where_the_key_is(data: bytes) -> str:
    if b" REQUEST-----" in data:
        return "it is a certificate request: give the key it was made with, and the certificate that came of it"
    return "give the file with the private key, and the certificate by certificate="


def _key(block: bytes, title: bytes, passphrase: Secret | None) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
    secret = utf8(passphrase)
    load = load_ssh_private_key if title == b"OPENSSH PRIVATE KEY" else load_pem_private_key
    try:
        key = load(block, secret)
    except TypeError as error:
        raise _passphrase_error(secret is not None) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        # cryptography has no error of its own for a cipher it does not know: only the text tells.
        if isinstance(error, UnsupportedAlgorithm) or str(error).startswith("Unknown key encryption"):
            raise CredentialError(
                "the private key is of a kind, or encrypted in a way, that cannot be read here",
                advice="use an RSA or EC key in PKCS#8 form, encrypted with AES-256",
            ) from error
        what = "the private key is damaged" if secret is None else "the passphrase is wrong, or the key is damaged"
        raise CredentialError(what, advice="check the passphrase, then copy the file again") from error
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise CredentialError(f"a key of the type {type(key).__name__} cannot be used", advice="use RSA or EC")
    return key


def _passphrase_error(given: bool) -> CredentialError:
    if given:
        return CredentialError(
            "a passphrase is given and the private key is not encrypted",
            advice="leave the passphrase out, or encrypt the key if it should have been",
        )
    return CredentialError("the private key is encrypted and no passphrase is given", advice=NOT_OPENED)


def _certificate(block: bytes) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(block.replace(b"X509 CERTIFICATE", b"CERTIFICATE"))
    except (ValueError, x509.InvalidVersion) as error:
        raise CredentialError("a certificate in the file is damaged", advice="copy the file again") from error


def _public_bytes(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
