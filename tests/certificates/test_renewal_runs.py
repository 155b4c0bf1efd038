"""Many slots, each on its own: what a run renews, leaves, resumes and reports."""

from __future__ import annotations

import random
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from govfile.certificates.keystore import SlotId
from govfile.certificates.keystore.pointer import Pointer
from govfile.certificates.renewal import Outcome, Renewer, reminders
from govfile.errors import OutcomeUnknown, TimedOut
from support.keystores import NOON, SLOT, YEAR, Clock, FakeAuthority, begin, enrolled, open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    from govfile import Credential
    from govfile.certificates.deploy import Renewed
    from govfile.certificates.keystore import KeyStore, Pending

DUE = NOON + 2 * YEAR - timedelta(days=30)


class World:
    """A store with an authority and a renewer; sleeping is written down."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.clock = Clock()
        self.store = open_store(folder, self.clock, patience=5)
        self.authority = FakeAuthority(self.store, self.clock)
        self.slept: list[float] = []
        self.renewer = self.another(**options)

    def another(self, store: KeyStore | None = None, **options: Any) -> Renewer:
        return Renewer(
            store or self.store,
            {"vero": self.authority},
            clock=self.clock,
            sleep=self.slept.append,
            randomness=random.Random(1),
            **options,
        )

    def outcomes(self, **options: Any) -> dict[str, Outcome]:
        return {result.slot.holder: result.outcome for result in self.renewer.run(**options).results}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "keys")


def slot(number: int) -> SlotId:
    return SlotId("vero", "TEST", f"holder {number}")


@pytest.mark.parametrize(
    ("before_the_end", "outcome"),
    [
        (timedelta(days=61), Outcome.NOT_DUE),
        (timedelta(days=60), Outcome.RENEWED),
        (timedelta(seconds=1), Outcome.RENEWED),
        (timedelta(0), Outcome.MISSED),
        (timedelta(days=-300), Outcome.MISSED),
    ],
)
def test_c01_only_inside_the_window(world: World, before_the_end: timedelta, outcome: Outcome) -> None:
    first = enrolled(world.store)
    world.clock.now = first.expires - before_the_end
    summary = world.renewer.run()
    assert [result.outcome for result in summary.results] == [outcome]
    assert bool(world.authority.asked) == (outcome is Outcome.RENEWED)
    assert summary.exit_status == (outcome is Outcome.MISSED)
    if outcome is Outcome.MISSED:
        assert "a new enrolment is needed" in str(summary)


def test_c01_renewed_once_then_not_due(world: World) -> None:
    enrolled(world.store)
    world.clock.now = DUE
    assert world.outcomes() == {SLOT.holder: Outcome.RENEWED}
    assert world.outcomes() == {SLOT.holder: Outcome.NOT_DUE}
    assert len(world.store.generations(SLOT)) == 2


def test_c02_an_answer_that_is_not_there_yet_is_fetched_by_a_later_run(world: World) -> None:
    enrolled(world.store)
    world.clock.now, world.authority.is_slow = DUE, True
    summary = world.renewer.run()
    assert [result.outcome for result in summary.results] == [Outcome.WAITING]
    assert summary.exit_status == 0
    waiting = world.store.pending(SLOT)
    world.authority.is_slow = False
    assert world.outcomes() == {SLOT.holder: Outcome.RENEWED}
    assert (world.authority.asked, world.authority.looked) == ([SLOT], [SLOT, SLOT])
    current = world.store.current(SLOT)
    assert waiting is not None
    assert current is not None
    assert current.number == waiting.number, "the stored key and request were used"


def test_c02_an_enrolment_left_behind_is_resumed_too(world: World) -> None:
    begin(world.store)
    assert world.outcomes() == {SLOT.holder: Outcome.RENEWED}
    assert world.authority.asked == []


def test_c02_a_switch_cut_short_is_finished_without_asking_anybody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrolled(world.store)
    world.clock.now = DUE
    with monkeypatch.context() as cut:
        cut.setattr(Pointer, "save", _crash_on_switch(Pointer.save))
        assert world.outcomes() == {SLOT.holder: Outcome.FAILED}
    waiting = world.store.pending(SLOT)
    assert waiting is not None
    assert waiting.is_answered
    assert [found.what for found in world.store.verify()] == ["a later generation is there and not taken up"]
    hooked: list[Renewed] = []
    summary = world.another(hooks=[hooked.append]).run()
    assert [result.outcome for result in summary.results] == [Outcome.RENEWED]
    assert (world.authority.asked, world.authority.looked) == ([SLOT], [SLOT])
    assert [found.generation.number for found in hooked] == [2]
    assert world.store.finish(SLOT) is None


def _crash_on_switch(save: Callable[[Pointer, Path], None]) -> Callable[[Pointer, Path], None]:
    def crash(pointer: Pointer, path: Path) -> None:
        if pointer.current == 2:
            raise SystemError("the machine lost its power")
        save(pointer, path)

    return crash


def test_a_request_left_behind_is_resumed_after_the_old_one_expired(world: World) -> None:
    enrolled(world.store)
    begin(world.store)
    world.clock.now = NOON + 2 * YEAR + timedelta(days=1)
    assert world.outcomes() == {SLOT.holder: Outcome.RENEWED}


def test_what_goes_wrong_with_one_slot_leaves_the_others_their_turn(world: World) -> None:
    for number in range(5):
        enrolled(world.store, slot(number))
    world.clock.now = DUE
    world.authority.failing = {
        slot(0): TimedOut("nobody answers", which="reply"),
        slot(1): OutcomeUnknown("lost", evidence="sent", how_to_resolve="look"),
        slot(2): ZeroDivisionError("the text of somebody else's error, with a secret"),
    }
    (world.store.path / slot(3).folder / "pointer.json").write_bytes(b"{")
    summary = world.renewer.run()
    assert [result.outcome for result in summary.results] == [
        Outcome.FAILED,
        Outcome.UNKNOWN,
        Outcome.FAILED,
        Outcome.FAILED,
        Outcome.RENEWED,
    ]
    assert summary.exit_status == 1
    assert "nobody answers" in str(summary)
    assert "ZeroDivisionError" in str(summary)
    assert "somebody else's" not in str(summary)
    assert isinstance(summary.results[2].error, ZeroDivisionError)


def test_a_folder_that_is_no_slot_is_told(world: World) -> None:
    enrolled(world.store)
    (world.store.path / SLOT.folder).rename(world.store.path / "mine")
    summary = world.renewer.run()
    assert summary.results == ()
    assert summary.exit_status == 1
    assert "mine" in str(summary)


def test_c05_of_two_renewers_at_once_the_second_finds_nothing_due(world: World) -> None:
    enrolled(world.store)
    world.clock.now = DUE
    inside, go_on = threading.Event(), threading.Event()
    look = world.authority.look

    def slowly(slot: SlotId, pending: Pending) -> Credential | None:
        inside.set()
        assert go_on.wait(10)
        return look(slot, pending)

    world.authority.look = slowly  # type: ignore[method-assign]
    found: list[list[Outcome]] = [[], []]
    second = world.another(open_store(world.store.path, world.clock))
    threads = [
        threading.Thread(target=lambda who=who, its=its: its.extend(result.outcome for result in who.run().results))
        for who, its in zip((world.renewer, second), found, strict=True)
    ]
    threads[0].start()
    assert inside.wait(10)
    threads[1].start()
    go_on.set()
    for thread in threads:
        thread.join()
    assert found == [[Outcome.RENEWED], [Outcome.NOT_DUE]]
    assert world.authority.asked == [SLOT]


def test_c05_a_slot_somebody_works_on_for_long_is_no_failure(world: World) -> None:
    enrolled(world.store)
    world.clock.now = DUE
    impatient = world.another(open_store(world.store.path, world.clock, patience=0.1))
    with world.store.locked(SLOT):
        summary = impatient.run()
    assert [result.outcome for result in summary.results] == [Outcome.BUSY]
    assert summary.exit_status == 0


@pytest.mark.parametrize("years", [-1, 3])
def test_c09_a_clock_wrong_by_years_is_doubted(world: World, years: int) -> None:
    enrolled(world.store)
    world.clock.now, world.authority.time = NOON + years * YEAR, NOON + timedelta(days=1)
    assert world.outcomes() == {SLOT.holder: Outcome.CLOCK_DOUBTED}
    assert world.authority.asked == []


def test_c09_before_the_certificate_began_nothing_is_done_even_where_nobody_tells_the_time(world: World) -> None:
    enrolled(world.store)
    world.clock.now = NOON - YEAR
    assert world.outcomes() == {SLOT.holder: Outcome.CLOCK_DOUBTED}


def test_c09_an_expired_certificate_is_believed_when_the_authority_agrees(world: World) -> None:
    enrolled(world.store)
    world.clock.now = world.authority.time = NOON + 3 * YEAR
    assert world.outcomes() == {SLOT.holder: Outcome.MISSED}


def test_c11_an_unattended_run_waits_a_random_while_and_only_when_something_is_due(world: World) -> None:
    enrolled(world.store)
    world.renewer.run(unattended=True)
    assert world.slept == []
    world.clock.now = DUE
    world.renewer.run(unattended=True)
    assert world.slept == [random.Random(1).uniform(0, 3600)]
    world.clock.now = DUE + 2 * YEAR - timedelta(days=20)
    world.renewer.run()
    assert len(world.slept) == 1


def test_reminders_at_60_30_and_7_days_for_whatever_is_in_the_store(world: World) -> None:
    skat = SlotId("skat", "production", "10101010")
    ends = {slot(1): 61, slot(2): 60, slot(3): 30, skat: 7, slot(4): -1}
    for found, days in ends.items():
        enrolled(world.store, found, not_after=NOON + timedelta(days=max(days, 1)))
    world.clock.now = NOON
    told = reminders(world.store, NOON)
    assert [(found.slot, found.days) for found in told] == [(slot(4), 7), (skat, 7), (slot(3), 30), (slot(2), 60)]
    assert [found.days for found in reminders(world.store, NOON + timedelta(days=2), [slot(4)])] == [0]
    summary = Renewer(world.store, {}, clock=world.clock).run()
    assert {result.outcome for result in summary.results} == {Outcome.BY_HAND}
    assert summary.reminders == told
    assert summary.exit_status == 0
    assert "skat/production/10101010: expires on 2026-03-09, in less than 7 days" in str(summary)


def test_the_last_week_is_urgent(world: World) -> None:
    first = enrolled(world.store)
    world.clock.now, world.authority.is_slow = first.expires - timedelta(days=2), True
    assert "(urgent)" in str(world.renewer.run())


def test_only_the_slots_asked_for(world: World) -> None:
    for number in range(2):
        enrolled(world.store, slot(number))
    world.clock.now = DUE
    summary = world.renewer.run([slot(1)])
    assert [result.slot for result in summary.results] == [slot(1)]


def test_an_authority_that_forgets_to_complete_is_found_out(world: World) -> None:
    first = enrolled(world.store)
    world.clock.now = DUE
    world.authority.look = lambda slot, pending: _other(world)  # type: ignore[method-assign]
    summary = world.renewer.run()
    assert [result.outcome for result in summary.results] == [Outcome.FAILED]
    assert world.store.credential(SLOT) == first


def _other(world: World) -> Any:
    return enrolled(world.store, slot(9), not_after=DUE + YEAR)
