"""Sending one document: what can be checked first, the point of no return, and what is true afterwards."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from govfile.errors import (
    CredentialError,
    GovfileError,
    OutcomeUnknown,
    Phase,
    Rejected,
    TlsFailed,
    TransferAborted,
    TransferRefused,
    TransportError,
)
from govfile.transports.base import PutReceipt, TransferType
from govfile.transports.ftps._data import NO_DATA_CONNECTION
from govfile.transports.ftps._failures import DataLost, Interrupted, SessionEnded
from govfile.transports.ftps._session import refused
from govfile.transports.line_ends import LineEnds

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from govfile.transports._reading import CheckedReader
    from govfile.transports.ftps._data import Transfer, Transfers
    from govfile.transports.ftps._passive import DataPorts
    from govfile.transports.ftps._replies import Reply
    from govfile.transports.ftps._session import Session

_HOW_TO_RESOLVE = "wait for the authority's word or look there; never send it again before, under any name"


class Upload:
    """One `STOR`, from the data port on."""

    def __init__(
        self,
        session: Session,
        path: str,
        raw_path: bytes,
        reader: CheckedReader,
        transfer_type: TransferType,
        progress: Callable[[int, int | None], None] | None,
    ) -> None:
        self._session = session
        self._path = path
        self._raw_path = raw_path
        self._reader = reader
        self._lines = LineEnds() if transfer_type is TransferType.ASCII else None
        self._progress = progress
        self._read = 0
        self._sent = 0
        self._begun = False
        self._complete = False
        self.out_of_step = False

    def run(self, transfers: Transfers, ports: DataPorts, prepared: tuple[socket.socket, int]) -> PutReceipt:
        """Send it and read the final reply. The server has heard of the document from here on.

        Raises `TransferRefused`, `Rejected` or `OutcomeUnknown`; a `BaseException` such as KeyboardInterrupt goes
        through, and leaves the outcome unknown as well. After `out_of_step` the session cannot go on.
        """
        started = time.monotonic()
        try:
            transfer = transfers.start(self._session, ports, prepared, "STOR", self._raw_path)
            reply = self._converse(transfer)
            return self._judge(reply, transfer, time.monotonic() - started)
        except (TransferRefused, Rejected, OutcomeUnknown):
            raise
        except SessionEnded as ended:
            if not self._session.control.was_told("STOR"):
                raise
            raise self._unknown(ended.error.what, ended.error) from ended.error
        except GovfileError as error:
            if not self._session.control.was_told("STOR"):
                raise
            raise self._unknown(error.what, error) from error

    def _converse(self, transfer: Transfer) -> Reply:
        """Send everything, then see the data connection and the reply to their ends.

        What is still on its way would be cut off by the system, were the socket closed and anything came then. So it is
        closed behind the reply.
        """
        try:
            self._send(transfer)
        except (Interrupted, DataLost):
            transfer.abort()
            return transfer.replies.wait()
        except (TlsFailed, CredentialError):
            transfer.abort()
            reply = transfer.replies.wait()
            if reply.is_refusal:
                return reply
            raise  # a confirmation of what the server could not read confirms nothing
        except BaseException:
            transfer.abort()
            raise
        try:
            return transfer.replies.wait()
        finally:
            transfer.finish()

    def _send(self, transfer: Transfer) -> None:
        deadlines, channel = self._session.deadlines, transfer.channel
        self._begun = True
        for block in self._reader.blocks():
            outgoing = self._lines.translate(block) if self._lines else block
            channel.send(outgoing, deadlines.flowing("sending the document"))
            self._read += len(block)
            self._sent += len(outgoing)
            self._report()
        if transfer.replies.look():  # nobody can know yet that this was all
            raise Interrupted
        channel.say_goodbye(deadlines.limit("data", "sending the document", Phase.TRANSFER))
        self._complete = True
        self._await_goodbye(transfer)

    def _report(self) -> None:
        if self._progress is None:
            return
        try:
            self._progress(self._read, self._reader.size)
        except Exception as error:
            raise TransferAborted(f"the progress callback raised {type(error).__name__}") from error

    def _await_goodbye(self, transfer: Transfer) -> None:
        """Read to the peer's own close alert, as some servers demand; the reply decides, not that alert.

        One that refuses our certificate decides: what was sent was not read then. Raises `CredentialError`.
        """
        limit = self._session.deadlines.limit("close", "closing the data connection")
        with contextlib.suppress(DataLost, TransportError):
            try:
                transfer.channel.read_out(limit)
            except Interrupted:  # by the reply, perhaps beside such an alert
                transfer.channel.receive_now()

    def _judge(self, reply: Reply, transfer: Transfer, seconds: float) -> PutReceipt:
        if reply.is_refusal:
            raise self._no(reply, transfer)
        if reply.code not in (226, 250) or not self._complete:
            raise self._unknown(f"the server answered {reply}", None)
        size_seen = self._ask_size()
        if size_seen not in (None, self._sent):
            raise self._unknown(f"the server answered {reply}, and then reported {size_seen} bytes", None)
        return PutReceipt(
            path=self._path,
            bytes_sent=self._sent,
            sha256=self._reader.sha256,
            reply=str(reply),
            size_seen=size_seen,
            tls_version=transfer.channel.version,
            tls_resumed=transfer.channel.resumed,
            data_port=transfer.port,
            seconds=seconds,
        )

    def _ask_size(self) -> int | None:
        """The size of the file as the server sees it, where the policy wants to know and the server says.

        The upload is confirmed by now: a link lost here changes nothing but the session.
        """
        if not self._session.policy.ask_size or self._lines is not None:
            return None
        try:
            reply = self._session.ask("SIZE", self._raw_path)
        except (SessionEnded, GovfileError):
            self.out_of_step = True
            return None
        return reply.file_size

    def _no(self, reply: Reply, transfer: Transfer) -> GovfileError:
        """A refusal: before any content, of an unresumed data connection as such, for good (5xx), or for now (4xx)."""
        endpoint = self._session.control.endpoint
        demands_resumption = reply.code in NO_DATA_CONNECTION and not transfer.channel.resumed
        if demands_resumption or not self._begun:
            return refused("take the document", reply, endpoint)
        if reply.code >= 500:
            return Rejected(
                f"the server refused {self._path}: {reply}",
                code=str(reply.code),
                text=str(reply),
                phase=Phase.CONFIRM,
                certain=self._how_far(),
                operation="put",
                endpoint=endpoint,
            )
        return self._unknown(f"the server answered {reply}", None)

    def _how_far(self) -> str:
        if self._complete:
            return f"every byte was sent ({self._sent} bytes)"
        if self._begun and self._read == self._reader.size:
            return f"all {self._sent} bytes were on their way, and its end was not said"
        return f"{self._sent} bytes or a little more were sent, not the whole" if self._begun else "no content was sent"

    def _unknown(self, what: str, error: GovfileError | None) -> OutcomeUnknown:
        aborted = isinstance(error, TransferAborted)
        evidence = f"the server was told to store {self._path}; {self._how_far()}; then {what}"
        return OutcomeUnknown(
            f"it is not known whether {self._path} arrived: {what}",
            evidence=f"{evidence}; the last block was withheld and the transfer aborted" if aborted else evidence,
            how_to_resolve=_HOW_TO_RESOLVE,
            operation="put",
            endpoint=self._session.control.endpoint,
        )
