"""One desk for each test: a service in this process, a key store, a client."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from govfile.certificates import _pem
from support.vero_desk import VeroDesk

if TYPE_CHECKING:
    from pathlib import Path

_load = functools.lru_cache(maxsize=64)(load_pem_private_key)


@pytest.fixture(autouse=True)
def keys_are_checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading an RSA key checks it for 20 ms, which is half of all that these tests would do; they share few keys."""
    monkeypatch.setattr(_pem, "load_pem_private_key", _load)


@pytest.fixture
def desk(tmp_path: Path) -> VeroDesk:
    return VeroDesk(tmp_path)
