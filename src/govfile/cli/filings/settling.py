"""`resume` after a crash, and what a person decides: `settle`, `withdraw`, `rebuild`; the same for every authority."""

from typing import TYPE_CHECKING, Annotated

import typer

from govfile.cli import exits, show
from govfile.cli.commands import command
from govfile.cli.escape import printable
from govfile.cli.exits import Exit
from govfile.cli.lookup import find_one
from govfile.cli.session import Session
from govfile.errors import ConfigurationError
from govfile.filing.states import State

if TYPE_CHECKING:
    from govfile.cli.filings.office import Desk, Office, Place
    from govfile.filing.ledger import Ledger

WhichArgument = Annotated[str, typer.Argument(metavar="ID|NAME", help="A filing whose outcome is unknown.")]
PreparedArgument = Annotated[str, typer.Argument(metavar="ID|NAME", help="A filing that was never sent.")]
ReasonOption = Annotated[str, typer.Option(help="How you know; kept in the history.")]
WhyOption = Annotated[str, typer.Option("--reason", help="Why; kept in the history.")]
ArrivedOption = Annotated[bool, typer.Option("--arrived", help="It arrived.")]
NeverArrivedOption = Annotated[bool, typer.Option("--never-arrived", help="It never arrived; it may be sent.")]


def declare(app: typer.Typer, desk: "Desk", *, resume: str, rebuild: str) -> None:
    """Add the four commands to an authority's group; `resume` and `rebuild` are the help texts of those two."""

    def resumed(session: Session) -> Exit:
        with session.open_ledger() as ledger, desk.open(session, ledger) as office:
            return _resume(session, office)

    def settle(
        session: Session,
        which: WhichArgument,
        reason: ReasonOption,
        arrived: ArrivedOption = False,
        never_arrived: NeverArrivedOption = False,
    ) -> Exit:
        """Settle an unknown outcome by hand, once the authority has said what became of it."""
        _check_wish(arrived=arrived, never_arrived=never_arrived, reason=reason)
        with session.open_ledger() as ledger, desk.open(session, ledger) as office:
            return _settle(session, office, ledger, desk.place(session), which, arrived=arrived, reason=reason)

    def withdraw(session: Session, which: PreparedArgument, reason: WhyOption) -> Exit:
        """Take back what was claimed and never sent, so that `resume` passes it over. Its name stays claimed."""
        with session.open_ledger() as ledger, desk.open(session, ledger) as office:
            place = desk.place(session)
            filing = find_one(ledger, which, authority=place.authority, environment=place.environment)
            show.whole(session.out, office.withdraw(filing, reason=reason))
        return Exit.DONE

    def rebuilt(session: Session) -> Exit:
        with session.open_ledger(create=True) as ledger, desk.open(session, ledger) as office:
            burnt = office.rebuild()
        session.out.say(f"{burnt} names burnt")
        session.out.record("summary", burnt=burnt, exit=int(Exit.DONE))
        return Exit.DONE

    resumed.__doc__, rebuilt.__doc__ = resume, rebuild
    for name, function in (("resume", resumed), ("settle", settle), ("withdraw", withdraw), ("rebuild", rebuilt)):
        command(app, name)(function)


def _resume(session: Session, office: "Office") -> Exit:
    """Go on after a crash, and say what became of each."""
    resumed = office.resume()
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


def _check_wish(*, arrived: bool, never_arrived: bool, reason: str) -> None:
    """Raise `ConfigurationError` unless exactly one of both was said, and why."""
    if arrived is never_arrived:
        raise ConfigurationError("say which: --arrived or --never-arrived", advice="when in doubt, neither: collect")
    if not reason.strip():
        raise ConfigurationError("--reason is empty", advice="e.g. --reason 'service desk, ticket 4711'")


def _settle(
    session: Session, office: "Office", ledger: "Ledger", place: "Place", which: str, *, arrived: bool, reason: str
) -> Exit:
    """Settle one filing by hand and show it."""
    filing = find_one(ledger, which, authority=place.authority, environment=place.environment)
    if filing.state not in (State.UNKNOWN, State.SENDING):
        raise ConfigurationError(
            f"{printable(filing.name)} is {filing.state.value}; only an unknown outcome is settled by hand",
            certain="nothing was changed",
            advice=f"govfile {place.authority} status with its name shows what is known of it",
        )
    show.whole(session.out, office.settle(filing, arrived=arrived, reason=reason))
    return Exit.DONE
