"""What stands in a message without being signed: to be read with that in mind, and never mixed up with what is."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import attrs

from govfile.xml import _tree
from govfile.xml.algorithms import Canonicalization
from govfile.xml.canonical import canonical_bytes
from govfile.xml.splicing import named_in, span_in, standing_alone

if TYPE_CHECKING:
    from lxml.etree import _Element

    from govfile.xml._tree import Row
    from govfile.xml.parse import Element, Limits


@attrs.frozen(eq=False, slots=False, repr=False)
class UnsignedPart:
    """One element that no signature covers: whoever handed the message on may have written it.

    `name` is its `{namespace}local` name.
    """

    _document: _tree.Tree
    _node: _Element

    @property
    def name(self) -> str:
        """Its `{namespace}local` name."""
        return str(self._node.tag)

    @cached_property
    def element(self) -> Element:
        """The element as a value: comments gone without splitting the text around them."""
        return _tree.value_of(self._root)

    def rows(self, *names: str) -> list[Row]:
        """The elements along a path of `{namespace}local` names below this one, in order; without names this one."""
        return _tree.rows_of(self._root, names)

    @cached_property
    def _root(self) -> _Element:
        return _tree.root_of(canonical_bytes(self._node, Canonicalization.EXCLUSIVE))

    @property
    def children(self) -> tuple[UnsignedPart, ...]:
        """The elements in it, in order."""
        return tuple(UnsignedPart(self._document, child) for child in self._node if _tree.is_element(child))

    @property
    def has_text(self) -> bool:
        """Whether anything but white space stands in it between its elements."""
        texts = (self._node.text, *(child.tail for child in self._node))
        return any(text and not text.isspace() for text in texts)

    def at(self, *names: str) -> tuple[UnsignedPart, ...]:
        """The elements below it along a path of `{namespace}local` names."""
        found: tuple[UnsignedPart, ...] = (self,)
        for name in names:
            found = tuple(child for part in found for child in part.children if child.name == name)
        return found

    @cached_property
    def original(self) -> bytes:
        """The element's bytes as they came, with those inherited namespaces declared on it that are named in it."""
        span = span_in(self._document, self._node)
        above = self._node.getparent()
        inherited = {} if above is None else dict(above.nsmap)
        needed = named_in(self._document.content[span.start : span.end], inherited)
        return standing_alone(self._document.content, span, needed)

    def __repr__(self) -> str:
        return f"<UnsignedPart {self.name}>"


def read_unsigned(
    document: bytes, *, limits: Limits | None = None, what: str = "the message", free: tuple[str, ...] = ()
) -> UnsignedPart:
    """The root element of a document that carries no signature, or none that is to be believed.

    `free` is the path of an element in which ids may stand twice, as in a `Policy`. Raises `ProtocolError` when it
    cannot be read, is beyond `limits`, or is not in UTF-8; `what` names it there.
    """
    tree = _tree.read(document, limits=limits, what=what, free=free)
    return UnsignedPart(tree, tree.root)
