"""`govfile onss watch`, `resume`, `settle`, `withdraw`, `rebuild`: following declarations, and going on with them."""

from govfile.cli.filings import settling, watching
from govfile.cli.filings.office import Desk
from govfile.cli.onss import app
from govfile.cli.onss.channel import open_channel, place
from govfile.cli.onss.collect import report

DESK = Desk(open=open_channel, place=place, look=lambda channel, folder: channel.collect(folder), report=report)

watching.declare(
    app,
    DESK,
    watch="""Collect at a gentle pace until every declaration is refused or has its notification.

    Exits with 10 when the time is up and something is still under way; silence is never a failure.
    """,
)
settling.declare(
    app,
    DESK,
    resume="""Go on after a crash: finish, with the same bytes, every set that was not triggered.

    What may have been triggered is looked for and otherwise stays unknown. Nothing is declared twice.
    """,
    rebuild="""Burn in the ledger every name that the files at the authority show to be used up. Declares nothing.

    For a ledger that was lost. The first filing with a new ledger does it by itself.
    """,
)
