"""`govfile onss submit`: many declarations, each on its own; or the parts of one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import attrs
import typer

from govfile import errors
from govfile.cli.commands import command
from govfile.cli.exits import Exit
from govfile.cli.filings.batch import expanded, in_turn, tell
from govfile.cli.filings.tally import Tally
from govfile.cli.onss import app
from govfile.cli.onss.channel import open_channel
from govfile.cli.session import Session
from govfile.filing.submission import Submission

if TYPE_CHECKING:
    from collections.abc import Iterator

    from govfile.cli.filings.batch import Outcome, Progress
    from govfile.onss import Channel


@attrs.frozen(kw_only=True)
class Wish:
    """What the options of one command ask for each declaration. `sign` None: as the environment says."""

    purpose: str
    key: str | None
    again: str | None
    sign: bool | None
    connections: int

    @property
    def words(self) -> dict[str, Any]:
        """As `Channel.submit` takes them."""
        return {"purpose": self.purpose, "key": self.key, "again": self.again, "sign": self.sign}


@command(app, "submit")
def submit(
    session: Session,
    files: Annotated[list[str], typer.Argument(metavar="FILE", help="Files or quoted patterns such as '*.xml'.")],
    purpose: Annotated[str, typer.Option(metavar="CODE", help="What they are for: DMFA, DIMN, WECH, …")],
    parts: Annotated[
        bool, typer.Option("--parts", help="The files are the parts of one declaration, in order.")
    ] = False,
    unsigned: Annotated[
        bool, typer.Option("--unsigned", help="Send no FS files, whatever the environment says.")
    ] = False,
    key: Annotated[str | None, typer.Option(help="Tells two filings of the same content apart.")] = None,
    again: Annotated[str | None, typer.Option(metavar="REASON", help="File the same content once more.")] = None,
    connections: Annotated[int, typer.Option(min=1, max=8, help="Parallel connections, for many files.")] = 1,
) -> Exit:
    """Sign, send and trigger declarations, each exactly once. Run it twice, and nothing is sent twice.

    What is handed over is not yet accepted: `govfile onss collect` or `watch` brings the verdict.
    """
    wish = Wish(purpose=purpose, key=key, again=again, sign=False if unsigned else None, connections=connections)
    tally = Tally(session)
    paths = expanded(files, tally)
    if parts and len(paths) > 9:
        raise errors.ConfigurationError(f"--parts is for 1 to 9 files, and here are {len(paths)}")
    if paths:
        with session.open_ledger(create=True) as ledger, open_channel(session, ledger) as channel:
            try:
                if parts or len(paths) == 1:
                    tell(tally, ledger, paths[:1], _one(session, channel, paths, wish))
                else:
                    tell(tally, ledger, paths, _each(channel, paths, wish))
            except KeyboardInterrupt as interrupt:
                return tally.interrupted(interrupt, ledger, paths[:1] if parts else paths)
    return tally.summary()


def _one(session: Session, channel: "Channel", paths: list[Path], wish: Wish) -> "Iterator[Outcome]":
    """One declaration, in one part or several."""

    def submit(_: Path, progress: "Progress") -> Submission:
        return channel.submit(list(paths), progress=progress, **wish.words)

    return in_turn(session, paths[:1], submit)


def _each(channel: "Channel", paths: list[Path], wish: Wish) -> "Iterator[Outcome]":
    """Many, several on the way at once. What concerns the set-up stops before the first."""
    from govfile.onss import Filing

    done = 0
    try:
        filings = [Filing(parts=(path,), **wish.words) for path in paths]
        for filing, outcome in channel.submit_many(filings, connections=wish.connections):
            (path,) = filing.parts
            assert isinstance(path, Path)
            done += 1
            yield path, outcome
    except errors.GovfileError as error:
        yield paths[done], error
