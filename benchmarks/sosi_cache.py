"""A hundred threads that want one ID card: how many calls they make, and what the cache costs once it is warm.

    python benchmarks/sosi_cache.py [ROUNDS]

The service is the sandbox on this machine. Counted are its answers while a hundred threads begin on a cold cache, and
again on a card that is spent, ROUNDS times (5 unless given). Then one thread takes the card from the warm cache, in
turns with a bare look-up in a dictionary under a lock.
"""

from __future__ import annotations

import statistics
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from govfile.sandbox.sosi import SosiSandbox
from govfile.sosi.card import IdCard
from govfile.sosi.card_source import CardSource
from govfile.sosi.sts import SecurityTokenService

if TYPE_CHECKING:
    from collections.abc import Callable

THREADS = 100
LOOKS = 20_000
TURNS = 15


def calls(authority: SosiSandbox, source: CardSource) -> int:
    """The answers of the service while a hundred threads ask for the card at once."""
    before = len(authority.answered)
    barrier = threading.Barrier(THREADS)

    def ask(_: int) -> bytes:
        barrier.wait()
        return source().xml

    with ThreadPoolExecutor(THREADS) as pool:
        found = set(pool.map(ask, range(THREADS)))
    if len(found) != 1:
        raise SystemExit(f"the threads got {len(found)} different cards")
    return len(authority.answered) - before


def rate(work: Callable[[], object]) -> float:
    """How often a second."""
    began = time.perf_counter()
    for _ in range(LOOKS):
        work()
    return LOOKS / (time.perf_counter() - began)


def warm(source: CardSource) -> float:
    """The median of the ratios of a look into the cache to a bare look-up under a lock, taken in turns."""
    lock, kept = threading.Lock(), {"key": source()}

    def bare() -> object:
        with lock:
            return kept["key"]

    rates = [(rate(source), rate(bare)) for _ in range(TURNS)]
    print(f"card from a warm cache {statistics.median(ours for ours, _ in rates):.0f}/s")
    print(f"bare look-up under a lock {statistics.median(theirs for _, theirs in rates):.0f}/s")
    return statistics.median(ours / theirs for ours, theirs in rates)


def main(rounds: int = 5) -> int:
    """Print the rows."""
    with SosiSandbox() as authority:
        cold, spent = [], []
        with SecurityTokenService(authority.environment, authority.credential, clock=authority.clock) as sts:
            for number in range(rounds):
                source = CardSource(sts, IdCard.user(it_system=f"Benchmark {number}", role="7170"))
                cold.append(calls(authority, source))
                authority.clock.advance(24 * 3600)
                spent.append(calls(authority, source))
            ratio = warm(source)
    print(f"ratio: STS calls of {THREADS} threads on a cold cache | {max(cold)} | <= 1")
    print(f"ratio: STS calls of {THREADS} threads on a spent card | {max(spent)} | <= 1")
    print(f"ratio: card from a warm cache over a bare look-up | {ratio:.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*(int(argument) for argument in sys.argv[1:2])))
