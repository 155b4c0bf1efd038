"""Putting bytes into a document, and taking an element's bytes out of it, without writing the document anew.

A signed element that is parsed and written again may come out different, and its signature broken. So places are
found in the bytes, and everything around them stays as it is. The documents must have been read before: in
well-formed XML without a document type, tags can be told apart by a pattern.
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, NamedTuple

import attrs

from govfile.errors import InvalidContent
from govfile.xml import _tree
from govfile.xml.canonical import escape_attribute

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lxml.etree import _Element

_DECLARED = re.compile(rb"""\sxmlns(?::([^\s=]+))?\s*=""")
#: So many namespaces an element inherits in practice.
_FEW = 64
_SLASH = ord("/")
_AFTER_NAME = b" \t\r\n/>"
_LAST_TAG = re.compile(rb"</[^<>]*>(\s*)\Z")
_NAME = re.compile(rb"<([^\s/>]+)")
#: How comments and CDATA begin.
_MARKUP = re.compile(rb"<!")


@attrs.frozen
class Span:
    """Where an element stands, as offsets in bytes: from `start` to `end`, its content from `inner` to `close`.

    An element written as one empty tag has `inner` and `close` at its `end`.
    """

    start: int
    inner: int
    close: int
    end: int


@attrs.frozen(kw_only=True)
class Place:
    """Where a piece goes: into the element at `path` (`{namespace}local` names from the root down), as its last
    child, or right behind its first child of the name `after`. The path must lead to exactly one element.
    """

    path: tuple[str, ...]
    after: str | None = None


def splice(document: bytes, piece: bytes, place: Place) -> bytes:
    """`document` with `piece` at `place`; every other byte stays.

    `piece` is an element or several, which declare the namespaces they use. Raises `ProtocolError` when the document
    cannot be read, and `InvalidContent` when the place is not there exactly once.
    """
    return insert(_tree.read(document), piece, place)


def insert(tree: _tree.Tree, piece: bytes, place: Place, parent: _Element | None = None) -> bytes:
    """The same for a document that was read, and a parent that was found; for this package only."""
    parent = element_at(tree, place.path) if parent is None else parent
    document = tree.content
    if place.after is not None:
        before = next(parent.iterchildren(place.after), None)
        if before is None:
            raise InvalidContent(f"there is no {place.after} to put the piece behind")
        offset = span_in(tree, before).end
        return document[:offset] + piece + document[offset:]
    span = span_in(tree, parent)
    if span.inner < span.end:
        return document[: span.close] + piece + document[span.close :]
    name = _NAME.match(document, span.start)
    assert name is not None
    opened = document[span.start : span.end - 2].rstrip()
    return document[: span.start] + opened + b">" + piece + b"</" + name[1] + b">" + document[span.end :]


def element_at(tree: _tree.Tree, path: tuple[str, ...]) -> _Element:
    """The one element at the path; raises `InvalidContent`. For this package only."""
    found = tree.at(path)
    if len(found) != 1:
        raise InvalidContent(f"the document has {len(found)} elements at {'/'.join(path)}, not one")
    return found[0]


def named_in(xml: bytes, inherited: Mapping[str | None, str]) -> dict[str | None, str]:
    """Those of the `inherited` namespaces (by prefix, None: the default one) that `xml` may need to stand alone: the
    default one, and each whose prefix stands anywhere in it, in names or in values. All of them where they are many.

    Enough for the exclusive canonical form; the inclusive one also writes namespaces that nothing names.
    """
    if len(inherited) > _FEW:
        return dict(inherited)  # to look for each would take too long
    return {prefix: name for prefix, name in inherited.items() if prefix is None or f"{prefix}:".encode() in xml}


def standing_alone(document: bytes, place: Span | Sequence[int], inherited: Mapping[str | None, str]) -> bytes:
    """The bytes of the element at `place` (or see `span_of`), with those namespaces declared on it that it `inherited`.

    `inherited` goes from prefix (None: the default one) to name.
    """
    span = place if isinstance(place, Span) else span_of(document, place)
    if not inherited:
        return document[span.start : span.end]
    inner = min(span.inner, span.end)
    tag = _NAME.match(document, span.start)
    assert tag is not None
    own = {match[1] or b"" for match in _DECLARED.finditer(_tree.VALUE.sub(b"", document[tag.end() : inner]))}
    missing = [
        (f"xmlns:{prefix}" if prefix else "xmlns", name)
        for prefix, name in inherited.items()
        if name and (prefix or "").encode() not in own
    ]
    added = "".join(f' {attribute}="{escape_attribute(name)}"' for attribute, name in missing)
    return document[span.start : tag.end()] + added.encode() + document[tag.end() : span.end]


def span_in(tree: _tree.Tree, element: _Element) -> Span:
    """Where an element of a tree stands in its document."""
    return quick_span(tree, element) or span_of(tree.content, _tree.indices(element))


def quick_span(tree: _tree.Tree, element: _Element) -> Span | None:
    """The same without looking at every tag; None where comments or CDATA could hold what looks like one.

    Elsewhere `<` begins tags only: those of the element's qualified name are counted, in the tree and in the bytes.
    """
    content = tree.content
    if element is tree.root and content[:1] == b"<" and content[1] not in b"?!":
        last = _LAST_TAG.match(content, content.rfind(b"</"))
        if last is not None:
            return Span(0, _end_of_tag(content, 0), last.start(), last.start(1))
    if _MARKUP.search(content):
        return None
    local = element.tag.rpartition("}")[2]
    name = (f"{element.prefix}:{local}" if element.prefix else local).encode()
    starts = _tags(content, b"<" + name)
    start, second = next(starts), next(starts, None)
    if second is not None and (ordinal := _twins_before(tree, element, local)):
        start = second if ordinal == 1 else next(itertools.islice(starts, ordinal - 2, None))
    if start.is_empty:
        return Span(start.start, start.end, start.end, start.end)
    depth, position = 1, start.end
    for end in _tags(content, b"</" + name, position):
        depth += sum(not found.is_empty for found in _tags(content, b"<" + name, position, end.start)) - 1
        if depth == 0:
            return Span(start.start, start.end, end.start, end.end)
        position = end.end
    raise AssertionError("the element is not in the document")


def _twins_before(tree: _tree.Tree, element: _Element, local: str) -> int:
    """How many elements of the same qualified name begin before it."""
    before = itertools.takewhile(lambda twin: twin is not element, tree.root.iter(f"{{*}}{local}"))
    return sum(twin.prefix == element.prefix for twin in before)


class _Tag(NamedTuple):
    start: int
    end: int
    is_empty: bool


def _tags(content: bytes, opening: bytes, position: int = 0, before: int | None = None) -> Iterator[_Tag]:
    """The tags that begin with `<name` or `</name`, from `position` on and `before` another."""
    while (position := content.find(opening, position, before)) >= 0:
        if content[position + len(opening)] in _AFTER_NAME:
            end = _end_of_tag(content, position)
            yield _Tag(position, end, content[end - 2] == _SLASH)
        position += len(opening)


def _end_of_tag(content: bytes, start: int) -> int:
    match = _tree.TAG.match(content, start)
    assert match is not None
    return match.end()


def span_of(document: bytes, indices: Sequence[int]) -> Span:
    """Where the element stands that is the `indices[0]`-th child element of the root, and so on; () is the root.

    The document must be well-formed and have so many elements.
    """
    wanted = list(indices)
    ended = [0]  # how many elements have ended, for each level that is open
    start = inner = -1
    for match in _tree.TAG.finditer(document):
        kind = match.lastindex  # 1: an end tag, 2: a start tag or an empty one
        if kind is None:
            continue
        if kind == 1:
            ended.pop()
            if start >= 0 and ended[1:] == wanted:
                return Span(start, inner, match.start(), match.end())
            ended[-1] += 1
            continue
        is_it = len(ended) == len(wanted) + 1 and ended[1:] == wanted
        if document[match.end() - 2] != _SLASH:
            if is_it:
                start, inner = match.span()
            ended.append(0)
        elif is_it:
            return Span(match.start(), match.end(), match.end(), match.end())
        else:
            ended[-1] += 1
    raise AssertionError("the element is not in the document")
