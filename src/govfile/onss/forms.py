"""The parts that acknowledgements and notifications share.

Source: the published schemas ACRF_20231 and NOTIFICATION_20223.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from govfile.onss.brussels import from_form
from govfile.onss.names import BatchName
from govfile.onss.reading import leaf

if TYPE_CHECKING:
    from datetime import datetime

#: Who gave a reference: the declarant or social security. Others: 3 a sector, 5 the Crossroads Bank.
OWN, TICKET = "1", "2"


@attrs.frozen(kw_only=True)
class FormStamp:
    """What a form says of itself. Together with its identification, a creation hour to the millisecond tells the forms
    of a sender apart, where the sender makes it unique.
    """

    identification: str = leaf("Identification")
    creation_date: str = leaf("FormCreationDate")
    creation_hour: str = leaf("FormCreationHour")
    attestation_status: str = leaf("AttestationStatus")
    type_form: str = leaf("TypeForm")

    @property
    def created(self) -> datetime | None:
        """When the form was made (aware UTC), its date and hour taken as Belgian time; None where they are no time."""
        return from_form(self.creation_date, self.creation_hour)

    @property
    def key(self) -> tuple[str, str, str] | None:
        """Identification, date and hour (to the millisecond), None where one of them is missing."""
        if not (self.identification and self.creation_date and self.creation_hour):
            return None
        whole, _, fraction = self.creation_hour.partition(".")
        return self.identification, self.creation_date, f"{whole}.{fraction[:3]:0<3}"

    @property
    def is_provisional(self) -> bool:
        """Whether this is a provisional answer (PA), after which the final one (FA) comes."""
        return self.type_form.upper() == "PA"


@attrs.frozen(kw_only=True)
class FileReference:
    """The file that is answered: its name, usually that of the GO, and the ticket social security gave it."""

    file_name: str = leaf("FileName")
    origin: str = leaf("ReferenceOrigin")
    number: str = leaf("ReferenceNbr")

    @property
    def name(self) -> BatchName | None:
        """The name taken apart, None where it is not that of a batch file."""
        return BatchName.recognise(self.file_name)

    @property
    def ticket(self) -> str:
        """The file's ticket, "" where there is none."""
        return self.number if self.origin == TICKET else ""


@attrs.frozen(kw_only=True)
class Reference:
    """A reference to a form: its kind, who gave it, and the reference itself (up to 64 characters)."""

    kind: str = leaf("ReferenceType")
    origin: str = leaf("ReferenceOrigin")
    number: str = leaf("ReferenceNbr")
