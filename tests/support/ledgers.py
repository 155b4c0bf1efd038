"""Fresh ledgers by the hundred: what is the same in all of them is made once a process. And calls that are interrupted,
and ledgers that cannot write.

The rooms that file through a ledger open one for each test. The empty file with its tables comes out the same each
time. The tests of the ledger itself (`tests/filing`) do without this.
"""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from govfile.errors import LedgerError
from govfile.filing.ledger import sqlite

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from govfile.filing.states import Proof

_build = sqlite._build


def made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here to the end of the test, new ledgers begin as copies of one empty file."""
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


def interrupted_at(nth: int, real: Callable[..., Any]) -> Callable[..., Any]:
    """`real`, but for the nth call, which is a Ctrl-C."""
    left = [nth]

    def call(*arguments: Any, **keywords: Any) -> Any:
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt
        return real(*arguments, **keywords)

    return call


class Forgetful:
    """A ledger that cannot write down one kind of evidence, for a while."""

    def __init__(self, ledger: Any, proof: Proof) -> None:
        self._ledger = ledger
        self.proof: Proof | None = proof

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    def record(self, submission_id: str, evidence: Any, **more: Any) -> Any:
        """`Ledger.record`, as on a full disk."""
        if evidence.proof is self.proof:
            raise LedgerError("the disk is full")
        return self._ledger.record(submission_id, evidence, **more)
