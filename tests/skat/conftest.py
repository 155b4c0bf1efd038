"""The world the gateway's tests live in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support import ledgers
from support.skat_world import World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def ledgers_are_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test has a ledger of its own; what is the same in all of them is shared."""
    ledgers.made_once(monkeypatch)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A company with a fresh ledger and a gateway in memory."""
    made = World(tmp_path)
    yield made
    made.ledger.close()
