"""Parts of sets, and what is kept for them, as rows with a checksum, and back."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from govfile.errors import LedgerDamaged
from govfile.filing.claim import storable
from govfile.filing.ledger.rows import checksum, fits
from govfile.filing.sets import Part

if TYPE_CHECKING:
    from collections.abc import Sequence

    from govfile.filing.ledger.claims import Attempt

#: The columns of `govfile_part` in the order rows are written and read, without the sequence number.
PART_COLUMNS: tuple[str, ...] = (
    "submission_id",
    "position",
    "authority",
    "environment",
    "sender",
    "name",
    "size",
    "sha256",
    "guard",
    "source_path",
    "marks",
    "crc",
)
KEPT_COLUMNS: tuple[str, ...] = ("submission_id", "name", "content", "crc")


def to_part_row(attempt: Attempt, position: int, part: Part) -> tuple[Any, ...]:
    """The row of one part of a claimed set."""
    claim = attempt.claim
    values = (
        attempt.identifier,
        position,
        claim.authority,
        claim.environment,
        claim.sender,
        part.name,
        part.size,
        part.sha256,
        attempt.guard,
        None if part.source_path is None else storable(part.source_path),
        storable(part.marks),
    )
    return (*values, checksum(values))


def from_part_row(row: Sequence[Any]) -> Part:
    """What a row holds; raises `LedgerDamaged` when its checksum does not fit."""
    values: dict[str, Any] = dict(zip(PART_COLUMNS, row, strict=True))
    if not fits(row[:-1], values["crc"]):
        raise _damaged(f"the part {values['name']!r}")
    return Part(
        name=values["name"],
        size=values["size"],
        sha256=values["sha256"],
        source_path=values["source_path"],
        marks=values["marks"],
    )


def to_kept_row(submission_id: str, name: str, content: bytes) -> tuple[Any, ...]:
    """The row of bytes kept for a set."""
    values = (submission_id, name, base64.b64encode(content).decode("ascii"))
    return (*values, checksum(values))


def from_kept_row(row: Sequence[Any]) -> tuple[str, bytes]:
    """Name and bytes; raises `LedgerDamaged` when the checksum does not fit."""
    if not fits(row[:-1], row[-1]):
        raise _damaged(f"the bytes kept for {row[1]!r}")
    return row[1], base64.b64decode(row[2])


def _damaged(what: str) -> LedgerDamaged:
    return LedgerDamaged(
        f"the ledger's record of {what} does not fit its checksum",
        certain="nothing was changed; what the record says cannot be believed",
        advice="run `govfile ledger verify` and restore the ledger from a backup",
    )
