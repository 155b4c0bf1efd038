"""`TokenCache`: what the STS hands out, kept for as long as it is good, and asked for once however many want it."""

from __future__ import annotations

import copy
import logging
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import attrs

from govfile.errors import ConfigurationError, GovfileError
from govfile.transports.forks import renew_in_children

if TYPE_CHECKING:
    from collections.abc import Callable

    from govfile.sosi.cache_store import TokenStore

_log = logging.getLogger("govfile.sosi.cache")

#: After a failed early renewal, how long the good token is used before anybody tries again.
_BREATH = timedelta(seconds=30)

#: So many are kept without a look for those that have ended.
_FEW = 1000

Key = tuple[str, ...]


class Perishable(Protocol):
    """Something that is good until `expires` (aware UTC); `xml` is its bytes."""

    @property
    def xml(self) -> bytes:
        """The bytes."""
        ...

    @property
    def expires(self) -> datetime:
        """The end."""
        ...


Token = TypeVar("Token", bound=Perishable)


@attrs.frozen(kw_only=True)
class Freshness:
    """How long before its end a token counts as spent (`margin`), and from when a new one is fetched (`early`).

    Between the two, one caller fetches while the others go on with the old one, and a failure to fetch harms nobody.
    """

    early: timedelta
    margin: timedelta

    def __attrs_post_init__(self) -> None:
        if not timedelta() <= self.margin <= self.early:
            raise ConfigurationError("a token is renewed before it is spent: early must not be less than margin")

    def is_good(self, expires: datetime, at: datetime) -> bool:
        """Whether it may be handed out."""
        return at < expires - self.margin

    def is_young(self, expires: datetime, at: datetime) -> bool:
        """Whether nobody need think of a new one."""
        return at < expires - self.early


#: ID cards live for a day.
CARDS = Freshness(early=timedelta(minutes=15), margin=timedelta(minutes=5))
#: Tokens for services live for minutes or hours.
TOKENS = Freshness(early=timedelta(seconds=60), margin=timedelta(seconds=30))


@attrs.define
class _Flight(Generic[Token]):
    """One call that is under way, and what became of it."""

    done: threading.Event = attrs.field(factory=threading.Event)
    token: Token | None = None
    failure: Exception | None = None


@attrs.define
class _Kept:
    token: Any
    not_again_before: datetime | None = None


