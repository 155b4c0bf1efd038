"""Threads of one process that write to one SQLite file: in turn, and waiting for the disk together.

SQLite lets one write at a time; the others look again after pauses, which costs more than the writing. Here they wait
in line, and what may share a transaction does: while one thread waits for the disk, the next transaction gathers.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, TypeVar, cast

from govfile.errors import LedgerBusy, LedgerError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

T = TypeVar("T")


class _Wish:
    """A piece of work, and what came of it."""

    __slots__ = ("error", "is_done", "result", "work")

    def __init__(self, work: Callable[[Any], Any]) -> None:
        self.work = work
        self.is_done = False
        self.result: Any = None
        self.error: LedgerError | None = None

    def fulfil(self, result: Any) -> None:
        self.result, self.is_done = result, True

    def fail(self, error: LedgerError) -> None:
        self.error, self.is_done = error, True


class Writers:
    """The line. `one` runs a piece of work as a transaction of its own, `several` run many as a single one."""

    def __init__(
        self,
        one: Callable[[Callable[[Any], Any]], Any],
        several: Callable[[Sequence[Callable[[Any], Any]]], Sequence[Any]],
    ) -> None:
        self._one = one
        self._several = several
        self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._line = threading.RLock()
        self._waiting: deque[_Wish] = deque()

    @property
    def turn(self) -> AbstractContextManager[Any]:
        """Held while this thread writes."""
        if self._process != os.getpid():
            self._begin()  # whoever stood in the parent's line is not in this process
        return self._line

    def together(self, work: Callable[[Any], T]) -> T:
        """Run `work`, in one transaction with that of other threads; it may be run again, and must bear that."""
        turn = self.turn
        wish = _Wish(work)
        try:
            self._waiting.append(wish)
            with turn:
                if not wish.is_done:
                    self._lead()
        except BaseException:  # an interrupt: nobody is to do later what its caller has been told is not done
            with contextlib.suppress(ValueError):
                self._waiting.remove(wish)
            raise
        if wish.error is not None:
            raise wish.error
        return cast("T", wish.result)

    def _lead(self) -> None:
        some = [self._waiting.popleft() for _ in range(len(self._waiting))]
        try:
            if len(some) < 2 or not self._share(some):
                for wish in some:
                    self._alone(wish)
        finally:
            self._waiting.extendleft(wish for wish in some if not wish.is_done)  # an interrupt: the next one leads

    def _share(self, some: list[_Wish]) -> bool:
        try:
            results = self._several([wish.work for wish in some])
        except LedgerBusy as busy:
            for wish in some:  # nobody waits for as long again
                wish.fail(LedgerBusy(busy.what, certain=busy.certain, advice=busy.advice, operation=busy.operation))
            return True
        except LedgerError:
            return False  # one of them spoils it for all: each on its own, then
        for wish, result in zip(some, results, strict=True):
            wish.fulfil(result)
        return True

    def _alone(self, wish: _Wish) -> None:
        try:
            wish.fulfil(self._one(wish.work))
        except LedgerError as error:
            wish.fail(error)
