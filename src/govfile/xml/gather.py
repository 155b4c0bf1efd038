"""Gathering a few values from a document of any size while it is checked, in memory that does not grow with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

import attrs

from govfile.errors import InvalidContent
from govfile.xml.parse import BLOCK, Builder, Limits, local_name, run

if TYPE_CHECKING:
    from collections.abc import Mapping

#: A value that is longer (characters) is not gathered: those wanted here are dates, numbers and references.
_LONGEST = 1000


@attrs.frozen(kw_only=True)
class Gathered:
    """What was found: the `root` element's local name, and (path, text) of each wanted element in document order,
    `path` being local names below the root, joined by `/`. `is_complete` False: there were more than were kept.
    """

    root: str
    values: tuple[tuple[str, str], ...] = attrs.field(default=(), repr=False)
    is_complete: bool = True


class _Gatherer(Builder):
    """Checks the shape as its base does, and keeps the text of the elements at the wanted paths."""

    def __init__(self, wanted: frozenset[str], most: int, limits: Limits) -> None:
        super().__init__(limits, keep=False)
        self._wanted = wanted
        self._deepest = 2 + max((path.count("/") for path in wanted), default=0)
        self._most = most
        self._path: list[str] = []
        self._text: list[str] | None = None
        self._length = 0
        self.values: list[tuple[str, str]] = []
        self.is_complete = True

    def start(self, tag: Any, attributes: Mapping[Any, Any]) -> None:
        super().start(tag, attributes)
        self._path.append(local_name(tag))
        if len(self._path) <= self._deepest and "/".join(self._path[1:]) in self._wanted:
            self._text, self._length = [], 0

    def data(self, text: Any) -> None:
        if self._text is not None and self._length <= _LONGEST:
            self._text.append(text)
            self._length += len(text)

    def end(self, tag: Any) -> None:
        super().end(tag)
        path = "/".join(self._path[1 : self._deepest + 1])
        is_wanted = len(self._path) <= self._deepest and path in self._wanted
        self._path.pop()
        if self._text is None or not is_wanted:
            return
        text, self._text = "".join(self._text).strip(), None
        if self._length > _LONGEST or len(self.values) >= self._most:
            self.is_complete = False
        else:
            self.values.append((path, text))


def gather(reader: BinaryIO, wanted: frozenset[str], *, most: int = 100_000, what: str = "the document") -> Gathered:
    """Read a document to its end and gather the elements at the `wanted` paths (local names below the root, joined by
    `/`), at most `most` of them.

    It checks what `check_well_formed` checks, and raises `InvalidContent` as that does.
    """
    gatherer = _Gatherer(wanted, most, Limits(size=2**63, elements=2**63))
    reason, cause = run(gatherer, iter(lambda: reader.read(BLOCK), b""))
    if reason:
        raise InvalidContent(
            f"{what} is not well-formed XML: {reason}", advice="mend the program that wrote it"
        ) from cause
    return Gathered(root=gatherer.root_name, values=tuple(gatherer.values), is_complete=gatherer.is_complete)
