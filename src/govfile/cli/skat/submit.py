"""`govfile skat submit`: many files, each on its own; one bad file never stops the others."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import attrs
import typer

from govfile import errors
from govfile.cli.commands import command
from govfile.cli.exits import Exit
from govfile.cli.filings.batch import expanded, in_turn, tell
from govfile.cli.filings.tally import Tally
from govfile.cli.session import Session
from govfile.cli.skat import app
from govfile.filing.submission import Submission

if TYPE_CHECKING:
    from collections.abc import Iterator

    from govfile.cli.filings.batch import Outcome, Progress
    from govfile.skat import Gateway


@attrs.frozen(kw_only=True)
class Wish:
    """What the options of one command ask for each of its files."""

    service: str
    name: str | None
    dry_run: bool
    key: str | None
    again: str | None
    connections: int


@command(app, "submit")
def submit(
    session: Session,
    files: Annotated[list[str], typer.Argument(metavar="FILE", help="Files or quoted patterns such as '*.zip'.")],
    service: Annotated[str, typer.Option(help="The service, e.g. Udlaan; see `govfile skat services`.")],
    name: Annotated[str | None, typer.Option(help="The remote name; only with one file.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Have it validated only, where the service can.")] = False,
    key: Annotated[str | None, typer.Option(help="Tells two filings of the same content apart.")] = None,
    again: Annotated[str | None, typer.Option(metavar="REASON", help="File the same content once more.")] = None,
    connections: Annotated[int, typer.Option(min=1, max=8, help="Parallel connections.")] = 1,
) -> Exit:
    """File documents, each exactly once. Run it twice, and nothing is sent twice."""
    from govfile.cli.skat.gateway import open_gateway

    wish = Wish(service=service, name=name, dry_run=dry_run, key=key, again=again, connections=connections)
    tally = Tally(session)
    paths = expanded(files, tally)
    if name is not None and len(paths) > 1:
        raise errors.ConfigurationError(
            f"--name is for one file, and here are {len(paths)}", advice="name them one by one, or leave --name out"
        )
    if paths:
        with session.open_ledger(create=True) as ledger, open_gateway(session, ledger) as gateway:
            try:
                tell(tally, ledger, paths, _outcomes(session, gateway, paths, wish))
            except KeyboardInterrupt as interrupt:
                return tally.interrupted(interrupt, ledger, paths)
    return tally.summary()


def _outcomes(session: Session, gateway: "Gateway", paths: list[Path], wish: Wish) -> "Iterator[Outcome]":
    if wish.connections > 1:
        return _in_parallel(gateway, paths, wish)

    def submit(path: Path, progress: "Progress") -> Submission:
        return gateway.submit(
            path,
            service=wish.service,
            name=wish.name,
            dry_run=wish.dry_run,
            key=wish.key,
            again=wish.again,
            progress=progress,
        )

    return in_turn(session, paths, submit)


def _in_parallel(gateway: "Gateway", paths: list[Path], wish: Wish) -> "Iterator[Outcome]":
    from govfile.skat.filing import Filing

    filings = (Filing(document=path, name=wish.name, key=wish.key, again=wish.again) for path in paths)
    outcomes = gateway.submit_many(filings, service=wish.service, dry_run=wish.dry_run, connections=wish.connections)
    for document, outcome in outcomes:
        assert isinstance(document, Path)
        yield document, outcome
