"""S-04, S-12: the conversation breaks at every step of a set, the process at every step; nothing is filed twice.

Before the trigger nothing is filed and the same bytes go up again. Behind it nothing goes up again, until the trigger
is seen, an acknowledgement comes, or a person settles it.
"""

from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING, Any

import pytest

from govfile import State, Submission, onss
from govfile.errors import (
    ConnectionFailed,
    DuplicateContent,
    GovfileError,
    LedgerError,
    OutcomeUnknown,
    TransferAborted,
)
from govfile.filing.ledger.owners import Owner
from govfile.filing.states import Proof
from govfile.filing.submission import Evidence
from govfile.transports.faulty import Fault, FaultPlan, FaultyTransport, Step
from support.ledgers import Forgetful
from support.onss_world import declaration

if TYPE_CHECKING:
    from pathlib import Path

    from support.onss_world import World

UPLOADS = (Step.DATA_PORT, Step.STOR_REFUSED, Step.AFTER_STOR, Step.DURING_DATA, Step.BEFORE_REPLY, Step.REJECTED)
CUTS = [
    Fault(step=step, nth=nth, interrupt=interrupt, left_behind=left)
    for step, nth, interrupt, left in itertools.product(UPLOADS, (1, 2, 3), (False, True), (None, 0, 10))
    if not (interrupt and step is Step.DATA_PORT)
]


def breaking(world: World, *faults: Fault) -> None:
    """The first connection breaks so, later ones are good."""
    plans = iter([FaultPlan(faults=faults)])
    world.wrap = lambda inner: FaultyTransport(inner, next(plans, FaultPlan()))


def check_truth(world: World) -> None:
    """What must hold whatever happened."""
    assert len(world.server.triggered) <= 1, "never triggered twice"
    for triggered in world.server.triggered:
        assert sorted(name[:2] for name in triggered.files) == ["FI", "FS"], "never triggered before the set is whole"
        assert declaration() in triggered.files.values(), "never triggered with other bytes"
    for submission in world.ledger.search():
        if submission.state is State.SENT:
            assert len(world.server.triggered) == 1, "never said to be sent without a trigger"
    assert world.ledger.verify() == []


@pytest.mark.parametrize("how", ["submit", "many"])
@pytest.mark.parametrize("cut", CUTS, ids=lambda cut: f"{cut.step.name}-{cut.nth}-{cut.interrupt}-{cut.left_behind}")
def test_s04_s12_a_break_at_any_step_of_any_file(world: World, cut: Fault, how: str) -> None:
    path = world.write()
    breaking(world, cut)
    with world.channel() as channel:
        first = attempt(channel, path, how)
        check_truth(world)
        (submission,) = world.ledger.search()
        sent_before = dict(world.ledger.kept(submission.id))
        if is_before_the_trigger(cut):
            assert submission.state is State.PREPARED, "nothing is filed before the trigger"
            assert not isinstance(first, OutcomeUnknown)
            assert sent_before, "the signature is kept"
        else:
            assert submission.state is State.UNKNOWN
        again = attempt(channel, path, how)
        resumed = channel.resume()
        check_truth(world)
        (submission,) = world.ledger.search()
        if is_before_the_trigger(cut):
            assert submission.state is State.SENT
            assert not isinstance(again, BaseException)
            assert resumed == ()
            (fs,) = sent_before.values()
            assert set(world.server.triggered[0].files.values()) == {declaration(), fs}, "the same bytes"
        else:
            assert isinstance(again, GovfileError)
            lies_there = submission.name in world.server.lying()
            assert submission.state is (State.SENT if lies_there else State.UNKNOWN)


def is_before_the_trigger(cut: Fault) -> bool:
    """Whether it is certain that no trigger left."""
    return cut.nth < 3 or cut.step is Step.DATA_PORT or (cut.step is Step.STOR_REFUSED and not cut.interrupt)


