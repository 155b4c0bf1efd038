"""`CardSource`: a card that is always fresh, and the tokens made from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from govfile.sosi.audience import Audience
from govfile.sosi.cache import CARDS, TOKENS, Freshness, TokenCache
from govfile.sosi.cards import verify_card

if TYPE_CHECKING:
    from govfile.sosi.card import IdCard
    from govfile.sosi.signed_card import SignedCard
    from govfile.sosi.sts import SecurityTokenService
    from govfile.sosi.tokens import IdentityToken

#: What of a card does not decide which card it is.
_NOT_IN_THE_KEY = {"password"}


class CardSource:
    """The service's card for one person or system, fetched when first asked for and ahead of its end.

    Call it for the card: `source()`. Threads may share it, and several sources one `cache`, which tells them apart by
    endpoint, certificate and every field of the card.
    """

    def __init__(
        self,
        sts: SecurityTokenService,
        card: IdCard,
        *,
        cache: TokenCache | None = None,
        freshness: Freshness = CARDS,
        legacy: bool = False,
    ) -> None:
        self._sts = sts
        self._card = card
        self._cache = TokenCache(clock=sts.clock) if cache is None else cache
        self._freshness = freshness
        self._legacy = legacy
        self._key = _key_of(sts, card, legacy=legacy)

    def __call__(self) -> SignedCard:
        """A good card; raises what `SecurityTokenService.issue` raises."""
        trust = self._sts.environment.required_trust()
        return self._cache.get(
            self._key,
            lambda: self._sts.issue(self._card, legacy=self._legacy),
            freshness=self._freshness,
            read=lambda xml: verify_card(xml, trust=trust, at=self._sts.clock()),
        )

    def renew(self, spent: SignedCard) -> SignedCard:
        """Another card than `spent`, which a service refused as expired; one call, however many ask at once."""
        self._cache.drop(self._key, spent)
        return self()

    def identity_token(self, audience: str | Audience, *, freshness: Freshness = TOKENS) -> IdentityToken:
        """A good identity token for a service, made from the card."""
        wanted = Audience.parse(audience)
        return self._cache.get(
            ("token", str(wanted), *self._key),
            lambda: self._sts.identity_token(self(), audience=wanted),
            freshness=freshness,
        )

    def __repr__(self) -> str:
        return f"<CardSource {self._card.type.value}, {self._card.it_system!r}, at {self._sts.environment.name}>"


def _key_of(sts: SecurityTokenService, card: IdCard, *, legacy: bool) -> tuple[str, ...]:
    environment = sts.environment
    endpoint = environment.endpoints.issue_legacy if legacy else environment.endpoints.issue
    names = [field.name for field in attrs.fields(type(card)) if field.name not in _NOT_IN_THE_KEY]
    fields = (f"{name}={getattr(card, name)!r}" for name in names)
    return ("card", environment.name, environment.base_url, endpoint.path, sts.credential.fingerprint, *fields)
