"""EncryptedAssertion: written for audiences, and read where the STS or the service provider is the one addressed."""

from __future__ import annotations

import base64
import binascii
import os
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from govfile.sandbox.sosi.building import element, leaf, with_attributes
from govfile.sandbox.sosi.names import NS
from govfile.sandbox.sosi.reading import Unreadable, child, parse, text

if TYPE_CHECKING:
    from cryptography import x509
    from lxml import etree

    from govfile.sandbox.sosi.settings import Encryption

_CONTENT = {
    "aes128-cbc": (NS["xenc"] + "aes128-cbc", 16),
    "aes256-cbc": (NS["xenc"] + "aes256-cbc", 32),
    "aes128-gcm": (NS["xenc11"] + "aes128-gcm", 16),
    "aes256-gcm": (NS["xenc11"] + "aes256-gcm", 32),
}
_BY_URI = {uri: name for name, (uri, _) in _CONTENT.items()}
_BLOCK, _NONCE = 16, 12


def encrypted(assertion: bytes, certificate: x509.Certificate, how: Encryption) -> str:
    """`saml:EncryptedAssertion` for the holder of the certificate's key; `saml` and `ds` are declared around it."""
    content, transport = how.value
    uri, size = _CONTENT[content]
    key = os.urandom(size)
    public = certificate.public_key()
    assert isinstance(public, rsa.RSAPublicKey)
    wrapped = public.encrypt(key, _padding(transport))
    method = element("xenc:EncryptionMethod", Algorithm=NS["xenc"] + transport)
    sealed_key = with_attributes("xenc:EncryptedKey", {"xmlns:xenc": NS["xenc"]}, method, _cipher_data(wrapped))
    return element(
        "saml:EncryptedAssertion",
        with_attributes(
            "xenc:EncryptedData",
            {"xmlns:xenc": NS["xenc"], "Type": NS["xenc"] + "Element"},
            element("xenc:EncryptionMethod", Algorithm=uri),
            element("ds:KeyInfo", sealed_key),
            _cipher_data(_sealed(content, key, assertion)),
        ),
    )


def decrypted(found: etree._Element, key: rsa.RSAPrivateKey) -> etree._Element:
    """The assertion inside `saml:EncryptedAssertion`; raises `Unreadable`, for every cause with the same words."""
    try:
        data = child(found, "xenc:EncryptedData")
        content = _BY_URI[child(data, "xenc:EncryptionMethod").get("Algorithm") or ""]
        sealed_key = child(data, "ds:KeyInfo", "xenc:EncryptedKey")
        transport = (child(sealed_key, "xenc:EncryptionMethod").get("Algorithm") or "").removeprefix(NS["xenc"])
        secret = key.decrypt(_value(sealed_key), _padding(transport))
        return parse(_opened(content, secret, _value(data)))
    except (KeyError, ValueError, IndexError, binascii.Error) as error:
        raise Unreadable("the assertion cannot be decrypted") from error


def _padding(transport: str) -> padding.AsymmetricPadding:
    if transport == "rsa-1_5":
        return padding.PKCS1v15()
    if transport == "rsa-oaep-mgf1p":
        sha1 = hashes.SHA1()  # noqa: S303 - what this name stands for
        return padding.OAEP(mgf=padding.MGF1(sha1), algorithm=sha1, label=None)
    raise KeyError(transport)


def _sealed(content: str, key: bytes, plain: bytes) -> bytes:
    if content.endswith("gcm"):
        nonce = os.urandom(_NONCE)
        return nonce + AESGCM(key).encrypt(nonce, plain, None)
    missing = _BLOCK - len(plain) % _BLOCK
    padded = plain + os.urandom(missing - 1) + bytes([missing])
    start = os.urandom(_BLOCK)
    writer = Cipher(algorithms.AES(key), modes.CBC(start)).encryptor()
    return start + writer.update(padded) + writer.finalize()


def _opened(content: str, key: bytes, sealed: bytes) -> bytes:
    if len(key) != _CONTENT[content][1]:
        raise ValueError("the key's length")
    if content.endswith("gcm"):
        try:
            return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], None)
        except InvalidTag as error:
            raise ValueError("the tag") from error
    reader = Cipher(algorithms.AES(key), modes.CBC(sealed[:_BLOCK])).decryptor()
    padded = reader.update(sealed[_BLOCK:]) + reader.finalize()
    if not 1 <= padded[-1] <= _BLOCK:
        raise ValueError("the padding")
    return padded[: -padded[-1]]


def _cipher_data(value: bytes) -> str:
    return element("xenc:CipherData", leaf("xenc:CipherValue", base64.b64encode(value).decode()))


def _value(parent: etree._Element) -> bytes:
    return base64.b64decode(text(child(parent, "xenc:CipherData", "xenc:CipherValue")))
