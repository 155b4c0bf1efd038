"""Verifying XML signatures so that only what was signed is read.

The document is read once. The policy says where the signature stands and which elements it must cover; what comes
back are those elements, taken from the very bytes whose digest was right. Nothing else of the document is believed,
and a document that holds more than the policy names is refused.
"""

from __future__ import annotations

import hmac
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

import attrs
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from govfile.certificates.signer import Scheme, is_signature
from govfile.errors import ConfigurationError, CredentialError, ProtocolError, TrustError
from govfile.xml import _tree
from govfile.xml._coverage import covered, places_of
from govfile.xml._signature import SIGNATURE, read_signature
from govfile.xml._signed_by import certificate_of
from govfile.xml.canonical import canonical_bytes
from govfile.xml.policy import Coverage
from govfile.xml.splicing import Span, named_in, quick_span, span_of, standing_alone
from govfile.xml.tokens import canonical_token
from govfile.xml.unsigned import UnsignedPart
from govfile.xml.window import check_window

if TYPE_CHECKING:
    from cryptography import x509
    from lxml.etree import _Element

    from govfile.certificates.signer import PublicKey
    from govfile.xml._signature import ReadSignature, SignedReference
    from govfile.xml._tree import Row
    from govfile.xml.parse import Element
    from govfile.xml.policy import Part, Policy

_WRITTEN_ANEW = "look whether something on its way wrote the XML anew, prettified above all"


@attrs.frozen(eq=False, slots=False, repr=False)
class VerifiedPart:
    """One element that was signed: its `path`, and its `content`, the canonical bytes that were digested.

    Where the signature stood inside, `content` is without it.
    """

    path: tuple[str, ...]
    content: bytes
    _document: bytes
    _place: Span | tuple[int, ...]
    _inherited: dict[str | None, str]
    _names_only_what_it_uses: bool

    @cached_property
    def _root(self) -> _Element:
        return _tree.root_of(self.content)

    @cached_property
    def element(self) -> Element:
        """The element as a value, read from `content`: comments gone without splitting the text around them."""
        return _tree.value_of(self._root)

    def rows(self, *names: str) -> list[Row]:
        """The elements along a path of `{namespace}local` names below this one, in order, read from `content`.

        Without names it is this element. Quicker than `element` for who needs a few values.
        """
        return _tree.rows_of(self._root, names)

    @cached_property
    def original(self) -> bytes:
        """The element's bytes as they came, signature included: what to keep and to pass on.

        Those namespaces it inherited in its message and names are declared on it (all of them, where it was signed in
        a form that writes them all), so that it stands alone and fits elsewhere. Read nothing from it: comments in it,
        for one, were not signed.
        """
        place = self._place if isinstance(self._place, Span) else span_of(self._document, self._place)
        needed = self._inherited
        if self._names_only_what_it_uses:
            needed = named_in(self._document[place.start : place.end], needed)
        return standing_alone(self._document, place, needed)

    def __repr__(self) -> str:
        return f"<VerifiedPart {self.path[-1]}, {len(self.content)} bytes>"


@attrs.frozen(kw_only=True, eq=False)
class Verified:
    """What a verified message says: its signed `parts` in the order of the policy, and who signed them.

    `valid_from` and `valid_until` (UTC) are those of the policy's window, None without one.
    """

    parts: tuple[VerifiedPart, ...]
    certificate: x509.Certificate
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    _document: _tree.Tree = attrs.field(repr=False, alias="document")

    @property
    def element(self) -> Element:
        """The first part as a value."""
        return self.parts[0].element

    def part(self, path: tuple[str, ...]) -> VerifiedPart | None:
        """The signed part at a path of the policy; None when it was optional and not signed."""
        return next((found for found in self.parts if found.path == path), None)

    def unsigned(self, path: tuple[str, ...]) -> tuple[UnsignedPart, ...]:
        """The elements at a path (`{namespace}local` names from the root down), whether signed or not: believe
        nothing of them. They are of the very document that was verified, read once.
        """
        return tuple(UnsignedPart(self._document, found) for found in self._document.at(path))


