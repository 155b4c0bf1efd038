"""Signing XML (W3C XML Signature 1.1; OASIS Web Services Security 1.0 for envelopes and tokens).

The document comes in as bytes and goes out as the same bytes with one `ds:Signature` put in. Sign last: whatever is
written anew afterwards, prettified above all, breaks the signature.
"""

from __future__ import annotations

import base64
from functools import lru_cache
from typing import TYPE_CHECKING

import attrs
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from govfile.certificates.signer import Scheme, SignatureAlgorithm
from govfile.errors import InvalidContent
from govfile.xml import _tree
from govfile.xml.algorithms import (
    DIGEST_URIS,
    DS,
    ENVELOPED,
    SIGNATURE_URIS,
    STR_TRANSFORM,
    WSSE,
    Canonicalization,
    Digest,
)
from govfile.xml.canonical import canonical_bytes, escape_attribute
from govfile.xml.key_info import KeyInfo, id_attribute
from govfile.xml.splicing import Place, element_at, insert
from govfile.xml.tokens import canonical_token, token_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lxml.etree import _Element

    from govfile.certificates.credential import Credential
    from govfile.certificates.signer import PublicKey
    from govfile.xml.parse import Limits

_EXCLUSIVE_NS = Canonicalization.EXCLUSIVE.value
_CERTIFICATE = KeyInfo.certificate()
_ENVELOPED = f'<ds:Transform Algorithm="{ENVELOPED}"></ds:Transform>'
_ENVELOPED_EXCLUSIVE = f'{_ENVELOPED}<ds:Transform Algorithm="{_EXCLUSIVE_NS}"></ds:Transform>'


@attrs.frozen(kw_only=True)
class Reference:
    """One thing that is signed: the element whose id is `id`, or the root when `id` is "".

    `is_enveloped`: the signature stands inside it and is left out of the digest. `is_token`: the element is a
    `wsse:SecurityTokenReference`, and the SAML assertion it names is digested in its place (STR-Transform).
    `prefixes` go into an `InclusiveNamespaces` list.
    """

    id: str
    is_enveloped: bool = False
    is_token: bool = False
    canonicalization: Canonicalization = Canonicalization.EXCLUSIVE
    prefixes: tuple[str, ...] = ()
    digest: Digest | None = None


def sign(
    document: bytes,
    credential: Credential,
    references: Sequence[Reference],
    place: Place,
    *,
    algorithm: SignatureAlgorithm | None = None,
    digest: Digest | None = None,
    canonicalization: Canonicalization = Canonicalization.EXCLUSIVE,
    key_info: KeyInfo | None = None,
    signature_id: tuple[str, str] | None = None,
    free: tuple[str, ...] = (),
    limits: Limits | None = None,
) -> bytes:
    """`document` with a signature over `references`, put at `place`.

    `algorithm` is the usual one for the key unless given (RSA or ECDSA with SHA-256 for the common keys; SHA-1 has to
    be named). `digest` is for references that name none: the algorithm's own hash unless given. `canonicalization` is
    that of `SignedInfo`. `key_info` holds the certificate unless given. `signature_id` is an attribute of
    `ds:Signature`, name and value, such as `("id", "OCESSignature")`. `free` is the path of an element in which ids
    may stand twice, as in a `Policy`; `limits` are those of the document. Base64 is written without line breaks.

    Raises `ProtocolError` when the document cannot be read, `InvalidContent` when something referenced, or the place,
    is not there exactly once, and `CredentialError` when the key cannot sign.
    """
    if not references:
        raise InvalidContent("a signature needs at least one reference")
    algorithm = algorithm or SignatureAlgorithm.usual_for(credential.public_key)
    algorithm.check_key(credential.public_key)
    digest = digest or Digest(algorithm.hash_name)
    tree = _tree.read(document, free=free, limits=limits)
    parent = element_at(tree, place.path)
    written = "".join(_reference(tree, found, found.digest or digest, parent) for found in references)
    frame = _Frame.of(algorithm, canonicalization, signature_id)
    about_key = (key_info or _CERTIFICATE).written(credential)
    if canonicalization.is_exclusive:
        to_sign = frame.to_sign(written)
    else:
        unsigned = insert(tree, frame.signature(written, "", about_key), place, parent)
        to_sign = _in_its_surroundings(unsigned, place, canonicalization, free)
    value = _value(to_sign, credential, algorithm)
    return insert(tree, frame.signature(written, value, about_key), place, parent)


