"""`govfile skat resume`, `settle` and `rebuild`: after a crash, an outcome nobody could know, a lost ledger."""

from typing import Annotated

import typer

from govfile.cli import exits, show
from govfile.cli.commands import command
from govfile.cli.escape import printable
from govfile.cli.exits import Exit
from govfile.cli.lookup import find_one
from govfile.cli.session import Session
from govfile.cli.skat import app
from govfile.errors import ConfigurationError
from govfile.filing.states import State


@command(app, "resume")
def resume(session: Session) -> Exit:
    """Go on after a crash: send what never left, and mark what was under way as unknown. Nothing is sent twice."""
    from govfile.cli.skat.gateway import open_gateway

    with session.open_ledger() as ledger, open_gateway(session, ledger) as gateway:
        resumed = gateway.resume()
    for one in resumed:
        show.line(session.out, one.submission)
        if one.error is not None:
            session.out.error(one.error, about=one.submission.name)
    code = exits.worst(
        exits.of_submission(one.submission) if one.error is None else exits.of_error(one.error) for one in resumed
    )
    session.out.say(f"resumed: {show.counts(one.submission for one in resumed)}")
    session.out.record("summary", resumed=len(resumed), exit=int(code))
    return code


@command(app, "settle")
def settle(
    session: Session,
    which: Annotated[str, typer.Argument(metavar="ID|NAME", help="A filing whose outcome is unknown.")],
    reason: Annotated[str, typer.Option(help="How you know; kept in the history.")],
    arrived: Annotated[bool, typer.Option("--arrived", help="It arrived.")] = False,
    never_arrived: Annotated[bool, typer.Option("--never-arrived", help="It never arrived; it may be sent.")] = False,
) -> Exit:
    """Settle an unknown outcome by hand, once the authority has said what became of it."""
    from govfile.cli.skat.gateway import open_gateway

    if arrived is never_arrived:
        raise ConfigurationError("say which: --arrived or --never-arrived", advice="when in doubt, neither: collect")
    if not reason.strip():
        raise ConfigurationError("--reason is empty", advice="e.g. --reason 'service desk, ticket 4711'")
    with session.open_ledger() as ledger, open_gateway(session, ledger) as gateway:
        filing = find_one(ledger, which, environment=session.environment.name)
        if filing.state not in (State.UNKNOWN, State.SENDING):
            raise ConfigurationError(
                f"{printable(filing.name)} is {filing.state.value}; only an unknown outcome is settled by hand",
                certain="nothing was changed",
                advice="govfile skat status with its name shows what is known of it",
            )
        settled = gateway.settle(filing, arrived=arrived, reason=reason)
    show.whole(session.out, settled)
    return Exit.DONE


@command(app, "rebuild")
def rebuild(session: Session) -> Exit:
    """Burn in the ledger every name that the files waiting at the gateway show to be used up. Files nothing.

    For a ledger that was lost. The first filing with a new ledger does it by itself.
    """
    from govfile.cli.skat.gateway import open_gateway

    with session.open_ledger(create=True) as ledger, open_gateway(session, ledger) as gateway:
        burnt = gateway.rebuild()
    session.out.say(f"{burnt} names burnt")
    session.out.record("summary", burnt=burnt, exit=int(Exit.DONE))
    return Exit.DONE
