"""Data connections: TLS that resumes the session of the control connection, over a connected data port."""

from __future__ import annotations

from typing import TYPE_CHECKING

from govfile.errors import CredentialError, GovfileError, ProtocolError, TlsFailed, TransferRefused
from govfile.transports.ftps._channels import TlsChannel
from govfile.transports.ftps._control import TransferReplies, logger
from govfile.transports.ftps._failures import DataLost, Interrupted
from govfile.transports.ftps._session import refused
from govfile.transports.ftps_policy import SessionReuse

if TYPE_CHECKING:
    import socket

    from govfile.transports.ftps._passive import DataPorts
    from govfile.transports.ftps._session import Session

#: Replies that say the data connection did not come about (RFC 959; 522: RFC 4217 servers that demand resumption).
NO_DATA_CONNECTION = frozenset({425, 522})


class Transfers:
    """Opens the data connection of a transfer command, and learns whether this server resumes TLS sessions."""

    def __init__(self, reuse: SessionReuse) -> None:
        self._reuse = reuse
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget what was learned: a data connection may have been refused for another reason."""
        self._resume = self._reuse is not SessionReuse.NEVER
        self._may_change = self._reuse is SessionReuse.AUTO

    def start(
        self, session: Session, ports: DataPorts, prepared: tuple[socket.socket, int], verb: str, argument: bytes | None
    ) -> Transfer:
        """Send the transfer command and secure its data connection; on failure try once more the other way.

        Only when the server refused the command is it sent again, and no byte of content has left by then.
        Raises `TransferRefused` for a refusal, `SessionEnded`, `TimedOut`, or another `GovfileError`.
        """
        transfer = Transfer(session, prepared, verb)
        try:
            self._begin(transfer, argument)
        except TransferRefused as error:
            failed = error.code in NO_DATA_CONNECTION or transfer.handshake_error is not None
            if not (self._may_change and failed):
                raise
            logger.info(
                "%s refused a data connection (%s); trying without or with resumption", transfer.endpoint, error
            )
            self._resume, self._may_change = not self._resume, False
        else:
            self._may_change = self._may_change and not transfer.channel.resumed
            return transfer
        transfer = Transfer(session, ports.connect(session), verb)
        self._begin(transfer, argument)
        return transfer

    def _begin(self, transfer: Transfer, argument: bytes | None) -> None:
        try:
            transfer.begin(argument, resume=self._resume)
            self._check(transfer)
        except BaseException:
            transfer.abort()
            raise

    def _check(self, transfer: Transfer) -> None:
        if self._reuse is SessionReuse.ALWAYS and not transfer.channel.resumed:
            raise TlsFailed(
                "the server did not resume the TLS session on the data connection",
                endpoint=transfer.endpoint,
                advice="set the policy's session_reuse to AUTO if this server cannot",
            )


class Transfer:
    """One transfer command on its way: its data connection and its replies."""

    channel: TlsChannel

    def __init__(self, session: Session, prepared: tuple[socket.socket, int], verb: str) -> None:
        self._session = session
        self._sock, self.port = prepared
        self._verb = verb
        self.endpoint = session.control.endpoint
        self.replies = TransferReplies(session.control, verb)
        self.handshake_error: GovfileError | None = None

    def begin(self, argument: bytes | None, *, resume: bool) -> None:
        """Send the command and shake hands; see `Transfers.start` for what it raises."""
        context = self._session.context
        self.channel = TlsChannel(context, self._sock, self._session.deadlines, context.session if resume else None)
        ends_it = self.replies.look if self._verb == "STOR" else self._is_refused
        self.channel.waiter.accompany(self._session.control.fd, ends_it)
        self._session.control.send(self._verb, argument)
        try:
            self.channel.handshake(self._session.deadlines.limit("tls", "securing the data connection"))
        except (Interrupted, DataLost) as error:
            self._explain(error.__cause__)
        except (TlsFailed, CredentialError) as error:
            self.handshake_error = error
            self._explain(error)

    def _explain(self, cause: BaseException | None) -> None:
        """The data connection failed before any content: the reply says why, and that nothing was taken."""
        reply = self.replies.wait()
        if reply.is_refusal:
            raise refused(f"carry out {self._verb}", reply, self.endpoint) from cause
        raise ProtocolError(
            "the server calls a transfer complete whose data connection never stood",
            excerpt=str(reply)[:80],
            endpoint=self.endpoint,
        ) from cause

    def _is_refused(self) -> bool:
        """What comes to us is read to its end even when it is confirmed early, be it before we see that the handshake
        is over. Only a refusal ends it: some servers leave the data connection open, and nothing would ever come.
        """
        if not self.replies.look():
            return False
        if self.replies.wait().is_refusal:
            return True
        self.channel.waiter.alone(self._session.control.fd)
        return False

    def keep_session(self) -> None:
        """Keep the newest TLS session for the next data connection: under TLS 1.3 each ticket serves once."""
        newest = self.channel.session
        if newest is not None and self.channel.version == "TLSv1.3":
            self._session.context.keep(newest, self.channel.version)

    def finish(self) -> None:
        """Close the data connection after its end."""
        self.keep_session()
        self.channel.close()

    def abort(self) -> None:
        """Close the data connection by a reset, so that nobody takes what was sent for the whole."""
        if hasattr(self, "channel"):
            self.channel.close(abort=True)
        else:
            self._sock.close()
