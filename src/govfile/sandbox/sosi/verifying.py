"""The sandbox's own check of XML signatures: small and strict, on lxml's canonical XML and cryptography.

It knows the few shapes the authority's documents describe, and refuses whatever else could be signed.
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

from govfile.sandbox.sosi import names
from govfile.sandbox.sosi.names import tag
from govfile.sandbox.sosi.reading import Unreadable, canonical, child, ids, maybe, text

if TYPE_CHECKING:
    from lxml import etree

_METHODS: dict[str, hashes.HashAlgorithm] = {
    names.RSA_SHA1: hashes.SHA1(),  # noqa: S303 - what Seal sends
    names.RSA_SHA256: hashes.SHA256(),
}
_DIGESTS = {names.SHA1: "sha1", names.SHA256: "sha256"}
_MOST_REFERENCES = 10


class BadSignature(ValueError):
    """A signature that proves nothing; the text says why."""


@attrs.frozen(kw_only=True)
class Signed:
    """What a good signature covers, and the certificate in it (believed by nobody yet)."""

    covered: tuple[etree._Element, ...]
    certificate: x509.Certificate | None
    method: str


def signature_in(parent: etree._Element) -> etree._Element | None:
    """The one signature that is a child of `parent`."""
    try:
        return maybe(parent, "ds:Signature")
    except Unreadable as error:
        raise BadSignature(str(error)) from error


def verify_enveloped(assertion: etree._Element, *, key: rsa.RSAPublicKey | None = None) -> Signed:
    """Check that `assertion` is signed from within, as a whole and nothing else; raises `BadSignature`."""
    signature = signature_in(assertion)
    if signature is None:
        raise BadSignature("not signed")
    signed = verify(signature, key=key)
    if len(signed.covered) != 1 or signed.covered[0] is not assertion:
        raise BadSignature("the signature is not about the element it is in")
    return signed


def verify(signature: etree._Element, *, key: rsa.RSAPublicKey | None = None) -> Signed:
    """Check digests and value by the certificate inside, or by `key` where that is given; raises `BadSignature`."""
    try:
        return _verify(signature, key)
    except (Unreadable, binascii.Error) as error:
        raise BadSignature(str(error)) from error


def _verify(signature: etree._Element, key: rsa.RSAPublicKey | None) -> Signed:
    if signature.find(tag("ds:Object")) is not None:
        raise BadSignature("a signature with an Object")
    info = child(signature, "ds:SignedInfo")
    _only(info, "ds:CanonicalizationMethod", names.EXC_C14N)
    method = child(info, "ds:SignatureMethod").get("Algorithm") or ""
    if method not in _METHODS:
        raise BadSignature(f"signature method {method}")
    references = info.findall(tag("ds:Reference"))
    if not 1 <= len(references) <= _MOST_REFERENCES:
        raise BadSignature(f"{len(references)} references")
    known = ids(signature.getroottree().getroot())
    covered = tuple(_checked(reference, signature, known) for reference in references)
    certificate = certificate_in(signature)
    if key is None:
        if certificate is None:
            raise BadSignature("no certificate in KeyInfo")
        found = certificate.public_key()
        if not isinstance(found, rsa.RSAPublicKey):
            raise BadSignature("no RSA key in the certificate")
        key = found
    value = base64.b64decode(text(child(signature, "ds:SignatureValue")))
    try:
        key.verify(value, canonical(info), padding.PKCS1v15(), _METHODS[method])
    except InvalidSignature:
        raise BadSignature("the signature value is wrong") from None
    return Signed(covered=covered, certificate=certificate, method=method)


def _checked(reference: etree._Element, signature: etree._Element, known: dict[str, etree._Element]) -> etree._Element:
    """The element a reference is about, once its digest fits."""
    uri = reference.get("URI") or ""
    target = known.get(uri.removeprefix("#")) if uri.startswith("#") else None
    if target is None:
        raise BadSignature(f"a reference to {uri or 'the whole document'}")
    algorithm = child(reference, "ds:DigestMethod").get("Algorithm") or ""
    if algorithm not in _DIGESTS:
        raise BadSignature(f"digest method {algorithm}")
    covered, content = _transformed(reference, target, signature, known)
    expected = base64.b64decode(text(child(reference, "ds:DigestValue")))
    if hashlib.new(_DIGESTS[algorithm], content).digest() != expected:
        raise BadSignature(f"the digest of {uri} is wrong")
    return covered


def _transformed(
    reference: etree._Element, target: etree._Element, signature: etree._Element, known: dict[str, etree._Element]
) -> tuple[etree._Element, bytes]:
    transforms = [each.get("Algorithm") for each in child(reference, "ds:Transforms")]
    if transforms == [names.STR_TRANSFORM]:
        return _referred_token(reference, target, known)
    if transforms not in ([names.EXC_C14N], [names.ENVELOPED, names.EXC_C14N]):
        raise BadSignature(f"transforms {transforms}")
    if any(len(each) for each in child(reference, "ds:Transforms")):
        raise BadSignature("a transform with parameters")
    if names.ENVELOPED not in transforms or target not in signature.iterancestors():
        return target, canonical(target)
    path = target.getroottree().getelementpath(target)
    whole = copy.deepcopy(target.getroottree().getroot())
    whole_path = target.getroottree().getelementpath(signature)
    tree = whole.getroottree()
    found = whole if path == "." else tree.find(path)
    inner = tree.find(whole_path)
    assert found is not None and inner is not None  # noqa: PT018
    return target, canonical(found, without=[inner])


def _referred_token(
    reference: etree._Element, target: etree._Element, known: dict[str, etree._Element]
) -> tuple[etree._Element, bytes]:
    """The STR-Transform: not the SecurityTokenReference is digested but the token it names (WSS 1.0, section 8.3)."""
    parameters = child(reference, "ds:Transforms", "ds:Transform", "wsse:TransformationParameters")
    _only(parameters, "ds:CanonicalizationMethod", names.EXC_C14N)
    identifier = child(target, "wsse:KeyIdentifier")
    if identifier.get("ValueType") != names.SAML_ID:
        raise BadSignature("a reference to a token that is not by its SAML id")
    token = known.get(text(identifier))
    if token is None or token.tag != tag("saml:Assertion"):
        raise BadSignature("the token referred to is not there")
    return token, _augmented(canonical(token), token)


def _augmented(content: bytes, token: etree._Element) -> bytes:
    """The same step's odd rule: an outermost element without a default namespace says `xmlns=""`."""
    if token.nsmap.get(None):
        return content
    name = content[: min(at for at in (content.find(b" "), content.find(b">")) if at > 0)]
    return name + b' xmlns=""' + content[len(name) :]


def _only(parent: etree._Element, name: str, algorithm: str) -> None:
    found = child(parent, name)
    if found.get("Algorithm") != algorithm or len(found):
        raise BadSignature(f"{name} {found.get('Algorithm')}")


def certificate_in(signature: etree._Element) -> x509.Certificate | None:
    """The certificate in the KeyInfo of a signature (or of anything that has one); raises `BadSignature`."""
    found = maybe(signature, "ds:KeyInfo", "ds:X509Data", "ds:X509Certificate")
    if found is None:
        return None
    try:
        return x509.load_der_x509_certificate(base64.b64decode("".join(text(found).split()), validate=True))
    except ValueError as error:
        raise BadSignature("the certificate cannot be read") from error
