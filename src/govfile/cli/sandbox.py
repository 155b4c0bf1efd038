"""`govfile sandbox`: an authority on this machine."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from govfile.cli.commands import command, new_app
from govfile.cli.escape import printable
from govfile.cli.exits import Exit
from govfile.cli.session import Session

app = new_app("An authority on this machine, to try things out.")


IntoOption = Annotated[
    Path, typer.Option("--into", metavar="FOLDER", help="Where its throw-away papers and a govfile.toml go.")
]
PortOption = Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")]
LifelikeOption = Annotated[bool, typer.Option("--lifelike", help="The pace of the real one: hours and days.")]


@command(app, "skat", profile=False)
def skat(
    session: Session,
    into: IntoOption = Path("sandbox"),
    port: PortOption = 0,
    lifelike: LifelikeOption = False,
    retired: Annotated[bool, typer.Option("--retired", help="The gateway before 2020 beside it.")] = False,
) -> Exit:
    """Run a strict Danish FTPS gateway on localhost until Ctrl-C, and say how to connect."""
    from govfile.sandbox.skat import serve

    serve(into=into, port=port, lifelike=lifelike, retired=retired, say=_say(session))
    return Exit.DONE


@command(app, "onss", profile=False)
def onss(
    session: Session,
    into: IntoOption = Path("sandbox"),
    port: PortOption = 0,
    lifelike: LifelikeOption = False,
) -> Exit:
    """Run a strict Belgian transfer point with its SFTP server on localhost until Ctrl-C, and say how to connect."""
    from govfile.sandbox.onss import serve

    serve(into=into, port=port, lifelike=lifelike, say=_say(session))
    return Exit.DONE


@command(app, "vero", profile=False)
def vero(
    session: Session,
    into: IntoOption = Path("sandbox"),
    port: PortOption = 0,
    lifelike: LifelikeOption = False,
) -> Exit:
    """Run a strict Finnish certificate service and register on localhost until Ctrl-C, and say how to connect."""
    from govfile.sandbox.vero import serve

    serve(into=into, port=port, lifelike=lifelike, say=_say(session))
    return Exit.DONE


@command(app, "sosi", profile=False)
def sosi(
    session: Session,
    into: IntoOption = Path("sandbox"),
    port: PortOption = 0,
    sha256: Annotated[bool, typer.Option("--sha256", help="Let the STS sign with SHA-256 instead of SHA-1.")] = False,
    plain: Annotated[bool, typer.Option("--plain", help="Plain HTTP instead of TLS.")] = False,
) -> Exit:
    """Run a strict Danish healthcare STS with services to call on localhost until Ctrl-C, and say how to connect."""
    from govfile.sandbox.sosi import serve

    serve(into=into, port=port, sha256=sha256, plain=plain, say=_say(session))
    return Exit.DONE


def _say(session: Session) -> Callable[[str], None]:
    def say(line: str) -> None:
        session.out.say(printable(line))
        session.out.record("line", text=line)

    return say
