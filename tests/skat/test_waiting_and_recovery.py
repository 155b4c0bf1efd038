"""Waiting without impatience, and coming back after a crash or with a new ledger."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from govfile.errors import (
    AuthenticationRefused,
    ConfigurationError,
    ConnectionFailed,
    CredentialError,
    DuplicateName,
    GovfileError,
    ImpossibleStep,
    InvalidContent,
    LedgerError,
    OutcomeUnknown,
    TransferRefused,
)
from govfile.filing.states import State
from govfile.transports.faulty import Fault, FaultPlan, FaultyTransport, Step
from govfile.transports.memory import MemoryTransport
from support.skat_world import CVR, HOME, LOCAL, OTHER_UUID, START, UUID, World, organisation, report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from govfile import skat

NAME = "19552101_2025_a1.zip"
HERE = {"authority": "skat", "environment": "local", "sender": CVR}


class Still:
    """Dice that add nothing."""

    def random(self) -> float:
        return 0.0


def lose_the_link(world: World, gateway: skat.Gateway) -> None:
    world.wrap = lambda inner: FaultyTransport(inner, FaultPlan.at(Step.BEFORE_REPLY))
    world.ledger.burn(**HERE, service="x", names=["x"], found="elsewhere")
    with pytest.raises(OutcomeUnknown):
        gateway.submit(report(), service="Udlaan", name=NAME)
    world.wrap = lambda inner: inner


# --- waiting ------------------------------------------------------------------------------------------------------


def test_waiting_looks_at_the_environments_pace(world: World) -> None:
    gateway = world.gateway(dice=Still())
    filed = gateway.submit(report(), service="Udlaan", name=NAME)
    final = gateway.wait(filed, into=world.into, timeout=3 * 3600)
    assert final.state is State.SENT
    assert world.clock.slept[:3] == [30, 300, 300]
    assert world.clock.slept[-2] == 1800
    assert sum(world.clock.slept) == 3 * 3600
    assert min(world.clock.slept[1:-1]) == 300, "never more often than every five minutes"


def test_waiting_ends_with_the_answer(world: World) -> None:
    gateway = world.gateway()
    filed = gateway.submit(report(), service="Udlaan", name=NAME)
    steps: Iterator[Callable[[], object]] = iter(
        [lambda: None, lambda: world.server.status("Udlaan", NAME, 1), world.server.run]
    )

    def go_on() -> None:
        next(steps, lambda: None)()

    world.clock.while_asleep = go_on
    assert gateway.wait(filed, into=world.into).state is State.ANSWERED
    assert len(world.clock.slept) == 3
    again = len(world.opened)
    assert gateway.wait(filed, into=world.into).state is State.ANSWERED
    assert len(world.opened) == again


@pytest.mark.parametrize("timeout", [float("inf"), 1e300, 0, -1])
def test_any_number_is_a_timeout(world: World, timeout: float) -> None:
    gateway = world.gateway()
    filed = gateway.submit(report(), service="Udlaan", name=NAME)
    world.clock.while_asleep = world.server.run
    assert gateway.wait(filed, into=world.into, timeout=timeout).state is State.ANSWERED
    for nonsense in (float("nan"), "ten"):
        with pytest.raises(ConfigurationError, match="number of seconds"):
            gateway.wait(filed, into=world.into, timeout=nonsense)  # type: ignore[arg-type]


def test_waiting_for_less_ends_earlier(world: World) -> None:
    gateway = world.gateway()
    filed = gateway.submit(report(), service="Udlaan", name=NAME)
    world.server.status("Udlaan", NAME, 1)
    assert gateway.wait(filed, until=State.DELIVERED, into=world.into).state is State.DELIVERED


def test_waiting_returns_a_refusal(world: World) -> None:
    gateway = world.gateway()
    filed = gateway.submit(report(), service="Udlaan", name=NAME)
    world.server.refuse("Udlaan", NAME, "X")
    assert gateway.wait(filed, into=world.into).state is State.REJECTED


def test_f15_six_hours_of_silence_are_silence_and_not_failure(world: World, caplog: pytest.LogCaptureFixture) -> None:
    gateway = world.gateway()
    filed = gateway.submit(report(), service="Udlaan", name=NAME)
    assert not gateway.is_silent(filed)
    waited = gateway.wait(filed, into=world.into, timeout=7 * 3600)
    assert waited.state is State.SENT
    assert gateway.is_silent(waited)
    assert caplog.text.count("silence, not failure") == 1
    assert [found.id for found in gateway.collect(world.into).silent] == [filed.id]
    world.server.status("Udlaan", NAME, 1)
    assert gateway.collect(world.into).silent == ()
    world.clock.advance(hours=47)
    assert not gateway.is_silent(gateway.status(filed)), "the second status may take two days"


def test_waiting_without_a_time_out_gives_up_after_a_week_and_returns_the_truth(world: World) -> None:
    gateway = world.gateway()
    filed = gateway.submit(report(), service="Udlaan", name=NAME)
    assert gateway.wait(filed, into=world.into).state is State.SENT
    assert timedelta(days=7) <= world.clock.now - START < timedelta(days=7, hours=1)


def test_waiting_settles_an_unknown_outcome_when_a_word_comes(world: World) -> None:
    gateway = world.gateway()
    lose_the_link(world, gateway)
    world.clock.while_asleep = world.server.run
    assert gateway.wait(gateway.status(NAME), into=world.into, timeout=600).state is State.ANSWERED


def test_waiting_returns_an_unknown_outcome_that_nobody_settles(world: World) -> None:
    gateway = world.gateway()
    lose_the_link(world, gateway)
    assert gateway.wait(gateway.status(NAME), into=world.into, timeout=600).state is State.UNKNOWN
    assert gateway.wait(gateway.status(NAME), into=world.into).state is State.UNKNOWN
    assert world.clock.now - START < timedelta(hours=8)


def test_waiting_for_what_was_never_sent_ends_at_once(world: World) -> None:
    world.wrap = lambda inner: FaultyTransport(inner, FaultPlan.at(Step.DATA_PORT))
    gateway = world.gateway()
    with pytest.raises(GovfileError):
        gateway.submit(report(), service="Udlaan", name=NAME)
    assert gateway.wait(gateway.status(NAME), into=world.into).state is State.PREPARED
    assert world.clock.slept == []


def test_f01_a_gateway_out_of_reach_is_looked_at_again(world: World) -> None:
    gateway = world.gateway()
    filed = gateway.submit(report(), service="Udlaan", name=NAME)
    gateway.close()
    world.server.run()
    faults = iter([Step.CONNECT, Step.LIST_LOST])

    def breaking(inner: Any) -> Any:
        step = next(faults, None)
        return FaultyTransport(inner, FaultPlan.at(step)) if step else inner

    world.wrap = breaking
    assert gateway.wait(filed, into=world.into, timeout=3600).state is State.ANSWERED
    assert len(world.clock.slept) == 3


def test_a_wait_without_one_successful_look_raises_the_reason(world: World) -> None:
    gateway = world.gateway()
    filed = gateway.submit(report(), service="Udlaan", name=NAME)
    gateway.close()
    world.wrap = lambda inner: FaultyTransport(inner, FaultPlan.at(Step.CONNECT))
    with pytest.raises(ConnectionFailed):
        gateway.wait(filed, into=world.into, timeout=1000)


def test_a_refused_login_ends_the_wait_at_once(world: World) -> None:
    gateway = world.gateway()
    filed = gateway.submit(report(), service="Udlaan", name=NAME)
    gateway.close()
    world.wrap = lambda inner: MemoryTransport(world.server, accepts_login=False)
    with pytest.raises(AuthenticationRefused):
        gateway.wait(filed, into=world.into, timeout=3600)
    assert len(world.opened) == 2


def test_l10_a_clock_that_goes_backwards_does_not_make_a_wait_endless(world: World) -> None:
    gateway = world.gateway()
    filed = gateway.submit(report(), service="Udlaan", name=NAME)
    world.clock.while_asleep = lambda: world.clock.advance(hours=-1)
    assert gateway.wait(filed, into=world.into, timeout=600).state is State.SENT
    assert len(world.clock.slept) < 40


def test_a_status_is_looked_up_by_name_or_submission(world: World) -> None:
    gateway = world.gateway()
    filed = gateway.submit(report(), service="Udlaan", name=NAME)
    assert gateway.status(NAME) == gateway.status(filed) == filed
    with pytest.raises(ConfigurationError, match="nothing was filed"):
        gateway.status("other.zip")
    elsewhere = world.gateway(environment=attrs.evolve(LOCAL, name="other"))
    with pytest.raises(ConfigurationError, match="not through this gateway"):
        elsewhere.wait(filed, into=world.into)


# --- after a crash ------------------------------------------------------------------------------------------------

CRASH = """
import os, sys, time
from datetime import UTC, datetime
from pathlib import Path
sys.path[:0] = {paths!r}
from govfile.transports.memory import MemoryTransport
from support.skat_world import World, report
world = World(Path({folder!r}))
class Dying(MemoryTransport):
    def put(self, path, content, **more):
        if {committed}:
            more["committing"]()
        os._exit(9)
