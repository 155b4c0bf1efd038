"""What a signed card is exchanged for: an identity token (ITS), and an OIOSAML assertion (Sosi2OIOSaml)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.x509.oid import NameOID
from lxml import etree

from govfile.sandbox.sosi import cards, names, refusals, stock, tokens
from govfile.sandbox.sosi.assertions import Assertion, Attribute, bearer, holder_of_key
from govfile.sandbox.sosi.building import element, leaf, with_attributes
from govfile.sandbox.sosi.envelopes import Lifetime
from govfile.sandbox.sosi.exchanges import Grant
from govfile.sandbox.sosi.names import NS
from govfile.sandbox.sosi.signing import x509_data

if TYPE_CHECKING:
    from datetime import datetime

    from govfile.sandbox.sosi.envelopes import Asked
    from govfile.sandbox.sosi.judging import Office
    from govfile.sandbox.sosi.people import Holder
    from govfile.sandbox.sosi.settings import Audience

NEW_NAME_ID = "SubjectDN={"
_EPR = "urn:liberty:disco:2006-08:DiscoveryEPR"
_MECHANISM = "urn:liberty:security:2006-08:TLS:SAMLV2"


def identity_token(asked: Asked, office: Office, at: datetime) -> Grant:
    """ITS: a user's card for a short-lived token for one audience."""
    tokens.caller(asked, office, at, actor=refusals.ITS, required=office.settings.envelopes_signed)
    no_user = refusals.invalid(refusals.ITS, "The request was invalid or malformed", "a system card")
    _, card = tokens.signed_card(asked, at, unless_user=no_user)
    audience = office.audience(asked.audience, refusals.ITS)
    if card.issued + audience.oldest_card <= at:
        raise refusals.expired(f"the card is too old for {audience.audience}")
    start = (at - office.faults.stale).replace(microsecond=0)
    end = start + audience.identity_life
    own_name = card.name_id_format == "medcom:other" and not card.name_id.startswith(NEW_NAME_ID)
    token = Assertion(
        issuer=office.settings.issuer,
        issued=start,
        name_id=card.name_id if own_name else card.user[cards.CPR],
        name_id_format=names.UNSPECIFIED,
        confirmation=holder_of_key(leaf("ds:KeyName", "SigningKey")),
        start=start,
        end=end,
        audience=audience.audience,
        authenticated=card.issued,
        has_session=False,
        attributes=_of_card(card, is_identity=True),
    )
    return Grant(
        token=token.written(),
        lifetime=Lifetime(created=start, expires=end),
        audience=asked.audience,
        index=1,
        signature_id=("Id", "OCESSignature"),
        key_info=_signing_key(office),
        is_answer_signed=office.settings.signs_identity_answers,
    )


def _signing_key(office: Office) -> str:
    certificate = (stock.next_sts() if office.faults.renewed else stock.sts()).certificate
    if not office.settings.names_key_only:
        return element("ds:KeyInfo", x509_data(certificate), Id="SigningKey")
    serial = str(certificate.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)[0].value)
    return element("ds:KeyInfo", leaf("ds:KeyName", f"OCES2,{serial},{certificate.serial_number}"), Id="SigningKey")


def to_oiosaml(asked: Asked, office: Office, at: datetime) -> Grant:
    """Sosi2OIOSaml: a card of the new service for an assertion, sealed for the audience where it gave a key."""
    tokens.caller(asked, office, at, actor=refusals.IBO, required=office.settings.envelopes_signed)
    found, card = tokens.signed_card(asked, at)
    if not card.is_user or not card.name_id.startswith(NEW_NAME_ID):
        words = "The specified request failed: the ID card was not issued by NewSecurityTokenService"
        raise refusals.request_failed(refusals.IBO, words)
    audience = office.audience(asked.audience, refusals.IBO)
    holder = office.registers.person(card.user[cards.CPR])
    if holder is None:
        raise refusals.illegal_identity("unknown")
    bootstrap = etree.tostring(found, encoding="unicode", with_tail=False) if audience.includes_bootstrap else ""
    return oiosaml(
        audience,
        office,
        at,
        applies_to=asked.audience,
        holder=holder,
        authenticated=card.issued,
        attributes=[*_of_card(card, is_identity=False), *of_certificate(holder), *_bootstrap(bootstrap)],
    )


