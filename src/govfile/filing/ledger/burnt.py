"""Names that were found in use, with content unknown here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from govfile.filing.claim import check_given, storable
from govfile.filing.ledger.claims import new_identifiers
from govfile.filing.ledger.rows import CLAIMED, COLUMNS, to_row
from govfile.filing.states import Proof, State
from govfile.filing.submission import Event, Evidence, Submission

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime


_FOLDED = COLUMNS.index("folded")


@attrs.frozen(kw_only=True)
class BurntScope:
    """Where the names were found, and in whose name they count."""

    authority: str = attrs.field(validator=check_given)
    environment: str = attrs.field(validator=check_given)
    sender: str = attrs.field(validator=check_given)
    found: str = attrs.field(validator=check_given)


def burnt_rows(scope: BurntScope, names: Mapping[str, Iterable[str]], at: datetime) -> list[tuple[Any, ...]]:
    """A row for each of the names by service, in the one order in which everybody claims."""
    wanted = {(storable(service), storable(name)) for service, some in names.items() for name in some}
    rows = [
        _row(scope, service, name, its, at)
        for (service, name), its in zip(sorted(wanted), new_identifiers(len(wanted)), strict=True)
    ]
    return sorted(rows, key=lambda row: str(row[_FOLDED]))


def _row(scope: BurntScope, service: str, name: str, identifier: str, at: datetime) -> tuple[Any, ...]:
    claimed = Submission(
        id=identifier,
        authority=scope.authority,
        environment=scope.environment,
        sender=scope.sender,
        service=service,
        name=name,
        size=None,
        sha256=None,
        filed_by="",
        history=(Event(at=at, state=State.PREPARED, evidence=CLAIMED),),
        revision=1,
    )
    seen = claimed.after(Evidence(proof=Proof.SEEN, detail=f"found in {scope.found}"), at)
    return to_row(seen, f"once:{identifier}", "")
