"""A fleet: everybody is asked first and waited for together, and an authority that is silent is spared."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from govfile.certificates.keystore import SlotId
from govfile.certificates.renewal import Outcome, Renewer
from govfile.errors import ConnectionFailed, KeyStoreBusy, OutcomeUnknown, Phase, Rejected, TimedOut, TrustError
from support.keystores import NOON, YEAR, Clock, FakeAuthority, begin, enrolled, open_store

if TYPE_CHECKING:
    from pathlib import Path

    from govfile import Credential
    from govfile.certificates.keystore import Pending
    from govfile.certificates.renewal import Summary

DUE = NOON + 2 * YEAR - timedelta(days=30)
SLOTS = tuple(SlotId("vero", "TEST", f"holder {number}") for number in range(6))
LOST = OutcomeUnknown("lost", evidence="no answer came", how_to_resolve="look")
FAULT = Rejected("a SOAP fault", code="Server", phase=Phase.CONFIRM)
OUT_OF_REACH = ConnectionFailed("nobody is there")


class Fleet:
    """Six slots that are due; whatever happens is written down in order. Sleeping moves the clock."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.store = open_store(folder / "keys", self.clock, passphrase=None, patience=0.1)
        for slot in SLOTS:
            enrolled(self.store, slot)
        self.clock.now = DUE
        self.authority = FakeAuthority(self.store, self.clock)
        self.authority.pauses = [timedelta(seconds=30), timedelta(seconds=40), timedelta(seconds=40)]
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock.now += timedelta(seconds=seconds)

    def run(self) -> Summary:
        renewer = Renewer(
            self.store, {"vero": self.authority}, clock=self.clock, sleep=self.sleep, randomness=random.Random(1)
        )
        return renewer.run()

    def outcomes(self) -> list[Outcome]:
        return [result.outcome for result in self.run().results]


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    return Fleet(tmp_path)


def test_all_are_asked_then_waited_for_once_then_all_are_fetched(fleet: Fleet) -> None:
    keys_at_the_wait: list[bool] = []
    sleep = fleet.sleep

    def looked_at(seconds: float) -> None:
        keys_at_the_wait.extend(fleet.store.pending(slot) is not None for slot in SLOTS)
        sleep(seconds)

    fleet.sleep = looked_at  # type: ignore[method-assign]
    assert fleet.outcomes() == [Outcome.RENEWED] * 6
    assert fleet.slept == [30]
    assert keys_at_the_wait == [True] * 6, "every key and every request is on the disk before the wait"
    assert fleet.authority.asked == fleet.authority.looked == list(SLOTS)


def test_those_that_take_longer_are_looked_for_again_and_left_to_the_next_run(fleet: Fleet) -> None:
    look, slow = fleet.authority.look, {SLOTS[1]: 2, SLOTS[4]: 99}

    def slowly(slot: SlotId, pending: Pending) -> Credential | None:
        slow[slot] = slow.get(slot, 0) - 1
        return look(slot, pending) if slow[slot] < 0 else None

    fleet.authority.look = slowly  # type: ignore[method-assign]
    renewed, waiting = Outcome.RENEWED, Outcome.WAITING
    assert fleet.outcomes() == [renewed, renewed, renewed, renewed, waiting, renewed]
    assert fleet.slept == [30, 40, 40]
    slow[SLOTS[4]] = 0
    assert fleet.outcomes().count(Outcome.RENEWED) == 1
    assert fleet.authority.asked == list(SLOTS), "nobody is asked twice"


def test_a_look_that_fails_is_made_again_and_one_that_must_not_is_not(fleet: Fleet) -> None:
    fleet.authority.silent = {SLOTS[0]: TimedOut("no answer", which="reply"), SLOTS[3]: TrustError("not genuine")}
    summary = fleet.run()
    assert [result.outcome for result in summary.results].count(Outcome.RENEWED) == 4
    assert {summary.results[0].outcome, summary.results[3].outcome} == {Outcome.FAILED}
    assert (fleet.authority.looked.count(SLOTS[0]), fleet.authority.looked.count(SLOTS[3])) == (3, 1)
    fleet.authority.silent.clear()
    assert fleet.outcomes().count(Outcome.RENEWED) == 2


