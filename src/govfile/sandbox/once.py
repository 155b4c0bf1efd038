"""Making a key or a certificate once in a process, also when several threads ask for it at the same moment."""

from __future__ import annotations

import functools
import threading
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")

_turn = threading.RLock()  # one for all, since making one thing may ask for another


def made_once(make: Callable[P, T]) -> Callable[P, T]:
    """`functools.cache` with a lock: that alone lets two threads make two of a kind, and keeps one of them."""
    remembered: Callable[P, T] = functools.cache(make)  # type: ignore[assignment] # a key asks for hashable ones

    @functools.wraps(make)
    def asked(*arguments: P.args, **options: P.kwargs) -> T:
        with _turn:
            return remembered(*arguments, **options)

    return asked
