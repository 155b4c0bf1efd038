"""A claim that was never sent can be taken back; what may have left cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from govfile.errors import ConfigurationError, DuplicateContent, OutcomeUnknown, TransportError
from govfile.filing.states import State
from govfile.transports.faulty import FaultPlan, FaultyTransport, Step
from support.skat_world import World, report

if TYPE_CHECKING:
    from pathlib import Path

NAME = "10101010_2025_a1.zip"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "report.zip"
    path.write_bytes(report())
    return path


@pytest.fixture
def world(world: World, path: Path) -> World:
    """One document is claimed and could not be sent; afterwards all is well again."""
    world.ledger.burn(
        authority="skat", environment="local", sender="10101010", service="x", names=["x"], found="elsewhere"
    )
    world.wrap = lambda inner: FaultyTransport(inner, FaultPlan.at(Step.LOGIN))
    with pytest.raises(TransportError):
        world.gateway().submit(path, service="Udlaan", name=NAME)
    world.wrap = lambda inner: inner
    return world


def test_resume_passes_over_what_was_withdrawn(world: World) -> None:
    gateway = world.gateway()
    withdrawn = gateway.withdraw(gateway.status(NAME), reason="the report was wrong")
    assert withdrawn.is_withdrawn
    assert withdrawn.state is State.PREPARED
    assert "the report was wrong" in str(withdrawn.history[-1].evidence)
    assert gateway.resume() == ()
    assert world.server.names == []


def test_the_name_stays_claimed_and_the_same_document_revives_it(world: World, path: Path) -> None:
    gateway = world.gateway()
    withdrawn = gateway.withdraw(gateway.status(NAME), reason="not yet")
    with pytest.raises(DuplicateContent):
        gateway.submit(path, service="Udlaan", name="10101010_2025_a2.zip")
    sent = gateway.submit(path, service="Udlaan", name=NAME)
    assert sent.id == withdrawn.id
    assert sent.state is State.SENT
    assert not sent.is_withdrawn
    assert world.server.names == [NAME]


def test_what_may_have_left_cannot_be_withdrawn(world: World, path: Path) -> None:
    gateway = world.gateway()
    sent = gateway.submit(path, service="Udlaan", name=NAME)
    with pytest.raises(ConfigurationError, match="only what was never sent"):
        gateway.withdraw(sent, reason="too late")
    world.wrap = lambda inner: FaultyTransport(inner, FaultPlan.at(Step.BEFORE_REPLY))
    other = world.gateway()
    with pytest.raises(OutcomeUnknown) as lost:
        other.submit(report(2), service="Udlaan", name="10101010_2025_b.zip")
    assert lost.value.submission is not None
    with pytest.raises(ConfigurationError, match="only what was never sent"):
        other.withdraw(lost.value.submission, reason="too late")


def test_withdrawing_needs_a_reason(world: World) -> None:
    gateway = world.gateway()
    with pytest.raises(ConfigurationError, match="reason"):
        gateway.withdraw(gateway.status(NAME), reason=" ")
    assert not gateway.status(NAME).is_withdrawn
