"""The XML of declarations: the form of each purpose, element by element."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from govfile.errors import ConfigurationError
from govfile.sandbox.onss import OnssSandbox, Settings
from govfile.sandbox.onss.documents import KINDS
from govfile.sandbox.onss.forms import findings
from govfile.sandbox.onss.xml import NotXml, read
from support.onss_sender import connected, standing_still

if TYPE_CHECKING:
    from pathlib import Path

DMFA = OnssSandbox.example("DMFA")
HOUR = b"<FormCreationHour>"


def codes(content: bytes, purpose: str = "DMFA", settings: Settings | None = None) -> list[str]:
    settings = settings or Settings()
    try:
        root = read(content, settings.encodings)
    except NotXml as error:
        return [error.code]
    return [code for code, _ in findings(purpose, root, settings)]


def changed(old: bytes, new: bytes, content: bytes = DMFA) -> bytes:
    assert old in content
    return content.replace(old, new)


def without(name: bytes, content: bytes = DMFA) -> bytes:
    start, end = content.index(b"<" + name + b">"), content.index(b"</" + name + b">") + len(name) + 3
    return content[:start] + content[end:]


@pytest.mark.parametrize("kind", KINDS)
def test_every_example_is_sound(kind: str) -> None:
    assert codes(OnssSandbox.example(kind, forms=3), kind) == []


@pytest.mark.parametrize("kind", ["DMFA", "DIMN", "DMWA", "WECH", "ZIMA", "AOAT"])
def test_examples_of_one_purpose_are_refused_under_another(kind: str) -> None:
    other = "TWCT"
    assert codes(OnssSandbox.example(kind), other) == ["158"]


def test_equal_arguments_give_equal_bytes_and_seeds_others() -> None:
    assert OnssSandbox.example("DMFA", seed=1) == OnssSandbox.example("DMFA", seed=1)
    assert len({OnssSandbox.example(kind, seed=seed) for seed in range(20) for kind in ("DMFA", "DIMN")}) == 40
    with pytest.raises(ConfigurationError, match="NOTI"):
        OnssSandbox.example("NOTI")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"no xml", ["102"]),
        (DMFA[:-10], ["102"]),
        (changed(b"\r\n<Form>", b'\r\n<!DOCTYPE x SYSTEM "file:///etc/hostname"><Form>'), ["102"]),
        (changed(b"?>", b'?><!DOCTYPE x [<!ENTITY a "b">]>'), ["102"]),
        (changed(b'encoding="UTF-8"', b'encoding="UTF-16"'), ["138"]),
        (changed(b'encoding="UTF-8"', b'encoding="windows-1252"'), ["138"]),
        (DMFA.decode().encode("utf-16"), ["138"]),
        (changed(b"<Form>", b"<Form>\xe9"), ["102"]),
        (changed(b"DmfAOriginal", b"DmfAnother"), ["089"]),
        (changed(b"DmfAOriginal", b"DmfAUpdate"), ["158"]),
        (changed(b"<DmfAOriginal ", b'<DmfAOriginal xmlns="urn:x" '), ["139"]),
        (changed(b"DmfAOriginal_20263", b"DmfAOriginal_2026"), ["137"]),
        (changed(b"DmfAOriginal_20263", b"Dimona_20263"), ["137"]),
        (changed(b"Form>", b"Formulier>"), ["205", "157"]),
        (changed(b"<Form>", b"<Note/><Form>"), ["205"]),
        (without(b"Form"), ["157"]),
        (without(b"Identification"), ["090"]),
        (without(b"FormCreationHour"), ["090"]),
        (without(b"EmployerDeclaration"), ["090"]),
        (changed(b"<Identification>DMFA<", b"<Identification>DMFX<"), ["135"]),
        (changed(b"<Identification>DMFA<", b"<Identification>DIMONA<"), ["158"]),
        (changed(b"<Identification>DMFA<", b"<Identification>DMFAORIGINAL<"), ["093", "135"]),
        (changed(b"<TypeForm>SU</TypeForm>", b"").replace(HOUR, b"<TypeForm>SU</TypeForm>" + HOUR), ["091"]),
        (changed(b"<TypeForm>SU<", b"<TypeForm>su<"), ["255"]),
        (changed(b"<TypeForm>", b"<TypeForm>SU</TypeForm><TypeForm>"), ["090"]),
        (changed(b"<AttestationStatus>0<", b"<AttestationStatus>x<"), ["255"]),
        (changed(b"<ReferenceOrigin>1<", b"<ReferenceOrigin>2<"), ["255"]),
        (changed(b"<ReferenceNbr>", b"<ReferenceNbr>" + b"9" * 20), ["093"]),
        (without(b"ReferenceNbr"), ["090"]),
        (changed(b"</Reference>", b"<More/></Reference>"), ["092"]),
        (changed(b"<EmployerDeclaration>", b"<Surprise/><EmployerDeclaration>"), ["092"]),
        (without(b"Quarter"), ["090"]),
        (changed(b"<Quarter>20263<", b"<Quarter>20265<"), ["255"]),
    ],
)
def test_each_flaw_has_its_code(content: bytes, expected: list[str]) -> None:
    assert codes(content) == expected


def test_the_hour_has_milliseconds() -> None:
    at = DMFA.index(HOUR) + len(HOUR)
    assert codes(DMFA[: at + 8] + DMFA[at + 12 :]) == ["255"]


def test_there_are_only_so_many_references_and_forms() -> None:
    start, end = DMFA.index(b"<Reference>"), DMFA.index(b"</Reference>") + len(b"</Reference>")
    assert codes(DMFA[:start] + DMFA[start:end] * 4 + DMFA[end:]) == []
    assert codes(DMFA[:start] + DMFA[start:end] * 5 + DMFA[end:]) == ["090"]
    three = OnssSandbox.example("DMFA", forms=3)
    assert codes(three, settings=Settings(most_forms=2)) == ["275"]


def test_a_dimona_has_one_of_its_kinds_in_a_form() -> None:
    dimona = OnssSandbox.example("DIMN")
    assert codes(changed(b"DimonaIn>", b"DimonaOut>", dimona), "DIMN") == []
    assert codes(changed(b"DimonaIn>", b"DimonaElse>", dimona), "DIMN") == ["092", "090"]
    assert codes(changed(b"<DimonaIn>", b"<DimonaCancel/><DimonaIn>", dimona), "DIMN") == ["090"]


def test_a_social_risk_is_called_like_its_root() -> None:
    risk = OnssSandbox.example("WECH")
    assert codes(changed(b"WECH001", b"WECH011", risk), "WECH") == []
    assert codes(changed(b"<Identification>WECH001", b"<Identification>WECH002", risk), "WECH") == ["135"]


def test_naming_a_schema_can_be_demanded() -> None:
    nameless = DMFA.replace(b' xsi:noNamespaceSchemaLocation="DmfAOriginal_20263.xsd"', b"")
    assert codes(nameless) == []
    assert codes(nameless, settings=Settings(schema_required=True)) == ["136"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (DMFA.replace(b' encoding="UTF-8"', b""), []),
        (DMFA.replace(b"UTF-8", b"ISO-8859-1").replace(b"<Form>", b"<Form>\xe9"), []),
        (b"\xef\xbb\xbf" + DMFA, []),
        (DMFA.replace(b"\r\n", b"\n"), []),
    ],
    ids=["no encoding", "Latin 1", "byte order mark", "line feeds"],
)
def test_what_is_sound_in_another_way_passes(content: bytes, expected: list[str]) -> None:
    assert codes(content) == expected


def test_nesting_has_a_bottom() -> None:
    deep = b"<a>" * 200 + b"</a>" * 200
    assert codes(changed(b"<TypeForm>SU", b"<TypeForm>" + deep)) == ["102"]


def test_an_empty_declaration_is_no_declaration(tmp_path: Path) -> None:
    with standing_still() as authority, connected(authority, tmp_path) as sender:
        name = sender.declare(b"", signatures=[b""])
        assert sender.codes(name) == ["134", "125"]


def test_purposes_whose_shape_is_not_known_must_be_well_formed(tmp_path: Path) -> None:
    with standing_still() as authority, connected(authority, tmp_path) as sender:
        name = sender.declare(b"<Anything/>", purpose="DDTN")
        assert sender.codes(name) == []
        name = sender.declare(b"<Anything>", purpose="DDTN")
        assert sender.codes(name) == ["102"]
