"""A declaration's XML, read with expat: what is needed to judge its shape, and no more than four levels of it.

Its own reader on purpose: the client reads with another. Codes are those of annex 30.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.parsers import expat

import attrs

if TYPE_CHECKING:
    from collections.abc import Collection

_LEVELS = 4
_MOST_DEEP = 100
_UNKNOWN_ENCODING = 18  # expat's number for it
_MARKS = {b"\xef\xbb\xbf": "utf-8", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


class NotXml(ValueError):
    """The document cannot be read: `code` of annex 30, and words for the sandbox's owner."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code = code


@attrs.define
class Element:
    """An element with its attributes, text, and children down to the fourth level."""

    name: str
    attributes: dict[str, str]
    children: list[Element] = attrs.field(factory=list)
    text: str = ""

    def all(self, name: str) -> list[Element]:
        """The children of that name."""
        return [child for child in self.children if child.name == name]

    def value(self, name: str) -> str:
        """The text of the first child of that name, or nothing."""
        return next((child.text.strip() for child in self.children if child.name == name), "")


class _Reader:
    def __init__(self, encodings: Collection[str]) -> None:
        self.encodings = encodings
        self.root: Element | None = None
        self.path: list[Element] = []
        self.depth = 0
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.XmlDeclHandler = self.declared
        self.parser.StartDoctypeDeclHandler = self.doctype
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.text

    def declared(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding is not None and encoding.lower() not in self.encodings:
            raise NotXml("138", f"encoding {encoding}")

    def doctype(self, *_: object) -> None:
        raise NotXml("102", "a document type declaration")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > _MOST_DEEP:
            raise NotXml("102", "too deeply nested")
        if self.depth > _LEVELS:
            return
        element = Element(name, attributes)
        if self.path:
            self.path[-1].children.append(element)
        else:
            self.root = element
        self.path.append(element)

    def end(self, _name: str) -> None:
        if self.depth <= _LEVELS:
            self.path.pop()
        self.depth -= 1

    def text(self, data: str) -> None:
        if self.path and self.depth <= _LEVELS:
            self.path[-1].text += data


def read(content: bytes, encodings: Collection[str]) -> Element:
    """The root element; raises `NotXml`. `encodings` are allowed, in lower case."""
    for mark, encoding in _MARKS.items():
        if content.startswith(mark) and encoding not in encodings:
            raise NotXml("138", f"encoding {encoding}")
    reader = _Reader(encodings)
    try:
        reader.parser.Parse(content, True)
    except expat.ExpatError as error:
        code = "138" if error.code == _UNKNOWN_ENCODING else "102"
        raise NotXml(code, f"no well-formed XML: {error}") from error
    assert reader.root is not None
    return reader.root
