"""Encrypted assertions: each accepted algorithm, made by xmlsec1 or by hand, and one error for every failure."""

from __future__ import annotations

import base64
import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from govfile.errors import CredentialError, ProtocolError, TrustError
from govfile.xml.decrypting import XENC, XENC11, Encryption, KeyTransport, decrypt_assertion
from govfile.xml.policy import Policy, Signers
from govfile.xml.verifying import verify
from support import pki
from support import xml_messages as messages
from support.programs import require

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ASSERTION = (
    f'<saml:Assertion xmlns:saml="{messages.SAML}" ID="_a"><saml:Issuer>æ</saml:Issuer></saml:Assertion>'.encode()
)
ENCRYPTED = """<saml:EncryptedAssertion xmlns:saml="{saml}"><xenc:EncryptedData xmlns:xenc="{xenc}" \
Type="{xenc}Element"><xenc:EncryptionMethod Algorithm="{encryption}"/><ds:KeyInfo xmlns:ds="{ds}"><xenc:EncryptedKey>\
<xenc:EncryptionMethod Algorithm="{transport}">{parameters}</xenc:EncryptionMethod><xenc:CipherData><xenc:CipherValue>\
{key}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey></ds:KeyInfo><xenc:CipherData><xenc:CipherValue>{content}\
</xenc:CipherValue></xenc:CipherData></xenc:EncryptedData></saml:EncryptedAssertion>"""
FAILURE = "the encrypted assertion cannot be decrypted"


def public_key() -> rsa.RSAPublicKey:
    key = messages.identity("rsa").key.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    return key


def encrypted(
    content: bytes = ASSERTION,
    encryption: Encryption = Encryption.AES128_CBC,
    transport: KeyTransport = KeyTransport.RSA_1_5,
    *,
    secret: bytes | None = None,
    last: int | None = None,
    wrapping: padding.AsymmetricPadding | None = None,
    parameters: str = "",
) -> bytes:
    """An encrypted assertion; `last` overrides the last byte of the padding."""
    secret = os.urandom(encryption.key_size) if secret is None else secret
    if encryption in {Encryption.AES128_GCM, Encryption.AES256_GCM}:
        nonce = os.urandom(12)
        sealed = nonce + AESGCM(secret).encrypt(nonce, content, None)
    else:
        missing = 16 - len(content) % 16
        padded = content + os.urandom(missing - 1) + bytes([missing if last is None else last])
        iv = os.urandom(16)
        encryptor = Cipher(algorithms.AES(secret), modes.CBC(iv)).encryptor()
        sealed = iv + encryptor.update(padded) + encryptor.finalize()
    wrapping = wrapping or padding.PKCS1v15()
    return ENCRYPTED.format(
        saml=messages.SAML,
        xenc=XENC,
        ds=messages.DS,
        encryption=encryption.value,
        transport=transport.value,
        parameters=parameters,
        key=base64.b64encode(public_key().encrypt(secret, wrapping)).decode(),
        content=base64.encodebytes(sealed).decode(),
    ).encode()


def oaep(digest: hashes.HashAlgorithm, mask: hashes.HashAlgorithm, label: bytes | None = None) -> padding.OAEP:
    return padding.OAEP(mgf=padding.MGF1(mask), algorithm=digest, label=label)


DIGEST = f'<ds:DigestMethod Algorithm="{XENC}sha256"/>'
MASK = f'<x:MGF xmlns:x="{XENC11}" Algorithm="{XENC11}mgf1sha512"/>'
LABEL = f"<xenc:OAEPparams>{base64.b64encode(b'label').decode()}</xenc:OAEPparams>"
TRANSPORTS: dict[str, tuple[KeyTransport, padding.AsymmetricPadding, str]] = {
    "1.5": (KeyTransport.RSA_1_5, padding.PKCS1v15(), ""),
    "OAEP": (KeyTransport.RSA_OAEP_MGF1P, oaep(hashes.SHA1(), hashes.SHA1()), ""),
    "OAEP, SHA-256": (KeyTransport.RSA_OAEP_MGF1P, oaep(hashes.SHA256(), hashes.SHA1()), DIGEST),
    "OAEP, label": (KeyTransport.RSA_OAEP_MGF1P, oaep(hashes.SHA1(), hashes.SHA1(), b"label"), LABEL),
    "OAEP 1.1": (KeyTransport.RSA_OAEP, oaep(hashes.SHA256(), hashes.SHA512()), DIGEST + MASK),
    "OAEP 1.1, defaults": (KeyTransport.RSA_OAEP, oaep(hashes.SHA1(), hashes.SHA1()), ""),
}


