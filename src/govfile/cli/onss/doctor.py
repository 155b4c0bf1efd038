"""`govfile onss doctor`: `govfile doctor onss`, where somebody who files with Belgium looks for it."""

from govfile.cli.commands import command
from govfile.cli.exits import Exit
from govfile.cli.onss import app
from govfile.cli.session import Session


@command(app, "doctor")
def doctor(session: Session) -> Exit:
    """Check everything a filing needs, without filing anything; the same as `govfile doctor onss`."""
    from govfile.cli.doctor import examine_onss

    return examine_onss(session)
