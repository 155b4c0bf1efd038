"""Records to send to the register: invented companies, invented persons, real structure."""

from __future__ import annotations

import random
from xml.sax.saxutils import escape

from govfile.errors import ConfigurationError

_NAMESPACE = "http://www.tulorekisteri.fi/2017/1/WageReportsToIR"
_ROOTS = {"WageReport": "WageReportRequestToIR", "WageReports": "WageReportsRequestToIR"}
KINDS = (*_ROOTS, "Echo")


def example(kind: str, *, seed: int = 0, size: int = 3, **changes: str) -> bytes:
    """A record without a signature: `WageReports` with `size` reports, `WageReport` with one, or an `Echo`.

    The same `seed` gives the same bytes. `changes` are `delivery_id`, `owner` (creator and sender, too) and
    `production` (`true` or `false`). Raises `ConfigurationError` for another `kind`.
    """
    if kind == "Echo":
        return b'<ire:Echo xmlns:ire="http://www.tulorekisteri.fi/2017/1/Echo"><Data>hello</Data></ire:Echo>'
    if kind not in _ROOTS:
        raise ConfigurationError(f"there is no example of {kind!r}", advice=f"take one of {', '.join(KINDS)}")
    chance = random.Random(seed)  # noqa: S311 - the same example again and again
    given = {"delivery_id": f"example-{seed:04}", "owner": "0123456-7", "production": "false", **changes}
    who = f"<Type>1</Type><Code>{escape(given['owner'])}</Code>"
    reports = "".join(_report(seed, number, chance) for number in range(1 if kind == "WageReport" else size))
    parts = [
        "<Timestamp>2026-11-23T08:00:00Z</Timestamp><Source>govfile</Source><DeliveryDataType>100</DeliveryDataType>",
        f"<DeliveryId>{escape(given['delivery_id'])}</DeliveryId><FaultyControl>1</FaultyControl>",
        f"<ProductionEnvironment>{given['production']}</ProductionEnvironment>",
        *(f"<DeliveryData{role}>{who}</DeliveryData{role}>" for role in ("Owner", "Creator", "Sender")),
        "<PaymentPeriod><PaymentDate>2026-11-30</PaymentDate>",
        "<StartDate>2026-11-01</StartDate><EndDate>2026-11-30</EndDate></PaymentPeriod>",
        "<ContactPersons><ContactPerson><Name>Pelle Payroll</Name><Telephone>000</Telephone>",
        "<ResponsibilityCode>1</ResponsibilityCode></ContactPerson></ContactPersons>",
        f"<Payer><PayerIds><Id>{who}</Id></PayerIds></Payer><Reports>{reports}</Reports>",
    ]
    root = _ROOTS[kind]
    return f'<w:{root} xmlns:w="{_NAMESPACE}"><DeliveryData>{"".join(parts)}</DeliveryData></w:{root}>'.encode()


def _report(seed: int, number: int, chance: random.Random) -> str:
    amount = f"{chance.randrange(1_000, 9_000)}.{chance.randrange(100):02}"
    return (
        f"<Report><ReportData><ActionCode>1</ActionCode><ReportId>{seed:04}-{number:05}</ReportId></ReportData>"
        "<IncomeEarner><IncomeEarnerBasic><MissingId>true</MissingId><LastName>Example</LastName>"
        f"<FirstName>Number {number}</FirstName></IncomeEarnerBasic></IncomeEarner>"
        "<Transactions><Transaction><TransactionBasic><TransactionCode>201</TransactionCode>"
        f"<Amount>{amount}</Amount></TransactionBasic></Transaction></Transactions></Report>"
    )
