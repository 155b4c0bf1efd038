"""`govfile vero fetch`, `status`, `echo`: what became of a request, what there is, and whether it works."""

from typing import TYPE_CHECKING, Annotated

import typer

from govfile.cli import exits
from govfile.cli.commands import command
from govfile.cli.escape import printable
from govfile.cli.exits import Exit
from govfile.cli.generations import generation_fields
from govfile.cli.output import moment
from govfile.cli.session import Session
from govfile.cli.vero import app, told
from govfile.cli.vero.enrol import CustomerArgument, TimeoutOption
from govfile.cli.vero.service import customer, open_service, over

if TYPE_CHECKING:
    from govfile.certificates.keystore import SlotId
    from govfile.vero import CertificateService


@command(app, "fetch")
def fetch(
    session: Session,
    which: CustomerArgument = None,
    retrieval_id: Annotated[
        str | None, typer.Option(metavar="ID", help="The authority's number of a request whose outcome is unknown.")
    ] = None,
    timeout: TimeoutOption = None,
) -> Exit:
    """Fetch the certificate of a request that the service took, also days later. Looks once without --timeout.

    Exits with 10 when it is not there yet.
    """
    holder = customer(session, which)
    with open_service(session) as service:
        service.fetch(holder, retrieval_id=retrieval_id, timeout=timeout or 0)
        current = service.keystore.current(service.slot(holder))
    assert current is not None
    told.credential(session.out, current, "fetched")
    return Exit.DONE


@command(app, "status")
def status(session: Session, which: CustomerArgument = None) -> Exit:
    """Say what is in use for a customer, when it can be renewed, and what waits. Asks nobody.

    Without a customer, neither here nor in the profile, all of this environment. Exits with 4 while an outcome is
    unknown, with 5 when nothing is in use or it has expired, with 10 while a request waits.
    """
    session.profile.require("vero")
    named = which or session.profile.table.get("customer", str)
    with over(session, session.open_keys()) as service:
        slots = service.slots() if named is None else (service.slot(named),)
        code = exits.worst([_status(session, service, slot) for slot in slots])
    session.out.record("summary", customers=len(slots), exit=int(code))
    return code


def _status(session: Session, service: "CertificateService", slot: "SlotId") -> Exit:
    from govfile.vero import Step

    out = session.out
    current, pending = service.keystore.current(slot), service.application(slot.holder)
    codes = [Exit.DONE]
    if current is None:
        out.say(f"{printable(slot)}: nothing is in use")
        codes.append(Exit.CREDENTIAL)
    else:
        out.say(f"{printable(slot)}: until {moment(current.expires)} UTC (generation {current.number})")
        out.record("credential", what="in use", **generation_fields(current))
        window = service.renewal_window(slot.holder)
        told.window(out, slot, window, is_asked_for=pending is not None)
        codes.append(Exit.CREDENTIAL if window.has_passed else Exit.DONE)
    if pending is not None:
        told.application(out, slot, pending)
        steps = {Step.ASKING: Exit.UNKNOWN, Step.REFUSED: Exit.REJECTED}
        codes.append(steps.get(pending.step, Exit.WAITING))
    return exits.worst(codes)


@command(app, "echo")
def echo(
    session: Session,
    which: CustomerArgument = None,
    text: Annotated[str, typer.Option(metavar="TEXT", help="1 to 10 characters to be sent back.")] = "govfile",
) -> Exit:
    """Try the certificate in use at the Incomes Register: a signed message goes there and must come back."""
    from govfile.vero import IncomesRegister

    holder = customer(session, which)
    with open_service(session) as service:
        credential = service.credential(holder)
    with IncomesRegister(session.vero_environment, credential) as register:
        came = register.echo(text)
    session.out.say(f"the register answered {printable(came)!r}: the certificate works")
    session.out.record("echo", holder=holder, text=came, expires=credential.expires)
    return Exit.DONE
