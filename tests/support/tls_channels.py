"""One end of a TLS connection as the FTPS transport holds it, and the bare socket of the other."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING

from govfile.certificates.trust import Trust
from govfile.transports._deadlines import Deadlines
from govfile.transports.base import Timeouts
from govfile.transports.ftps._channels import TlsChannel
from govfile.transports.ftps._tls import TlsContext
from govfile.transports.ftps_policy import FtpsPolicy
from support.ftp_servers import authority, server_identity
from support.scripted_ftp import tls_context

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def secured() -> Iterator[tuple[TlsChannel, socket.socket, Deadlines]]:
    """A channel after its handshake, and the server's bare socket, from which nobody reads."""
    context = tls_context(server_identity(), maximum=ssl.TLSVersion.TLSv1_2)
    ours, theirs = socket.socketpair()
    policy = FtpsPolicy(trust=Trust(system=False, anchors=(authority().identity.certificate,)))
    with ours, theirs:
        deadlines = Deadlines(Timeouts(), time.monotonic, "here")
        ours.setblocking(False)
        channel = TlsChannel(TlsContext("127.0.0.1", policy, None, "here"), ours, deadlines)
        handshake = threading.Thread(target=channel.handshake, args=(deadlines.limit("tls", "shaking hands"),))
        handshake.start()
        secure = context.wrap_socket(theirs.dup(), server_side=True)
        handshake.join()
        with socket.socket(fileno=secure.detach()) as bare:
            yield channel, bare, deadlines


def fill(sock: socket.socket) -> int:
    """Write until the socket takes not even one more byte; how many it took."""
    written = 0
    for block in (bytes(64 * 1024), b"\0"):
        with contextlib.suppress(BlockingIOError):
            while True:
                written += sock.send(block)
    return written
