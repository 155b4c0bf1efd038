"""How long to wait between looks, and for how long in all."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import attrs

from govfile.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from govfile.filing.patience import Patience
    from govfile.filing.waiting import Dice


@attrs.define
class Pace:
    """The pauses of one wait: the first look comes `patience.first` after the request, the others as it says.

    `timeout` in seconds; None takes the patience's own.
    """

    patience: Patience
    asked: datetime
    clock: Callable[[], datetime]
    sleep: Callable[[float], None]
    dice: Dice
    timeout: float | None = None
    _started: datetime = attrs.field(init=False)
    _slept: timedelta = attrs.field(factory=timedelta, init=False)
    _looks: int = attrs.field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        self._started = self.clock()

    def next_look(self, at_least: timedelta | None = None) -> bool:
        """Wait until the next look is due; False, without waiting, when that would be too late.

        `at_least` is the pause the server asks for.
        """
        pause = pause_before(self._looks, self.patience, self.clock() - self.asked, self.dice, at_least)
        if pause > self._left():
            return False
        if pause > timedelta():
            self.sleep(pause.total_seconds())
            self._slept += pause
        self._looks += 1
        return True

    def _left(self) -> timedelta:
        limit = self.patience.give_up if self.timeout is None else seconds(self.timeout)
        return limit - max(self._slept, self.clock() - self._started)


def pause_before(looks: int, patience: Patience, age: timedelta, dice: Dice, at_least: timedelta | None) -> timedelta:
    """How long to wait before the next look, after so many `looks`, at a request of that `age`.

    `at_least` is the pause the server asks for.
    """
    age = max(timedelta(), age)
    pause = timedelta() if looks == 0 and age >= patience.first else patience.pause(age)
    return max(pause * (1 + dice.random() / 10), at_least or timedelta())


def seconds(timeout: float) -> timedelta:
    """A number of seconds as a span; raises `ConfigurationError`."""
    try:
        return timedelta(seconds=timeout)
    except OverflowError:
        return timedelta.max
    except (TypeError, ValueError) as error:
        raise ConfigurationError("timeout is not a number of seconds") from error
