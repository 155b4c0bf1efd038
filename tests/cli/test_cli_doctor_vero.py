"""`govfile doctor vero`: each step broken alone is named, with its own remedy, and nothing is asked for."""

from __future__ import annotations

import socket
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from govfile.cli.doctor.vero import REMEDIES
from govfile.sandbox.vero.faults import Lost
from support.cli import Result, run
from support.vero_counter import CUSTOMER, VeroCounter, vero_counter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def vero(tmp_path: Path) -> Iterator[VeroCounter]:
    with vero_counter(tmp_path) as found:
        yield found


def _doctor(vero: VeroCounter) -> Result:
    return run("doctor", "vero", "--config", vero.config, "--json")


def _results(found: Result) -> dict[str, str]:
    return {check["step"]: check["result"] for check in found.kind("check")}


def test_a_sound_set_up_passes_every_step_and_asks_for_nothing(vero: VeroCounter) -> None:
    vero.holding(left=300)
    found = _doctor(vero)
    assert found.code == 0, found.out
    assert list(_results(found)) == list(REMEDIES)
    assert set(_results(found).values()) == {"ok"}
    assert {call.operation for call in vero.authority.requests} <= {"", "SendEcho"}
    beside = run("vero", "doctor", "--config", vero.config, "--json")
    assert (beside.code, _results(beside)) == (0, _results(found))


def test_what_is_due_is_a_warning(vero: VeroCounter) -> None:
    vero.holding(left=30)
    found = _doctor(vero)
    assert (found.code, _results(found)["validity"]) == (0, "warning")


def _no_anchors(vero: VeroCounter) -> None:
    vero.change('authorities = "authorities.pem"\n', "")


def _no_passphrase(vero: VeroCounter) -> None:
    vero.change('{ file = "keys-passphrase.txt" }', '{ env = "GOVFILE_TEST_UNSET" }')


def _wrong_passphrase(vero: VeroCounter) -> None:
    vero.papers.keys_passphrase.write_text("not the passphrase, 1")


def _another_customer(vero: VeroCounter) -> None:
    vero.change(f'customer = "{CUSTOMER}"', 'customer = "7654321-0"')


def _expired(vero: VeroCounter) -> None:
    issued = vero.authority.clock() - timedelta(days=800)
    vero.keys.adopt(vero.slot(), vero.authority.credential_for(CUSTOMER, issued=issued), force=True)


def _unknown(vero: VeroCounter) -> None:
    vero.holding("2222222-2", left=20)
    with vero.authority.faults.during(lost=Lost.AFTER):
        assert run("vero", "renew", "2222222-2", "--config", vero.config).code == 4


def _nobody_listens(vero: VeroCounter) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    vero.change(f'url = "{vero.authority.environment.url}"', f'url = "https://127.0.0.1:{port}"')


def _other_anchors(vero: VeroCounter) -> None:
    vero.papers.trust.write_bytes(vero.papers.authorities.read_bytes())


def _clients_refused(vero: VeroCounter) -> None:
    vero.authority.faults.refuses_clients = True


def _clock_off(vero: VeroCounter) -> None:
    vero.authority.faults.date_off = timedelta(days=2)


@pytest.mark.parametrize(
    ("spoil", "step", "code"),
    [
        (_no_anchors, "authorities", 2),
        (_no_passphrase, "passphrase", 2),
        (_wrong_passphrase, "key store", 5),
        (_another_customer, "customers", 5),
        (_expired, "validity", 5),
        (_unknown, "pending", 4),
        (_nobody_listens, "port", 6),
        (_other_anchors, "service", 6),
        (_clients_refused, "register", 5),
        (_clock_off, "clock", 2),
    ],
)
def test_the_step_that_is_broken_is_named_alone(
    vero: VeroCounter, spoil: Callable[[VeroCounter], None], step: str, code: int
) -> None:
    vero.holding(left=300)
    spoil(vero)
    found = _doctor(vero)
    failed = [check for check in found.kind("check") if check["result"] == "failed"]
    assert failed[0]["step"] == step, found.out
    assert REMEDIES[step] in failed[0]["remedy"]
    assert failed[0]["exit"] == code, failed


def test_keys_in_clear_text_are_warned_of(vero: VeroCounter) -> None:
    vero.change('keys_passphrase = { file = "keys-passphrase.txt" }', "keys_passphrase = false")
    assert _results(_doctor(vero))["passphrase"] == "warning"


def test_a_first_request_under_way_is_no_fault(vero: VeroCounter) -> None:
    vero.change("slow = 0.2\n", "slow = 0.2\ngive_up = 0.2\n")
    with vero.authority.faults.during(never_ready=True):
        assert run("vero", "enrol", "--codes", vero.codes, "--config", vero.config).code == 10
    found = _doctor(vero)
    assert found.code == 0, found.out
    assert (_results(found)["pending"], _results(found)["register"]) == ("warning", "ok")


def test_an_environment_without_a_register_is_no_fault(vero: VeroCounter) -> None:
    vero.holding(left=300)
    environment = vero.authority.environment
    assert environment.register is not None
    vero.change(f'register = "{environment.register.url}"\n', "")
    assert _doctor(vero).code == 0
