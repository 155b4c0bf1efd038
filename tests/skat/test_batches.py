"""Many documents over several connections: one bad file never stops the others."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from govfile import skat
from govfile.errors import (
    AuthenticationRefused,
    ConfigurationError,
    ConnectionFailed,
    DuplicateContent,
    DuplicateName,
    GovfileError,
    InvalidContent,
    OutcomeUnknown,
)
from govfile.filing.states import State
from govfile.filing.submission import Submission
from govfile.skat import batch
from govfile.transports.faulty import Fault, FaultPlan, FaultyTransport, Step
from govfile.transports.memory import MemoryTransport
from support.ledgers import interrupted_at
from support.skat_world import World, report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def filings(count: int, start: int = 0) -> list[skat.Filing]:
    return [
        skat.Filing(document=report(number), name=f"19552101_2025_n{number}.zip")
        for number in range(start, start + count)
    ]


def outcomes(results: Any) -> list[Submission | GovfileError]:
    return [outcome for _, outcome in results]


@pytest.mark.parametrize("connections", [1, 4])
def test_every_document_is_sent_once_whatever_the_number_of_connections(world: World, connections: int) -> None:
    results = outcomes(world.gateway().submit_many(filings(130), service="Udlaan", connections=connections))
    assert {result.state for result in results if isinstance(result, Submission)} == {State.SENT}
    assert sorted(world.server.names) == sorted(f"19552101_2025_n{number}.zip" for number in range(130))
    assert len(world.opened) <= connections + 1
    again = outcomes(world.gateway().submit_many(filings(130), service="Udlaan", connections=connections))
    assert {result.id for result in results if isinstance(result, Submission)} == {
        result.id for result in again if isinstance(result, Submission)
    }
    assert len(world.server.names) == 130


def test_many_big_documents_are_not_all_read_ahead(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Documents are held in memory from their check to their confirmation: so many bytes of them, not so many files."""
    monkeypatch.setattr(batch, "HELD_AT_ONCE", 1000)
    ahead: list[int] = []
    read = 0

    def documents() -> Iterator[bytes]:
        nonlocal read
        for number in range(60):
            read += 1
            ahead.append(read - len(world.server.arrivals))
            yield b"<a>%03d%s</a>" % (number, b" " * 190)

    results = outcomes(world.gateway().submit_many(documents(), service="A", connections=2))
    assert [result.state for result in results if isinstance(result, Submission)] == [State.SENT] * 60
    assert max(ahead) <= 12


def test_one_bad_document_never_stops_the_others(world: World, tmp_path: Path) -> None:
    documents: list[Any] = [
        *filings(3),
        tmp_path / "missing.zip",
        skat.Filing(document=b"no zip", name="19552101_2025_bad.zip"),
        skat.Filing(document=report(1), name="19552101_2025_twice.zip"),
        skat.Filing(document=report(9), name="19552101_2025_n2.zip"),
        *filings(3, start=10),
    ]
    results = outcomes(world.gateway().submit_many(documents, service="Udlaan", connections=2))
    assert len(results) == len(documents)
    kinds = [type(result) for result in results if isinstance(result, GovfileError)]
    assert sorted(kind.__name__ for kind in kinds) == sorted(
        kind.__name__ for kind in (InvalidContent, InvalidContent, DuplicateContent, DuplicateName)
    )
    assert len(world.server.names) == 6


def test_each_result_comes_with_its_document(world: World, tmp_path: Path) -> None:
    paths = []
    for number in range(5):
        path = tmp_path / f"19552101_2025_p{number}.zip"
        path.write_bytes(report(number))
        paths.append(path)
    for document, outcome in world.gateway().submit_many(paths, service="Udlaan", connections=3):
        assert isinstance(outcome, Submission)
        assert str(document) == outcome.source_path
        assert outcome.name == document.name  # type: ignore[union-attr]


def breaking(step: Step, nth: int = 1) -> Callable[[Any], Any]:
    return lambda inner: FaultyTransport(inner, FaultPlan(faults=(Fault(step=step, nth=nth),)))


