"""What a notification finds wrong with a form, and what the form changed at the authority's side.

Sources: the schema NOTIFICATION_20223 and the glossary of the notification (2023/3); the class NB is seen in practice
only.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import attrs

from govfile.onss.codes import ErrorCode, explain
from govfile.onss.reading import all_leaves, block, blocks, details, everything_else, leaf

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What the class of an anomaly says.
ANOMALY_CLASSES: Mapping[str, str] = MappingProxyType(
    {
        "B": "blocking: the declaration is refused",
        "P": "counts towards the percentage of anomalies that refuses a declaration",
        "NP": "does not count towards that percentage",
        "D": "from the check of rights to deductions",
        "W": "a warning",
        "I": "under investigation",
        "NB": "not blocking",
    }
)


@attrs.frozen(kw_only=True)
class DataValue:
    """A field that the authority changed, and its new value."""

    field_name: str = leaf("FieldName")
    new_value: str = leaf("NewValue", is_personal=True)


@attrs.frozen(kw_only=True)
class BlockAction:
    """A block that the authority changed: what it did (a digit of the glossary), to which block, and the new values.
    `keys` holds (name, text) of what says which block of that kind is meant.
    """

    action: str = leaf("Action")
    block_name: str = leaf("BlockName")
    values: tuple[DataValue, ...] = blocks("DataValue", DataValue)
    keys: tuple[tuple[str, str], ...] = everything_else()


@attrs.frozen(kw_only=True)
class SystemCorrection:
    """A correction by the authority: `RC` reliable, `UC` unreliable."""

    kind: str = leaf("CorrectionType")
    actions: tuple[BlockAction, ...] = blocks("BlockAction", BlockAction)

    @property
    def is_reliable(self) -> bool | None:
        """None where the kind is not one of the two."""
        return {"RC": True, "UC": False}.get(self.kind)


@attrs.frozen(kw_only=True)
class AnomalyLocation:
    """Where in the file: line and column, or the numbers of the nested blocks (`1,1,7,2`)."""

    line: str = leaf("LineNbr")
    column: str = leaf("ColumnNbr")
    location: str = leaf("Location")


@attrs.frozen(kw_only=True)
class DimonaSpan:
    """A period of employment: dates, hours, and what was planned."""

    starting_date: str = leaf("StartingDate")
    starting_hour: str = leaf("StartingHour")
    ending_date: str = leaf("EndingDate")
    ending_hour: str = leaf("EndingHour")
    service_type: str = leaf("ServiceType")
    planned_hours: str = leaf("PlannedHoursNbr")
    planned_days: str = leaf("PlannedDaysNbr")


@attrs.frozen(kw_only=True)
class DimonaPeriod(DimonaSpan):
    """A Dimona period that exists. `features`, `control_cards` and `student` are (path, text) of what is in them."""

    period_id: str = leaf("DimonaPeriodId")
    is_locked: str = leaf("IsLocked")
    is_cancelled: str = leaf("IsCancelled")
    is_late: str = leaf("IsLate")
    last_update_date: str = leaf("LastUpdateDate")
    last_update_hour: str = leaf("LastUpdateHour")
    error_ids: tuple[str, ...] = all_leaves("ErrorID")
    anomaly_class: str = leaf("AnomalyClass")
    features: tuple[tuple[str, str], ...] = details("DimonaFeatures")
    control_cards: tuple[tuple[str, str], ...] = details("ConstructionControlCards")
    student: tuple[tuple[str, str], ...] = details("StudentPlaceOfWork")


@attrs.frozen(kw_only=True)
class QuotaFeatures:
    """How far a quota is exceeded."""

    quota_type: str = leaf("QuotaType")
    exceeding_hours: str = leaf("ExceedingHoursNbr")
    exceeding_days: str = leaf("ExceedingDaysNbr")


@attrs.frozen(kw_only=True)
class ComplementaryInformation:
    """What the authority knows beside the anomaly. `confrontation` and `daily_registration` are (path, text)."""

    confrontation: tuple[tuple[str, str], ...] = details("DmfADimonaConfrontation")
    dimona_periods: tuple[DimonaPeriod, ...] = blocks("DimonaPeriod", DimonaPeriod)
    quotas: tuple[QuotaFeatures, ...] = blocks("QuotaFeatures", QuotaFeatures)
    daily_registration: tuple[tuple[str, str], ...] = details("DailyRegistration")


@attrs.frozen(kw_only=True)
class AnomalyReport:
    """One anomaly: `error_id` (five digits for the place, a hyphen, three digits of annex 30), the tag and its value,
    the class, the authority's own words (`label`), and where it is. `path` holds (name, text) of the keys that lead to
    the block that is meant.
    """

    error_id: str = leaf("ErrorID")
    tag: str = leaf("TagName")
    value: str = leaf("Value", is_personal=True)
    anomaly_class: str = leaf("AnomalyClass")
    label: str = leaf("AnomalyLabel", is_personal=True)
    correction: SystemCorrection | None = block("SystemCorrection", SystemCorrection)
    location: AnomalyLocation | None = block("AnomalyLocation", AnomalyLocation)
    path: tuple[tuple[str, str], ...] = details("Path")
    information: ComplementaryInformation | None = block("AnomalyComplInformation", ComplementaryInformation)

    @property
    def explained(self) -> ErrorCode:
        """What is known of the error id."""
        return explain(self.error_id)

    @property
    def is_blocking(self) -> bool:
        """Whether it alone refuses the declaration."""
        return self.anomaly_class == "B"

    def in_words(self) -> str:
        """What it says, for a record: our words, no data of persons."""
        kind = ANOMALY_CLASSES.get(self.anomaly_class, f"class {self.anomaly_class[:2]!a}")
        tag = f" at {self.tag}" if self.tag.isalnum() else ""
        return f"{self.error_id}{tag}: {self.explained.meaning} ({kind})"


@attrs.frozen(kw_only=True)
class DimonaImpact:
    """What a Dimona declaration did: the period it made or changed, as it was and as it is. The blocks that are not
    taken apart are (path, text) of what is in them.
    """

    period_id: str = leaf("DimonaPeriodId")
    is_locked: str = leaf("IsLocked")
    before: DimonaSpan | None = block("DimonaPeriodBefore", DimonaSpan)
    after: DimonaSpan | None = block("DimonaPeriodAfter", DimonaSpan)
    features: tuple[tuple[str, str], ...] = details("DimonaFeatures")
    control_cards: tuple[tuple[str, str], ...] = details("ConstructionControlCards")
    student: tuple[tuple[str, str], ...] = details("StudentPlaceOfWork")
    small_statutes: tuple[tuple[str, str], ...] = details("SmallStatutesInformation")


@attrs.frozen(kw_only=True)
class WorksImpact:
    """What a declaration of works did."""

    block_name: str = leaf("BlockName")
    works_id: str = leaf("AVWDDTId")
    contract_id: str = leaf("WorksContractId")
    company: str = leaf("CompanyID")
    vat: str = leaf("VATNbr")
    foreign_company: str = leaf("ForeignCompanyID")
    denomination: str = leaf("Denomination")
    address: tuple[tuple[str, str], ...] = details("Address")


@attrs.frozen(kw_only=True)
class CapeloImpact:
    """What career data did."""

    code: str = leaf("ResultCode")
    diagnosis: str = leaf("Diagnosis")


@attrs.frozen(kw_only=True)
class ImpactReport:
    """What the form changed. `daily_registration` is (path, text) of what is in it."""

    dimona: DimonaImpact | None = block("DimonaImpactReport", DimonaImpact)
    works: tuple[WorksImpact, ...] = blocks("AVWDDTImpactReport", WorksImpact)
    daily_registration: tuple[tuple[str, str], ...] = details("DailyRegistrationDclImpactReport")
    capelo: CapeloImpact | None = block("CapeloImpactReport", CapeloImpact)
