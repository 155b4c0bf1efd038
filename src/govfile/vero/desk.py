"""The service's counter: an envelope goes in, a verified answer comes out, and the server's clock is looked at."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import attrs

from govfile.errors import GovfileError
from govfile.transports.http_hints import clock_note, retry_after
from govfile.vero import messages
from govfile.vero.answers import LIMIT, content_of, headers

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from govfile.transports.base import MessageTransport, Reply
    from govfile.vero.application import Kept
    from govfile.vero.environments import Environment
    from govfile.vero.messages import Answer, Operation

logger = logging.getLogger("govfile.vero")

#: Clocks that differ by more are mentioned: certificates and one-time codes live by them.
_CLOCKS_APART = timedelta(minutes=5)
#: A server may ask for a pause; for a longer one than this (seconds) it is not waited.
_LONGEST_PAUSE = 900.0


@attrs.define
class Desk:
    """Speaks with one environment's certificate service; threads may share it."""

    environment: Environment
    clock: Callable[[], datetime]
    open_transport: Callable[[], MessageTransport]
    is_strict: bool = False
    clocks: str = attrs.field(default="", init=False)
    pause: timedelta | None = attrs.field(default=None, init=False)
    _transport: MessageTransport | None = attrs.field(default=None, init=False)
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False)

    @property
    def endpoint(self) -> str:
        """The other side, for messages."""
        return self._at().endpoint

    def post(self, operation: Operation, message: bytes, committing: Callable[[], None] | None = None) -> Reply:
        """Send a message and get the whole HTTP answer; see `MessageTransport.post` for what it raises."""
        action = messages.contract().action(operation.value)
        return self._post(message, action, committing)

    def read(self, operation: Operation, answer: Reply | Kept) -> Answer:
        """What an HTTP answer says, verified.

        Raises `Rejected` for a SOAP fault, which nobody signs, `ProtocolError` and `TrustError` for what cannot be
        believed.
        """
        contract = messages.contract()
        signers, _ = self.environment.anchors()
        try:
            content = content_of(contract, operation.value, answer, trust=signers, at=self.clock())
            found = messages.read(operation, content, of=contract, is_strict=self.is_strict)
        except GovfileError as error:
            self.explained(error, operation)
            raise
        if found.unknown:
            logger.warning("the answer to %s holds unknown elements: %s", operation.value, ", ".join(found.unknown))
        return found

    def server_time(self) -> datetime | None:
        """The time by the server's clock, from the head of an answer to an empty envelope; None when there is none."""
        from govfile.xml.payload import enveloped

        try:
            return self._at().post(self.environment.path, enveloped(b""), headers=headers(""), limit=LIMIT).date
        except GovfileError as error:
            logger.info("the server's clock could not be read: %s", type(error).__name__)
            return None

    def close(self) -> None:
        """End the connections."""
        with self._lock:
            transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()

    def explained(self, error: GovfileError, operation: Operation) -> None:
        """Say in an error where it happened, and that the clocks differ, where they do."""
        error.operation = error.operation or operation.value
        error.endpoint = error.endpoint or self.endpoint
        if self.clocks:
            error.advice = f"{error.advice}; {self.clocks}" if error.advice else self.clocks

    def _post(self, message: bytes, action: str, committing: Callable[[], None] | None) -> Reply:
        from govfile.xml.payload import enveloped

        self.pause = None
        reply = self._at().post(
            self.environment.path, enveloped(message), headers=headers(action), limit=LIMIT, committing=committing
        )
        now = self.clock()
        pause = retry_after(reply, now, longest=_LONGEST_PAUSE)
        self.pause = None if pause is None else timedelta(seconds=pause)
        self.clocks = clock_note(reply, now, noticeable=_CLOCKS_APART)
        if self.clocks:
            logger.warning("%s", self.clocks)
        logger.debug("%s: %d bytes sent, HTTP %d, %d bytes came", action, len(message), reply.status, len(reply.body))
        return reply

    def _at(self) -> MessageTransport:
        with self._lock:
            if self._transport is None:
                self._transport = self.open_transport()
            return self._transport
