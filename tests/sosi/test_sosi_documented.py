"""The pages on the Danish token service say what the code does: codes, advice, settings, addresses."""

from __future__ import annotations

import re
from datetime import timedelta

import attrs
import pytest

from govfile import sosi
from govfile.sosi.cache import CARDS, TOKENS
from govfile.sosi.cards import BACK_DATING, LONGEST_LIFE
from govfile.sosi.faults import FAULTS
from govfile.sosi.services.fault_codes import _ADVICE
from govfile.transports.https_policy import MESSAGE_TIMEOUTS
from support.repository import ROOT

DOCS = ROOT / "docs"
SETTINGS = (DOCS / "reference" / "settings.md").read_text("utf-8")
ENVIRONMENTS = (sosi.TEST1, sosi.TEST2, sosi.TRAINING, sosi.PRODTEST, sosi.PRODUCTION)


def _rows(page: str, heading: str) -> list[list[str]]:
    """The cells of the first table below `heading`, without its head."""
    part = page.partition(heading)[2]
    assert part, heading
    table = re.search(r"\n\|.*\n\|[-|]+\|\n((?:\|.*\n)+)", part)
    assert table
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in table[1].splitlines()]


def test_the_table_of_the_services_codes_is_that_of_the_code() -> None:
    page = (DOCS / "troubleshooting.md").read_text("utf-8")
    expected = [
        [
            f"`{fault.code}`",
            f"`{fault.actor.rpartition(':')[2]}`" if fault.actor else "any",
            f"\N{LEFT DOUBLE QUOTATION MARK}{fault.text}\N{RIGHT DOUBLE QUOTATION MARK}" if fault.text else "any",
            fault.advice,
        ]
        for fault in FAULTS
    ]
    assert _rows(page, "### What the service's codes mean") == expected


def test_the_table_of_a_calls_codes_is_that_of_the_code() -> None:
    page = (DOCS / "troubleshooting.md").read_text("utf-8")
    expected = [[f"`{code.value}`", _ADVICE[code]] for code in sosi.FaultCode]
    assert _rows(page, "### What services answer to a call") == expected


def test_every_environment_is_listed_with_its_address_and_kind() -> None:
    found = _rows(SETTINGS, "described with [the Finnish services]")
    assert [row[0] for row in found] == [f"`sosi.{environment.name.upper()}`" for environment in ENVIRONMENTS]
    for row, environment in zip(found, ENVIRONMENTS, strict=True):
        assert f"`{environment.base_url}`" in row[1]
        assert row[2] == ("test" if environment.is_test else "production")


@pytest.mark.parametrize("kind", [sosi.Environment, sosi.StsTrust, sosi.Endpoint])
def test_every_setting_is_listed(kind: type[attrs.AttrsInstance]) -> None:
    listed = set(re.findall(rf"`{kind.__name__}\.(\w+)`", SETTINGS))
    fields = {field.name for field in attrs.fields(kind)} - {"name", "base_url", "path"}
    assert listed == fields


def test_the_defaults_listed_are_the_defaults() -> None:
    rows = {row[0]: row[1] for row in _rows(SETTINGS, "what the default rests on")}
    assert (sosi.TEST1.trust, sosi.TEST1.presents_certificate, sosi.TEST1.skew) == (None, False, timedelta(minutes=5))
    assert (sosi.TEST1.attempts, sosi.TEST1.pause) == (3, timedelta(seconds=1))
    times = MESSAGE_TIMEOUTS
    assert (times.connect, times.tls, times.reply, times.total) == (30, 30, 60, 120)
    for number in ("30 s to connect", "30 s for TLS", "60 s for a reply", "120 s in all"):
        assert number in rows["`Environment.timeouts`"]
    assert f"{sosi.TEST1.policy.limit // 2**20} MiB" in rows["`Environment.policy`"]
    endpoints = {field.name: getattr(sosi.TEST1.endpoints, field.name) for field in attrs.fields(sosi.Endpoints)}
    assert [name for name, door in endpoints.items() if not door.signs_request] == ["identity_token"]
    unsigned = [name for name, door in endpoints.items() if not door.demands_signature]
    assert unsigned == ["issue", "issue_legacy", "identity_token"]
    life, back = LONGEST_LIFE, BACK_DATING
    assert (life, back) == (timedelta(hours=24), timedelta(minutes=5))
    assert (CARDS.early, CARDS.margin) == (timedelta(minutes=15), timedelta(minutes=5))
    assert (TOKENS.early, TOKENS.margin) == (timedelta(seconds=60), timedelta(seconds=30))
    trust = {field.name: field.default for field in attrs.fields(sosi.StsTrust)}
    assert (trust["allow_sha1"], trust["skew"]) == (False, timedelta(seconds=30))
    card = {field.name: field.default for field in attrs.fields(sosi.IdCard)}
    assert (card["version"], card["certificate_hash"]) == (sosi.DgwsVersion.V1_0_1, sosi.CertificateHash.SHA256)


def test_every_public_name_is_in_the_reference() -> None:
    page = (DOCS / "reference" / "api-sosi.md").read_text("utf-8")
    constants = {"TEST1", "TEST2", "TRAINING", "PRODTEST", "PRODUCTION"}  # in the table of settings
    automatic = _whole_modules(page)
    missing = [
        name
        for name in sosi.__all__
        if name not in constants and not re.search(rf"\b{name}\b", page) and sosi._HOMES[name] not in automatic
    ]
    assert missing == []


def _whole_modules(page: str) -> set[str]:
    """Modules whose members are all described."""
    return set(re.findall(r"automodule:: govfile\.sosi\.([\w.]+)\n   :members:\n", page))
