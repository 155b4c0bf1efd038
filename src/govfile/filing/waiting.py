"""Waiting for an answer: how often to look, when to stop, and what counts as silence."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

import attrs

from govfile.errors import ConfigurationError, Retry, TransportError
from govfile.filing.states import Proof, State

if TYPE_CHECKING:
    from collections.abc import Callable

    from govfile.filing.ledger import Ledger
    from govfile.filing.patience import Patience
    from govfile.filing.scope import Scope
    from govfile.filing.submission import Submission

logger = logging.getLogger("govfile.filing")

#: Before the authority's first word; once that is there, the system behind it may take days.
_UNHEARD = (State.SENDING, State.SENT, State.UNKNOWN)


class Dice(Protocol):
    """What spreads the looks of many clients; `random.Random` and `random.SystemRandom` fit."""

    def random(self) -> float:
        """A number from 0 up to, but not including, 1."""
        ...


def is_silent(submission: Submission, now: datetime, patience: Patience) -> bool:
    """Whether not one word of the authority came for longer than it takes when all is well; silence is no failure."""
    return submission.state in _UNHEARD and submission.silent_for(now) > patience.silence


def silent(ledger: Ledger, scope: Scope, now: datetime, patience: Patience) -> tuple[str, ...]:
    """The ids of a sender's submissions that nothing was heard of for longer than usual."""
    found = []
    for state in _UNHEARD:
        waiting = ledger.search(
            state=state, authority=scope.authority, environment=scope.environment, sender=scope.sender
        )
        found += [one.id for one in waiting if one.sha256 is not None and is_silent(one, now, patience)]
    return tuple(found)


def sent_at(submission: Submission) -> datetime:
    """When sending last came to an end, as far as we know; the time of the claim when it never began."""
    ends = (Proof.CONFIRMED, Proof.LINK_LOST, Proof.INTERRUPTED, Proof.STARTED)
    moments = [event.at for event in submission.history if event.evidence.proof in ends]
    return moments[-1] if moments else submission.created


@attrs.define(kw_only=True)
class Waiter:
    """Looks, by the environment's patience, until a submission has got far enough. Make a new one for each wait."""

    look: Callable[[], None]
    current: Callable[[], Submission]
    patience: Patience
    clock: Callable[[], datetime]
    sleep: Callable[[float], None]
    dice: Dice
    _slept: timedelta = attrs.field(factory=timedelta, init=False)
    _failure: TransportError | None = attrs.field(default=None, init=False)
    _mentioned: bool = attrs.field(default=False, init=False)

    def wait(self, until: State, timeout: float | None) -> Submission:
        """The submission as it is when it has reached `until`, was refused, was never sent, or time is up."""
        started = self.clock()
        limit = self.patience.give_up if timeout is None else _seconds(timeout)
        submission = self.current()
        looks = successes = 0
        while not _is_over(submission, until):
            age = max(timedelta(), self.clock() - sent_at(submission))
            if looks or age < self.patience.first:
                left = limit - max(self._slept, self.clock() - started)
                if looks and (left <= timedelta() or (timeout is None and self._is_hopeless(submission))):
                    break
                self._pause(self.patience.pause(age), left)
            looks += 1
            successes += self._try_to_look()
            submission = self.current()
            self._mention_silence(submission)
        if self._failure is not None and not successes:
            raise self._failure
        return submission

    def _mention_silence(self, submission: Submission) -> None:
        if not self._mentioned and is_silent(submission, self.clock(), self.patience):
            self._mentioned = True
            hours = self.patience.silence.total_seconds() / 3600
            logger.warning("nothing was heard of %s for %.0f hours: silence, not failure", submission.id, hours)

    def _is_hopeless(self, submission: Submission) -> bool:
        return submission.state is State.UNKNOWN and is_silent(submission, self.clock(), self.patience)

    def _pause(self, pause: timedelta, left: timedelta) -> None:
        """Up to a tenth longer, so that many clients do not come at once; never longer than what is left."""
        pause = max(timedelta(), min(pause * (1 + self.dice.random() / 10), left))
        self.sleep(pause.total_seconds())
        self._slept += pause

    def _try_to_look(self) -> bool:
        """Whether the look succeeded. A gateway out of reach is looked at again later; any other error is raised."""
        try:
            self.look()
        except TransportError as error:
            if error.retry is not Retry.SAME_REQUEST:
                raise
            logger.info("a look failed and is tried again: %s", type(error).__name__)
            self._failure = error
            return False
        self._failure = None
        return True


def _seconds(timeout: float) -> timedelta:
    try:
        return timedelta(seconds=timeout)
    except OverflowError:
        return timedelta.max
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"timeout is {timeout!r}, not a number of seconds") from error


def _is_over(submission: Submission, until: State) -> bool:
    state = submission.state
    return state.has_reached(until) or state in (State.REJECTED, State.PREPARED) or state.is_final
