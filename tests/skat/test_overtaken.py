"""While one process sends, others collect, withdraw and die, and clocks are put right: each is told the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import pytest

from govfile import skat
from govfile.errors import LedgerError
from govfile.filing.ledger.owners import Owner
from govfile.filing.states import Proof, State
from govfile.filing.submission import Submission
from govfile.transports.faulty import FaultPlan, FaultyTransport, Step
from support.ledgers import Forgetful

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.skat_world import World

NAME = "report_9.txt"


class Meanwhile(FaultyTransport):
    """Something happens right before or behind the upload."""

    def __init__(self, inner: Any, plan: FaultPlan, *, before: Callable[[], None], behind: Callable[[], None]) -> None:
        super().__init__(inner, plan)
        self.before, self.behind = before, behind

    def put(self, *arguments: Any, **keywords: Any) -> Any:
        self.before()
        try:
            return super().put(*arguments, **keywords)
        finally:
            self.behind()


def meanwhile(
    world: World, *steps: Step, before: Callable[[], None] = lambda: None, behind: Callable[[], None] = lambda: None
) -> None:
    """Wrap the next connection so, no later one."""
    left = [1]

    def wrap(inner: Any) -> Any:
        if not left:
            return inner
        left.pop()
        return Meanwhile(inner, FaultPlan.at(*steps), before=before, behind=behind)

    world.wrap = wrap


@pytest.mark.parametrize(("code", "state"), [("", State.DELIVERED), ("UNKNOWN_ERROR", State.REJECTED)])
def test_f09_a_status_collected_while_the_link_was_lost_settles_it_at_once(
    world: World, code: str, state: State
) -> None:
    gateway, other = world.gateway(), world.gateway()

    def collect() -> None:
        if code:
            world.server.refuse("A", NAME, code)
        else:
            world.server.status("A", NAME, 1)
        other.collect(world.into)

    assert other.collect(world.into).statuses == 0  # its connection is open
    meanwhile(world, Step.BEFORE_REPLY, behind=collect)
    submission = gateway.submit(b"x", service="A", name=NAME)
    assert submission.state is state
    assert Proof.LINK_LOST in [event.evidence.proof for event in submission.history]


def test_what_a_person_withdraws_while_another_process_connects_is_not_sent(world: World) -> None:
    gateway, other = world.gateway(), world.gateway()
    meanwhile(world, before=lambda: withdraw(other))
    assert gateway.submit(b"x", service="A", name=NAME).is_withdrawn
    assert world.server.names == []
    assert gateway.submit(b"x", service="A", name=NAME).state is State.SENT


def withdraw(gateway: Any) -> None:
    assert gateway.withdraw(gateway.status(NAME), reason="the wrong report").is_withdrawn


def test_l10_statuses_are_ours_though_the_clock_ran_ahead_when_we_filed(world: World) -> None:
    gateway = world.gateway()
    world.clock.advance(days=3)
    submission = gateway.submit(b"x", service="A", name=NAME)
    world.clock.advance(days=-3, hours=1)
    world.server.status("A", NAME, 1)
    assert gateway.collect(world.into).unsolicited == ()
    assert gateway.status(submission).state is State.DELIVERED


def test_a_batch_tells_what_a_dead_process_was_sending_as_unknown(world: World) -> None:
    gateway = world.gateway()
    world.wrap = lambda inner: FaultyTransport(inner, FaultPlan.at(Step.STOR_REFUSED))
    list(gateway.submit_many([named()], service="A"))
    (claimed,) = world.ledger.search()
    world.ledger.start(claimed.id, by=attrs.evolve(Owner.here(), boot="an earlier one"))
    ((_, outcome),) = gateway.submit_many([named()], service="A")
    assert isinstance(outcome, Submission)
    assert outcome.state is State.UNKNOWN


def named() -> skat.Filing:
    return skat.Filing(document=b"x", name=NAME)


def test_a_batch_first_writes_down_what_the_ledger_could_not_take(world: World) -> None:
    ledger = Forgetful(world.ledger, Proof.CONFIRMED)
    gateway = world.gateway(ledger=ledger)
    with pytest.raises(LedgerError, match="was sent, but"):
        gateway.submit(b"x", service="A")
    ledger.proof = None
    assert list(gateway.submit_many([], service="A")) == []
    (submission,) = world.ledger.search()
    assert submission.state is State.SENT
