"""A document that several remote files carry: its parts, the number in their names, what is kept until it is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from govfile.filing.claim import Claim, check_given

if TYPE_CHECKING:
    from collections.abc import Callable


@attrs.frozen(kw_only=True)
class Part:
    """One source of a set: the remote `name` that carries it, `size` in bytes, `sha256` (64 hex digits), where it lay,
    and `marks` (any text, JSON for instance) by which answers may be told.
    """

    name: str
    size: int
    sha256: str
    source_path: str | None = None
    marks: str = ""


@attrs.frozen(kw_only=True)
class SetClaim:
    """A `claim` with its `parts`, under names that hold one number; `kept` are bytes to keep by remote name."""

    claim: Claim
    parts: tuple[Part, ...]
    kept: tuple[tuple[str, bytes], ...] = attrs.field(default=(), repr=False)


@attrs.frozen(kw_only=True)
class Numbered:
    """Whose numbers are counted: those of a sender for a `day` (any text, such as 20260302), from 1 to `most`."""

    authority: str = attrs.field(validator=check_given)
    environment: str = attrs.field(validator=check_given)
    sender: str = attrs.field(validator=check_given)
    day: str = attrs.field(validator=check_given)
    most: int = attrs.field(validator=attrs.validators.ge(1))

    @property
    def where(self) -> dict[str, str]:
        """The columns that name it."""
        return {
            "authority": self.authority,
            "environment": self.environment,
            "sender": self.sender,
            "day": self.day,
        }


@attrs.frozen(kw_only=True)
class SetDraft:
    """A set about to be claimed: `named(number)` gives the claim under the names with that number."""

    numbered: Numbered
    named: Callable[[int], SetClaim]