def attempt(channel: onss.Channel, path: Path, how: str) -> Any:
    try:
        if how == "submit":
            return channel.submit(path, purpose="DMFA")
        ((_, outcome),) = channel.submit_many([onss.Filing(parts=(path,), purpose="DMFA")])
    except (GovfileError, KeyboardInterrupt) as error:
        return error
    return outcome


def test_what_a_lost_link_means_is_said_plainly(world: World) -> None:
    breaking(world, Fault(step=Step.BEFORE_REPLY, nth=1))
    with world.channel() as channel:
        with pytest.raises(ConnectionFailed) as before:
            channel.submit(declaration(), purpose="DMFA")
        assert before.value.certain == "nothing is filed: the trigger was not sent"
        breaking(world, Fault(step=Step.AFTER_STOR, nth=3))
        channel.close()
        with pytest.raises(OutcomeUnknown) as behind:
            channel.submit(declaration(), purpose="DMFA")
        assert behind.value.submission is not None
        assert behind.value.submission.state is State.UNKNOWN


class TestUnknown:
    @pytest.fixture
    def unknown(self, world: World) -> str:
        breaking(world, Fault(step=Step.AFTER_STOR, nth=3))
        with world.channel() as channel, pytest.raises(OutcomeUnknown) as error:
            channel.submit(world.write(), purpose="DMFA")
        assert error.value.submission is not None
        return error.value.submission.name

    def test_it_is_never_sent_again_by_itself(self, world: World, unknown: str) -> None:
        with world.channel() as channel:
            for _ in range(2):
                channel.resume()
                channel.collect(world.into)
                assert channel.status(unknown).state is State.UNKNOWN
        assert world.server.triggered == []

    def test_the_trigger_seen_in_its_folder_settles_it(self, world: World, unknown: str) -> None:
        world.server.store(f"/IN/{unknown}", b"")
        with world.channel() as channel:
            found = channel.collect(world.into)
            assert [one.state for one in found.submissions] == [State.SENT]

    @pytest.mark.parametrize("codes", [(), ("125",)])
    def test_an_acknowledgement_settles_it(self, world: World, unknown: str, codes: tuple[str, ...]) -> None:
        world.server.acknowledge(unknown, *codes)
        with world.channel() as channel:
            assert world.ledger.kept(channel.status(unknown).id)
            channel.collect(world.into)
            assert channel.status(unknown).state is (State.REJECTED if codes else State.RECEIVED)
            assert world.ledger.kept(channel.status(unknown).id) == {}, "nothing is sent again"

    def test_a_person_settles_it_and_the_same_bytes_go_up_again(self, world: World, unknown: str) -> None:
        before = world.server.lying()
        with world.channel() as channel:
            channel.settle(channel.status(unknown), arrived=False, reason="the contact centre has never seen it")
            (resumed,) = channel.resume()
            assert resumed.submission.state is State.SENT
        assert world.server.triggered[0].files == before

    def test_a_person_settles_and_withdraws_it_and_nothing_goes_up(self, world: World, unknown: str) -> None:
        with world.channel() as channel:
            settled = channel.settle(channel.status(unknown), arrived=False, reason="never seen there")
            assert channel.withdraw(settled, reason="declared on paper").is_withdrawn
            assert channel.resume() == ()
        assert world.server.triggered == []

    def test_a_trigger_that_lay_there_all_the_time_is_found_when_it_is_sent_again(
        self, world: World, unknown: str
    ) -> None:
        with world.channel() as channel:
            channel.settle(channel.status(unknown), arrived=False, reason="mistaken")
            world.server.store(f"/IN/{unknown}", b"")
            (resumed,) = channel.resume()
            assert resumed.submission.state is State.SENT
            assert resumed.submission.history[-1].evidence.proof is Proof.SEEN
        assert len(world.server.triggered) == 1


