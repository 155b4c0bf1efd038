"""A card on every request of the library requests: `requests.post(url, data=body, auth=DgwsAuth(sts, card_source))`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from requests.auth import AuthBase

from govfile.errors import ConfigurationError
from govfile.sosi.services.sending import Carrier, check_not_redirected, has_expired_card, reply_in

if TYPE_CHECKING:
    from requests import PreparedRequest, Response

    from govfile.sosi.services.sending import Outgoing


class DgwsAuth(Carrier, AuthBase):
    """Puts the body of a request into an envelope with a card and a `medcom:Header`. Threads may share it.

    The arguments are those of `DgwsPlugin`. The request's body is the element the service is asked for, or an envelope
    without a card, in bytes. `Content-Type` is set where the request has none; `SOAPAction` is the caller's. Where the
    service answers that the card has expired, the same message goes out once more with a new one. Redirects raise
    `ProtocolError`: a card goes nowhere else. Read the answer with `DgwsReply.read`. Of an answer that is streamed,
    nothing is read here, and nothing sent again.
    """

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Called by requests with a request that is to go out."""
        body = request.body.encode() if isinstance(request.body, str) else request.body
        if not isinstance(body, bytes):
            raise ConfigurationError("a card cannot be put on a request without a body, or with one that is streamed")
        outgoing = self.outgoing(body)
        _write(request, outgoing.wire)
        if "Content-Type" not in request.headers:
            request.headers["Content-Type"] = outgoing.soap.content_type
        request.register_hook("response", lambda answer, **options: self._answered(answer, outgoing, options))
        return request

    def _answered(self, answer: Response, outgoing: Outgoing, options: dict[str, Any]) -> Response:
        _check_not_redirected(answer)
        if options.get("stream") or outgoing.again is None or not has_expired_card(reply_in(answer)):
            return answer
        once_more = outgoing.again()
        if once_more is None:
            return answer
        answer.close()
        request = answer.request.copy()
        _write(request, once_more.wire)
        second: Response = answer.connection.send(request, **options)
        _check_not_redirected(second)  # requests would follow it: its hooks have run by now
        second.history = [*second.history, answer]
        second.request = request
        return second


def _check_not_redirected(answer: Response) -> None:
    check_not_redirected(answer, urlsplit(answer.url).netloc.rpartition("@")[2])


def _write(request: PreparedRequest, wire: bytes) -> None:
    request.body = wire
    request.headers["Content-Length"] = str(len(wire))