def test_an_error_of_an_authoritys_pause_stays_with_its_slot(fleet: Fleet) -> None:
    pause = fleet.authority.pause

    def broken(pending: Pending, looks: int, waited: timedelta) -> timedelta | None:
        if pending.slot == SLOTS[2]:
            raise ZeroDivisionError
        return pause(pending, looks, waited)

    fleet.authority.pause = broken  # type: ignore[method-assign]
    found = fleet.outcomes()
    assert (found.count(Outcome.RENEWED), found[2]) == (5, Outcome.FAILED)


def test_a_slot_that_another_process_fetched_during_the_wait_is_done(fleet: Fleet) -> None:
    sleep = fleet.sleep

    def meanwhile(seconds: float) -> None:
        pending = fleet.store.pending(SLOTS[5])
        assert pending is not None
        fleet.authority.look(SLOTS[5], pending)
        sleep(seconds)

    fleet.sleep = meanwhile  # type: ignore[method-assign]
    assert fleet.outcomes() == [Outcome.RENEWED] * 5 + [Outcome.NOT_DUE]


@pytest.mark.parametrize("error", [LOST, OUT_OF_REACH, FAULT], ids=["lost", "out of reach", "fault"])
def test_an_authority_that_answers_nobody_puts_three_in_doubt_and_not_the_fleet(fleet: Fleet, error: Exception) -> None:
    tried: list[SlotId] = []

    def silent(slot: SlotId, pending: Pending | None) -> None:
        assert pending is None
        tried.append(slot)
        begin(fleet.store, slot)
        raise error

    ask, fleet.authority.ask = fleet.authority.ask, silent  # type: ignore[method-assign]
    summary = fleet.run()
    assert tried == list(SLOTS[:3])
    assert all(result.is_bad for result in summary.results)
    assert "no answer to 3 requests in a row" in str(summary.results[3])
    assert [fleet.store.pending(slot) is None for slot in SLOTS] == [False] * 3 + [True] * 3
    fleet.authority.ask = ask  # type: ignore[method-assign]
    assert fleet.outcomes() == [Outcome.RENEWED] * 6, "the next run asks"


def test_requests_in_doubt_of_an_earlier_run_do_not_stand_in_the_way_of_the_others(fleet: Fleet) -> None:
    """They say so every night, without anything being sent; that is no sign of a silent authority."""
    for slot in SLOTS[:4]:
        begin(fleet.store, slot)
        fleet.authority.failing[slot] = LOST
    assert fleet.outcomes() == [Outcome.UNKNOWN] * 4 + [Outcome.RENEWED] * 2


def test_a_refusal_is_an_answer(fleet: Fleet) -> None:
    no = Rejected("no", code="PKI001")
    fleet.authority.failing = dict(zip(SLOTS, (LOST, LOST, no, LOST, LOST), strict=False))
    assert fleet.outcomes()[5] is Outcome.RENEWED


def test_an_authority_that_falls_silent_during_the_wait_is_spared_until_the_next_look(fleet: Fleet) -> None:
    fleet.authority.silent = dict.fromkeys(SLOTS, OUT_OF_REACH)
    found = fleet.outcomes()
    assert found == [Outcome.FAILED] * 3 + [Outcome.WAITING] * 3
    assert fleet.authority.looked == list(SLOTS[:3]) * 3
    fleet.authority.silent.clear()
    assert fleet.outcomes() == [Outcome.RENEWED] * 6


def test_a_slot_that_is_busy_when_its_certificate_is_there_is_left_to_who_has_it(fleet: Fleet) -> None:
    fleet.authority.silent = {SLOTS[0]: KeyStoreBusy("somebody is at work")}
    assert fleet.outcomes() == [Outcome.BUSY] + [Outcome.RENEWED] * 5
    assert fleet.slept == [30]
