"""Sockets that keep to deadlines and bounds by themselves, whatever reads from them or writes to them."""

from __future__ import annotations

import select
import socket
import ssl
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from govfile.transports._deadlines import Deadlines, Limit, Which

#: How much is sent at once, in bytes: one record of TLS (RFC 8446, 5.1). Of several, some might have arrived when the
#: library says that it could not send.
_BLOCK = 16 * 1024


class Passed(TimeoutError):
    """A deadline passed; `limit` says which."""

    def __init__(self, limit: Limit) -> None:
        super().__init__(f"nothing moved within {limit.seconds:g} s")
        self.limit = limit


class TooMuch(Exception):
    """More came than is read."""

    def __init__(self, most: int) -> None:
        super().__init__(f"it has more than the {most} bytes that are read")


class Watch:
    """What one exchange may take: time, by its `deadlines`, and `most` bytes in all; and how much has moved."""

    def __init__(self, deadlines: Deadlines, most: int, doing: str, waiting: tuple[Which, Which]) -> None:
        self.sent = 0
        self.received = 0
        self._deadlines = deadlines
        self._most = most
        self._doing = doing
        self._first: Which = waiting[0]
        self._later: Which = waiting[1]

    def before(self, sock: socket.socket, is_sending: bool = False) -> Limit:
        """Set the socket's own time-out for one step."""
        limit = self._deadlines.limit(self._later if is_sending or self.received else self._first, self._doing)
        left = limit.end - self._deadlines.monotonic()
        if left <= 0:
            raise Passed(limit)
        sock.settimeout(left)
        return limit

    def came(self, count: int) -> int:
        """Count what was received."""
        self.received += count
        if self.received > self._most:
            raise TooMuch(self._most)
        return count


class WatchedSocket(socket.socket):
    """A plain one."""

    watch: Watch

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        limit = self.watch.before(self)
        try:
            return self.watch.came(super().recv_into(buffer, nbytes, flags))
        except TimeoutError as error:
            raise Passed(limit) from error

    def sendall(self, data: Any, flags: int = 0) -> None:
        _send_all(self, super().send, data, flags)


class WatchedTls(ssl.SSLSocket):
    """One with TLS."""

    watch: Watch

    def recv_into(self, buffer: Any, nbytes: int | None = None, flags: int = 0) -> int:
        limit = self.watch.before(self)
        try:
            return self.watch.came(super().recv_into(buffer, nbytes, flags))
        except TimeoutError as error:
            raise Passed(limit) from error

    def sendall(self, data: Any, flags: int = 0) -> None:
        _send_all(self, super().send, data, flags)


def _send_all(sock: WatchedSocket | WatchedTls, send: Any, data: Any, flags: int) -> None:
    view = memoryview(data).cast("B")
    while view:
        limit = sock.watch.before(sock, is_sending=True)
        try:
            count = send(view[:_BLOCK], flags)
        except TimeoutError as error:
            raise Passed(limit) from error
        sock.watch.sent += count
        view = view[count:]


def is_readable(sock: socket.socket) -> bool:
    """Whether something came, or the end; words that TLS has read and not given out count too."""
    if isinstance(sock, WatchedTls) and sock.pending():
        return True
    poller = select.poll()
    poller.register(sock, select.POLLIN)
    return bool(poller.poll(0))


def says_something(sock: socket.socket) -> bool:
    """Whether a socket has more to say now than what TLS itself needs; the end counts, and so do words.

    Raises `OSError` where the connection broke, and `ssl.SSLError` with the alert where the other side gave one.
    """
    sock.setblocking(False)
    try:
        sock.recv(1)
    except (BlockingIOError, ssl.SSLWantReadError):
        return False
    return True
