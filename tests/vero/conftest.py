"""One desk for each test: a service in this process, a key store, a client."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.vero_desk import VeroDesk

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def desk(tmp_path: Path) -> VeroDesk:
    return VeroDesk(tmp_path)
