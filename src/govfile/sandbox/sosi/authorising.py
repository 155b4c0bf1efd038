"""The authorisation register's say on a user card."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from govfile.sandbox.sosi import cards, refusals

if TYPE_CHECKING:
    from govfile.sandbox.sosi.judging import Office

_EDUCATION = re.compile(r"[0-9]{4}")


def enriched(user: dict[str, str], office: Office) -> dict[str, str]:
    """The user with code and role from the register; raises `Refused` when none fits, or several do.

    An entry fits when its code is the one given, or none is given, and its education is the four digits given as the
    role, or the role is something else. A role that is no four digits stays: other text, or a national role.
    """
    role, code = user.get(cards.ROLE, ""), user.get(cards.CODE, "")
    if not office.settings.knows_authorisations:
        return user
    is_education = bool(_EDUCATION.fullmatch(role))
    known = office.registers.authorisations(user[cards.CPR])
    fitting = [each for each in known if code in ("", each.code) and (not is_education or role == each.education)]
    listed = ", ".join(f"{each.code}:{each.education}" for each in known)
    if len(fitting) > 1:
        raise refusals.authorisation(f"multiple authorizations found ([{listed}])")
    if fitting:
        found = fitting[0]
        return {**user, cards.CODE: found.code, cards.ROLE: role or found.education}
    if code or is_education:
        words = f"authorization not found (available [{listed}])" if known else "missing authorization"
        raise refusals.authorisation(words)
    return user
