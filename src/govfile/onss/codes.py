"""The codes an acknowledgement or a notification carries: what each means, and what to do.

An open set: unknown codes are kept as they came. An acknowledgement says `ACRF-` and three digits; a notification five
digits for the place and the same three. Sources: annex 30 of the glossary (2022/1), annex 25 for the details of
signatures, the glossary of the notification (2023/3). Meanings are told in our own words, the advice is ours.
"""

from __future__ import annotations

import enum
import re
from types import MappingProxyType
from typing import TYPE_CHECKING

import attrs

from govfile.onss.code_table import ANOMALIES, ROWS, SIGNATURE_DETAILS

if TYPE_CHECKING:
    from collections.abc import Mapping


class Group(enum.Enum):
    """What kind of fault a code stands for."""

    NAME = "name"
    SENDER = "sender"
    DIRECTORY = "directory"
    SET = "set"
    DUPLICATE = "duplicate"
    SIGNATURE = "signature"
    RIGHTS = "rights"
    XML = "xml"
    VOLUME = "volume"
    COMPRESSION = "compression"
    CANCELLED = "cancelled"
    OTHER_TRANSPORT = "other transport"
    CONTENT = "content"
    UNKNOWN = "unknown"


#: Where the declaration itself is at no fault: it may follow unchanged, under a new name, once the advice was followed.
_SAME_CONTENT = frozenset(
    {Group.NAME, Group.SENDER, Group.DIRECTORY, Group.SET, Group.SIGNATURE, Group.RIGHTS, Group.CANCELLED}
)


@attrs.frozen(kw_only=True)
class ErrorCode:
    """A code as it came (`code`), its three digits (`number`, "" where it has another form), `place` (the five digits
    of a block or field, "" in acknowledgements), `group`, `meaning`, and our `advice`.

    `is_known` False: we have never heard of it. `same_content_may_follow`: the unchanged declaration may be sent
    under a new name once the advice was followed. No code is ever a reason to send again by itself.
    """

    code: str
    number: str = ""
    place: str = ""
    group: Group
    meaning: str
    advice: str
    is_known: bool = True

    @property
    def same_content_may_follow(self) -> bool:
        """See above."""
        return self.is_known and self.group in _SAME_CONTENT


_FORM = re.compile(r"(?:ACRF|(?P<place>[0-9]{5}))-(?P<number>[0-9]{3})")


def explain(code: str) -> ErrorCode:
    """What is known of `ACRF-125`, `00011-155` or `125`; an unknown one comes back verbatim, `is_known` False."""
    text = code.strip()
    form = _FORM.fullmatch(text.upper())
    number = form["number"] if form else text if re.fullmatch("[0-9]{3}", text) else ""
    place = (form["place"] or "") if form else ""
    row = ROWS.get(number)
    if place and text in ANOMALIES:
        row = ANOMALIES[text]
    if row is None:
        return ErrorCode(
            code=code,
            number=number,
            place=place,
            group=Group.UNKNOWN,
            meaning="a code this version does not know",
            advice="look it up in annex 30 of the glossary, under the three digits at its end",
            is_known=False,
        )
    group, meaning, advice = row
    return ErrorCode(code=code, number=number, place=place, group=Group(group), meaning=meaning, advice=advice)


#: Every code an acknowledgement may carry that a public text names and that is told here, by its three digits.
CODES: Mapping[str, ErrorCode] = MappingProxyType({number: explain(f"ACRF-{number}") for number in ROWS})

#: What old systems said of a signature that ACRF-125 refuses, by the number of annex 25; none of them is in use today.
SIGNATURE_CODES: Mapping[int, str] = MappingProxyType(SIGNATURE_DETAILS)
