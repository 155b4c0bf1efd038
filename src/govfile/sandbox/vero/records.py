"""The Incomes Register's messages: what each must hold, and how answers are written.

Names and order are those of the published schemas (package of 2022), down to the reports; what is in a report beyond
its ids is not looked at. Error codes are the sandbox's own.
"""

from __future__ import annotations

import uuid
from datetime import UTC
from typing import TYPE_CHECKING

import attrs

from govfile.sandbox.vero import shape, xml
from govfile.sandbox.vero.shape import Leaf, Node, Part, many, optional

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from lxml import etree

NAMESPACE = "http://www.tulorekisteri.fi/2017/1/"
ECHO, ONE, MANY, STATUS = "SendEcho", "SendWageReport", "SendWageReports", "GetDeliveryDataStatus"

_WAGE_REPORTS = "100"
_ID = Node(
    (
        Part("Type", shape.INT),
        Part("Code", shape.text(30)),
        optional("CountryCode", Leaf(".{2}")),
        optional("CountryName", shape.text(70)),
    )
)
_WHO = (Part("DeliveryDataOwner", _ID), Part("DeliveryDataCreator", _ID), Part("DeliveryDataSender", _ID))
_SIGNATURE = f"{{{xml.DS}}}Signature"
_SIGNED = Part(_SIGNATURE)
_PERIOD = Node((Part("PaymentDate", shape.DATE), Part("StartDate", shape.DATE), Part("EndDate", shape.DATE)))
_REPORT_DATA = Node(
    (
        Part("ActionCode", shape.INT),
        optional("IRReportId", shape.GUID),
        optional("ReportId", shape.text(40)),
        optional("ReportVersion", shape.INT),
    )
)
_REPORT = Node(
    (
        Part("ReportData", _REPORT_DATA),
        Part("IncomeEarner"),
        *map(
            optional,
            (
                "Transactions",
                "ForeignLeasedWork",
                "StayPeriodsInFinland",
                "WorkPeriodsInFinland",
                "WorkCountries",
                "Absence",
            ),
        ),
    )
)
_DELIVERY = Node(
    (
        Part("Timestamp", shape.TIME),
        Part("Source", shape.text(30)),
        Part("DeliveryDataType", Leaf(_WAGE_REPORTS)),
        Part("DeliveryId", shape.text(40)),
        Part("FaultyControl", Leaf("[12]")),
        Part("ProductionEnvironment", shape.BOOL),
        *_WHO,
        Part("PaymentPeriod", _PERIOD),
        Part("ContactPersons", Node((many("ContactPerson"),))),
        Part("Payer"),
        Part("Reports", Node((many("Report", _REPORT),))),
    )
)
_SHAPES = {
    ECHO: ("Echo", "Echo", Node((Part("Data", shape.text(10)), _SIGNED))),
    ONE: ("WageReportsToIR", "WageReportRequestToIR", Node((Part("DeliveryData", _DELIVERY), _SIGNED))),
    MANY: ("WageReportsToIR", "WageReportsRequestToIR", Node((Part("DeliveryData", _DELIVERY), _SIGNED))),
    STATUS: (
        "StatusRequestToIR",
        "StatusRequestToIR",
        Node(
            (
                Part("Timestamp", shape.TIME),
                Part("DeliveryDataType", shape.INT),
                optional("DeliveryId", shape.text(40)),
                optional("IRDeliveryId", shape.GUID),
                Part("ProductionEnvironment", shape.BOOL),
                *_WHO,
                _SIGNED,
            )
        ),
    ),
}


@attrs.frozen(kw_only=True)
class Rejection:
    """Why a record is rejected as a whole."""

    code: str
    words: str


@attrs.frozen(kw_only=True)
class Delivery:
    """What the head of a record says. `reports` has the `ReportId` of each, empty where it has none."""

    kind: str
    delivery_id: str
    owner: str
    creator: str
    sender: str
    faulty_control: str
    is_production: bool
    reports: tuple[str, ...]
    head: str = attrs.field(repr=False)

    @property
    def key(self) -> tuple[str, str, str]:
        """What is unique: owner, record type, id."""
        return self.owner, self.kind, self.delivery_id


@attrs.frozen(kw_only=True)
class StatusAsked:
    """Which record's status somebody wants to know."""

    key: tuple[str, str, str]
    ir_id: str
    sender: str


