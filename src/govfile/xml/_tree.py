"""Trees of documents that are signed or verified: read once, hardened, every id known.

The tree never leaves this package. What is refused while reading is what no signed message needs and what attacks
are made of: document types, entities, processing instructions, encodings other than UTF-8, ids that stand twice.
"""

from __future__ import annotations

import re
import threading
from functools import cache, lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import attrs
from lxml import etree

from govfile.errors import ProtocolError
from govfile.xml.algorithms import WSU, XML
from govfile.xml.parse import Element, Limits, excerpt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from lxml.etree import XMLParser, _Element

#: A tag, or what is none and may hold what looks like one; in well-formed XML without a document type.
TAG = re.compile(
    rb"""<(?:!--.*?-->|!\[CDATA\[.*?\]\]>|\?.*?\?>|(/)[^>]*>|([^!?/>"'])[^>"']*(?:"[^"]*"[^>"']*|'[^']*'[^>"']*)*>)""",
    re.DOTALL,
)
#: An attribute's value, in a tag.
VALUE = re.compile(rb""""[^"]*"|'[^']*'""")
#: How many attributes one tag may have, declarations of namespaces among them, and how many of these may hold at one
#: place: libraries take time by their square.
_MOST = 256
#: A tag of so many attributes is as long as this, each being at least ` a=""`; and in a tag there is no other `<`.
_LONG = re.compile(rb"<[^<]{%d,}" % (5 * _MOST))
#: The fewest bytes of an element, and of one that holds another.
_ELEMENT, _LEVEL = len("<a/>"), len("<a></a>")
_SLASH = ord("/")

#: An attribute of one of these names is an id: those of SAML 1.1 and 2.0, DGWS, XML Signature and WS-Security.
_IDS = ("ID", "Id", "id", f"{{{WSU}}}Id", f"{{{XML}}}id")
NCNAME = re.compile(r"[^\W\d][\w.\-\u00b7]*")


@attrs.frozen(eq=False)
class Tree:
    """A document that was read: its bytes, its root, and its elements by id."""

    content: bytes
    root: _Element
    ids: dict[str, _Element]

    def at(self, path: tuple[str, ...]) -> list[_Element]:
        """The elements at a path of `{namespace}local` names that begins with the root's."""
        found = [self.root] if path and self.root.tag == path[0] else []
        for name in path[1:]:
            found = [child for element in found for child in element.iterchildren(name)]
        return found


def read(
    content: bytes, *, limits: Limits | None = None, what: str = "the document", free: tuple[str, ...] | None = ()
) -> Tree:
    """Read a document; `what` names it in errors. Ids below the element at the path `free` are none of ours (None:
    no id is, for a document that is only looked at).

    Raises `ProtocolError` when it cannot be read, is beyond `limits`, or carries what this module refuses.
    """
    limits = limits or Limits()
    if len(content) > limits.size:
        raise ProtocolError(f"{what} has {len(content)} bytes, more than the {limits.size} that are read as XML")
    if b"<!DOCTYPE" in content:
        raise _unreadable(what, "it carries a document type declaration, which is never read", content)
    try:
        root = etree.fromstring(content, parser())
    except (etree.LxmlError, LookupError, ValueError) as error:
        raise _unreadable(what, "it is not well-formed", content) from error
    about = root.getroottree().docinfo
    if about.internalDTD is not None or about.externalDTD is not None:
        raise _unreadable(what, "it carries a document type declaration, which is never read", content)
    if (about.encoding or "utf-8").lower() not in {"utf-8", "us-ascii", "ascii"} or b"\0" in content:
        raise _unreadable(what, f"it is written in {about.encoding}; signed messages are in UTF-8", content)
    tree = Tree(content, root, {})
    tree.ids.update(_survey(tree, limits, what, free))
    return tree


#: How an XML declaration begins; `<?xml-stylesheet` and `<?xmlish` begin instructions.
_DECLARATION = b"<?xml "
_DECLARATIONS = (_DECLARATION, b"<?xml\t", b"<?xml\n", b"<?xml\r")

_INSTRUCTION = re.compile(rb"<\?")

_of_this_thread = threading.local()


def parser() -> XMLParser:
    """A parser that fetches nothing, expands nothing and keeps every character; one for each thread."""
    found: XMLParser | None = getattr(_of_this_thread, "parser", None)
    if found is None:
        found = _of_this_thread.parser = etree.XMLParser(
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            dtd_validation=False,
            attribute_defaults=False,
            huge_tree=False,
            recover=False,
            remove_comments=False,
            remove_pis=False,
            remove_blank_text=False,
            strip_cdata=True,
            collect_ids=False,
        )
    return found


def _survey(tree: Tree, limits: Limits, what: str, free: tuple[str, ...] | None) -> dict[str, _Element]:
    """Check the shape and collect the ids. XPath walks in C; only elements with something like an id come up here.

    The bytes, in UTF-8, say where there is nothing to ask: `<?` begins each instruction, and few hold few elements.
    """
    root, content, size = tree.root, tree.content, len(tree.content)
    questions = _questions(limits.depth)
    behind = len(_DECLARATION) if content.startswith(_DECLARATIONS) else 0
    if _INSTRUCTION.search(content, behind) and questions.has_instructions(root):
        raise _refused(what, "it carries processing instructions, which signed messages do not")
    if size > _ELEMENT * limits.elements and questions.count(root) > limits.elements:
        raise _refused(what, f"it has more than {limits.elements} elements")
    if _may_be_overladen(content) and _is_overladen(content):
        raise _refused(what, f"one of its elements has more than {_MOST} attributes or namespaces")
    if size > _LEVEL * limits.depth and questions.is_too_deep(root):
        raise _refused(what, f"it is nested more than {limits.depth} levels deep")
    return {} if free is None else _ids_of(tree, questions.with_ids(root), what, free)


