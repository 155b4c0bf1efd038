"""Days of a sender played from a seed: the game itself is the authority's, how it is played and broken is the same."""

from __future__ import annotations

import abc
import os
import random
from collections import Counter
from typing import TYPE_CHECKING

from govfile.filing.states import Proof
from govfile.transports.faulty import FaultPlan, FaultyTransport, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from govfile.filing.ledger import Ledger
    from govfile.filing.states import State
    from govfile.filing.submission import Submission
    from govfile.transports.base import FileTransport

_BREAKS = tuple(step for step in Step if step is not Step.LOGIN)


def seeds(usual: int) -> Sequence[int]:
    """The one in `SEED`, or as many as `GAMES` says, or the usual number of them."""
    return [int(os.environ["SEED"])] if "SEED" in os.environ else range(int(os.environ.get("GAMES", usual)))


class AnyGame(abc.ABC):
    """Some days, decided by a seed. Once `is_fair`, nothing breaks any more; `worst` is how often a step breaks."""

    worst: float

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.is_fair = False

    def wrap(self, inner: FileTransport) -> FileTransport:
        if self.is_fair:
            return inner
        seed, rate = self.dice.randrange(2**32), self.dice.choice((0.0, 0.05, self.worst))
        return FaultyTransport(inner, FaultPlan(seed=seed, rate=rate, steps=_BREAKS))

    @property
    @abc.abstractmethod
    def ledger(self) -> Ledger:
        """What was recorded."""

    @property
    def found(self) -> list[Submission]:
        """The filings in the ledger, names found used up left out."""
        return [submission for submission in self.ledger.search() if submission.sha256]

    @abc.abstractmethod
    def play(self) -> None:
        """Until all is well again."""

    @abc.abstractmethod
    def check(self) -> None:
        """What must hold."""


def play(make: Callable[[Path, int], AnyGame], folder: Path, seeds: Sequence[int]) -> None:
    """Play and check a game for every seed; a failure names its seed."""
    for seed in seeds:
        game = _new(make, folder, seed)
        try:
            game.play()
            game.check()
        except BaseException as error:
            error.add_note(f"SEED={seed}")
            raise
        finally:
            game.ledger.close()


def ends(make: Callable[[Path, int], AnyGame], folder: Path, seeds: Sequence[int]) -> tuple[Counter[State], int]:
    """How the filings of these games end, and how many times one was started."""
    states: Counter[State] = Counter()
    starts = 0
    for seed in seeds:
        game = _new(make, folder, seed)
        game.play()
        found = game.found
        states.update(submission.state for submission in found)
        starts += sum(event.evidence.proof is Proof.STARTED for one in found for event in one.history)
        game.ledger.close()
    return states, starts


def _new(make: Callable[[Path, int], AnyGame], folder: Path, seed: int) -> AnyGame:
    place = folder / str(seed)
    place.mkdir()
    return make(place, seed)
