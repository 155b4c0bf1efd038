"""`govfile onss collect` and `status`: what came back, and what is known."""

from typing import TYPE_CHECKING, Annotated

import typer

from govfile.cli import exits, show
from govfile.cli.commands import command
from govfile.cli.escape import printable
from govfile.cli.exits import Exit
from govfile.cli.filings import looking
from govfile.cli.filings.looking import IntoOption, WhichArgument
from govfile.cli.onss import app
from govfile.cli.onss.channel import open_channel, place
from govfile.cli.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from govfile.cli.output import Output
    from govfile.onss.codes import ErrorCode
    from govfile.onss.collecting import Collection
    from govfile.onss.replies import Reply


@command(app, "collect")
def collect(
    session: Session,
    into: IntoOption = None,
    delete: Annotated[
        bool, typer.Option("--delete", help="Remove at the authority what this run has safely kept.")
    ] = False,
) -> Exit:
    """Fetch acknowledgements, notifications and other answers, and record what they prove.

    An answer is taken once its GO is there; nothing is removed at the authority unless asked. Exits with 3 when
    something filed was refused.
    """
    folder = session.into(into)
    with session.open_ledger() as ledger, open_channel(session, ledger) as channel:
        found = channel.collect(folder, delete=delete)
    report(session.out, found)
    code = exits.worst(map(exits.of_submission, found.submissions))
    session.out.record(
        "summary",
        submissions=len(found.submissions),
        answers=len(found.answers),
        unsolicited=len(found.unsolicited),
        unread=len(found.unread),
        skipped=len(found.skipped),
        untouched=len(found.untouched),
        removed=len(found.removed),
        silent=len(found.silent),
        exit=int(code),
    )
    return code


def report(out: "Output", found: "Collection") -> None:
    """What one look brought, line by line."""
    for submission in found.submissions:
        show.line(out, submission)
    for reply in found.replies:
        _reply(out, reply)
    for what, files in (("answer", found.answers), ("unsolicited", found.unsolicited), ("unread", found.unread)):
        looking.kept(out, what, files)
    for skipped in found.skipped:
        looking.left(out, skipped.remote_name, skipped.reason)
    for name in found.untouched:
        out.record("untouched", remote_name=name)
    looking.silent(out, found.silent)
    out.say(
        f"{len(found.answers)} answers, {len(found.unsolicited)} unsolicited, {len(found.unread)} not believed or "
        f"read, {len(found.skipped)} left for later"
    )


def _reply(out: "Output", reply: "Reply") -> None:
    """Why an answer was not believed, and every code in one that was."""
    if reply.problem:
        out.note(f"govfile: {printable(reply.name)} moved nothing: {printable(reply.problem)}")
        out.record("doubt", remote_name=str(reply.name), problem=reply.problem)
    for code in dict.fromkeys(_codes(reply)):
        out.say(f"  {printable(code.code)}: {code.meaning}; {code.advice}")
        out.record(
            "code",
            remote_name=str(reply.name),
            code=code.code,
            group=code.group,
            meaning=code.meaning,
            advice=code.advice,
        )


def _codes(reply: "Reply") -> "Iterator[ErrorCode]":
    for acknowledged in reply.acrf.forms if reply.acrf else ():
        yield from acknowledged.errors
    for notified in reply.notification.forms if reply.notification else ():
        yield from (anomaly.explained for anomaly in notified.anomalies)


@command(app, "status")
def status(session: Session, which: WhichArgument = None) -> Exit:
    """Say what the ledger knows, without asking the authority. The name of any file of a set means the set.

    Exits with 4 while the outcome of one of them is not known, with 3 when one was refused.
    """
    return looking.status(session, place(session), which)