def enveloped_signature(
    canonical: bytes,
    element_id: str,
    credential: Credential,
    *,
    algorithm: SignatureAlgorithm | None = None,
    signature_id: tuple[str, str] | None = None,
    key_info: KeyInfo | None = None,
) -> bytes:
    """The `ds:Signature` for an element whose exclusive canonical form is known: nothing is parsed.

    `canonical` is that form without the signature, `element_id` the element's id; the caller puts what comes back
    into the element. For whoever writes an element in canonical form to begin with, and only then: canonical it must
    be. The other arguments and the errors are those of `sign`.
    """
    algorithm = algorithm or SignatureAlgorithm.usual_for(credential.public_key)
    digest, frame, before, after = _enveloped(algorithm, element_id, signature_id)
    reference = f"{before}{base64.b64encode(digest.of(canonical)).decode('ascii')}{after}"
    value = _value(frame.to_sign(reference), credential, algorithm)
    return frame.signature(reference, value, (key_info or _CERTIFICATE).written(credential))


@lru_cache(maxsize=64)
def _enveloped(
    algorithm: SignatureAlgorithm, element_id: str, signature_id: tuple[str, str] | None
) -> tuple[Digest, _Frame, str, str]:
    """How an enveloped signature digests, its frame, and its reference before and after the digest's value."""
    digest = Digest(algorithm.hash_name)
    reference = _written_reference(Reference(id=element_id, is_enveloped=True), _ENVELOPED_EXCLUSIVE, digest, "|")
    before, after = reference.rsplit("|", 1)
    return digest, _Frame.of(algorithm, Canonicalization.EXCLUSIVE, signature_id), before, after


@attrs.frozen
class _Frame:
    """What stands around the references of a signature: the beginning of `ds:Signature`, and the methods."""

    opened: str
    methods: str

    @classmethod
    @lru_cache(maxsize=64)
    def of(
        cls, algorithm: SignatureAlgorithm, canonicalization: Canonicalization, signature_id: tuple[str, str] | None
    ) -> _Frame:
        name, value = signature_id or ("Id", None)
        return cls(
            f'<ds:Signature xmlns:ds="{DS}"{id_attribute(name, value)}>',
            f'<ds:CanonicalizationMethod Algorithm="{canonicalization.value}"></ds:CanonicalizationMethod>'
            f'<ds:SignatureMethod Algorithm="{SIGNATURE_URIS[algorithm]}"></ds:SignatureMethod>',
        )

    def to_sign(self, references: str) -> bytes:
        """`SignedInfo` as exclusive canonicalisation has it."""
        return f'<ds:SignedInfo xmlns:ds="{DS}">{self.methods}{references}</ds:SignedInfo>'.encode()

    def signature(self, references: str, value: str, about_key: str) -> bytes:
        """The whole element."""
        return (
            f"{self.opened}<ds:SignedInfo>{self.methods}{references}</ds:SignedInfo>"
            f"<ds:SignatureValue>{value}</ds:SignatureValue>{about_key}</ds:Signature>"
        ).encode()


def _value(to_sign: bytes, credential: Credential, algorithm: SignatureAlgorithm) -> str:
    made = credential.signer.sign(to_sign, algorithm)
    if algorithm.scheme is Scheme.ECDSA:
        made = _two_numbers(made, credential.public_key)
    return base64.b64encode(made).decode("ascii")


