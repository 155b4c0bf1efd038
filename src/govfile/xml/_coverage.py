"""Which element each reference of a signature covers, and whether those are the ones a policy demands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from govfile.errors import TrustError
from govfile.xml.policy import Coverage
from govfile.xml.tokens import token_of

if TYPE_CHECKING:
    from lxml.etree import _Element

    from govfile.xml._signature import SignedReference
    from govfile.xml._tree import Tree
    from govfile.xml.policy import Part, Policy


def places_of(tree: Tree, policy: Policy) -> dict[Part, _Element]:
    """The element of each part that is there; raises `TrustError` where one is missing or not alone."""
    places: dict[Part, _Element] = {}
    for part in policy.parts:
        found = tree.at(part.path)
        if not found and not part.is_required:
            continue
        name = part.path[-1].rpartition("}")[2]
        if len(found) != 1:
            raise TrustError(f"the message has {len(found)} elements {name} at the place of the signed one, not one")
        if part.is_only_one and sum(1 for _ in tree.root.iter(part.path[-1])) != 1:
            raise TrustError(f"the message has more than one element {name}")
        places[part] = found[0]
    return places


def covered(
    tree: Tree, signature: _Element, references: tuple[SignedReference, ...], places: dict[Part, _Element]
) -> list[tuple[Part, SignedReference]]:
    """Each reference with the part it covers; raises `TrustError` unless they match one to one."""
    if len(references) > len(places):
        raise TrustError(f"the signature covers {len(references)} elements; at most {len(places)} are expected")
    pairs = [(_part_of(tree, signature, reference, places), reference) for reference in references]
    parts = [part for part, _ in pairs]
    if len(set(parts)) != len(parts):
        raise TrustError("the signature covers one element twice")
    for part in places:
        if part.is_required and part not in parts:
            raise TrustError(f"the signature does not cover the element {part.path[-1].rpartition('}')[2]}")
    return pairs


def _part_of(tree: Tree, signature: _Element, reference: SignedReference, places: dict[Part, _Element]) -> Part:
    element = tree.ids.get(reference.id) if reference.id else tree.root
    if element is not None and reference.is_token:
        element = token_of(tree, element)
    if element is None:
        raise TrustError("a reference leads nowhere: no element of the message has its id")
    part = next((part for part, place in places.items() if place is element), None)
    if part is None:
        raise TrustError("the signature covers an element that is not the expected one")
    if reference.is_token != (part.coverage is Coverage.BY_REFERENCE):
        raise TrustError("the signature covers an element in another way than expected")
    if part.coverage is Coverage.ENVELOPED:
        if not reference.is_enveloped:
            raise TrustError("the signature stands in the element it covers, and does not leave itself out")
    elif any(above is element for above in signature.iterancestors()):
        raise TrustError("the signature stands in an element that it covers from outside")
    return part
