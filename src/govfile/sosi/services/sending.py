"""What the plug-ins for zeep and requests share: which card goes on a message, and what its answer means.

One message is sent once. Only when the service says that the card has expired, and a new one is to be had, the same
message goes out a second time with the new card, under the same message id.
"""

from __future__ import annotations

import contextlib
import logging
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol, TypeVar

import attrs

from govfile.errors import ProtocolError
from govfile.sosi import constants
from govfile.sosi.services.dgws import Soap, dgws_request, is_too_old
from govfile.sosi.services.envelopes import taken_apart
from govfile.sosi.services.fault_codes import FaultCode, code_of
from govfile.sosi.services.medcom import MedcomHeader
from govfile.sosi.services.reply import DgwsReply
from govfile.sosi.services.sources import cards_of
from govfile.transports.base import http_date

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from govfile.sosi.card import IdCard
    from govfile.sosi.services.envelopes import Parts
    from govfile.sosi.services.hsuid import HsuidHeader
    from govfile.sosi.services.sources import Cards
    from govfile.sosi.signed_card import WrittenCard
    from govfile.sosi.sts import SecurityTokenService

_log = logging.getLogger("govfile.sosi.services")

_SECURITY = f"{{{constants.WSSE}}}Security"
_MEDCOM = f"{{{constants.MEDCOM}}}Header"
_HSUID = f"{{{constants.HSUID}}}HsuidHeader"

#: Ends a call to a service that does not answer, where the caller's library sets no limit of its own (seconds).
PATIENCE = 120.0


class Answered(Protocol):
    """An HTTP answer, as `requests` has it."""

    status_code: int

    @property
    def content(self) -> bytes:
        """The body."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Names without regard to case."""
        ...


Answer = TypeVar("Answer", bound=Answered)


def now() -> datetime:
    """This computer's time."""
    return datetime.now(UTC)


@attrs.frozen(kw_only=True, eq=False)
class Outgoing:
    """One message, ready to go: its bytes, and how it is written anew with another card (None: it is not).

    `message_id` is its id in `medcom:Header`, `addressed_as` that of WS-Addressing, where it is we who wrote it;
    `operation` what it asks for, for errors.
    """

    wire: bytes = attrs.field(repr=False)
    soap: Soap = Soap.V1_1
    message_id: str | None = None
    addressed_as: str | None = None
    operation: str = ""
    again: Callable[[], Outgoing | None] | None = attrs.field(default=None, repr=False)


#: What `Carrier.using` said, innermost first.
_used: ContextVar[tuple[tuple[Carrier, MedcomHeader, HsuidHeader | None], ...]] = ContextVar("used", default=())


class Carrier:
    """Puts cards on messages. Threads may share it.

    `sts` and `card_source` as for `cards_of`. `header` is a pattern: each message gets one like it under a new message
    id, except within `using`. `clock` is that of `sts`, if left out.
    """

    def __init__(
        self,
        sts: SecurityTokenService | None,
        card_source: IdCard | WrittenCard | Cards | Callable[[], WrittenCard],
        *,
        header: MedcomHeader | None = None,
        hsuid: HsuidHeader | None = None,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        self._cards = cards_of(sts, card_source)
        self._pattern = header or MedcomHeader()
        self._hsuid = hsuid
        self.clock = clock or (sts.clock if sts is not None else now)

    @contextlib.contextmanager
    def using(self, header: MedcomHeader, *, hsuid: HsuidHeader | None = None) -> Iterator[None]:
        """Within the block, in this thread or task, messages carry exactly this header, message id included, and
        `hsuid` where it is given: for a message sent again after the link was lost, or one on behalf of another user.
        """
        token = _used.set(((self, header, hsuid or self._hsuid), *_used.get()))
        try:
            yield
        finally:
            _used.reset(token)

    def outgoing(self, message: bytes) -> Outgoing:
        """The message in an envelope with a card; `message` is an envelope without one, or the body's element."""
        parts = taken_apart(message, refused=(_SECURITY, _MEDCOM, _HSUID))
        header, hsuid = self._carried()
        card = self._cards()
        if is_too_old(card, header, self.clock()):
            card = self._cards.renew(card)
        return Outgoing(
            wire=self._written(card, parts, header, hsuid),
            soap=parts.soap,
            message_id=header.message_id,
            again=lambda: self._again(card, parts, header, hsuid),
        )

    def _carried(self) -> tuple[MedcomHeader, HsuidHeader | None]:
        for carrier, header, hsuid in _used.get():
            if carrier is self:
                return header, hsuid
        return self._pattern.for_new_message(), self._hsuid

    def _again(
        self, spent: WrittenCard, parts: Parts, header: MedcomHeader, hsuid: HsuidHeader | None
    ) -> Outgoing | None:
        card = self._cards.renew(spent)
        if card.xml == spent.xml:
            return None
        return Outgoing(wire=self._written(card, parts, header, hsuid), message_id=header.message_id)

    def _written(self, card: WrittenCard, parts: Parts, header: MedcomHeader, hsuid: HsuidHeader | None) -> bytes:
        return dgws_request(
            card,
            body=parts.body,
            header=header,
            hsuid=hsuid,
            other_headers=parts.headers,
            soap=parts.soap,
            at=self.clock(),
        )


def reply_in(answer: Answered) -> DgwsReply | None:
    """What an HTTP answer says; None where it is no SOAP message, which the caller's library will say itself."""
    try:
        return DgwsReply.read(
            answer.content, content_type=answer.headers.get("content-type", ""), status=answer.status_code
        )
    except ProtocolError:
        return None


def sent(outgoing: Outgoing, post: Callable[[bytes], Answer], *, endpoint: str, at: Callable[[], datetime]) -> Answer:
    """Send a message, once more with a new card where the first had expired; the last answer.

    Raises `Rejected` for a fault with a code of Den Gode Webservice, and `ProtocolError` for an answer to another
    message and for a redirect. Any other answer, faults of the service's own included, is for the caller to read.
    """
    answer = post(outgoing.wire)
    reply = reply_in(answer)
    if has_expired_card(reply) and outgoing.again is not None:
        once_more = outgoing.again()
        if once_more is not None:
            _log.info("the card had expired at %s; the same message goes out with a new one", endpoint)
            answer = post(once_more.wire)
            reply = reply_in(answer)
    check_not_redirected(answer, endpoint)
    if reply is not None and (reply.fault is None or is_dgws_fault(reply)):
        theirs = http_date(answer.headers.get("date", ""))
        reply.accepted(
            outgoing.message_id,
            addressed_as=outgoing.addressed_as,
            operation=outgoing.operation,
            endpoint=endpoint,
            at=at(),
            their_time=theirs,
        )
    return answer


def is_dgws_fault(reply: DgwsReply) -> bool:
    """Whether the answer is a fault with a code of Den Gode Webservice."""
    return reply.fault is not None and reply.fault.detail_text("FaultCode") is not None


def has_expired_card(reply: DgwsReply | None) -> bool:
    """Whether the service refused the card because it has expired."""
    if reply is None or reply.fault is None:
        return False
    return FaultCode.of(code_of(reply.fault)) is FaultCode.EXPIRED_IDCARD


def check_not_redirected(answer: Answered, endpoint: str) -> None:
    """Raise `ProtocolError` for a redirect: a card goes to the address it was meant for, and nowhere else."""
    if 300 <= answer.status_code < 400:
        raise ProtocolError(
            f"the service answered HTTP {answer.status_code}, which leads elsewhere; cards do not follow",
            advice="call the address of the service itself",
            endpoint=endpoint,
        )