def _reference(tree: _tree.Tree, wanted: Reference, digest: Digest, parent: _Element) -> str:
    """The `ds:Reference` in its canonical form."""
    element = _referenced(tree, wanted)
    method = wanted.canonicalization.without_comments
    encloses = element is parent or any(above is element for above in parent.iterancestors())
    if wanted.is_enveloped != encloses and not wanted.is_token:
        where = "outside" if wanted.is_enveloped else "inside"
        raise InvalidContent(
            f"the signature would stand {where} the element {wanted.id!r} that it signs",
            advice="give it another place, or change is_enveloped",
        )
    if wanted.is_token:
        token = token_of(tree, element)
        if token is None:
            raise InvalidContent(f"the element {wanted.id!r} does not refer to an assertion in the document")
        content = canonical_token(token, method, wanted.prefixes)
        named = f'<ds:CanonicalizationMethod Algorithm="{wanted.canonicalization.value}">{_prefixes(wanted)}'
        transforms = (
            f'<ds:Transform Algorithm="{STR_TRANSFORM}"><wsse:TransformationParameters xmlns:wsse="{WSSE}">{named}'
            "</ds:CanonicalizationMethod></wsse:TransformationParameters></ds:Transform>"
        )
    else:
        content = canonical_bytes(element, method, wanted.prefixes)
        transforms = f'<ds:Transform Algorithm="{wanted.canonicalization.value}">{_prefixes(wanted)}</ds:Transform>'
        if wanted.is_enveloped:
            transforms = f"{_ENVELOPED}{transforms}"
    return _written_reference(wanted, transforms, digest, base64.b64encode(digest.of(content)).decode("ascii"))


def _written_reference(wanted: Reference, transforms: str, digest: Digest, value: str) -> str:
    uri = escape_attribute(f"#{wanted.id}" if wanted.id else "")
    return (
        f'<ds:Reference URI="{uri}"><ds:Transforms>{transforms}</ds:Transforms>'
        f'<ds:DigestMethod Algorithm="{DIGEST_URIS[digest]}"></ds:DigestMethod>'
        f"<ds:DigestValue>{value}</ds:DigestValue></ds:Reference>"
    )


def _referenced(tree: _tree.Tree, wanted: Reference) -> _Element:
    if not wanted.id:
        return tree.root
    if not _tree.NCNAME.fullmatch(wanted.id):
        raise InvalidContent(f"{wanted.id!r} is not an id that XML allows", advice="begin it with a letter or _")
    if wanted.id not in tree.ids:
        raise InvalidContent(f"the document has no element with the id {wanted.id!r}")
    return tree.ids[wanted.id]


def _prefixes(wanted: Reference) -> str:
    if not wanted.prefixes:
        return ""
    if not wanted.canonicalization.is_exclusive:
        raise InvalidContent("a list of prefixes belongs to the exclusive canonicalisation only")
    listed = escape_attribute(" ".join(wanted.prefixes))
    return f'<ec:InclusiveNamespaces xmlns:ec="{_EXCLUSIVE_NS}" PrefixList="{listed}"></ec:InclusiveNamespaces>'


def _in_its_surroundings(
    document: bytes, place: Place, canonicalization: Canonicalization, free: tuple[str, ...]
) -> bytes:
    """`SignedInfo` as the inclusive form has it: with all that it inherits at its place."""
    tree = _tree.read(document, free=free)
    parent = element_at(tree, place.path)
    ours = parent[-1] if place.after is None else next(parent.iterchildren(place.after)).getnext()
    while ours is not None and ours.tag != f"{{{DS}}}Signature":
        ours = ours.getprevious()  # a comment may stand behind
    assert ours is not None
    return canonical_bytes(ours[0], canonicalization)


def _two_numbers(signature: bytes, key: PublicKey) -> bytes:
    """An ECDSA signature as XML Signature 1.1 (section 6.4.3) writes it: r and s, each as long as the group's order."""
    assert isinstance(key, ec.EllipticCurvePublicKey)
    size = (key.key_size + 7) // 8
    return b"".join(number.to_bytes(size, "big") for number in decode_dss_signature(signature))
