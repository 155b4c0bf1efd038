"""Answers of the token service that somebody changed, forged, or did not sign."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from govfile.errors import ProtocolError, Rejected, TrustError
from support.fake_sts import CPR, CPR_NAME, FakeSts, assertion, employee, user_card
from support.xml_messages import NOW

if TYPE_CHECKING:
    from collections.abc import Callable

    from govfile.sosi.signed_card import SignedCard

FMK = "https://fmk"


@pytest.fixture(scope="module")
def card() -> SignedCard:
    return FakeSts().client().issue(user_card())


def test_t02_an_unsigned_answer_is_refused_where_answers_are_signed(card: SignedCard) -> None:
    fake = FakeSts(signs=None)
    with pytest.raises(TrustError, match="0 signatures"):
        fake.client().to_oiosaml(card, audience=FMK)


def test_t03_an_answer_signed_by_another_is_refused(card: SignedCard) -> None:
    fake = FakeSts(signs=employee())
    with pytest.raises(TrustError, match="not that of the signer"):
        fake.client().identity_token(card, audience=FMK)


def test_t03_a_token_signed_by_another_is_refused_in_the_right_envelope(card: SignedCard) -> None:
    fake = FakeSts(token=lambda asked: assertion(audience=asked.audience, by=employee()))
    with pytest.raises(TrustError, match="not that of the signer"):
        fake.client().identity_token(card, audience=FMK)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: content.replace(b"urn:uuid:1<", b"urn:uuid:2<"),
        lambda content: content.replace(b"<wst:Lifetime>", b"<wst:Lifetime> "),
        lambda content: content.replace(CPR.encode(), b"0202001234"),
        lambda content: content.replace(b'wsu:Id="timestamp"', b'wsu:Id="timestamp2"'),
        lambda content: content.replace(b"<soap:Body wsu", b"<soap:Body a='1' wsu"),
    ],
    ids=["message id", "white space", "person", "id", "attribute"],
)
def test_t02_a_changed_answer_is_refused(card: SignedCard, spoil: Callable[[bytes], bytes]) -> None:
    with pytest.raises((TrustError, ProtocolError)):
        FakeSts(spoil=spoil).client().identity_token(card, audience=FMK)


def test_t02_no_changed_byte_makes_another_token(card: SignedCard) -> None:
    """Outside of what is signed a byte may be anything; then the token is the one that was sent."""
    dice = random.Random(9)
    sound = assertion(audience=FMK)
    taken = 0
    for _ in range(120):

        def change(content: bytes) -> bytes:
            place = dice.randrange(len(content))
            return content[:place] + bytes([content[place] ^ (1 << dice.randrange(7))]) + content[place + 1 :]

        fake = FakeSts(token=lambda _: sound, spoil=change)
        try:
            found = fake.client().identity_token(card, audience=FMK)
        except (TrustError, ProtocolError, Rejected):
            continue
        taken += 1
        assert (found.value(CPR_NAME), str(found.audience), found.expires) == (CPR, FMK, NOW + timedelta(minutes=5))
    assert taken < 20


def test_t01_a_forged_token_before_the_signed_body_is_refused(card: SignedCard) -> None:
    forged = assertion(audience=FMK, by=employee(), token_id="_forged")

    def wrap(content: bytes) -> bytes:
        begin, end = content.index(b"<soap:Body"), content.index(b"</soap:Envelope>")
        body = content[begin:end]
        mine = body.replace(b' wsu:Id="body"', b' wsu:Id="mine"')
        start, stop = mine.index(b"<saml:Assertion"), mine.index(b"</saml:Assertion>") + len(b"</saml:Assertion>")
        moved = b"<wrapper>" + body + b"</wrapper></soap:Header>"
        return content[:begin].replace(b"</soap:Header>", moved) + mine[:start] + forged + mine[stop:] + content[end:]

    with pytest.raises((TrustError, ProtocolError)):
        FakeSts(spoil=wrap).client().identity_token(card, audience=FMK)
