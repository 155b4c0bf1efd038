"""What came back, and what is known: the parts of `collect` and `status` that every authority shares."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from govfile.cli import exits, show
from govfile.cli.escape import printable
from govfile.cli.exits import Exit
from govfile.cli.lookup import find
from govfile.filing.states import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from govfile.cli.filings.office import Place
    from govfile.cli.output import Output
    from govfile.cli.session import Session
    from govfile.filing.ledger import Ledger
    from govfile.filing.submission import Answer, Submission

IntoOption = Annotated[
    Path | None, typer.Option("--into", metavar="FOLDER", help="Where answers are kept [`into` of the profile].")
]
WhichArgument = Annotated[
    list[str] | None, typer.Argument(metavar="ID|NAME", help="Filings; all that wait for something without.")
]


def kept(out: "Output", what: str, files: "Iterable[Answer]") -> None:
    """Files that were kept, as lines or records of the kind `what`."""
    for file in files:
        out.say(f"{what}: {printable(file.path)} ({file.size} bytes)")
        out.record(what, path=file.path, remote_name=file.remote_name, size=file.size, sha256=file.sha256)


def left(out: "Output", remote_name: str, reason: str) -> None:
    """A remote file that was left for later, and why."""
    out.say(f"left for later: {printable(remote_name)}: {printable(reason)}")
    out.record("skipped", remote_name=remote_name, reason=reason)


def silent(out: "Output", submissions: "Iterable[Submission]") -> None:
    """Filings that nothing was heard of for long."""
    for submission in submissions:
        out.say(f"silent for long, which is no failure: {printable(submission.name)}")
        out.record("silent", id=submission.id, name=submission.name)


def under_way(ledger: "Ledger", place: "Place", states: "Iterable[State]") -> "Iterator[Submission]":
    """The filings of an environment in these states that somebody waits for."""
    for state in states:
        for one in ledger.search(state=state, authority=place.authority, environment=place.environment):
            if one.sha256 is not None and not one.is_withdrawn:  # a name found used up is no filing of ours
                yield one


def status(session: "Session", place: "Place", which: "list[str] | None") -> Exit:
    """What the ledger knows of these filings, or of all that wait for something."""
    with session.open_ledger() as ledger:
        if which:
            found = [
                one
                for name in which
                for one in find(ledger, name, authority=place.authority, environment=place.environment)
            ]
            for one in found:
                show.whole(session.out, one)
        else:
            found = list(under_way(ledger, place, (state for state in State if not state.is_final)))
            show.rows(session.out, found)
            session.out.say(f"waiting: {show.counts(found)}")
    return exits.worst(exits.of_submission(one) for one in found if one.state is not State.PREPARED)
