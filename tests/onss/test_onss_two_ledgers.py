"""S-17: two machines with ledgers from one backup give out the same number. The authority takes the first set of that
name and refuses the second (ACRF-133); both machines see both answers, since they share the folder.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from govfile import Ledger, State, Verdict
from govfile.errors import OutcomeUnknown
from govfile.transports.faulty import Fault, FaultPlan, FaultyTransport, Step
from support.onss_world import declaration, notified

if TYPE_CHECKING:
    from collections.abc import Iterator

    from govfile import onss
    from support.onss_world import World


@pytest.fixture
def machines(world: World) -> Iterator[tuple[onss.Channel, onss.Channel]]:
    """Two channels that have looked at the folders; then the server takes files away at once."""
    backup = world.folder / "backup.db"
    with world.channel() as channel:
        channel.submit(declaration(1), purpose="DMFA")
    world.ledger.close()
    shutil.copy(world.folder / "filings.db", backup)
    world.server.moves_at_once = True
    world.ledger = Ledger.open(world.folder / "filings.db", clock=world.clock)
    with (
        Ledger.open(backup, clock=world.clock) as restored,
        world.channel() as first,
        world.channel(ledger=restored) as second,
    ):
        yield first, second


def test_s17_the_answer_to_one_set_is_never_the_answer_to_the_other(
    world: World, machines: tuple[onss.Channel, onss.Channel]
) -> None:
    taken = machines[0].submit(declaration(2), purpose="DMFA")
    refused = machines[1].submit(declaration(3), purpose="DMFA")
    assert taken.name == refused.name
    world.server.acknowledge(taken.name)
    world.server.acknowledge(refused.name, "133")
    world.server.notify(notified(2, name=taken.name))
    for machine in machines:
        machine.collect(world.into)
    assert machines[0].status(taken).verdict is Verdict.ACCEPTED
    left = machines[1].status(refused)
    assert left.state is not State.ANSWERED
    assert left.verdict is None


def test_s17_a_notification_read_before_our_refusal_is_not_taken_for_ours(
    world: World, machines: tuple[onss.Channel, onss.Channel]
) -> None:
    taken = machines[0].submit(declaration(2), purpose="DMFA")
    refused = machines[1].submit(declaration(3), purpose="DMFA")
    world.server.acknowledge(taken.name)
    world.server.notify(notified(2, name=taken.name))
    collected = machines[1].collect(world.into)
    assert machines[1].status(refused).state is not State.ANSWERED
    (notice,) = [reply for reply in collected.replies if reply.notification is not None]
    assert "somebody else" in notice.matches[0].remark
    world.server.acknowledge(refused.name, "133")
    machines[0].collect(world.into)
    machines[1].collect(world.into)
    assert machines[0].status(taken).verdict is Verdict.ACCEPTED
    assert machines[1].status(refused).verdict is None


@pytest.mark.parametrize("is_shown", [True, False])
def test_s17_an_answer_by_name_alone_is_doubted_once_the_name_is_another_s_too(world: World, *, is_shown: bool) -> None:
    world.server.moves_at_once = True
    with world.channel() as channel:
        filed = channel.submit(declaration(2) if is_shown else b"<DmfAOriginal/>", purpose="DMFA")
        world.server.acknowledge(filed.name)
        world.server.notify(notified(2, name=filed.name))
        channel.collect(world.into)
        assert channel.status(filed).verdict is Verdict.ACCEPTED
        world.server.acknowledge(filed.name, "133")
        channel.collect(world.into)
        assert channel.status(filed).verdict is (Verdict.ACCEPTED if is_shown else Verdict.UNREAD)


def test_a_name_this_ledger_sent_twice_by_a_persons_word_is_its_own(world: World) -> None:
    plans = iter([FaultPlan(faults=(Fault(step=Step.BEFORE_REPLY, nth=3),))])
    world.wrap = lambda inner: FaultyTransport(inner, next(plans, FaultPlan()))
    world.server.moves_at_once = True
    with world.channel() as channel:
        with pytest.raises(OutcomeUnknown) as error:
            channel.submit(b"<DmfAOriginal/>", purpose="DMFA")
        unknown = error.value.submission
        assert unknown is not None
        channel.settle(unknown, arrived=False, reason="a mistake: it did")
        filed = channel.submit(b"<DmfAOriginal/>", purpose="DMFA")
        world.server.acknowledge(filed.name)
        world.server.acknowledge(filed.name, "133")
        world.server.notify(notified(2, name=filed.name))
        channel.collect(world.into)
        assert channel.status(filed).verdict is Verdict.ACCEPTED


def test_s17_one_document_sent_from_both_is_declared_once(
    world: World, machines: tuple[onss.Channel, onss.Channel]
) -> None:
    names = {machine.submit(declaration(2), purpose="DMFA").name for machine in machines}
    assert len(names) == 1, "the authority refuses a name that was used before"
