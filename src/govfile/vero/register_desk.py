"""The register's counter: signed messages over TLS with a client certificate, verified answers back."""

from __future__ import annotations

import functools
import logging
import threading
from importlib.resources import files
from typing import TYPE_CHECKING

import attrs

from govfile.errors import ConfigurationError, GovfileError
from govfile.vero.answers import content_of, headers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from govfile.certificates.credential import Credential
    from govfile.transports.base import MessageTransport, Reply
    from govfile.vero.environments import Environment, Register
    from govfile.xml.contract import Contract, Read

logger = logging.getLogger("govfile.vero")

ECHO, WAGE_REPORTS, STATUS = "SendEcho", "SendWageReports", "GetDeliveryDataStatus"
_SERVICES = {ECHO: "EchoService", WAGE_REPORTS: "WageReportService", STATUS: "StatusService"}

#: A status may list thousands of reports.
_LIMIT = 32 * 1024 * 1024


@functools.cache
def contract() -> Contract:
    """The register's description; loaded when the first message is written."""
    from govfile.xml.contract import Contract

    place = files("govfile.vero") / "contract" / "incomes-register.wsdl"
    return Contract(place, binding="RegisterSoap", prefix="ir")


@attrs.define
class RegisterDesk:
    """Speaks with one environment's register as one holder of a certificate; threads may share it."""

    environment: Environment
    credential: Credential
    clock: Callable[[], datetime]
    open_transport: Callable[[], MessageTransport]
    is_strict: bool = False
    _transport: MessageTransport | None = attrs.field(default=None, init=False)
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False)

    @property
    def register(self) -> Register:
        """Where the register is; raises `ConfigurationError` in an environment without one."""
        if self.environment.register is None:
            raise ConfigurationError(
                f"the environment {self.environment.name} has no Incomes Register", advice="use vero.TEST"
            )
        return self.environment.register

    @property
    def endpoint(self) -> str:
        """The other side, for messages."""
        return self._at().endpoint

    def build(self, operation: str, values: Mapping[str, object]) -> bytes:
        """A message, signed."""
        from govfile.vero.messages import signed

        to = contract()
        return signed(to.build(operation, values), to.request_name(operation), self.credential)

    def post(self, operation: str, message: bytes, committing: Callable[[], None] | None = None) -> Reply:
        """Send a signed message and get the whole HTTP answer; see `MessageTransport.post` for what it raises."""
        from govfile.xml.payload import enveloped

        path = f"{self.register.path}/{_SERVICES[operation]}.svc"
        action = contract().action(operation)
        reply = self._at().post(path, enveloped(message), headers=headers(action), limit=_LIMIT, committing=committing)
        logger.debug("%s: %d bytes sent, HTTP %d, %d bytes came", action, len(message), reply.status, len(reply.body))
        return reply

    def read(self, operation: str, reply: Reply) -> Read:
        """The values of a verified answer; raises `Rejected` for a SOAP fault, `ProtocolError`, `TrustError`."""
        signers, _ = self.environment.anchors()
        try:
            content = content_of(contract(), operation, reply, trust=signers, at=self.clock(), limit=_LIMIT)
            found = contract().read(operation, content, is_strict=self.is_strict)
        except GovfileError as error:
            error.operation, error.endpoint = error.operation or operation, error.endpoint or self.endpoint
            raise
        if found.unknown:
            logger.warning("the answer to %s holds unknown elements: %s", operation, ", ".join(found.unknown))
        return found

    def close(self) -> None:
        """End the connections."""
        with self._lock:
            transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()

    def _at(self) -> MessageTransport:
        with self._lock:
            if self._transport is None:
                self._transport = self.open_transport()
            return self._transport
