"""ID cards as the STS takes and gives them: read from a request, judged as to their shape, and written anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from lxml import etree

from govfile.sandbox.sosi import refusals, times
from govfile.sandbox.sosi.building import element, leaf
from govfile.sandbox.sosi.names import tag
from govfile.sandbox.sosi.reading import attribute, attributes, child, text, value

if TYPE_CHECKING:
    from datetime import datetime

_VERSIONS = ("1.0", "1.0.1")
_FORMATS = frozenset(
    f"medcom:{name}"
    for name in (
        *("cprnumber", "ynumber", "pnumber", "skscode", "cvrnumber", "communalnumber"),
        *("locationnumber", "itsystemname", "other"),
    )
)
_CARE_FORMATS = frozenset(f"medcom:{name}" for name in ("cvrnumber", "ynumber", "pnumber", "skscode"))
_HOLDER = "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"
CPR, GIVEN_NAME, SURNAME = "UserCivilRegistrationNumber", "UserGivenName", "UserSurName"
EMAIL, ROLE, CODE, OCCUPATION = "UserEmailAddress", "UserRole", "UserAuthorizationCode", "UserOccupation"
_USER = (CPR, GIVEN_NAME, SURNAME, EMAIL, ROLE, CODE, OCCUPATION)
_USER_NEEDED = frozenset({GIVEN_NAME, SURNAME})
_SHAPE = ("Issuer", "Subject", "Conditions", "AttributeStatement")


@attrs.frozen(kw_only=True)
class Card:
    """A card's content, whoever signed it. `user` holds the non-empty user attributes by their short name."""

    issuer: str
    name_id: str = attrs.field(repr=False)
    name_id_format: str
    issued: datetime
    start: datetime
    end: datetime
    card_id: str
    version: str
    is_user: bool
    level: str
    cert_hash: str = ""
    user: dict[str, str] = attrs.field(factory=dict, repr=False)
    it_system: str
    care_id: str
    care_format: str
    care_name: str


def read(assertion: etree._Element) -> Card:
    """Read a card of the exact documented shape; raises `Unreadable` or `Refused`."""
    _check_shape(assertion)
    found = attributes(assertion)
    version = found.get("sosi:IDCardVersion", "")
    if version not in _VERSIONS:
        raise refusals.malformed(f"card version {version!r}")
    conditions = child(assertion, "saml:Conditions")
    subject = child(assertion, "saml:Subject", "saml:NameID")
    care = attribute(assertion, "medcom:CareProviderID")
    try:
        issued, start, end = (
            times.of_card(given or "", version)
            for given in (assertion.get("IssueInstant"), conditions.get("NotBefore"), conditions.get("NotOnOrAfter"))
        )
    except ValueError as error:
        raise refusals.bad_time(str(error)) from error
    card = Card(
        issuer=value(assertion, "saml:Issuer"),
        name_id=text(subject),
        name_id_format=subject.get("Format") or "",
        issued=issued,
        start=start,
        end=end,
        card_id=found.get("sosi:IDCardID", ""),
        version=version,
        is_user=found.get("sosi:IDCardType") == "user",
        level=found.get("sosi:AuthenticationLevel", ""),
        cert_hash=found.get("sosi:OCESCertHash", ""),
        user={name: found[f"medcom:{name}"] for name in _USER if found.get(f"medcom:{name}")},
        it_system=found.get("medcom:ITSystemName", ""),
        care_id=found.get("medcom:CareProviderID", ""),
        care_format="" if care is None else care.get("NameFormat") or "",
        care_name=found.get("medcom:CareProviderName", ""),
    )
    _check_content(card, found)
    return card


def version_said(message: etree._Element) -> str:
    """The version that the first card in a message claims, be the card good or not; the newest where it claims none."""
    for found in message.iter(tag("saml:Attribute")):
        if found.get("Name") == "sosi:IDCardVersion" and text(found) in _VERSIONS:
            return text(found)
    return _VERSIONS[-1]


