"""Reading the authority's forms into values: each class says which element each of its fields is read from.

The element set changes every quarter, so nothing is bound to one schema: names are compared without regard to case
and namespace, what is missing is empty, and what no field stands for is kept as it came.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

import attrs

from govfile.filing.status import leaves

if TYPE_CHECKING:
    from collections.abc import Mapping

    from govfile.xml.parse import Element

T = TypeVar("T")

#: What no field stands for: (path of element names, text), in order.
Unknown = tuple[tuple[str, str], ...]


def leaf(element: str, *, is_personal: bool = False) -> Any:
    """A field of text, "" where the element is missing; `is_personal` keeps it out of the repr."""
    return attrs.field(default="", repr=not is_personal, metadata={"element": element})


def all_leaves(element: str) -> Any:
    """A field of the texts of an element that may be there several times."""
    return attrs.field(default=(), metadata={"element": element, "many": True})


def block(element: str, kind: type[Any], *, is_personal: bool = False) -> Any:
    """A field of another such class, None where the element is missing."""
    return attrs.field(default=None, repr=not is_personal, metadata={"element": element, "kind": kind})


def blocks(element: str, kind: type[Any]) -> Any:
    """A field of all the elements of this name."""
    return attrs.field(default=(), metadata={"element": element, "kind": kind, "many": True})


def details(element: str) -> Any:
    """A field of everything below an element, as (path, text), for blocks of which only a person makes use."""
    return attrs.field(default=(), repr=False, metadata={"element": element, "kind": leaves})


def everything_else() -> Any:
    """A field of what no other field stands for, as (path, text), for a block with many keys of which few are there."""
    return attrs.field(default=(), repr=False, metadata={"rest": True})


def decode(kind: type[T], element: Element) -> tuple[T, Unknown]:
    """An element as a `kind`, and what of it no field stands for."""
    fields = _fields(cast("Any", kind))
    found: dict[str, Any] = {}
    unknown: list[tuple[str, str]] = []
    for child in element.children:
        field = fields.get(child.name.casefold())
        if field is None or (field.name in found and not field.metadata.get("many")):
            unknown += [(child.name, child.text.strip())] if child.text.strip() else []
            unknown += leaves(child, child.name)
            continue
        value, left = _value(field, child)
        unknown += [(f"{child.name}/{path}", text) for path, text in left]
        if field.metadata.get("many"):
            found.setdefault(field.name, []).append(value)
        else:
            found[field.name] = value
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in found.items()}
    rest = next((field.name for field in attrs.fields(cast("Any", kind)) if field.metadata.get("rest")), None)
    if rest is not None:
        values[rest], unknown = tuple(unknown), []
    return kind(**values), tuple(unknown)


def decode_forms(kind: type[T], root: Element) -> tuple[tuple[T, ...], Unknown]:
    """Every `Form` of a document as a `kind` that has a field `unknown`, and what stands beside the forms."""
    forms: list[T] = []
    beside: list[tuple[str, str]] = []
    for child in root.children:
        if child.name.casefold() == "form":
            form, unknown = decode(kind, child)
            forms.append(attrs.evolve(cast("Any", form), unknown=unknown))
        else:
            beside += [(child.name, child.text.strip())] if child.text.strip() else []
            beside += leaves(child, child.name)
    return tuple(forms), tuple(beside)


@cache
def _fields(kind: type[Any]) -> Mapping[str, attrs.Attribute[Any]]:
    return {field.metadata["element"].casefold(): field for field in attrs.fields(kind) if "element" in field.metadata}


def _value(field: attrs.Attribute[Any], element: Element) -> tuple[Any, Unknown]:
    kind = field.metadata.get("kind")
    if kind is None:
        return element.text.strip(), tuple(leaves(element))
    if kind is leaves:
        return tuple(leaves(element)), ()
    return decode(kind, element)
