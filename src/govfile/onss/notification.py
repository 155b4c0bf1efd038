"""Notifications (NOTI): what an institution did with each form of a file.

Sources: the schema NOTIFICATION_20223 and the glossary of the notification (2023/3), which knows two result codes
more than the schema.
"""

from __future__ import annotations

import enum
from types import MappingProxyType
from typing import TYPE_CHECKING

import attrs

from govfile.filing.states import Verdict
from govfile.filing.status import Reading, read_xml
from govfile.onss.anomalies import AnomalyReport, ImpactReport
from govfile.onss.brussels import from_form
from govfile.onss.forms import OWN, TICKET, FileReference, FormStamp, Reference
from govfile.onss.persons import ContactPerson, EmployerId, HandledSender, NaturalPerson, WorkerRecord
from govfile.onss.reading import Unknown, all_leaves, block, blocks, decode_forms, details, leaf
from govfile.xml.parse import Limits

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

#: A notification has a form for each declaration of its file, each with the anomalies of every worker.
LIMITS = Limits(size=64 * 1024 * 1024, depth=64, elements=1_000_000)


class Result(enum.Enum):
    """What became of a form, by its result code; only 0 to 2 are in the schema, all five in the glossary."""

    REFUSED = "0"
    ACCEPTED = "1"
    TO_VALIDATE = "2"
    TEMPORARY = "3"
    TIMED_OUT = "4"


#: What a diagnosis says, by its digit; 5 to 9 belong to the validation of career data (Capelo).
DIAGNOSES: Mapping[str, str] = MappingProxyType(
    {
        "0": "the declaration is incomplete",
        "1": "too many Dimona declarations are missing",
        "2": "too many social security numbers are missing",
        "3": "refused for blocking anomalies",
        "4": "refused for too many anomalies",
        **dict.fromkeys("56789", "about the validation of career data (Capelo)"),
    }
)


@attrs.frozen(kw_only=True)
class FileReception:
    """When and over which channel (a number of the glossary) the original file came in."""

    date: str = leaf("ReceptionDate")
    hour: str = leaf("ReceptionHour")
    channel: str = leaf("Channel")

    @property
    def received(self) -> datetime | None:
        """As aware UTC, date and hour taken as Belgian time; None where they are no time."""
        return from_form(self.date, self.hour)


@attrs.frozen(kw_only=True)
class OriginalFile:
    """Who sent the original file."""

    sender: str = leaf("SenderId")
    identification: HandledSender | None = block("HandledSenderIdentification", HandledSender)


@attrs.frozen(kw_only=True)
class Quarter:
    """A quarter: the year and a digit from 1 to 4, such as 20251."""

    quarter: str = leaf("Quarter")


@attrs.frozen(kw_only=True)
class WorkerCounts:
    """How many workers the DmfA declares, and how many Dimona knows."""

    dmfa: str = leaf("DMFAWorkersNbr")
    dimona: str = leaf("DIMONAWorkersNbr")


@attrs.frozen(kw_only=True)
class HandlingResult:
    """What became of the form: `code`, `diagnoses` (digits of `DIAGNOSES`), `anomalies`, and its `impact`."""

    code: str = leaf("ResultCode")
    diagnoses: tuple[str, ...] = all_leaves("Diagnosis")
    anomalies: tuple[AnomalyReport, ...] = blocks("AnomalyReport", AnomalyReport)
    impact: ImpactReport | None = block("ImpactReport", ImpactReport)


