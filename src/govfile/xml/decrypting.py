"""Decrypting a SAML `EncryptedAssertion` for the service provider it was made for.

Sources: W3C XML Encryption 1.1 (AES in CBC and GCM, RSA PKCS#1 v1.5 and OAEP); SAML 2.0 core, section 2.3.4.

CBC and PKCS#1 v1.5 tell an attacker the plain text, question by question, when failures can be told apart. So every
cause has one error, a key that does not unwrap is replaced by a random one, and the work goes on to the end. What comes
out says nothing about who wrote it: verify its signature before reading it.
"""

from __future__ import annotations

import base64
import enum
import secrets
from typing import TYPE_CHECKING

import attrs
from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from govfile.errors import CredentialError, ProtocolError, TrustError
from govfile.xml import _tree
from govfile.xml.algorithms import DS

if TYPE_CHECKING:
    from lxml.etree import _Element

    from govfile.certificates.credential import Credential
    from govfile.xml.parse import Limits

XENC = "http://www.w3.org/2001/04/xmlenc#"
XENC11 = "http://www.w3.org/2009/xmlenc11#"
_SAML = "{urn:oasis:names:tc:SAML:2.0:assertion}"
_OAEP_DIGEST = f"{{{DS}}}DigestMethod"
_OAEP_MGF = f"{{{XENC11}}}MGF"
_OAEP_LABEL = f"{{{XENC}}}OAEPparams"
_BLOCK = 16
_NONCE = 12
_TAG = 16


class Encryption(enum.Enum):
    """How the assertion itself is encrypted; the value is the URI."""

    AES128_CBC = f"{XENC}aes128-cbc"
    AES256_CBC = f"{XENC}aes256-cbc"
    AES128_GCM = f"{XENC11}aes128-gcm"
    AES256_GCM = f"{XENC11}aes256-gcm"

    @property
    def key_size(self) -> int:
        """The length of the key in bytes."""
        return 16 if "aes128" in self.value else 32


class KeyTransport(enum.Enum):
    """How the key is encrypted; the value is the URI."""

    RSA_1_5 = f"{XENC}rsa-1_5"
    RSA_OAEP_MGF1P = f"{XENC}rsa-oaep-mgf1p"
    RSA_OAEP = f"{XENC11}rsa-oaep"


_HASHES: dict[str, type[hashes.HashAlgorithm]] = {
    f"{DS}sha1": hashes.SHA1,
    f"{XENC}sha256": hashes.SHA256,
    "http://www.w3.org/2001/04/xmldsig-more#sha384": hashes.SHA384,
    f"{XENC}sha512": hashes.SHA512,
}
_MASKS: dict[str, type[hashes.HashAlgorithm]] = {
    f"{XENC11}mgf1sha1": hashes.SHA1,
    f"{XENC11}mgf1sha256": hashes.SHA256,
    f"{XENC11}mgf1sha384": hashes.SHA384,
    f"{XENC11}mgf1sha512": hashes.SHA512,
}


class _CannotDecrypt(Exception):
    """Never leaves this module."""


@attrs.frozen
class _Encrypted:
    """An encrypted assertion whose form is in order."""

    encryption: Encryption
    cipher_text: bytes
    padding: padding.AsymmetricPadding
    encrypted_key: bytes


def decrypt_assertion(
    document: bytes,
    credential: Credential,
    *,
    path: tuple[str, ...] | None = None,
    encryptions: frozenset[Encryption] = frozenset(Encryption),
    key_transports: frozenset[KeyTransport] = frozenset(KeyTransport),
    limits: Limits | None = None,
) -> bytes:
    """The assertion (its bytes, UTF-8) in the `saml:EncryptedAssertion` that is the root of `document`, or at `path`.

    `encryptions` and `key_transports` are those accepted. Raises `ProtocolError` when the document itself cannot be
    read, `CredentialError` when the credential's key is not an RSA key in memory, and `TrustError`, always with the
    same words, for every other reason.
    """
    key = credential.private_key
    if not isinstance(key, rsa.RSAPrivateKey):
        raise CredentialError("only an RSA key decrypts assertions", advice="use the key the assertion was made for")
    tree = _tree.read(document, limits=limits, what="the message with the encrypted assertion")
    try:
        return _decrypted(tree, key, path, encryptions, key_transports, limits)
    except (_CannotDecrypt, ProtocolError, ValueError, InvalidTag, UnsupportedAlgorithm):
        raise TrustError(
            "the encrypted assertion cannot be decrypted",
            advice="look whether it was made for this certificate, and by an algorithm that is accepted",
        ) from None  # the cause would tell an attacker what to try next


