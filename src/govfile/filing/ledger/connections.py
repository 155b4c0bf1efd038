"""Database connections, lent to one call at a time.

Threads never share one. No connection lives through a fork: SQLite's locks belong to a process, and a copied
PostgreSQL connection would speak with two voices. So idle ones are closed before the process forks, and each side
opens its own when next needed.
"""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from typing import TYPE_CHECKING, Any

from govfile.errors import LedgerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection

#: How long a fork waits for calls that are under way in other threads (seconds).
_FORK_PATIENCE = 10.0

_everyone: weakref.WeakSet[Connections] = weakref.WeakSet()


class Connections:
    """A stack of open connections for each of the two levels of durability."""

    def __init__(self, connect: Callable[[bool], Connection]) -> None:
        self._connect = connect
        self._idle: dict[bool, list[Connection]] = {True: [], False: []}
        self._renew()
        self._lent = 0
        self._is_forking = False
        self._is_closed = False
        _everyone.add(self)

    def _renew(self) -> None:
        # Held by itself, not through the condition: an interrupt may leave a condition held, but never a lock.
        self._guard = threading.Lock()
        self._returned = threading.Condition(self._guard)

    @contextlib.contextmanager
    def lend(self, durable: bool) -> Iterator[Connection]:
        """A connection that is nobody else's until the block ends; closed when the block fails."""
        if self._is_closed:
            raise LedgerError("the ledger is closed", advice="open it again")
        connection: Connection | None = None
        is_lent = is_sound = False
        try:
            with self._guard:
                while self._is_forking:
                    self._returned.wait()
                self._lent += 1
                is_lent = True
                idle = self._idle[durable]
                connection = idle.pop() if idle else None
            if connection is None:
                connection = self._connect(durable)
            yield connection
            is_sound = True
        finally:
            if is_lent:
                self._give_back(connection, durable, is_sound)

    def _give_back(self, connection: Connection | None, durable: bool, is_sound: bool) -> None:
        if connection is not None and not (is_sound and not self._is_closed):
            _close(connection)
            connection = None
        with self._guard:
            self._lent -= 1
            if connection is not None:
                self._idle[durable].append(connection)
            self._returned.notify_all()

    def drop_idle(self) -> None:
        """Close whatever nobody uses."""
        with self._guard:
            idle = [connection for stack in self._idle.values() for connection in stack]
            for stack in self._idle.values():
                stack.clear()
        for connection in idle:
            _close(connection)

    def close(self) -> None:
        """Close all; connections still lent close when they come back."""
        self._is_closed = True
        self.drop_idle()

    def before_fork(self) -> None:
        """Wait for calls under way, keep new ones out, and close what is idle: nothing open is copied."""
        with self._guard:
            self._is_forking = True
            self._returned.wait_for(lambda: self._lent == 0, timeout=_FORK_PATIENCE)
        self.drop_idle()

    def after_fork(self) -> None:
        """Let the parent's calls go on."""
        with self._guard:
            self._is_forking = False
            self._returned.notify_all()

    def after_fork_in_child(self) -> None:
        """Start anew in the child: whatever the parent had lent is not ours."""
        self._renew()  # a waiting thread of the parent may have held the old one
        self._lent = 0
        self._is_forking = False


def _close(connection: Any) -> None:
    """Close for good; a connection that is broken already has nothing left to say."""
    from sqlalchemy.exc import SQLAlchemyError

    with contextlib.suppress(SQLAlchemyError):
        connection.close()


def _before_fork() -> None:
    for connections in list(_everyone):
        connections.before_fork()


def _after_fork_in_parent() -> None:
    for connections in list(_everyone):
        connections.after_fork()


def _after_fork_in_child() -> None:
    for connections in list(_everyone):
        connections.after_fork_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)
