"""The sandbox's own way of writing XML: text, escaped piece by piece, with the namespaces on the outermost element."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from govfile.sandbox.sosi.names import NS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def element(name: str, /, *children: str, **attributes: str) -> str:
    """An element with `children` that are XML already. `Name_` and `wsu__Id` stand for `Name` and `wsu:Id`."""
    return with_attributes(name, {_spelt(each): found for each, found in attributes.items()}, *children)


def leaf(name: str, content: str, /, **attributes: str) -> str:
    """An element with text."""
    return element(name, escape(content), **attributes)


def with_attributes(name: str, attributes: Mapping[str, str], *children: str) -> str:
    """The same as `element`, for attributes that are no Python names."""
    written = "".join(f" {each}={quoteattr(found)}" for each, found in attributes.items())
    inner = "".join(children)
    return f"<{name}{written}>{inner}</{name}>" if inner else f"<{name}{written}/>"


def declare(prefixes: Iterable[str], *, renamed: Mapping[str, str] | None = None) -> dict[str, str]:
    """The `xmlns:` attributes for prefixes of `NS`; `renamed` says which of them go by another name on the wire."""
    return {f"xmlns:{(renamed or {}).get(prefix, prefix)}": NS[prefix] for prefix in prefixes}


def _spelt(name: str) -> str:
    return name.removesuffix("_").replace("__", ":")
