"""Switches that break a sandbox while it runs, and set it right again."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Self

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterator


@attrs.define(kw_only=True)
class Switches:
    """Fields that are switches: each stays on until it is set back."""

    def clear(self) -> None:
        """Everything as it should be."""
        fresh = type(self)()
        for field in attrs.fields(type(self)):
            setattr(self, field.name, getattr(fresh, field.name))

    @contextlib.contextmanager
    def during(self, **switches: Any) -> Iterator[Self]:
        """Set switches for the length of a `with` block."""
        before = {name: getattr(self, name) for name in switches}
        try:
            for name, value in switches.items():
                setattr(self, name, value)
            yield self
        finally:
            for name, value in before.items():
                setattr(self, name, value)
