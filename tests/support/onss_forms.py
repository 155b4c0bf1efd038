"""Acknowledgements and notifications in the published shape, with invented data."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

GO = "GO.DMFA.101420.20260302.00007.R.1"
TICKET = "03804UE9XCMQZ"

_HEADER = (
    "<Identification>{identification}</Identification><FormCreationDate>2026-03-02</FormCreationDate>"
    "<FormCreationHour>12:05:55.075</FormCreationHour><AttestationStatus>0</AttestationStatus>"
    "<TypeForm>{kind}</TypeForm>"
)


def document(root: str, *forms: str, schema: str = "20231") -> bytes:
    """A document of these forms."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        f'xsi:noNamespaceSchemaLocation="{root}_{schema}.xsd">\n{"".join(forms)}</{root}>\n'
    ).encode()


def header(identification: str, kind: str = "FA") -> str:
    """The first elements of a form."""
    return _HEADER.format(identification=identification, kind=kind)


def file_reference(name: str = GO, ticket: str | None = TICKET) -> str:
    """The file that is answered."""
    number = "" if ticket is None else f"<ReferenceNbr>{ticket}</ReferenceNbr>"
    return f"<FileReference><FileName>{name}</FileName><ReferenceOrigin>2</ReferenceOrigin>{number}</FileReference>"


def acrf(code: str, *errors: str, name: str = GO, ticket: str | None = TICKET, kind: str = "FA") -> bytes:
    """An acknowledgement of one form."""
    return document("ACRF", acrf_form(code, *errors, name=name, ticket=ticket, kind=kind))


def acrf_form(code: str, *errors: str, name: str = GO, ticket: str | None = TICKET, kind: str = "FA") -> str:
    """One form of an acknowledgement."""
    ids = "".join(f"<ErrorID>{error}</ErrorID>" for error in errors)
    result = f"<ReceptionResult><ResultCode>{code}</ResultCode>{ids}</ReceptionResult>"
    return f"<Form>{header('ACRF001', kind)}{file_reference(name, ticket)}{result}</Form>\n"


def original_form(identification: str = "DMFA", date: str = "2026-03-02", hour: str = "11:34:30.001") -> str:
    """The form that was handled."""
    return (
        f"<HandledOriginalForm><Identification>{identification}</Identification><FormCreationDate>{date}"
        f"</FormCreationDate><FormCreationHour>{hour}</FormCreationHour><AttestationStatus>0</AttestationStatus>"
        "<TypeForm>SU</TypeForm></HandledOriginalForm>"
    )


def reference(number: str, origin: str = "1") -> str:
    """A reference to the form."""
    return (
        f"<Reference><ReferenceType>1</ReferenceType><ReferenceOrigin>{origin}</ReferenceOrigin>"
        f"<ReferenceNbr>{number}</ReferenceNbr></Reference>"
    )


def anomaly(error_id: str, kind: str = "NP", inside: str = "") -> str:
    """One anomaly."""
    return f"<AnomalyReport><ErrorID>{error_id}</ErrorID><AnomalyClass>{kind}</AnomalyClass>{inside}</AnomalyReport>"


def noti_form(
    code: str | None = "1", *anomalies: str, before: str = "", diagnoses: Iterable[str] = (), kind: str = "FA"
) -> str:
    """One form of a notification; `before` is what stands before the result."""
    handled = (
        "<HandledReference><ReferenceType>1</ReferenceType><ReferenceOrigin>2</ReferenceOrigin>"
        "<ReferenceNbr>0340822PQ9CMZ</ReferenceNbr></HandledReference>"
    )
    found = "".join(f"<Diagnosis>{digit}</Diagnosis>" for digit in diagnoses)
    result = "" if code is None else f"<ResultCode>{code}</ResultCode>"
    handling = f"<HandlingResult>{result}{found}{''.join(anomalies)}</HandlingResult>"
    return f"<Form>{header('NOTI001', kind)}{before}{handled}{handling}</Form>\n"


def noti(*forms: str) -> bytes:
    """A notification of these forms."""
    return document("NOTIFICATION", *(forms or (noti_form(),)), schema="20251")
