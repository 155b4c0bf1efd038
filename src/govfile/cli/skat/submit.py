"""`govfile skat submit`: many files, each on its own; one bad file never stops the others."""

import glob
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import attrs
import typer

from govfile import errors
from govfile.cli.commands import command
from govfile.cli.exits import Exit
from govfile.cli.session import Session
from govfile.cli.skat import app
from govfile.cli.skat.tally import Tally
from govfile.filing.submission import Submission

if TYPE_CHECKING:
    from govfile.skat import Gateway

#: What is wrong with the set-up, not with a file: the other files would fail the same way, and a refused login that is
#: tried again and again locks accounts.
_HOPELESS = (
    errors.ConfigurationError,
    errors.CredentialError,
    errors.AuthenticationRefused,
    errors.PeerIdentityError,
    errors.TlsFailed,
    errors.NotAuthorised,
    errors.LedgerError,
)

#: After so many files in a row that could not be handed over, the others are left for the next run.
_PATIENCE = 3


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
    files: Annotated[list[str], typer.Argument(metavar="FILES…", help="Files or quoted patterns such as '*.zip'.")],
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
    paths = [path for pattern in files for path in _expanded(pattern, tally)]
    if name is not None and len(paths) > 1:
        raise errors.ConfigurationError(f"--name is for one file, and here are {len(paths)}")
    if paths:
        with session.open_ledger(create=True) as ledger, open_gateway(session, ledger) as gateway:
            try:
                _file(session, gateway, paths, wish, tally)
            except KeyboardInterrupt as interrupt:
                return tally.interrupted(interrupt, ledger)
    return tally.summary()


def _expanded(pattern: str, tally: Tally) -> list[Path]:
    if not glob.has_magic(pattern) or os.path.exists(pattern):  # noqa: PTH110  (a `Path` raises for a name too long)
        return [Path(pattern)]  # a missing file is reported in its turn
    found = sorted(Path(match) for match in glob.glob(pattern, recursive=True) if not Path(match).is_dir())  # noqa: PTH207  (absolute patterns)
    if not found:
        tally.failed(pattern, errors.InvalidContent("no file matches this pattern", advice="check it, and the folder"))
    return found


def _file(session: Session, gateway: "Gateway", paths: list[Path], wish: Wish, tally: Tally) -> None:
    outcomes = _in_parallel(gateway, paths, wish) if wish.connections > 1 else _in_turn(session, gateway, paths, wish)
    for path, outcome in outcomes:
        if isinstance(outcome, Submission):
            tally.filed(path, outcome)
        else:
            tally.failed(path, outcome)
    tally.untried(paths)


def _in_parallel(
    gateway: "Gateway", paths: list[Path], wish: Wish
) -> Iterator[tuple[Path, Submission | errors.GovfileError]]:
    from govfile.skat.filing import Filing

    filings = (Filing(document=path, key=wish.key, again=wish.again) for path in paths)
    outcomes = gateway.submit_many(filings, service=wish.service, dry_run=wish.dry_run, connections=wish.connections)
    for document, outcome in outcomes:
        assert isinstance(document, Path)
        yield document, outcome


def _in_turn(
    session: Session, gateway: "Gateway", paths: list[Path], wish: Wish
) -> Iterator[tuple[Path, Submission | errors.GovfileError]]:
    unreached = 0
    for path in paths:
        try:
            with session.out.progress(path.name) as progress:
                submission = gateway.submit(
                    path,
                    service=wish.service,
                    name=wish.name,
                    dry_run=wish.dry_run,
                    key=wish.key,
                    again=wish.again,
                    progress=progress,
                )
        except errors.GovfileError as error:
            yield path, error
            unreached = unreached + 1 if isinstance(error, errors.TransportError) else 0
            if isinstance(error, _HOPELESS) or unreached >= _PATIENCE:
                return
        else:
            unreached = 0
            yield path, submission
