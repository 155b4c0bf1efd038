"""A message transport without a network, with the same contract, for tests of whatever is above."""

from __future__ import annotations

import threading
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

import attrs

from govfile.errors import ConfigurationError, CredentialError, OutcomeUnknown, TransportError
from govfile.transports.base import NO_HEADERS, Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: What happens before anything is sent, by its contract.
_BEFORE = (TransportError, CredentialError, ConfigurationError)


@attrs.frozen(kw_only=True)
class SentMessage:
    """A request as it would have left: header names in lower case; `limit` and `total` as the caller gave them."""

    path: str
    body: bytes = attrs.field(repr=False)
    headers: Mapping[str, str] = attrs.field(repr=False)
    limit: int | None = None
    total: float | None = None


#: What to do with a request: give a reply (bytes: 200 with XML), raise an error, or ask a function for either.
Answer: TypeAlias = "Reply | bytes | BaseException | Callable[[SentMessage], Reply | bytes]"


class MemoryMessages:
    """`MessageTransport` that plays `answers` in turn, the last one again and again, and keeps what was `sent`.

    Errors that say that nothing left (`TransportError`, `CredentialError`, `ConfigurationError`) are raised before
    `committing` is called, and nothing is kept of the request; every other error comes after both. Threads may share
    it.
    """

    def __init__(self, *answers: Answer, endpoint: str = "memory") -> None:
        self.sent: list[SentMessage] = []
        self.closed = False
        self._endpoint = endpoint
        self._answers = list(answers) or [b""]
        self._lock = threading.Lock()

    @property
    def endpoint(self) -> str:
        """As given; `memory` if it was not."""
        return self._endpoint

    def post(
        self,
        path: str,
        body: bytes,
        *,
        headers: Mapping[str, str] = NO_HEADERS,
        limit: int | None = None,
        total: float | None = None,
        committing: Callable[[], None] | None = None,
    ) -> Reply:
        """Play the next answer; raises `OutcomeUnknown` for one beyond `limit`, and whatever is next in the play."""
        lowered = MappingProxyType({name.lower(): value for name, value in headers.items()})
        message = SentMessage(path=path, body=body, headers=lowered, limit=limit, total=total)
        with self._lock:
            answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, _BEFORE):
            raise answer
        if committing is not None:
            committing()
        with self._lock:
            self.sent.append(message)
        reply = _reply(answer, message)
        if limit is not None and len(reply.body) > limit:
            raise OutcomeUnknown(
                f"the answer was not read to its end: it has more than the {limit} bytes that are read",
                evidence="the request was sent",
                how_to_resolve="find out whether it was acted on before it is sent again",
                endpoint=self.endpoint,
            )
        return reply

    def then(self, *answers: Answer) -> None:
        """Play these from now on."""
        with self._lock:
            self._answers = list(answers)

    def close(self) -> None:
        """Nothing to end; it may be used again."""
        self.closed = True


def _reply(answer: Answer, message: SentMessage) -> Reply:
    if isinstance(answer, BaseException):
        raise answer
    found = answer if isinstance(answer, bytes | Reply) else answer(message)
    return found if isinstance(found, Reply) else xml_reply(found)


def xml_reply(body: bytes, status: int = 200) -> Reply:
    """A reply as a SOAP server gives it."""
    return Reply(status=status, headers={"Content-Type": "text/xml; charset=utf-8"}, body=body)
