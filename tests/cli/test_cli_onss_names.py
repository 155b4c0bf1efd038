"""`govfile onss names` and `verify`: what a name says and would be refused for; whether file and signature belong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from govfile.onss import Layout, sign_file
from govfile.sandbox.onss import OnssSandbox
from support.cli import run

if TYPE_CHECKING:
    from pathlib import Path

DAY = ("--on", "2026-03-02")
FI, FS, GO = (
    f"{prefix}.DMFA.101420.20260302.00001.R.1{part}" for prefix, part in (("FI", ".1"), ("FS", ".1"), ("GO", ""))
)


def test_a_good_name_is_explained() -> None:
    found = run("onss", "names", FI, *DAY, "--sender", "101420")
    assert found.code == 0
    for word in ("DMFA: DmfA", "101420", "2026-03-02", "R: real", FS, GO):
        assert word in found.out


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("FX.DMFA.101420.20260302.00001.R.1.1", "ACRF-129"),
        ("FI.DMFA.101420.20260302.00001.R", "ACRF-131"),
        ("FS.DMFA.101420.20260302.00001.R.1", "ACRF-132"),
        ("GO.DMFA.101420.20260302.00001.R.1.1", "ACRF-107"),
        ("GO.DMFA.112768.20260302.00001.R.1", "ACRF-108"),
        ("GO.DMFA.101420.260302.00001.R.1", "ACRF-109"),
        ("GO.DMFA.101420.20260230.00001.R.1", "ACRF-110"),
        ("GO.DMFA.101420.20260303.00001.R.1", "ACRF-111"),
        ("GO.DMFA.101420.20260302.000001.R.1", "ACRF-112"),
        ("GO.DMFA.101420.20260302.0000a.R.1", "ACRF-367"),
        ("GO.DMFA.101420.20260302.00000.R.1", "ACRF-127"),
        ("GO.DMFA.101420.20260302.00001.X.1", "ACRF-117"),
        ("GO.DMFA.101420.20260302.00001.R.10", "ACRF-114"),
        ("GO.DMFA.101420.20260302.00001.R.x", "ACRF-115"),
        ("GO.DMFA.101420.20260302.00001.R.0", "ACRF-116"),
        ("FI.DMFA.101420.20260302.00001.R.2.3", "ACRF-123"),
    ],
)
def test_a_name_that_would_be_refused_says_by_which_code(name: str, code: str) -> None:
    found = run("onss", "names", name, *DAY, "--sender", "101420", "--json")
    assert found.code == 2
    (record,) = found.kind("name")
    assert code in [fault["code"] for fault in record["faults"]]


def test_names_of_answers_are_explained_and_not_judged_by_our_sender_or_day() -> None:
    found = run("onss", "names", "FO.NOTI.999999.20270101.00001.R", *DAY, "--sender", "101420")
    assert found.code == 0
    assert "readable once" in found.out
    assert "GO.NOTI.999999.20270101.00001.R" in found.out


def test_without_a_day_the_date_is_judged_by_today() -> None:
    future = datetime.now(UTC) + timedelta(days=3)
    assert "ACRF-111" in run("onss", "names", f"GO.DMFA.101420.{future:%Y%m%d}.00001.R.1").out


@pytest.mark.parametrize(
    ("names", "more", "code"),
    [
        ((FI, FS, GO), (), ""),
        ((FI, GO), ("--unsigned",), ""),
        ((FI, FS, GO), ("--unsigned",), "ACRF-121"),
        ((FI, GO), (), "ACRF-122"),
        ((FS, GO), (), "ACRF-142"),
        ((FI, FS), (), "ACRF-130"),
    ],
)
def test_a_set_is_judged_as_a_whole(names: tuple[str, ...], more: tuple[str, ...], code: str) -> None:
    found = run("onss", "names", *names, *DAY, "--set", *more, "--json")
    assert found.code == (2 if code else 0)
    (record,) = found.kind("set")
    assert record["whole"] is not bool(code)
    assert not code or code in [fault["code"] for fault in record["faults"]]


def test_names_from_elsewhere_are_escaped() -> None:
    found = run("onss", "names", "FI.\x1b[31mDMFA", *DAY)
    assert found.code == 2
    assert "\x1b" not in found.out


@pytest.mark.parametrize("arguments", [("--on", "tomorrow"), ("--sender", "6400"), ("--unsigned",)])
def test_bad_options_are_usage_errors(arguments: tuple[str, ...]) -> None:
    found = run("onss", "names", FI, *arguments)
    assert found.code == 2
    assert "next:" in found.err


@pytest.fixture
def signed(tmp_path: Path) -> Path:
    content = OnssSandbox.example("DMFA")
    (tmp_path / FI).write_bytes(content)
    (tmp_path / FS).write_bytes(sign_file(content, OnssSandbox.unregistered_credential(), layout=Layout.COL76_CR))
    return tmp_path / FI


def test_a_declaration_and_its_signature_belong_together(signed: Path) -> None:
    found = run("onss", "verify", signed)
    assert found.code == 0, found.err
    assert "content unchanged:    yes" in found.out
    assert "not checked" in found.out
    assert "Jan Voorbeeld" in found.out


def test_one_changed_line_end_is_found(signed: Path) -> None:
    signed.write_bytes(signed.read_bytes() + b"\n")
    found = run("onss", "verify", signed, "--json")
    assert found.code == 9
    (record,) = found.kind("signature")
    assert (record["digest_matches"], record["signature_valid"]) == (False, True)


def test_a_signer_nobody_vouches_for_is_said(signed: Path, tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.write_bytes(OnssSandbox.institutions_pem())
    found = run("onss", "verify", signed, tmp_path / FS, "--trust", authority, "--json")
    assert found.code == 9
    (record,) = found.kind("signature")
    assert (record["digest_matches"], record["chain_trusted"]) == (True, False)


def test_a_signature_that_cannot_be_found_is_a_usage_error(signed: Path, tmp_path: Path) -> None:
    (tmp_path / FS).unlink()
    assert run("onss", "verify", signed).code == 2
    other = tmp_path / "dmfa.xml"
    other.write_bytes(b"<x/>")
    assert "name the FS too" in run("onss", "verify", other).err


def test_an_fs_that_holds_no_signature_breaks_the_protocol(signed: Path, tmp_path: Path) -> None:
    (tmp_path / FS).write_bytes(b"????")
    assert run("onss", "verify", signed).code == 9