@attrs.frozen(kw_only=True)
class NotificationForm(FormStamp):
    """One form of a notification, about one form of a file. `handled` is the ticket of that form. `cbss` and
    `application_data` are (path, text) of what is in them, `unknown` of what this version does not know.
    """

    file: FileReference | None = block("FileReference", FileReference)
    reception: FileReception | None = block("FileReceptionInformation", FileReception)
    original_file: OriginalFile | None = block("HandledOriginalFile", OriginalFile)
    original_form: FormStamp | None = block("HandledOriginalForm", FormStamp)
    references: tuple[Reference, ...] = blocks("Reference", Reference)
    employer: EmployerId | None = block("EmployerId", EmployerId)
    person: NaturalPerson | None = block("NaturalPerson", NaturalPerson, is_personal=True)
    concerned_quarter: Quarter | None = block("ConcernedQuarter", Quarter)
    handled: Reference | None = block("HandledReference", Reference)
    workers: tuple[WorkerRecord, ...] = blocks("WorkerRecordIdentification", WorkerRecord)
    cbss: tuple[tuple[str, str], ...] = details("CBSSInformation")
    worker_counts: WorkerCounts | None = block("DeclarationComplInformations", WorkerCounts)
    contact: ContactPerson | None = block("CoordinatesContactPerson", ContactPerson, is_personal=True)
    handling: HandlingResult | None = block("HandlingResult", HandlingResult)
    application_data: tuple[tuple[str, str], ...] = details("ApplicationData")
    unknown: Unknown = attrs.field(default=(), repr=False)

    @property
    def result(self) -> Result | None:
        """None where the result code is missing or not published."""
        known = {result.value: result for result in Result}
        return known.get(self.handling.code) if self.handling else None

    @property
    def anomalies(self) -> tuple[AnomalyReport, ...]:
        """Every anomaly, also those of an accepted form."""
        return self.handling.anomalies if self.handling else ()

    @property
    def verdict(self) -> Verdict:
        """What the institution thinks of this form. A provisional answer is never final, whatever its code."""
        if self.result is None:
            return Verdict.UNREAD
        if self.is_provisional or self.result in (Result.TO_VALIDATE, Result.TEMPORARY, Result.TIMED_OUT):
            return Verdict.PROVISIONAL
        if self.result is Result.REFUSED:
            return Verdict.REJECTED
        return Verdict.ACCEPTED_WITH_REMARKS if self.anomalies else Verdict.ACCEPTED

    @property
    def tickets(self) -> tuple[str, ...]:
        """The tickets of the file that the form repeats: in its file reference and among its references."""
        named = [self.file.ticket] if self.file else []
        return tuple(dict.fromkeys(ticket for ticket in [*named, *self._numbers(TICKET)] if ticket))

    @property
    def own_references(self) -> tuple[str, ...]:
        """The references the declarant gave the form."""
        return self._numbers(OWN)

    def _numbers(self, origin: str) -> tuple[str, ...]:
        return tuple(found.number for found in self.references if found.origin == origin and found.number)


@attrs.frozen(kw_only=True)
class Notification:
    """A notification, read. `problem` says in words why it cannot be used; then there are no `forms`."""

    reading: Reading
    forms: tuple[NotificationForm, ...] = ()
    unknown: Unknown = attrs.field(default=(), repr=False)
    problem: str = ""

    @property
    def verdict(self) -> Verdict:
        """That of all forms together."""
        return overall(form.verdict for form in self.forms)


def parse_notification(raw: bytes, *, limits: Limits = LIMITS) -> Notification:
    """The content of an `FO.NOTI…` file, or of an unpacked `CO.NOTI…`.

    Never raises: a file that cannot be used comes back with its `problem`.
    """
    reading = read_xml(raw, what="the notification", limits=limits)
    if reading.root is None:
        return Notification(reading=reading, problem=reading.problem)
    if reading.root.name.casefold() != "notification":
        return Notification(
            reading=reading, problem=f"its root element is {reading.root.name[:40]!a}, not NOTIFICATION"
        )
    forms, unknown = decode_forms(NotificationForm, reading.root)
    problem = "" if forms else "it holds no Form"
    return Notification(reading=reading, forms=forms, unknown=unknown, problem=problem)


def overall(verdicts: Iterable[Verdict]) -> Verdict:
    """One verdict for several forms.

    UNREAD when there are none or one cannot be read; PROVISIONAL while one is; MIXED where some are accepted and some
    refused; ACCEPTED_WITH_REMARKS where any accepted one has remarks.
    """
    found = set(verdicts)
    for decisive in (Verdict.UNREAD, Verdict.PROVISIONAL, Verdict.MIXED):
        if decisive in found:
            return decisive
    if not found:
        return Verdict.UNREAD
    if Verdict.REJECTED in found:
        return Verdict.REJECTED if len(found) == 1 else Verdict.MIXED
    return Verdict.ACCEPTED_WITH_REMARKS if Verdict.ACCEPTED_WITH_REMARKS in found else Verdict.ACCEPTED
