"""Answers gone wrong on request: tokens altered after signing, signed by the wrong one, or wrapped."""

from __future__ import annotations

import base64
import copy
import re
import uuid
from typing import TYPE_CHECKING

import attrs
from lxml import etree

from govfile.sandbox.sosi import stock
from govfile.sandbox.sosi.building import declare, with_attributes
from govfile.sandbox.sosi.envelopes import SIGNED_PARTS
from govfile.sandbox.sosi.faults import Envelope, Faults, Other, Spoilt
from govfile.sandbox.sosi.names import tag
from govfile.sandbox.sosi.reading import child
from govfile.sandbox.sosi.signing import Signer, detached, enveloped
from govfile.sandbox.sosi.wrapping import wrap

if TYPE_CHECKING:
    from govfile.sandbox.sosi.cards import Card
    from govfile.sandbox.sosi.envelopes import Asked
    from govfile.sandbox.sosi.exchanges import Grant
    from govfile.sandbox.sosi.settings import Settings

_OTHER_CPR, _OTHER_CVR = "0202001234", "19552101"


def other_card(card: Card, other: Other | None) -> Card:
    """Not the card that was asked for."""
    match other:
        case Other.ID:
            return attrs.evolve(card, card_id=base64.b64encode(b"not what was asked").decode())
        case Other.CVR:
            return attrs.evolve(card, care_id=_OTHER_CVR, care_format="medcom:cvrnumber")
        case Other.CPR if card.is_user:
            return attrs.evolve(card, user={**card.user, "UserCivilRegistrationNumber": _OTHER_CPR})
        case Other.TYPE:
            user = {"UserGivenName": "Test", "UserSurName": "Person", "UserRole": "7170"}
            return attrs.evolve(card, is_user=not card.is_user, user={} if card.is_user else user)
        case Other.LEVEL:
            return attrs.evolve(card, level="3" if card.level == "4" else "4")
        case Other.VERSION:
            return attrs.evolve(card, version="1.0" if card.version == "1.0.1" else "1.0.1")
        case _:
            return card


def other_grant(grant: Grant, asked: Asked, other: Other | None) -> tuple[Grant, Asked]:
    """Not the exchange that was asked for."""
    match other:
        case Other.AUDIENCE:
            elsewhere = "https://elsewhere.invalid"
            audience = f"<saml:Audience>{elsewhere}</saml:Audience>"
            token = re.sub("<saml:Audience>[^<]*</saml:Audience>", audience, grant.token)
            return attrs.evolve(grant, audience=elsewhere, token=token), asked
        case Other.CONTEXT:
            return grant, attrs.evolve(asked, context=f"urn:uuid:{uuid.uuid4()}")
        case Other.RELATION:
            return grant, attrs.evolve(asked, message_id=f"urn:uuid:{uuid.uuid4()}")
        case _:
            return grant, asked


def signer(settings: Settings, faults: Faults, spoilt: Spoilt | None) -> Signer:
    """Who signs a token: the STS, unless that is what is to be wrong."""
    issued, shown = (stock.next_sts() if faults.renewed else stock.sts()).issued, None
    match spoilt:
        case Spoilt.OTHER_KEY:
            issued, shown = stock.stranger(), issued.certificate
        case Spoilt.STRANGER:
            issued = stock.stranger()
        case Spoilt.WRONG_SUBJECT:
            issued = stock.provider().issued
        case Spoilt.EXPIRED:
            issued = stock.expired_sts().issued
        case _:
            pass
    return Signer(issued=issued, algorithm=settings.signs_with, shown=shown)


def sign_token(
    token: etree._Element,
    settings: Settings,
    faults: Faults,
    *,
    index: int | None = None,
    key_info: str | None = None,
    **named: str,
) -> None:
    """Sign an assertion in its document, and spoil or wrap it where that is asked for."""
    enveloped(token, signer(settings, faults, faults.spoilt), index=index, key_info=key_info, **named)
    _spoil(token, faults.spoilt)
    if faults.wrapped is not None:
        wrap(token, faults.wrapped)


def _spoil(token: etree._Element, spoilt: Spoilt | None) -> None:
    signature = child(token, "ds:Signature")
    match spoilt:
        case Spoilt.ALTERED:
            issuer = child(token, "saml:Issuer")
            issuer.text = f"{issuer.text}2"
        case Spoilt.REINDENTED:
            tail = token.tail
            etree.indent(token)
            token.tail = tail
        case Spoilt.UNSIGNED:
            token.remove(signature)
        case Spoilt.EMPTY:
            child(signature, "ds:SignatureValue").text = None
        case Spoilt.TWICE:
            token.append(copy.deepcopy(signature))
        case Spoilt.COMMENTED:
            name_id = child(token, "saml:Subject", "saml:NameID")
            whole = name_id.text or ""
            name_id.text = whole[:5]
            comment = etree.Comment("here")
            comment.tail = whole[5:]
            name_id.insert(0, comment)
        case _:
            pass


def sign_envelope(root: etree._Element, settings: Settings, faults: Faults) -> None:
    """Sign all parts of an answer, and spoil that where it is asked for."""
    parts = [each for each in SIGNED_PARTS if each != "body" or faults.envelope is not Envelope.BODY_LEFT_OUT]
    whose = Spoilt.STRANGER if faults.envelope is Envelope.STRANGER else None
    security = child(root, "soap:Header", "wsse:Security")
    detached(root, security, parts, signer(settings, faults, whose))
    _spoil_envelope(root, faults.envelope, settings)


def _spoil_envelope(root: etree._Element, envelope: Envelope | None, settings: Settings) -> None:
    header, body = child(root, "soap:Header"), child(root, "soap:Body")
    match envelope:
        case Envelope.UNSIGNED:
            security = child(header, "wsse:Security")
            security.remove(child(security, "ds:Signature"))
        case Envelope.ALTERED:
            identifier = child(header, "wsa:MessageID")
            identifier.text = f"{identifier.text}0"
        case Envelope.OTHER_BODY:
            forged = _another_body(body, settings)
            keeper = etree.fromstring(with_attributes("wsse:Keeper", declare(["wsse"])).encode())
            keeper.append(body)
            header.append(keeper)
            root.append(forged)
        case _:
            pass


def _another_body(body: etree._Element, settings: Settings) -> etree._Element:
    """A copy that shares no id with the signed one: longer-lived, and with another genuine token where there is one."""
    forged = copy.deepcopy(body)
    forged.set(tag("wsu:Id"), "forged")
    for expires in forged.iter(tag("wsu:Expires")):
        expires.text = "2099-01-01T00:00:00Z"
    for token in forged.iter(tag("saml:Assertion")):
        if token.get("ID"):
            token.set("ID", f"_{uuid.uuid4()}")
            signature = child(token, "ds:Signature")
            at = token.index(signature)
            token.remove(signature)
            enveloped(token, signer(settings, Faults(), None), index=at)
    return forged
