"""A server that takes a request slowly or stops half-way: what is counted as sent is what can be read there."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING

import pytest

from govfile.errors import OutcomeUnknown
from govfile.transports._deadlines import Deadlines
from govfile.transports._tls_failures import TlsSetting
from govfile.transports.base import Timeouts
from govfile.transports.ftps_policy import TlsVersion
from govfile.transports.https._connection import Connection
from govfile.transports.https._exchange import Exchange
from govfile.transports.https._watch import WatchedTls
from support.ftp_servers import server_identity
from support.scripted_ftp import tls_context

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Room for some records of TLS, and not for all of the request.
_ROOM = 24 * 1024
_HEAD = b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 60000\r\n\r\n"


@contextlib.contextmanager
def connected() -> Iterator[tuple[WatchedTls, ssl.SSLSocket]]:
    """Both ends of a connection in TLS with little room on its way."""
    ours, theirs = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _ROOM)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.sslsocket_class = WatchedTls
    server: list[ssl.SSLSocket] = []
    server_side = tls_context(server_identity())
    accepting = threading.Thread(target=lambda: server.append(server_side.wrap_socket(theirs, server_side=True)))
    accepting.start()
    client = context.wrap_socket(ours)
    accepting.join()
    assert isinstance(client, WatchedTls)
    with client, server[0]:
        yield client, server[0]


def arrived(server: ssl.SSLSocket) -> bytes:
    """What can be read without waiting."""
    server.setblocking(False)
    found = bytearray()
    with contextlib.suppress(ssl.SSLWantReadError):
        while block := server.recv(65536):
            found += block
    return bytes(found)


def test_w06_a_request_of_which_a_part_can_be_read_is_not_said_to_have_not_left() -> None:
    deadlines = Deadlines(Timeouts(data=0.2), time.monotonic, "here")
    setting = TlsSetting("here", TlsVersion.TLS_1_2, None, has_certificate=False)
    with connected() as (client, server):
        exchange = Exchange(Connection(client), deadlines, setting, 1000)
        with contextlib.suppress(ssl.SSLWantReadError):
            client.setblocking(False)
            client.recv(1)  # the tickets: nothing else is to be heard
        with pytest.raises(OutcomeUnknown, match="took no more of it"):
            exchange.run(_HEAD, bytes(60_000), None)
        assert client.watch.sent == len(arrived(server)) > 0
