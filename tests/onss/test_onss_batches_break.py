"""A ledger that fails in the middle of a batch: each set is told as far as it came, and none waits for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from govfile import State, Submission, onss
from govfile.errors import GovfileError, LedgerBusy, LedgerError
from govfile.filing.ledger.owners import Owner
from govfile.filing.states import Proof
from govfile.filing.submission import Evidence
from govfile.transports.faulty import Fault, FaultPlan, FaultyTransport, Step
from support.ledgers import interrupted_at
from support.onss_world import declaration

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.onss_world import World

FILINGS = tuple(onss.Filing(parts=(declaration(seed),), purpose="DMFA") for seed in (1, 2))


def states(world: World) -> list[State]:
    return [submission.state for submission in world.ledger.search()]


def outcomes(channel: onss.Channel) -> list[Submission | GovfileError]:
    return [outcome for _, outcome in channel.submit_many(FILINGS)]


class At(FaultyTransport):
    """Something happens right before the first upload of a kind of file."""

    def __init__(self, inner: Any, prefix: str, happens: Callable[[], None]) -> None:
        super().__init__(inner, FaultPlan())
        self.prefix, self.happens = prefix, happens

    def put(self, path: str, *arguments: Any, **keywords: Any) -> Any:
        if f"/{self.prefix}." in path:
            self.happens()
        return super().put(path, *arguments, **keywords)


def test_a_busy_ledger_behind_the_triggers_makes_nothing_unknown(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    real = world.ledger.record_many

    def busy(evidence: Any, **more: Any) -> Any:
        given = list(evidence)
        if given[0][1].proof is Proof.CONFIRMED:
            raise LedgerBusy("others write")
        return real(given, **more)

    monkeypatch.setattr(world.ledger, "record_many", busy)
    with world.channel() as channel:
        told = outcomes(channel)
    assert [outcome.state for outcome in told if isinstance(outcome, Submission)] == [State.SENT] * 2
    assert states(world) == [State.SENT] * 2


def test_signatures_that_cannot_be_dropped_take_nothing_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: object) -> None:
        raise LedgerError("the disk is full")

    monkeypatch.setattr(world.ledger, "drop_kept", full)
    with world.channel() as channel:
        told = outcomes(channel)
    assert [outcome.state for outcome in told if isinstance(outcome, Submission)] == [State.SENT] * 2


@pytest.mark.parametrize(("prefix", "after"), [("FS", State.PREPARED), ("GO", State.SENT)])
def test_a_ledger_out_of_reach_is_caught_up_with(
    world: World, monkeypatch: pytest.MonkeyPatch, prefix: str, after: State
) -> None:
    def away(*_: object, **__: object) -> Any:
        raise LedgerError("the server is out of reach")

    with world.channel() as channel:
        with monkeypatch.context() as patch:

            def leave() -> None:
                for name in ("get", "record", "record_many", "take_back"):
                    patch.setattr(world.ledger, name, away)

            world.wrap = lambda inner: At(inner, prefix, leave)
            assert all(isinstance(outcome, GovfileError) for outcome in outcomes(channel))
        channel.collect(world.into)
    assert states(world) == [after] * 2
    assert len(world.server.triggered) == (2 if after is State.SENT else 0)


def test_ctrl_c_while_the_start_is_recorded_takes_it_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    real = world.ledger.start_many

    def interrupted(*arguments: Any, **keywords: Any) -> Any:
        real(*arguments, **keywords)
        raise KeyboardInterrupt

    with world.channel() as channel:
        monkeypatch.setattr(world.ledger, "start_many", interrupted)
        with pytest.raises(KeyboardInterrupt):
            outcomes(channel)
    assert states(world) == [State.PREPARED] * 2


def test_a_start_that_fails_leaves_alone_what_another_channel_sends(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def elsewhere(submissions: Any, **_: object) -> Any:
        for submission in submissions:
            world.ledger.start(submission.id, by=Owner.here())
        raise LedgerError("the disk is full")

    with world.channel() as channel:
        monkeypatch.setattr(world.ledger, "start_many", elsewhere)
        assert all(isinstance(outcome, LedgerError) for outcome in outcomes(channel))
    assert states(world) == [State.SENDING] * 2


@pytest.mark.parametrize("how", ["one", "many"])
def test_what_is_withdrawn_while_the_channel_connects_is_not_sent(world: World, how: str) -> None:
    with world.channel() as channel, world.channel() as other:
        other.collect(world.into)
        channel._in_use = 0  # so that connecting is the next that it does
        world.wrap = lambda inner: Connecting(inner, lambda: withdraw(world, other))
        told = outcomes(channel)[0] if how == "many" else channel.submit(declaration(), purpose="DMFA")
    assert isinstance(told, Submission)
    assert told.is_withdrawn
    assert world.server.lying() == {}


class Connecting(FaultyTransport):
    """Something happens while it logs in."""

    def __init__(self, inner: Any, happens: Callable[[], None]) -> None:
        super().__init__(inner, FaultPlan())
        self.happens = happens

    def home(self) -> str:
        self.happens()
        return super().home()


def withdraw(world: World, channel: onss.Channel) -> None:
    for submission in world.ledger.search():
        channel.withdraw(submission, reason="the wrong declaration")


def test_an_acknowledgement_collected_while_the_link_was_lost_settles_it_at_once(world: World) -> None:
    class Lost(FaultyTransport):
        def put(self, path: str, *arguments: Any, **keywords: Any) -> Any:
            try:
                return super().put(path, *arguments, **keywords)
            finally:
                if "/GO." in path:
                    (submission,) = world.ledger.search()
                    world.ledger.record(submission.id, Evidence(proof=Proof.TAKEN, source="FO.ACRF", source_sha256="0"))

    plan = FaultPlan(faults=(Fault(step=Step.BEFORE_REPLY, nth=3),))
    world.wrap = lambda inner: Lost(inner, plan)
    with world.channel() as channel:
        assert channel.submit(declaration(), purpose="DMFA").state is State.RECEIVED


@pytest.mark.parametrize("nth", [1, 2, 3, 4])
def test_l07_ctrl_c_while_names_are_burnt_leaves_no_half_knowledge(
    world: World, monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    for purpose, number in (("DMFA", 1), ("DIMN", 2)):
        world.server.acknowledge(f"GO.{purpose}.101420.20251201.{number:05}.R.1")
    database: Any = world.ledger._database
    with monkeypatch.context() as patch, world.channel() as channel:
        patch.setattr(database, "transaction", interrupted_at(nth, database.transaction))
        with pytest.raises((KeyboardInterrupt, LedgerError)):
            channel.submit(declaration(), purpose="DMFA")
    assert len(list(world.ledger.search())) in (0, 2)
