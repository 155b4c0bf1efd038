"""L-07: a ledger that is deleted, moved or replaced while a program has it open says so, and lets nothing leave."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from govfile import Ledger
from govfile.errors import LedgerError
from support.filing import claim

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def delete(place: Path) -> None:
    for file in place.parent.glob(f"{place.name}*"):
        file.unlink()


def move(place: Path) -> None:
    place.rename(place.with_name("elsewhere.db"))


def replace(place: Path) -> None:
    backup = place.with_name("backup.db")
    shutil.copy(place, backup)
    backup.replace(place)


def start_anew(place: Path) -> None:
    delete(place)
    Ledger.open(place).close()


@pytest.mark.parametrize(
    ("take_away", "says"),
    [(delete, "is gone"), (move, "is gone"), (replace, "was replaced"), (start_anew, "was replaced")],
)
def test_l07_what_could_never_be_found_again_is_not_called_recorded(
    tmp_path: Path, take_away: Callable[[Path], None], says: str
) -> None:
    place = tmp_path / "filings.db"
    ledger = Ledger.open(place)
    claimed, _ = ledger.claim(claim("first.zip"))
    take_away(place)
    for call in (
        lambda: ledger.claim(claim("second.zip", sha256="2" * 64)),
        lambda: ledger.claim_many([claim("third.zip", sha256="3" * 64)]),
        lambda: ledger.start(claimed.id),
        lambda: ledger.get(claimed.id),
    ):
        with pytest.raises(LedgerError, match=says):
            call()
    ledger.close()
