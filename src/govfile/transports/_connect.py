"""From a host name to a TCP connection, within a limit."""

from __future__ import annotations

import errno
import ipaddress
import os
import queue
import select
import socket
import threading
from typing import TYPE_CHECKING, Any

from govfile.errors import ConnectionFailed, Phase, TimedOut

if TYPE_CHECKING:
    from govfile.transports._deadlines import Deadlines, Limit

_Address = tuple[int, Any]


def connect_host(host: str, port: int, deadlines: Deadlines) -> socket.socket:
    """A connected socket to the first address of `host` that answers.

    Each address gets its share of the time that is left: one that stays silent does not keep us from the next. Raises
    `ConnectionFailed` (phase resolve or connect) or `TimedOut`.
    """
    limit = deadlines.limit("connect", f"connecting to {host} port {port}")
    failure: OSError | None = None
    addresses = _resolve(host, port, deadlines, limit)
    for number, (family, address) in enumerate(addresses):
        now, left = deadlines.monotonic(), len(addresses) - number
        try:
            return connect_address(family, address, deadlines, limit._replace(end=now + (limit.end - now) / left))
        except OSError as error:
            failure = error
        except TimedOut:
            if left == 1:
                raise
    raise ConnectionFailed(
        f"{host} port {port} cannot be reached: {_words(failure)}",
        endpoint=deadlines.endpoint,
        advice=f"check host and port, and that the firewall lets TCP port {port} out",
    ) from failure


def connect_address(family: int, address: Any, deadlines: Deadlines, limit: Limit) -> socket.socket:
    """A connected, non-blocking socket without Nagle's delay; raises `OSError` or `TimedOut`."""
    sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _finish(sock, sock.connect_ex(address), deadlines, limit)
    except BaseException:
        sock.close()
        raise
    return sock


def _finish(sock: socket.socket, code: int, deadlines: Deadlines, limit: Limit) -> None:
    if code == errno.EINPROGRESS:
        poller = select.poll()
        poller.register(sock.fileno(), select.POLLOUT)
        deadlines.poll(poller, limit)
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if code:
        raise OSError(code, os.strerror(code))


def is_address(host: str) -> bool:
    """Whether `host` is an IP address rather than a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _resolve(host: str, port: int, deadlines: Deadlines, limit: Limit) -> list[_Address]:
    """The addresses of a host. The system's resolver knows no deadline, so that it runs in a thread of its own."""
    if is_address(host):
        return _look_up(host, port, socket.AI_NUMERICHOST)
    answers: queue.SimpleQueue[list[_Address] | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(_look_up(host, port, socket.AI_ADDRCONFIG))
        except (OSError, UnicodeError) as error:
            answers.put(error if isinstance(error, OSError) else OSError(str(error)))

    threading.Thread(target=ask, name="govfile-resolve", daemon=True).start()
    try:
        answer = answers.get(timeout=max(0.0, limit.end - deadlines.monotonic()))
    except queue.Empty:
        raise deadlines.passed(limit._replace(phase=Phase.RESOLVE, doing=f"resolving {host}")) from None
    if isinstance(answer, OSError):
        raise ConnectionFailed(
            f"the host name {host} cannot be resolved: {_words(answer)}",
            phase=Phase.RESOLVE,
            endpoint=deadlines.endpoint,
            advice="check the spelling and the name server",
        ) from answer
    return answer


def _look_up(host: str, port: int, flags: int) -> list[_Address]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
    return [(family, address) for family, _, _, _, address in found]


def _words(error: OSError | None) -> str:
    return str(error.strerror or error) if error is not None else "it has no address"
