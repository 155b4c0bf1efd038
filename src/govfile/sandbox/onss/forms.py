"""The shape of a declaration: the root and the forms of each purpose, element by element.

From the published schemas (Dimona 2023/1, DmfAOriginal and DmfAUpdate 2022/3, ZIMA001 2023/1) and annex 11 (2020/1).
Every form begins alike; what follows is judged as far as those schemas are known, the rest is left alone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from govfile.sandbox.onss.settings import Settings
    from govfile.sandbox.onss.xml import Element

_MOST_REFERENCES = 4
_SCHEMA = ("xsi:noNamespaceSchemaLocation", "noNamespaceSchemaLocation")


@attrs.frozen(kw_only=True)
class Field:
    """An element: its name, the pattern of its text, its greatest length, and whether it must be there."""

    name: str
    pattern: str = ".*"
    longest: int = 2000
    is_needed: bool = True


@attrs.frozen(kw_only=True)
class Shape:
    """What one purpose sends.

    `forms` are the identifications its forms may have; `roots` the root element for each, in the same order (one for
    all when there is only one). `body` are the elements of which one follows the references (empty: anything may).
    `inside` is the sequence that such an element begins with. `namespace` is the one its root is in.
    """

    forms: tuple[str, ...]
    roots: tuple[str, ...]
    body: tuple[str, ...] = ()
    inside: tuple[Field, ...] = ()
    namespace: str = ""

    def root_of(self, form: str) -> str:
        """The root element that goes with a form."""
        return dict(zip(self.forms, self.roots, strict=False)).get(form, self.roots[-1])


HEADER = (
    Field(name="Identification", longest=7),
    Field(name="FormCreationDate", pattern=r"\d{4}-\d{2}-\d{2}"),
    Field(name="FormCreationHour", pattern=r"\d{2}:\d{2}:\d{2}\.\d{3}"),
    Field(name="AttestationStatus", pattern=r"\d"),
    Field(name="TypeForm", pattern=r"[A-Z]{2}"),
)
_REFERENCE = (
    Field(name="ReferenceType", pattern=r"\d"),
    Field(name="ReferenceOrigin", pattern="1"),
    Field(name="ReferenceNbr", pattern=".+", longest=20),
)
_EMPLOYER = (
    Field(name="Quarter", pattern=r"\d{4}[1-4]"),
    Field(name="NOSSRegistrationNbr", pattern=r"\d{1,9}"),
    Field(name="Trusteeship", pattern="[01]"),
    Field(name="CompanyID", pattern=r"0|\d{9,10}"),
    Field(name="NetOwedAmount", pattern=r"\d{1,15}"),
    Field(name="System5", pattern="0", is_needed=False),
    Field(name="HolidayStartingDate", pattern=r"\d{4}-\d{2}-\d{2}", is_needed=False),
)
_DIMONA = ("DimonaIn", "DimonaOut", "DimonaUpdate", "DimonaCancel", "DailyRegistrationDeclaration")


def _each(*forms: str) -> Shape:
    """Purposes whose root element is called like the form."""
    return Shape(forms=forms, roots=forms)


#: Purpose → its shape, as far as it is known. Others must only be well formed.
SHAPES = {
    "DIMN": Shape(forms=("DIMONA",), roots=("Dimona",), body=_DIMONA),
    "DMFA": Shape(forms=("DMFA",), roots=("DmfAOriginal",), body=("EmployerDeclaration",), inside=_EMPLOYER),
    "DMWA": Shape(forms=("DMFAUPD",), roots=("DmfAUpdate",), body=("EmployerDeclarationUpdate",)),
    "DMRQ": Shape(forms=("DMFAREQ",), roots=("DmfAConsultationRequest",)),
    "PFRQ": Shape(forms=("PFREQ",), roots=("PersonnelFileConsultationRequest",)),
    "WECH": _each(*(f"WECH{number:03}" for number in range(1, 12))),
    "ZIMA": _each("ZIMA001", "ZIMA002", "ZIMA003", "ZIMA005", "ZIMA006"),
    "AOAT": _each("AOAT001", "AOAT002", "AOAT003"),
    "TWCT": _each("TWCT001"),
    "VBLV": _each("VBLV001"),
    "CDHG": Shape(forms=("CDHG001",), roots=("CareerHistory",)),
    "ATDO": Shape(forms=("ATDO001",), roots=("GenericXmlDocument",)),
    "LOIC": _each("LOIC001"),
    "FLEX": Shape(forms=("FLXWAGE",), roots=("FLXWAGE",), namespace="socialsecurity.be/xml/ns/FLXWAGE"),
    "ACRF": Shape(forms=("ACRF001",), roots=("ACRF",), body=("FileReference",)),
}
#: Purposes that may be sent whose shape is not known.
OTHERS = ("DUCN", "DDTN", "PUBL", "ECRQ", "ECOR", "RECO")
SENT = (*SHAPES, *OTHERS)

_ROOTS = {root for shape in SHAPES.values() for root in shape.roots}
_FORMS = {form for shape in SHAPES.values() for form in shape.forms}


def findings(purpose: str, root: Element, settings: Settings) -> Iterator[tuple[str, str]]:
    """What is wrong with the shape: code of annex 30, and words."""
    shape = SHAPES.get(purpose)
    if shape is None:
        return
    prefix, _, name = root.name.rpartition(":")
    if name not in shape.roots:
        yield ("158" if name in _ROOTS else "089"), f"root element {root.name} under purpose {purpose}"
        return
    yield from _namespace(shape, prefix, root)
    yield from _schema(name, root, settings)
    forms = [child for child in root.children if _local(child) == "Form"]
    for child in root.children:
        if child not in forms:
            yield "205", f"{child.name} beside the forms"
    if not forms:
        yield "157", "no form in it"
    if len(forms) > settings.most_forms:
        yield "275", f"{len(forms)} forms"
    for form in forms[: settings.most_forms]:
        yield from _form(shape, name, form)


def _local(element: Element) -> str:
    return element.name.rpartition(":")[2]


def _namespace(shape: Shape, prefix: str, root: Element) -> Iterator[tuple[str, str]]:
    found = root.attributes.get(f"xmlns:{prefix}" if prefix else "xmlns", "")
    if not found.endswith(shape.namespace) or bool(found) != bool(shape.namespace):
        yield "139", f"namespace {found!r}"


def _schema(name: str, root: Element, settings: Settings) -> Iterator[tuple[str, str]]:
    location = next((root.attributes[key] for key in _SCHEMA if key in root.attributes), None)
    if location is None:
        if settings.schema_required:
            yield "136", "no schema is named"
    elif not re.fullmatch(rf"(.*/)?{name}_\d{{4}}[1-4]\.xsd", location):
        yield "137", f"schema {location}"


def _form(shape: Shape, root: str, form: Element) -> Iterator[tuple[str, str]]:
    yield from _sequence(HEADER, form, is_whole=False)
    identification = form.value("Identification")
    if identification and identification not in shape.forms:
        yield ("158" if identification in _FORMS else "135"), f"form {identification} in {root}"
    elif identification and shape.root_of(identification) != root:
        yield "135", f"form {identification} in {root}"
    rest = [child for child in form.children if _local(child) not in _names(HEADER)]
    references = [child for child in rest if child.name == "Reference"]
    if rest[: len(references)] != references:
        yield "091", "a reference after the content of a form"
    if len(references) > _MOST_REFERENCES:
        yield "090", f"{len(references)} references"
    for reference in references:
        yield from _sequence(_REFERENCE, reference, is_whole=True)
    if shape.body:
        yield from _body(shape, [child for child in rest if child.name != "Reference"])


def _body(shape: Shape, rest: list[Element]) -> Iterator[tuple[str, str]]:
    known = [child for child in rest if child.name in shape.body]
    for child in rest:
        if child not in known and shape.forms != ("ACRF001",):
            yield "092", f"{child.name} in a form"
    if len(known) != 1:
        yield "090", f"{len(known)} of {' or '.join(shape.body)} in a form"
    for child in known if shape.inside else ():
        yield from _sequence(shape.inside, child, is_whole=False)


def _sequence(fields: tuple[Field, ...], parent: Element, *, is_whole: bool) -> Iterator[tuple[str, str]]:
    """Whether `parent` begins with the fields, in their order; `is_whole`: and holds nothing else."""
    names = _names(fields)
    found = [child for child in parent.children if _local(child) in names]
    order = [names.index(_local(child)) for child in found]
    if order != sorted(order) or found != parent.children[: len(found)]:
        yield "091", f"the order in {parent.name}"
    if is_whole and len(found) != len(parent.children):
        yield "092", f"more in {parent.name} than there may be"
    for field in fields:
        values = [child.text.strip() for child in found if _local(child) == field.name]
        if len(values) > 1 or (field.is_needed and not values):
            yield "090", f"{len(values)} of {field.name} in {parent.name}"
        for value in values:
            if len(value) > field.longest:
                yield "093", f"{field.name} has {len(value)} characters"
            elif not re.fullmatch(field.pattern, value, re.DOTALL):
                yield "255", f"{field.name} does not fit its model"


def _names(fields: tuple[Field, ...]) -> list[str]:
    return [field.name for field in fields]
