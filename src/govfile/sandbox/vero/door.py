"""What both servers do with a request before and after the authority itself: judge HTTP and SOAP, remember, answer."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING

import attrs

from govfile.sandbox.vero import xml
from govfile.sandbox.vero.faults import Lost
from govfile.sandbox.web import Response

if TYPE_CHECKING:
    from collections import deque
    from datetime import datetime

    from govfile.sandbox.clock import SandboxClock
    from govfile.sandbox.vero.faults import Faults
    from govfile.sandbox.vero.replies import Answer, Replies
    from govfile.sandbox.web import Request

_PLAIN = "text/plain; charset=utf-8"
_METHOD_NOT_ALLOWED, _UNSUPPORTED, _NOT_FOUND, _BUSY = 405, 415, 404, 503


@attrs.frozen(kw_only=True)
class Call:
    """A request that arrived: which operation its SOAPAction named, and the message as it came."""

    operation: str
    path: str
    at: datetime
    size: int
    message: bytes = attrs.field(repr=False)


class Denied(ValueError):
    """The client is not let in."""


class Door(abc.ABC):
    """Speaks SOAP 1.1 for an authority."""

    def __init__(
        self, *, clock: SandboxClock, faults: Faults, replies: Replies, calls: deque[Call], findings: deque[str]
    ) -> None:
        self._clock = clock
        self._faults = faults
        self._replies = replies
        self._calls = calls
        self._findings = findings

    @abc.abstractmethod
    def operations(self, path: str) -> frozenset[str]:
        """The operations offered at a path; none for a path that is not there."""

    @abc.abstractmethod
    def carry_out(self, operation: str, payload: xml.Payload, path: str) -> Answer:
        """Do what is asked. Raises `xml.Invalid`."""

    def admit(self, request: Request) -> None:  # noqa: B027 - one door lets everybody in
        """Raise `Denied` for a client that may not come in."""

    def handle(self, request: Request) -> Response | None:
        """The response to a request, as `govfile.sandbox.web` wants it."""
        offered = self.operations(request.path)
        if not offered or request.method != "POST" or request.media_type != "text/xml":
            return _plain_refusal(request, is_there=bool(offered))
        try:
            self.admit(request)
        except Denied as refusal:
            self._find(str(refusal))
            return Response(status=403, body=b"no\n", content_type=_PLAIN)
        operation = request.headers.get("soapaction", "").strip('"')
        at = self._clock()
        self._calls.append(
            Call(operation=operation, path=request.path, at=at, size=len(request.body), message=request.body)
        )
        faults = self._faults.touching(operation)
        if faults.lost is Lost.BEFORE:
            return None
        if faults.retry_after is not None:
            return Response(status=_BUSY, headers={"Retry-After": faults.retry_after}, content_type=_PLAIN)
        if faults.soap_fault is not None:
            return self._replies.on_request(faults.soap_fault, faults)
        return self._answer(operation, offered, request, faults)

    def _answer(self, operation: str, offered: frozenset[str], request: Request, faults: Faults) -> Response | None:
        if operation not in offered:
            return self._replies.fault("Client", f"there is no operation {operation!r} here", faults)
        try:
            answer = self.carry_out(operation, xml.open_envelope(request.body), request.path)
        except xml.Invalid as error:
            self._find(f"{operation or 'a request'} was no valid message: {error}")
            return self._replies.fault("Client", str(error), faults)
        return self._replies.send(answer, faults)

    def _find(self, why: str) -> None:
        self._findings.append(why)


def _plain_refusal(request: Request, *, is_there: bool) -> Response:
    if not is_there:
        return Response(status=_NOT_FOUND, body=b"nothing here\n", content_type=_PLAIN)
    if request.method != "POST":
        return Response(status=_METHOD_NOT_ALLOWED, headers={"Allow": "POST"}, content_type=_PLAIN)
    return Response(status=_UNSUPPORTED, body=b"text/xml is spoken here\n", content_type=_PLAIN)
