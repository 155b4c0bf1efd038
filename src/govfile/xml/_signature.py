"""A `ds:Signature`, read strictly: what it may hold and nothing else."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

import attrs
from lxml import etree

from govfile.errors import TrustError
from govfile.xml._tree import own_text
from govfile.xml.algorithms import DIGESTS, DS, ENVELOPED, SIGNATURES, STR_TRANSFORM, WSSE, Canonicalization

if TYPE_CHECKING:
    from lxml.etree import _Element

    from govfile.certificates.signer import SignatureAlgorithm
    from govfile.xml.algorithms import Digest
    from govfile.xml.policy import Policy

SIGNATURE = f"{{{DS}}}Signature"
_SIGNED_INFO = f"{{{DS}}}SignedInfo"
_SIGNATURE_VALUE = f"{{{DS}}}SignatureValue"
_KEY_INFO = f"{{{DS}}}KeyInfo"
_REFERENCE = f"{{{DS}}}Reference"
_TRANSFORM = f"{{{DS}}}Transform"
_METHOD = f"{{{DS}}}CanonicalizationMethod"
_PARAMETERS = f"{{{WSSE}}}TransformationParameters"
_PREFIXES = f"{{{Canonicalization.EXCLUSIVE.value}}}InclusiveNamespaces"


@attrs.frozen
class Method:
    """A canonicalisation and its list of prefixes."""

    canonicalization: Canonicalization
    prefixes: tuple[str, ...] = ()


@attrs.frozen
class SignedReference:
    """One `ds:Reference`: the id it names ("" for the whole document) and how its digest was made."""

    id: str
    method: Method
    is_enveloped: bool
    is_token: bool
    digest: Digest
    value: bytes


@attrs.frozen(eq=False)
class ReadSignature:
    """A signature whose form is in order; nothing has been verified."""

    signed_info: _Element
    method: Method
    algorithm: SignatureAlgorithm
    references: tuple[SignedReference, ...]
    value: bytes
    key_info: _Element | None


def read_signature(element: _Element, policy: Policy) -> ReadSignature:
    """Read what stands in a `ds:Signature`; raises `TrustError` for anything the policy does not name."""
    if next(element.iter(etree.Comment), None) is not None:
        raise TrustError("there is a comment in the signature")
    names = [child.tag for child in element]
    if names not in ([_SIGNED_INFO, _SIGNATURE_VALUE], [_SIGNED_INFO, _SIGNATURE_VALUE, _KEY_INFO]):
        raise TrustError("the signature holds something other than SignedInfo, SignatureValue and KeyInfo")
    methods = [f"{{{DS}}}CanonicalizationMethod", f"{{{DS}}}SignatureMethod"]
    inside = list(element[0])
    if len(inside) < 3 or [child.tag for child in inside] != [*methods, *[_REFERENCE] * (len(inside) - 2)]:
        raise TrustError("SignedInfo does not hold two methods and at least one reference")
    algorithm = SIGNATURES.get(inside[1].get("Algorithm", ""))
    if algorithm is None or algorithm not in policy.algorithms or len(inside[1]):
        raise TrustError(f"the signature's algorithm is not accepted{_named(algorithm)}")
    return ReadSignature(
        element[0],
        _method(inside[0], policy),
        algorithm,
        tuple(_reference(found, policy) for found in inside[2:]),
        _bytes(element[1], "the signature"),
        element[2] if len(element) == 3 else None,
    )


def _reference(element: _Element, policy: Policy) -> SignedReference:
    expected = [f"{{{DS}}}{name}" for name in ("Transforms", "DigestMethod", "DigestValue")]
    if [child.tag for child in element] != expected:
        raise TrustError("a reference does not hold transforms, a digest's method and its value")
    uri = element.get("URI")
    if uri is None or (uri and not uri.startswith("#")):
        raise TrustError("a reference names something outside the document")
    if uri.startswith("#") and (len(uri) < 2 or "(" in uri):
        raise TrustError("a reference names its element by other means than an id")
    digest = DIGESTS.get(element[1].get("Algorithm", ""))
    if digest is None or digest not in policy.digests or len(element[1]):
        raise TrustError(f"a reference's digest is not accepted{_named(digest)}")
    method, is_enveloped, is_token = _transforms(element[0], policy)
    return SignedReference(uri[1:], method, is_enveloped, is_token, digest, _bytes(element[2], "a digest"))


def _transforms(element: _Element, policy: Policy) -> tuple[Method, bool, bool]:
    """At most the enveloped-signature transform, then one canonicalisation, or the STR-Transform alone."""
    found = list(element)
    if any(one.tag != _TRANSFORM for one in found) or not 1 <= len(found) <= 2:
        raise TrustError("a reference has transforms that are not accepted")
    if len(found) == 1 and found[0].get("Algorithm") == STR_TRANSFORM:
        parameters = list(found[0])
        if [one.tag for one in parameters] != [_PARAMETERS] or [one.tag for one in parameters[0]] != [_METHOD]:
            raise TrustError("an STR-Transform does not name its canonicalisation")
        return _method(parameters[0][0], policy), False, True
    is_enveloped = found[0].get("Algorithm") == ENVELOPED and len(found[0]) == 0
    rest = found[1:] if is_enveloped else found
    if not rest and Canonicalization.INCLUSIVE in policy.canonicalizations:
        return Method(Canonicalization.INCLUSIVE), True, False  # what XML Signature falls back on
    if len(rest) != 1:
        raise TrustError("a reference has transforms that are not accepted")
    return _method(rest[0], policy), is_enveloped, False


def _method(element: _Element, policy: Policy) -> Method:
    try:
        named = Canonicalization(element.get("Algorithm", ""))
    except ValueError:
        named = None
    if named is None or named not in policy.canonicalizations:
        raise TrustError("a canonicalisation or transform is not accepted")
    children = list(element)
    if not children:
        return Method(named)
    listed = children[0].get("PrefixList", "").split()
    if len(children) != 1 or children[0].tag != _PREFIXES or len(children[0]) or not named.is_exclusive:
        raise TrustError("a canonicalisation has parameters that are not accepted")
    return Method(named, tuple(listed))


def _bytes(element: _Element, what: str) -> bytes:
    text = "".join((own_text(element) or "").split())
    try:
        value = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error) as error:
        raise TrustError(f"{what} is not Base64") from error
    if not value:
        raise TrustError(f"{what} is empty")
    return value


def _named(found: SignatureAlgorithm | Digest | None) -> str:
    return "" if found is None else f": {found.value}"
