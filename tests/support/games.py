"""Days of a sender played from a seed: the game itself is the authority's, how it is played and broken is the same."""

from __future__ import annotations

import abc
import os
import random
from collections import Counter
from typing import TYPE_CHECKING, Any, Protocol

from govfile.errors import GovfileError
from govfile.filing.states import Proof
from govfile.transports.faulty import FaultPlan, FaultyTransport, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from govfile.filing.ledger import Ledger
    from govfile.filing.states import State
    from govfile.filing.submission import Submission
    from govfile.transports.base import FileTransport
    from support.skat_world import Clock

_BREAKS = tuple(step for step in Step if step is not Step.LOGIN)


def seeds(usual: int) -> Sequence[int]:
    """The one in `SEED`, or as many as `GAMES` says, or the usual number of them."""
    return [int(os.environ["SEED"])] if "SEED" in os.environ else range(int(os.environ.get("GAMES", usual)))


class AnyWorld(Protocol):
    """Where a game is played."""

    ledger: Ledger
    clock: Clock

    @property
    def into(self) -> Path:
        """Where answers are collected."""
        ...


class AnyGame(abc.ABC):
    """Some days, decided by a seed. Once `is_fair`, nothing breaks any more; `worst` is how often a step breaks."""

    worst: float
    #: So many runs may break, and so many come after, when nothing does.
    runs: int
    runs_after: int
    world: AnyWorld

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.is_fair = False

    def wrap(self, inner: FileTransport) -> FileTransport:
        if self.is_fair:
            return inner
        seed, rate = self.dice.randrange(2**32), self.dice.choice((0.0, 0.05, self.worst))
        return FaultyTransport(inner, FaultPlan(seed=seed, rate=rate, steps=_BREAKS))

    @property
    def ledger(self) -> Ledger:
        """What was recorded."""
        return self.world.ledger

    @property
    def found(self) -> list[Submission]:
        """The filings in the ledger, names found used up left out."""
        return [submission for submission in self.ledger.search() if submission.sha256]

    @abc.abstractmethod
    def client(self) -> AbstractContextManager[Any]:
        """A gateway or channel whose links break as planned."""

    @abc.abstractmethod
    def steps(self, client: Any) -> list[Callable[[], object]]:
        """What one process does: resume, file, collect."""

    @abc.abstractmethod
    def other_side(self, *, diligent: bool = False) -> None:
        """The authority goes on with what it has; where it is diligent, it finishes all of it."""

    def may_still_refuse(self, error: GovfileError) -> bool:
        """Whether this is no wonder even where nothing breaks any more."""
        return False

    def play(self) -> None:
        """Until all is well again."""
        for _ in range(self.runs):
            self.run()
            self.other_side()
            self.world.clock.advance(minutes=self.dice.randrange(1, 600))
        self.is_fair = True
        for _ in range(self.runs_after):
            self.run()
            self.other_side(diligent=True)
            self.world.clock.advance(hours=1)
        with self.client() as client:
            client.collect(self.world.into)

    def run(self) -> None:
        """One process; any of its steps may break, and it may die in between."""
        with self.client() as client:
            for step in self.steps(client):
                if not self.is_fair and self.dice.random() < 0.1:
                    return
                try:
                    step()
                except GovfileError as error:
                    if self.is_fair and not self.may_still_refuse(error):
                        raise AssertionError("nothing breaks any more, and yet") from error

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
