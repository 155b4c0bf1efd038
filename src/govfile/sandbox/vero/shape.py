"""What a message of the register must hold: elements in their order, values of their kind, none in a namespace."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import attrs

from govfile.sandbox.vero import xml
from govfile.sandbox.vero.xml import Invalid

if TYPE_CHECKING:
    from collections.abc import Callable

    from lxml import etree


@attrs.frozen
class Leaf:
    """A value of which the whole matches `pattern`."""

    pattern: str


@attrs.frozen
class Node:
    """Children in this order."""

    parts: tuple[Part, ...]


@attrs.frozen
class Part:
    """A child element: how often it comes, and what is in it; None: whatever it is."""

    name: str
    what: Leaf | Node | None = None
    least: int = 1
    most: float = 1


def text(most: int) -> Leaf:
    """1 to `most` characters."""
    return Leaf(rf"(?s:.{{1,{most}}})")


INT = Leaf(r"\s*[+-]?\d{1,9}\s*")
BOOL = Leaf(r"true|false")
DATE = Leaf(r"\d{4}-\d\d-\d\d(Z|[+-]\d\d:\d\d)?")
TIME = Leaf(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?")
GUID = Leaf(r"[0-9a-fA-F]{32}")


def optional(name: str, what: Leaf | Node | None = None) -> Part:
    """A child that may be missing."""
    return Part(name, what, 0)


def many(name: str, what: Leaf | Node | None = None) -> Part:
    """A child that comes once or more often."""
    return Part(name, what, 1, float("inf"))


def check(element: etree._Element, node: Node, *, name_of: Callable[[etree._Element], str] = xml.local) -> None:
    """Raise `Invalid` where the element's children are not as `node` says."""
    xml.check_attributes(element)
    loose = (element.text or "") + "".join(child.tail or "" for child in element)
    if loose.strip():
        raise Invalid(f"there is text between the elements of {name_of(element)}")
    waiting = xml.elements(element)
    for part in node.parts:
        count = 0
        while waiting and waiting[0].tag == part.name and count < part.most:
            _check_part(waiting.pop(0), part)
            count += 1
        if count < part.least:
            found = waiting[0].tag if waiting else "nothing"
            raise Invalid(f"{part.name} (in no namespace) belongs in {name_of(element)} where {found} stands")
    if waiting:
        raise Invalid(f"{waiting[0].tag} is not expected in {name_of(element)}")


def _check_part(element: etree._Element, part: Part) -> None:
    if isinstance(part.what, Node):
        check(element, part.what)
    elif isinstance(part.what, Leaf) and not re.fullmatch(part.what.pattern, xml.text(element)):
        raise Invalid(f"the value of {part.name} is not of its kind")
