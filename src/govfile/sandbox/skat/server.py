"""The server: one thread, one event loop, the sockets, and what every session needs to know."""

from __future__ import annotations

import contextlib
import logging
import socket
import sys
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from govfile.errors import ConfigurationError
from govfile.sandbox.skat import tls
from govfile.sandbox.skat.backend import Arrival, BackEnd
from govfile.sandbox.skat.folders import View
from govfile.sandbox.skat.identities import login_of
from govfile.sandbox.skat.library import FTPServer, IOLoop
from govfile.sandbox.skat.rules import judge
from govfile.sandbox.skat.session import ControlSession
from govfile.sandbox.skat.settings import Gate

if TYPE_CHECKING:
    from cryptography import x509
    from OpenSSL import SSL

    from govfile.sandbox.pki import ServerCertificate
    from govfile.sandbox.skat.faults import Faults
    from govfile.sandbox.skat.filesystem import Upload
    from govfile.sandbox.skat.identities import Registration, Registry
    from govfile.sandbox.skat.settings import Settings

_log = logging.getLogger("govfile.sandbox")
_POLL = 0.2
_PAUSE = 0.2
_STOP_WITHIN = 10.0


class Listener(FTPServer):  # type: ignore[misc]
    """The listening socket; pyftpdlib's own is closed for good by the first connection there is no file handle for."""

    def handle_error(self) -> None:
        self.handler.door.find(f"a connection could not be accepted: {sys.exception()}")
        self.del_channel()
        self.ioloop.call_later(_PAUSE, self.add_channel)


class Door:
    """One FTPS server on loopback and the state its sessions share. `start`, then `stop`, from any one thread."""

    def __init__(self, *, settings: Settings, faults: Faults, registry: Registry, back_end: BackEnd) -> None:
        self.settings = settings
        self.faults = faults
        self.registry = registry
        self.back_end = back_end
        self.commands: deque[str] = deque()
        self.findings: deque[str] = deque()
        self.port = 0
        self.unsupported = frozenset(
            name
            for name, is_there in (
                ("PASV", settings.pasv),
                ("EPSV", settings.epsv),
                ("MLSD", settings.mlsd),
                ("MLST", settings.mlsd),
            )
            if not is_there
        )
        self._contexts: dict[ServerCertificate, SSL.Context] = {}
        self._loop: Any = None
        self._listener: Any = None
        self._thread: threading.Thread | None = None
        self._ending = threading.Event()

    # --- life

    def start(self) -> None:
        """Listen and serve. Raises `ConfigurationError` when the port is taken."""
        low, high = self.settings.data_ports
        names = {
            "door": self,
            "passive_ports": range(low, high + 1),
            "proto_cmds": {
                name: found for name, found in ControlSession.proto_cmds.items() if name not in self.unsupported
            },
        }
        self._ending.clear()
        self._loop = IOLoop()
        try:
            self._listener = Listener(
                (self.settings.host, self.settings.port), type("Session", (ControlSession,), names), ioloop=self._loop
            )
        except OSError as error:
            self._loop.close()
            raise ConfigurationError(
                f"the sandbox cannot listen on port {self.settings.port}: {_reason(error)}",
                advice="choose another port, or 0 for any free one",
            ) from error
        self.port = int(self._listener.address[1])
        self._thread = threading.Thread(target=self._serve, name=f"govfile-sandbox-{self.port}", daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        try:
            while not self._ending.is_set():
                wait = self._loop.sched.poll()
                self._loop.poll(_POLL if wait is None else min(wait, _POLL))
        finally:
            self._listener.close()
            self._loop.close()

    def stop(self) -> None:
        """End all conversations and free the ports; may be called twice."""
        if self._thread is None:
            return
        self._ending.set()
        with contextlib.suppress(OSError):  # a connection wakes the loop at once
            socket.create_connection((self.settings.host, self.port), 1).close()
        self._thread.join(_STOP_WITHIN)
        self._thread = None

    # --- for the sessions

    def context(self) -> SSL.Context:
        """The TLS context that shows the certificate asked for."""
        what = self.faults.server_certificate
        if what not in self._contexts:
            self._contexts[what] = tls.context(
                what, floor=self.settings.floor, ceiling=self.settings.ceiling, accept=self._accept
            )
        return self._contexts[what]

    def _accept(self, certificate: x509.Certificate) -> bool:
        if self.settings.unregistered is Gate.LOGIN or self.registry.get(login_of(certificate)):
            return True
        self.find("TLS: the certificate is not registered: register it in the certificate portal first")
        return False

    def view(self, registration: Registration) -> View:
        """The folders as this login sees them."""
        if registration.on_se_number:
            self.find(
                f"{registration.identity.username} is registered on an SE number and sees no folders: "
                "let the legal unit act as its agent"
            )
        return View(
            identity=registration.identity,
            registry=self.registry,
            back_end=self.back_end,
            settings=self.settings,
            faults=self.faults,
        )

    def take(self, view: View, upload: Upload, *, transfer_type: str, tls_version: str, tls_resumed: bool) -> None:
        """Judge a complete upload and give it to the back end."""
        spot = upload.spot
        identity = spot.identity or view.identity
        service, name = spot.folder, spot.name
        judgement = judge(service, name, upload.content, is_ascii=transfer_type == "ascii", settings=self.settings)
        arrival = Arrival(
            service=service,
            name=name,
            login=identity.username,
            size=upload.size,
            sha256=upload.sha256,
            transfer_type=transfer_type,
            at=self.back_end.run_due(),
            tls_version=tls_version,
            tls_resumed=tls_resumed,
        )
        self.back_end.arrive(identity, judgement, arrival)

    def burn(self, view: View, upload: Upload) -> None:
        """Take the name of an upload that broke off, and nothing else."""
        spot = upload.spot
        self.back_end.burn(spot.identity or view.identity, spot.folder, spot.name)

    def heard(self, command: str, argument: str) -> None:
        """Note a command; passwords are not kept."""
        shown = "***" if command == "PASS" else argument
        self.commands.append(f"{command} {shown}".rstrip())

    def find(self, what: str) -> None:
        """Note something the sandbox's owner should know."""
        self.findings.append(what)
        _log.info("%s", what)

    def trouble(self, where: str) -> None:
        """Note an exception that nobody expected, with its traceback in the log."""
        _log.info("the sandbox stumbled in %s", where, exc_info=True)
        self.findings.append(f"the sandbox stumbled in {where}; see its log")


def _reason(error: OSError) -> str:
    """The system's words; pyftpdlib raises them wrapped in an error without any."""
    inner = error.args[0] if error.args else None
    return (inner.strerror if isinstance(inner, OSError) else error.strerror) or str(error)
