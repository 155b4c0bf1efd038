"""Canonical XML: the bytes a digest is taken over (W3C Canonical XML 1.0, Exclusive XML Canonicalization 1.0).

libxml2 does the work, through lxml. lxml canonicalises an element apart from its ancestors, which is right for the
exclusive form but loses inherited namespaces where they count: in the inclusive form, and for the prefixes of an
`InclusiveNamespaces` list. There the element is first given what it inherits.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lxml import etree

from govfile.errors import ProtocolError
from govfile.xml._tree import attributes, parser, read
from govfile.xml.algorithms import XML, Canonicalization

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lxml.etree import _Element

#: How an `InclusiveNamespaces` list names the default namespace.
DEFAULT = "#default"

_TO_ESCAPE = re.compile("[&<>\r]")


def canonicalize(
    document: bytes, method: Canonicalization = Canonicalization.EXCLUSIVE, *, prefixes: Sequence[str] = ()
) -> bytes:
    """The canonical bytes of a document's root element.

    `prefixes` are those of an `InclusiveNamespaces` list (`#default` for none), for the exclusive methods only. Raises
    `ProtocolError` when the document cannot be read, is not UTF-8, or has no canonical form.
    """
    return canonical_bytes(read(document).root, method, prefixes)


def canonical_bytes(element: _Element, method: Canonicalization, prefixes: Sequence[str] = ()) -> bytes:
    """The same for an element of a tree; for this package only."""
    inherits = bool(prefixes) if method.is_exclusive else True
    if inherits and element.getparent() is not None:
        element = _with_inheritance(element, is_exclusive=method.is_exclusive)
    if DEFAULT in prefixes:
        _make_known()
    try:
        written: bytes = etree.tostring(
            element,
            method="c14n",
            exclusive=method.is_exclusive,
            with_comments=method.keeps_comments,
            inclusive_ns_prefixes=list(prefixes) or None,
            with_tail=False,
        )
    except (etree.LxmlError, ValueError) as error:
        raise ProtocolError(
            "a part of the message has no canonical form", advice="look for a relative namespace name in it"
        ) from error
    if not written:
        raise ProtocolError("a part of the message has an empty canonical form")
    return written


def escape_text(text: str) -> str:
    """Text as canonical XML writes it."""
    if _TO_ESCAPE.search(text) is None:
        return text
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#xD;")


def escape_attribute(value: str) -> str:
    """An attribute's value, to be put between double quotes, as canonical XML writes it."""
    escaped = value.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return escaped.replace("\t", "&#x9;").replace("\n", "&#xA;").replace("\r", "&#xD;")


def _with_inheritance(element: _Element, *, is_exclusive: bool) -> _Element:
    """The element as a document of its own, its ancestors' namespaces declared on it.

    The inclusive form also inherits attributes such as `xml:lang`.
    """
    alone: _Element = etree.fromstring(etree.tostring(element, with_tail=False, encoding="UTF-8"), parser())
    if not is_exclusive:
        for ancestor in element.iterancestors():
            for name, value in attributes(ancestor):
                if name.startswith(f"{{{XML}}}") and name not in alone.attrib:
                    alone.set(name, value)
    return alone


def _make_known() -> None:
    """lxml passes on only those prefixes that are in the parser's dictionary, and no document holds `#default`.

    Being asked to look for elements of that name puts it there, for this thread.
    """
    reader = etree.XMLPullParser(events=("start",), tag=DEFAULT)
    reader.feed(b"<a/>")
    reader.close()
