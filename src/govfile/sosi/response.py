"""Reading what the STS answers, and checking that it answers this request, now, and for whom it was asked.

Source: the client checks of the STS's user documentation; WS-Trust 1.3, WS-Addressing 1.0. What is not signed is
compared all the same, but proves nothing: then the token's own signature must carry the answer alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from govfile.errors import ProtocolError, TrustError
from govfile.sosi import times
from govfile.sosi.audience import means
from govfile.sosi.constants import ASSERTION, DS, SAML, WSA, WSP, WST, WST_2005, WSU
from govfile.sosi.environments import ISSUE_ACTION
from govfile.sosi.verifying import (
    ACTION,
    BODY,
    ENVELOPE,
    RELATES_TO,
    RESPONSE,
    SECURITY,
    TIMESTAMP,
    TOKEN,
    verify_envelope,
)
from govfile.transports.http_hints import clocks_note
from govfile.xml.parse import excerpt
from govfile.xml.unsigned import read_unsigned

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta

    from cryptography import x509

    from govfile.sosi.audience import Audience
    from govfile.sosi.envelope import Request
    from govfile.sosi.trust import StsTrust
    from govfile.xml.parse import Element
    from govfile.xml.soap import SoapMessage
    from govfile.xml.unsigned import UnsignedPart

_ENCRYPTED = f"{{{SAML}}}EncryptedAssertion"
_CARD_RESPONSE = (*BODY, f"{{{WST_2005}}}RequestSecurityTokenResponse")
_CARD_TOKEN = (*_CARD_RESPONSE, f"{{{WST_2005}}}RequestedSecurityToken")
_VALID = f"{WST_2005}/status/valid"
_ANOTHER = "ask again; if it happens twice, look who stands between you and the STS"


@attrs.frozen(kw_only=True)
class Answer:
    """What an answer holds: the token's bytes, able to stand alone, and for how long the STS says it lives.

    `signer` is the certificate that signed the envelope, None where nobody did.
    """

    xml: bytes = attrs.field(repr=False)
    is_encrypted: bool
    valid_from: datetime
    expires: datetime
    signer: x509.Certificate | None


def card_answer(message: SoapMessage, request: Request) -> bytes:
    """The card in the answer to a card request: found, not verified. Raises `ProtocolError`."""
    root = read_unsigned(message.xml, what="the answer")
    response = _one_at(root, _CARD_RESPONSE)
    _check_echo(_attribute(response, "Context"), request.context, "context")
    for code in response.at(f"{{{WST_2005}}}Status", f"{{{WST_2005}}}Code"):
        if code.element.text.strip() != _VALID:
            raise ProtocolError(
                "the STS sent a card and does not call it valid", excerpt=excerpt(code.element.text.encode(), 80)
            )
    holders = _one_at(root, _CARD_TOKEN).children
    if [found.name for found in holders] != [ASSERTION]:
        raise ProtocolError("the answer does not hold one ID card")
    return holders[0].original


def exchange_answer(
    message: SoapMessage,
    request: Request,
    *,
    trust: StsTrust,
    at: datetime,
    skew: timedelta,
    demands_signature: bool,
) -> Answer:
    """The token in the answer to an exchange, after all that can be checked around it.

    `skew` is how far the answer's time stamp may lie from `at`. Raises `ProtocolError` when it answers another
    request, or nothing known, and `TrustError` when signature, audience or times do not hold.
    """
    root = read_unsigned(message.xml, what="the answer")
    signer, part = _parts(root, message.xml, trust, at, demands_signature=demands_signature)
    if (action := part(ACTION).text.strip()) != ISSUE_ACTION:
        raise ProtocolError("the answer is to another kind of request", excerpt=excerpt(action.encode(), 80))
    _check_echo(part(RELATES_TO).text.strip(), request.message_id, "message")
    if found := root.at(*TIMESTAMP[1:]):
        _check_stamp(part(TIMESTAMP) if len(found) == 1 else None, at, skew)
    response = part(BODY)
    for name in RESPONSE[len(BODY) :]:
        response = _child(response, name)
    _check_echo(response.attributes.get("Context", ""), request.context, "context")
    _check_audience(response, request.audience)
    begin, end = _lifetime(response, at, skew)
    tokens = _one_at(root, TOKEN).children
    if len(tokens) != 1 or tokens[0].name not in {ASSERTION, _ENCRYPTED}:
        raise ProtocolError("the answer does not hold one assertion")
    return Answer(
        xml=tokens[0].original,
        is_encrypted=tokens[0].name == _ENCRYPTED,
        valid_from=begin,
        expires=end,
        signer=signer,
    )


def _parts(
    root: UnsignedPart, xml: bytes, trust: StsTrust, at: datetime, *, demands_signature: bool
) -> tuple[x509.Certificate | None, Callable[[tuple[str, ...]], Element]]:
    """Who signed the envelope, and how to read its parts: what is signed where it is, what stands there otherwise."""
    is_signed = bool(root.at(*SECURITY[1:], f"{{{DS}}}Signature"))
    if not is_signed and not demands_signature:
        return None, lambda path: _one_at(root, path).element
    verified = verify_envelope(xml, trust=trust, at=at)

    def signed(path: tuple[str, ...]) -> Element:
        found = verified.part(path)
        assert found is not None  # each one asked for is required by the policy
        return found.element

    return verified.certificate, signed


def _check_echo(found: str, sent: str, what: str) -> None:
    if found != sent:
        raise ProtocolError(
            f"the answer names another {what} than that of the request: it answers somebody else, or an earlier call",
            advice=_ANOTHER,
        )


def _check_stamp(stamp: Element | None, at: datetime, skew: timedelta) -> None:
    created = (
        []
        if stamp is None
        else [found for found in stamp.children if (found.namespace, found.name) == (WSU, "Created")]
    )
    if len(created) != 1:
        raise ProtocolError("the answer does not say once when it was made")
    made = times.read(created[0].text, "the time of the answer")
    if abs(made - at) > skew:
        raise TrustError(
            f"the answer was made at {made:%Y-%m-%d %H:%M:%S} UTC, more than {skew} away from now: it is an old one, "
            "or the clocks differ",
            advice=clocks_note(made, at) or _ANOTHER,
        )


def _check_audience(response: Element, wanted: Audience | None) -> None:
    if wanted is None:
        return
    place = _child(_child(response, f"{{{WSP}}}AppliesTo"), f"{{{WSA}}}EndpointReference")
    written = _child(place, f"{{{WSA}}}Address").text.strip()
    if not means(written, wanted):
        raise TrustError(f"the answer is for another service than {wanted}", advice=_ANOTHER)


def _lifetime(response: Element, at: datetime, skew: timedelta) -> tuple[datetime, datetime]:
    lifetime = _child(response, f"{{{WST}}}Lifetime")
    begin = times.read(_child(lifetime, f"{{{WSU}}}Created").text, "the begin of the token's life")
    end = times.read(_child(lifetime, f"{{{WSU}}}Expires").text, "the end of the token's life")
    if end <= begin or begin > at + skew or end <= at - skew:
        raise TrustError(
            f"the STS says that the token lives from {begin:%Y-%m-%d %H:%M:%S} to {end:%Y-%m-%d %H:%M:%S} UTC, "
            "which is not now",
            advice="compare this computer's clock with another one",
        )
    return begin, end


def _one_at(root: UnsignedPart, path: tuple[str, ...]) -> UnsignedPart:
    found = root.at(*path[len(ENVELOPE) :]) if root.name == path[0] else ()
    if len(found) != 1:
        name = path[-1].rpartition("}")[2]
        raise ProtocolError(f"the answer has {len(found)} elements {name} where there should be one")
    return found[0]


def _attribute(part: UnsignedPart, name: str) -> str:
    return part.element.attributes.get(name, "")


def _child(element: Element, name: str) -> Element:
    found = [child for child in element.children if f"{{{child.namespace}}}{child.name}" == name]
    if len(found) != 1:
        local = name.rpartition("}")[2]
        raise ProtocolError(f"the answer has {len(found)} elements {local} where there should be one")
    return found[0]