@pytest.mark.parametrize("encryption", Encryption)
@pytest.mark.parametrize("how", TRANSPORTS)
def test_each_algorithm_is_decrypted(how: str, encryption: Encryption) -> None:
    transport, wrapping, parameters = TRANSPORTS[how]
    document = encrypted(ASSERTION, encryption, transport, wrapping=wrapping, parameters=parameters)
    assert decrypt_assertion(document, messages.credential()) == ASSERTION


@pytest.mark.parametrize("length", range(16))
def test_every_length_of_padding_is_taken_off(length: int) -> None:
    content = ASSERTION.replace(b"_a", b"_" * (length + 1))
    assert decrypt_assertion(encrypted(content), messages.credential()) == content


@pytest.mark.parametrize("encryption", Encryption)
@pytest.mark.parametrize("transport", [KeyTransport.RSA_1_5, KeyTransport.RSA_OAEP_MGF1P])
def test_what_xmlsec1_encrypts_is_decrypted(encryption: Encryption, transport: KeyTransport, tmp_path: Path) -> None:
    template = ENCRYPTED.format(
        saml=messages.SAML,
        xenc=XENC,
        ds=messages.DS,
        encryption=encryption.value,
        transport=transport.value,
        parameters="",
        key="",
        content="",
    )
    inner = template[template.index("<xenc:EncryptedData") : template.index("</saml:Enc")]
    names = ("template.xml", "data.xml", "key.pem", "out.xml")
    files = {name: tmp_path / name for name in names}
    files["template.xml"].write_text(inner)
    files["data.xml"].write_bytes(ASSERTION)
    files["key.pem"].write_bytes(messages.identity("rsa").pem)
    session = f"aes-{128 if encryption.key_size == 16 else 256}"
    command = [require("xmlsec1"), "--encrypt", "--pubkey-cert-pem", str(files["key.pem"]), "--session-key", session]
    command += ["--xml-data", str(files["data.xml"]), "--output", str(files["out.xml"]), str(files["template.xml"])]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    made = files["out.xml"].read_bytes().partition(b"?>")[2].strip()
    around = f'<saml:EncryptedAssertion xmlns:saml="{messages.SAML}">'.encode()
    plain = decrypt_assertion(around + made + b"</saml:EncryptedAssertion>", messages.credential())
    assert b"<saml:Issuer>\xc3\xa6</saml:Issuer>" in plain


def test_an_assertion_in_a_message_is_found_at_its_path_and_can_be_verified() -> None:
    alone = messages.signed_response()
    start, end = alone.index(b"<saml:Assertion"), alone.index(b"</samlp:Response>")
    document = b'<samlp:Response xmlns:samlp="%s">' % messages.SAMLP.encode() + encrypted(alone[start:end])
    document += b"</samlp:Response>"
    path = (f"{{{messages.SAMLP}}}Response", f"{{{messages.SAML}}}EncryptedAssertion")
    plain = decrypt_assertion(document, messages.credential(), path=path)
    assert verify(plain, Policy.enveloped(messages.ASSERTION_PATH[1:], messages.signers()), at=messages.NOW).parts


def test_a_key_beside_the_data_is_found_too() -> None:
    document = encrypted()
    start, end = document.index(b"<xenc:EncryptedKey>"), document.index(b"</ds:KeyInfo>")
    key = document[start:end]
    named = b'<xenc:EncryptedKey xmlns:xenc="%s">' % XENC.encode()
    moved = document[:start] + b"<ds:KeyName>k</ds:KeyName>" + document[end:]
    moved = moved.replace(
        b"</saml:EncryptedAssertion>", key.replace(b"<xenc:EncryptedKey>", named) + b"</saml:EncryptedAssertion>"
    )
    assert decrypt_assertion(moved, messages.credential()) == ASSERTION


