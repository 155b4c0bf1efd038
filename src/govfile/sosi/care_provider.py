"""On whose behalf a card is used, and how such organisations and persons are numbered."""

from __future__ import annotations

import enum
import re

import attrs

from govfile.errors import InvalidContent
from govfile.sosi._text import check_text

_CVR = re.compile(r"[0-9]{8}")


class NameFormat(enum.Enum):
    """What kind of identifier a name is (Den Gode Webservice 1.0); the value is the word on the wire."""

    CPR = "medcom:cprnumber"
    YNUMBER = "medcom:ynumber"
    PNUMBER = "medcom:pnumber"
    SKS = "medcom:skscode"
    CVR = "medcom:cvrnumber"
    COMMUNAL = "medcom:communalnumber"
    LOCATION = "medcom:locationnumber"
    IT_SYSTEM = "medcom:itsystemname"
    OTHER = "medcom:other"


#: The kinds by which a care provider may be named.
CARE_PROVIDER_FORMATS = frozenset({NameFormat.CVR, NameFormat.YNUMBER, NameFormat.PNUMBER, NameFormat.SKS})


@attrs.frozen
class CareProvider:
    """An organisation that gives care: its `id`, its `name`, and the `format` of the id.

    Made by `cvr`, `ynumber`, `pnumber` or `sks`. Raises `InvalidContent` for an id or a name that is empty, too long
    or holds control characters, and for a CVR number that is not eight digits.
    """

    id: str
    name: str
    format: NameFormat

    def __attrs_post_init__(self) -> None:
        if self.format not in CARE_PROVIDER_FORMATS:
            raise InvalidContent(
                f"a care provider cannot be named by {self.format.value}",
                advice="use its CVR number, provider number (ydernummer), P number or SKS code",
            )
        check_text("the care provider's id", self.id)
        check_text("the care provider's name", self.name)
        if self.format is NameFormat.CVR and not _CVR.fullmatch(self.id):
            raise InvalidContent("the care provider's CVR number does not have eight digits")

    @classmethod
    def cvr(cls, number: str, name: str) -> CareProvider:
        """A company or public body by its CVR number (eight digits). It must be the certificate's."""
        return cls(number, name, NameFormat.CVR)

    @classmethod
    def ynumber(cls, number: str, name: str) -> CareProvider:
        """A practice by its provider number (ydernummer)."""
        return cls(number, name, NameFormat.YNUMBER)

    @classmethod
    def pnumber(cls, number: str, name: str) -> CareProvider:
        """A place of work by its production unit number."""
        return cls(number, name, NameFormat.PNUMBER)

    @classmethod
    def sks(cls, code: str, name: str) -> CareProvider:
        """A hospital or department by its code in the health service's classification (SKS)."""
        return cls(code, name, NameFormat.SKS)
