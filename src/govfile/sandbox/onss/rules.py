"""The judgement on a set: all the codes it earns, as annex 30 numbers them, and words for the sandbox's owner."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from govfile.sandbox.onss import forms, lines, verifying, xml
from govfile.sandbox.onss.settings import Signing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from govfile.sandbox.onss.names import Name
    from govfile.sandbox.onss.settings import Settings


@attrs.frozen(kw_only=True)
class File:
    """One uploaded file. `size` (bytes) may be beyond what is kept in `content`."""

    name: Name
    content: bytes = attrs.field(repr=False)
    size: int


@attrs.frozen(kw_only=True)
class HandledForm:
    """What a notification says of a form: `references` are its own."""

    identification: str
    date: str
    hour: str
    references: tuple[str, ...] = ()


@attrs.define(kw_only=True)
class Judgement:
    """What a set earned. `forms` are those in it, as far as it can be read."""

    codes: list[str] = attrs.field(factory=list)
    findings: list[str] = attrs.field(factory=list)
    forms: list[HandledForm] = attrs.field(factory=list)

    def find(self, code: str, why: str) -> None:
        """Add a code once, and its reason."""
        if code not in self.codes:
            self.codes.append(code)
        self.findings.append(f"ACRF-{code}: {why}")


@attrs.frozen(kw_only=True)
class Set:
    """The files that a GO triggered, and who sent them."""

    go: Name
    declarations: tuple[File, ...]
    signatures: tuple[File, ...]
    purposes: frozenset[str]
    registered: tuple[bytes, ...]

    @property
    def parts(self) -> int:
        """How many FI there must be."""
        return self.go.parts or 1


def judge(found: Set, *, at: datetime, settings: Settings) -> Judgement:
    """Everything that is wrong with a set; nothing when it may be filed."""
    judgement = Judgement()
    if found.go.purpose not in found.purposes:
        judgement.find("154", f"purpose {found.go.purpose} is not one this sender may use")
    for code, why in _completeness(found, settings):
        judgement.find(code, why)
    for file in found.declarations:
        _judge_declaration(file, judgement, settings)
    if settings.signing[found.go.circuit] is not Signing.FORBIDDEN:
        _judge_signatures(found, judgement, at, settings)
    return judgement


def _completeness(found: Set, settings: Settings) -> Iterator[tuple[str, str]]:
    parts, signed = found.parts, len(found.signatures)
    if not found.declarations:
        yield "142", "no FI"
    elif len(found.declarations) != parts:
        yield "120", f"{len(found.declarations)} FI, {parts} announced"
    if _numbers(found.declarations) - set(range(1, parts + 1)) or any(
        file.name.parts not in (0, parts) for file in found.declarations
    ):
        yield "123", "the FI are not numbered 1 to the number of parts"
    signing = settings.signing[found.go.circuit]
    if signing is Signing.FORBIDDEN and signed:
        yield "121", "FS where none may be"
    elif signed != parts and (signed or signing is Signing.REQUIRED):
        yield "122", f"{signed} FS, {parts} needed"
    if _numbers(found.signatures) - set(range(1, parts + 1)):
        yield "124", "the FS are not numbered like the FI"


def _numbers(files: tuple[File, ...]) -> set[int]:
    return {file.name.index or 1 for file in files}


def _judge_declaration(file: File, judgement: Judgement, settings: Settings) -> None:
    if file.size > settings.largest:
        judgement.find("184", f"{file.size} bytes")
        return
    if not file.content:
        judgement.find("134", "no data in it")
        return
    try:
        root = xml.read(file.content, settings.encodings)
    except xml.NotXml as error:
        judgement.find(error.code, str(error))
        return
    for code, why in forms.findings(file.name.purpose, root, settings):
        judgement.find(code, why)
    judgement.forms += [_handled(form) for form in root.children if form.name.endswith("Form")]


def _handled(form: xml.Element) -> HandledForm:
    return HandledForm(
        identification=form.value("Identification"),
        date=form.value("FormCreationDate"),
        hour=form.value("FormCreationHour"),
        references=tuple(reference.value("ReferenceNbr") for reference in form.all("Reference")),
    )


def _judge_signatures(found: Set, judgement: Judgement, at: datetime, settings: Settings) -> None:
    declared = {file.name.index or 1: file for file in found.declarations}
    for file in found.signatures:
        declaration = declared.get(file.name.index or 1)
        if declaration is None:
            continue
        try:
            der = lines.read(file.content, settings.layouts)
            verifying.verify(der, declaration.content, registered=found.registered, at=at, settings=settings)
        except lines.NotLaidOut as error:
            judgement.find("125", f"the FS: {error}")
        except verifying.BadSignature as error:
            judgement.find(error.code, str(error))
