"""Acknowledgements: what each shape says, and that nothing in them is lost or believed too early."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from govfile.filing.states import Proof
from govfile.onss import parse_acrf
from govfile.onss.acrf import Reception
from support.onss_forms import GO, TICKET, acrf, acrf_form, document


def test_the_complete_structure() -> None:
    found = parse_acrf(acrf("1"))
    assert found.problem == ""
    assert found.unknown == ()
    (form,) = found.forms
    assert form.identification == "ACRF001"
    assert (form.creation_date, form.creation_hour) == ("2026-03-02", "12:05:55.075")
    assert form.created == datetime(2026, 3, 2, 11, 5, 55, 75_000, tzinfo=UTC)
    assert form.attestation_status == "0"
    assert form.type_form == "FA"
    assert form.file is not None
    assert form.file.file_name == GO
    assert str(form.file.name) == GO
    assert (form.file.origin, form.file.number) == ("2", TICKET)
    assert form.ticket == TICKET
    assert form.reception is not None
    assert form.reception.code == "1"
    assert form.unknown == ()


@pytest.mark.parametrize("kind", ["FA", "PA"])
@pytest.mark.parametrize(
    ("code", "errors", "result", "proof"),
    [
        ("1", (), Reception.ACCEPTED, Proof.TAKEN),
        ("0", ("ACRF-125",), Reception.REFUSED, Proof.REFUSED),
        ("0", ("ACRF-088", "ACRF-172"), Reception.REFUSED, Proof.REFUSED),
        ("0", (), Reception.REFUSED, Proof.REFUSED),
        ("0", ("ACRF-133",), Reception.REFUSED, Proof.NAME_REUSED),
        ("2", (), None, Proof.NOTED),
        ("", ("ACRF-125",), None, Proof.NOTED),
        ("01", (), None, Proof.NOTED),
    ],
)
def test_results(kind: str, code: str, errors: tuple[str, ...], result: Reception | None, proof: Proof) -> None:
    (form,) = parse_acrf(acrf(code, *errors, kind=kind)).forms
    assert form.result is result
    assert form.proof is proof
    assert form.reception is not None
    assert form.reception.error_ids == errors
    assert form.is_provisional == (kind == "PA")


def test_every_error_is_explained_and_none_is_lost() -> None:
    (form,) = parse_acrf(acrf("0", "ACRF-088", "ACRF-172", "ACRF-999")).forms
    assert [error.code for error in form.errors] == ["ACRF-088", "ACRF-172", "ACRF-999"]
    assert [error.is_known for error in form.errors] == [True, True, False]
    words = form.in_words()
    assert all(code in words for code in ("ACRF-088", "ACRF-172", "ACRF-999"))
    assert "the schema is unknown" in words


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (acrf("1"), TICKET),
        (acrf("1", ticket=None), "not given"),
        (acrf("0"), "without a reason"),
        (acrf("7"), "no result"),
    ],
)
def test_what_it_says_in_words(raw: bytes, says: str) -> None:
    assert says in parse_acrf(raw).forms[0].in_words()


@pytest.mark.parametrize(
    "name", [GO, GO.replace("GO.", "FI.") + ".1", GO.removesuffix(".1"), GO.replace("GO.", "FS.") + ".1"]
)
def test_it_may_name_any_file_of_the_set(name: str) -> None:
    (form,) = parse_acrf(acrf("0", "ACRF-129", name=name)).forms
    assert form.file is not None
    assert form.file.name is not None
    assert form.file.name.matches(GO)


def test_a_name_that_is_none_is_kept_as_text() -> None:
    (form,) = parse_acrf(acrf("0", "ACRF-129", name="dmfa.xml")).forms
    assert form.file is not None
    assert form.file.name is None
    assert form.file.file_name == "dmfa.xml"


def test_several_forms() -> None:
    other = GO.replace("00007", "00008")
    found = parse_acrf(document("ACRF", acrf_form("1"), acrf_form("0", "ACRF-125", name=other)))
    assert [form.proof for form in found.forms] == [Proof.TAKEN, Proof.REFUSED]


def test_unknown_elements_are_kept() -> None:
    raw = acrf("1").replace(b"</TypeForm>", b"</TypeForm><New><Inner>42</Inner></New>", 1)
    raw = raw.replace(b"<ResultCode>", b"<Hint>soon</Hint><ResultCode>").replace(
        b"</ACRF>", b"<Beside>x</Beside></ACRF>"
    )
    raw = raw.replace(b"<FileName>", b"<FileName>twice</FileName><FileName>", 1)
    found = parse_acrf(raw)
    (form,) = found.forms
    assert form.result is Reception.ACCEPTED
    assert ("New/Inner", "42") in form.unknown
    assert ("ReceptionResult/Hint", "soon") in form.unknown
    assert ("FileReference/FileName", GO) in form.unknown
    assert found.unknown == (("Beside", "x"),)


def test_another_quarters_schema_namespace_and_spelling() -> None:
    raw = acrf("1").replace(b"ACRF_20231.xsd", b"ACRF_20994.xsd").replace(b"<ACRF ", b'<ACRF xmlns="urn:new" ')
    raw = raw.replace(b"ResultCode", b"resultCode")
    assert parse_acrf(raw).forms[0].result is Reception.ACCEPTED


def test_parts_that_are_missing() -> None:
    (form,) = parse_acrf(b"<ACRF><Form/></ACRF>").forms
    assert form.file is None
    assert form.reception is None
    assert form.result is None
    assert form.ticket == ""
    assert form.created is None
    assert form.key is None
    assert form.errors == ()
    assert form.proof is Proof.NOTED


@pytest.mark.parametrize("origin", ["1", "3", "5", ""])
def test_only_social_securitys_reference_is_a_ticket(origin: str) -> None:
    raw = acrf("1").replace(b"<ReferenceOrigin>2", f"<ReferenceOrigin>{origin}".encode())
    assert parse_acrf(raw).forms[0].ticket == ""


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "empty"),
        (b"<ACRF>", "cannot be read as XML"),
        (b"<ACRF/>", "no Form"),
        (b"<NOTIFICATION><Form/></NOTIFICATION>", "not ACRF"),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><ACRF><Form>&b;</Form></ACRF>", "document type"),
        (b"<ACRF>" + b"<Form>" * 200 + b"</Form>" * 200 + b"</ACRF>", "levels deep"),
        (b"PK\x03\x04", "cannot be read as XML"),
        (b"<ACRF>" + b" " * 2_000_000 + b"</ACRF>", "more than"),
    ],
)
def test_s13_what_cannot_be_used_says_so_and_never_raises(raw: bytes, says: str) -> None:
    found = parse_acrf(raw)
    assert says in found.problem
    assert found.forms == ()
    assert found.reading.raw == raw


def test_a_summer_form_and_the_repeated_hour() -> None:
    for hour, expected in (("2026-07-01", 10), ("2026-12-01", 11)):
        raw = acrf("1").replace(b"2026-03-02", hour.encode())
        created = parse_acrf(raw).forms[0].created
        assert created is not None
        assert created.hour == expected
