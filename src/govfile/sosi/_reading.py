"""What an ID card says, from the element it is. Attributes are looked up by name: senders differ in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from govfile.errors import InvalidContent, ProtocolError
from govfile.sosi import times
from govfile.sosi.card import CardType
from govfile.sosi.care_provider import CareProvider, NameFormat
from govfile.sosi.constants import SAML
from govfile.sosi.times import DgwsVersion

if TYPE_CHECKING:
    from govfile.xml.parse import Element

_LEVELS = {"1": 1, "2": 2, "3": 3, "4": 4}
_USER = {
    "cpr": "medcom:UserCivilRegistrationNumber",
    "given_name": "medcom:UserGivenName",
    "surname": "medcom:UserSurName",
    "email": "medcom:UserEmailAddress",
    "role": "medcom:UserRole",
    "authorisation_code": "medcom:UserAuthorizationCode",
    "occupation": "medcom:UserOccupation",
}
_Attributes = dict[str, tuple[str, "str | None"]]


def fields_of(card: Element) -> dict[str, Any]:
    """The fields of a `WrittenCard` but for `xml`; raises `ProtocolError` when the element is no ID card."""
    if (card.name, card.namespace, card.attributes.get("Version")) != ("Assertion", SAML, "2.0"):
        raise ProtocolError(f"an ID card is a SAML 2.0 assertion, not {card.name!r}")
    conditions = _child(card, "Conditions")
    name = _child(_child(card, "Subject"), "NameID")
    found = _attributes(card)
    return {
        "id": _value(found, "sosi:IDCardID"),
        "version": DgwsVersion(_one_of(found, "sosi:IDCardVersion", ("1.0", "1.0.1"))),
        "type": CardType(_one_of(found, "sosi:IDCardType", ("user", "system"))),
        "level": _LEVELS[_one_of(found, "sosi:AuthenticationLevel", _LEVELS)],
        "issuer": _child(card, "Issuer").text,
        "issued": times.read(card.attributes.get("IssueInstant", ""), "the card's IssueInstant"),
        "valid_from": times.read(conditions.attributes.get("NotBefore", ""), "the card's NotBefore"),
        "expires": times.read(conditions.attributes.get("NotOnOrAfter", ""), "the card's NotOnOrAfter"),
        "it_system": _value(found, "medcom:ITSystemName"),
        "care_provider": _care_provider(found),
        "name_id": name.text,
        "name_id_format": name.attributes.get("Format", ""),
        "certificate_hash": _optional(found, "sosi:OCESCertHash"),
        **{field: _optional(found, name) for field, name in _USER.items()},
    }


def zones_are_named(card: Element) -> bool:
    """Whether all times of the card say in which zone they are."""
    conditions = _child(card, "Conditions").attributes
    texts = (card.attributes.get("IssueInstant"), conditions.get("NotBefore"), conditions.get("NotOnOrAfter"))
    return all(text is not None and (text[-1:] == "Z" or text[-6:-5] in {"+", "-"}) for text in texts)


def _child(element: Element, name: str) -> Element:
    found = [child for child in element.children if child.name == name and child.namespace == SAML]
    if len(found) != 1:
        raise ProtocolError(f"an ID card has one {name}, and this one has {len(found)}")
    return found[0]


def _attributes(card: Element) -> _Attributes:
    """Values and name formats by name."""
    attributes: _Attributes = {}
    for statement in card.children:
        if statement.name != "AttributeStatement" or statement.namespace != SAML:
            continue
        for attribute in statement.children:
            name = attribute.attributes.get("Name", "")
            if name in attributes:
                raise ProtocolError("an attribute stands in the ID card twice")
            value = _child(attribute, "AttributeValue")
            if value.children:
                raise ProtocolError("an attribute of the ID card holds more than text")
            attributes[name] = value.text, attribute.attributes.get("NameFormat")
    return attributes


def _optional(attributes: _Attributes, name: str) -> str | None:
    value, _ = attributes.get(name, (None, None))
    return value or None


def _value(attributes: _Attributes, name: str) -> str:
    value = _optional(attributes, name)
    if value is None:
        raise ProtocolError(f"the ID card has no {name}")
    return value


def _one_of(attributes: _Attributes, name: str, known: Any) -> str:
    value = _value(attributes, name)
    if value not in known:
        raise ProtocolError(f"the ID card has a {name} that is not known: {value[:20]!r}")
    return value


def _care_provider(attributes: _Attributes) -> CareProvider:
    name = _value(attributes, "medcom:CareProviderName")
    number, how = attributes.get("medcom:CareProviderID", ("", None))
    try:
        return CareProvider(number, name, NameFormat(how))
    except (ValueError, InvalidContent) as error:
        raise ProtocolError("the ID card's care provider cannot be read") from error
