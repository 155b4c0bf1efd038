"""The HSUID header: who uses a service that holds citizens' data, beside what the ID card says.

Sources: the header's schema of 2016 and messages published by those who send it. It is not signed; a service believes
it as far as it believes the system that the card names.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

import attrs

from govfile.errors import InvalidContent, ProtocolError
from govfile.sosi._text import check_text
from govfile.sosi._words import known
from govfile.sosi.constants import HSUID
from govfile.sosi.times import read, write
from govfile.xml.canonical import escape_attribute, escape_text

if TYPE_CHECKING:
    from datetime import datetime

    from govfile.xml.parse import Element


class UserType(enum.Enum):
    """In which role somebody uses the service; the value is the word on the wire."""

    CITIZEN = "nsi:Citizen"
    PROFESSIONAL = "nsi:HealthcareProfessional"


#: Field → attribute on the wire, in the order in which they are written.
_NAMES = {
    "user_type": "nsi:UserType",
    "acting_user_cpr": "nsi:ActingUserCivilRegistrationNumber",
    "citizen_cpr": "nsi:CitizenCivilRegistrationNumber",
    "citizen_relation": "nsi:CitizenUserRelation",
    "organisation": "nsi:OrgUsingID",
    "responsible_cpr": "nsi:ResponsibleUserCivilRegistrationNumber",
    "responsible_authorisation_code": "nsi:ResponsibleUserAuthorizationCode",
    "consent_override": "nsi:ConsentOverride",
    "vendor": "nsi:SystemOwnerName",
    "system": "nsi:SystemName",
    "system_version": "nsi:SystemVersion",
    "operations_organisation": "nsi:OrgResponsibleName",
}
_FIELDS = {name: field for field, name in _NAMES.items()}


@attrs.frozen(kw_only=True)
class HsuidHeader:
    """What goes into `hsuid:HsuidHeader`.

    `issuer` is the system that writes it; `acting_user_cpr` who sits at it, `citizen_cpr` whose data it is about,
    `responsible_cpr` and `responsible_authorisation_code` the professional on whose behalf the user acts. The
    `organisation` uses the system, and `organisation_format` says by which register it is numbered (`nsi:sor`, …).
    `vendor` and `system` (with `system_version`) name the system, `operations_organisation` who runs it.
    `consent_override` looks past a missing consent. What a service demands of these is its own affair.

    Personal fields are kept out of the repr. Raises `InvalidContent` for what XML cannot hold.
    """

    issuer: str
    user_type: UserType
    vendor: str
    system: str
    system_version: str
    operations_organisation: str
    organisation: str | None = None
    organisation_format: str = "nsi:sor"
    acting_user_cpr: str | None = attrs.field(default=None, repr=False)
    citizen_cpr: str | None = attrs.field(default=None, repr=False)
    citizen_relation: str | None = attrs.field(default=None, repr=False)
    responsible_cpr: str | None = attrs.field(default=None, repr=False)
    responsible_authorisation_code: str | None = attrs.field(default=None, repr=False)
    consent_override: bool | None = None

    def __attrs_post_init__(self) -> None:
        check_text("the HSUID header's issuer", self.issuer)
        check_text("the HSUID header's organisation format", self.organisation_format)
        for field, name in _NAMES.items():
            value = getattr(self, field)
            if isinstance(value, str):
                check_text(f"{name} in the HSUID header", value)

    def written(self, at: datetime) -> str:
        """The element as text, issued at `at` (aware), declaring its own namespace."""
        return (
            f'<hsuid:HsuidHeader xmlns:hsuid="{HSUID}"><hsuid:Assertion IssueInstant="{write(at)}" Version="2.0" '
            f'id="HSUID"><hsuid:Issuer>{escape_text(self.issuer)}</hsuid:Issuer>'
            f'<hsuid:AttributeStatement id="HSUIDdata">{"".join(map(self._attribute, _NAMES))}'
            "</hsuid:AttributeStatement></hsuid:Assertion></hsuid:HsuidHeader>"
        )

    def _attribute(self, field: str) -> str:
        value = getattr(self, field)
        if value is None:
            return ""
        text = str(value).lower() if isinstance(value, bool) else value.value if isinstance(value, UserType) else value
        form = f' NameFormat="{escape_attribute(self.organisation_format)}"' if field == "organisation" else ""
        return (
            f'<hsuid:Attribute Name="{_NAMES[field]}"{form}><hsuid:AttributeValue>{escape_text(text)}'
            "</hsuid:AttributeValue></hsuid:Attribute>"
        )

    @classmethod
    def of(cls, element: Element) -> tuple[HsuidHeader, datetime]:
        """The header as a message has it, and when it was issued (UTC). Attributes it does not know are left out.

        Raises `ProtocolError` when what every header has is missing, or an attribute stands twice.
        """
        statements = [
            (assertion, statement)
            for assertion in element.children
            for statement in assertion.children
            if (assertion.name, statement.name) == ("Assertion", "AttributeStatement")
        ]
        if len(statements) != 1:
            raise ProtocolError("the HSUID header does not hold one statement")
        ((assertion, statement),) = statements
        issuer = next((child.text.strip() for child in assertion.children if child.name == "Issuer"), "")
        values, form = _attributes(statement)
        missing = [name for name in _ALWAYS if not values.get(name)]
        if missing or not issuer:
            raise ProtocolError(f"the HSUID header is without {', '.join(missing) or 'its issuer'}")
        override = values.pop("consent_override", None)
        if override not in {None, "true", "false", "1", "0"}:
            raise ProtocolError("the HSUID header says neither true nor false to overriding consent")
        user_type = known(UserType, values.pop("user_type"))
        if user_type is None:
            raise ProtocolError("the HSUID header has a type of user that does not exist")
        try:
            header = cls(
                issuer=issuer,
                user_type=user_type,
                consent_override=None if override is None else override in {"true", "1"},
                organisation_format=form or "nsi:sor",
                **{field: value for field, value in values.items() if value},
            )
        except InvalidContent as error:
            raise ProtocolError("the HSUID header holds a value that cannot be one") from error
        return header, read(assertion.attributes.get("IssueInstant", ""), "the HSUID header's IssueInstant")


_ALWAYS = ("user_type", "vendor", "system", "system_version", "operations_organisation")


def _attributes(statement: Element) -> tuple[dict[str, str], str]:
    """Field → text of those that are known, and the format of the organisation's number."""
    values: dict[str, str] = {}
    form = ""
    for attribute in statement.children:
        field = _FIELDS.get(attribute.attributes.get("Name", ""))
        if field is None:
            continue
        if field in values:
            raise ProtocolError(f"the HSUID header has {_NAMES[field]} twice")
        values[field] = "".join(child.text for child in attribute.children).strip()
        if field == "organisation":
            form = attribute.attributes.get("NameFormat", "").strip()
    return values, form
