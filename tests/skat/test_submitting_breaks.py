"""Filing one document: what is recorded, and what is never done again, however the upload ends."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from govfile import skat
from govfile.errors import (
    AuthenticationRefused,
    ConnectionFailed,
    CredentialError,
    DuplicateName,
    GovfileError,
    LedgerError,
    OutcomeUnknown,
    Rejected,
    TransferAborted,
    TransferRefused,
)
from govfile.filing.ledger.owners import Owner
from govfile.filing.states import Proof, State
from govfile.transports.faulty import Fault, FaultPlan, FaultyTransport, Step
from govfile.transports.memory import MemoryTransport
from support.ledgers import Forgetful
from support.pki import oces3
from support.skat_world import CVR, OTHER_UUID, REUSED, World, organisation, report

NAME = "19552101_2025_a1.zip"

BREAKS = [
    (Fault(step=Step.CONNECT), State.PREPARED, ConnectionFailed),
    (Fault(step=Step.LOGIN), State.PREPARED, AuthenticationRefused),
    (Fault(step=Step.LIST_LOST), State.PREPARED, ConnectionFailed),
    (Fault(step=Step.STOR_REFUSED), State.PREPARED, TransferRefused),
    (Fault(step=Step.STOR_REFUSED, code=450), State.PREPARED, TransferRefused),
    (Fault(step=Step.AFTER_STOR), State.UNKNOWN, OutcomeUnknown),
    (Fault(step=Step.AFTER_STOR, left_behind=0), State.UNKNOWN, OutcomeUnknown),
    (Fault(step=Step.DURING_DATA, left_behind=50), State.UNKNOWN, OutcomeUnknown),
    (Fault(step=Step.BEFORE_REPLY), State.UNKNOWN, OutcomeUnknown),
    (Fault(step=Step.BUSY_AFTER_DATA), State.UNKNOWN, OutcomeUnknown),
    (Fault(step=Step.REJECTED), State.UNKNOWN, Rejected),
]


@pytest.mark.parametrize(("fault", "state", "error"), BREAKS, ids=lambda value: getattr(value, "name", None))
def test_f09_f11_each_break_leaves_the_truth_in_the_ledger(
    world: World, fault: Fault, state: State, error: type[GovfileError]
) -> None:
    world.ledger.burn(authority="skat", environment="local", sender=CVR, service="Udlaan", names=["x.zip"], found="out")
    world.wrap = lambda inner: FaultyTransport(inner, FaultPlan(faults=(fault,)))
    gateway = world.gateway()
    with pytest.raises(error) as broken:
        gateway.submit(report(), service="Udlaan", name=NAME)
    recorded = gateway.status(NAME)
    assert recorded.state is state
    if isinstance(broken.value, OutcomeUnknown | Rejected):
        assert broken.value.submission == recorded
    before = len(world.server.arrivals)
    world.wrap = lambda inner: inner
    again = world.gateway().submit(report(), service="Udlaan", name=NAME)
    if state is State.UNKNOWN:
        assert again == recorded, "what may have arrived is never sent again"
        assert len(world.server.arrivals) == before
    else:
        assert (again.id, again.state) == (recorded.id, State.SENT)
        assert world.server.names == [NAME]


def test_g06_ctrl_c_after_the_start_is_recorded_and_passes_through(world: World) -> None:
    fault = Fault(step=Step.DURING_DATA, left_behind=10, interrupt=True)
    world.wrap = lambda inner: FaultyTransport(inner, FaultPlan(faults=(fault,)))
    gateway = world.gateway()
    with pytest.raises(KeyboardInterrupt):
        gateway.submit(report(), service="Udlaan", name=NAME)
    recorded = gateway.status(NAME)
    assert recorded.state is State.UNKNOWN
    assert recorded.history[-1].evidence.detail == "KeyboardInterrupt while sending"


@pytest.mark.parametrize(("nth", "state"), [(1, State.PREPARED), (2, State.UNKNOWN)])
def test_g05_a_progress_callback_that_raises_stops_cleanly(world: World, nth: int, state: State) -> None:
    calls: list[int] = []

    def progress(done: int, size: int | None) -> None:
        calls.append(done)
        if len(calls) == nth:
            raise ValueError("stop")

    gateway = world.gateway()
    with pytest.raises(OutcomeUnknown if state is State.UNKNOWN else TransferAborted):
        gateway.submit(report(), service="Udlaan", name=NAME, progress=progress)
    assert gateway.status(NAME).state is state
    assert world.server.arrivals == []


def test_an_error_of_the_transports_own_making_is_never_let_out_bare(world: World) -> None:
    class Odd(MemoryTransport):
        def put(self, path: str, content: Any, **settings: Any) -> Any:
            settings["committing"]()
            raise RuntimeError("the document says 0101701234")

    world.wrap = lambda inner: Odd(world.server)
    gateway = world.gateway()
    with pytest.raises(OutcomeUnknown) as broken:
        gateway.submit(report(), service="Udlaan", name=NAME)
    assert isinstance(broken.value.__cause__, RuntimeError)
    assert "0101701234" not in str(broken.value)
    assert "0101701234" not in repr(gateway.status(NAME))


def test_f10_a_name_the_server_refuses_as_used_is_burnt_here_too(world: World) -> None:
    class Refusing(MemoryTransport):
        def put(self, path: str, content: Any, **settings: Any) -> Any:
            settings["committing"]()
            reply = f"550 {REUSED}"
            raise TransferRefused(f"the server refused: {reply}", code=550, reply=reply)

    world.wrap = lambda inner: Refusing(world.server)
    gateway = world.gateway()
    with pytest.raises(DuplicateName, match="used before") as refused:
        gateway.submit(report(), service="Udlaan", name=NAME)
    assert refused.value.submission is not None
    assert refused.value.submission.state is State.REJECTED
    assert gateway.submit(report(), service="Udlaan", name=NAME).state is State.REJECTED
    assert world.server.arrivals == []


def test_a_server_that_confirms_other_bytes_leaves_the_outcome_unknown(world: World) -> None:
    import attrs

    class Lying(MemoryTransport):
        def put(self, path: str, content: Any, **settings: Any) -> Any:
            return attrs.evolve(super().put(path, content, **settings), sha256="0" * 64)

    world.wrap = lambda inner: Lying(world.server)
    gateway = world.gateway()
    with pytest.raises(OutcomeUnknown, match="changed while it was sent"):
        gateway.submit(report(), service="Udlaan", name=NAME)
    assert gateway.status(NAME).state is State.UNKNOWN


def test_a_ledger_that_fails_after_the_confirmation_loses_nothing_and_sends_nothing_again(world: World) -> None:
    ledger = Forgetful(world.ledger, Proof.CONFIRMED)
    gateway = world.gateway(ledger=ledger)
    with pytest.raises(LedgerError) as broken:
        gateway.submit(report(), service="Udlaan", name=NAME)
    assert "226" in broken.value.certain
    assert gateway.status(NAME).state is State.SENDING
    with pytest.raises(LedgerError):  # still full
        gateway.submit(report(), service="Udlaan", name=NAME)
    ledger.proof = None
    assert gateway.submit(report(), service="Udlaan", name=NAME).state is State.SENT
    assert "226" in gateway.status(NAME).history[-1].evidence.detail
    assert world.server.names == [NAME]


def test_a_ledger_that_fails_while_a_break_is_recorded_is_caught_up_later(world: World) -> None:
    ledger = Forgetful(world.ledger, Proof.LINK_LOST)
    world.wrap = lambda inner: FaultyTransport(inner, FaultPlan.at(Step.BEFORE_REPLY))
    gateway = world.gateway(ledger=ledger)
    with pytest.raises(OutcomeUnknown) as broken:
        gateway.submit(report(), service="Udlaan", name=NAME)
    assert any("could not record" in note for note in broken.value.__notes__)
    ledger.proof = None
    assert gateway.submit(report(), service="Udlaan", name=NAME).state is State.UNKNOWN
    assert world.server.names == [NAME]


def test_a_ledger_that_cannot_note_the_start_lets_nothing_leave(world: World) -> None:
    class Full(Forgetful):
        def start(self, _submission_id: str, **_: Any) -> None:
            raise LedgerError("the disk is full")

    gateway = world.gateway(ledger=Full(world.ledger, Proof.NOTED))
    with pytest.raises(LedgerError, match="full"):
        gateway.submit(report(), service="Udlaan", name=NAME)
    assert world.server.arrivals == []
    assert gateway.status(NAME).state is State.PREPARED


@pytest.mark.parametrize("breaks", [LedgerError("the server is gone"), KeyboardInterrupt()])
@pytest.mark.parametrize("comes_back", [True, False])
def test_a_start_that_took_effect_without_a_word_is_taken_back(
    world: World, breaks: BaseException, comes_back: bool
) -> None:
    """Else it would look, to this process and all others, as if it were being sent, for as long as this one lives."""

    class Mute(Forgetful):
        is_gone = False

        def start(self, submission_id: str, **more: Any) -> None:
            assert self._ledger.start(submission_id, **more) is not None
            self.is_gone = not comes_back
            raise breaks

        def take_back(self, submission_id: str, by: Any) -> Any:
            if self.is_gone:
                raise LedgerError("the server is still gone")
            return self._ledger.take_back(submission_id, by)

    ledger = Mute(world.ledger, Proof.NOTED)
    gateway = world.gateway(ledger=ledger)
    with pytest.raises(type(breaks)):
        gateway.submit(report(), service="Udlaan", name=NAME)
    assert gateway.status(NAME).state is (State.PREPARED if comes_back else State.SENDING)
    ledger.is_gone = False
    ledger.start = world.ledger.start  # type: ignore[assignment,method-assign]
    assert gateway.submit(report(), service="Udlaan", name=NAME).state is State.SENT
    assert world.server.names == [NAME]


def test_only_the_start_itself_is_taken_back(world: World) -> None:
    gateway = world.gateway()
    filed = gateway.submit(report(), service="Udlaan", name=NAME)
    assert world.ledger.take_back(filed.id, Owner.here()) == filed
    world.wrap = lambda inner: FaultyTransport(inner, FaultPlan.at(Step.DATA_PORT))
    gateway.close()
    with pytest.raises(GovfileError):
        gateway.submit(report(2), service="Udlaan", name="19552101_2025_a2.zip")
    other = gateway.status("19552101_2025_a2.zip")
    started = world.ledger.start(other.id)
    assert world.ledger.take_back(other.id, Owner.here()) == started, "another thread's"


def test_f06_a_refused_login_is_never_tried_again(world: World) -> None:
    world.wrap = lambda inner: MemoryTransport(world.server, accepts_login=False)
    gateway = world.gateway()
    for _ in range(3):
        with pytest.raises(AuthenticationRefused):
            gateway.services()
    assert len(world.opened) == 1


def test_f17_two_threads_with_one_document_send_it_once(world: World) -> None:
    barrier, results = threading.Barrier(8), []

    def file() -> None:
        gateway = world.gateway()
        barrier.wait()
        results.append(gateway.submit(report(), service="Udlaan", name=NAME))

    threads = [threading.Thread(target=file) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({found.id for found in results}) == 1
    assert world.server.names == [NAME]


def test_a_claim_of_another_login_is_left_to_it(world: World) -> None:
    world.wrap = lambda inner: FaultyTransport(inner, FaultPlan.at(Step.DATA_PORT))
    with pytest.raises(GovfileError):
        world.gateway().submit(report(), service="Udlaan", name=NAME)
    world.wrap = lambda inner: inner
    with pytest.raises(CredentialError, match="was claimed by"):
        world.gateway(organisation(OTHER_UUID)).submit(report(), service="Udlaan", name=NAME)
    assert world.server.arrivals == []


def test_test_filings_never_stand_in_the_way_of_real_ones(world: World) -> None:
    import attrs

    real = attrs.evolve(skat.Environment(name="real", host="localhost", is_test=None))
    world.gateway().submit(report(), service="Udlaan", name=NAME)
    world.gateway(environment=real).submit(report(), service="Udlaan", name=NAME)
    assert world.server.names == [NAME, NAME]


def test_g07_a_child_process_does_not_touch_its_parents_connection(world: World) -> None:
    import os

    gateway = world.gateway()
    gateway.services()
    (parents,) = world.opened
    assert isinstance(parents, MemoryTransport)
    child = os.fork()
    if child == 0:  # pragma: no cover the child's own process
        gateway.services()
        gateway.close()
        os._exit(0 if len(world.opened) == 2 and not parents.closed else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_l09_a_filing_does_not_show_its_document() -> None:
    assert "0101010101" not in repr(skat.Filing(document=b"of a person: 0101010101", name=NAME))


def test_l09_no_password_shows_anywhere(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    gateway = world.gateway()
    gateway.submit(report(), service="Udlaan", name=NAME)
    shown = (
        repr(gateway)
        + repr(vars(gateway))
        + caplog.text
        + Path(world.folder / "filings.db").read_bytes().decode("latin-1")
    )
    assert "a password of the tests" not in shown
    assert oces3(cvr=CVR) is not None
