"""`watch`: look again and again until everything is answered; the same for every authority."""

import contextlib
import random
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from govfile.cli import exits, show
from govfile.cli.commands import command
from govfile.cli.exits import Exit
from govfile.cli.filings.looking import IntoOption, under_way
from govfile.cli.lookup import find_one
from govfile.cli.session import Session
from govfile.errors import Retry, TransportError
from govfile.filing.states import UNDER_WAY, State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from govfile.cli.filings.office import Desk, Place
    from govfile.cli.output import Output
    from govfile.filing.ledger import Ledger
    from govfile.filing.submission import Submission

WatchedArgument = Annotated[
    list[str] | None, typer.Argument(metavar="ID|NAME", help="Filings; all that are under way without.")
]
UntilOption = Annotated[State, typer.Option(help="How far they are to come.")]
TimeoutOption = Annotated[float | None, typer.Option(metavar="SECONDS", min=0, help="Stop waiting then [7 days].")]


def declare(app: typer.Typer, desk: "Desk", *, watch: str) -> None:
    """Add the command to an authority's group; `watch` is its help text."""

    def watching(
        session: Session,
        which: WatchedArgument = None,
        into: IntoOption = None,
        until: UntilOption = State.ANSWERED,
        timeout: TimeoutOption = None,
    ) -> Exit:
        folder, where = session.into(into), desk.place(session)
        with session.open_ledger() as ledger, desk.open(session, ledger) as office:

            def look() -> None:
                found = desk.look(office, folder)
                if session.out.is_terminal and (found.submissions or found.answers):
                    desk.report(session.out, found)

            found = Watch(session.out, look, ledger, where, until).run(_watched(ledger, where, which), timeout)
        return _summary(session.out, found, until)

    watching.__doc__ = watch
    command(app, "watch")(watching)


def _watched(ledger: "Ledger", place: "Place", which: list[str] | None) -> "list[Submission]":
    """The filings of these ids or names, or all that are under way."""
    if which:
        return [find_one(ledger, one, authority=place.authority, environment=place.environment) for one in which]
    return list(under_way(ledger, place, UNDER_WAY))


def is_there(submission: "Submission", until: State) -> bool:
    """Whether nothing more is to be waited for."""
    return submission.state.is_final or submission.state.has_reached(until)


def _summary(out: "Output", found: "list[Submission]", until: State) -> Exit:
    """What became of them, and the exit code."""
    for one in found:
        show.line(out, one)
    waiting = [one for one in found if not is_there(one, until)]
    code = exits.worst([exits.of_submission(one) for one in found] + [Exit.WAITING for _ in waiting])
    out.say(f"{len(found) - len(waiting)} there, {len(waiting)} under way")
    out.record("summary", there=len(found) - len(waiting), waiting=len(waiting), exit=int(code))
    return code


class Watch:
    """The loop: look, see what moved, wait as long as the environment's patience says, look again.

    `look` collects, and says what it found where `out` is watched.
    """

    def __init__(
        self,
        out: "Output",
        look: "Callable[[], None]",
        ledger: "Ledger",
        place: "Place",
        until: State,
        *,
        sleep: "Callable[[float], None]" = time.sleep,
        monotonic: "Callable[[], float]" = time.monotonic,
    ) -> None:
        self._out, self._collect, self._ledger, self._patience, self._until = out, look, ledger, place.patience, until
        self._sleep, self._monotonic = sleep, monotonic
        self._dice = random.SystemRandom()  # spreads the looks of many clients

    def run(self, watched: "list[Submission]", timeout: float | None) -> "list[Submission]":
        """The filings as they are when all are there, or when the time (seconds) is up."""
        began = self._monotonic()
        limit = self._patience.give_up.total_seconds() if timeout is None else timeout
        while True:
            self._look()
            watched = [self._ledger.get(one.id) for one in watched]
            waiting = [one for one in watched if not is_there(one, self._until)]
            left = limit - (self._monotonic() - began)
            if not waiting or left <= 0:
                return watched
            pause = self._pause(waiting)
            with self._waiting(waiting, pause):
                self._sleep(min(pause, left))

    def _look(self) -> None:
        """One look; a link that is down now may be up at the next."""
        try:
            self._collect()
        except TransportError as error:
            if error.retry is not Retry.SAME_REQUEST:
                raise
            self._out.error(error)

    def _pause(self, waiting: "list[Submission]") -> float:
        from govfile.filing.waiting import sent_at

        now = datetime.now(UTC)
        ages = (max(timedelta(), now - sent_at(one)) for one in waiting)
        return min(self._patience.pause(age).total_seconds() for age in ages) * (1 + self._dice.random() / 10)

    @contextlib.contextmanager
    def _waiting(self, waiting: "list[Submission]", pause: float) -> "Iterator[None]":
        if not self._out.is_terminal:
            yield
            return
        from rich.console import Console

        text = f"{show.counts(waiting)}; looking again in {pause:.0f} s (Ctrl-C to stop; nothing is lost)"
        with Console(stderr=True, highlight=False).status(text):
            yield
