"""Moving the full records of old, final submissions into a file; the ledger keeps their names and digests for ever.

The file is whole and on the disk before any row changes, and rows are made slim only for what is read back from it. A
crash between the two leaves both: the next archive holds what this one could not finish.
"""

from __future__ import annotations

import functools
import itertools
import json
from typing import TYPE_CHECKING, Any

import attrs

from govfile.errors import ConfigurationError, LedgerDamaged
from govfile.filing.claim import storable
from govfile.filing.ledger import places
from govfile.filing.ledger.export import write_rows
from govfile.filing.ledger.reader import read
from govfile.filing.ledger.rows import COLUMNS, to_row
from govfile.filing.states import Proof
from govfile.filing.submission import Evidence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from govfile.filing.ledger.database import Database, Session
    from govfile.filing.submission import Event, Submission

#: Rows made slim in one transaction.
_AT_ONCE = 200

#: Evidence whose words stay: why the authority refused.
_REFUSALS = (Proof.REFUSED, Proof.NAME_REUSED)


def write_archive(submissions: Iterator[Submission], into: Path) -> int:
    """Write full records to a new file, one JSON object a line; how many. No file is made for none.

    Raises `ConfigurationError` when there is a file already, `LedgerError` when it cannot be written.
    """
    places.check_place(into)
    if into.exists():
        raise _taken(into)
    first = next(submissions, None)
    if first is None:
        return 0
    written = 0

    def build(draft: Path) -> None:
        nonlocal written
        with draft.open("w", encoding="utf-8", newline="\n") as stream:
            written = write_rows(itertools.chain([first], submissions), stream, "jsonl")

    if not places.create(into, build, what="archive"):
        raise _taken(into)
    places.clear_workshops(into)
    return written


def slim_down(database: Database, into: Path) -> int:
    """Make slim the rows whose records the file holds as they still are; how many."""
    place, count = storable(str(into)), 0
    for some in _in_groups(_written(into)):
        count += database.transaction(functools.partial(_slim_some, some, place))
    return count


def _written(into: Path) -> Iterator[tuple[str, int]]:
    with into.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                record = json.loads(line)
                yield record["id"], record["revision"]
            except (ValueError, TypeError, KeyError) as error:
                raise LedgerDamaged(
                    f"line {number} of the archive {into} cannot be read back",
                    certain="the ledger still holds the full records of this line and all that follow",
                    advice="check the disk, then archive into another file",
                ) from error


def _in_groups(items: Iterable[tuple[str, int]]) -> Iterator[list[tuple[str, int]]]:
    given = iter(items)
    while some := list(itertools.islice(given, _AT_ONCE)):
        yield some


def _slim_some(some: list[tuple[str, int]], place: str, session: Session) -> int:
    return sum(_slim(session, identifier, revision, place) for identifier, revision in some)


def _slim(session: Session, identifier: str, revision: int, place: str) -> int:
    """1 when the row was made slim, 0 when it has changed since it was written out."""
    submission, guard, _ = read(session, identifier)
    if submission.revision != revision or submission.archived is not None or not submission.state.is_final:
        return 0
    slim = attrs.evolve(
        submission,
        history=tuple(map(_bare, submission.history)),
        answers=(),
        source_path=None,
        certificate="",
        archived=place,
        revision=revision + 1,
    )
    values: dict[str, Any] = dict(zip(COLUMNS, to_row(slim, guard, ""), strict=True))
    return session.change(session.statements.slim, {**values, "was": revision})


def _bare(event: Event) -> Event:
    """When, and what it proved; a refusal keeps its words."""
    proof = event.evidence.proof
    words = {"detail": event.evidence.detail, "code": event.evidence.code} if proof in _REFUSALS else {}
    return attrs.evolve(event, evidence=Evidence(proof=proof, **words))


def _taken(into: Path) -> ConfigurationError:
    return ConfigurationError(
        f"there is a file {into} already", certain="nothing was archived", advice="give the name of a new file"
    )
