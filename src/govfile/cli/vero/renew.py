"""`govfile vero renew`: one customer's successor, or everything that is due, with an exit code for cron and systemd."""

import contextlib
import logging
from typing import TYPE_CHECKING, Annotated

import typer

from govfile.cli import exits
from govfile.cli.commands import command
from govfile.cli.escape import printable
from govfile.cli.exits import Exit
from govfile.cli.session import Session
from govfile.cli.vero import app, told
from govfile.cli.vero.enrol import CustomerArgument, KeyOption, NameOption, TimeoutOption, read_key
from govfile.cli.vero.service import customer, customer_name, hooks, open_service, refusals
from govfile.errors import ConfigurationError, GovfileError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from govfile.certificates.deploy import HookFailure
    from govfile.certificates.keystore import SlotId
    from govfile.certificates.renewal import Result, Summary
    from govfile.certificates.signer import PrivateKey
    from govfile.vero import CertificateService


@command(app, "renew")
def renew(
    session: Session,
    which: CustomerArgument = None,
    every: Annotated[
        bool, typer.Option("--all", help="Every customer of this environment whose time has come.")
    ] = False,
    unattended: Annotated[
        bool, typer.Option("--unattended", help="With --all: wait a random while first, when anything is due.")
    ] = False,
    spread: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="The longest of these random whiles.")
    ] = 3600.0,
    name: NameOption = None,
    key: KeyOption = None,
    timeout: TimeoutOption = None,
) -> Exit:
    """Replace a certificate in its last 60 days by one with a new key; the old one stays valid beside it.

    With --all, each customer on its own: what goes wrong with one stops no other, what is not due is left alone, and
    the exit code tells whether somebody must look. Made for cron and systemd timers.
    """
    if every:
        if which is not None or name is not None or key is not None or timeout is not None:
            raise ConfigurationError("--all goes by itself", advice="leave customer, name, key and timeout out")
        return _all(session, unattended=unattended, spread=spread)
    if unattended:
        raise ConfigurationError("--unattended is for many", advice="give --all with it")
    return _one(session, customer(session, which), name, None if key is None else read_key(key), timeout)


def _one(session: Session, holder: str, name: str | None, key: "PrivateKey | None", timeout: float | None) -> Exit:
    from govfile.certificates.deploy import Renewed, deploy

    with refusals(session), open_service(session) as service:
        found = service.renew(
            holder,
            customer_name=customer_name(session, name),
            key=key,
            timeout=timeout,
        )
        slot = service.slot(holder)
        current = service.keystore.current(slot)
        assert current is not None
        told.credential(session.out, current, "renewed")
        with _said_once(session):
            failures = deploy(hooks(session), Renewed(slot=slot, generation=current, credential=found))
    _failed(session, slot, failures)
    return Exit.OTHER if failures else Exit.DONE


def _all(session: Session, *, unattended: bool, spread: float) -> Exit:
    from govfile.certificates.renewal import Renewer

    with open_service(session) as service:
        renewer = Renewer(service.keystore, {"vero": service}, hooks=hooks(session), spread=spread)
        with _said_once(session):
            summary = renewer.run(_slots(service), unattended=unattended)
    return _report(session, summary)


@contextlib.contextmanager
def _said_once(session: Session) -> "Iterator[None]":
    """Keep the library's log from saying what this command says itself; with --debug it says everything."""
    log = logging.getLogger("govfile.certificates")
    before = log.level
    log.setLevel(before if session.debug else logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(before)


def _slots(service: "CertificateService") -> "tuple[SlotId, ...]":
    """The customers of this environment; none at all is a slip, not a quiet night."""
    found = service.slots()
    if not found:
        raise ConfigurationError(
            f"the key store {service.keystore.path} holds nobody of {service.environment.name}",
            advice="enrol first, or check keys and environment in the profile",
        )
    return found


def _report(session: Session, summary: "Summary") -> Exit:
    """Everything that is worth a word; a quiet night is one line."""
    from govfile.certificates.renewal import Outcome

    quiet = 0
    for result in summary.results:
        if result.outcome is Outcome.NOT_DUE:
            quiet += 1
        else:
            _tell(session, result)
        session.out.record(
            "renewal",
            slot=str(result.slot),
            outcome=result.outcome,
            expires=result.expires,
            is_urgent=result.is_urgent,
            error=result.error.what if isinstance(result.error, GovfileError) else None,
            hooks=[failure.hook for failure in result.hook_failures],
        )
    for reminder in summary.reminders:
        session.out.say(f"reminder: {printable(reminder)}")
        session.out.record("reminder", slot=str(reminder.slot), expires=reminder.expires, days=reminder.days)
    code = exits.worst(_code(result) for result in summary.results)
    session.out.say(f"{quiet} of {len(summary.results)} not due")
    session.out.record("summary", customers=len(summary.results), not_due=quiet, exit=int(code))
    return code


def _tell(session: Session, result: "Result") -> None:
    from govfile.certificates.renewal import Outcome

    until = f", in use until {result.expires:%Y-%m-%d}" if result.expires else ""
    if result.expires and result.outcome is Outcome.MISSED:
        until = f", the one in use ended on {result.expires:%Y-%m-%d}"
    urgent = " (urgent)" if result.is_urgent else ""
    session.out.say(f"{printable(result.slot)}: {result.outcome.value}{until}{urgent}")
    if isinstance(result.error, GovfileError):
        session.out.error(result.error, about=result.slot)
    elif result.error is not None:
        session.out.note(f"govfile: {printable(result.slot)}: {type(result.error).__name__}")
    _failed(session, result.slot, result.hook_failures)


def _failed(session: Session, slot: "SlotId", failures: "Iterable[HookFailure]") -> None:
    """Programs that did not do their work, and the end of what they printed."""
    for failure in failures:
        session.out.note(f"govfile: {printable(failure.hook)} for {printable(slot)} {failure.why}; the renewal stands")
        for line in failure.output.splitlines():
            session.out.note(f"govfile: {printable(failure.hook)}: {printable(line)}")
        session.out.record("hook", slot=str(slot), hook=failure.hook, why=failure.why, output=failure.output)


def _code(result: "Result") -> Exit:
    """What one customer's outcome is worth to whoever reads the exit code."""
    from govfile.certificates.renewal import Outcome

    match result.outcome:
        case Outcome.UNKNOWN:
            return Exit.UNKNOWN
        case Outcome.MISSED | Outcome.CLOCK_DOUBTED:
            return Exit.CREDENTIAL
        case Outcome.FAILED:
            return exits.of_error(result.error) if isinstance(result.error, GovfileError) else Exit.OTHER
    if result.hook_failures:
        return Exit.OTHER
    return Exit.WAITING if result.is_urgent else Exit.DONE
