"""What waits for the disk, and when: a claim before its first byte, and before an error tells of it."""

from __future__ import annotations

from typing import Any

import pytest

from govfile.errors import ConnectionFailed
from govfile.filing.ledger.database import Database
from govfile.transports.faulty import Fault, FaultPlan, FaultyTransport, Step
from support.skat_world import CVR, World, report

NAME = "19552101_2025_a1.zip"


@pytest.fixture
def waits(world: World, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each piece of work on the ledger waits for the disk, from now on."""
    world.ledger.burn(authority="skat", environment="local", sender=CVR, service="Udlaan", names=["x.zip"], found="out")
    seen: list[bool] = []
    real = Database._attempts

    def note(self: Database, work: Any, durable: bool) -> Any:
        seen.append(durable)
        return real(self, work, durable)

    monkeypatch.setattr(Database, "_attempts", note)
    return seen


def test_a_filing_waits_for_the_disk_before_the_server_hears_of_it(world: World, waits: list[bool]) -> None:
    heard: list[list[bool]] = []
    real = world.server.store

    def store(*given: Any, **more: Any) -> None:
        heard.append(list(waits))
        real(*given, **more)

    world.server.store = store  # type: ignore[method-assign]
    gateway = world.gateway()
    gateway.submit(report(), service="Udlaan", name=NAME)
    (before,) = heard
    assert before[-2:] == [False, True], "the claim rides on the start, which waits"
    assert waits[len(before) :] == [False], "what the server said may ride on the next start"


def test_a_claim_whose_filing_broke_before_the_start_is_on_the_disk_all_the_same(
    world: World, waits: list[bool]
) -> None:
    world.wrap = lambda inner: FaultyTransport(inner, FaultPlan(faults=(Fault(step=Step.CONNECT),)))
    with pytest.raises(ConnectionFailed):
        world.gateway().submit(report(), service="Udlaan", name=NAME)
    assert waits[-2:] == [False, True]
