"""Filing many: each on its own, so that one bad file never stops the others."""

from __future__ import annotations

import glob
import os
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from govfile import errors
from govfile.filing.submission import Submission

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from govfile.cli.filings.tally import Tally
    from govfile.cli.session import Session
    from govfile.filing.ledger import Ledger

    Progress: TypeAlias = "Callable[[int, int | None], None] | None"
    Outcome: TypeAlias = "tuple[Path, Submission | errors.GovfileError]"

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


def expanded(patterns: Iterable[str], tally: Tally) -> list[Path]:
    """The files that names and quoted patterns mean; a pattern that matches nothing is counted as failed."""
    return [path for pattern in patterns for path in _expanded(pattern, tally)]


def _expanded(pattern: str, tally: Tally) -> list[Path]:
    if not glob.has_magic(pattern) or os.path.exists(pattern):  # noqa: PTH110  (a `Path` raises for a name too long)
        return [Path(pattern)]  # a missing file is reported in its turn
    found = sorted(Path(match) for match in glob.glob(pattern, recursive=True) if not Path(match).is_dir())  # noqa: PTH207  (absolute patterns)
    if not found:
        tally.failed(pattern, errors.InvalidContent("no file matches this pattern", advice="check it, and the folder"))
    return found


def tell(tally: Tally, ledger: Ledger, paths: list[Path], outcomes: Iterable[Outcome]) -> None:
    """File one after the other (`outcomes` does it) and say what became of each; those left over were not tried."""
    for path, outcome in outcomes:
        if isinstance(outcome, Submission):
            tally.filed(path, outcome, ledger)
        else:
            tally.failed(path, outcome)
    tally.untried(paths)


def in_turn(
    session: Session, paths: Iterable[Path], submit: Callable[[Path, Progress], Submission]
) -> Iterator[Outcome]:
    """What `submit` makes of each file, until an error that every other one would meet too."""
    unreached = 0
    for path in paths:
        try:
            with session.out.progress(path.name) as progress:
                submission = submit(path, progress)
        except errors.GovfileError as error:
            yield path, error
            unreached = unreached + 1 if isinstance(error, errors.TransportError) else 0
            if isinstance(error, _HOPELESS) or unreached >= _PATIENCE:
                return
        else:
            unreached = 0
            yield path, submission
