"""One FTPS conversation: pyftpdlib's handlers made strict, and breakable on request."""

from __future__ import annotations

import logging
import re
import sys
from typing import TYPE_CHECKING, Any, ClassVar

from OpenSSL import SSL

from govfile.sandbox.skat import tls
from govfile.sandbox.skat.data import DataPort, DataSession, NoDataPortError
from govfile.sandbox.skat.faults import LinkLoss
from govfile.sandbox.skat.filesystem import Folders, Upload
from govfile.sandbox.skat.folders import Place
from govfile.sandbox.skat.identities import login_of
from govfile.sandbox.skat.library import COMMANDS, AuthenticationFailed, TLS_FTPHandler
from govfile.transports.ftps_policy import TlsStart

if TYPE_CHECKING:
    from cryptography import x509

    from govfile.sandbox.skat.folders import View
    from govfile.sandbox.skat.server import Door

_log = logging.getLogger("govfile.sandbox")

#: Commands a gateway of this kind has no use for; they are refused before and after login.
REFUSED = frozenset(
    "ACCT ADAT APPE CCC EPRT MFMT MKD PORT REIN REST RMD RNFR RNTO SITE SMNT STAT STOU XMKD XRMD".split()  # noqa: SIM905
)
_ALLOWED = {name: how for name, how in COMMANDS.items() if name.split(" ")[0] not in REFUSED}

_LONGEST_COMMAND = 2048  # bytes

_PASV = re.compile(r"^227 .*\((\d+,\d+,\d+,\d+),(\d+),(\d+)\)")
_EPSV = re.compile(r"^229 .*\(\|\|\|(\d+)\|\)")


class _Doorkeeper:
    """Who may do what where, in the terms pyftpdlib asks in: e(nter), l(ist), r(ead), w(rite), d(elete)."""

    def __init__(self, session: ControlSession) -> None:
        self._session = session

    def validate_authentication(self, username: str, password: str, _: object) -> None:
        door = self._session.door
        if door.faults.refuse_login is not None:
            raise AuthenticationFailed(door.faults.refuse_login)
        certificate = self._session.peer_certificate
        reason = door.registry.refusal(certificate, username, password, door.settings)
        if reason is not None:
            door.find(f"530: {reason}")
            raise AuthenticationFailed("Not logged in.")

    def has_perm(self, _: str, perm: str, path: str) -> bool:
        place = self._session.view.spot(path).place
        match perm:
            case "r":
                return place in (Place.IN_OUT, Place.INFORMATION)
            case "d":
                return place is Place.IN_OUT
            case "w":
                return place is Place.IN_SERVICE
            case _:
                return True

    def get_home_dir(self, _: str) -> str:
        return "/"

    def get_perms(self, _: str) -> str:
        return "elrwd"

    def get_msg_login(self, _: str) -> str:
        return "Logged in."

    def get_msg_quit(self, _: str) -> str:
        return "Goodbye."

    def impersonate_user(self, *_: str) -> None:
        """Nothing to do: there are no system users here."""

    def terminate_impersonation(self, *_: str) -> None:
        """Nothing to do."""


