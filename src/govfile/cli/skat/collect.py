"""`govfile skat collect`, `status`, `services`: what came back, what is known, what may be filed."""

from typing import TYPE_CHECKING, Annotated

import typer

from govfile.cli import exits, show
from govfile.cli.commands import command
from govfile.cli.escape import printable
from govfile.cli.exits import Exit
from govfile.cli.filings import looking
from govfile.cli.filings.looking import IntoOption, WhichArgument
from govfile.cli.ledgers import open_to_look
from govfile.cli.session import Session
from govfile.cli.skat import app
from govfile.cli.skat.gateway import place

if TYPE_CHECKING:
    from govfile.cli.output import Output
    from govfile.skat import Collection


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
    with session.open_ledger() as ledger, open_gateway(session, ledger) as gateway:
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
        looking.kept(out, what, files)
    for skipped in found.skipped:
        looking.left(out, skipped.remote_name, skipped.reason)
    looking.silent(out, found.silent)
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


@command(app, "status")
def status(session: Session, which: WhichArgument = None) -> Exit:
    """Say what the ledger knows, without asking the gateway.

    Exits with 4 while the outcome of one of them is not known, with 3 when one was refused.
    """
    return looking.status(session, place(session), which)


@command(app, "services")
def services(session: Session) -> Exit:
    """List the services this certificate can see at the gateway now. Exits with 3 when there is none."""
    from govfile.cli.skat.gateway import open_gateway

    with open_to_look(session.profile) as ledger, open_gateway(session, ledger) as gateway:
        session.out.say(f"{gateway.username} sees:")
        visible = gateway.services()
    for name in visible:
        session.out.say(f"  {printable(name)}")
        session.out.record("service", name=name)
    if not visible:
        session.out.note("govfile: no service is visible; roles reach the gateway once an hour")
    return Exit.DONE if visible else Exit.REJECTED
