"""`govfile vero renew`: one, or all that are due, unattended; what a fleet's night looks like to cron and systemd."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from govfile.sandbox.vero.faults import Lost, SoapFault
from support.cli import Result, run
from support.vero_counter import CUSTOMER, VeroCounter, vero_counter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def vero(tmp_path: Path) -> Iterator[VeroCounter]:
    with vero_counter(tmp_path) as found:
        yield found


def _run(vero: VeroCounter, *arguments: object) -> Result:
    return run("vero", *arguments, "--config", vero.config, "--json")


def _hook(vero: VeroCounter, *program: str) -> None:
    vero.change('keys = "keys"\n', f'keys = "keys"\nafter_renewal = {list(program)}\n')


def _outcomes(found: Result) -> dict[str, str]:
    return {record["slot"].rpartition("/")[2]: record["outcome"] for record in found.kind("renewal")}


def test_it_is_refused_too_early_and_done_when_due(vero: VeroCounter) -> None:
    old = vero.holding(left=100)
    assert _run(vero, "renew").code == 5
    assert not vero.authority.requests
    issued = vero.authority.clock() - timedelta(days=725)
    vero.keys.adopt(vero.slot(), vero.authority.credential_for(CUSTOMER, issued=issued), force=True)
    found = _run(vero, "renew")
    assert found.code == 0, found.out + found.err
    assert found.kind("credential")[0]["generation"] == 3
    first, *_ = vero.keys.generations(vero.slot())
    assert first.fingerprint == old.fingerprint


def test_the_night_of_a_fleet(vero: VeroCounter) -> None:
    vero.holding("1111111-1", left=20)
    vero.holding("2222222-2", left=400)
    vero.holding("3333333-3", left=59)
    found = _run(vero, "renew", "--all", "--unattended", "--spread", 0)
    assert found.code == 0, found.out + found.err
    assert _outcomes(found) == {"1111111-1": "renewed", "2222222-2": "not due", "3333333-3": "renewed"}
    assert found.kind("summary")[0]["not_due"] == 1
    assert len(vero.authority.issued) == 2
    again = _run(vero, "renew", "--all", "--unattended")  # waits for nobody: nothing is due
    assert set(_outcomes(again).values()) == {"not due"}


def test_one_that_is_lost_stops_no_other_and_tells_by_the_exit_code(vero: VeroCounter) -> None:
    vero.holding("1111111-1", left=-3)
    vero.holding("2222222-2", left=20)
    found = _run(vero, "renew", "--all")
    assert found.code == 5
    assert _outcomes(found) == {"1111111-1": "expired: a new enrolment is needed", "2222222-2": "renewed"}
    assert found.kind("reminder")[0]["days"] == 0


def test_an_answer_that_is_lost_is_not_asked_for_again(vero: VeroCounter) -> None:
    vero.holding()
    with vero.authority.faults.during(lost=Lost.AFTER):
        assert _run(vero, "renew", "--all").code == 4
    assert _run(vero, "renew", "--all").code == 4
    assert len(vero.authority.issued) == 1


@pytest.mark.parametrize("every", [(), ("--all",)])
def test_a_fault_that_nobody_signs_is_no_refusal(vero: VeroCounter, every: tuple[str, ...]) -> None:
    vero.holding()
    with vero.authority.faults.during(soap_fault=SoapFault()):
        assert _run(vero, "renew", *every).code == 4
    with vero.authority.faults.during(fail_with=(("PKI911", "too early"),)):
        assert _run(vero, "renew", *every).code == 4, "it is not asked for again"


def test_what_is_awaited_is_nobodys_business_until_the_last_week(vero: VeroCounter) -> None:
    vero.change("slow = 0.2\n", "slow = 0.2\ngive_up = 0.3\n")
    vero.holding("1111111-1", left=30)
    with vero.authority.faults.during(never_ready=True):
        found = _run(vero, "renew", "--all")
        assert (found.code, _outcomes(found)) == (0, {"1111111-1": "asked for, not there yet"})
        vero.holding("2222222-2", left=5)
        assert _run(vero, "renew", "--all").code == 10
    assert set(_outcomes(_run(vero, "renew", "--all")).values()) == {"renewed"}


def test_the_program_of_the_profile_runs_after_it_and_is_told_of_what(vero: VeroCounter) -> None:
    vero.holding()
    code = "import os; open('told.txt', 'w').write(os.environ['GOVFILE_HOLDER'] + os.environ['GOVFILE_KEY'])"
    _hook(vero, sys.executable, "-c", code.replace("told.txt", str(vero.folder / "told.txt")))
    assert _run(vero, "renew").code == 0
    current = vero.keys.current(vero.slot())
    assert current is not None
    assert (vero.folder / "told.txt").read_text() == f"{CUSTOMER}{current.key_file.resolve()}"


@pytest.mark.parametrize("every", [(), ("--all",)])
def test_a_program_that_fails_is_told_of_and_undoes_nothing(vero: VeroCounter, every: tuple[str, ...]) -> None:
    vero.holding()
    secret = vero.papers.keys_passphrase.read_text()
    _hook(vero, sys.executable, "-c", f"print('no, not {secret[:8]} {secret}'); raise SystemExit(3)")
    found = _run(vero, "renew", *every)
    assert found.code == 9
    (hook,) = found.kind("hook")
    assert hook["why"] == "ended with 3"
    assert "no, not" in hook["output"]
    assert secret not in found.out + found.err
    assert len(vero.keys.generations(vero.slot())) == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("--all", CUSTOMER),
        ("--all", "--name", "Ab Example Oy"),
        ("--all", "--timeout", 3),
        ("--unattended",),
        ("--all",),
    ],
)
def test_a_slip_in_the_command_line_is_no_quiet_night(vero: VeroCounter, arguments: tuple[object, ...]) -> None:
    (vero.folder / "keys").mkdir()
    assert _run(vero, "renew", *arguments).code == 2


def test_a_missing_key_store_is_no_quiet_night(vero: VeroCounter) -> None:
    found = _run(vero, "renew", "--all")
    assert found.code == 5
    assert "there is no key store" in found.kind("error")[0]["what"]


def test_people_read_one_line_for_each_and_nothing_for_the_quiet_ones(vero: VeroCounter) -> None:
    vero.holding("1111111-1", left=20)
    vero.holding("2222222-2", left=400)
    found = run("vero", "renew", "--all", "--config", vero.config)
    assert found.code == 0
    lines = found.out.splitlines()
    assert lines[0].startswith(f"vero/{vero.authority.environment.name}/1111111-1: renewed, in use until ")
    assert lines[-1] == "1 of 2 not due"
    assert found.err == ""


def test_people_are_told_once_of_what_went_wrong(vero: VeroCounter) -> None:
    vero.holding("1111111-1", left=-2)
    vero.holding("2222222-2", left=20)
    _hook(vero, sys.executable, "-c", "raise SystemExit(3)")
    found = run("vero", "renew", "--all", "--config", vero.config)
    assert found.code == 9
    assert found.out.count("1111111-1: expired: a new enrolment is needed, the one in use ended on ") == 1
    assert [line.partition(" for ")[2].partition("2222222-2 ")[2] for line in found.err.splitlines()] == [
        "ended with 3; the renewal stands"
    ]
    told = run("vero", "renew", "--all", "--config", vero.config, "--debug")
    assert "govfile.certificates ERROR" in told.err
