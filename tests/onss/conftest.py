"""Who signs in these tests, and for whom: all invented."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from govfile import Credential
from support import ledgers, pki
from support.onss_world import World
from support.signing import signing_identity

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def root() -> pki.Authority:
    return pki.Authority.create(pki.plain("Invented root"))


@pytest.fixture(scope="session")
def signer(root: pki.Authority) -> pki.Identity:
    return signing_identity(root, "content_commitment")


@pytest.fixture(scope="session")
def credential(signer: pki.Identity) -> Credential:
    return Credential.from_pem(signer.key_pem() + signer.pem)


@pytest.fixture(autouse=True)
def ledgers_are_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test has a ledger of its own; what is the same in all of them is shared."""
    ledgers.made_once(monkeypatch)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A sender with a fresh ledger and the channel's folders in memory."""
    made = World(tmp_path)
    yield made
    made.ledger.close()
