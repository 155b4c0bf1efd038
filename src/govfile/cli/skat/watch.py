"""`govfile skat watch`: look again and again until everything is answered."""

import contextlib
import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from govfile.cli import exits, show
from govfile.cli.commands import command
from govfile.cli.exits import Exit
from govfile.cli.lookup import find_one
from govfile.cli.session import Session
from govfile.cli.skat import app
from govfile.cli.skat.collect import IntoOption, report
from govfile.errors import Retry, TransportError
from govfile.filing.states import State
from govfile.filing.submission import Submission

if TYPE_CHECKING:
    from govfile.filing.ledger import Ledger
    from govfile.skat import Gateway

_UNDER_WAY = (State.SENDING, State.UNKNOWN, State.SENT, State.DELIVERED, State.RECEIVED)


@command(app, "watch")
def watch(
    session: Session,
    which: Annotated[
        list[str] | None, typer.Argument(metavar="[ID|NAME]…", help="Filings; all that are under way without.")
    ] = None,
    into: IntoOption = None,
    until: Annotated[State, typer.Option(help="How far they are to come.")] = State.ANSWERED,
    timeout: Annotated[float | None, typer.Option(metavar="SECONDS", min=0, help="Stop waiting then [7 days].")] = None,
) -> Exit:
    """Collect at the pace the gateway may bear until everything is answered or refused.

    Exits with 10 when the time is up and something is still under way; silence is never a failure.
    """
    from govfile.cli.skat.gateway import open_gateway

    folder = session.into(into)
    with session.open_ledger() as ledger, open_gateway(session, ledger) as gateway:
        watched = _watched(session, ledger, which)
        found = Watch(session, gateway, ledger, folder, until).run(watched, timeout)
    for one in found:
        show.line(session.out, one)
    waiting = [one for one in found if not _is_there(one, until)]
    code = exits.worst([exits.of_submission(one) for one in found] + [Exit.WAITING for _ in waiting])
    session.out.say(f"{len(found) - len(waiting)} there, {len(waiting)} under way")
    session.out.record("summary", there=len(found) - len(waiting), waiting=len(waiting), exit=int(code))
    return code


def _watched(session: Session, ledger: "Ledger", which: list[str] | None) -> list[Submission]:
    name = session.environment.name
    if which:
        return [find_one(ledger, one, environment=name) for one in which]
    under_way = (one for state in _UNDER_WAY for one in ledger.search(state=state, environment=name))
    return [one for one in under_way if one.sha256 is not None]  # a name found used up is no filing of ours


def _is_there(submission: Submission, until: State) -> bool:
    return submission.state.is_final or submission.state.has_reached(until)


class Watch:
    """The loop: look, see what moved, wait as long as the environment's patience says, look again."""

    def __init__(
        self,
        session: Session,
        gateway: "Gateway",
        ledger: "Ledger",
        into: Path,
        until: State,
        *,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session, self._gateway, self._ledger, self._into, self._until = session, gateway, ledger, into, until
        self._sleep, self._monotonic = sleep, monotonic
        self._dice = random.SystemRandom()  # spreads the looks of many clients

    def run(self, watched: list[Submission], timeout: float | None) -> list[Submission]:
        """The filings as they are when all are there, or when the time (seconds) is up."""
        began = self._monotonic()
        limit = self._session.environment.patience.give_up.total_seconds() if timeout is None else timeout
        while True:
            self._look()
            watched = [self._ledger.get(one.id) for one in watched]
            waiting = [one for one in watched if not _is_there(one, self._until)]
            left = limit - (self._monotonic() - began)
            if not waiting or left <= 0:
                return watched
            pause = self._pause(waiting)
            with self._waiting(waiting, pause):
                self._sleep(min(pause, left))

    def _look(self) -> None:
        """One look; a link that is down now may be up at the next."""
        try:
            found = self._gateway.collect(self._into, even_if_filed_by_others=True)
        except TransportError as error:
            if error.retry is not Retry.SAME_REQUEST:
                raise
            self._session.out.error(error)
            return
        if self._session.out.is_terminal and (found.submissions or found.answers):
            report(self._session.out, found)

    def _pause(self, waiting: list[Submission]) -> float:
        from govfile.filing.waiting import sent_at

        now = datetime.now(UTC)
        patience = self._session.environment.patience
        ages = (max(timedelta(), now - sent_at(one)) for one in waiting)
        return min(patience.pause(age).total_seconds() for age in ages) * (1 + self._dice.random() / 10)

    @contextlib.contextmanager
    def _waiting(self, waiting: list[Submission], pause: float) -> Iterator[None]:
        if not self._session.out.is_terminal:
            yield
            return
        from rich.console import Console

        text = f"{show.counts(waiting)}; looking again in {pause:.0f} s (Ctrl-C to stop; nothing is lost)"
        with Console(stderr=True, highlight=False).status(text):
            yield