class TestADeadProcess:
    """The process ended without a word; another one finds what it left."""

    def leave(self, world: World, monkeypatch: pytest.MonkeyPatch, *proofs: Proof, source: Any = None) -> str:
        world.wrap = lambda inner: FaultyTransport(inner, FaultPlan.at(Step.DATA_PORT))
        with world.channel() as channel, pytest.raises(GovfileError):
            channel.submit(world.write() if source is None else source, purpose="DMFA")
        world.wrap = lambda inner: inner
        (submission,) = world.ledger.search()
        dead = Owner(host=Owner.here().host, boot="an earlier start", space="", pid=1, started="")
        world.ledger.start(submission.id, by=dead)
        monkeypatch.setattr(Owner, "is_same_process", lambda *_: True)
        for proof in proofs:
            world.ledger.record(submission.id, Evidence(proof=proof))
        monkeypatch.undo()
        return submission.name

    def test_s12_before_the_trigger_it_is_finished(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        name = self.leave(world, monkeypatch)
        with world.channel() as channel:
            (resumed,) = channel.resume()
            assert (resumed.submission.name, resumed.submission.state, resumed.error) == (name, State.SENT, None)
            assert channel.resume() == ()

    def test_s12_a_second_submit_finishes_it_too(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        name = self.leave(world, monkeypatch)
        with world.channel() as channel:
            assert channel.submit(declaration(), purpose="DMFA").name == name
        assert len(world.server.triggered) == 1

    def test_behind_the_trigger_it_is_unknown(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.leave(world, monkeypatch, Proof.TRIGGERING)
        with world.channel() as channel:
            (resumed,) = channel.resume()
            assert resumed.submission.state is State.UNKNOWN
            assert isinstance(resumed.error, OutcomeUnknown)
        assert world.server.triggered == []

    def test_bytes_that_are_gone_are_asked_for_again(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        name = self.leave(world, monkeypatch, source=declaration())
        with world.channel() as channel:
            (resumed,) = channel.resume()
            assert "was not a file" in str(resumed.error)
            assert channel.submit(declaration(), purpose="DMFA").name == name

    def test_a_file_that_has_changed_is_not_sent(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.leave(world, monkeypatch)
        (world.folder / "dmfa-1.xml").write_bytes(declaration(2))
        with world.channel() as channel:
            (resumed,) = channel.resume()
            assert "has changed since it was claimed" in str(resumed.error)
            assert world.server.triggered == []
            channel.submit(declaration(2), purpose="DMFA")
        assert len(world.server.triggered) == 1

    def test_what_another_user_claimed_is_left_to_him(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.leave(world, monkeypatch)
        with world.channel(user="ANOTHERUSER") as channel:
            (resumed,) = channel.resume()
            assert "was claimed by EXPDEMOENTREPRISE" in str(resumed.error)
        assert world.server.triggered == []

    def test_a_cancelled_set_is_not_triggered_any_more(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        name = self.leave(world, monkeypatch)
        with world.channel() as channel:
            asked = channel.cancel(channel.status(name))
            assert asked.state is State.PREPARED
            assert channel.resume() == ()
            with pytest.raises(GovfileError, match="was cancelled"):
                channel.submit(declaration(), purpose="DMFA")
        assert world.server.triggered == []


def test_a_repeat_that_never_left_is_gone_on_with(world: World) -> None:
    with world.channel() as channel:
        channel.submit(declaration(), purpose="DMFA")
        breaking(world, Fault(step=Step.BEFORE_REPLY, nth=2))
        channel.close()
        with pytest.raises(ConnectionFailed):
            channel.submit(declaration(), purpose="DMFA", again="once more")
        assert channel.submit(declaration(), purpose="DMFA", again="once more").name.endswith("00002.R.1")
        assert channel.resume() == ()
    assert len(world.server.triggered) == 2


class TestARepeatOfWhatNeverLeft:
    """`again=` beside a set that `resume` would send must not declare twice."""

    @pytest.fixture
    def waiting(self, world: World) -> str:
        breaking(world, Fault(step=Step.BEFORE_REPLY, nth=2))
        with world.channel() as channel, pytest.raises(ConnectionFailed):
            channel.submit([declaration(1), declaration(2)], purpose="DMFA")
        (submission,) = world.ledger.search()
        return submission.name

    @pytest.mark.parametrize("how", ["submit", "many"])
    def test_it_is_the_first_filing(self, world: World, waiting: str, how: str) -> None:
        filing = onss.Filing(parts=(declaration(1), declaration(2)), purpose="DMFA", again="the line broke")
        with world.channel() as channel:
            if how == "submit":
                sent = channel.submit(filing.parts, purpose="DMFA", again=filing.again)
            else:
                ((_, sent),) = channel.submit_many([filing])  # type: ignore[assignment]
            assert (sent.name, sent.state) == (waiting, State.SENT)
            assert channel.resume() == ()
        assert len(world.server.triggered) == 1

    def test_a_part_of_it_is_refused_until_the_set_is_withdrawn(self, world: World, waiting: str) -> None:
        with world.channel() as channel:
            with pytest.raises(DuplicateContent, match="withdraw it"):
                channel.submit(declaration(1), purpose="DMFA", again="alone")
            channel.withdraw(channel.status(waiting), reason="filed in other parts")
            assert channel.submit(declaration(1), purpose="DMFA", again="alone").state is State.SENT
            assert channel.resume() == ()
        assert len(world.server.triggered) == 1


def test_f18_a_source_that_changes_while_it_is_sent_is_never_triggered(world: World) -> None:
    path = world.folder / "large.xml"
    path.write_bytes(b"<DmfAOriginal>" + b" " * (9 * 1024 * 1024) + b"</DmfAOriginal>")
    with world.channel() as channel:
        sender = channel._sender

        def change(_: object) -> None:
            path.write_bytes(path.read_bytes().replace(b"> ", b">x", 1))

        world.wrap = lambda inner: Changing(inner, change)
        with pytest.raises(TransferAborted, match="changed"):
            channel.submit(path, purpose="DMFA")
        assert sender.ledger is world.ledger
    (submission,) = world.ledger.search()
    assert submission.state is State.PREPARED
    assert world.server.triggered == []


class Changing(FaultyTransport):
    """Something happens right before the first upload."""

    def __init__(self, inner: Any, change: Any) -> None:
        super().__init__(inner, FaultPlan())
        self.change = change

    def put(self, path: str, *arguments: Any, **keywords: Any) -> Any:
        if "/FI." in path:
            self.change(path)
        return super().put(path, *arguments, **keywords)


def test_a_ledger_that_fails_behind_the_trigger_is_caught_up_with(world: World) -> None:
    ledger = Forgetful(world.ledger, Proof.CONFIRMED)
    with world.channel(ledger=ledger) as channel:
        with pytest.raises(LedgerError, match="was triggered, but"):
            channel.submit(declaration(), purpose="DMFA")
        ledger.proof = None
        assert channel.resume() == ()
    (submission,) = world.ledger.search()
    assert submission.state is State.SENT


def test_two_threads_take_turns(world: World) -> None:
    with world.channel() as channel:
        threads = [
            threading.Thread(target=channel.submit, args=(declaration(seed),), kwargs={"purpose": "DMFA"})
            for seed in range(6)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len({triggered.name for triggered in world.server.triggered}) == 6
    assert len(world.opened) == 1


def test_f17_many_channels_at_once_file_one_declaration_once(world: World) -> None:
    gate = threading.Barrier(6)
    outcomes: list[object] = []

    def file_it() -> None:
        with world.channel() as channel:
            gate.wait()
            outcomes.append(attempt(channel, path, "submit"))

    path = world.write()
    threads = [threading.Thread(target=file_it) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(world.server.triggered) == 1
    check_truth(world)
    (submission,) = world.ledger.search()
    assert submission.state is State.SENT
    told = [found.state for found in outcomes if isinstance(found, Submission)]
    assert told.count(State.SENT) >= 1
    assert all(isinstance(found, Submission | DuplicateContent) for found in outcomes)
