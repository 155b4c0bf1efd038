"""`govfile vero doctor`: `govfile doctor vero`, where somebody who enrols with Finland looks for it."""

from govfile.cli.commands import command
from govfile.cli.exits import Exit
from govfile.cli.session import Session
from govfile.cli.vero import app


@command(app, "doctor")
def doctor(session: Session) -> Exit:
    """Check everything a renewal needs, without asking for anything; the same as `govfile doctor vero`."""
    from govfile.cli.doctor import examine_vero

    return examine_vero(session)
