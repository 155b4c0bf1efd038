"""Reading small status and answer files: bounded, tolerant of spelling, with the raw bytes and the unknown kept.

Authorities change element names, nesting and namespaces without notice. So a reader here asks for a value by its
local name, whatever the case, namespace and depth, and nothing in a file ever stops a collection: what cannot be read
says so.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import attrs

from govfile.errors import ProtocolError
from govfile.xml.parse import Element, Limits, parse

if TYPE_CHECKING:
    from collections.abc import Iterator

#: A status file holds a few hundred bytes; anything beyond this (bytes) is not one.
STATUS_LIMIT = 1024 * 1024

_STATUS_LIMITS = Limits(size=STATUS_LIMIT, depth=32, elements=20_000)


@attrs.frozen(kw_only=True)
class Reading:
    """One file as it came: `raw` bytes and their `sha256`, the `root` when it is XML that can be read, the `text` when
    it is text, and the `problem` in words when it is neither.
    """

    raw: bytes = attrs.field(repr=False)
    sha256: str
    root: Element | None = None
    text: str | None = attrs.field(default=None, repr=False)
    problem: str = ""


def read_xml(raw: bytes, *, what: str = "the status file", limits: Limits = _STATUS_LIMITS) -> Reading:
    """`raw` read as XML; never raises: a file that is empty, cut off or hostile comes back with its `problem`."""
    digest = hashlib.sha256(raw).hexdigest()
    try:
        return Reading(raw=raw, sha256=digest, root=parse(raw, limits=limits, what=what))
    except ProtocolError as error:
        return Reading(raw=raw, sha256=digest, problem=error.what)


def read_text(
    raw: bytes, *, encodings: tuple[str, ...] = ("utf-8-sig", "iso-8859-1"), limit: int = STATUS_LIMIT
) -> Reading:
    """`raw` read as text in the first of `encodings` that fits; never raises."""
    digest = hashlib.sha256(raw).hexdigest()
    if not raw:
        return Reading(raw=raw, sha256=digest, problem="it is empty")
    if len(raw) > limit:
        return Reading(raw=raw, sha256=digest, problem=f"it has {len(raw)} bytes, more than the {limit} that are read")
    if b"\x00" in raw:
        return Reading(raw=raw, sha256=digest, problem="it holds NUL bytes, so it is not text")
    for encoding in encodings:
        try:
            return Reading(raw=raw, sha256=digest, text=raw.decode(encoding))
        except UnicodeDecodeError:
            continue
    return Reading(raw=raw, sha256=digest, problem=f"it is not text in {' or '.join(encodings)}")


def texts(element: Element, *names: str) -> tuple[str, ...]:
    """The trimmed texts of every element below `element` with one of these local names; empty ones left out."""
    found = (match.text.strip() for match in element.find_all(*names))
    return tuple(text for text in found if text)


def text(element: Element, *names: str) -> str:
    """The first of `texts`, or "" when there is none."""
    return next(iter(texts(element, *names)), "")


def leaves(element: Element, path: str = "") -> Iterator[tuple[str, str]]:
    """Every element below `element` that holds text, with its path of local names (`error/error.code`), in order."""
    waiting = [(path, child) for child in reversed(element.children)]
    while waiting:
        above, current = waiting.pop()
        here = f"{above}/{current.name}" if above else current.name
        if current.text.strip():
            yield here, current.text.strip()
        waiting.extend((here, child) for child in reversed(current.children))


def unknown_leaves(element: Element, known: frozenset[str]) -> tuple[tuple[str, str], ...]:
    """The leaves whose last local name, casefolded, is not in `known`: kept for whoever can read them."""
    return tuple((path, value) for path, value in leaves(element) if path.rpartition("/")[2].casefold() not in known)
