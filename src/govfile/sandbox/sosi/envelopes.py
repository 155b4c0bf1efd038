"""Envelopes of the two dialects: the parts of a request the STS reads, and the answers it writes."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import attrs

from govfile.sandbox.sosi import cards, names, refusals, times
from govfile.sandbox.sosi.building import declare, element, leaf, with_attributes
from govfile.sandbox.sosi.names import NS, tag
from govfile.sandbox.sosi.reading import Unreadable, child, maybe, parse, value

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from lxml import etree

_CARD_PREFIXES = ("soap", "ds", "medcom", "saml", "sosi", "wsa04", "wsse", "wst05", "wsu", "xs", "xsi")
_PREFIXES = ("soap", "ds", "saml", "wsa", "wsp", "wsse", "wst", "wsu", "xs", "xsi")
#: Seal.Java and Seal.NET put a card into a Security header of its own, before the one with the time stamp.
_MOST_SECURITY = 2
_WIRE = {"soap": "soapenv", "wst05": "wst", "wsa04": "wsa"}


@attrs.frozen(kw_only=True)
class Asked:
    """An exchange as it was asked for. `tokens` are what is inside ActAs; `security` the Security headers, two where
    the card is in one of its own.
    """

    root: etree._Element
    message_id: str
    action: str
    context: str
    tokens: tuple[etree._Element, ...]
    audience: str
    claims: Mapping[str, str]
    security: tuple[etree._Element, ...]


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


@attrs.frozen(kw_only=True)
class Repeated:
    """What an answer of the first dialect takes over from its request, be that good or not: the id of its Security
    header, and the version of its card, which is that of the answer's own time.
    """

    security_id: str = ""
    version: str = "1.0.1"


def repeated(root: etree._Element) -> Repeated:
    """The same, of a request."""
    security = root.find(f"{tag('soap:Header')}/{tag('wsse:Security')}")
    identifier = None if security is None else security.get("id")
    return Repeated(security_id=identifier or "", version=cards.version_said(root))


def card_request(root: etree._Element) -> tuple[etree._Element, str]:
    """The card to sign, and the token type as written; raises `Refused`."""
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
    return card, token_type


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
        security=tuple(header.findall(tag("wsse:Security"))),
    )
    if len(asked.security) > _MOST_SECURITY:
        raise refusals.malformed(f"{len(asked.security)} of wsse:Security")
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


def card_response(card: str, *, to: Repeated, token_type: str, issuer: str, at: datetime) -> str:
    """Dialect A's answer around a card; nothing of the envelope is signed."""
    response = element(
        "wst:RequestSecurityTokenResponse",
        leaf("wst:TokenType", token_type),
        element("wst:RequestedSecurityToken", card),
        element("wst:Status", leaf("wst:Code", NS["wst05"] + "/status/valid")),
        element("wst:Issuer", leaf("wsa:Address", issuer)),
        Context="www.sosi.dk",
    )
    return _envelope(_CARD_PREFIXES, _plain_security(to, at), element("soapenv:Body", response))


@attrs.frozen(kw_only=True)
class Lifetime:
    """From when to when a token counts."""

    created: datetime
    expires: datetime


def exchange_response(
    token: str,
    *,
    relates_to: str,
    context: str,
    audience: str,
    lifetime: Lifetime,
    at: datetime | None,
    attached: str = "",
) -> str:
    """Dialect B's answer around a token. Where it will be signed, `at` that time, it has a Security header, and its
    parts the ids of `SIGNED_PARTS`.
    """
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
    body = element("wst:RequestSecurityTokenResponseCollection", response)
    if at is None:
        return _envelope(_PREFIXES, _addressed(relates_to, has_ids=False), element("soapenv:Body", body))
    security = element(
        "wsse:Security",
        element("wsu:Timestamp", leaf("wsu:Created", times.utc(at)), wsu__Id="ts"),
        mustUnderstand="1",
        wsu__Id="security",
    )
    headers = _addressed(relates_to, has_ids=True) + security
    return _envelope(_PREFIXES, headers, element("soapenv:Body", body, wsu__Id="body"))


#: What the STS signs in its answers.
SIGNED_PARTS = ("messageID", "action", "relatesTo", "ts", "body")


def fault(refused: refusals.Refused, *, relates_to: str | None, to: Repeated, at: datetime) -> str:
    """A fault in the dialect of its request: the second has addressing headers and no Security."""
    content = element(
        "soapenv:Fault",
        leaf("faultcode", f"wst:{refused.code}"),
        leaf("faultstring", refused.words),
        leaf("faultactor", refused.actor),
    )
    body = element("soapenv:Body", content)
    if relates_to is None:
        return _envelope(_CARD_PREFIXES, _plain_security(to, at), body)
    return _envelope(_PREFIXES, _addressed(relates_to, has_ids=False), body)


def standing_alone(token: str) -> str:
    """A token within nothing but the declarations it needs."""
    return with_attributes("sandbox", declare(_PREFIXES, renamed=_WIRE), token)


def _addressed(relates_to: str, *, has_ids: bool) -> str:
    headers = {"action": names.ACTION_B, "messageID": f"urn:uuid:{uuid.uuid4()}", "relatesTo": relates_to}
    return "".join(
        leaf(f"wsa:{name[0].upper()}{name[1:]}", content, **({"wsu__Id": name} if has_ids else {}))
        for name, content in headers.items()
    )


def _plain_security(to: Repeated, at: datetime) -> str:
    named = {"id": to.security_id} if to.security_id else {}
    created = element("wsu:Timestamp", leaf("wsu:Created", times.for_card(at, to.version)))
    return with_attributes("wsse:Security", named, created)


def _envelope(prefixes: tuple[str, ...], header: str, body: str) -> str:
    return with_attributes(
        "soapenv:Envelope", declare(prefixes, renamed=_WIRE), element("soapenv:Header", header), body
    )