def _decrypted(
    tree: _tree.Tree,
    key: rsa.RSAPrivateKey,
    path: tuple[str, ...] | None,
    encryptions: frozenset[Encryption],
    key_transports: frozenset[KeyTransport],
    limits: Limits | None,
) -> bytes:
    found = tree.at(path) if path is not None else [tree.root]
    if len(found) != 1 or found[0].tag != f"{_SAML}EncryptedAssertion":
        raise _CannotDecrypt
    encrypted = _read(found[0], encryptions, key_transports)
    content_key = _content_key(key, encrypted)
    if encrypted.encryption in {Encryption.AES128_GCM, Encryption.AES256_GCM}:
        nonce, sealed = encrypted.cipher_text[:_NONCE], encrypted.cipher_text[_NONCE:]
        plain, is_whole = AESGCM(content_key).decrypt(nonce, sealed, None), True
    else:
        plain, is_whole = _without_cbc(content_key, encrypted.cipher_text)
    inner = _tree.read(plain, limits=limits)  # also of what is not whole, so that it takes as long
    if not is_whole or inner.root.tag != f"{_SAML}Assertion":
        raise _CannotDecrypt
    return plain


def _content_key(key: rsa.RSAPrivateKey, encrypted: _Encrypted) -> bytes:
    """The key of the content; a random one where it does not unwrap, so that nobody learns whether it did."""
    instead = secrets.token_bytes(encrypted.encryption.key_size)
    try:
        found = key.decrypt(encrypted.encrypted_key, encrypted.padding)
    except ValueError:
        return instead
    return found if len(found) == len(instead) else instead


def _without_cbc(key: bytes, cipher_text: bytes) -> tuple[bytes, bool]:
    """The plain text, and whether its padding was possible; only the padding's last byte means anything."""
    if len(cipher_text) < 2 * _BLOCK or len(cipher_text) % _BLOCK:
        raise _CannotDecrypt
    decryptor = Cipher(algorithms.AES(key), modes.CBC(cipher_text[:_BLOCK])).decryptor()
    plain = decryptor.update(cipher_text[_BLOCK:]) + decryptor.finalize()
    length = plain[-1]
    is_possible = 1 <= length <= _BLOCK
    return plain[: len(plain) - (length if is_possible else 0)], is_possible


def _read(element: _Element, encryptions: frozenset[Encryption], key_transports: frozenset[KeyTransport]) -> _Encrypted:
    data = _one(element, f"{{{XENC}}}EncryptedData")
    encryption = Encryption(_algorithm(data))
    inline = data.findall(f"{{{DS}}}KeyInfo/{{{XENC}}}EncryptedKey")
    keys = [*inline, *element.findall(f"{{{XENC}}}EncryptedKey")]
    if len(keys) != 1:
        raise _CannotDecrypt
    transport = KeyTransport(_algorithm(keys[0]))
    if encryption not in encryptions or transport not in key_transports:
        raise _CannotDecrypt
    method = _one(keys[0], f"{{{XENC}}}EncryptionMethod")
    return _Encrypted(encryption, _cipher_value(data), _padding(method, transport), _cipher_value(keys[0]))


def _padding(method: _Element, transport: KeyTransport) -> padding.AsymmetricPadding:
    if transport is KeyTransport.RSA_1_5:
        return padding.PKCS1v15()
    digest = method.find(_OAEP_DIGEST)
    mask = method.find(_OAEP_MGF)
    label = method.find(_OAEP_LABEL)
    named_digest = f"{DS}sha1" if digest is None else digest.get("Algorithm", "")
    named_mask = f"{XENC11}mgf1sha1" if mask is None else mask.get("Algorithm", "")
    if transport is KeyTransport.RSA_OAEP_MGF1P and named_mask != f"{XENC11}mgf1sha1":
        raise _CannotDecrypt
    if named_digest not in _HASHES or named_mask not in _MASKS:
        raise _CannotDecrypt
    return padding.OAEP(
        mgf=padding.MGF1(_MASKS[named_mask]()),
        algorithm=_HASHES[named_digest](),
        label=None if label is None else _decoded(label),
    )


def _one(element: _Element, name: str) -> _Element:
    found = list(element.iterchildren(name))
    if len(found) != 1:
        raise _CannotDecrypt
    return found[0]


def _algorithm(element: _Element) -> str:
    return _one(element, f"{{{XENC}}}EncryptionMethod").get("Algorithm", "")


def _cipher_value(element: _Element) -> bytes:
    return _decoded(_one(_one(element, f"{{{XENC}}}CipherData"), f"{{{XENC}}}CipherValue"))


def _decoded(element: _Element) -> bytes:
    return base64.b64decode("".join((_tree.own_text(element) or "").split()), validate=True)
