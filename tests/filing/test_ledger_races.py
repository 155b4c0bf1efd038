"""F-17: however many processes ask for the same names at once, each name is won once."""

from __future__ import annotations

import multiprocessing
import random
import time
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING

import pytest

from govfile import Ledger
from govfile.errors import AlreadyFiled
from support.filing import claim

if TYPE_CHECKING:
    from multiprocessing.synchronize import Barrier

    from govfile.filing.claim import Claim

PROCESSES = 32
NAMES = 20_000
BATCH = 500

Won = list[str]


@cache
def claims_of(half: int) -> list[Claim]:
    """Every name with one of two contents: half of the processes ask with one, half with the other."""
    return [claim(f"{number}.zip", f"{number} {half}") for number in range(NAMES)]


def _ask_for_all(place: str, who: int, gate: Barrier, results: multiprocessing.Queue[tuple[int, Won]]) -> None:
    """Claim every name, each process in an order of its own: most in batches, some one by one."""
    randomness = random.Random(who)
    wanted = list(claims_of(who % 2))
    randomness.shuffle(wanted)
    won: Won = []
    with Ledger.open(place, patience=200) as ledger:
        gate.wait()
        for start in range(0, NAMES, BATCH):
            for single in wanted[start : start + 3]:
                try:
                    _, is_new = ledger.claim(single)
                except AlreadyFiled:
                    continue
                if is_new:
                    won.append(single.name)
            many = wanted[start + 3 : start + BATCH]
            for asked, outcome in zip(many, ledger.claim_many(many), strict=True):
                if not isinstance(outcome, AlreadyFiled) and outcome[1]:
                    won.append(asked.name)
    results.put((who, won))


@pytest.mark.slow
def test_f17_32_processes_and_20000_names_each_name_won_once(place: str) -> None:
    Ledger.open(place).close()
    for half in range(2):
        claims_of(half)  # made once, before the processes part
    context = multiprocessing.get_context("fork")
    results: multiprocessing.Queue[tuple[int, Won]] = context.Queue()
    gate = context.Barrier(PROCESSES)
    begun = time.monotonic()
    children = [context.Process(target=_ask_for_all, args=(place, who, gate, results)) for who in range(PROCESSES)]
    for child in children:
        child.start()
    winners: Counter[str] = Counter()
    owner_of: dict[str, int] = {}
    for _ in children:
        who, won = results.get(timeout=240)
        winners.update(won)
        owner_of.update(dict.fromkeys(won, who))
    for child in children:
        child.join()
        assert child.exitcode == 0
    some = len(set(owner_of.values()))
    print(f"{NAMES} names, {PROCESSES} processes: {time.monotonic() - begun:.0f} s, {some} won some")
    assert len(winners) == NAMES
    assert set(winners.values()) == {1}
    with Ledger.open(place) as ledger:
        kept = {submission.name: submission.sha256 for submission in ledger.search()}
        asked = [{wanted.name: wanted.sha256 for wanted in claims_of(half)} for half in range(2)]
        assert kept == {name: asked[who % 2][name] for name, who in owner_of.items()}
        assert ledger.verify() == []
