"""L-07: a ledger that knows nothing of a company stops before a fresh name is made, whatever happened on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from govfile import skat
from govfile.errors import DuplicateName, LedgerError
from govfile.filing.states import State
from govfile.filing.submission import Submission
from support.ledgers import interrupted_at

if TYPE_CHECKING:
    from govfile.filing.source import Document
    from support.skat_world import World

USED = (("A", "report_7.txt"), ("AKSA", "report_8.txt"))


@pytest.fixture
def world(world: World) -> World:
    """What was filed before the ledger was lost."""
    for service, name in USED:
        world.server.status(service, name, 1)
    return world


def test_l07_no_document_of_a_batch_is_filed_under_a_fresh_name(world: World) -> None:
    gateway = world.gateway()
    found = list(gateway.submit_many([b"1", b"2", b"3"], service="A"))
    assert [str(outcome).partition(",")[0] for _, outcome in found] == ["the ledger knows nothing of 10101010"] * 3
    assert world.server.names == []
    again = [outcome for _, outcome in gateway.submit_many([b"1", b"2", b"3"], service="A")]
    assert [outcome.state for outcome in again if isinstance(outcome, Submission)] == [State.SENT] * 3


def test_l07_a_name_given_for_one_document_does_not_hide_it_from_the_next(world: World) -> None:
    filings: list[Document | skat.Filing] = [skat.Filing(document=b"1", name="report_9.txt"), b"2", b"3"]
    found = [outcome for _, outcome in world.gateway().submit_many(filings, service="A")]
    assert sorted(type(outcome) is LedgerError for outcome in found) == [False, True, True]
    assert world.server.names == ["report_9.txt"]


def test_l07_a_filing_under_a_given_name_does_not_hide_it_from_the_next_call(world: World) -> None:
    gateway = world.gateway()
    gateway.submit(b"1", service="A", name="report_9.txt")
    with pytest.raises(LedgerError, match="2 of its names in use"):
        gateway.submit(b"2", service="A")
    assert gateway.submit(b"2", service="A").state is State.SENT


@pytest.mark.parametrize("nth", [1, 2])
def test_l07_ctrl_c_while_names_are_burnt_leaves_no_half_knowledge(
    world: World, monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    database: Any = world.ledger._database
    with monkeypatch.context() as patch:
        patch.setattr(database, "transaction", interrupted_at(nth, database.transaction))
        with pytest.raises((KeyboardInterrupt, LedgerError)):
            world.gateway().submit(b"x", service="A")
    if world.ledger.knows_sender(authority="skat", environment="local", sender="10101010"):
        for _, name in USED:
            with pytest.raises(DuplicateName):
                world.gateway().submit(b"x", service="A", name=name)
    else:
        with pytest.raises(LedgerError, match="2 of its names in use"):
            world.gateway().submit(b"x", service="A")