def check(operation: str, element: etree._Element) -> None:
    """Judge a message against the contract. Raises `xml.Invalid`."""
    schema, name, node = _SHAPES[operation]
    if element.tag != f"{{{NAMESPACE}{schema}}}{name}":
        raise xml.Invalid(f"{operation} takes {name} of {NAMESPACE}{schema}, not {element.tag}")
    shape.check(element, node)


def read(element: etree._Element) -> Delivery:
    """The head of a record that passed `check`."""
    data = xml.elements(element)[0]
    reports = data.findall("Reports/Report/ReportData")
    return Delivery(
        kind=_value(data, "DeliveryDataType"),
        delivery_id=_value(data, "DeliveryId"),
        owner=_value(data, "DeliveryDataOwner/Code"),
        creator=_value(data, "DeliveryDataCreator/Code"),
        sender=_value(data, "DeliveryDataSender/Code"),
        faulty_control=_value(data, "FaultyControl"),
        is_production=_value(data, "ProductionEnvironment") == "true",
        reports=tuple(_value(report, "ReportId") for report in reports),
        head=_head(data),
    )


def read_status(element: etree._Element) -> StatusAsked:
    """The question of a status request that passed `check`."""
    owner = _value(element, "DeliveryDataOwner/Code")
    return StatusAsked(
        key=(owner, _value(element, "DeliveryDataType"), _value(element, "DeliveryId")),
        ir_id=_value(element, "IRDeliveryId"),
        sender=_value(element, "DeliveryDataSender/Code"),
    )


def _value(parent: etree._Element, path: str) -> str:
    found = parent.find(path)
    return xml.text(found).strip() if found is not None else ""


def _head(data: etree._Element) -> str:
    """The part of the record that answers repeat."""
    names = ("Timestamp", "Source", "DeliveryDataType", "DeliveryId", "FaultyControl", "ProductionEnvironment")
    simple = [xml.leaf(name, _value(data, name)) for name in names]
    people = []
    for part in _WHO:
        found = data.find(part.name)
        assert found is not None
        people.append(xml.element(part.name, *(xml.leaf(xml.local(e), xml.text(e)) for e in xml.elements(found))))
    return "".join([*simple, *people])


# --- answers


def echo(element: etree._Element) -> str:
    """The same data again."""
    return echo_of(_value(element, "Data"))


def echo_of(data: str) -> str:
    """An echo's answer."""
    return _document("Echo", xml.leaf("Data", data))


def acknowledgement(
    delivery: Delivery, status: int, now: datetime, *, ir_id: str | None, why: Rejection | None = None
) -> str:
    """`AckFromIR`: the record was received, or rejected at once."""
    data = xml.element("AckData", *_told(status, now, ir_id), *_errors(why))
    return _document("AckFromIR", xml.element("DeliveryData", delivery.head), data)


def status(
    delivery: Delivery | None,
    status: int,
    now: datetime,
    *,
    ir_id: str | None = None,
    faulty: Sequence[str] = (),
    why: Rejection | None = None,
) -> str:
    """`StatusResponseFromIR`."""
    head = [xml.element("DeliveryData", delivery.head)] if delivery is not None else []
    items = [xml.element("InvalidItems", *map(_item, faulty))] if faulty and status not in (0, 2) else []
    return _document(
        "StatusResponseFromIR",
        *head,
        xml.element("StatusResponse", *_told(status, now, ir_id), *items, *_errors(why)),
    )


def _told(status: int, now: datetime, ir_id: str | None) -> list[str]:
    return [
        xml.leaf("IRResponseId", uuid.uuid4().hex),
        xml.leaf("IRResponseTimestamp", now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")),
        xml.leaf("DeliveryDataStatus", str(status)),
        *([xml.leaf("IRDeliveryId", ir_id)] if ir_id else []),
    ]


def _errors(why: Rejection | None) -> list[str]:
    return [xml.element("DeliveryErrors", _error(why))] if why is not None else []


def _item(report: str) -> str:
    wrong = _error(Rejection(code="SANDBOX-REPORT", words="the report was asked to be faulty"))
    return xml.element("Item", xml.leaf("ItemId", report), xml.element("ItemErrors", wrong))


def _error(why: Rejection) -> str:
    return xml.element("ErrorInfo", xml.leaf("ErrorCode", why.code), xml.leaf("ErrorMessage", why.words))


def _document(name: str, *content: str) -> str:
    return f'<ir:{name} xmlns:ir="{NAMESPACE}{name}" xmlns:ds="{xml.DS}">{"".join(content)}</ir:{name}>'
