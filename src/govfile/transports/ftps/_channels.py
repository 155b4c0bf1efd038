"""Bytes over a socket, in clear (until TLS starts) and in TLS, each wait within a limit."""

from __future__ import annotations

import contextlib
import select
import socket
import struct
from typing import TYPE_CHECKING, NoReturn

from OpenSSL import SSL

from govfile.transports._tls_failures import handshake_failure
from govfile.transports.ftps._failures import DataLost, Interrupted
from govfile.transports.ftps._tls import TlsContext, reasons

if TYPE_CHECKING:
    from collections.abc import Callable

    from govfile.errors import GovfileError
    from govfile.transports._deadlines import Deadlines, Limit

#: A TLS record holds no more, so that one read empties what the library has decrypted.
_RECORD = 16 * 1024 + 256

_READ = select.POLLIN
_WRITE = select.POLLOUT

#: Both close alerts, as far as the library is concerned: dropping a connection must not spoil the session it shares.
_BOTH: int = int(SSL.SENT_SHUTDOWN) | int(SSL.RECEIVED_SHUTDOWN)


class Waiter:
    """Waits for one socket, and for a companion (the control connection) beside it."""

    def __init__(self, sock: socket.socket, deadlines: Deadlines) -> None:
        self.deadlines = deadlines
        self._fd = sock.fileno()
        self._poller = select.poll()
        self._companion: Callable[[], bool] | None = None

    def accompany(self, fd: int, look: Callable[[], bool]) -> None:
        """Also watch `fd`; `look` reads it and says whether what came ends the wait."""
        self._companion = look
        self._poller.register(fd, _READ)

    def alone(self, fd: int) -> None:
        """Watch `fd` no longer."""
        self._companion = None
        self._poller.unregister(fd)

    def wait(self, event: int, limit: Limit) -> None:
        """Until the socket is ready; raises `TimedOut`, or `Interrupted` when the companion says so."""
        self._poller.register(self._fd, event)
        while True:
            ready = self.deadlines.poll(self._poller, limit)
            if self._companion is not None and any(fd != self._fd for fd, _ in ready) and self._companion():
                raise Interrupted
            if any(fd == self._fd for fd, _ in ready):
                return


class PlainChannel:
    """The connection before `AUTH TLS`: greeting and one reply, nothing else."""

    def __init__(self, sock: socket.socket, deadlines: Deadlines) -> None:
        self.sock = sock
        self._waiter = Waiter(sock, deadlines)

    def send(self, block: bytes, limit: Limit) -> None:
        """All of `block`; raises `DataLost` when the connection is gone."""
        view = memoryview(block)
        while view:
            try:
                view = view[self.sock.send(view) :]
            except BlockingIOError:
                self._waiter.wait(_WRITE, limit)
            except OSError as error:
                raise DataLost from error

    def receive(self, limit: Limit) -> bytes:
        """What came; b"" at the end."""
        while True:
            self._waiter.wait(_READ, limit)
            block = self.receive_now()
            if block is not None:
                return block

    def receive_now(self) -> bytes | None:
        """What is there; b"" at the end, None when nothing is there yet."""
        try:
            return self.sock.recv(_RECORD)
        except BlockingIOError:
            return None
        except OSError as error:
            raise DataLost from error

    def close(self, *, abort: bool = False) -> None:
        """Close the socket."""
        del abort
        self.sock.close()


class TlsChannel:
    """A connection in TLS. `resumed` and `version` are known after `handshake`."""

    def __init__(
        self, context: TlsContext, sock: socket.socket, deadlines: Deadlines, session: SSL.Session | None = None
    ) -> None:
        self.sock = sock
        self.waiter = Waiter(sock, deadlines)
        self.resumed: bool | None = None
        self.offered = session is not None
        self.ended_cleanly = False
        self._context = context
        self._tls, self._checked = context.connection(sock, session)

    @property
    def version(self) -> str:
        """The protocol version, such as `TLSv1.3`."""
        return self._tls.get_protocol_version_name()

    @property
    def session(self) -> SSL.Session | None:
        """The newest session of this connection."""
        return self._tls.get_session()

    def handshake(self, limit: Limit) -> None:
        """Raises `PeerIdentityError`, `CredentialError`, `TlsFailed`, or `DataLost` when the connection is gone."""
        while True:
            try:
                self._tls.do_handshake()
            except SSL.WantReadError:
                self.waiter.wait(_READ, limit)
            except SSL.WantWriteError:
                self.waiter.wait(_WRITE, limit)
            except SSL.Error as error:
                self._explain(error)
            else:
                self.resumed = not self._checked.ran
                return

    def send(self, block: bytes | memoryview, limit: Limit) -> None:
        """All of `block`, and only after the handshake; raises `DataLost` when the connection is gone.

        The limit is for each wait until there is room again, however many of them a slow link makes necessary.
        """
        assert self.resumed is not None, "no byte leaves before TLS stands"
        while True:
            try:
                self._tls.send(block)
            except SSL.WantWriteError:
                self.waiter.wait(_WRITE, limit)
                limit = self.waiter.deadlines.anew(limit)
            except SSL.WantReadError:
                self.waiter.wait(_READ, limit)
            except SSL.Error as error:
                self._explain(error)
            else:
                return

    def receive(self, limit: Limit) -> bytes:
        """What came; b"" at the end, after which `ended_cleanly` says whether the peer said so itself."""
        while True:
            self.waiter.wait(_READ, limit)
            block = self.receive_now()
            if block is not None:
                return block

    def receive_now(self) -> bytes | None:
        """What is there; b"" at the end, None when nothing is there yet."""
        try:
            return self._tls.recv(_RECORD)
        except (SSL.WantReadError, SSL.WantWriteError):
            return None
        except SSL.ZeroReturnError:
            self.ended_cleanly = True
            return b""
        except SSL.SysCallError as error:
            if error.args[0] in (-1, 0):
                return b""
            raise DataLost from error
        except SSL.Error as error:
            self._explain(error)

    def read_out(self, limit: Limit) -> None:
        """Read on to the peer's end, whatever it says; raises `TimedOut` also where it goes on without end."""
        while self.receive(limit):
            self.waiter.deadlines.check(limit)

    def say_goodbye(self, limit: Limit) -> None:
        """Tell the peer that this was all: the close alert, then the end of the TCP stream.

        Where what was sent before still fills the socket, the alert waits its turn: without it all would be cut off.
        Raises `DataLost` when the alert cannot leave.
        """
        while True:
            try:
                self._tls.shutdown()
            except SSL.WantWriteError:
                self.waiter.wait(_WRITE, limit)
            except SSL.Error as error:
                raise DataLost from error
            else:
                break
        with contextlib.suppress(OSError):  # the peer may be gone since
            self.sock.shutdown(socket.SHUT_WR)

    def close(self, *, abort: bool = False) -> None:
        """Close the socket; with `abort` by a reset, so that nobody takes what was sent for the whole."""
        try:
            self._tls.set_shutdown(_BOTH)
            if abort:
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:  # the socket is closed already, which is all that is wanted
            return
        finally:
            self.sock.close()

    def _explain(self, error: SSL.Error) -> NoReturn:
        if isinstance(error, SSL.SysCallError | SSL.ZeroReturnError):
            raise DataLost from error
        failure: GovfileError = handshake_failure(reasons(error), self._checked.problem, self._context.setting)
        raise failure from error
