"""How long to wait between looks at an authority that does not say when it answers."""

from __future__ import annotations

from datetime import timedelta

import attrs


@attrs.frozen(kw_only=True)
class Patience:
    """How often to look for answers: first after `first`, then every `usual`, after `slow_after` every `slow`.

    `silence` is the age after which a submission without a status counts as silent: never as failed. `give_up` is how
    long a wait without a time-out goes on. `second_look` lies between two listings that tell whether a file is still
    being written.
    """

    first: timedelta = timedelta(seconds=30)
    usual: timedelta = timedelta(minutes=5)
    slow_after: timedelta = timedelta(hours=1)
    slow: timedelta = timedelta(minutes=30)
    silence: timedelta = timedelta(hours=6)
    give_up: timedelta = timedelta(days=7)
    second_look: timedelta = attrs.field(
        default=attrs.Factory(lambda self: min(self.first, timedelta(seconds=2)), takes_self=True)
    )

    def pause(self, age: timedelta) -> timedelta:
        """How long to wait before the next look, `age` after the document was sent."""
        if age < self.first:
            return self.first - age
        return self.slow if age >= self.slow_after else self.usual
