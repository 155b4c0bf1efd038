"""One call however many ask, renewal ahead of the end, and nothing spent ever handed out."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import attrs
import pytest

from govfile.errors import ConfigurationError, Rejected, TransportError
from govfile.sosi.cache import CARDS, Freshness, TokenCache
from govfile.sosi.card import IdCard
from govfile.sosi.card_source import CardSource
from support.fake_sts import CPR, FakeSts, assertion
from support.xml_messages import NOW

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = ("card", "somebody")
FRESH = Freshness(early=timedelta(minutes=15), margin=timedelta(minutes=5))
#: More than any wait here takes, even on a busy machine.
PATIENCE = 30.0
CARD = IdCard.user(it_system="Example Lab", role="7170", cpr=CPR, given_name="Test", surname="Person")


@attrs.frozen
class Token:
    """Something with an end."""

    xml: bytes
    expires: datetime


@attrs.define
class Maker:
    """Makes tokens that live an hour; counts, fails and waits on request."""

    clock: Clock
    calls: int = 0
    failures: list[BaseException] = attrs.field(factory=list)
    gate: threading.Event | None = None
    life: timedelta = timedelta(hours=1)

    def __call__(self) -> Token:
        self.calls += 1
        number = self.calls
        if self.gate is not None:
            assert self.gate.wait(PATIENCE)
        if self.failures:
            raise self.failures.pop(0)
        return Token(b"token %d" % number, self.clock() + self.life)


@attrs.define
class Clock:
    """Time that stands still until it is moved."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cache(clock: Clock) -> TokenCache:
    return TokenCache(clock=clock)


@pytest.fixture
def maker(clock: Clock) -> Maker:
    return Maker(clock)


def waiting(cache: TokenCache, count: int, ask: Callable[[], Token]) -> tuple[ThreadPoolExecutor, list[object]]:
    """`count` threads that all ask, begun at once."""
    barrier = threading.Barrier(count)

    def run() -> Token:
        barrier.wait(PATIENCE)
        return ask()

    pool = ThreadPoolExecutor(count)
    return pool, [pool.submit(run) for _ in range(count)]


def outcomes(pool: ThreadPoolExecutor, futures: list[object]) -> list[Token | BaseException]:
    with pool:
        return [found.exception(PATIENCE) or found.result() for found in futures]  # type: ignore[attr-defined]


def test_t12_a_hundred_threads_on_a_cold_cache_make_one_call(cache: TokenCache, maker: Maker) -> None:
    maker.gate = threading.Event()
    pool, futures = waiting(cache, 100, lambda: cache.get(KEY, maker, freshness=FRESH))
    maker.gate.set()
    found = outcomes(pool, futures)
    assert maker.calls == 1
    assert {token.xml for token in found if isinstance(token, Token)} == {b"token 1"}
    assert len(found) == 100


def test_t12_a_hundred_threads_on_a_spent_token_make_one_call(cache: TokenCache, maker: Maker, clock: Clock) -> None:
    cache.get(KEY, maker, freshness=FRESH)
    clock.move(minutes=55)  # five before its end: spent
    maker.gate = threading.Event()
    pool, futures = waiting(cache, 100, lambda: cache.get(KEY, maker, freshness=FRESH))
    maker.gate.set()
    assert {token.xml for token in outcomes(pool, futures) if isinstance(token, Token)} == {b"token 2"}
    assert maker.calls == 2


@pytest.mark.parametrize("minutes", [0, 44.9])
def test_a_young_token_is_handed_out_again(cache: TokenCache, maker: Maker, clock: Clock, minutes: float) -> None:
    cache.get(KEY, maker, freshness=FRESH)
    clock.move(minutes=minutes)
    assert cache.get(KEY, maker, freshness=FRESH).xml == b"token 1"


