"""By which names a SQLite ledger may be opened: one, and any that the disk takes."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from govfile import Ledger
from govfile.errors import ConfigurationError, LedgerError
from govfile.filing.states import Proof
from govfile.filing.submission import Evidence
from support.filing import claim

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "filings.db"


def test_l08_a_ledger_with_a_second_name_is_refused(path: Path) -> None:
    with Ledger.open(path) as ledger:
        ledger.claim(claim())
        os.link(path, path.with_name("second.db"))
        with pytest.raises(ConfigurationError, match="2 names"):
            Ledger.open(path.with_name("second.db"))
    path.with_name("second.db").unlink()
    with Ledger.open(path) as ledger:
        assert not ledger.claim(claim())[1]


@pytest.mark.parametrize(
    ("name", "kind"), [("a\0b.db", ConfigurationError), ("a" * 300, LedgerError), ("b" * 250, LedgerError)]
)
def test_g08_a_name_that_no_disk_takes_is_refused(path: Path, name: str, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        Ledger.open(path.parent / name)
    with Ledger.open(path) as ledger:
        refused = ledger.claim(claim())[0]
        ledger.start(refused.id)
        ledger.record(refused.id, Evidence(proof=Proof.REFUSED))
        with pytest.raises(kind):
            ledger.archive(datetime.now(UTC) + timedelta(days=1), path.parent / name)
        assert ledger.get(refused.id).archived is None


def test_g08_a_path_that_is_no_utf8_is_a_path(path: Path) -> None:
    place = path.with_name(os.fsdecode(b"l\xf8n ?#%.db"))
    with Ledger.open(place) as ledger:
        assert ledger.claim(claim())[1]
    with Ledger.open(place) as ledger:
        assert not ledger.claim(claim())[1]
    assert place.exists()
