"""ID cards for the tests of verifying: what a caller signs, and what the service makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from govfile.sosi import CareProvider, IdCard, SignedCard, cards, verify_card
from support import fake_sts
from support.xml_messages import NOW

if TYPE_CHECKING:
    from datetime import datetime

WANTED = IdCard.user(
    it_system="Example Lab",
    role="7170",
    care_provider=CareProvider.cvr(fake_sts.CVR, "Example Laboratory"),
    cpr=fake_sts.CPR,
    given_name="Test",
    surname="Person",
    id="card-1",
)


def callers(**options: Any) -> bytes:
    return cards.build(WANTED, fake_sts.employee(), at=NOW, **options).xml


def card(**options: Any) -> bytes:
    """A card the service signed."""
    return fake_sts.signed_card(callers(), **options)


def verified(xml: bytes, *, at: datetime = NOW, **trust: Any) -> SignedCard:
    return verify_card(xml, trust=fake_sts.trust(**trust), at=at)


def resigned(change: tuple[bytes, bytes], xml: bytes | None = None) -> bytes:
    """A card that the service signed after a change."""
    xml = xml or callers()
    assert change[0] in xml
    return fake_sts.signed_card(xml.replace(*change))
