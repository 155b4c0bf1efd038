"""`govfile onss resume` and what a person decides: settle an unknown outcome, withdraw a claim, rebuild a ledger."""

from govfile.cli.commands import command
from govfile.cli.exits import Exit
from govfile.cli.filings import settling
from govfile.cli.filings.settling import (
    ArrivedOption,
    NeverArrivedOption,
    PreparedArgument,
    ReasonOption,
    WhichArgument,
    WhyOption,
)
from govfile.cli.onss import app
from govfile.cli.onss.channel import open_channel, place
from govfile.cli.session import Session


@command(app, "resume")
def resume(session: Session) -> Exit:
    """Go on after a crash: finish, with the same bytes, every set that was not triggered.

    What may have been triggered is looked for and otherwise stays unknown. Nothing is declared twice.
    """
    with session.open_ledger() as ledger, open_channel(session, ledger) as channel:
        return settling.resume(session, channel)


@command(app, "settle")
def settle(
    session: Session,
    which: WhichArgument,
    reason: ReasonOption,
    arrived: ArrivedOption = False,
    never_arrived: NeverArrivedOption = False,
) -> Exit:
    """Settle an unknown outcome by hand, once the authority has said what became of it."""
    settling.check_wish(arrived=arrived, never_arrived=never_arrived, reason=reason)
    with session.open_ledger() as ledger, open_channel(session, ledger) as channel:
        return settling.settle(session, channel, ledger, place(session), which, arrived=arrived, reason=reason)


@command(app, "withdraw")
def withdraw(session: Session, which: PreparedArgument, reason: WhyOption) -> Exit:
    """Take back what was claimed and never sent, so that `resume` passes it over. Its name stays claimed."""
    with session.open_ledger() as ledger, open_channel(session, ledger) as channel:
        return settling.withdraw(session, channel, ledger, place(session), which, reason=reason)


@command(app, "rebuild")
def rebuild(session: Session) -> Exit:
    """Burn in the ledger every name that the files at the authority show to be used up. Declares nothing.

    For a ledger that was lost. The first filing with a new ledger does it by itself.
    """
    with session.open_ledger(create=True) as ledger, open_channel(session, ledger) as channel:
        return settling.rebuild(session, channel)
