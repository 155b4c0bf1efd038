"""`govfile doctor sosi`: each step broken alone is named, with its own remedy, and nothing else is blamed."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from govfile.cli.doctor.checks import MADE
from govfile.cli.doctor.sosi import REMEDIES, Examination
from govfile.cli.doctor.steps import Mark, examine
from govfile.cli.output import Output
from govfile.cli.session import Session
from govfile.sandbox.sosi import Spoilt
from support.cli import Result, run
from support.sosi_desk import SosiDesk, sosi_desk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ALL = list(REMEDIES)
TOKENS = '\ntokens = "tokens"\ntokens_key = { file = "tokens.key" }\ncard = '


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[SosiDesk]:
    with sosi_desk(tmp_path) as found:
        yield found


def _doctor(desk: SosiDesk) -> Result:
    return run("doctor", "sosi", "--config", desk.config, "--json")


def _results(found: Result) -> dict[str, str]:
    return {check["step"]: check["result"] for check in found.kind("check")}


def _check(found: Result, step: str) -> dict[str, str]:
    (check,) = [check for check in found.kind("check") if check["step"] == step]
    return check


def test_a_sound_set_up_passes_every_step_and_asks_for_one_card(desk: SosiDesk) -> None:
    found = _doctor(desk)
    assert found.code == 0, found.out
    assert list(_results(found)) == ALL
    assert set(_results(found).values()) == {"ok"}
    assert [answered.service for answered in desk.authority.answered] == ["new"]
    assert "0101001234" not in found.out
    assert "Person" not in found.out


def test_it_is_found_beside_the_other_commands_too(desk: SosiDesk) -> None:
    beside = run("sosi", "doctor", "--config", desk.config, "--json")
    assert (beside.code, list(_results(beside))) == (0, ALL)


def _nobody_believed(desk: SosiDesk) -> None:
    desk.config.write_text(desk.config.read_text().partition("federation =")[0])


def _short_key(desk: SosiDesk) -> None:
    desk.write("tokens.key", b"c2hvcnQ=")
    desk.change("\ncard = ", TOKENS)


def _no_passphrase(desk: SosiDesk) -> None:
    desk.change('{ file = "employee-passphrase.txt" }', '{ env = "GOVFILE_TEST_UNSET" }')


def _wrong_passphrase(desk: SosiDesk) -> None:
    desk.papers.employee_passphrase.write_text("not the passphrase, 1")


def _expired(desk: SosiDesk) -> None:
    now = datetime.now(UTC)
    desk.sign_with(desk.authority.register(valid=(now - timedelta(days=900), now - timedelta(days=3))))


def _a_system(desk: SosiDesk) -> None:
    desk.sign_with(desk.authority.system)


def _other_company(desk: SosiDesk) -> None:
    desk.change("card = { ", 'card = { care_provider = {cvr = "10101010", name = "Another"}, ')


def _no_role(desk: SosiDesk) -> None:
    desk.change(', role = "7170"', "")


def _no_such_host(desk: SosiDesk) -> None:
    desk.change(desk.authority.base_url, "https://sts.invalid:8443")


def _closed_port(desk: SosiDesk) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free = taken.getsockname()[1]
    desk.change(f":{desk.authority.port}", f":{free}")


def _other_anchor(desk: SosiDesk) -> None:
    desk.change('tls = "servers-ca.pem"', 'tls = "federation-ca.pem"')


def _unknown_role(desk: SosiDesk) -> None:
    desk.change('role = "7170"', 'role = "5166"')


def _not_an_sts(desk: SosiDesk) -> None:
    desk.authority.faults.page = True


def _spoilt(desk: SosiDesk) -> None:
    desk.authority.faults.spoilt = Spoilt.ALTERED


def _other_signer(desk: SosiDesk) -> None:
    desk.change('cvr = "10101010"', 'cvr = "30808460"')


BROKEN: list[tuple[Callable[[SosiDesk], None], str, int, str]] = [
    (_nobody_believed, "trust", 2, "pinned"),
    (_short_key, "tokens", 2, "openssl rand"),
    (_no_passphrase, "passphrase", 2, "env, file or keyring"),
    (_wrong_passphrase, "certificate", 5, "govfile cert inspect"),
    (_expired, "validity", 5, "renew it"),
    (_a_system, "card", 2, "IdCard.user"),
    (_other_company, "card", 2, "care provider"),
    (_no_role, "card", 2, "Example Lab"),
    (_no_such_host, "name lookup", 6, "health data network"),
    (_closed_port, "port", 6, "firewall"),
    (_other_anchor, "server identity", 6, "`tls` in the profile"),
    (_unknown_role, "signing", 3, "authorisation"),
    (_not_an_sts, "signing", 9, "as the STS says"),
    (_spoilt, "signer", 9, "compare the signer"),
    (_other_signer, "signer", 9, "compare the signer"),
]


@pytest.mark.parametrize(("break_it", "step", "code", "remedy"), BROKEN)
def test_each_fault_is_found_where_it_is(
    desk: SosiDesk, break_it: Callable[[SosiDesk], None], step: str, code: int, remedy: str
) -> None:
    break_it(desk)
    found = _doctor(desk)
    failed = [name for name, result in _results(found).items() if result == "failed"]
    assert failed == [step], found.out
    assert remedy in _check(found, step)["remedy"]
    assert found.code == code


def test_a_clock_that_is_off_is_found_by_what_the_service_says(desk: SosiDesk) -> None:
    desk.authority.faults.date_off = timedelta(minutes=10)
    found = _doctor(desk)
    assert _check(found, "clock")["result"] == "failed"
    assert "service's clock says" in _check(found, "clock")["text"]


def test_a_clock_from_before_this_version_is_wrong_whatever_anybody_says(desk: SosiDesk) -> None:
    examination = Examination(Session(out=Output(), config=desk.config), lambda: MADE - timedelta(days=1))
    findings = {finding.step: finding for finding in examine(examination.steps())}
    assert findings["clock"].mark is Mark.FAILED
    assert findings["validity"].mark is Mark.FAILED


def test_a_certificate_near_its_end_is_a_warning(desk: SosiDesk) -> None:
    now = datetime.now(UTC)
    desk.sign_with(
        desk.authority.register(
            cpr="0202021235",
            given_name="Test",
            surname="Other",
            valid=(now - timedelta(days=900), now + timedelta(days=9)),
        )
    )
    found = _doctor(desk)
    assert _check(found, "validity")["result"] == "warning"


def test_pinned_certificates_near_their_end_are_a_warning(desk: SosiDesk) -> None:
    desk.config.write_text(
        desk.config.read_text().partition("federation =")[0] + 'pinned = "sts.pem"\nallow_sha1 = true\n'
    )
    assert _doctor(desk).code == 0
    examination = Examination(
        Session(out=Output(), config=desk.config),
        lambda: desk.authority.sts_certificate.not_valid_after_utc - timedelta(days=9),
    )
    steps = {step.name: step for step in examination.steps()}
    assert "ends on" in steps["trust"].check().remedy
    late = Examination(
        Session(out=Output(), config=desk.config),
        lambda: desk.authority.sts_certificate.not_valid_after_utc + timedelta(days=1),
    )
    findings = {finding.step: finding for finding in examine([step for step in late.steps() if step.name == "trust"])}
    assert findings["trust"].mark is Mark.FAILED
