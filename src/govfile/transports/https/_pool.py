"""Connections that wait for their next use, shared by threads and left alone by forked processes."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from govfile.transports.forks import renew_in_children

if TYPE_CHECKING:
    from collections.abc import Callable

    from govfile.transports.https._connection import Connection


class Pool:
    """At most `most` idle connections; the one used last is used next, and those too old are closed."""

    def __init__(self, most: int, idle: float, monotonic: Callable[[], float]) -> None:
        self._most = most
        self._idle = idle
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._waiting: list[Connection] = []
        self._closed = False
        renew_in_children(self)

    def take(self) -> Connection | None:
        """One that is fit for use, now the caller's own; None where there is none."""
        while True:
            with self._lock:
                if not self._waiting:
                    return None
                connection = self._waiting.pop()
            if connection.is_fit(self._monotonic()):
                return connection
            connection.close()

    def give(self, connection: Connection, kept_for: float | None) -> None:
        """Take a connection back; `kept_for` is how many seconds the server said it keeps it (None: it did not)."""
        connection.kept_since = self._monotonic()
        connection.kept_for = self._idle if kept_for is None else min(self._idle, kept_for)
        with self._lock:
            if connection.process == os.getpid() and not self._closed:
                self._waiting.append(connection)
                surplus = self._waiting[: -self._most or None]
                del self._waiting[: len(surplus)]
            else:
                surplus = [connection]
        for one in surplus:
            one.close()

    def close(self) -> None:
        """Close them all, and each that is given back later."""
        with self._lock:
            self._closed = True
            waiting, self._waiting = self._waiting, []
        for connection in waiting:
            connection.close()

    def begin_anew(self) -> None:
        """In a forked process: the connections are the parent's, and so was whoever held the lock."""
        self._lock = threading.Lock()
        waiting, self._waiting = self._waiting, []
        for connection in waiting:
            connection.close()  # this process's copy only; nothing is said on it
