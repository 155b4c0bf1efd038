"""Ledgers for the tests: every one that asks for `ledger` runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from govfile import Ledger
from support import postgres

if TYPE_CHECKING:
    from pathlib import Path

Opener = Callable[..., Ledger]

_numbers = itertools.count()


@pytest.fixture(scope="session")
def server() -> Iterator[postgres.Server]:
    with postgres.running() as running:
        yield running


@pytest.fixture
def database_url(server: postgres.Server) -> str:
    name = f"ledger_{next(_numbers)}"
    server.create(name)
    return server.url(name)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.servers)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a ledger of its own may be: a path, or the URL of an empty database."""
    if request.param == "sqlite":
        return str(tmp_path / "filings.db")
    return str(request.getfixturevalue("database_url"))


@pytest.fixture
def open_ledger(place: str) -> Iterator[Opener]:
    """Opens the same ledger as often as called, and closes them all."""
    opened: list[Ledger] = []

    def open_it(**settings: Any) -> Ledger:
        opened.append(Ledger.open(place, **settings))
        return opened[-1]

    yield open_it
    for ledger in opened:
        ledger.close()


@pytest.fixture
def ledger(open_ledger: Opener) -> Ledger:
    return open_ledger()
