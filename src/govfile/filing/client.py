"""What the clients of every file channel do alike: one caller at a time, waiting, settling, withdrawing."""

from __future__ import annotations

import abc
import contextlib
import functools
import threading
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Self, TypeVar

from govfile.errors import ConfigurationError
from govfile.filing.lost import lost_ledger
from govfile.filing.recovery import settle, withdraw
from govfile.filing.states import State
from govfile.filing.waiting import Waiter, is_silent

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from types import TracebackType

    from govfile.errors import LedgerError
    from govfile.filing.ledger import Ledger
    from govfile.filing.patience import Patience
    from govfile.filing.scope import Scope
    from govfile.filing.submission import Submission
    from govfile.filing.waiting import Dice

_C = TypeVar("_C", bound="FilingClient")
_P = ParamSpec("_P")
_R = TypeVar("_R")


def one_at_a_time(call: Callable[Concatenate[_C, _P], _R]) -> Callable[Concatenate[_C, _P], _R]:
    """One conversation serves one caller: a second thread waits its turn."""

    @functools.wraps(call)
    def turn(self: _C, /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        with self._my_turn():
            return call(self, *args, **kwargs)

    return turn


class FilingClient(abc.ABC):
    """Files for one sender in one environment, and follows what it filed. A context manager."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        scope: Scope,
        patience: Patience,
        clock: Callable[[], datetime],
        sleep: Callable[[float], None],
        dice: Dice,
    ) -> None:
        self._ledger = ledger
        self._scope = scope
        self._patience = patience
        self._clock = clock
        self._sleep = sleep
        self._dice = dice
        self._turn = threading.RLock()
        self._in_use: int | None = None  # until somebody has looked

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the conversation. The ledger stays open: it is yours."""
        with self._turn:
            self._hang_up()

    def wait(
        self,
        submission: Submission,
        *,
        until: State = State.ANSWERED,
        into: str | os.PathLike[str],
        timeout: float | None = None,
    ) -> Submission:
        """Collect again and again, at the environment's pace, until the submission has reached `until`.

        Returns it as it is then; also when it was refused, when it was never sent, or when `timeout` (seconds; None:
        the environment's patience) is over. Silence never raises. Raises a `TransportError` when not one look
        succeeded, and a `CredentialError` where only another login can collect what was filed.
        """
        self._check_ours(submission)
        return Waiter(
            look=lambda: self._look(into),
            current=lambda: self._if_abandoned(self._ledger.get(submission.id)),
            patience=self._patience,
            clock=self._clock,
            sleep=self._sleep,
            dice=self._dice,
        ).wait(until, timeout)

    def is_silent(self, submission: Submission) -> bool:
        """Whether nothing was heard of it for longer than usual (six hours): silence, never failure."""
        return is_silent(submission, self._clock(), self._patience)

    @one_at_a_time
    def settle(self, submission: Submission, *, arrived: bool, reason: str) -> Submission:
        """Settle an UNKNOWN submission by hand, when a person has found out whether it arrived; `reason` is recorded.

        Also one left SENDING by a machine or container that is gone for good. When it never arrived it is PREPARED
        again and may be submitted. Raises `ImpossibleStep` in any other state, and while its process is seen to run.
        """
        self._check_ours(submission)
        known = self._if_abandoned(self._ledger.get(submission.id))
        return settle(self._ledger, known, arrived=arrived, reason=reason)

    @one_at_a_time
    def withdraw(self, submission: Submission, *, reason: str) -> Submission:
        """Take back a PREPARED submission: `resume` passes it over; its name stays claimed for its content.

        Parts of it may lie at the other side where a set has several, never its trigger. Submitting it again revives
        it. Raises `ConfigurationError` when it may have left already.
        """
        self._check_ours(submission)
        known = self._if_abandoned(self._ledger.get(submission.id))
        return withdraw(self._ledger, known, reason=reason)

    @contextlib.contextmanager
    def _my_turn(self) -> Iterator[None]:
        with self._turn:
            self._catch_up()
            yield

    def _check_ours(self, submission: Submission) -> None:
        theirs = (submission.authority, submission.environment, submission.sender)
        if theirs != (self._scope.authority, self._scope.environment, self._scope.sender):
            what = type(self).__name__.lower()
            raise ConfigurationError(
                f"{submission.name} was filed by {submission.sender} with {submission.authority} "
                f"({submission.environment}), not through this {what}",
                advice=f"use the {what} it was filed through",
            )

    def _names_in_use(self, look: Callable[[], int]) -> int:
        """How many names `look` finds in use that nobody filed with this ledger; it looks once, before the first."""
        if self._in_use is None:
            self._in_use = look()
        return self._in_use

    def _lost_ledger(self, in_use: int, where: str) -> LedgerError:
        """The error for names in use that `where` shows. It stops one call only: who submits again was told."""
        self._in_use = 0
        return lost_ledger(self._scope, in_use, where)

    @abc.abstractmethod
    def _hang_up(self) -> None:
        """End the conversation, if there is one."""

    @abc.abstractmethod
    def _catch_up(self) -> None:
        """Record what the ledger could not take earlier."""

    @abc.abstractmethod
    def _look(self, into: str | os.PathLike[str]) -> Any:
        """Collect into a folder."""

    @abc.abstractmethod
    def _if_abandoned(self, submission: Submission) -> Submission:
        """A submission whose process has provably ended while it was sending, as it is known from now on."""
