"""`Received`: a file that was taken from the authority, so that it is not taken twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from govfile.errors import LedgerDamaged
from govfile.filing.claim import storable
from govfile.filing.ledger.rows import checksum, fits, micros, moment

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

#: The columns of `govfile_received` in the order rows are written and read, without the sequence number.
RECEIVED_COLUMNS: tuple[str, ...] = (
    "authority",
    "environment",
    "login",
    "remote_name",
    "size",
    "modified",
    "sha256",
    "saved_as",
    "at",
    "submission_id",
    "what",
    "crc",
)

_NO_TIME = -1


@attrs.frozen(kw_only=True)
class Received:
    """A remote file and where its raw bytes lie.

    `login` is whose folder it was in; `size` in bytes; `modified` the server's time for it (aware UTC, None where it
    gave none), `at` ours; `sha256` 64 hex digits. `submission_id` is the submission it belongs to, None for what came
    unasked; `what` is "status", "answer" or "unsolicited". What no database holds in a name (NUL, stray bytes) comes
    back spelt out.
    """

    authority: str
    environment: str
    login: str
    remote_name: str
    size: int
    modified: datetime | None = None
    sha256: str
    saved_as: str
    at: datetime
    submission_id: str | None = None
    what: str


def to_receipt_row(received: Received) -> tuple[Any, ...]:
    """The row that holds it."""
    values = (
        received.authority,
        received.environment,
        received.login,
        storable(received.remote_name),
        received.size,
        _NO_TIME if received.modified is None else micros(received.modified),
        received.sha256,
        storable(received.saved_as),
        micros(received.at),
        received.submission_id,
        received.what,
    )
    return (*values, checksum(values))


def from_receipt_row(row: Sequence[Any]) -> Received:
    """What a row holds; raises `LedgerDamaged` when its checksum does not fit."""
    values: dict[str, Any] = dict(zip(RECEIVED_COLUMNS, row, strict=True))
    if not fits(row[:-1], values.pop("crc")):
        raise LedgerDamaged(
            f"the ledger's record of the received file {values['remote_name']!r} does not fit its checksum",
            certain="nothing was changed; what the record says cannot be believed",
            advice="run `govfile ledger verify` and restore the ledger from a backup",
        )
    modified = values["modified"]
    values["modified"] = None if modified == _NO_TIME else moment(modified)
    values["at"] = moment(values["at"])
    return Received(**values)
