"""A logged-in session: connect, TLS, login, protection, and data connections."""

from __future__ import annotations

import os
import select
import socket
from typing import TYPE_CHECKING

from govfile.errors import (
    AuthenticationRefused,
    ConfigurationError,
    ConnectionFailed,
    GovfileError,
    Phase,
    TlsFailed,
    TransferRefused,
)
from govfile.transports._connect import connect_host
from govfile.transports.base import TransferType
from govfile.transports.ftps._channels import PlainChannel, TlsChannel
from govfile.transports.ftps._control import Control
from govfile.transports.ftps._failures import DataLost, SessionEnded, lost
from govfile.transports.ftps_policy import TlsStart

if TYPE_CHECKING:
    from govfile.certificates.secret import Secret
    from govfile.transports._deadlines import Deadlines
    from govfile.transports.ftps._replies import Reply
    from govfile.transports.ftps._tls import TlsContext
    from govfile.transports.ftps_policy import FtpsPolicy

#: How long (seconds) to listen after a TLS 1.3 handshake: there the server says only now that it does not like our
#: certificate, and speaking first would lose its alert to a connection reset. Its tickets end the wait.
_LISTEN = 0.1

#: The family and address of a connected socket's other end.
Peer = tuple[int, tuple[str | int, ...]]

_TYPES = {TransferType.BINARY: b"I", TransferType.ASCII: b"A"}


class Session:
    """One control connection, logged in and protected. Not for use in a process forked off from its maker's."""

    def __init__(
        self, control: Control, peer: Peer, context: TlsContext, policy: FtpsPolicy, deadlines: Deadlines
    ) -> None:
        assert isinstance(control.channel, TlsChannel)
        self.channel = control.channel
        self.control = control
        #: The server as connected, the only host data connections go to.
        self.peer = peer
        self.context = context
        self.policy = policy
        self.deadlines = deadlines
        self.made_by = os.getpid()
        self._type: TransferType | None = None

    def ask(self, verb: str, argument: bytes | None = None) -> Reply:
        """A command that changes nothing; 421 counts as the end of the session."""
        reply = self.control.command(verb, argument)
        if reply.code == 421:
            raise SessionEnded(closing(self.control.endpoint, reply))
        return reply

    def transfer_type(self, wanted: TransferType) -> None:
        """Set the type of the transfers that follow, where it is another one."""
        if wanted is self._type:
            return
        reply = self.ask("TYPE", _TYPES[wanted])
        if reply.code != 200:
            raise refused("set the transfer type", reply, self.control.endpoint)
        self._type = wanted

    def quit(self) -> None:
        """Say goodbye within the `close` deadline; never raises."""
        if self.made_by != os.getpid():
            self.drop()
            return
        try:
            limit = self.deadlines.limit("close", "closing the session")
            self.channel.send(b"QUIT\r\n", limit)
            self.channel.read_out(limit)
        except (DataLost, GovfileError):
            self.drop()
        else:
            self.control.close()

    def drop(self) -> None:
        """Close the socket without a word."""
        self.control.close(abort=self.made_by == os.getpid())


def refused(what: str, reply: Reply, endpoint: str) -> TransferRefused:
    """The server said no to a command."""
    return TransferRefused(
        f"the server refused to {what}: {reply}",
        code=reply.code,
        reply=str(reply),
        certain="no document was handed over",
        endpoint=endpoint,
    )


def closing(endpoint: str, reply: Reply) -> ConnectionFailed:
    """The server closes the connection of its own accord (421)."""
    return ConnectionFailed(
        f"the server ended the session: {reply}", phase=Phase.REQUEST, endpoint=endpoint, advice="try again later"
    )


