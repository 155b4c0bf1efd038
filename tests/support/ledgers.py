"""Fresh ledgers by the hundred: what is the same in all of them is made once a process.

The rooms that file through a ledger open one for each test. The SQL of its statements and the empty file with its
tables come out the same each time; making them took half of what those tests did. The tests of the ledger itself
(`tests/filing`) do without this.
"""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from govfile.filing.ledger import database, sqlite
from govfile.filing.ledger.statements import Statements

if TYPE_CHECKING:
    import pytest
    from sqlalchemy.engine import Dialect

_build = sqlite._build


def made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here to the end of the test, new ledgers share their statements and begin as copies of one empty file."""
    monkeypatch.setattr(database, "Statements", _statements)
    monkeypatch.setattr(sqlite, "_build", _copy)


def _copy(path: Path) -> None:
    path.write_bytes(_empty())


@functools.cache
def _empty() -> bytes:
    with tempfile.TemporaryDirectory(prefix="govfile-ledger-") as folder:
        path = Path(folder, "empty.db")
        path.touch()
        _build(path)
        return path.read_bytes()


_shared: dict[tuple[object, ...], Statements] = {}


def _statements(dialect: Dialect) -> Statements:
    key = (type(dialect), dialect.paramstyle, dialect.server_version_info)
    if key not in _shared:
        _shared[key] = Statements(dialect)
    return _shared[key]
