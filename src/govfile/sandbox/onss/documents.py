"""Declarations to send: complete forms in the published shapes.

Samples, and no official ones: employers, workers and amounts are invented, and national numbers are of nobody
(born on day 00). Equal arguments give equal bytes, another `seed` gives another declaration.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from govfile.errors import ConfigurationError
from govfile.sandbox.onss.forms import SENT, SHAPES

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS = SENT
_SCHEMAS = "20263"
_MADE = datetime(2026, 10, 5, 9, 0, tzinfo=UTC)
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_NOTE = "<!-- A sample made by the govfile sandbox: invented employers, workers and amounts. -->"
_NAMES = ("Peeters-Voorbeeld", "Dubois-Exemple", "Müller-Beispiel", "Janssens-Voorbeeld")


def example(kind: str, *, seed: int = 0, forms: int = 1, made: datetime | None = None, newline: str = "\r\n") -> bytes:
    """A declaration for the purpose `kind` with `forms` forms, made at `made` (an aware datetime; a fixed one unless
    given), each form a millisecond later than the one before.

    Raises `ConfigurationError` for a purpose that nobody sends.
    """
    if kind not in KINDS:
        raise ConfigurationError(f"there is no example of {kind!r}", advice=f"one of: {', '.join(KINDS)}")
    dice = random.Random(f"{kind}/{seed}")  # noqa: S311 - content, not a secret
    shape = SHAPES.get(kind)
    identification = shape.forms[0] if shape else f"{kind}001"
    root = shape.root_of(identification) if shape else identification
    start = (made or _MADE) + timedelta(milliseconds=seed % 1000 + dice.randrange(3_600_000) if made is None else 0)
    body = _BODIES.get(kind, _other)
    content = [
        _element(
            "Form",
            *_header(identification, start + timedelta(milliseconds=number)),
            _reference(f"{kind}{seed:06}-{number + 1}"),
            body(dice),
        )
        for number in range(forms)
    ]
    return _document(root, shape.namespace if shape else "", content, newline)


def _header(identification: str, at: datetime) -> tuple[str, ...]:
    return (
        _text("Identification", identification),
        _text("FormCreationDate", at.strftime("%Y-%m-%d")),
        _text("FormCreationHour", at.strftime("%H:%M:%S.") + f"{at.microsecond // 1000:03}"),
        _text("AttestationStatus", "0"),
        _text("TypeForm", "SU"),
    )


def _reference(number: str) -> str:
    return _element(
        "Reference", _text("ReferenceType", "1"), _text("ReferenceOrigin", "1"), _text("ReferenceNbr", number)
    )


def _dmfa(dice: random.Random) -> str:
    people = [_person(dice, number) for number in range(1, dice.randrange(2, 5))]
    return _element("EmployerDeclaration", *_employer(dice), *people)


def _dmwa(dice: random.Random) -> str:
    quarter, number, trusteeship, company, _ = _employer(dice)
    return _element("EmployerDeclarationUpdate", quarter, number, trusteeship, company)


def _employer(dice: random.Random) -> tuple[str, ...]:
    return (
        _text("Quarter", "20263"),
        _text("NOSSRegistrationNbr", f"{dice.randrange(10**6, 10**8)}"),
        _text("Trusteeship", "0"),
        _text("CompanyID", f"0{dice.randrange(10**8, 10**9)}"),
        _text("NetOwedAmount", f"{dice.randrange(10**4, 10**7):015}"),
    )


def _person(dice: random.Random, number: int) -> str:
    occupation = _element(
        "Occupation",
        _text("OccupationSequenceNbr", "1"),
        _text("OccupationStartingDate", "2024-01-01"),
        _text("JointCommissionNbr", "200"),
        _text("WorkingDaysSystem", "500"),
        _text("ContractType", "0"),
        _text("MeanWorkingHours", "3800"),
        _text("Retired", "0"),
        _element(
            "Service",
            _text("ServiceSequenceNbr", "1"),
            _text("ServiceCode", "001"),
            _text("ServiceNbrDays", f"{dice.randrange(1000, 6500):05}"),
        ),
        _element(
            "Remun",
            _text("RemunSequenceNbr", "1"),
            _text("RemunCode", "001"),
            _text("RemunAmount", f"{dice.randrange(10**5, 10**7):011}"),
        ),
    )
    record = _element(
        "WorkerRecord",
        _text("EmployerClass", "010"),
        _text("WorkerCode", "495"),
        _text("NOSSQuarterStartingDate", "2026-07-01"),
        _text("NOSSQuarterEndingDate", "2026-09-30"),
        _text("Border", "0"),
        occupation,
    )
    return _element("NaturalPerson", _text("NaturalPersonSequenceNbr", str(number)), _text("INSS", _inss(dice)), record)


def _dimona(dice: random.Random) -> str:
    person = _element(
        "NaturalPerson",
        _text("INSS", _inss(dice)),
        _text("WorkerName", dice.choice(_NAMES)),
        _text("WorkerFirstName", "Jan"),
    )
    features = _element("DimonaFeatures", _text("JointCommissionNbr", "124"), _text("WorkerType", "OTH"))
    employer = _element("EmployerId", _text("NOSSRegistrationNbr", f"{dice.randrange(10**6, 10**8)}"))
    return _element("DimonaIn", _text("StartingDate", "2026-10-12"), employer, person, features)


def _acrf(dice: random.Random) -> str:
    name = _text("FileName", f"GO.NOTI.999999.20261005.{dice.randrange(1, 10**5):05}.R")
    return _element("FileReference", name) + _element("ReceptionResult", _text("ResultCode", "1"))


def _other(dice: random.Random) -> str:
    return _element(
        "SampleContent", _text("NOSSRegistrationNbr", f"{dice.randrange(10**6, 10**8)}"), _text("INSS", _inss(dice))
    )


def _inss(dice: random.Random) -> str:
    """A number in the shape of a national one, of nobody: day 00."""
    return f"{dice.randrange(60, 99)}{dice.randrange(1, 13):02}00{dice.randrange(10**5):05}"


_BODIES: dict[str, Callable[[random.Random], str]] = {"DMFA": _dmfa, "DMWA": _dmwa, "DIMN": _dimona, "ACRF": _acrf}


def _text(name: str, value: str) -> str:
    return f"<{name}>{escape(value)}</{name}>"


def _element(name: str, *children: str) -> str:
    return f"<{name}>{''.join(children)}</{name}>"


def _document(root: str, namespace: str, forms: list[str], newline: str) -> bytes:
    opening = f'<{root} xmlns:xsi="{_XSI}" xsi:noNamespaceSchemaLocation="{root}_{_SCHEMAS}.xsd">'
    if namespace:
        opening = f'<{root} xmlns="http://www.{namespace}">'
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', _NOTE, opening, *forms, f"</{root}>", ""]
    return newline.join(lines).encode()
