"""What threads share must begin anew in a forked process: whoever held its lock may not be there to let it go."""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class Shared(Protocol):
    """Something with a lock in it."""

    def begin_anew(self) -> None:
        """Take a new lock, and forget what belongs to the parent process."""
        ...


_all: weakref.WeakSet[Shared] = weakref.WeakSet()


def renew_in_children(shared: Shared) -> None:
    """Have `shared.begin_anew()` called in every process forked from this one, before anything else runs there."""
    _all.add(shared)


def _renew_all() -> None:
    for shared in list(_all):
        shared.begin_anew()


if hasattr(os, "register_at_fork"):  # where it is not, nothing forks
    os.register_at_fork(after_in_child=_renew_all)