def test_t12_a_token_is_renewed_ahead_of_its_end_by_one_caller_while_others_go_on(
    cache: TokenCache, maker: Maker, clock: Clock
) -> None:
    cache.get(KEY, maker, freshness=FRESH)
    clock.move(minutes=46)
    maker.gate = threading.Event()
    renewing = threading.Thread(target=lambda: cache.get(KEY, maker, freshness=FRESH))
    renewing.start()
    while maker.calls < 2:
        renewing.join(0.001)
    assert cache.get(KEY, maker, freshness=FRESH).xml == b"token 1"
    maker.gate.set()
    renewing.join(PATIENCE)
    assert cache.get(KEY, maker, freshness=FRESH).xml == b"token 2"
    assert maker.calls == 2


def test_a_failed_early_renewal_harms_nobody_and_is_not_repeated_at_once(
    cache: TokenCache, maker: Maker, clock: Clock
) -> None:
    cache.get(KEY, maker, freshness=FRESH)
    clock.move(minutes=46)
    maker.failures = [TransportError("gone"), TransportError("gone")]
    for _ in range(3):
        assert cache.get(KEY, maker, freshness=FRESH).xml == b"token 1"
    assert maker.calls == 2
    clock.move(seconds=31)
    assert cache.get(KEY, maker, freshness=FRESH).xml == b"token 1"
    assert maker.calls == 3
    clock.move(seconds=31)
    assert cache.get(KEY, maker, freshness=FRESH).xml == b"token 4"


def test_nothing_spent_is_handed_out_when_renewal_fails(cache: TokenCache, maker: Maker, clock: Clock) -> None:
    cache.get(KEY, maker, freshness=FRESH)
    clock.move(minutes=55)
    maker.failures = [TransportError("gone")]
    with pytest.raises(TransportError, match="gone"):
        cache.get(KEY, maker, freshness=FRESH)


def test_t12_a_failure_reaches_all_who_wait_with_one_call(cache: TokenCache, maker: Maker) -> None:
    maker.failures = [Rejected("no", code="FailedAuthentication")]
    maker.gate = threading.Event()
    arrived = Counter[str]()
    original = threading.Event.wait

    pool, futures = waiting(cache, 50, lambda: cache.get(KEY, maker, freshness=FRESH))
    flights = cache._flights
    while not flights:
        pass
    # every other thread waits in the flight before its caller is let go on
    deadline = threading.Event()
    while len(flights[KEY].done._cond._waiters) < 49:  # type: ignore[attr-defined]
        assert not original(deadline, 0.001)
    maker.gate.set()
    found = outcomes(pool, futures)
    arrived.update(type(error).__name__ for error in found)
    assert arrived == {"Rejected": 50}
    assert len({id(error) for error in found}) == 50, "each thread has an error of its own"
    assert maker.calls == 1
    assert cache.get(KEY, maker, freshness=FRESH).xml == b"token 2"


def test_a_caller_that_is_stopped_does_not_take_the_others_along(cache: TokenCache, maker: Maker) -> None:
    maker.failures = [KeyboardInterrupt()]
    maker.gate = threading.Event()
    pool, futures = waiting(cache, 10, lambda: cache.get(KEY, maker, freshness=FRESH))
    maker.gate.set()
    kinds = Counter(type(found).__name__ for found in outcomes(pool, futures))
    assert kinds == {"KeyboardInterrupt": 1, "Token": 9}
    assert maker.calls == 2


def test_what_is_spent_when_it_comes_is_handed_out_once_and_not_kept(cache: TokenCache, maker: Maker) -> None:
    maker.life = timedelta(minutes=4)
    assert cache.get(KEY, maker, freshness=FRESH).xml == b"token 1"
    assert cache.get(KEY, maker, freshness=FRESH).xml == b"token 2"


def test_what_ended_while_its_caller_was_asking_is_handed_to_nobody_else(cache: TokenCache, maker: Maker) -> None:
    maker.life = timedelta(hours=-1)
    maker.gate = threading.Event()
    pool, futures = waiting(cache, 5, lambda: cache.get(KEY, maker, freshness=FRESH))
    maker.gate.set()
    assert len({token.xml for token in outcomes(pool, futures) if isinstance(token, Token)}) == 5


