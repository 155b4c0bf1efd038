"""Calling a service by Den Gode Webservice: an envelope around an ID card.

The card's bytes go into the envelope as they are; nothing is parsed and written again, so its signature holds and an
envelope costs little more than copying it. Nothing but the card is signed: the service relies on TLS for the rest.
Sources: MedCom, DGWS 1.0 and 1.0.1; the order of the headers as Seal.Java writes it.
"""

from __future__ import annotations

import enum
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from govfile.errors import ConfigurationError, CredentialError, InvalidContent
from govfile.sosi import constants, times
from govfile.sosi.services.medcom import MedcomHeader

if TYPE_CHECKING:
    from collections.abc import Sequence

    from govfile.sosi.services.hsuid import HsuidHeader
    from govfile.sosi.signed_card import WrittenCard


class Soap(enum.Enum):
    """The version of SOAP; the value is the envelope's namespace. Most services take 1.1, some of the newer 1.2."""

    V1_1 = constants.SOAP
    V1_2 = "http://www.w3.org/2003/05/soap-envelope"

    @property
    def content_type(self) -> str:
        """The Content-Type of such a message."""
        return f"{'text/xml' if self is Soap.V1_1 else 'application/soap+xml'}; charset=utf-8"

    def http_headers(self, action: str) -> dict[str, str]:
        """What goes before the envelope by HTTP: the Content-Type, and the action where this version has it."""
        if any(not char.isprintable() or char in '"\\' for char in action):
            raise InvalidContent("the SOAP action holds a character that cannot stand in an HTTP header")
        if self is Soap.V1_1:
            return {"Content-Type": self.content_type, "SOAPAction": f'"{action}"'}
        return {"Content-Type": f'{self.content_type}; action="{action}"'}


#: The prefix of an envelope, and the rest of its tag.
_ENVELOPE = re.compile(rb"<(?:([^\s<>:/]+):)?Envelope(\s[^<>]*)>")


def soap_of(message: bytes) -> Soap:
    """The version by the namespace of a message's envelope; whoever reads on checks that it is so."""
    found = _ENVELOPE.search(message, 0, 64 * 1024)
    if found is None:
        return Soap.V1_1
    name = b"xmlns:" + found[1] if found[1] else b"xmlns"
    declared = re.search(rb"\s%b\s*=\s*[\"']([^\"']*)" % re.escape(name), found[2])
    return Soap.V1_2 if declared is not None and declared[1] == Soap.V1_2.value.encode() else Soap.V1_1


_SHARED = "".join(
    f' xmlns:{prefix}="{name}"'
    for prefix, name in (
        ("ds", constants.DS),
        ("medcom", constants.MEDCOM),
        ("saml", constants.SAML),
        ("sosi", constants.SOSI),
        ("wsse", constants.WSSE),
        ("wsu", constants.WSU),
    )
)
_OPENED = {
    soap: f'<?xml version="1.0" encoding="UTF-8"?><soap:Envelope xmlns:soap="{soap.value}"{_SHARED}><soap:Header>'
    for soap in Soap
}


def dgws_request(
    card: WrittenCard,
    *,
    body: bytes,
    header: MedcomHeader | None = None,
    hsuid: HsuidHeader | None = None,
    other_headers: Sequence[bytes] = (),
    soap: Soap = Soap.V1_1,
    at: datetime | None = None,
) -> bytes:
    """The envelope of a call: UTF-8, ready to be posted.

    `card` is the card as the STS signed it. `body` is what the service asks for: one element in UTF-8 that declares the
    namespaces it uses, or nothing. `header` names the message, under a new id if left out: to send a message again, use
    the same header again. `other_headers` are elements that go before `wsse:Security`, such as those of WS-Addressing.
    `at` is the time (aware; now, if left out).

    Raises `CredentialError` when the card has expired, or is older than the header's time-out allows, and
    `InvalidContent` when the header names another level than the card's, or the body cannot be put into an envelope.
    """
    at = at or datetime.now(UTC)
    header = header or MedcomHeader()
    check_usable(card, header, at)
    check_element(body, "the body")
    for found in other_headers:
        check_element(found, "a header", may_be_empty=False)
    before = f"<wsse:Security><wsu:Timestamp><wsu:Created>{times.write(at, card.version)}</wsu:Created></wsu:Timestamp>"
    behind = (
        f"</wsse:Security>{header.written(card.level)}{hsuid.written(at) if hsuid else ''}</soap:Header><soap:Body>"
    )
    return b"".join(
        (
            _OPENED[soap].encode(),
            *other_headers,
            before.encode(),
            card.xml,
            behind.encode(),
            body,
            b"</soap:Body></soap:Envelope>",
        )
    )


def check_usable(card: WrittenCard, header: MedcomHeader, at: datetime) -> None:
    """Raise what `dgws_request` does about a card and a header that do not fit, or a card that is spent."""
    if at.tzinfo is None:
        raise ConfigurationError(f"the time {at} has no time zone", advice="give an aware datetime, e.g. in UTC")
    if header.security_level is not None and header.security_level != card.level:
        raise InvalidContent(
            f"the header names level {header.security_level}, and the card has level {card.level}",
            advice="leave the level out of the header",
        )
    if at >= card.expires:
        raise CredentialError(
            f"the card expired at {card.expires:%Y-%m-%d %H:%M:%S} UTC", advice="have a new one signed"
        )
    if is_too_old(card, header, at):
        assert header.timeout is not None
        raise CredentialError(
            f"the card was issued at {card.issued:%Y-%m-%d %H:%M:%S} UTC, longer ago than the header's time-out of "
            f"{header.timeout.age} allows",
            advice="have a new one signed, or allow older cards; the service dates new ones back by five minutes",
        )


def is_too_old(card: WrittenCard, header: MedcomHeader, at: datetime) -> bool:
    """Whether the card was issued longer ago than the header's time-out allows."""
    age = header.timeout.age if header.timeout is not None else None
    return age is not None and at >= card.issued + age


def check_element(xml: bytes, what: str, *, may_be_empty: bool = True) -> None:
    """Raise `InvalidContent` for what surely cannot be put into an envelope. Only its ends are looked at."""
    if not xml and may_be_empty:
        return
    if not xml.lstrip().startswith(b"<") or not xml.rstrip().endswith(b">"):
        raise InvalidContent(f"{what} is not an element", advice="give bytes that begin with < and end with >")
    if xml.lstrip().startswith((b"<?", b"<!")):
        raise InvalidContent(
            f"{what} begins with an XML declaration or a document type", advice="give the element alone, in UTF-8"
        )
