"""`govfile sandbox`: an authority on this machine."""

from pathlib import Path
from typing import Annotated

import typer

from govfile.cli.commands import command, new_app
from govfile.cli.escape import printable
from govfile.cli.exits import Exit
from govfile.cli.session import Session

app = new_app("An authority on this machine, to try things out.")


@command(app, "skat", profile=False)
def skat(
    session: Session,
    into: Annotated[
        Path, typer.Option("--into", metavar="FOLDER", help="Where its throw-away papers and a govfile.toml go.")
    ] = Path("sandbox"),
    port: Annotated[int, typer.Option(min=0, max=65535, help="Control port; 0 takes a free one.")] = 0,
    lifelike: Annotated[bool, typer.Option("--lifelike", help="The published pace: hours and days.")] = False,
    retired: Annotated[bool, typer.Option("--retired", help="The gateway before 2020 beside it.")] = False,
) -> Exit:
    """Run a strict Danish FTPS gateway on localhost until Ctrl-C, and say how to connect."""
    from govfile.sandbox.skat import serve

    def say(line: str) -> None:
        session.out.say(printable(line))
        session.out.record("line", text=line)

    serve(into=into, port=port, lifelike=lifelike, retired=retired, say=say)
    return Exit.DONE
