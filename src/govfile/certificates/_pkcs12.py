"""Opening PKCS#12 files (RFC 7292), those with the old RC2 and 3DES ciphers included, and saying why one stays shut."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509 import InvalidVersion

from govfile.certificates import _der
from govfile.certificates._files import NOT_OPENED, utf8
from govfile.certificates._material import Material
from govfile.errors import CredentialError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from govfile.certificates.secret import Secret

# DER content of the object identifiers 1.2.840.113549.1.7.1 (data) and 1.2.840.113549.1.12.10.1.n (bags).
_DATA = bytes.fromhex("2a864886f70d010701")
_BAG = bytes.fromhex("2a864886f70d010c0a01")
_KEY_BAGS = {_BAG + b"\x01", _BAG + b"\x02"}
_NESTED_BAG = _BAG + b"\x06"
_DEEPEST_BAG = 4
_FRIENDLY_NAME = bytes.fromhex("2a864886f70d010914")


def open_pkcs12(data: bytes, passphrase: Secret | None) -> Material:
    """Key and certificates of a PKCS#12 file.

    Raises `CredentialError`: not a PKCS#12 file at all, cut short, several keys, no key, wrong passphrase or damage.
    """
    layers = _check_form(data)
    names = list(_key_names(layers))
    if len(names) > 1:
        raise CredentialError(
            f"the PKCS#12 file holds {len(names)} keys: {', '.join(names)}",
            advice="give a file with one key: export the one identity that files",
        )
    found = _decrypt(data[: layers.size], passphrase)
    certificates = ([found.cert] if found.cert else []) + list(found.additional_certs)
    key = found.key
    if key is None:
        raise CredentialError("the PKCS#12 file holds no private key", advice="export it again, with the private key")
    return Material.of(key, [entry.certificate for entry in certificates])


def _check_form(data: bytes) -> _der.Element:
    """The outermost element, once it looks like `SEQUENCE { INTEGER 3, SEQUENCE { OID … } … }`."""
    try:
        outer = _der.read(data).expect(_der.SEQUENCE)
        kind = outer.child(1).expect(_der.SEQUENCE).child(0)
        if outer.child(0).expect(_der.INTEGER).content == b"\x03" and kind.tag == _der.OID:
            return outer
    except _der.CutShort as error:
        if data[:1] == bytes([_der.SEQUENCE]):
            raise CredentialError(f"the PKCS#12 file is cut short: {error}", advice="copy it again") from error
    except _der.NotDer:
        pass  # said below, with what it may be instead
    raise CredentialError("this is not a PKCS#12 file", advice=_what_it_is_instead(data))


def _what_it_is_instead(data: bytes) -> str:
    if b"-----BEGIN " in data:
        return "it is PEM: use Credential.from_pem"
    if data[:4] in {b"\xfe\xed\xfe\xed", b"\xce\xce\xce\xce"}:
        return "it is a Java key store: convert it with keytool -importkeystore -deststoretype PKCS12"
    if data[:1] == b"\x30":
        return "it may be a bare certificate or key: a PKCS#12 file (.p12, .pfx) holds both"
    return "give the .p12 or .pfx file as it was exported"


def _key_names(outer: _der.Element) -> Iterator[str]:
    """The friendly names of the keys, as far as they can be seen without the passphrase.

    Keys lie in the unencrypted layer, each encrypted by itself, in the files of every known program.
    """
    try:
        safes = _octets_of(outer.child(1))
        for info in _der.read(safes).expect(_der.SEQUENCE):
            if info.child(0).content == _DATA:
                yield from _bags(_der.read(_octets_of(info)), 0)
    except _der.NotDer:
        return  # cryptography judges the rest


def _octets_of(info: _der.Element) -> bytes:
    """The bytes inside a ContentInfo of the type data."""
    if info.child(0).content != _DATA:
        raise _der.NotDer("not of the type data")
    return info.child(1).expect(_der.CONTEXT_0).child(0).octets


def _bags(contents: _der.Element, depth: int) -> Iterator[str]:
    for bag in contents.expect(_der.SEQUENCE):
        kind = bag.child(0).content
        if kind in _KEY_BAGS:
            attributes = list(bag)[2:]
            yield _friendly_name(attributes[0]) if attributes else "(no name)"
        elif kind == _NESTED_BAG and depth < _DEEPEST_BAG:
            yield from _bags(bag.child(1).child(0), depth + 1)


def _friendly_name(attributes: _der.Element) -> str:
    for attribute in attributes:
        if attribute.child(0).content == _FRIENDLY_NAME:
            return repr(attribute.child(1).child(0).content.decode("utf-16-be", "replace"))
    return "(no name)"


def _decrypt(data: bytes, passphrase: Secret | None) -> pkcs12.PKCS12KeyAndCertificates:
    failure: Exception | None = None
    for candidate in _spellings(passphrase):
        try:
            with warnings.catch_warnings():
                # BER where DER belongs: old Windows and Java exports, and no harm.
                warnings.simplefilter("ignore", UserWarning)
                return pkcs12.load_pkcs12(data, candidate)
        except UnsupportedAlgorithm as error:
            raise CredentialError(
                "the PKCS#12 file holds a key of a kind, or is encrypted in a way, that cannot be read here",
                advice="use an RSA or EC key; export it again with AES-256 or 3DES",
            ) from error
        except (ValueError, TypeError, InvalidVersion) as error:
            failure = error
    if passphrase is None:
        raise CredentialError("the PKCS#12 file needs a passphrase, or it is damaged", advice=NOT_OPENED) from failure
    raise CredentialError(
        "the passphrase is wrong, or the PKCS#12 file is damaged",
        advice="try the passphrase where the file was made; if it opens there, copy the file again",
    ) from failure


def _spellings(passphrase: Secret | None) -> list[bytes | None]:
    """The passphrase as RFC 7292 has it, then as OpenSSL before 1.1 wrote it: every UTF-8 byte as one character."""
    text = utf8(passphrase)
    if text is None:
        return [None]
    return list(dict.fromkeys([text, text.decode("latin-1").encode("utf-8")]))
