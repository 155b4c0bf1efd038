"""Messages by a service's own description (WSDL 1.1): built from values, and read back into values, by zeep.

zeep sees neither the network nor anything that was not verified: the description comes from this package's own files,
and what is read are bytes that somebody has checked. It is loaded when the first message is built (a fifth of a
second), not before.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, NoReturn, cast

import attrs

from govfile.errors import InvalidContent, ProtocolError
from govfile.xml.algorithms import Canonicalization
from govfile.xml.canonical import canonical_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from importlib.resources.abc import Traversable


#: zeep's modules import each other, which threads that begin at different ends of it do not survive.
_LOADING = threading.Lock()


@attrs.frozen(kw_only=True)
class Read:
    """What an answer says: `values` by element name (None or missing where there is none), lists where an element may
    come several times; and the names of elements the description does not know, which were left out.
    """

    values: Mapping[str, Any] = attrs.field(repr=False)
    unknown: tuple[str, ...] = ()


class Contract:
    """The operations of one description, `file`, in the binding of the given name. Threads may share it.

    Bindings are told by name, since ports are named as their authors liked.
    """

    def __init__(self, file: Traversable, *, binding: str, prefix: str) -> None:
        self._file, self._binding_name, self._prefix = file, binding, prefix
        self._binding: Any = None
        self._types: Any = None

    def action(self, operation: str) -> str:
        """What the SOAPAction header of an operation says."""
        return str(self._operation(operation).soapaction)

    def request_name(self, operation: str) -> str:
        """The `{namespace}local` name of the request's element."""
        return str(self._operation(operation).input.body.qname.text)

    def answer_name(self, operation: str) -> str:
        """The `{namespace}local` name of the answer's element."""
        return str(self._operation(operation).output.body.qname.text)

    def build(self, operation: str, values: Mapping[str, Any]) -> bytes:
        """The request of an operation, written once, in its canonical form: namespaces declared where they are used,
        nothing between the elements.

        Values that are None are left out. Raises `InvalidContent` when the description has no such values.
        """
        element = self._operation(operation).input.body
        from lxml import etree
        from zeep.exceptions import Error

        parent = etree.Element("parent", nsmap={self._prefix: element.qname.namespace})
        try:
            element.render(parent, element(**{name: value for name, value in values.items() if value is not None}))
        except (Error, TypeError, ValueError) as error:  # their texts may hold the values
            raise InvalidContent(f"the message {operation} cannot be written with these values") from _bare(error)
        return canonical_bytes(parent[0], Canonicalization.EXCLUSIVE)

    def read(self, operation: str, content: bytes, *, is_strict: bool = False) -> Read:
        """The values of an operation's answer, from bytes that were verified.

        Raises `ProtocolError` when they do not follow the description; unknown elements are left out and named,
        unless `is_strict`.
        """
        element = self._operation(operation).output.body
        from zeep.exceptions import Error

        from govfile.xml import _tree

        try:
            with self._types.settings(strict=False, xsd_ignore_sequence_order=True):
                value = element.parse(_tree.root_of(content), self._types)
        except (Error, TypeError, ValueError, LookupError, AttributeError) as error:
            raise ProtocolError(f"the answer to {operation} does not follow its description") from _bare(error)
        unknown = tuple(dict.fromkeys(_strange(value)))
        if unknown and is_strict:
            raise ProtocolError(f"the answer to {operation} holds unknown elements: {', '.join(unknown)[:200]}")
        return Read(values=_plain(value) or {}, unknown=unknown)

    def _operation(self, name: str) -> Any:
        with _LOADING:
            if self._types is None:
                self._binding, self._types = self._load()
        return self._binding.get(name)

    def _load(self) -> tuple[Any, Any]:
        from zeep.settings import Settings
        from zeep.wsdl import Document

        settings = cast("Any", Settings)(forbid_dtd=True, forbid_entities=True, forbid_external=True)
        with self._file.open("rb") as reader:
            document = Document(reader, cast("Any", _NoNetwork()), settings=settings)
        (binding,) = (found for name, found in document.bindings.items() if name.endswith(f"}}{self._binding_name}"))
        return binding, document.types


class _NoNetwork:
    """What zeep would fetch with. The descriptions are whole."""

    def load(self, url: str) -> NoReturn:
        raise AssertionError(f"a description of this package refers to {url}")


def _bare(error: Exception) -> Exception:
    """An error of the same kind without its words, which may hold values of the message."""
    return RuntimeError(type(error).__name__)


def _plain(value: Any) -> Any:
    """zeep's values as dicts, lists and what they hold."""
    from zeep.xsd import CompoundValue

    if isinstance(value, CompoundValue):
        return {name: _plain(held) for name, held in _items(value) if name != "_raw_elements"}
    if isinstance(value, list):
        return [_plain(found) for found in value]
    return value


def _strange(value: Any) -> Iterator[str]:
    """The local names of elements nobody described."""
    from zeep.xsd import CompoundValue

    if isinstance(value, list):
        for found in value:
            yield from _strange(found)
    if isinstance(value, CompoundValue):
        for name, held in _items(value):
            if name == "_raw_elements":
                yield from (str(found.tag).rpartition("}")[2] for found in held or ())
            else:
                yield from _strange(held)


def _items(value: Any) -> Iterator[tuple[str, Any]]:
    return ((name, value[name]) for name in value)
