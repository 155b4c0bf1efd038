"""Where the plug-ins get their cards and tokens from, whatever they were given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import attrs

from govfile.errors import ConfigurationError
from govfile.sosi.card import IdCard
from govfile.sosi.signed_card import WrittenCard

if TYPE_CHECKING:
    from collections.abc import Callable

    from govfile.sosi.sts import SecurityTokenService


class Cards(Protocol):
    """Gives cards, as `CardSource` does."""

    def __call__(self) -> WrittenCard:
        """A good card."""
        ...

    def renew(self, spent: Any) -> WrittenCard:
        """Another card than `spent`, which is too old for the service; `spent` itself where there is no other."""
        ...


@attrs.frozen
class _Made:
    """Cards from a function of the caller's, which is asked each time."""

    make: Callable[[], WrittenCard]

    def __call__(self) -> WrittenCard:
        return self.make()

    def renew(self, spent: WrittenCard) -> WrittenCard:  # noqa: ARG002 the function knows best
        return self.make()


def cards_of(
    sts: SecurityTokenService | None, given: IdCard | WrittenCard | Cards | Callable[[], WrittenCard]
) -> Cards:
    """The source that was meant: a `CardSource`, what a card is to say, one card, or a function that gives cards.

    Only what a card is to say needs the service, which then signs it, keeps it and renews it in time. One card is used
    until it has expired. Raises `ConfigurationError` for anything else.
    """
    if isinstance(given, IdCard):
        if sts is None:
            raise ConfigurationError("a card that is not signed needs a SecurityTokenService to sign it")
        from govfile.sosi.card_source import CardSource

        return CardSource(sts, given)
    if isinstance(given, WrittenCard):
        return _Made(lambda: given)
    if not callable(given):
        raise ConfigurationError(f"a card cannot come from {type(given).__name__}", advice="give a CardSource")
    source: Any = given
    return source if hasattr(source, "renew") else _Made(source)
