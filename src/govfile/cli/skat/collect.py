"""`govfile skat collect`, `status`, `services`: what came back, what is known, what may be filed."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from govfile.cli import exits, show
from govfile.cli.commands import command
from govfile.cli.escape import printable
from govfile.cli.exits import Exit
from govfile.cli.lookup import find
from govfile.cli.session import Session
from govfile.cli.skat import app
from govfile.filing.states import State

if TYPE_CHECKING:
    from govfile.cli.output import Output
    from govfile.filing.submission import Answer
    from govfile.skat import Collection

IntoOption = Annotated[
    Path | None, typer.Option("--into", metavar="FOLDER", help="Where answers are kept [`into` of the profile].")
]


@command(app, "collect")
def collect(
    session: Session,
    into: IntoOption = None,
    delete: Annotated[
        bool, typer.Option("--delete", help="Remove at the gateway what this run has safely kept.")
    ] = False,
    anyway: Annotated[
        bool,
        typer.Option("--even-if-filed-by-others", help="Also when only another login of the company waits."),
    ] = False,
) -> Exit:
    """Fetch statuses and answers, and record what they prove. Nothing is removed at the gateway unless asked.

    Exits with 3 when something filed was refused.
    """
    from govfile.cli.skat.gateway import open_gateway

    folder = session.into(into)
    with session.open_ledger(create=True) as ledger, open_gateway(session, ledger) as gateway:
        found = gateway.collect(folder, delete=delete, even_if_filed_by_others=anyway)
    report(session.out, found)
    code = exits.worst(map(exits.of_submission, found.submissions))
    session.out.record(
        "summary",
        statuses=found.statuses,
        submissions=len(found.submissions),
        answers=len(found.answers),
        unsolicited=len(found.unsolicited),
        unread=len(found.unread),
        skipped=len(found.skipped),
        removed=len(found.removed),
        silent=len(found.silent),
        exit=int(code),
    )
    return code


def report(out: "Output", found: "Collection") -> None:
    """What one look brought, line by line."""
    for submission in found.submissions:
        show.line(out, submission)
    for what, files in (("answer", found.answers), ("unsolicited", found.unsolicited), ("unread", found.unread)):
        for file in files:
            _file(out, what, file)
    for skipped in found.skipped:
        out.say(f"left for later: {printable(skipped.remote_name)}: {printable(skipped.reason)}")
        out.record("skipped", remote_name=skipped.remote_name, reason=skipped.reason)
    for submission in found.silent:
        out.say(f"silent for long, which is no failure: {printable(submission.name)}")
        out.record("silent", id=submission.id, name=submission.name)
    for login, count in found.filed_by_others:
        out.note(
            f"govfile: {count} filings of this company were filed by {printable(login)}; only that login can collect "
            "what became of them"
        )
        out.record("filed_by_other", login=login, count=count)
    out.say(
        f"{found.statuses} statuses, {len(found.answers)} answers, {len(found.unsolicited)} unsolicited, "
        f"{len(found.skipped)} left for later"
    )


def _file(out: "Output", what: str, file: "Answer") -> None:
    out.say(f"{what}: {printable(file.path)} ({file.size} bytes)")
    out.record(what, path=file.path, remote_name=file.remote_name, size=file.size, sha256=file.sha256)


@command(app, "status")
def status(
    session: Session,
    which: Annotated[
        list[str] | None, typer.Argument(metavar="[ID|NAME]…", help="Filings; all that wait for something without.")
    ] = None,
) -> Exit:
    """Say what the ledger knows, without asking the gateway.

    Exits with 4 while the outcome of one of them is not known, with 3 when one was refused.
    """
    with session.open_ledger() as ledger:
        if which:
            found = [one for name in which for one in find(ledger, name, environment=session.environment.name)]
            for one in found:
                show.whole(session.out, one)
        else:
            pending = [state for state in State if not state.is_final]
            name = session.environment.name
            waiting = (one for state in pending for one in ledger.search(state=state, environment=name))
            found = [one for one in waiting if one.sha256 is not None]  # a name found used up is no filing of ours
            show.rows(session.out, found)
            session.out.say(f"waiting: {show.counts(found)}")
    return exits.worst(exits.of_submission(one) for one in found if one.state is not State.PREPARED)


@command(app, "services")
def services(session: Session) -> Exit:
    """List the services this certificate can see at the gateway now. Exits with 3 when there is none."""
    from govfile.cli.skat.gateway import open_gateway

    with session.open_ledger(create=True) as ledger, open_gateway(session, ledger) as gateway:
        session.out.say(f"{gateway.username} sees:")
        visible = gateway.services()
    for name in visible:
        session.out.say(f"  {printable(name)}")
        session.out.record("service", name=name)
    if not visible:
        session.out.note("govfile: no service is visible; roles reach the gateway once an hour")
    return Exit.DONE if visible else Exit.REJECTED
