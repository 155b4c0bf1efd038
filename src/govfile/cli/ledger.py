"""`govfile ledger`: read the durable record."""

import io
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from govfile.cli import show
from govfile.cli.commands import command, new_app
from govfile.cli.escape import printable
from govfile.cli.exits import Exit
from govfile.cli.lookup import find
from govfile.cli.new_files import new_file
from govfile.cli.session import Session
from govfile.errors import ConfigurationError
from govfile.filing.states import State

app = new_app("The durable record of everything filed.")


@command(app, "list")
def list_(
    session: Session,
    state: Annotated[State | None, typer.Option(help="Only filings in this state.")] = None,
    service: Annotated[str | None, typer.Option(help="Only filings for this service.")] = None,
    sender: Annotated[str | None, typer.Option(help="Only filings of this company (CVR number).")] = None,
    environment: Annotated[str | None, typer.Option(help="Only filings with this environment.")] = None,
    since: Annotated[str | None, typer.Option(metavar="TIME", help="Claimed at or after this time.")] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Claimed before this time.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many.")] = None,
) -> Exit:
    """List what was filed. Times are ISO 8601, UTC where they carry no offset."""
    from_time, to_time = show.parse_moment(since, "--since"), show.parse_moment(until, "--until")
    with session.open_ledger() as ledger:
        found = ledger.search(
            state=state,
            service=service,
            sender=sender,
            environment=environment,
            since=from_time,
            until=to_time,
            limit=limit,
        )
        count = show.rows(session.out, found)
    session.out.say(f"{count} filing{'' if count == 1 else 's'}")
    return Exit.DONE


@command(app, "show")
def show_(
    session: Session,
    which: Annotated[str, typer.Argument(metavar="ID|NAME", help="A filing's id or its remote name.")],
) -> Exit:
    """Show one filing with its whole history."""
    with session.open_ledger() as ledger:
        found = find(ledger, which)
    for one in found:
        show.whole(session.out, one)
    return Exit.DONE


@command(app, "export")
def export(
    session: Session,
    to: Annotated[Path | None, typer.Argument(metavar="FILE", help="Where to; standard output without.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV, safe to open in a spreadsheet, not JSON Lines.")] = False,
) -> Exit:
    """Write the whole ledger as JSON Lines or CSV. An existing file is never overwritten."""
    form: Literal["csv", "jsonl"] = "csv" if as_csv else "jsonl"
    if to is None and as_csv and session.out.as_json:
        raise ConfigurationError("CSV is not JSON", advice="name a FILE for it, or leave --csv or --json out")
    with session.open_ledger() as ledger:
        if to is None:
            with session.out.writing():
                ledger.export(sys.stdout, form)
                sys.stdout.flush()
            return Exit.DONE
        with new_file(to) as stream, io.TextIOWrapper(stream, encoding="utf-8", newline="") as text:
            ledger.export(text, form)
    session.out.say(f"written: {printable(to)}")
    session.out.record("export", path=to, format=form)
    return Exit.DONE


@command(app, "archive")
def archive(
    session: Session,
    to: Annotated[Path, typer.Argument(metavar="FILE", help="The new file that takes the full records.")],
    before: Annotated[str, typer.Option(metavar="TIME", help="What has not changed since this time.")],
) -> Exit:
    """Move full records of finished filings to a file; their names and digests stay in the ledger for ever."""
    moment = show.parse_moment(before, "--before")
    assert moment is not None
    with session.open_ledger() as ledger:
        count = ledger.archive(moment, to)
    session.out.say(
        f"{count} filing{'' if count == 1 else 's'} archived: {printable(to)}" if count else "nothing to archive"
    )
    session.out.record("archive", path=to if count else None, filings=count)
    return Exit.DONE


@command(app, "verify")
def verify(session: Session) -> Exit:
    """Check every record of the ledger against its checksum and the rules of its states."""
    with session.open_ledger() as ledger:
        findings = list(ledger.verify())
    for finding in findings:
        session.out.say(printable(finding))
        session.out.record("finding", text=str(finding))
    session.out.say("the ledger is sound" if not findings else f"{len(findings)} findings: restore it from a backup")
    session.out.record("summary", findings=len(findings), exit=Exit.LEDGER if findings else Exit.DONE)
    return Exit.LEDGER if findings else Exit.DONE
