"""The sandbox's own reader of messages: one hardened parse, unique ids, texts as canonical XML would show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml import etree

from govfile.sandbox.sosi.names import NS, tag

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_LARGEST = 4 * 1024 * 1024
_DEEPEST = 100
_ID_NAMES = ("id", "ID", "Id", f"{{{NS['wsu']}}}Id")


class Unreadable(ValueError):
    """What came is no message at all; the text says why."""


def parse(body: bytes) -> etree._Element:
    """The root of a document; raises `Unreadable`. No DTD, no entities, no network, bounded size and depth."""
    if len(body) > _LARGEST:
        raise Unreadable("too large")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Unreadable(f"no well-formed XML: {error}") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise Unreadable("a document type declaration")
    _bounded(root)
    return root


def _bounded(root: etree._Element) -> None:
    depth = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if depth > _DEEPEST:
            raise Unreadable("too deeply nested")


def ids(root: etree._Element) -> dict[str, etree._Element]:
    """Every element by its id; raises `Unreadable` where two share one."""
    found: dict[str, etree._Element] = {}
    for element in root.iter("{*}*"):
        values = {element.get(name) for name in _ID_NAMES} - {None}
        for value in values:
            if str(value) in found:
                raise Unreadable(f"two elements with the id {value}")
            found[str(value)] = element
    return found


def child(parent: etree._Element, *path: str) -> etree._Element:
    """The one element at `path` (names with the prefixes of `NS`); raises `Unreadable` when none or several."""
    found = maybe(parent, *path)
    if found is None:
        raise Unreadable(f"no {'/'.join(path)} in {etree.QName(parent).localname}")
    return found


def maybe(parent: etree._Element, *path: str) -> etree._Element | None:
    """The element at `path`, None when there is none; raises `Unreadable` when there are several."""
    at: etree._Element = parent
    for name in path:
        found = at.findall(tag(name))
        if not found:
            return None
        if len(found) > 1:
            raise Unreadable(f"{len(found)} of {name}")
        at = found[0]
    return at


def within(parents: Iterable[etree._Element], name: str) -> etree._Element | None:
    """The one child of that name in any of `parents`, None when there is none; raises `Unreadable` when several."""
    found = [each for parent in parents for each in parent.findall(tag(name))]
    if len(found) > 1:
        raise Unreadable(f"{len(found)} of {name}")
    return found[0] if found else None


def text(element: etree._Element | None) -> str:
    """All the text inside, as signatures see it: comments do not cut it short."""
    if element is None:
        return ""
    return "".join(str(found) for found in element.itertext("{*}*")).strip()


def value(parent: etree._Element, *path: str) -> str:
    """The text at `path`; nothing where there is no such element."""
    return text(maybe(parent, *path))


def attributes(assertion: etree._Element) -> dict[str, str]:
    """SAML attributes by name, whatever statement they are in; raises `Unreadable` for a name that comes twice."""
    found: dict[str, str] = {}
    for statement in assertion.findall(tag("saml:AttributeStatement")):
        for attribute in statement.findall(tag("saml:Attribute")):
            name = attribute.get("Name") or ""
            if name in found:
                raise Unreadable(f"two attributes {name}")
            found[name] = value(attribute, "saml:AttributeValue")
    return found


def attribute(assertion: etree._Element, name: str) -> etree._Element | None:
    """The attribute element of that name."""
    for found in assertion.iterfind(f"{tag('saml:AttributeStatement')}/{tag('saml:Attribute')}"):
        if found.get("Name") == name:
            return found
    return None


def canonical(element: etree._Element, *, without: Sequence[etree._Element] = ()) -> bytes:
    """The element in exclusive canonical form (no comments), without some of its descendants."""
    for each in without:
        _detached(each)
    return etree.tostring(element, method="c14n", exclusive=True, with_comments=False)


def _detached(element: etree._Element) -> None:
    """Take an element out and leave the text after it where it was."""
    parent = element.getparent()
    assert parent is not None
    if element.tail:
        before = element.getprevious()
        if before is None:
            parent.text = (parent.text or "") + element.tail
        else:
            before.tail = (before.tail or "") + element.tail
        element.tail = None
    parent.remove(element)
