"""What the service makes of a user's authorisation, foretold: the rules by which it looks a card up in the register.

They hold for employees' cards, where the service has the authorisation register; not every environment has it, so a
code on a card proves nothing by itself. Source: the user documentation of the STS.
"""

from __future__ import annotations

import enum
import re
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterable

_EDUCATION_CODE = re.compile(r"[0-9]{4}")


class AuthorisationOutcome(enum.Enum):
    """What becomes of a card."""

    ENRICHED = "the one authorisation that fits is put into the card"
    NOTHING_VERIFIED = "the card claims none and none fits: it is signed without"
    NOT_FOUND = "the card claims an authorisation that the register does not have: refused"
    AMBIGUOUS = "several authorisations fit: refused; give the authorisation code"


@attrs.frozen(kw_only=True)
class Authorisation:
    """One entry of the register: the authorisation `code` and the `education_code` (four digits) of a person."""

    code: str
    education_code: str


@attrs.frozen(kw_only=True)
class AuthorisationMatch:
    """The `outcome` and the entries that fit (`found`)."""

    outcome: AuthorisationOutcome
    found: tuple[Authorisation, ...] = ()

    @property
    def is_refused(self) -> bool:
        """Whether the service will not sign the card."""
        return self.outcome in {AuthorisationOutcome.NOT_FOUND, AuthorisationOutcome.AMBIGUOUS}


def match_authorisation(
    register: Iterable[Authorisation], *, role: str | None = None, authorisation_code: str | None = None
) -> AuthorisationMatch:
    """How a card with this `role` and `authorisation_code` fares, given the person's entries in the register.

    An entry fits when the code is left out or the same, and the role is no education code (four digits) or the same.
    """
    wants_education = role is not None and _EDUCATION_CODE.fullmatch(role) is not None
    found = tuple(
        entry
        for entry in register
        if (not authorisation_code or entry.code == authorisation_code)
        and (not wants_education or entry.education_code == role)
    )
    if len(found) == 1:
        return AuthorisationMatch(outcome=AuthorisationOutcome.ENRICHED, found=found)
    if found:
        return AuthorisationMatch(outcome=AuthorisationOutcome.AMBIGUOUS, found=found)
    if authorisation_code or wants_education:
        return AuthorisationMatch(outcome=AuthorisationOutcome.NOT_FOUND)
    return AuthorisationMatch(outcome=AuthorisationOutcome.NOTHING_VERIFIED)
