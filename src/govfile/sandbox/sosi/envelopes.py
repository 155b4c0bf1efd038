"""Envelopes of the two dialects: the parts of a request the STS reads, and the answers it writes."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import attrs

from govfile.sandbox.sosi import names, refusals, times
from govfile.sandbox.sosi.building import declare, element, leaf, with_attributes
from govfile.sandbox.sosi.names import NS, tag
from govfile.sandbox.sosi.reading import Unreadable, child, maybe, parse, value

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from lxml import etree

_CARD_PREFIXES = ("soap", "ds", "medcom", "saml", "sosi", "wsa04", "wsse", "wst05", "wsu", "xs", "xsi")
_PREFIXES = ("soap", "ds", "saml", "wsa", "wsp", "wsse", "wst", "wsu", "xs", "xsi")
_WIRE = {"soap": "soapenv", "wst05": "wst", "wsa04": "wsa"}


@attrs.frozen(kw_only=True)
class Asked:
    """An exchange as it was asked for. `tokens` are what is inside ActAs."""

    root: etree._Element
    message_id: str
    action: str
    context: str
    tokens: tuple[etree._Element, ...]
    audience: str
    claims: Mapping[str, str]
    security: etree._Element | None


def header_and_body(root: etree._Element) -> tuple[etree._Element | None, etree._Element]:
    """The two parts of a SOAP 1.1 envelope; raises `Unreadable`."""
    if root.tag != tag("soap:Envelope"):
        raise Unreadable(f"the root is {root.tag}, no SOAP 1.1 envelope")
    return maybe(root, "soap:Header"), child(root, "soap:Body")


def is_exchange(body: bytes) -> bool:
    """Whether a message is of the second dialect, by the namespace of what it asks for."""
    try:
        return parse(body).find(f"{tag('soap:Body')}/{tag('wst:RequestSecurityToken')}") is not None
    except Unreadable:
        return False


def card_request(root: etree._Element) -> tuple[etree._Element, str, str]:
    """The card to sign, the id of its Security header, and the token type as written; raises `Refused`."""
    header, body = header_and_body(root)
    security = None if header is None else maybe(header, "wsse:Security")
    request = child(body, "wst05:RequestSecurityToken")
    if request.get("Context") != "www.sosi.dk":
        raise refusals.malformed(f"Context {request.get('Context')}")
    token_type = value(request, "wst05:TokenType")
    if token_type not in names.TOKEN_TYPES_A:
        raise refusals.malformed(f"TokenType {token_type}")
    if value(request, "wst05:RequestType") not in names.REQUEST_TYPES_A:
        raise refusals.malformed("RequestType")
    if security is None or not value(security, "wsu:Timestamp", "wsu:Created"):
        raise refusals.malformed("no wsse:Security with a timestamp")
    card = child(request, "wst05:Claims", "saml:Assertion")
    issuer = maybe(request, "wst05:Issuer", "wsa04:Address")
    if issuer is not None and value(card, "saml:Issuer") != value(request, "wst05:Issuer", "wsa04:Address"):
        raise refusals.malformed("wst:Issuer is not the card's")
    return card, security.get("id") or "", token_type


def exchange_request(root: etree._Element) -> Asked:
    """An exchange's parts; raises `Refused` or `Unreadable`. Ids, and the order of headers, are free."""
    header, body = header_and_body(root)
    if header is None:
        raise refusals.malformed("no header")
    request = child(body, "wst:RequestSecurityToken")
    if value(request, "wst:TokenType") != names.TOKEN_TYPE_B:
        raise refusals.malformed(f"TokenType {value(request, 'wst:TokenType')}")
    if value(request, "wst:RequestType") != names.REQUEST_TYPE_B:
        raise refusals.malformed("RequestType")
    asked = Asked(
        root=root,
        message_id=value(header, "wsa:MessageID"),
        action=value(header, "wsa:Action"),
        context=request.get("Context") or "",
        tokens=tuple(child(request, "wst14:ActAs").iterchildren("{*}*")),
        audience=value(request, "wsp:AppliesTo", "wsa:EndpointReference", "wsa:Address"),
        claims=_claims(request),
        security=maybe(header, "wsse:Security"),
    )
    if asked.action != names.ACTION_B or not asked.message_id:
        raise refusals.malformed("Action or MessageID")
    if not asked.audience or not asked.context:
        raise refusals.malformed("AppliesTo or Context")
    return asked


