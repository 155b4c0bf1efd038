"""`MemoryTransport` and `FaultyTransport` keep the contract that the real ones keep."""

from __future__ import annotations

import hashlib
import io

import pytest

from govfile.errors import (
    AuthenticationRefused,
    ConnectionFailed,
    GovfileError,
    OutcomeUnknown,
    Phase,
    Rejected,
    TimedOut,
    TransferRefused,
)
from govfile.filing.source import Source
from govfile.transports.base import RemoteFile, TransferType
from govfile.transports.faulty import Fault, FaultPlan, FaultyTransport, Step
from govfile.transports.memory import MemoryServer, MemoryTransport

DOCUMENT = Source.of(b"0001a\n9998b\n")


def server() -> MemoryServer:
    return MemoryServer(["/Udlaan", "/out"])


def test_ascii_crosses_with_crlf() -> None:
    there = server()
    receipt = MemoryTransport(there).put("/Udlaan/a", DOCUMENT, transfer_type=TransferType.ASCII)
    assert there.files["/Udlaan/a"].data == b"0001a\r\n9998b\r\n"
    assert (receipt.bytes_sent, receipt.sha256) == (14, DOCUMENT.sha256)


def test_a_login_that_is_refused_is_refused_for_every_call() -> None:
    with pytest.raises(AuthenticationRefused):
        MemoryTransport(server(), accepts_login=False).home()


@pytest.mark.parametrize(
    ("step", "error", "committed", "stored"),
    [
        (Step.LOGIN, AuthenticationRefused, False, False),
        (Step.CONNECT, ConnectionFailed, False, False),
        (Step.DATA_PORT, TimedOut, False, False),
        (Step.STOR_REFUSED, TransferRefused, True, False),
        (Step.AFTER_STOR, OutcomeUnknown, True, False),
        (Step.DURING_DATA, OutcomeUnknown, True, False),
        (Step.BEFORE_REPLY, OutcomeUnknown, True, True),
        (Step.REJECTED, Rejected, True, False),
        (Step.BUSY_AFTER_DATA, OutcomeUnknown, True, False),
    ],
)
def test_each_step_of_an_upload_breaks_as_the_real_transport_does(
    step: Step, error: type[GovfileError], committed: bool, stored: bool
) -> None:
    there, called = server(), []
    transport = FaultyTransport(MemoryTransport(there), FaultPlan.at(step))
    with pytest.raises(error) as caught:
        transport.put("/Udlaan/a", DOCUMENT, committing=lambda: called.append(1))
    assert bool(called) is committed
    assert ("/Udlaan/a" in there.files) is stored
    assert [fault.step for fault in transport.happened] == [step]
    if isinstance(caught.value, Rejected):
        assert caught.value.phase is Phase.CONFIRM


def test_after_its_fault_a_plan_lets_things_pass_except_the_login() -> None:
    there = server()
    transport = FaultyTransport(MemoryTransport(there), FaultPlan.at(Step.DATA_PORT))
    with pytest.raises(TimedOut):
        transport.put("/Udlaan/a", DOCUMENT)
    assert transport.put("/Udlaan/a", DOCUMENT).reply.startswith("226")
    locked = FaultyTransport(MemoryTransport(there), FaultPlan.at(Step.LOGIN))
    for _ in range(2):
        with pytest.raises(AuthenticationRefused):
            locked.home()


def test_a_broken_upload_leaves_behind_what_was_asked_for() -> None:
    there = server()
    plan = FaultPlan(faults=(Fault(step=Step.DURING_DATA, nth=2, left_behind=4),))
    transport = FaultyTransport(MemoryTransport(there), plan)
    transport.put("/Udlaan/a", DOCUMENT)
    with pytest.raises(OutcomeUnknown):
        transport.put("/Udlaan/b", DOCUMENT)
    assert there.files["/Udlaan/a"].data == b"0001a\n9998b\n"
    assert there.files["/Udlaan/b"].data == b"0001"


@pytest.mark.parametrize("step", [Step.CONNECT, Step.AFTER_STOR, Step.BEFORE_REPLY])
def test_g06_an_interrupt_can_be_planned_at_any_step(step: Step) -> None:
    transport = FaultyTransport(MemoryTransport(server()), FaultPlan(faults=(Fault(step=step, interrupt=True),)))
    with pytest.raises(KeyboardInterrupt):
        transport.put("/Udlaan/a", DOCUMENT)


def test_downloads_listings_and_removals_break_too() -> None:
    there = server()
    there.store("/out/a", b"0123456789")
    plan = FaultPlan.at(Step.LIST_LOST, Step.LIST_EMPTY, Step.GET_GONE, Step.GET_LOST, Step.REMOVE_REFUSED)
    transport = FaultyTransport(MemoryTransport(there), plan)
    with pytest.raises(ConnectionFailed):
        transport.list("/out")
    assert transport.list("/out") == []
    assert transport.list("/out") == [RemoteFile(name="a", size=10, modified=there.files["/out/a"].modified)]
    with pytest.raises(TransferRefused, match="550"):
        transport.get("/out/a", io.BytesIO())
    half = io.BytesIO()
    with pytest.raises(ConnectionFailed):
        transport.get("/out/a", half)
    assert half.getvalue() == b"01234"
    with pytest.raises(TransferRefused):
        transport.remove("/out/a")
    transport.remove("/out/a")
    assert there.files == {}


def test_a_seed_breaks_the_same_things_each_time() -> None:
    def run(seed: int) -> list[str]:
        there = server()
        transport = FaultyTransport(MemoryTransport(there), FaultPlan(seed=seed, rate=0.2))
        story = []
        for number in range(60):
            content = Source.of(str(number).encode())
            try:
                transport.put(f"/Udlaan/{number}", content)
                story.append("sent")
            except GovfileError as error:
                story.append(type(error).__name__)
        return story

    assert run(1) == run(1)
    assert run(1) != run(2)
    assert {"sent", "OutcomeUnknown", "TransferRefused", "Rejected"} <= set(run(1))


def test_the_faulty_transport_says_where_it_is_and_closes() -> None:
    inner = MemoryTransport(server())
    transport = FaultyTransport(inner, FaultPlan())
    assert (transport.endpoint, transport.home()) == ("memory", "/")
    transport.close()
    assert inner.closed
    assert hashlib.sha256(b"").hexdigest() == transport.put("/Udlaan/a", Source.of(b"")).sha256
