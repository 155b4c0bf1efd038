"""The sandbox's token service, a client of it, and a card it signed: for each file, since others count threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from govfile.sandbox.sosi import SosiSandbox
    from govfile.sosi.signed_card import SignedCard
    from govfile.sosi.sts import SecurityTokenService


@pytest.fixture(scope="module")
def authority() -> Iterator[SosiSandbox]:
    """The service; whoever breaks it puts it right again."""
    from govfile.sandbox.sosi import SosiSandbox

    with SosiSandbox() as found:
        yield found


@pytest.fixture(scope="module")
def sts(authority: SosiSandbox) -> Iterator[SecurityTokenService]:
    """A client with the first employee's certificate."""
    from support.sosi_client import client

    with client(authority) as found:
        yield found


@pytest.fixture(scope="module")
def card(sts: SecurityTokenService) -> SignedCard:
    """The first employee's card."""
    from support.sosi_client import USER

    return sts.issue(USER)
