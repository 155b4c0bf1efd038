"""A submission that another machine or container was sending: left alone, mentioned, settled by a person at last."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from govfile.errors import ConnectionFailed, ImpossibleStep
from govfile.filing.ledger import owners
from govfile.filing.states import State
from govfile.transports.faulty import FaultPlan, FaultyTransport, Step
from support.skat_world import World, records

if TYPE_CHECKING:
    from govfile.filing.submission import Submission

NAME = "run7.txt"


@pytest.fixture
def claimed(world: World) -> Submission:
    """Claimed; nothing has left."""
    world.gateway().submit(records("first"), service="AKSA")
    world.wrap = lambda inner: FaultyTransport(inner, FaultPlan.at(Step.CONNECT))
    with pytest.raises(ConnectionFailed):
        world.gateway().submit(records("second"), service="AKSA", name=NAME)
    world.wrap = lambda inner: inner
    return world.gateway().status(NAME)


@pytest.fixture
def sending_elsewhere(world: World, claimed: Submission, monkeypatch: pytest.MonkeyPatch) -> Submission:
    """Being sent by a process of another host, as far as the ledger says."""
    here = owners._this_process(1)
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(owners, "_this_process", lambda _pid: ("another host", *here[1:]))
        started = world.ledger.start(claimed.id)
    assert started is not None
    return started


def test_l04_what_another_machine_sends_is_left_alone_and_mentioned_when_it_grows_old(
    world: World, sending_elsewhere: Submission
) -> None:
    gateway = world.gateway()
    assert gateway.resume() == ()
    assert gateway.submit(records("second"), service="AKSA", name=NAME).state is State.SENDING
    assert gateway.collect(world.into).silent == ()
    world.clock.advance(hours=7)
    assert sending_elsewhere.id in {submission.id for submission in gateway.collect(world.into).silent}
    assert NAME not in world.server.names


@pytest.mark.parametrize("arrived", [True, False])
def test_l04_a_person_settles_what_a_machine_was_sending_that_is_gone(
    world: World, sending_elsewhere: Submission, arrived: bool
) -> None:
    gateway = world.gateway()
    settled = gateway.settle(sending_elsewhere, arrived=arrived, reason="asked by telephone; the container is gone")
    assert settled.state is (State.SENT if arrived else State.PREPARED)
    gateway.submit(records("second"), service="AKSA", name=NAME)
    assert world.server.names.count(NAME) == (0 if arrived else 1)


def test_l04_nobody_settles_what_a_living_process_sends(world: World, claimed: Submission) -> None:
    started = world.ledger.start(claimed.id)
    assert started is not None
    with pytest.raises(ImpossibleStep, match="runs"):
        world.gateway().settle(started, arrived=False, reason="impatience")
    assert world.ledger.get(claimed.id).state is State.SENDING