class Opener:
    """Opens sessions to one endpoint."""

    def __init__(
        self, host: str, port: int, user: str, password: Secret, policy: FtpsPolicy, deadlines: Deadlines
    ) -> None:
        self._host = host
        self._port = port
        self._user = user
        self._password = password
        self._policy = policy
        self._deadlines = deadlines

    def open(self, context: TlsContext) -> Session:
        """Connect, start TLS, log in, protect the data channel; closes the socket again if any of it fails."""
        sock = connect_host(self._host, self._port, self._deadlines)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        control = Control(PlainChannel(sock, self._deadlines), self._deadlines, self._policy.reply_limit)
        try:
            peer = self._peer(sock)
            if self._policy.tls_start is TlsStart.IMPLICIT:
                self._start_tls(control, context)
                self._greet(control)
            else:
                self._greet(control)
                self._ask_for_tls(control)
                self._start_tls(control, context)
            self._log_in(control)
            self._protect(control)
        except BaseException:
            control.close()
            raise
        session = Session(control, peer, context, self._policy, self._deadlines)
        context.keep(session.channel.session, session.channel.version)
        return session

    def _peer(self, sock: socket.socket) -> Peer:
        """Asked for at once: a socket that was reset since no longer knows it."""
        try:
            return sock.family, sock.getpeername()
        except OSError as error:
            raise lost(self._deadlines.endpoint, "connecting", Phase.CONNECT, error) from error

    def _greet(self, control: Control) -> None:
        reply = control.reply("waiting for the greeting", Phase.CONNECT)
        if reply.is_preliminary:  # 120: ready in some minutes, said once (RFC 959, section 5.4)
            reply = control.reply("waiting for the greeting", Phase.CONNECT)
        if reply.code != 220:
            raise ConnectionFailed(
                f"the server does not take connections: {reply}", endpoint=control.endpoint, advice="try again later"
            )

    def _ask_for_tls(self, control: Control) -> None:
        reply = control.command("AUTH", b"TLS", phase=Phase.TLS)
        self._check_readiness(reply, control, "start TLS", Phase.TLS)
        if reply.code != 234:
            raise TlsFailed(
                f"the server refused AUTH TLS: {reply}",
                certain="no login was sent; nothing travels in clear text",
                endpoint=control.endpoint,
                advice="check the port, and whether TLS starts explicitly or implicitly there",
            )

    def _start_tls(self, control: Control, context: TlsContext) -> None:
        channel = TlsChannel(context, control.channel.sock, self._deadlines)
        control.secure(channel)
        try:
            channel.handshake(self._deadlines.limit("tls", "shaking hands in TLS"))
        except DataLost as error:
            raise lost(control.endpoint, "shaking hands in TLS", Phase.TLS, error.__cause__) from error.__cause__
        if channel.version == "TLSv1.3" and self._policy.tls_start is TlsStart.EXPLICIT:
            poller = select.poll()
            poller.register(control.fd, select.POLLIN)
            poller.poll(_LISTEN * 1000)
            if not control.is_quiet():
                raise lost(control.endpoint, "shaking hands in TLS", Phase.TLS)

    def _log_in(self, control: Control) -> None:
        password = self._password.reveal()
        reply = control.command("USER", self._encoded(self._user, "user name"), phase=Phase.AUTHENTICATE)
        if reply.code == 331:
            control.hide(password)
            reply = control.command("PASS", self._encoded(password, "password"), phase=Phase.AUTHENTICATE)
            control.hide("")
        if reply.code in (202, 230, 232):
            return
        if reply.code != 430:
            self._check_readiness(reply, control, "take logins", Phase.AUTHENTICATE)
        raise AuthenticationRefused(
            f"the server refused the login of {self._user}: {reply}",
            certain="nothing but the login was sent, once",
            endpoint=control.endpoint,
            advice="check user name, password, and that the certificate belongs to this user; do not try in a loop",
        )

    def _check_readiness(self, reply: Reply, control: Control, what: str, phase: Phase) -> None:
        """4xx is a no for now: nothing is wrong with us or with what we asked for (RFC 959, section 4.2.1)."""
        if 400 <= reply.code < 500:
            raise ConnectionFailed(
                f"the server does not {what} now: {reply}",
                phase=phase,
                certain="no document was sent",
                endpoint=control.endpoint,
                advice="try again later",
            )

    def _encoded(self, text: str, what: str) -> bytes:
        if any(mark in "\r\n\0" or "\ud800" <= mark <= "\udfff" for mark in text):
            raise ConfigurationError(
                f"the {what} holds a line break, NUL, or what is not UTF-8", advice=f"check where the {what} is from"
            )
        return text.encode("utf-8")

    def _protect(self, control: Control) -> None:
        for verb, argument in (("PBSZ", b"0"), ("PROT", b"P")):
            reply = control.command(verb, argument, phase=Phase.TLS)
            self._check_readiness(reply, control, "protect data connections", Phase.TLS)
            if reply.code != 200:
                raise TlsFailed(
                    f"the server refused {verb} {argument.decode()}: {reply}",
                    certain="no document was sent; data never travels in clear text",
                    endpoint=control.endpoint,
                    advice="the server must offer protected data connections (RFC 4217)",
                )
