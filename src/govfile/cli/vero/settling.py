"""`govfile vero settle`, `abandon`: what a person decides about a request that waits."""

from typing import Annotated

import typer

from govfile.cli.commands import command
from govfile.cli.escape import printable
from govfile.cli.exits import Exit
from govfile.cli.filings.settling import ArrivedOption
from govfile.cli.session import Session
from govfile.cli.vero import app, told
from govfile.cli.vero.enrol import CustomerArgument
from govfile.cli.vero.service import customer, open_service
from govfile.errors import ConfigurationError


@command(app, "settle")
def settle(
    session: Session,
    which: CustomerArgument = None,
    reason: Annotated[str, typer.Option(help="How you know; for the log.")] = "",
    arrived: ArrivedOption = False,
    retrieval_id: Annotated[
        str | None, typer.Option(metavar="ID", help="With --arrived: the authority's number of the request.")
    ] = None,
    never_arrived: Annotated[
        bool, typer.Option("--never-arrived", help="It never arrived; its codes are not spent.")
    ] = False,
) -> Exit:
    """Settle a request whose outcome is unknown, once the authority has said what became of it.

    One that arrived is then fetched by its number; one that never did may be asked for again, by the same codes.
    """
    if arrived is never_arrived:
        raise ConfigurationError("say which: --arrived or --never-arrived", advice="when in doubt, ask the authority")
    if not reason.strip():
        raise ConfigurationError("--reason is empty", advice="e.g. --reason 'support, ticket 4711'")
    holder = customer(session, which)
    with open_service(session) as service:
        found = service.settle(holder, arrived=arrived, reason=reason, retrieval_id=retrieval_id)
        slot = service.slot(holder)
    session.out.say(f"{printable(slot)}: settled")
    told.application(session.out, slot, found)
    return Exit.DONE


@command(app, "abandon")
def abandon(
    session: Session,
    which: CustomerArgument = None,
    reason: Annotated[str, typer.Option(help="Why; kept with the key.")] = "",
) -> Exit:
    """Give up the request that waits, for good. Its key stays on the disk, out of use; what is in use stays in use."""
    if not reason.strip():
        raise ConfigurationError("--reason is empty", advice="e.g. --reason 'new codes were ordered'")
    holder = customer(session, which)
    with open_service(session) as service:
        service.abandon(holder, reason)
        slot = service.slot(holder)
    session.out.say(f"{printable(slot)}: given up")
    session.out.record("abandoned", slot=str(slot), reason=reason)
    return Exit.DONE
