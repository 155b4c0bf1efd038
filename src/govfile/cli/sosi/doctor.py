"""`govfile sosi doctor`: `govfile doctor sosi`, where somebody who uses the token service looks for it."""

from govfile.cli.commands import command
from govfile.cli.exits import Exit
from govfile.cli.session import Session
from govfile.cli.sosi import app


@command(app, "doctor")
def doctor(session: Session) -> Exit:
    """Check everything an ID card needs; one is asked for, once. The same as `govfile doctor sosi`."""
    from govfile.cli.doctor import examine_sosi

    return examine_sosi(session)