def test_a_link_lost_for_one_is_unknown_for_that_one_only(world: World) -> None:
    world.gateway().submit(report(99), service="Udlaan", name="19552101_2025_first.zip")
    lost = iter([True])

    def wrap(inner: Any) -> Any:
        return breaking(Step.BEFORE_REPLY, 3)(inner) if next(lost, False) else inner

    world.wrap = wrap
    results = outcomes(world.gateway().submit_many(filings(10), service="Udlaan"))
    unknown = [result for result in results if isinstance(result, OutcomeUnknown)]
    assert len(unknown) == 1
    assert unknown[0].submission is not None
    assert unknown[0].submission.state is State.UNKNOWN
    assert len(world.server.names) == 11


def test_a_refused_login_ends_the_batch_and_leaves_it_prepared(world: World) -> None:
    world.ledger.burn(
        authority="skat", environment="local", sender="10101010", service="x", names=["x"], found="elsewhere"
    )
    tries: list[str] = []

    class Refusing(MemoryTransport):
        def home(self) -> str:
            tries.append("password")
            time.sleep(0.01)  # lets the other connections come as far, if they may
            return super().home()

    world.wrap = lambda inner: Refusing(world.server, accepts_login=False)
    gateway = world.gateway()
    results = outcomes(gateway.submit_many(filings(20), service="Udlaan", connections=4))
    assert {type(result) for result in results} == {AuthenticationRefused}
    assert {found.state for found in world.ledger.search() if found.sha256} == {State.PREPARED}
    with pytest.raises(AuthenticationRefused):
        gateway.submit(report(1), service="Udlaan", name="19552101_2025_n1.zip")
    assert {type(result) for result in outcomes(gateway.submit_many(filings(9), service="Udlaan"))} == {
        AuthenticationRefused
    }
    assert tries == ["password"], "accounts may lock: one try, whatever the number of connections and calls"


def test_a_gateway_out_of_reach_is_not_tried_a_thousand_times(world: World) -> None:
    world.ledger.burn(
        authority="skat", environment="local", sender="10101010", service="x", names=["x"], found="elsewhere"
    )
    world.wrap = breaking(Step.CONNECT)
    results = outcomes(world.gateway().submit_many(filings(50), service="Udlaan"))
    assert {type(result) for result in results} == {ConnectionFailed}
    assert len(world.opened) == 3
    world.wrap = lambda inner: inner
    again = outcomes(world.gateway().submit_many(filings(50), service="Udlaan"))
    assert {result.state for result in again if isinstance(result, Submission)} == {State.SENT}


def test_g06_stopping_early_leaves_the_rest_prepared(world: World) -> None:
    results = world.gateway().submit_many(iter(filings(300)), service="Udlaan", connections=2)
    next(results)
    results.close()  # type: ignore[attr-defined]
    states = [found.state for found in world.ledger.search()]
    assert set(states) <= {State.SENT, State.PREPARED}
    assert states.count(State.SENT) == len(world.server.names) < 300


def test_an_interruption_in_a_worker_reaches_the_caller(world: World) -> None:
    fault = Fault(step=Step.DURING_DATA, nth=2, left_behind=5, interrupt=True)
    world.gateway().submit(report(99), service="Udlaan", name="19552101_2025_first.zip")
    world.wrap = lambda inner: FaultyTransport(inner, FaultPlan(faults=(fault,)))
    with pytest.raises(KeyboardInterrupt):
        list(world.gateway().submit_many(filings(5), service="Udlaan"))
    states = sorted(found.state.name for found in world.ledger.search())
    assert states.count("UNKNOWN") == 1
    assert states.count("SENT") == 2, "the rest was left as it was"


def test_g06_an_interrupt_while_the_workers_start_leaves_none_behind(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = world.gateway()
    monkeypatch.setattr(threading.Thread, "start", interrupted_at(3, threading.Thread.start))
    with pytest.raises(KeyboardInterrupt):
        list(gateway.submit_many(filings(5), service="Udlaan", connections=4))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("govfile-skat")]


@pytest.mark.parametrize("connections", [0, -1, 17])
def test_an_odd_number_of_connections_is_refused(world: World, connections: int) -> None:
    with pytest.raises(ConfigurationError):
        list(world.gateway().submit_many([], service="Udlaan", connections=connections))
