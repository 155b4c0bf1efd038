"""`govfile skat watch`, `resume`, `settle`, `withdraw`, `rebuild`: following filings, and picking them up again."""

from govfile.cli.filings import settling, watching
from govfile.cli.filings.office import Desk
from govfile.cli.skat import app
from govfile.cli.skat.collect import report
from govfile.cli.skat.gateway import open_gateway, place

DESK = Desk(
    open=open_gateway,
    place=place,
    look=lambda gateway, folder: gateway.collect(folder, even_if_filed_by_others=True),
    report=report,
)

watching.declare(
    app,
    DESK,
    watch="""Collect at the pace the gateway may bear until everything is answered or refused.

    Exits with 10 when the time is up and something is still under way; silence is never a failure.
    """,
)
settling.declare(
    app,
    DESK,
    resume="""Go on after a crash: send what never left, and mark what was under way as unknown.

    Nothing is sent twice.
    """,
    rebuild="""Burn in the ledger every name that the files waiting at the gateway show to be used up. Files nothing.

    For a ledger that was lost. The first filing with a new ledger does it by itself.
    """,
)
