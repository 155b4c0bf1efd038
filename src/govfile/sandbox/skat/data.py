"""The data connection: TLS demanded, sessions resumed where asked for, and an upload settled before it is confirmed."""

from __future__ import annotations

import logging
import socket
from typing import Any

from OpenSSL import SSL

from govfile.sandbox.skat import tls
from govfile.sandbox.skat.faults import LinkLoss
from govfile.sandbox.skat.filesystem import Download, Upload
from govfile.sandbox.skat.library import PassiveDTP, TLS_DTPHandler
from govfile.sandbox.skat.settings import Broken

_log = logging.getLogger("govfile.sandbox")
_BROKEN_OFF = ("426 Connection closed; transfer aborted.", _log.debug)


class NoDataPortError(OSError):
    """Every port of the passive range is taken."""


class DataPort(PassiveDTP):  # type: ignore[misc]
    """The socket that waits for a data connection: on a port of the range, or not at all."""

    _has_tried_the_range = False

    def bind(self, address: Any) -> None:
        if address[1]:
            self._has_tried_the_range = True
        elif self._has_tried_the_range:  # pyftpdlib would take any port, which no firewall lets through
            self.close()
            raise NoDataPortError
        super().bind(address)


class DataSession(TLS_DTPHandler):  # type: ignore[misc]
    """One data connection of one session."""

    _resp: Any

    def __init__(self, sock: socket.socket, cmd_channel: Any) -> None:
        self._handshake = tls.Handshake()
        self._refusal = ""
        self._is_settled = False
        self._is_told = False
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # each transfer would stall 40 ms without
        super().__init__(sock, cmd_channel)

    # --- TLS

    def secure_connection(self, ssl_context: SSL.Context) -> None:
        super().secure_connection(ssl_context)
        if isinstance(self.socket, SSL.Connection):
            self._handshake = tls.watch(self.socket)
            if not self.cmd_channel.door.settings.data_certificate:
                tls.demand_no_certificate(self.socket)

    def handle_ssl_established(self) -> None:
        habits = self.cmd_channel.door.settings
        if habits.session_reuse_required and self._handshake.was_full:
            self._refusal = "522 The data connection must resume the TLS session of the control connection."
        elif habits.data_certificate and not self._shows_the_same_certificate():
            self._refusal = "522 The data connection must show the certificate of the control connection."
        if self._refusal and self._initialized:
            self._refuse()

    def _shows_the_same_certificate(self) -> bool:
        return bool(self.socket.get_peer_certificate(as_cryptography=True) == self.cmd_channel.peer_certificate)

    def _refuse(self) -> None:
        self._resp = (self._refusal, _log.debug)
        self.close()

    def enable_receiving(self, type: str, cmd: str) -> None:  # noqa: A002 - pyftpdlib's signature
        super().enable_receiving(type, cmd)
        self._data_wrapper = None  # ASCII content is kept as it crossed the wire, lines ending in CRLF
        if self._refusal:
            self._refuse()

    def push(self, data: bytes) -> None:
        if self._refusal:
            self._refuse()
        else:
            super().push(data)

    def push_with_producer(self, producer: Any) -> None:
        if self._refusal:
            self._refuse()
        else:
            super().push_with_producer(producer)

    def handle_failed_ssl_handshake(self) -> None:
        self.cmd_channel.door.find("TLS handshake failed on a data connection")
        self._resp = ("522 TLS handshake failed.", _log.debug)
        self.close()

    # --- moving bytes

    def handle_read_event(self) -> None:
        before = self.tot_bytes_received
        super().handle_read_event()
        if self.tot_bytes_received > before and self._faults.link_loss is LinkLoss.DURING_DATA and self._is_upload:
            self.cmd_channel.cut()

    def abort(self) -> None:
        """End on the client's wish; who answers that answers for the transfer, too."""
        self._is_told = True

    def cut_off(self) -> None:
        """End as a broken line would."""
        if isinstance(self.file_obj, Upload) and not self._is_settled:
            self._keep_what_came(self.file_obj)
        self._is_settled = True
        self._error = True
        self._resp = ()
        self.close()

    def handle_write_event(self) -> None:
        super().handle_write_event()
        if self._ssl_accepting and self._ssl_want_read:  # writable all the time: the loop would go round for nothing
            self.modify_ioloop_events(self.ioloop.READ)

    def send(self, data: bytes) -> int:
        if self._ssl_accepting:  # OpenSSL would end the handshake by itself, and send before anybody judged it
            return 0
        limit = self._faults.cut_downloads
        if limit is None or not isinstance(self.file_obj, Download):
            return int(super().send(data))
        sent = int(super().send(data[: max(0, limit - self.tot_bytes_sent)])) if self.tot_bytes_sent < limit else 0
        if self.tot_bytes_sent >= limit:
            self.transfer_finished = True
            self._error = True
            self._resp = ("226 Transfer complete.", _log.debug)
            self.close()
        return sent

    @property
    def _faults(self) -> Any:
        return self.cmd_channel.door.faults

    @property
    def _is_upload(self) -> bool:
        return isinstance(self.file_obj, Upload)

    # --- the end

    def handle_error(self) -> None:
        if not (isinstance(self.file_obj, Upload) and self.file_obj.is_full):
            self.cmd_channel.door.trouble("a data connection")
            self._error = True
        self.transfer_finished = False
        self._resp = _BROKEN_OFF
        self.close()

    def close(self) -> None:
        if self._closed:
            return
        if not self._is_settled and not self._ssl_closing:
            self._is_settled = True
            if self._initialized and not self._is_told:
                self._resp = self._resp or _BROKEN_OFF
            if isinstance(self.file_obj, Upload):
                self._settle(self.file_obj)
        if self._faults.no_close_notify:
            self._error = True
        super().close()

    def _settle(self, upload: Upload) -> None:
        """Decide on a finished upload, before any word of it leaves."""
        if upload.is_full:
            self._resp = ("552 Requested file action aborted: exceeded storage allocation.", _log.debug)
        elif self._refusal:
            return
        elif not self.transfer_finished:
            self._keep_what_came(upload)
        elif not self._ended_cleanly():
            self._keep_what_came(upload)
            self.transfer_finished = False
            self._error = True  # after an unexpected end OpenSSL can do no shutdown, and pyftpdlib would wait for one
            self._resp = ("426 The data connection ended without a TLS shutdown; transfer aborted.", _log.debug)
        else:
            self._take(upload)

    def _keep_what_came(self, upload: Upload) -> None:
        match self.cmd_channel.door.settings.broken_uploads:
            case Broken.TAKEN:
                self.cmd_channel.take(upload, tls_resumed=not self._handshake.was_full)
            case Broken.NAME_BURNT:
                self.cmd_channel.door.burn(self.cmd_channel.view, upload)
            case Broken.FORGOTTEN:
                pass

    def _ended_cleanly(self) -> bool:
        shutdown = self.socket.get_shutdown() if isinstance(self.socket, SSL.Connection) else 0
        return bool(shutdown & SSL.RECEIVED_SHUTDOWN)

    def _take(self, upload: Upload) -> None:
        channel = self.cmd_channel
        loss = self._faults.link_loss
        words = self._faults.next_reply("226")
        if loss is not LinkLoss.AFTER_DATA_LOST and (words is None or self._faults.keep_refused):
            channel.take(upload, tls_resumed=not self._handshake.was_full)
        if loss in (LinkLoss.AFTER_DATA_KEPT, LinkLoss.AFTER_DATA_LOST):
            self._resp = ()
            channel.cut_soon()
        elif "226" in self._faults.silent_at:
            self._resp = ()
        elif words is not None:
            self._resp = (words, _log.debug)