class TokenCache:
    """Cards and tokens by key. Threads may share it, and a forked child begins with what was there, never waiting for
    a call of its parent.

    `store` keeps them across processes, encrypted. Nothing that is spent is ever handed out. Its repr shows no key.
    """

    def __init__(
        self, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC), store: TokenStore | None = None
    ) -> None:
        self._clock = clock
        self._store = store
        self._kept: dict[Key, _Kept] = {}
        self._full = _FEW
        self.begin_anew()
        renew_in_children(self)

    def get(
        self,
        key: Key,
        make: Callable[[], Token],
        *,
        freshness: Freshness = TOKENS,
        read: Callable[[bytes], Token] | None = None,
    ) -> Token:
        """The token for `key`, made by `make` where there is no good one.

        However many callers ask at once, one of them calls `make`; the others wait for it and get its result, or the
        error it raised. `read` makes the token from its bytes where a store has them; without it nothing is stored.
        """
        while True:
            own: _Flight[Token] | None = None
            try:
                with self._lock:
                    token: Token | None = self._usable(key, freshness)  # each key has one type of token
                    if token is not None:
                        return token
                    flight: _Flight[Token] | None = self._under_way(key)
                    if flight is None:
                        own = flight = self._flights[key] = _Flight()
                if own is not None:
                    return self._lead(key, own, make, freshness, read)
            finally:  # whatever stops this caller, and wherever: nobody waits for a call that is over
                if own is not None:
                    own.done.set()
                    self._over(key, own)
            flight.done.wait()
            if flight.failure is not None:
                raise _own_copy(flight.failure) from flight.failure
            if flight.token is not None and self._clock() < flight.token.expires:
                return flight.token
            # its caller was stopped (Ctrl-C), or the computer slept: whoever comes first begins again

    def begin_anew(self) -> None:
        """In a forked process: the calls under way are the parent's; what is kept stays."""
        self._lock = threading.Lock()
        self._flights: dict[Key, _Flight[Any]] = {}

    def drop(self, key: Key, token: Perishable | None = None) -> None:
        """Forget the token for `key`; given `token`, only while it is that one: another may have come meanwhile."""
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None and token is not None and kept.token.xml != token.xml:
                return
            self._kept.pop(key, None)
        if self._store is not None:
            self._store.remove(key, None if token is None else token.xml)

    def clear(self) -> None:
        """Forget everything in memory; what is stored stays."""
        with self._lock:
            self._kept.clear()

    @property
    def count(self) -> int:
        """How many are kept in memory, spent ones included."""
        return len(self._kept)

    def __repr__(self) -> str:
        return f"<TokenCache of {len(self._kept)}>"

    def _usable(self, key: Key, freshness: Freshness) -> Any:
        """What is kept, unless it is spent, or it is for this caller to fetch a new one."""
        kept, now = self._kept.get(key), self._clock()
        if kept is None or not freshness.is_good(kept.token.expires, now):
            return None
        breathes = kept.not_again_before is not None and now < kept.not_again_before
        if freshness.is_young(kept.token.expires, now) or self._under_way(key) or breathes:
            return kept.token
        return None

    def _lead(
        self,
        key: Key,
        flight: _Flight[Token],
        make: Callable[[], Token],
        freshness: Freshness,
        read: Callable[[bytes], Token] | None,
    ) -> Token:
        try:
            stored = self._stored(key, read, freshness)
            flight.token = make() if stored is None else stored
        except Exception as error:
            with self._lock:
                kept, now = self._kept.get(key), self._clock()
                if kept is not None and freshness.is_good(kept.token.expires, now):
                    kept.not_again_before = now + _BREATH
                    flight.token = kept.token
                else:
                    flight.failure = error
            if flight.token is None:
                raise
            _log.warning("a token could not be renewed ahead of its end, and is still good: %s", type(error).__name__)
            return flight.token
        else:
            with self._lock:
                now = self._clock()
                if freshness.is_good(flight.token.expires, now):
                    self._kept[key] = _Kept(flight.token)
                self._sweep(now)
            if stored is None and read is not None:
                self._save(key, flight.token)
            return flight.token

    def _under_way(self, key: Key) -> _Flight[Any] | None:
        flight = self._flights.get(key)
        return None if flight is None or flight.done.is_set() else flight

    def _over(self, key: Key, flight: _Flight[Token]) -> None:
        with self._lock:
            if self._flights.get(key) is flight:
                del self._flights[key]

    def _sweep(self, now: datetime) -> None:
        """Forget what has ended, each time that twice as much is kept as was good the last time."""
        if len(self._kept) < self._full:
            return
        self._kept = {key: kept for key, kept in self._kept.items() if now < kept.token.expires}
        self._full = max(_FEW, 2 * len(self._kept))

    def _stored(self, key: Key, read: Callable[[bytes], Token] | None, freshness: Freshness) -> Token | None:
        """What another process stored, if it still has some time before it."""
        xml = self._store.read(key) if self._store is not None and read is not None else None
        if xml is None or read is None:
            return None
        try:
            token = read(xml)
        except GovfileError as error:
            _log.info("a stored token is of no use: %s", type(error).__name__)
            return None
        return token if freshness.is_young(token.expires, self._clock()) else None

    def _save(self, key: Key, token: Perishable) -> None:
        if self._store is not None:
            self._store.write(key, token.xml)


def _own_copy(error: Exception) -> Exception:
    """An error for one more thread: a traceback must not be shared."""
    return copy.copy(error) if isinstance(error, GovfileError) else error
