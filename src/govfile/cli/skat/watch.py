"""`govfile skat watch`: look again and again until everything is answered."""

from govfile.cli.commands import command
from govfile.cli.exits import Exit
from govfile.cli.filings.looking import IntoOption
from govfile.cli.filings.watching import TimeoutOption, UntilOption, Watch, WatchedArgument, summary, watched
from govfile.cli.session import Session
from govfile.cli.skat import app
from govfile.cli.skat.collect import report
from govfile.cli.skat.gateway import open_gateway, place
from govfile.filing.states import State


@command(app, "watch")
def watch(
    session: Session,
    which: WatchedArgument = None,
    into: IntoOption = None,
    until: UntilOption = State.ANSWERED,
    timeout: TimeoutOption = None,
) -> Exit:
    """Collect at the pace the gateway may bear until everything is answered or refused.

    Exits with 10 when the time is up and something is still under way; silence is never a failure.
    """
    folder, where = session.into(into), place(session)
    with session.open_ledger() as ledger, open_gateway(session, ledger) as gateway:

        def look() -> None:
            found = gateway.collect(folder, even_if_filed_by_others=True)
            if session.out.is_terminal and (found.submissions or found.answers):
                report(session.out, found)

        found = Watch(session.out, look, ledger, where, until).run(watched(ledger, where, which), timeout)
    return summary(session.out, found, until)