def _may_be_overladen(content: bytes) -> bool:
    """Whether to look closer, which takes longer than all else: many declarations, or many `=` in one piece."""
    if content.count(b"=") <= _MOST:
        return False
    return content.count(b"xmlns") > _MOST or any(found[0].count(b"=") > _MOST for found in _LONG.finditer(content))


def _is_overladen(content: bytes) -> bool:
    """Whether a tag has too many attributes, or too many declarations of namespaces hold there."""
    declared = [0]  # on the way down to here
    for match in TAG.finditer(content):
        if match[1]:
            declared.pop()
        if not match[2]:
            continue
        tag = match[0]
        if b"xmlns" in tag or tag.count(b"=") > _MOST:
            tag = VALUE.sub(b"", tag)
        here = declared[-1] + tag.count(b"xmlns")
        if max(here, tag.count(b"=")) > _MOST:
            return True
        if tag[-2] != _SLASH:
            declared.append(here)
    return False


def _ids_of(tree: Tree, elements: list[_Element], what: str, free: tuple[str, ...]) -> dict[str, _Element]:
    ids: dict[str, _Element] = {}
    foreign: set[str] = set()
    unbound = set(tree.at(free))
    for element in elements:
        ours = () if unbound and is_below(element, unbound) else _IDS
        for name, value in attributes(element):
            if name in ours:
                if value in ids:
                    raise _refused(what, "an id stands in it twice")
                ids[value] = element
            elif _is_named_id(name):
                foreign.add(value)
    if foreign & ids.keys():
        raise _refused(what, "an id stands in it again where it is none: in a foreign namespace or in free content")
    return ids


def _is_named_id(name: str) -> bool:
    return name[-2:].lower() == "id" and name[-3:-2] in {"", "}"}


@attrs.frozen
class _Questions:
    """Compiled once; threads may share them."""

    has_instructions: Callable[[_Element], bool]
    is_too_deep: Callable[[_Element], bool]
    count: Callable[[_Element], float]
    with_ids: Callable[[_Element], list[_Element]]


@cache
def _questions(depth: int) -> _Questions:
    def question(text: str) -> Any:
        return etree.XPath(text, smart_strings=False)

    return _Questions(
        question("boolean(//processing-instruction())"),
        question(f"boolean({'/*' * (depth + 1)})"),
        question("count(//*)"),
        question("//@*[string-length(local-name()) = 2]/.."),  # quicker than to ask for each spelling
    )


def is_element(node: Any) -> bool:
    """Whether a node is an element, and neither a comment nor a processing instruction."""
    return isinstance(node.tag, str)


def is_below(element: _Element, above: set[_Element]) -> bool:
    """Whether an element stands in one of those `above`."""
    return any(found in above for found in element.iterancestors())


def attributes(element: Any) -> list[tuple[str, str]]:
    """An element's attributes, name (`{namespace}local`) and value."""
    found: list[tuple[str, str]] = element.items()
    return found


def _refused(what: str, reason: str) -> ProtocolError:
    return ProtocolError(f"{what} is refused: {reason}")


def _unreadable(what: str, reason: str, content: bytes) -> ProtocolError:
    return ProtocolError(f"{what} cannot be read as XML: {reason}", excerpt=excerpt(content))


def indices(element: _Element) -> tuple[int, ...]:
    """Where an element stands: its place among the elements of its parent, from the root down."""
    places: list[int] = []
    parent = element.getparent()
    while parent is not None:
        places.append(sum(1 for _ in _elements_before(element)))
        element, parent = parent, parent.getparent()
    return tuple(reversed(places))


def _elements_before(element: _Element) -> Iterator[_Element]:
    return (found for found in element.itersiblings(preceding=True) if is_element(found))


def root_of(canonical: bytes) -> _Element:
    """The root of the canonical bytes of a part of a document that was read, and checked, before."""
    root: _Element = etree.fromstring(canonical, parser())
    return root


def value_of(element: _Element) -> Element:
    """An element of a tree without comments as a value, with all below it."""
    namespace, _, name = element.tag[1:].partition("}") if element.tag[0] == "{" else ("", "", element.tag)
    text = element.text or ""
    if len(element):
        text = "".join((text, *(child.tail or "" for child in element)))
    return Element(
        name=name,
        namespace=namespace,
        text=text,
        attributes=MappingProxyType(dict(attributes(element))),
        children=tuple(map(value_of, element)),
    )


class Row(NamedTuple):
    """One element of several alike: its `text` (None when it holds elements), its `attributes`, and those of the
    element `above` it; attributes by `{namespace}local` name.
    """

    text: str | None
    attributes: Mapping[str, str]
    above: Mapping[str, str]


def rows_of(element: _Element, names: tuple[str, ...]) -> list[Row]:
    """The elements along a path of `{namespace}local` names below one of a tree without comments, in order."""
    found: list[_Element] = _path(names)(element) if names else [element]
    rows = []
    for each in found:
        parent = each.getparent()
        above = {} if parent is None else dict(attributes(parent))
        rows.append(Row(own_text(each), dict(attributes(each)), above))
    return rows


@lru_cache(maxsize=256)
def _path(names: tuple[str, ...]) -> Any:
    return etree.ETXPath("/".join(names), smart_strings=False)


def own_text(element: _Element) -> str | None:
    """The text of an element that holds nothing but text; None when anything else is in it, also a comment."""
    return (element.text or "") if len(element) == 0 else None
