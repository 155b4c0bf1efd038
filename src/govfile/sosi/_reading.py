"""What an ID card says, from the element it is. Attributes are looked up by name: senders differ in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from govfile.errors import InvalidContent, ProtocolError
from govfile.sosi import times
from govfile.sosi._words import known
from govfile.sosi.card import CardType
from govfile.sosi.care_provider import CareProvider, NameFormat
from govfile.sosi.constants import SAML
from govfile.sosi.times import DgwsVersion
from govfile.xml.parse import blot

if TYPE_CHECKING:
    from collections.abc import Container, Mapping
    from datetime import datetime

    from govfile.xml._tree import Row

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
_ISSUER, _SUBJECT, _NAME_ID, _CONDITIONS, _STATEMENT, _ATTRIBUTE, _VALUE = (
    f"{{{SAML}}}{name}"
    for name in ("Issuer", "Subject", "NameID", "Conditions", "AttributeStatement", "Attribute", "AttributeValue")
)


class Part(Protocol):
    """An element of a message, verified or not."""

    def rows(self, *names: str) -> list[Row]:
        """See `govfile.xml.verifying.VerifiedPart.rows`."""
        ...


class _Values:
    """The attributes of a card: values and name formats by name."""

    def __init__(self, card: Part) -> None:
        self.values: dict[str, str] = {}
        self.formats: dict[str, str] = {}
        for row in card.rows(_STATEMENT, _ATTRIBUTE, _VALUE):
            name = row.above.get("Name", "")
            if row.text is None:
                raise ProtocolError("an attribute of the ID card holds more than text")
            if name in self.values:
                raise ProtocolError("an attribute of the ID card has two values")
            self.values[name] = row.text
            self.formats[name] = row.above.get("NameFormat", "")

    def optional(self, name: str) -> str | None:
        """None where the attribute is missing or empty."""
        return self.values.get(name) or None

    def required(self, name: str) -> str:
        """Raises `ProtocolError` where the attribute is missing or empty."""
        value = self.values.get(name)
        if not value:
            raise ProtocolError(f"the ID card has no {name}")
        return value

    def one_of(self, name: str, known: Container[str]) -> str:
        """Raises `ProtocolError` for a value that is not known."""
        value = self.required(name)
        if value not in known:
            raise ProtocolError(f"the ID card has a {name} that is not known: {blot(value[:40])[:20]!r}")
        return value

    def care_provider(self) -> CareProvider:
        """Raises `ProtocolError` where it is not one."""
        name = self.required("medcom:CareProviderName")
        number = self.required("medcom:CareProviderID")
        name_format = known(NameFormat, self.formats["medcom:CareProviderID"])
        if name_format is None:
            raise ProtocolError("the ID card's care provider has a number of a kind that is not known")
        try:
            return CareProvider(number, name, name_format)
        except InvalidContent as error:
            raise ProtocolError("the ID card's care provider cannot be read") from error


def fields_of(card: Part, window: tuple[datetime, datetime] | None = None) -> dict[str, Any]:
    """The fields of a `WrittenCard` but for `xml`; raises `ProtocolError` when the element is no ID card.

    `window` are begin and end, where they are known.
    """
    (assertion,) = card.rows()
    if assertion.attributes.get("Version") != "2.0":
        raise ProtocolError("an ID card is a SAML assertion of version 2.0")
    values = _Values(card)
    name = _one(card, _SUBJECT, _NAME_ID)
    valid_from, expires = window or _window(_one(card, _CONDITIONS).attributes)
    return {
        "id": values.required("sosi:IDCardID"),
        "version": DgwsVersion(values.one_of("sosi:IDCardVersion", ("1.0", "1.0.1"))),
        "type": CardType(values.one_of("sosi:IDCardType", ("user", "system"))),
        "level": _LEVELS[values.one_of("sosi:AuthenticationLevel", _LEVELS)],
        "issuer": _text(_one(card, _ISSUER)),
        "issued": times.read(assertion.attributes.get("IssueInstant", ""), "the card's IssueInstant"),
        "valid_from": valid_from,
        "expires": expires,
        "it_system": values.required("medcom:ITSystemName"),
        "care_provider": values.care_provider(),
        "name_id": _text(name),
        "name_id_format": name.attributes.get("Format", ""),
        "certificate_hash": values.optional("sosi:OCESCertHash"),
        **{field: values.optional(attribute) for field, attribute in _USER.items()},
    }


def zones_are_named(card: Part) -> bool:
    """Whether all times of the card say in which zone they are."""
    conditions = _one(card, _CONDITIONS)
    begin, end = (conditions.attributes.get(name) for name in ("NotBefore", "NotOnOrAfter"))
    texts = (conditions.above.get("IssueInstant"), begin, end)
    return all(text is not None and (text[-1:] == "Z" or text[-6:-5] in {"+", "-"}) for text in texts)


def _window(conditions: Mapping[str, str]) -> tuple[datetime, datetime]:
    begin, end = (times.read(conditions.get(name, ""), f"the card's {name}") for name in ("NotBefore", "NotOnOrAfter"))
    return begin, end


def _one(card: Part, *names: str) -> Row:
    found = card.rows(*names)
    if len(found) != 1:
        local = names[-1].rpartition("}")[2]
        raise ProtocolError(f"an ID card has one {local}, and this one has {len(found)}")
    return found[0]


def _text(row: Row) -> str:
    if row.text is None:
        raise ProtocolError("the ID card holds elements where text belongs")
    return row.text