def spoilt(name: str, at: int = -2) -> bytes:
    """One byte of a Base64 value turned over; `name` is the value's place in the message: key or content."""
    document = encrypted(encryption=Encryption.AES128_GCM)
    values = document.split(b"<xenc:CipherValue>")
    place = {"key": 1, "content": 2}[name]
    value, _, rest = values[place].partition(b"</xenc:CipherValue>")
    raw = bytearray(base64.b64decode(value))
    raw[at] ^= 1
    values[place] = base64.b64encode(raw) + b"</xenc:CipherValue>" + rest
    return b"<xenc:CipherValue>".join(values)


def cut() -> bytes:
    """Content that is not whole blocks."""
    head, _, tail = encrypted().rpartition(b"<xenc:CipherValue>")
    value, _, rest = tail.partition(b"</xenc:CipherValue>")
    return head + b"<xenc:CipherValue>" + base64.b64encode(base64.b64decode(value)[:-3]) + b"</xenc:CipherValue>" + rest


FAILURES: dict[str, Callable[[], bytes]] = {
    "a key turned over": lambda: spoilt("key"),
    "a key of another length": lambda: encrypted(encryption=Encryption.AES256_CBC, secret=os.urandom(16)),
    "content turned over": lambda: spoilt("content"),
    "padding of 0": lambda: encrypted(last=0),
    "padding of 17": lambda: encrypted(last=17),
    "padding of 255": lambda: encrypted(last=255),
    "no XML inside": lambda: encrypted(b"hello"),
    "no assertion inside": lambda: encrypted(b"<a/>"),
    "an assertion of no namespace": lambda: encrypted(b"<Assertion/>"),
    "a document type inside": lambda: encrypted(b"<!DOCTYPE a><a/>"),
    "nothing inside": lambda: encrypted(b""),
    "no root of that name": lambda: ASSERTION,
    "an unknown algorithm": lambda: encrypted().replace(b"#aes128-cbc", b"#tripledes-cbc"),
    "an unknown key transport": lambda: encrypted().replace(b"#rsa-1_5", b"#kw-aes128"),
    "an unknown digest": lambda: encrypted(
        transport=KeyTransport.RSA_OAEP, parameters='<ds:DigestMethod Algorithm="urn:x"/>'
    ),
    "no Base64": lambda: encrypted().replace(b"<xenc:CipherValue>", b"<xenc:CipherValue>%", 1),
    "content elsewhere": lambda: encrypted().replace(b"xenc:CipherValue", b"xenc:CipherReference"),
    "two keys": lambda: encrypted().replace(b"</ds:KeyInfo>", b"<xenc:EncryptedKey/></ds:KeyInfo>"),
    "a block cut": cut,
}


@pytest.mark.parametrize("what", FAILURES)
def test_every_failure_says_the_same(what: str) -> None:
    with pytest.raises(TrustError) as caught:
        decrypt_assertion(FAILURES[what](), messages.credential())
    with pytest.raises(TrustError) as other:
        decrypt_assertion(encrypted(last=0), messages.credential())
    assert caught.value.what == FAILURE
    assert str(caught.value) == str(other.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_what_is_not_accepted_is_not_decrypted() -> None:
    gcm_only = frozenset({Encryption.AES128_GCM, Encryption.AES256_GCM})
    with pytest.raises(TrustError, match=FAILURE):
        decrypt_assertion(encrypted(), messages.credential(), encryptions=gcm_only)
    with pytest.raises(TrustError, match=FAILURE):
        decrypt_assertion(encrypted(), messages.credential(), key_transports=frozenset({KeyTransport.RSA_OAEP}))


def test_an_assertion_for_somebody_else_is_not_decrypted() -> None:
    stranger = messages.credential_of(messages.authority().issue(key=pki.rsa_key(11)))
    for _ in range(5):
        with pytest.raises(TrustError, match=FAILURE):
            decrypt_assertion(encrypted(), stranger)


def test_a_document_that_is_no_xml_is_said_to_be_none() -> None:
    with pytest.raises(ProtocolError):
        decrypt_assertion(b"<a", messages.credential())


def test_only_an_rsa_key_decrypts() -> None:
    with pytest.raises(CredentialError, match="RSA"):
        decrypt_assertion(encrypted(), messages.credential("ec"))


def test_decrypting_vouches_for_nothing() -> None:
    plain = decrypt_assertion(encrypted(), messages.credential())
    pinned = Signers(pinned=(messages.identity("rsa").certificate,))
    with pytest.raises(TrustError, match="0 signatures"):
        verify(plain, Policy.enveloped(messages.ASSERTION_PATH[1:], pinned), at=messages.NOW)
