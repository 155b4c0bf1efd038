"""Asking the STS: one request, one answer, again where that is allowed, and errors that say where they come from.

Asking twice does no harm here: what the STS hands out binds nobody until it is used. Each attempt is a new message,
with ids and a time of its own, so that an answer to an earlier one cannot be taken for the answer to this.
"""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from govfile.errors import GovfileError, OutcomeUnknown, Rejected, Retry, TransportError, TrustError
from govfile.sosi.faults import rejected
from govfile.transports.forks import renew_in_children
from govfile.transports.http_hints import clock_note, retry_after
from govfile.xml.parse import Limits
from govfile.xml.soap import read_soap

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from govfile.sosi.envelope import Request
    from govfile.sosi.environments import Endpoint, Environment
    from govfile.transports.base import MessageTransport, Reply
    from govfile.xml.soap import SoapMessage

Result = TypeVar("Result")

_log = logging.getLogger("govfile.sosi")

#: Answers seen have some tens of kilobytes.
LARGEST_ANSWER = 4 * 1024 * 1024
_SHA1 = "the service was seen to sign with SHA-1 up to 2024: allow it where it still does (StsTrust, allow_sha1=True)"
_LONGEST_PAUSE = timedelta(seconds=30)
#: RFC 6585 and RFC 9110: too many requests; not available. Both may say when to come again.
_BUSY = {429, 503}


class _Busy(TransportError):
    """The service asks to be left alone for a while: `wait`, in seconds."""

    def __init__(self, status: int, wait: float) -> None:
        super().__init__(
            f"the STS is busy (HTTP {status}) and asks to come again in {wait:.0f} seconds",
            certain="nothing was issued",
            advice="ask again later",
        )
        self.wait = wait


class Asker:
    """Carries requests to one environment. Threads may share it."""

    def __init__(
        self,
        environment: Environment,
        open_transport: Callable[[], MessageTransport],
        *,
        clock: Callable[[], datetime],
        sleep: Callable[[float], None],
    ) -> None:
        self._environment = environment
        self._open = open_transport
        self._clock = clock
        self._sleep = sleep
        self._transport: MessageTransport | None = None
        self.begin_anew()
        renew_in_children(self)

    def begin_anew(self) -> None:
        """In a forked process: the transport looks after its own connections."""
        self._lock = threading.Lock()

    def ask(
        self,
        operation: str,
        endpoint: Endpoint,
        make: Callable[[], Request],
        read: Callable[[SoapMessage, Request], Result],
    ) -> Result:
        """Send what `make` makes and return what `read` makes of the answer.

        Raises what the transport raises, `Rejected` for a fault, and what `read` raises.
        """
        pause, wanted = self._environment.pause, 0.0
        for left in range(self._environment.attempts - 1, -1, -1):
            try:
                return self._once(operation, endpoint, make(), read)
            except (TransportError, Rejected) as error:
                if not left or error.retry is not Retry.SAME_REQUEST:
                    raise
                reason, wanted = type(error).__name__, error.wait if isinstance(error, _Busy) else 0.0
            except OutcomeUnknown as error:
                if not left:
                    raise _nobody_knows(error, operation) from error
                reason, wanted = type(error).__name__, 0.0
            wait = max(pause.total_seconds(), wanted)
            _log.info("%s: %s; trying again in %s s", operation, reason, wait)
            self._sleep(wait)
            pause = min(pause * 2, _LONGEST_PAUSE)
        raise AssertionError("an environment has at least one attempt")

    def close(self) -> None:
        """End the connections; never raises, and may be called twice."""
        with self._lock:
            transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()

    def _once(
        self,
        operation: str,
        endpoint: Endpoint,
        request: Request,
        read: Callable[[SoapMessage, Request], Result],
    ) -> Result:
        transport = self._connected()
        reply: Reply | None = None
        try:
            headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{endpoint.action}"'}
            reply = transport.post(endpoint.path, request.body, headers=headers, limit=LARGEST_ANSWER)
            if reply.status in _BUSY and (wait := retry_after(reply, self._clock())) is not None:
                raise _Busy(reply.status, wait)
            message = read_soap(
                reply.body, content_type=reply.content_type, status=reply.status, limits=Limits(size=LARGEST_ANSWER)
            )
            if message.fault is not None:
                raise rejected(
                    message.fault,
                    operation=operation,
                    endpoint=transport.endpoint,
                    clocks=clock_note(reply, self._clock()),
                )
            return read(message, request)
        except GovfileError as error:
            error.operation = error.operation or operation
            error.endpoint = error.endpoint or transport.endpoint
            if isinstance(error, TrustError) and reply is not None:
                error.advice = self._advice(error, reply)
            raise

    def _advice(self, error: TrustError, reply: Reply) -> str:
        """What a distrusted answer may come from: clocks that differ, or the algorithm this service is known for."""
        clocks = "" if "clock says" in error.advice else clock_note(reply, self._clock())
        trust = self._environment.trust
        sha1 = _SHA1 if "rsa-sha1" in error.what and trust is not None and not trust.allow_sha1 else ""
        return "; ".join(found for found in (clocks, sha1, error.advice) if found)

    def _connected(self) -> MessageTransport:
        with self._lock:
            if self._transport is None:
                self._transport = self._open()
            return self._transport


def _nobody_knows(error: OutcomeUnknown, operation: str) -> OutcomeUnknown:
    """The transport's doubt in the words of an exchange, where it does no harm."""
    return OutcomeUnknown(
        error.what,
        evidence="the request left, and no whole answer came; the STS may have handed out a token that nobody received",
        how_to_resolve="ask again: a token that nobody received binds nobody",
        operation=operation,
        endpoint=error.endpoint,
        retry=Retry.SAME_REQUEST,
    )
