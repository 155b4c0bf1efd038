"""Messages as the sandbox reads and writes them: its own reader, its own cutting, its own canonical XML (by lxml)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.parsers import expat
from xml.sax.saxutils import escape

import attrs
from lxml import etree

if TYPE_CHECKING:
    from collections.abc import Sequence

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
DS = "http://www.w3.org/2000/09/xmldsig#"
INCLUSIVE = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
_ALLOWED_ATTRIBUTES = frozenset({f"{_XSI}schemaLocation", f"{_XSI}noNamespaceSchemaLocation"})
_BODY_DEPTH = 3


class Invalid(ValueError):
    """The message is not what the contract says, in words for its sender."""


def read(content: bytes) -> etree._Element:
    """The root element. No document type is allowed, nothing is fetched. Raises `Invalid`."""
    parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True)
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Invalid(f"no well-formed XML: {error}") from error
    about: Any = root.getroottree().docinfo
    if about.doctype or about.internalDTD is not None:
        raise Invalid("a document type declaration")
    return root


@attrs.frozen(kw_only=True)
class Payload:
    """The one child of a SOAP body: `element` as it stands in the message, `alone` as a document of its own."""

    element: etree._Element
    alone: etree._Element


def open_envelope(content: bytes) -> Payload:
    """What a SOAP 1.1 message carries. Raises `Invalid`."""
    envelope = read(content)
    if envelope.tag == f"{{{SOAP_12}}}Envelope":
        raise Invalid("SOAP 1.2 where 1.1 is spoken")
    if envelope.tag != f"{{{SOAP}}}Envelope":
        raise Invalid("no SOAP envelope")
    parts = elements(envelope)
    if [part.tag for part in parts] not in ([f"{{{SOAP}}}Body"], [f"{{{SOAP}}}Header", f"{{{SOAP}}}Body"]):
        raise Invalid("an envelope holds a header at most, and a body")
    children = elements(parts[-1])
    if len(children) != 1:
        raise Invalid(f"the body holds {len(children)} elements instead of one")
    return Payload(element=children[0], alone=_alone(content, children[0]))


def _alone(content: bytes, element: etree._Element) -> etree._Element:
    """The element as the sender made it before there was an envelope, or, where that cannot be, as it stands in it."""
    try:
        alone = read(_cut(content))
    except Invalid:
        return detached(element)
    is_same = [each.tag for each in alone.iter()] == [each.tag for each in element.iter()]
    return alone if is_same else detached(element)


def _cut(content: bytes) -> bytes:
    """The bytes of the first element at the depth of the body's child, found without reading namespaces."""
    places: list[int] = []
    depth, is_body = 0, False
    parser = expat.ParserCreate()

    def start(name: str, _: object) -> None:
        nonlocal depth, is_body
        depth += 1
        if depth == _BODY_DEPTH - 1:
            is_body = name.rpartition(":")[2] == "Body"
        if depth == _BODY_DEPTH and is_body:
            places.append(parser.CurrentByteIndex)

    def end(_: str) -> None:
        nonlocal depth
        if depth == _BODY_DEPTH and is_body:
            places.append(parser.CurrentByteIndex)
        depth -= 1

    parser.StartElementHandler, parser.EndElementHandler = start, end
    try:
        parser.Parse(content, True)
        first, last = places
        return content[first : content.index(b">", last) + 1]
    except (expat.ExpatError, ValueError) as error:
        raise Invalid("the body's child cannot be cut out") from error


def detached(element: etree._Element) -> etree._Element:
    """A copy as a document of its own, with every namespace that is in scope where it stands."""
    return read(etree.tostring(element, with_tail=False))


def canonical(root: etree._Element, algorithm: str, prefixes: Sequence[str] = ()) -> bytes:
    """Canonical XML without comments of a document's root, by one of the two algorithms' URIs."""
    is_exclusive = algorithm == EXCLUSIVE
    return etree.tostring(
        root,
        method="c14n",
        exclusive=is_exclusive,
        with_comments=False,
        inclusive_ns_prefixes=list(prefixes) if is_exclusive and prefixes else None,
    )


def elements(parent: etree._Element) -> list[etree._Element]:
    """The child elements, comments left out."""
    return [child for child in parent if not callable(child.tag)]


def text(element: etree._Element) -> str:
    """The text of an element that may hold comments, and nothing else but text. Raises `Invalid`."""
    if elements(element):
        raise Invalid(f"{local(element)} holds elements where a value belongs")
    return (element.text or "") + "".join(child.tail or "" for child in element)


def local(element: etree._Element) -> str:
    """The name without its namespace."""
    return etree.QName(element).localname


def check_attributes(element: etree._Element) -> None:
    """Raise `Invalid` for any attribute but the places of schemas."""
    for name in element.attrib:
        if name not in _ALLOWED_ATTRIBUTES:
            raise Invalid(f"{local(element)} has an attribute {name!s}")


# --- writing


def leaf(name: str, value: str) -> str:
    """An element with text."""
    return f"<{name}>{escape(value)}</{name}>"


def element(name: str, *children: str) -> str:
    """An element with children, already written."""
    return f"<{name}>{''.join(children)}</{name}>"


def envelope(payload: str) -> str:
    """The payload in an envelope as the authority writes it: prefix `SOAP-ENV`, an empty header."""
    body = f"<SOAP-ENV:Body>{payload}</SOAP-ENV:Body>"
    return f'<SOAP-ENV:Envelope xmlns:SOAP-ENV="{SOAP}"><SOAP-ENV:Header/>{body}</SOAP-ENV:Envelope>'


def fault(code: str, words: str) -> str:
    """A SOAP fault in its envelope. `code` is `Client`, `Server`, or what has a prefix of its own."""
    name = code if ":" in code else f"SOAP-ENV:{code}"
    return envelope(element("SOAP-ENV:Fault", leaf("faultcode", name), leaf("faultstring", words)))