def _claims(request: etree._Element) -> dict[str, str]:
    claims = maybe(request, "wst:Claims")
    if claims is None:
        return {}
    if claims.get("Dialect") != names.CLAIMS_DIALECT:
        raise refusals.malformed(f"claims of the dialect {claims.get('Dialect')}")
    found: dict[str, str] = {}
    for claim in claims.findall(tag("auth:ClaimType")):
        name = claim.get("Uri") or ""
        if name in found:
            raise refusals.malformed(f"two claims {name}")
        found[name] = value(claim, "auth:Value")
    return found


# --- answers


def card_response(card: str, *, security_id: str, token_type: str, issuer: str, at: datetime) -> str:
    """Dialect A's answer around a card; nothing of the envelope is signed."""
    response = element(
        "wst:RequestSecurityTokenResponse",
        leaf("wst:TokenType", token_type),
        element("wst:RequestedSecurityToken", card),
        element("wst:Status", leaf("wst:Code", NS["wst05"] + "/status/valid")),
        element("wst:Issuer", leaf("wsa:Address", issuer)),
        Context="www.sosi.dk",
    )
    return _envelope(_CARD_PREFIXES, _plain_security(security_id, at), element("soapenv:Body", response))


@attrs.frozen(kw_only=True)
class Lifetime:
    """From when to when a token counts."""

    created: datetime
    expires: datetime


def exchange_response(
    token: str, *, relates_to: str, context: str, audience: str, lifetime: Lifetime, at: datetime, attached: str = ""
) -> str:
    """Dialect B's answer around a token, not yet signed; its parts have the ids of `SIGNED_PARTS`."""
    references = ""
    if attached:
        reference = element("wsse:SecurityTokenReference", element("wsse:Reference", URI=f"#{attached}"))
        references = element("wst:RequestedAttachedReference", reference)
        references += element("wst:RequestedUnattachedReference", reference)
    response = element(
        "wst:RequestSecurityTokenResponse",
        leaf("wst:TokenType", names.TOKEN_TYPE_B),
        element("wst:RequestedSecurityToken", token),
        references,
        element("wsp:AppliesTo", element("wsa:EndpointReference", leaf("wsa:Address", audience))),
        element(
            "wst:Lifetime",
            leaf("wsu:Created", times.utc(lifetime.created)),
            leaf("wsu:Expires", times.utc(lifetime.expires)),
        ),
        Context=context,
    )
    security = element(
        "wsse:Security",
        element("wsu:Timestamp", leaf("wsu:Created", times.utc(at)), wsu__Id="ts"),
        mustUnderstand="1",
        wsu__Id="security",
    )
    body = element("soapenv:Body", element("wst:RequestSecurityTokenResponseCollection", response), wsu__Id="body")
    return _envelope(_PREFIXES, _addressed(relates_to) + security, body)


#: What the STS signs in its answers.
SIGNED_PARTS = ("messageID", "action", "relatesTo", "ts", "body")


def fault(refused: refusals.Refused, *, relates_to: str | None, at: datetime) -> str:
    """A fault in the dialect of its request: the second has addressing headers and no Security."""
    content = element(
        "soapenv:Fault",
        leaf("faultcode", f"wst:{refused.code}"),
        leaf("faultstring", refused.words),
        leaf("faultactor", refused.actor),
    )
    body = element("soapenv:Body", content)
    if relates_to is None:
        return _envelope(_CARD_PREFIXES, _plain_security("", at), body)
    return _envelope(_PREFIXES, _addressed(relates_to), body)


def standing_alone(token: str) -> str:
    """A token within nothing but the declarations it needs."""
    return with_attributes("sandbox", declare(_PREFIXES, renamed=_WIRE), token)


def _addressed(relates_to: str) -> str:
    return (
        leaf("wsa:Action", names.ACTION_B, wsu__Id="action")
        + leaf("wsa:MessageID", f"urn:uuid:{uuid.uuid4()}", wsu__Id="messageID")
        + leaf("wsa:RelatesTo", relates_to, wsu__Id="relatesTo")
    )


def _plain_security(security_id: str, at: datetime) -> str:
    named = {"id": security_id} if security_id else {}
    created = element("wsu:Timestamp", leaf("wsu:Created", times.utc(at)))
    return with_attributes("wsse:Security", named, created)


def _envelope(prefixes: tuple[str, ...], header: str, body: str) -> str:
    return with_attributes(
        "soapenv:Envelope", declare(prefixes, renamed=_WIRE), element("soapenv:Header", header), body
    )
