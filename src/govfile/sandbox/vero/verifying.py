"""The check of a request's enveloped signature: small, strict, and our own, so that it shares no mistake with a client.

Demanded are one signature, the last child of the signed element; one reference, to the whole document; RSA with
SHA-256; the signer's certificate, and no other, in KeyInfo.
"""

from __future__ import annotations

import base64
import binascii
import copy
import hashlib
from typing import TYPE_CHECKING

import attrs
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from govfile.sandbox.vero import xml
from govfile.sandbox.vero.signing import ENVELOPED, RSA_SHA256, SHA256

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from lxml import etree

_LEAST_BITS = 2048
_TRANSFORMS = ([ENVELOPED], [ENVELOPED, xml.EXCLUSIVE], [ENVELOPED, xml.INCLUSIVE])
_ANY = frozenset({xml.EXCLUSIVE, xml.INCLUSIVE})


class BadSignature(ValueError):
    """The signature is refused, in words for the sandbox's owner."""


@attrs.frozen(kw_only=True)
class _Parts:
    info: etree._Element
    value: bytes
    certificate: x509.Certificate


def verify(document: etree._Element, *, canonicalizations: Collection[str] = _ANY) -> x509.Certificate:
    """The signer's certificate, if the signature holds for the whole document. The certificate itself is not judged.

    `canonicalizations` are those allowed for SignedInfo. Raises `BadSignature`.
    """
    try:
        signature = _signature(document)
        parts = _parts(signature)
        _check_digest(document, signature, _only(parts.info, "Reference"))
        algorithm = _uri(_only(parts.info, "CanonicalizationMethod"))
        if algorithm not in canonicalizations:
            raise BadSignature(f"SignedInfo in canonical form {algorithm}")
        if _uri(_only(parts.info, "SignatureMethod")) != RSA_SHA256:
            raise BadSignature("the signature's algorithm is not RSA with SHA-256")
        method = _only(parts.info, "CanonicalizationMethod")
        signed = xml.canonical(xml.detached(parts.info), algorithm, _prefixes(method))
    except (xml.Invalid, binascii.Error) as error:
        raise BadSignature(str(error)) from error
    _check_value(parts, signed)
    return parts.certificate


def _signature(document: etree._Element) -> etree._Element:
    found = list(document.iter(f"{{{xml.DS}}}Signature"))
    children = xml.elements(document)
    if len(found) != 1 or not children or children[-1] is not found[0]:
        raise BadSignature("exactly one signature belongs at the end of the signed element")
    return found[0]


def _parts(signature: etree._Element) -> _Parts:
    if [xml.local(child) for child in xml.elements(signature)] != ["SignedInfo", "SignatureValue", "KeyInfo"]:
        raise BadSignature("a signature holds SignedInfo, SignatureValue and KeyInfo")
    info, value, key_info = xml.elements(signature)
    expected = ["CanonicalizationMethod", "SignatureMethod", "Reference"]
    if [xml.local(child) for child in xml.elements(info)] != expected:
        raise BadSignature("SignedInfo holds one reference, after its two algorithms")
    der = xml.text(_only(_only(key_info, "X509Data"), "X509Certificate"))
    try:
        certificate = x509.load_der_x509_certificate(_decoded(der))
    except ValueError as error:
        raise BadSignature("the certificate in KeyInfo cannot be read") from error
    return _Parts(info=info, value=_decoded(xml.text(value)), certificate=certificate)


def _check_digest(document: etree._Element, signature: etree._Element, reference: etree._Element) -> None:
    if reference.get("URI") != "":
        raise BadSignature("the reference is not to the whole document")
    if _uri(_only(reference, "DigestMethod")) != SHA256:
        raise BadSignature("the digest's algorithm is not SHA-256")
    transforms = xml.elements(_only(reference, "Transforms"))
    uris = [_uri(each) for each in transforms]
    if uris not in _TRANSFORMS:
        raise BadSignature(f"transforms {uris}")
    algorithm = uris[-1] if len(uris) > 1 else xml.INCLUSIVE
    covered = xml.canonical(_without(document, signature), algorithm, _prefixes(transforms[-1]))
    if _decoded(xml.text(_only(reference, "DigestValue"))) != hashlib.sha256(covered).digest():
        raise BadSignature("the digest is of something else: was the message written anew after it was signed?")


def _without(document: etree._Element, signature: etree._Element) -> etree._Element:
    """A copy of the document without its signature; the text after it stays."""
    place = list(document).index(signature)
    made = copy.deepcopy(document)
    gone = made[place]
    tail = gone.tail or ""
    if place:
        made[place - 1].tail = (made[place - 1].tail or "") + tail
    else:
        made.text = (made.text or "") + tail
    made.remove(gone)
    return made


def _check_value(parts: _Parts, signed: bytes) -> None:
    key = parts.certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size < _LEAST_BITS:
        raise BadSignature("the signer's key is not RSA of 2048 bits or more")
    try:
        key.verify(parts.value, signed, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature as error:
        raise BadSignature("the signature's value is wrong") from error


def _only(parent: etree._Element, name: str) -> etree._Element:
    found = parent.findall(f"{{{xml.DS}}}{name}")
    if len(found) != 1:
        raise BadSignature(f"{len(found)} {name} in {xml.local(parent)} instead of one")
    return found[0]


def _uri(element: etree._Element) -> str:
    return element.get("Algorithm") or ""


def _prefixes(element: etree._Element) -> Sequence[str]:
    found = element.find(f"{{{xml.EXCLUSIVE}}}InclusiveNamespaces")
    return (found.get("PrefixList") or "").split() if found is not None else []


def _decoded(encoded: str) -> bytes:
    return base64.b64decode("".join(encoded.split()), validate=True)