class ControlSession(TLS_FTPHandler):  # type: ignore[misc]
    """The control connection. `door` is set on a subclass made for each server."""

    door: ClassVar[Door]
    dtp_handler = DataSession
    passive_dtp = DataPort
    abstracted_fs = Folders
    proto_cmds = _ALLOWED
    banner = "Secure FTP gateway (govfile sandbox)"
    tls_control_required = True
    tls_data_required = True
    auth_failed_timeout = 0
    timeout = 120
    view: View

    def __init__(self, conn: Any, server: Any, ioloop: Any = None) -> None:
        self.peer_certificate: x509.Certificate | None = None
        self.authorizer = _Doorkeeper(self)
        self._tls_version = ""
        self._is_deaf = False
        self._is_too_long = False
        super().__init__(conn, server, ioloop)

    @classmethod
    def get_ssl_context(cls) -> SSL.Context:
        return cls.door.context()

    # --- connection and TLS

    def handle(self) -> None:
        if self.door.settings.tls_start is TlsStart.IMPLICIT:
            self.secure_connection(self.ssl_context)
        else:
            self._greet()

    def _greet(self) -> None:
        words = self.door.faults.next_reply("220")
        if words is not None:
            self._say(words)
        elif "220" not in self.door.faults.silent_at:
            super().handle()

    def secure_connection(self, ssl_context: SSL.Context) -> None:
        if "TLS" in self.door.faults.silent_at:
            self._is_deaf = True
            return
        super().secure_connection(ssl_context)
        if isinstance(self.socket, SSL.Connection):
            tls.watch(self.socket)

    def handle_ssl_established(self) -> None:
        self.peer_certificate = self.socket.get_peer_certificate(as_cryptography=True)
        self._tls_version = self.socket.get_protocol_version_name()
        if self.door.settings.tls_start is TlsStart.IMPLICIT:
            self._greet()

    def handle_failed_ssl_handshake(self) -> None:
        self.door.find(f"TLS handshake failed: {sys.exception()}")
        super().handle_failed_ssl_handshake()

    def cut(self) -> None:
        """End the connection as a broken line would: at once, without a word or a TLS shutdown."""
        self._error = True
        if self.data_channel is not None:
            self.data_channel.cut_off()
        self.close()

    def cut_soon(self) -> None:
        """Cut once the caller, a data connection, is done."""
        self.ioloop.call_later(0, self.cut)

    def collect_incoming_data(self, data: bytes) -> None:
        if self._is_deaf or self._ssl_accepting:  # what came in clear text behind AUTH is no command
            return
        self._is_too_long = self._is_too_long or self._in_buffer_len + len(data) > _LONGEST_COMMAND
        if not self._is_too_long:
            super().collect_incoming_data(data)

    def found_terminator(self) -> None:
        if self._is_deaf or self._ssl_accepting:
            return
        if self._is_too_long:
            self._is_too_long, self._in_buffer_len = False, 0
            self._in_buffer.clear()
            self.respond("500 Command too long.")
        else:
            super().found_terminator()

    # --- commands

    def pre_process_command(self, line: str, cmd: str, arg: str) -> None:
        cmd = cmd.split(" ")[0]
        self.door.heard(cmd, arg)
        words = self.door.faults.next_reply(cmd)
        if words is not None:
            self._shutdown_connecting_dtp()
            self._say(words)
        elif cmd in self.door.faults.silent_at:
            return
        elif cmd in REFUSED or cmd in self.door.unsupported:
            self.respond("502 Command not implemented.")
        else:
            super().pre_process_command(line, cmd, arg)

    def process_command(self, cmd: str, *args: Any, **kwargs: Any) -> None:
        if cmd in ("USER", "PASS") and not self._ssl_established:
            self.respond("534 Policy requires TLS: AUTH TLS comes first.")
        else:
            super().process_command(cmd, *args, **kwargs)

    def ftp_PROT(self, line: str) -> None:  # noqa: N802 - pyftpdlib's names
        if line.upper() == "C" and self._pbsz:
            self.respond("534 Policy requires a protected data channel.")
        else:
            super().ftp_PROT(line)

    def ftp_CWD(self, path: str) -> None:  # noqa: N802 - pyftpdlib's own looks at the process's working folder
        try:
            self.fs.chdir(path)
        except OSError:
            self.respond("550 No such folder.")
        else:
            self.respond(f'250 "{self.fs.cwd}" is the current folder.')

    def _make_epasv(self, extmode: bool = False) -> None:
        try:
            super()._make_epasv(extmode)
        except NoDataPortError:
            self.respond("425 Can't open data connection: no data port is free.")

    def ftp_ABOR(self, line: str) -> None:  # noqa: N802
        if self.data_channel is not None:
            self.data_channel.abort()
        super().ftp_ABOR(line)

    def ftp_STOR(self, file: str, mode: str = "w") -> None:  # noqa: N802
        super().ftp_STOR(file, mode)
        if self.door.faults.link_loss is LinkLoss.AT_STOR:
            self.cut()

    def handle_auth_success(self, home: str, password: str, msg_login: str) -> None:
        certificate = self.peer_certificate
        registration = self.door.registry.get(login_of(certificate) if certificate else None)
        assert registration is not None, "a login was let in without a registration"
        self.view = self.door.view(registration)
        super().handle_auth_success(home, password, msg_login)

    def take(self, upload: Upload, *, tls_resumed: bool) -> None:
        """Hand a complete upload to the back end."""
        self.door.take(
            self.view,
            upload,
            transfer_type="ascii" if self._current_type == "a" else "binary",
            tls_version=self._tls_version,
            tls_resumed=tls_resumed,
        )

    # --- replies

    def respond(self, resp: str, logfun: Any = None) -> None:
        del logfun
        faults = self.door.faults
        if faults.passive_address or faults.passive_port:
            resp = _false_passive(resp, faults.passive_address, faults.passive_port)
        self._last_response = resp
        if faults.reply_delay and not resp.startswith("234"):
            self.ioloop.call_later(faults.reply_delay, self._push_open, resp)
        else:
            self._push_open(resp)

    def _push_open(self, words: str) -> None:
        if not self._closed:
            self.push(words + "\r\n")

    def _say(self, words: str) -> None:
        """Send words laid up by a test; after a 421 the connection ends."""
        self._push_open(words)
        if words.startswith("421") and not self._closed:
            self.close_when_done()

    def push_dtp_data(self, data: Any, isproducer: bool = False, file: Any = None, cmd: str | None = None) -> None:
        raw = self.door.faults.raw_listing
        if raw is not None and cmd in ("LIST", "NLST", "MLSD"):
            data, isproducer = raw, False
        if not isproducer and not data:  # pyftpdlib would write nothing at all into an unfinished handshake
            data, isproducer = _Nothing(), True
        super().push_dtp_data(data, isproducer, file, cmd)

    # --- pyftpdlib's own log, kept apart and quiet

    def log(self, msg: str, logfun: Any = None) -> None:
        del logfun
        _log.debug("%s", msg)

    def logline(self, msg: str, logfun: Any = None) -> None:
        """Nothing: lines hold passwords."""

    def logerror(self, msg: str) -> None:
        _log.debug("%s", msg)

    def log_exception(self, instance: object) -> None:
        del instance
        self.door.trouble("a session")

    def log_cmd(self, *_: Any) -> None:
        """Nothing: `door.heard` has them."""

    def log_transfer(self, *_: Any, **__: Any) -> None:
        """Nothing: the back end has them."""


class _Nothing:
    def more(self) -> bytes:
        return b""


def _false_passive(reply: str, address: str | None, port: int | None) -> str:
    if found := _PASV.match(reply):
        host = (address or found[1].replace(",", ".")).replace(".", ",")
        number = port or int(found[2]) * 256 + int(found[3])
        return f"227 Entering passive mode ({host},{number // 256},{number % 256})."
    if _EPSV.match(reply) and port:
        return f"229 Entering extended passive mode (|||{port}|)."
    return reply