def verify(document: bytes, policy: Policy, *, at: datetime | None = None) -> Verified:
    """The signed parts of `document`, when all the policy demands holds at `at` (aware; now, if left out).

    Raises `TrustError` when it does not, `ProtocolError` when the document cannot be read or carries what signed
    messages never do (a document type, processing instructions, an id twice, another encoding than UTF-8), and
    `ConfigurationError` for a time without a zone. Revocation is not looked up.
    """
    at = _aware(at)
    tree = _tree.read(document, limits=policy.limits, what="the signed message", free=policy.free)
    element = _the_signature(tree, policy)
    places = places_of(tree, policy)
    signature = read_signature(element, policy)
    pairs = covered(tree, element, signature.references, places)
    certificate, key = certificate_of(signature.key_info, policy.signers, at)
    try:
        _check_value(signature, key)
        pairs.sort(key=lambda pair: pair[0].coverage is Coverage.ENVELOPED)  # last: it takes the signature out
        found = {part: _part(tree, element, places[part], part, reference) for part, reference in pairs}
    except ProtocolError as error:
        raise TrustError("the signature does not hold: a part of the message has no canonical form") from error
    parts = tuple(found[part] for part in policy.parts if part in found)
    if policy.window is None:
        return Verified(parts=parts, certificate=certificate, document=tree)
    begin, end = check_window(parts[0], policy.window, at)
    return Verified(parts=parts, certificate=certificate, valid_from=begin, valid_until=end, document=tree)


def _aware(at: datetime | None) -> datetime:
    if at is None:
        return datetime.now(UTC)
    if at.tzinfo is None:
        raise ConfigurationError(f"the time {at} has no time zone", advice="give an aware datetime, e.g. in UTC")
    return at


def _the_signature(tree: _tree.Tree, policy: Policy) -> _Element:
    """The one signature at its place; any that stands where the policy expects none is refused."""
    parents = tree.at(policy.signature)
    if len(parents) != 1:
        raise TrustError(f"the message has {len(parents)} elements where the signed one should be, not one")
    found = list(parents[0].iterchildren(SIGNATURE))
    if len(found) != 1:
        raise TrustError(f"the message has {len(found)} signatures where there should be one")
    if policy.is_last and any(map(_tree.is_element, found[0].itersiblings())):
        raise TrustError("something stands behind the signature, which should be last")
    allowed = {id(parent): parent for path in policy.others for parent in tree.at(path)}
    unbound = set(tree.at(policy.free))
    for signature in tree.root.iter(SIGNATURE):
        if signature is not found[0] and id(signature.getparent()) not in allowed:
            if unbound and _tree.is_below(signature, unbound):
                continue
            raise TrustError("the message has a signature where none is expected")
    return found[0]


def _check_value(signature: ReadSignature, key: PublicKey) -> None:
    try:
        signature.algorithm.check_key(key)
    except CredentialError as error:
        raise TrustError("the signature's algorithm does not fit the signer's key") from error
    signed = canonical_bytes(signature.signed_info, signature.method.canonicalization, signature.method.prefixes)
    value = signature.value
    if signature.algorithm.scheme is Scheme.ECDSA:
        assert isinstance(key, ec.EllipticCurvePublicKey)
        size = (key.key_size + 7) // 8
        if len(value) != 2 * size:
            raise TrustError("the signature has the wrong length for the signer's key")
        value = encode_dss_signature(int.from_bytes(value[:size], "big"), int.from_bytes(value[size:], "big"))
    if not is_signature(key, value, signed, signature.algorithm):
        raise TrustError(
            "the signature does not fit the signer's certificate",
            advice=_WRITTEN_ANEW,
        )


def _part(
    tree: _tree.Tree, signature: _Element, element: _Element, part: Part, reference: SignedReference
) -> VerifiedPart:
    """A part, when the digest of its canonical bytes is right."""
    method = reference.method.canonicalization.without_comments
    prefixes = reference.method.prefixes
    above = element.getparent()
    place = quick_span(tree, element) or _tree.indices(element)
    if reference.is_token:
        content = canonical_token(element, method, prefixes)
    else:
        if signature.getparent() is element:
            _take_out(signature, element)
        content = canonical_bytes(element, method, prefixes)
    if not hmac.compare_digest(reference.digest.of(content), reference.value):
        raise TrustError(
            "the digest of a signed part does not hold: it was changed after it was signed",
            advice=_WRITTEN_ANEW,
        )
    inherited = {} if above is None else dict(above.nsmap)
    return VerifiedPart(part.path, content, tree.content, place, inherited, method.is_exclusive and not prefixes)


def _take_out(signature: _Element, element: _Element) -> None:
    """Remove the signature, and nothing of the text behind it."""
    before, text = signature.getprevious(), signature.tail or ""
    signature.tail = None
    if before is None:
        element.text = (element.text or "") + text
    else:
        before.tail = (before.tail or "") + text
    element.remove(signature)