world.wrap = lambda inner: Dying(world.server)
world.gateway().submit(Path({document!r}), service="Udlaan", name={name!r})
"""


def crash(world: World, document: Path, *, committed: bool) -> None:
    """Another process claims the document, starts sending it if `committed`, and dies."""
    paths = [path for path in sys.path if path]
    program = CRASH.format(
        paths=paths, folder=str(world.folder), document=str(document), name=NAME, committed=committed
    )
    result = subprocess.run([os.path.realpath(sys.executable), "-c", program], check=False, capture_output=True)
    assert result.returncode == 9, result.stderr.decode()


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "report.zip"
    path.write_bytes(report())
    return path


def test_g06_what_a_dead_process_had_only_claimed_is_sent_on_resume(world: World, document: Path) -> None:
    crash(world, document, committed=False)
    gateway = world.gateway()
    (resumed,) = gateway.resume()
    assert (resumed.submission.state, resumed.error) == (State.SENT, None)
    assert world.server.names == [NAME]
    assert gateway.resume() == ()


def test_g06_what_a_dead_process_was_sending_is_unknown_and_never_sent_again(world: World, document: Path) -> None:
    crash(world, document, committed=True)
    gateway = world.gateway()
    assert gateway.status(NAME).state is State.SENDING
    (resumed,) = gateway.resume()
    assert resumed.submission.state is State.UNKNOWN
    assert isinstance(resumed.error, OutcomeUnknown)
    assert gateway.submit(document, service="Udlaan", name=NAME).state is State.UNKNOWN
    assert world.server.arrivals == []


def test_submitting_again_after_a_crash_finds_the_truth_by_itself(world: World, document: Path) -> None:
    crash(world, document, committed=True)
    assert world.gateway().submit(document, service="Udlaan", name=NAME).state is State.UNKNOWN
    assert world.server.arrivals == []


def test_waiting_for_what_a_dead_process_was_sending_ends_with_the_truth(world: World, document: Path) -> None:
    crash(world, document, committed=True)
    gateway = world.gateway()
    waited = gateway.wait(gateway.status(NAME), into=world.into, timeout=60)
    assert waited.state is State.UNKNOWN
    assert sum(world.clock.slept) == 60


@pytest.mark.parametrize("damage", ["gone", "changed", "bytes"])
def test_a_prepared_document_that_cannot_be_found_again_is_reported(world: World, document: Path, damage: str) -> None:
    world.wrap = lambda inner: FaultyTransport(inner, FaultPlan.at(Step.DATA_PORT))
    gateway = world.gateway()
    with pytest.raises(GovfileError):
        gateway.submit(report() if damage == "bytes" else document, service="Udlaan", name=NAME)
    world.wrap = lambda inner: inner
    if damage == "gone":
        document.unlink()
    if damage == "changed":
        document.write_bytes(report(2))
    (resumed,) = gateway.resume()
    assert resumed.submission.state is State.PREPARED
    assert isinstance(resumed.error, InvalidContent)
    assert world.server.arrivals == []


def test_another_logins_prepared_document_is_left_to_it(world: World, document: Path) -> None:
    crash(world, document, committed=False)
    (resumed,) = world.gateway(organisation(OTHER_UUID)).resume()
    assert isinstance(resumed.error, CredentialError)
    assert world.server.arrivals == []


@pytest.mark.parametrize("arrived", [True, False])
def test_a_person_settles_what_is_unknown(world: World, arrived: bool) -> None:
    gateway = world.gateway()
    lose_the_link(world, gateway)
    with pytest.raises(ConfigurationError, match="reason"):
        gateway.settle(gateway.status(NAME), arrived=arrived, reason=" ")
    settled = gateway.settle(gateway.status(NAME), arrived=arrived, reason="telephone call")
    assert settled.state is (State.SENT if arrived else State.PREPARED)
    assert "telephone call" in settled.history[-1].evidence.detail
    with pytest.raises(ImpossibleStep, match="only an unknown outcome is settled by hand") as refused:
        gateway.settle(settled, arrived=arrived, reason="once more")
    assert "defect" not in str(refused.value)
    gateway.submit(report(), service="Udlaan", name=NAME)
    assert len(world.server.arrivals) == (1 if arrived else 2)


# --- a new ledger -------------------------------------------------------------------------------------------------


def fill_out(world: World) -> None:
    world.server.status("Udlaan", NAME, 1)
    world.server.status("A_b", "report_7.txt", 2)
    world.server.status("Gone.Service", "old_report.xml", 1)
    world.server.put_out("status_Lost_under_score.xml_1.xml", b"cannot be read")
    world.server.put_out("UFO_SvarFil_UFO_12345678_123.xml", b"<x/>")


def test_l07_a_new_ledger_first_learns_which_names_are_used(world: World) -> None:
    fill_out(world)
    gateway = world.gateway()
    with pytest.raises(DuplicateName):
        gateway.submit(report(), service="Udlaan", name=NAME)
    for name in ("report_7.txt", "old_report.xml", "under_score.xml", "12345678_123.xml"):
        with pytest.raises(DuplicateName):
            gateway.submit(b"x", service="A", name=name)
    assert world.server.arrivals == []
    assert gateway.submit(report(), service="Udlaan", name="19552101_2025_a2.zip").state is State.SENT


def test_l07_a_fresh_name_is_not_made_before_a_person_has_looked(world: World) -> None:
    fill_out(world)
    gateway = world.gateway()
    with pytest.raises(LedgerError, match="knows nothing of 10101010"):
        gateway.submit(b"x", service="A")
    assert gateway.submit(b"x", service="A").state is State.SENT


def test_a_new_company_files_at_once(world: World) -> None:
    assert world.gateway().submit(b"x", service="A").state is State.SENT


def test_l07_a_gateway_out_of_reach_lets_a_new_ledger_claim_nothing(world: World) -> None:
    world.wrap = lambda inner: FaultyTransport(inner, FaultPlan(faults=(Fault(step=Step.CONNECT),)))
    with pytest.raises(ConnectionFailed):
        world.gateway().submit(report(), service="Udlaan", name=NAME)
    assert list(world.ledger.search()) == []


def test_burnt_names_are_followed_but_nobody_waits_for_them(world: World) -> None:
    fill_out(world)
    gateway = world.gateway(organisation(OTHER_UUID))
    world.server.make_folder(f"/CVR_{CVR}/UI_{OTHER_UUID}/out")
    world.server.home = f"/CVR_{CVR}/UI_{UUID}"
    assert gateway.rebuild() > 0
    assert gateway.rebuild() == 0
    found = gateway.collect(world.into)
    assert found.filed_by_others == ()
    assert gateway.status(NAME).state is State.DELIVERED


# --- the retired gateway ------------------------------------------------------------------------------------------


def test_the_login_information_of_the_retired_gateway_is_read_as_it_lies_there(world: World) -> None:
    content = "Nyt kodeord: æøå\r\n".encode("latin-1")
    gateway = world.gateway()
    with pytest.raises(TransferRefused):
        gateway.login_information()
    world.server.store(f"{HOME}/NyFTPSLoginInfo/Ny_FTPS_Login_Info.txt", content)
    assert gateway.login_information() == content
