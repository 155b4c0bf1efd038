"""The one parser for XML from outside, hardened, and the small values it returns.

Bytes go in, `Element` values come out: no document type, no entities beyond the five built in, no network, bounded
size, depth and count. Comments and processing instructions are left out without splitting the text around them, so
that `a<!-- -->b` reads as `ab`. lxml's parser is driven through its target interface: no lxml tree is ever built, and
what is refused is refused while it is read. Bytes whose signature is to be verified are not for this parser.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn, cast

import attrs

from govfile.errors import InvalidContent, ProtocolError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: How much is read at once, in bytes.
BLOCK = 64 * 1024


@attrs.frozen(kw_only=True)
class Limits:
    """How much is read before a document is refused: `size` in bytes, `depth` in levels, `elements` in all."""

    size: int = 16 * 1024 * 1024
    depth: int = 100
    elements: int = 200_000


@attrs.frozen(kw_only=True)
class Element:
    """One element: local `name`, `namespace` ("" for none), its own `text` (the text between its children joined),
    `attributes` by name (`{namespace}local` where there is one), and its `children` in order.
    """

    name: str
    namespace: str = ""
    text: str = attrs.field(default="", repr=False)
    attributes: Mapping[str, str] = attrs.field(factory=lambda: MappingProxyType({}), repr=False)
    children: tuple[Element, ...] = ()

    def walk(self) -> Iterator[Element]:
        """This element and all below it, in document order."""
        waiting: list[Element] = [self]
        while waiting:
            element = waiting.pop()
            yield element
            waiting.extend(reversed(element.children))

    def find_all(self, *names: str) -> tuple[Element, ...]:
        """Every element below this one whose local name is one of `names`, whatever its namespace and case."""
        wanted = {name.casefold() for name in names}
        return tuple(found for found in self.walk() if found is not self and found.name.casefold() in wanted)


class _Refused(Exception):
    """Raised inside the parser's callbacks; never leaves this module."""


@attrs.define
class _Open:
    """An element whose end has not been read."""

    tag: str
    attributes: dict[str, str]
    text: list[str] = attrs.field(factory=list)
    children: list[Element] = attrs.field(factory=list)


class Builder:
    """What lxml calls while it reads. With `keep` False only the shape is checked and nothing is held."""

    def __init__(self, limits: Limits, *, keep: bool) -> None:
        self._limits = limits
        self._keep = keep
        self._stack: list[_Open] = []
        self._depth = 0
        self._elements = 0
        self.root: Element | None = None
        self.root_name = ""

    def start(self, tag: Any, attributes: Mapping[Any, Any]) -> None:
        """An element begins."""
        self._depth += 1
        self._elements += 1
        if self._depth > self._limits.depth:
            raise _Refused(f"it is nested more than {self._limits.depth} levels deep")
        if self._elements > self._limits.elements:
            raise _Refused(f"it has more than {self._limits.elements} elements")
        if not self.root_name:
            self.root_name = local_name(tag)
        if self._keep:
            self._stack.append(_Open(tag, dict(attributes)))

    def data(self, text: Any) -> None:
        """A piece of text."""
        if self._keep and self._stack:
            self._stack[-1].text.append(text)

    def end(self, tag: Any) -> None:  # noqa: ARG002 the parser has matched it with its start
        """An element ends."""
        self._depth -= 1
        if not self._keep:
            return
        done = self._stack.pop()
        element = Element(
            name=local_name(done.tag),
            namespace=done.tag[1:].partition("}")[0] if done.tag.startswith("{") else "",
            text="".join(done.text),
            attributes=MappingProxyType(done.attributes),
            children=tuple(done.children),
        )
        if self._stack:
            self._stack[-1].children.append(element)
        else:
            self.root = element

    def doctype(self, *_: object) -> NoReturn:
        """A document type declaration."""
        raise _Refused("it carries a document type declaration, which is never read")

    def close(self) -> None:
        """Part of the interface; the result is taken from `root`."""


def local_name(tag: str) -> str:
    """A name without its `{namespace}`."""
    return tag.rpartition("}")[2]


def parse(content: bytes, *, limits: Limits | None = None, what: str = "the file") -> Element:
    """The root element of `content`; `what` names the document in errors.

    Raises `ProtocolError` when it is empty, not well-formed, beyond `limits`, or carries a document type.
    """
    limits = limits or Limits()
    if len(content) > limits.size:
        raise ProtocolError(f"{what} has {len(content)} bytes, more than the {limits.size} that are read as XML")
    builder = Builder(limits, keep=True)
    blocks = (content[start : start + BLOCK] for start in range(0, len(content), BLOCK))
    reason, cause = run(builder, blocks)
    if reason or builder.root is None:
        raise ProtocolError(f"{what} cannot be read as XML: {reason}", excerpt=excerpt(content)) from cause
    return builder.root


def check_well_formed(reader: BinaryIO) -> str:
    """Read a document to its end in constant memory and return its root element's local name.

    Its size is not bounded. Raises `InvalidContent` when it is not well-formed XML, nested too deeply, or carries a
    document type.
    """
    builder = Builder(Limits(size=2**63, elements=2**63), keep=False)
    reason, cause = run(builder, iter(lambda: reader.read(BLOCK), b""))
    if reason:
        raise InvalidContent(
            f"the document is not well-formed XML: {reason}", advice="mend the program that wrote it"
        ) from cause
    return builder.root_name


def run(builder: Builder, blocks: Iterator[bytes]) -> tuple[str, BaseException | None]:
    """Feed the blocks to a new parser; ("", None) when all went well, else the reason and the cause."""
    from lxml import etree

    parser = etree.XMLParser(
        target=cast("Any", builder),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        recover=False,
        remove_comments=True,
        remove_pis=True,
    )
    anything = False
    try:
        for block in blocks:
            anything = True
            parser.feed(block)
        if not anything:
            return "it is empty", None
        parser.close()
    except _Refused as refused:
        return str(refused), None
    except etree.XMLSyntaxError as error:
        line, column = error.position
        return f"line {line}, column {column}", error
    except (etree.LxmlError, LookupError, ValueError) as error:
        return type(error).__name__, error
    return "", None


def excerpt(content: bytes, length: int = 60) -> str:
    """The first bytes of `content` as printable ASCII, the rest as dots, with long runs of digits blotted out."""
    shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in content[: length + 20])
    return blot(shown)[:length]  # a number that is cut in two would not be found


def blot(text: str) -> str:
    """`text` with all that could be a personal number (ten digits, also written 6-4 or 6 4) replaced by stars."""
    return re.sub(r"(?<!\d)\d{6}[- ]?\d{4}(?!\d)", "**********", text)


__all__ = ["Element", "Limits", "blot", "check_well_formed", "excerpt", "parse"]
