"""Sample messages, written and signed by the sandbox's own hand."""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from govfile.errors import ConfigurationError
from govfile.sandbox.sosi import cards, names, times
from govfile.sandbox.sosi.building import element, leaf, with_attributes
from govfile.sandbox.sosi.names import NS
from govfile.sandbox.sosi.reading import child, parse
from govfile.sandbox.sosi.signing import Signer, enveloped

if TYPE_CHECKING:
    from datetime import datetime

    from govfile.sandbox.sosi.people import Holder
    from govfile.sandbox.sosi.service import TokenService

BODY = b'<Ping xmlns="urn:example"/>'
KINDS = ("body", "request", "system-request", "card", "system-card", "dgws-request")
_PREFIXES = ("soap", "ds", "medcom", "saml", "sosi", "wsse", "wsu")


def example(kind: str, *, employee: Holder, system: Holder, service: TokenService, at: datetime) -> bytes:
    """One of `KINDS`: a body for a call, a card request, a card the STS signed, or a call with it.

    Raises `ConfigurationError` for another kind.
    """
    if kind not in KINDS:
        raise ConfigurationError(f"there is no example {kind!r}", advice=f"one of: {', '.join(KINDS)}")
    if kind == "body":
        return BODY
    holder = system if kind.startswith("system") else employee
    request = _request(holder, at)
    if kind.endswith("request") and not kind.startswith("dgws"):
        return request
    answer = parse(service.answer("new", request))
    path = ("soap:Body", "wst05:RequestSecurityTokenResponse", "wst05:RequestedSecurityToken", "saml:Assertion")
    card = etree.tostring(child(answer, *path), with_tail=False)
    return card if kind.endswith("card") else _call(card.decode(), at)


def _request(holder: Holder, at: datetime) -> bytes:
    start = (at - timedelta(minutes=5)).replace(microsecond=0)
    is_user = holder.kind.is_person
    digest = hashlib.sha256(holder.certificate.public_bytes(Encoding.DER)).digest()
    user = {cards.GIVEN_NAME: holder.given_name, cards.SURNAME: holder.surname, cards.ROLE: "7170"}
    card = cards.Card(
        issuer="EXAMPLE",
        name_id=holder.cpr or holder.cvr,
        name_id_format="medcom:cprnumber" if is_user else "medcom:cvrnumber",
        issued=start,
        start=start,
        end=start + timedelta(hours=24),
        card_id=base64.b64encode(hashlib.sha256(f"{holder.identifier}{at}".encode()).digest()[:16]).decode(),
        version="1.0.1",
        is_user=is_user,
        level="4" if is_user else "3",
        cert_hash=base64.b64encode(digest).decode(),
        user={cards.CPR: holder.cpr or "", **user} if is_user else {},
        it_system="Example System",
        care_id=holder.cvr,
        care_format="medcom:cvrnumber",
        care_name=holder.company,
    )
    request = element(
        "wst:RequestSecurityToken",
        leaf("wst:TokenType", names.TOKEN_TYPES_A[0]),
        leaf("wst:RequestType", names.REQUEST_TYPES_A[0]),
        element("wst:Claims", cards.write(card)),
        Context="www.sosi.dk",
    )
    root = parse(_envelope(_security(at), request, {"xmlns:wst": NS["wst05"]}).encode())
    path = ("soap:Body", "wst05:RequestSecurityToken", "wst05:Claims", "saml:Assertion")
    enveloped(child(root, *path), Signer(issued=holder.issued), id="OCESSignature")
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def _call(card: str, at: datetime) -> bytes:
    linking = element("medcom:Linking", leaf("medcom:MessageID", f"example-{at.timestamp()}"))
    header = element("medcom:Header", leaf("medcom:SecurityLevel", "4"), linking)
    return _envelope(_security(at, card) + header, BODY.decode(), {}).encode()


def _security(at: datetime, card: str = "") -> str:
    return element("wsse:Security", element("wsu:Timestamp", leaf("wsu:Created", times.utc(at))), card)


def _envelope(header: str, body: str, more: dict[str, str]) -> str:
    declared = {f"xmlns:{prefix}": NS[prefix] for prefix in _PREFIXES} | more
    return with_attributes("soap:Envelope", declared, element("soap:Header", header), element("soap:Body", body))
