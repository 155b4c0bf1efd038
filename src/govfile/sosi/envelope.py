"""The two frames in which the STS is spoken to, as text around bytes that stay as they are.

Signing cards is WS-Trust of February 2005 in an envelope without addressing headers; every exchange is WS-Trust 1.3
with WS-Addressing 1.0, the envelope signed over its parts. Sources: the builders and templates of Seal.Java, Unsealed.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import attrs

from govfile.errors import InvalidContent, ProtocolError
from govfile.sosi import times
from govfile.sosi.constants import (
    AUTH,
    AUTH_CLAIMS,
    CARD_ID,
    CARD_TOKEN_TYPE,
    DS,
    MEDCOM,
    SAML,
    SAML_TOKEN_TYPE,
    SOAP,
    SOSI,
    WSA,
    WSA_2004,
    WSP,
    WSSE,
    WST,
    WST14,
    WST_2005,
    WSU,
)
from govfile.sosi.environments import ISSUE_ACTION
from govfile.xml.canonical import escape_attribute, escape_text
from govfile.xml.signing import Reference, sign
from govfile.xml.splicing import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from govfile.certificates.credential import Credential
    from govfile.certificates.signer import SignatureAlgorithm
    from govfile.sosi.audience import Audience
    from govfile.sosi.signed_card import SignedCard

#: What the frame of a card's signing always says of its context.
CARD_CONTEXT = "www.sosi.dk"
_CARD_ISSUE = "http://schemas.xmlsoap.org/ws/2005/02/trust/Issue"
_ISSUE = "http://docs.oasis-open.org/ws-sx/ws-trust/200512/Issue"

_SECURITY = (f"{{{SOAP}}}Envelope", f"{{{SOAP}}}Header", f"{{{WSSE}}}Security")
_SIGNED = ("messageID", "action", "ts", "body")


def _declared(**namespaces: str) -> str:
    return "".join(f' xmlns:{prefix}="{name}"' for prefix, name in namespaces.items())


_CARD_DECLARED = _declared(
    soapenv=SOAP, ds=DS, medcom=MEDCOM, saml=SAML, sosi=SOSI, wsa=WSA_2004, wsse=WSSE, wst=WST_2005, wsu=WSU
)
_CARD_START = (
    f'<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope{_CARD_DECLARED} id="Envelope"><soapenv:Header>'
    '<wsse:Security id="'
)
_CARD_STAMP = '"><wsu:Timestamp><wsu:Created>'
_CARD_REQUEST = (
    "</wsu:Created></wsu:Timestamp></wsse:Security></soapenv:Header><soapenv:Body>"
    f'<wst:RequestSecurityToken Context="{CARD_CONTEXT}"><wst:TokenType>{CARD_TOKEN_TYPE}</wst:TokenType>'
    f"<wst:RequestType>{_CARD_ISSUE}</wst:RequestType><wst:Claims>"
)
_CARD_ISSUER = "</wst:Claims><wst:Issuer><wsa:Address>"
_CARD_END = "</wsa:Address></wst:Issuer></wst:RequestSecurityToken></soapenv:Body></soapenv:Envelope>"

_DECLARED = _declared(soapenv=SOAP, auth=AUTH, saml=SAML, wsa=WSA, wsp=WSP, wsse=WSSE, wst=WST, wst14=WST14, wsu=WSU)
_START = (
    f'<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope{_DECLARED}><soapenv:Header>'
    f'<wsa:Action wsu:Id="action">{ISSUE_ACTION}</wsa:Action>'
)
_CARD_REFERENCE = (
    f'<wsse:SecurityTokenReference><wsse:Reference URI="#{CARD_ID}"/></wsse:SecurityTokenReference>'.encode()
)


@attrs.frozen(kw_only=True)
class Request:
    """One request as it goes out: its bytes and what the answer must echo. `audience` None: none is asked for."""

    body: bytes = attrs.field(repr=False)
    message_id: str
    context: str
    audience: Audience | None = None


@attrs.frozen(kw_only=True)
class Exchange:
    """What is asked for: the tokens to act as (whole elements, bytes), for whom, and with which claims.

    `in_header`: the one token is an ID card and stands in the header, with a reference to it in the body.
    """

    act_as: tuple[bytes, ...] = attrs.field(repr=False)
    audience: Audience
    claims: Sequence[tuple[str, str]] = attrs.field(default=(), repr=False)
    in_header: bool = False


def card_request(card: SignedCard, *, at: datetime, randomness: Callable[[int], bytes]) -> Request:
    """The frame around a card to be signed."""
    message_id, created = _uuid(randomness), times.write(at, card.version)
    before = f"{_CARD_START}{message_id}{_CARD_STAMP}{created}{_CARD_REQUEST}".encode()
    after = f"{_CARD_ISSUER}{escape_text(card.issuer)}{_CARD_END}".encode()
    return Request(body=before + card.xml + after, message_id=message_id, context=CARD_CONTEXT)


def exchange_request(
    exchange: Exchange,
    *,
    at: datetime,
    randomness: Callable[[int], bytes],
    credential: Credential | None = None,
    algorithm: SignatureAlgorithm | None = None,
) -> Request:
    """The frame around tokens to be exchanged, signed by `credential`, unsigned without one.

    Raises `InvalidContent` for tokens that cannot stand in one envelope, as with an id that is the envelope's own.
    """
    message_id, context = f"urn:uuid:{_uuid(randomness)}", f"urn:uuid:{_uuid(randomness)}"
    in_header = exchange.act_as[0] if exchange.in_header else b""
    act_as = _CARD_REFERENCE if exchange.in_header else b"".join(exchange.act_as)
    header = (
        f'{_START}<wsa:MessageID wsu:Id="messageID">{message_id}</wsa:MessageID>'
        '<wsse:Security mustUnderstand="1" wsu:Id="security">'
        f'<wsu:Timestamp wsu:Id="ts"><wsu:Created>{times.write(at)}</wsu:Created></wsu:Timestamp>'
    )
    body = (
        '</wsse:Security></soapenv:Header><soapenv:Body wsu:Id="body">'
        f'<wst:RequestSecurityToken Context="{context}"><wst:TokenType>{SAML_TOKEN_TYPE}</wst:TokenType>'
        f"<wst:RequestType>{_ISSUE}</wst:RequestType><wst14:ActAs>"
    )
    after = (
        "</wst14:ActAs><wsp:AppliesTo><wsa:EndpointReference>"
        f"<wsa:Address>{escape_text(str(exchange.audience))}</wsa:Address></wsa:EndpointReference></wsp:AppliesTo>"
        f"{_claims(exchange.claims)}</wst:RequestSecurityToken></soapenv:Body></soapenv:Envelope>"
    )
    whole = header.encode() + in_header + body.encode() + act_as + after.encode()
    if credential is not None:
        whole = _signed(whole, credential, algorithm)
    return Request(body=whole, message_id=message_id, context=context, audience=exchange.audience)


def _signed(whole: bytes, credential: Credential, algorithm: SignatureAlgorithm | None) -> bytes:
    references = [Reference(id=name) for name in _SIGNED]
    try:
        return sign(whole, credential, references, Place(path=_SECURITY), algorithm=algorithm)
    except ProtocolError as error:  # nobody else has written any of it but the tokens
        raise InvalidContent(
            f"the token does not fit into a request: {error.what}", advice="ask its issuer for another one"
        ) from error


def _claims(claims: Sequence[tuple[str, str]]) -> str:
    if not claims:
        return ""
    each = "".join(
        f'<auth:ClaimType Uri="{escape_attribute(uri)}"><auth:Value>{escape_text(value)}</auth:Value></auth:ClaimType>'
        for uri, value in claims
    )
    return f'<wst:Claims Dialect="{AUTH_CLAIMS}">{each}</wst:Claims>'


def _uuid(randomness: Callable[[int], bytes]) -> str:
    return str(uuid.UUID(bytes=randomness(16), version=4))