def oiosaml(
    audience: Audience,
    office: Office,
    at: datetime,
    *,
    applies_to: str,
    holder: Holder,
    authenticated: datetime,
    attributes: list[Attribute],
) -> Grant:
    """An OIOSAML 2 assertion for an audience, by its settings."""
    now = (at - office.faults.stale).replace(microsecond=0)
    start, end = now - audience.not_before, now + audience.not_on_or_after
    token = Assertion(
        issuer=office.settings.issuer,
        issued=now,
        name_id=subject_name(holder),
        name_id_format=names.X509_NAME,
        confirmation=bearer(audience.recipient_url, now + audience.deliver_by),
        start=start,
        end=end,
        audience=audience.audience,
        authenticated=authenticated,
        attributes=attributes,
    )
    return Grant(
        token=token.written(),
        lifetime=Lifetime(created=start, expires=end),
        audience=applies_to,
        index=1,
        encrypts_for=audience if audience.public_key is not None else None,
    )


def subject_name(holder: Holder) -> str:
    """The X509SubjectName of OIOSAML 2: country, organisation, person, serial."""
    return f"C=DK,O={holder.company} // CVR:{holder.cvr},CN={common_name(holder)},Serial={uid(holder)}"


def common_name(holder: Holder) -> str:
    """The person's whole name."""
    return f"{holder.given_name} {holder.surname}".strip()


def uid(holder: Holder) -> str:
    """CVR and RID in the old form, which OIOSAML 2 knows no other for; the identifier stands in for a missing RID."""
    return f"CVR:{holder.cvr}-RID:{holder.rid or holder.identifier}"


def of_certificate(holder: Holder) -> list[Attribute]:
    """The attributes that repeat the certificate."""
    certificate = holder.certificate
    return [
        Attribute(name="urn:oid:0.9.2342.19200300.100.1.1", friendly="uid", content=uid(holder)),
        Attribute(name="urn:oid:2.5.4.5", friendly="serialNumber", content=f"{certificate.serial_number:x}"),
        Attribute(name="urn:oid:2.5.29.29", friendly="certificateIssuer", content=certificate.issuer.rfc4514_string()),
        Attribute(name=names.DK + "RidNumberIdentifier", content=holder.rid or holder.identifier),
        Attribute(name=names.DK + "IsYouthCert", content="false"),
    ]


def _of_card(card: cards.Card, *, is_identity: bool) -> list[Attribute]:
    user = card.user
    given = [
        ("urn:oid:2.5.4.4", "surName", user.get(cards.SURNAME)),
        ("urn:oid:2.5.4.3", "CommonName", f"{user.get(cards.GIVEN_NAME)} {user.get(cards.SURNAME)}"),
        ("urn:oid:0.9.2342.19200300.100.1.3", "email", user.get(cards.EMAIL)),
        (names.DK + "AssuranceLevel", "", "3"),
        (names.DK + "SpecVer", "", "DK-SAML-2.0"),
        (names.DK + "CvrNumberIdentifier", "", card.care_id if card.care_format == "medcom:cvrnumber" else None),
        ("urn:oid:2.5.4.10", "organizationName", card.care_name),
        (names.DK + "CprNumberIdentifier", "", user.get(cards.CPR)),
    ]
    if is_identity:
        given += [
            (names.HEALTH + "UserAuthorizationCode", "", user.get(cards.CODE)),
            (names.HEALTH + "ITSystemName", "", card.it_system),
            (names.HEALTH + "UserEducationCode", "", user.get(cards.ROLE)),
        ]
    return [Attribute(name=name, friendly=friendly, content=found) for name, friendly, found in given if found]


def _bootstrap(card: str) -> list[Attribute]:
    """The card as a bootstrap token inside the assertion, where the audience wants it so."""
    if not card:
        return []
    usage = {"xmlns:sec": NS["sec"], "usage": "urn:liberty:security:tokenusage:2006-08:SecurityToken"}
    token = with_attributes("sec:Token", usage, card)
    context = with_attributes(
        "disco:SecurityContext",
        {"xmlns:disco": NS["disco"]},
        leaf("disco:SecurityMechID", _MECHANISM),
        token,
    )
    service = with_attributes("disco:ServiceType", {"xmlns:disco": NS["disco"]}, "dk:sosi:1-0-1")
    reference = element(
        "wsa:EndpointReference",
        leaf("wsa:Address", "http://sosi.dk/sts"),
        element("wsa:Metadata", service, context),
    )
    return [Attribute(name=_EPR, form=names.URI_FORMAT, content=reference, is_xml=True)]
