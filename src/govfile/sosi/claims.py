"""What a request claims beside its tokens: whose it is, in whose place, by which system, in which role.

Source: the STS's user guide on citizen and employee exchanges.
"""

from __future__ import annotations

import enum
import re

import attrs

from govfile.errors import InvalidContent
from govfile.sosi._text import check_text

_CPR = re.compile(r"([0-9]{6})-?([0-9]{4})")

CPR_CLAIM = "dk:gov:saml:attribute:CprNumberIdentifier"
#: Where tokens name a person: OIOSAML 2 and 3.
CPR_ATTRIBUTES = (CPR_CLAIM, "https://data.gov.dk/model/core/eid/cprNumber")
ON_BEHALF_OF_CLAIM = "dk:healthcare:saml:attribute:OnBehalfOf"
#: What a token holds when it was asked for in another person's place.
PROCURATION_ATTRIBUTE = "dk:gov:saml:attribute:Privileges_intermediate"
CUSTODY_ATTRIBUTE = "urn:dk:healthcare:saml:attribute:SubjectRelations"
#: A role that says that there is none.
NO_ROLE = "urn:dk:healthcare:no-role"


class Custody(enum.Enum):
    """By which right a person acts for a child or a ward; the value is the word on the wire."""

    PARENTAL = "ParentalCustody"
    WARD = "WardCustody"
    PARTLY_WARD = "PartlyWardCustody"


@attrs.frozen
class OnBehalfOf:
    """In whose place a citizen acts; made by `procuration` or `custody`. Its repr does not say whose.

    `claim` is the value on the wire, `attribute` the name of what the token must then hold; give both yourself for a
    value that this version does not know.
    """

    claim: str = attrs.field(repr=False)
    attribute: str

    @classmethod
    def procuration(cls, cpr: str) -> OnBehalfOf:
        """For the person with that CPR number, who gave a power of attorney."""
        who = cpr_number(cpr)
        return cls(f"urn:dk:healthcare:saml:actThroughProcurationBy:cprNumberIdentifier:{who}", PROCURATION_ATTRIBUTE)

    @classmethod
    def custody(cls, kind: Custody, cpr: str) -> OnBehalfOf:
        """For the child or ward with that CPR number.

        The guide shows the beginning of these values alone; that they end as a procuration's do is inferred.
        """
        who = cpr_number(cpr)
        return cls(f"urn:dk:healthcare:saml:actThrough:{kind.value}:cprNumberIdentifier:{who}", CUSTODY_ATTRIBUTE)


def cpr_number(text: str) -> str:
    """A CPR number as on the wire, ten digits; a hyphen may be given. Raises `InvalidContent` without showing it."""
    match = _CPR.fullmatch(text)
    if match is None:
        raise InvalidContent("the CPR number does not have ten digits")
    return match[1] + match[2]


def citizen_claims(cpr: str | None, on_behalf_of: OnBehalfOf | None) -> list[tuple[str, str]]:
    """The claims of a citizen's exchange."""
    claims = [] if cpr is None else [(CPR_CLAIM, cpr_number(cpr))]
    return claims if on_behalf_of is None else [*claims, (ON_BEHALF_OF_CLAIM, on_behalf_of.claim)]


def employee_claims(
    *, it_system: str, name_id: str | None, authorisation_code: str | None, role: str | None
) -> list[tuple[str, str]]:
    """The claims of an employee's exchange. Raises `InvalidContent` for what the STS is known to refuse."""
    if authorisation_code is not None and role is not None:
        raise InvalidContent(
            "a card from a bootstrap token takes an authorisation code or a role, not both", advice="leave one out"
        )
    claims = [("medcom:ITSystemName", "the system's name", it_system)]
    claims += [
        (uri, what, value)
        for uri, what, value in (
            ("sosi:SubjectNameID", "the alternative identifier", name_id),
            ("medcom:UserAuthorizationCode", "the authorisation code", authorisation_code),
            ("medcom:UserRole", "the role", role),
        )
        if value is not None
    ]
    for _, what, value in claims:
        check_text(what, value)
    return [(uri, value) for uri, _, value in claims]
