"""Names that were found in use, with content unknown here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from govfile.filing.claim import check_given, storable
from govfile.filing.ledger.claims import new_identifiers
from govfile.filing.ledger.rows import CLAIMED, fold, to_row
from govfile.filing.states import Proof, State
from govfile.filing.submission import Event, Evidence, Submission

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime


@attrs.frozen(kw_only=True)
class BurntScope:
    """Where the names were found, and in whose name they count."""

    authority: str = attrs.field(validator=check_given)
    environment: str = attrs.field(validator=check_given)
    sender: str = attrs.field(validator=check_given)
    service: str = attrs.field(validator=check_given)
    found: str = attrs.field(validator=check_given)


def burnt_rows(scope: BurntScope, names: Iterable[str], at: datetime) -> list[tuple[Any, ...]]:
    """A row for each name, in the one order in which everybody claims."""
    wanted = sorted({storable(name) for name in names}, key=fold)
    return [_row(scope, name, its, at) for name, its in zip(wanted, new_identifiers(len(wanted)), strict=True)]


def _row(scope: BurntScope, name: str, identifier: str, at: datetime) -> tuple[Any, ...]:
    claimed = Submission(
        id=identifier,
        authority=scope.authority,
        environment=scope.environment,
        sender=scope.sender,
        service=scope.service,
        name=name,
        size=None,
        sha256=None,
        filed_by="",
        history=(Event(at=at, state=State.PREPARED, evidence=CLAIMED),),
        revision=1,
    )
    seen = claimed.after(Evidence(proof=Proof.SEEN, detail=f"found in {scope.found}"), at)
    return to_row(seen, f"once:{identifier}", "")