def test_keys_are_kept_apart(cache: TokenCache, maker: Maker) -> None:
    cache.get(("a", "bc"), maker)
    cache.get(("ab", "c"), maker)
    assert maker.calls == 2
    assert cache.count == 2
    cache.clear()
    cache.get(("a", "bc"), maker)
    assert maker.calls == 3


def test_what_has_ended_is_forgotten(cache: TokenCache, maker: Maker, clock: Clock) -> None:
    for number in range(1500):
        cache.get(("user", str(number)), maker)
        clock.move(seconds=60)
    assert cache.count < 1100


def test_only_the_token_that_was_refused_is_forgotten(cache: TokenCache, maker: Maker) -> None:
    first = cache.get(KEY, maker, freshness=FRESH)
    cache.drop(KEY, first)
    second = cache.get(KEY, maker, freshness=FRESH)
    cache.drop(KEY, first)
    assert cache.get(KEY, maker, freshness=FRESH) == second
    cache.drop(KEY)
    assert cache.get(KEY, maker, freshness=FRESH).xml == b"token 3"


def test_g06_a_caller_that_is_stopped_before_it_asks_leaves_nobody_waiting(
    cache: TokenCache, maker: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as here:
        here.setattr(cache, "_lead", interrupted)
        with pytest.raises(KeyboardInterrupt):
            cache.get(KEY, maker, freshness=FRESH)
    found: list[Token] = []
    next_one = threading.Thread(target=lambda: found.append(cache.get(KEY, maker, freshness=FRESH)), daemon=True)
    next_one.start()
    next_one.join(PATIENCE)
    assert [token.xml for token in found] == [b"token 1"]


def test_early_cannot_be_later_than_spent() -> None:
    with pytest.raises(ConfigurationError):
        Freshness(early=timedelta(minutes=1), margin=timedelta(minutes=2))


# --- the source of cards --------------------------------------------------------------------------------------------


def test_t12_a_hundred_threads_on_one_source_ask_the_service_once() -> None:
    fake = FakeSts()
    source = CardSource(fake.client(), CARD)
    with ThreadPoolExecutor(100) as pool:
        cards = list(pool.map(lambda _: source(), range(100)))
    assert len(fake.asked) == 1
    assert len(set(cards)) == 1


def test_t12_a_card_that_expires_between_fetch_and_use_is_renewed_once() -> None:
    fake = FakeSts()
    source = CardSource(fake.client(), CARD)
    card = source()
    fake.clock = lambda: NOW + timedelta(hours=23, minutes=56)
    renewed = CardSource(fake.client(), CARD)
    assert renewed().expires - NOW > timedelta(hours=24)
    with ThreadPoolExecutor(20) as pool:
        others = set(pool.map(lambda _: source.renew(card), range(20)))
    assert len(others) == 1
    assert card not in others


def test_sources_of_one_cache_are_told_apart_by_every_field_of_the_card() -> None:
    fake = FakeSts()
    cache = TokenCache(clock=fake.clock)
    client = fake.client()
    variants = [
        CARD,
        attrs.evolve(CARD, role="5166"),
        attrs.evolve(CARD, authorisation_code="8B7X2"),
        attrs.evolve(CARD, cpr="0202001234"),
        attrs.evolve(CARD, it_system="Other Lab"),
        attrs.evolve(CARD, surname="Other"),
    ]
    cards = {CardSource(client, card, cache=cache)() for card in [*variants, *variants]}
    assert len(cards) == len(fake.asked) == len(variants)


def test_an_identity_token_is_made_from_the_card_and_kept() -> None:
    fake = FakeSts(token=None)
    source = CardSource(fake.client(), CARD)
    first = source.identity_token("HTTPS://FMK/")
    assert source.identity_token("https://fmk") is first
    fake.token = lambda asked: assertion(audience=asked.audience, token_id="_second")
    assert source.identity_token("https://fsk") != first
    assert len(fake.asked) == 3
    assert CPR not in repr(source)


def test_cards_are_spent_five_minutes_before_their_end() -> None:
    assert CARDS.is_good(NOW, NOW - timedelta(minutes=5, seconds=1))
    assert not CARDS.is_good(NOW, NOW - timedelta(minutes=5))
