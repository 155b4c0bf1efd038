"""When what is in use ends, and when it can be renewed: what the calendar shows, on the terminal and as a page."""

from __future__ import annotations

import enum
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import attrs

from govfile.errors import CredentialError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from govfile.certificates.keystore import KeyStore, SlotId
    from govfile.cli.session import Session


def now() -> datetime:
    """The time of this run, aware."""
    return datetime.now(UTC)


class Mark(enum.Enum):
    """How near the end is, in the words of the calendar."""

    UNREADABLE = "cannot be read"
    EXPIRED = "expired"
    WEEK = "a week or less"
    MONTH = "30 days or less"
    SEASON = "60 days or less"
    QUIET = "quiet"


_STEPS = ((timedelta(days=7), Mark.WEEK), (timedelta(days=30), Mark.MONTH), (timedelta(days=60), Mark.SEASON))


@attrs.frozen(kw_only=True)
class Expiry:
    """One credential in use, seen at `at`. `opens` is when the authority renews it, None where only a person can.

    `problem` tells why a slot cannot be read; it has no dates then.
    """

    slot: SlotId
    at: datetime
    expires: datetime | None = None
    opens: datetime | None = None
    is_pending: bool = False
    problem: str = ""

    @property
    def days(self) -> int | None:
        """Whole days that are left, below 0 when it has expired."""
        return None if self.expires is None else (self.expires - self.at).days

    @property
    def mark(self) -> Mark:
        """How near the end is."""
        if self.expires is None:
            return Mark.UNREADABLE
        left = self.expires - self.at
        if left < timedelta(0):
            return Mark.EXPIRED
        return next((mark for limit, mark in _STEPS if left <= limit), Mark.QUIET)

    @property
    def renewal(self) -> str:
        """What can be done about it."""
        if self.expires is None:
            return "see `govfile keys verify`"
        if self.is_pending:
            return "a request waits"
        if self.opens is None:
            return "only a person can renew it"
        if self.at > self.expires:
            return "over: enrol anew"
        return "open now" if self.opens <= self.at else f"opens {self.opens:%Y-%m-%d}"


def expiries(store: KeyStore, opens_before: dict[tuple[str, str], timedelta], at: datetime) -> list[Expiry]:
    """Every slot with something in use, the nearest end first; those that cannot be read before all.

    `opens_before` says by authority and environment how long before its end a certificate can be renewed.
    """
    found = [one for slot in store.slots() if (one := _expiry(store, slot, opens_before, at)) is not None]
    return sorted(found, key=lambda one: (one.expires or datetime.min.replace(tzinfo=UTC), one.slot))


def _expiry(
    store: KeyStore, slot: SlotId, opens_before: dict[tuple[str, str], timedelta], at: datetime
) -> Expiry | None:
    try:
        current, pending = store.current(slot), store.pending(slot)
    except CredentialError as error:
        return Expiry(slot=slot, at=at, problem=error.what)
    if current is None:
        return None
    before = opens_before.get((slot.authority, slot.environment))
    return Expiry(
        slot=slot,
        at=at,
        expires=current.expires,
        opens=None if before is None else current.expires - before,
        is_pending=pending is not None,
    )


def windows(session: Session) -> dict[tuple[str, str], timedelta]:
    """How long before the end authorities renew: those that are known, and the one of the profile."""
    from govfile.cli.vero import environment

    known = list(environment.known().values())
    if session.profile.authority == "vero":
        known.append(session.vero_environment)
    return {("vero", one.name): one.opens_before for one in known if one.opens_before is not None}


def within(found: Iterable[Expiry], days: float) -> list[Expiry]:
    """Those that have ended, end within so many days, or cannot be read."""
    return [one for one in found if one.expires is None or one.expires - one.at <= timedelta(days=days)]
