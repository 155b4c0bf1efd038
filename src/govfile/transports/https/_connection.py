"""One connection: by TCP, through the proxy where there is one, and by TLS."""

from __future__ import annotations

import base64
import http.client
import os
from typing import TYPE_CHECKING

from govfile.errors import AuthenticationRefused, ConnectionFailed, GovfileError, Phase
from govfile.transports._connect import connect_host
from govfile.transports.https._target import Target
from govfile.transports.https._watch import (
    Passed,
    TooMuch,
    Watch,
    WatchedSocket,
    WatchedTls,
    is_readable,
    says_something,
)

if TYPE_CHECKING:
    import socket

    from govfile.transports._deadlines import Deadlines
    from govfile.transports.https._tls import TlsContext
    from govfile.transports.https_policy import Proxy

#: What a proxy may say before the way is free, in bytes.
_PROXY_MOST = 64 * 1024


class Connection:
    """An open connection and the process it belongs to. `uses` counts the exchanges it has begun."""

    def __init__(self, sock: WatchedSocket | WatchedTls) -> None:
        self.sock = sock
        self.uses = 0
        self.kept_since = 0.0
        self.kept_for = 0.0
        self.process = os.getpid()

    def is_fit(self, now: float) -> bool:
        """Whether it can be used once more: kept not too long, and the other side has neither closed nor spoken."""
        if now >= self.kept_since + self.kept_for:
            return False
        try:
            return not (is_readable(self.sock) and says_something(self.sock))
        except OSError:
            return False

    def close(self) -> None:
        """Close it; never raises."""
        self.sock.close()


def open_connection(target: Target, proxy: Proxy | None, tls: TlsContext | None, deadlines: Deadlines) -> Connection:
    """A new connection; raises of `TransportError`, `CredentialError` and `ConfigurationError` what fits."""
    sock = connect_host(target.host, target.port, deadlines) if proxy is None else _through(proxy, target, deadlines)
    if tls is not None:
        return Connection(tls.secure(sock, deadlines))
    return Connection(_watched(sock))


def _watched(sock: socket.socket) -> WatchedSocket:
    return WatchedSocket(sock.family, sock.type, sock.proto, fileno=sock.detach())


def _through(proxy: Proxy, target: Target, deadlines: Deadlines) -> socket.socket:
    """A connection to `target` that a proxy made (RFC 9110, 9.3.6)."""
    where = Target.parse(proxy.url, "proxy URL")
    sock = _watched(connect_host(where.host, where.port, deadlines))
    try:
        sock.watch = Watch(
            deadlines, _PROXY_MOST, f"the proxy {where.endpoint} was asked for a connection", ("connect", "connect")
        )
        _ask(sock, proxy, target, where.endpoint)
    except Passed as passed:
        sock.close()
        raise deadlines.passed(passed.limit) from passed
    except (OSError, http.client.HTTPException, TooMuch) as error:
        sock.close()
        raise _refused(where.endpoint, target, f"it broke off or spoke no HTTP ({type(error).__name__})") from error
    except BaseException:
        sock.close()
        raise
    return sock


def _ask(sock: WatchedSocket, proxy: Proxy, target: Target, place: str) -> None:
    lines = [f"CONNECT {target.endpoint} HTTP/1.1", f"Host: {target.endpoint}"]
    if proxy.user or proxy.password:
        login = f"{proxy.user}:{proxy.password.reveal() if proxy.password else ''}"
        lines.append(f"Proxy-Authorization: Basic {base64.b64encode(login.encode()).decode()}")
    sock.sendall("\r\n".join([*lines, "", ""]).encode("ascii"))
    answer = http.client.HTTPResponse(sock, method="CONNECT")
    try:
        answer.begin()
    finally:
        answer.close()
    if answer.status == http.client.PROXY_AUTHENTICATION_REQUIRED:
        raise AuthenticationRefused(
            f"the proxy {place} demands a login" + (", and refused the one it got" if proxy.user else ""),
            certain="nothing reached the authority's server",
            endpoint=target.endpoint,
            advice="check the proxy's user name and password; only Basic logins are spoken",
        )
    if not 200 <= answer.status < 300:
        raise _refused(place, target, f"HTTP {answer.status}")


def _refused(place: str, target: Target, reason: str) -> GovfileError:
    return ConnectionFailed(
        f"the proxy {place} made no connection to {target.endpoint}: {reason}",
        phase=Phase.CONNECT,
        endpoint=target.endpoint,
        certain="nothing reached the authority's server",
        advice="check the proxy's settings, and whether it lets this host and port through",
    )