def _check_shape(assertion: etree._Element) -> None:
    """Order of elements, ids and the confirmation of section 4.1."""
    if assertion.tag != tag("saml:Assertion") or assertion.get("id") != "IDCard":
        raise refusals.malformed("no assertion with id IDCard")
    if assertion.get("Version") != "2.0":
        raise refusals.malformed("the card's Version is not 2.0")
    children = [etree.QName(each).localname for each in assertion.iterchildren("{*}*")]
    statements = [each.get("id") for each in assertion.findall(tag("saml:AttributeStatement"))]
    if statements not in (["IDCardData", "SystemLog"], ["IDCardData", "UserLog", "SystemLog"]):
        raise refusals.malformed(f"attribute statements {statements}")
    expected = [*_SHAPE[:3], *(["AttributeStatement"] * len(statements)), "Signature"]
    if children != expected:
        raise refusals.malformed(f"the card's elements are {children}")
    confirmation = child(assertion, "saml:Subject", "saml:SubjectConfirmation")
    if value(confirmation, "saml:ConfirmationMethod") != _HOLDER:
        raise refusals.malformed("the confirmation method")
    if value(confirmation, "saml:SubjectConfirmationData", "ds:KeyInfo", "ds:KeyName") != "OCESSignature":
        raise refusals.malformed("KeyName is not OCESSignature")
    signature = child(assertion, "ds:Signature")
    if "OCESSignature" not in (signature.get("id"), signature.get("Id")):  # Java's own library writes the latter
        raise refusals.malformed("the signature's id is not OCESSignature")


def _check_content(card: Card, found: dict[str, str]) -> None:
    kind = found.get("sosi:IDCardType", "")
    wrong = {
        "no issuer": not card.issuer,
        "no NameID": not card.name_id and not (card.is_user and card.name_id_format == "medcom:cprnumber"),
        f"NameID format {card.name_id_format}": card.name_id_format not in _FORMATS,
        "no card id": not card.card_id,
        f"card type {kind!r}": kind not in ("user", "system"),
        "a system card with a user": kind == "system" and bool(card.user),
        "a user card without a name": card.is_user and not card.user.keys() >= _USER_NEEDED,
        "no system name": not card.it_system,
        "no care provider": not (card.care_id and card.care_name),
        f"care provider format {card.care_format}": card.care_format not in _CARE_FORMATS,
    }
    reasons = [why for why, is_so in wrong.items() if is_so]
    if reasons:
        raise refusals.malformed(", ".join(reasons))


def write(card: Card) -> str:
    """The card as XML, not signed; the prefixes `saml` and `ds` are declared around it."""
    data = {
        "sosi:IDCardID": card.card_id,
        "sosi:IDCardVersion": card.version,
        "sosi:IDCardType": "user" if card.is_user else "system",
        "sosi:AuthenticationLevel": card.level,
        "sosi:OCESCertHash": card.cert_hash,
    }
    statements = [element("saml:AttributeStatement", *_written(data), id="IDCardData")]
    if card.is_user:
        user = {f"medcom:{name}": card.user.get(name, "") for name in _USER}
        statements.append(element("saml:AttributeStatement", *_written(user), id="UserLog"))
    care = element(
        "saml:Attribute",
        leaf("saml:AttributeValue", card.care_id),
        Name="medcom:CareProviderID",
        NameFormat=card.care_format,
    )
    system = [*_written({"medcom:ITSystemName": card.it_system}), care]
    system += _written({"medcom:CareProviderName": card.care_name})
    statements.append(element("saml:AttributeStatement", *system, id="SystemLog"))
    key_name = element("ds:KeyInfo", leaf("ds:KeyName", "OCESSignature"))
    return element(
        "saml:Assertion",
        leaf("saml:Issuer", card.issuer),
        element(
            "saml:Subject",
            leaf("saml:NameID", card.name_id, Format=card.name_id_format),
            element(
                "saml:SubjectConfirmation",
                leaf("saml:ConfirmationMethod", _HOLDER),
                element("saml:SubjectConfirmationData", key_name),
            ),
        ),
        element(
            "saml:Conditions",
            NotBefore=times.for_card(card.start, card.version),
            NotOnOrAfter=times.for_card(card.end, card.version),
        ),
        *statements,
        IssueInstant=times.for_card(card.issued, card.version),
        Version="2.0",
        id="IDCard",
    )


def _written(found: dict[str, str]) -> list[str]:
    return [
        element("saml:Attribute", leaf("saml:AttributeValue", each), Name=name) for name, each in found.items() if each
    ]
