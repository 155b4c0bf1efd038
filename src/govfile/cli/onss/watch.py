"""`govfile onss watch`: look again and again until everything is answered."""

from govfile.cli.commands import command
from govfile.cli.exits import Exit
from govfile.cli.filings.looking import IntoOption
from govfile.cli.filings.watching import TimeoutOption, UntilOption, Watch, WatchedArgument, summary, watched
from govfile.cli.onss import app
from govfile.cli.onss.channel import open_channel, place
from govfile.cli.onss.collect import report
from govfile.cli.session import Session
from govfile.filing.states import State


@command(app, "watch")
def watch(
    session: Session,
    which: WatchedArgument = None,
    into: IntoOption = None,
    until: UntilOption = State.ANSWERED,
    timeout: TimeoutOption = None,
) -> Exit:
    """Collect at a gentle pace until every declaration is refused or has its notification.

    Exits with 10 when the time is up and something is still under way; silence is never a failure.
    """
    folder, where = session.into(into), place(session)
    with session.open_ledger() as ledger, open_channel(session, ledger) as channel:

        def look() -> None:
            found = channel.collect(folder)
            if session.out.is_terminal and (found.submissions or found.answers):
                report(session.out, found)

        found = Watch(session.out, look, ledger, where, until).run(watched(ledger, where, which), timeout)
    return summary(session.out, found, until)
