"""Renewing what is due: many slots, each on its own, and reminders for every credential in the store.

The `Renewer` knows an authority only by the protocol `RenewsCertificates`; what only a person can renew it watches.
"""

from __future__ import annotations

import enum
import logging
import random
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol, TypeVar

import attrs

from govfile.certificates.credential import WARNING_DAYS, Credential
from govfile.certificates.deploy import Hook, HookFailure, Renewed, deploy
from govfile.errors import ConfigurationError, CredentialError, GovfileError, KeyStoreBusy, OutcomeUnknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from govfile.certificates.keystore import Generation, KeyStore, Pending, SlotId

_log = logging.getLogger("govfile.certificates")

_R = TypeVar("_R")

#: How far two clocks may be apart before a date is doubted.
_CLOCKS_APART = timedelta(days=1)


@attrs.frozen(kw_only=True)
class RenewalWindow:
    """When an authority renews a certificate: from `opens` on, and before `closes` (aware UTC), seen at `at`.

    From `urgent_from` on it should not wait for another night.
    """

    opens: datetime
    closes: datetime
    urgent_from: datetime
    at: datetime

    @classmethod
    def before_expiry(
        cls, expires: datetime, *, at: datetime, days: float = 60, urgent_days: float = 7
    ) -> RenewalWindow:
        """The last `days` before a certificate expires, urgent in the last `urgent_days` of them."""
        if at.tzinfo is None or expires.tzinfo is None:
            raise ConfigurationError("a renewal window needs times with a time zone", advice="give aware datetimes")
        if not 0 < urgent_days <= days:
            raise ConfigurationError(f"a window of {days:g} days cannot be urgent for {urgent_days:g}")
        return cls(
            opens=expires - timedelta(days=days),
            closes=expires,
            urgent_from=expires - timedelta(days=urgent_days),
            at=at.astimezone(UTC),
        )

    @property
    def is_open(self) -> bool:
        """Whether the authority would renew at `at`."""
        return self.opens <= self.at < self.closes

    @property
    def is_urgent(self) -> bool:
        """Whether it is open and nearly over."""
        return self.is_open and self.at >= self.urgent_from

    @property
    def has_passed(self) -> bool:
        """Whether it is over: what remains is a new enrolment."""
        return self.at >= self.closes


class RenewsCertificates(Protocol):
    """What an authority's part does for the `Renewer`.

    `renew` and `resume` are called under the slot's lock. They begin, note, ask and complete in the key store, and
    return the new credential, or None when the authority has the request and the answer is not there yet: the
    pending generation then stays for the next run. They raise `OutcomeUnknown` rather than ask twice.
    """

    def window(self, slot: SlotId, current: Generation, at: datetime, /) -> RenewalWindow:
        """When the certificate in use can be renewed."""
        ...

    def renew(self, slot: SlotId, /) -> Credential | None:
        """Ask for a successor with a new key, signed with the one in use."""
        ...

    def resume(self, slot: SlotId, pending: Pending, /) -> Credential | None:
        """Go on with a request that an earlier run, or a process that ended, left behind."""
        ...

    def server_time(self) -> datetime | None:
        """The time (aware) by the authority's clock, None when it cannot be had."""
        ...


class Outcome(enum.Enum):
    """What a run did for a slot."""

    RENEWED = "renewed"
    NOT_DUE = "not due"
    WAITING = "asked for, not there yet"
    BUSY = "another process is at work"
    BY_HAND = "only a person can renew it"
    MISSED = "expired: a new enrolment is needed"
    CLOCK_DOUBTED = "the clock is in doubt"
    UNKNOWN = "it is not known whether the request arrived"
    FAILED = "failed"


_BAD = frozenset({Outcome.MISSED, Outcome.CLOCK_DOUBTED, Outcome.UNKNOWN, Outcome.FAILED})


@attrs.frozen(kw_only=True)
class Result:
    """What became of one slot: the outcome, the error behind it, and hooks that failed after a renewal."""

    slot: SlotId
    outcome: Outcome
    error: Exception | None = attrs.field(default=None, repr=False)
    expires: datetime | None = None
    is_urgent: bool = False
    hook_failures: tuple[HookFailure, ...] = ()

    @property
    def is_bad(self) -> bool:
        """Whether somebody must look at it."""
        return self.outcome in _BAD or bool(self.hook_failures)

    def __str__(self) -> str:
        until = f", until {self.expires:%Y-%m-%d}" if self.expires else ""
        why = f": {_told(self.error)}" if self.error else ""
        hooks = "".join(f"; the hook {found.hook} {found.why}" for found in self.hook_failures)
        return f"{self.slot}: {self.outcome.value}{until}{' (urgent)' if self.is_urgent else ''}{why}{hooks}"


@attrs.frozen(kw_only=True)
class Reminder:
    """A credential near its end: `days` is the mark it has passed, 60, 30 or 7; 0 when it has expired."""

    slot: SlotId
    expires: datetime
    days: int

    def __str__(self) -> str:
        if not self.days:
            return f"{self.slot}: expired on {self.expires:%Y-%m-%d}"
        return f"{self.slot}: expires on {self.expires:%Y-%m-%d}, in less than {self.days} days"


@attrs.frozen(kw_only=True)
class Summary:
    """What a run did: one result for each slot, the reminders, and what in the store belongs to no slot."""

    results: tuple[Result, ...]
    reminders: tuple[Reminder, ...] = ()
    strays: tuple[str, ...] = ()

    @property
    def exit_status(self) -> int:
        """0 when nobody has to look at it, else 1. Reminders alone are no failure."""
        return int(bool(self.strays) or any(result.is_bad for result in self.results))

    def __str__(self) -> str:
        lines = [str(result) for result in self.results if result.outcome is not Outcome.NOT_DUE]
        quiet = len(self.results) - len(lines)
        return "\n".join([*lines, *map(str, self.reminders), *self.strays, f"{quiet} of {len(self.results)} not due"])


class Renewer:
    """Renews what is due in a key store; one run is one call of `run`.

    `authorities` maps the authority of a slot to what renews for it. `hooks` run after each renewal and cannot undo
    it. `clock` gives the time (aware); `spread` is the longest random delay, in seconds, of an unattended run.
    """

    def __init__(
        self,
        store: KeyStore,
        authorities: dict[str, RenewsCertificates],
        *,
        hooks: Sequence[Hook] = (),
        clock: Callable[[], datetime] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        randomness: random.Random | None = None,
        spread: float = 3600.0,
    ) -> None:
        self._store = store
        self._authorities = dict(authorities)
        self._hooks = tuple(hooks)
        self._clock = clock or (lambda: datetime.now(UTC))
        self._sleep = sleep
        self._randomness = randomness or random.SystemRandom()
        self._spread = spread

    def run(self, slots: Iterable[SlotId] | None = None, *, unattended: bool = False) -> Summary:
        """Look at all slots, or those given, and renew what is due; what happened to each.

        `unattended` waits a random while first, when anything is due at all, so that a fleet of machines with the
        same timetable does not ask at the same second. What goes wrong with one slot, whatever it is, does not keep
        the others from their turn. Raises `KeyStoreError` only when the store as a whole cannot be read.
        """
        wanted = self._store.slots() if slots is None else tuple(slots)
        looks = {slot: self._isolated(slot, self._glance) for slot in wanted}
        due = [slot for slot, found in looks.items() if found is None]
        if unattended and due:
            self._sleep(self._randomness.uniform(0.0, self._spread))
        results: list[Result] = []
        for slot, found in looks.items():
            results.append(self._isolated(slot, self._work) if found is None else found)
        for result in results:
            if result.is_bad:
                _log.error("%s: %s", result.slot, result.outcome.value)
        strays = () if slots is not None else tuple(map(str, self._store.strays()))
        return Summary(results=tuple(results), reminders=reminders(self._store, self._clock(), wanted), strays=strays)

    def _isolated(self, slot: SlotId, work: Callable[[SlotId], _R]) -> _R | Result:
        try:
            return work(slot)
        except KeyStoreBusy as error:
            return Result(slot=slot, outcome=Outcome.BUSY, error=error)
        except OutcomeUnknown as error:
            return Result(slot=slot, outcome=Outcome.UNKNOWN, error=error)
        except Exception as error:  # noqa: BLE001  # an authority's part may be anybody's; the result carries it
            return Result(slot=slot, outcome=Outcome.FAILED, error=error)

    def _glance(self, slot: SlotId) -> Result | None:
        """What the store alone tells, without a lock: None when there may be something to do."""
        authority, current = self._authorities.get(slot.authority), self._store.current(slot)
        expires = current.expires if current else None
        if authority is None:
            return Result(slot=slot, outcome=Outcome.BY_HAND, expires=expires)
        if self._store.pending(slot) is not None:
            return None
        if current is None:
            nothing = CredentialError("nothing is enrolled and nothing is pending")
            return Result(slot=slot, outcome=Outcome.MISSED, error=nothing)
        at = self._clock()
        if not current.valid_from <= at <= current.expires:
            return None
        is_due = not authority.window(slot, current, at).opens > at
        return None if is_due else Result(slot=slot, outcome=Outcome.NOT_DUE, expires=expires)

    def _why_not(self, slot: SlotId, authority: RenewsCertificates, at: datetime) -> Result | None:
        """The reason not to act, by what the store and the authority tell; None when there is none."""
        current = self._store.current(slot)
        is_pending = self._store.pending(slot) is not None
        if current is None or authority.window(slot, current, at).is_open:
            return None
        outcome = None
        if not current.valid_from <= at <= current.expires:
            outcome = self._when_not_valid(authority, current, at)
        if outcome is None and not is_pending:
            is_over = authority.window(slot, current, at).has_passed
            outcome = Outcome.MISSED if is_over else Outcome.NOT_DUE
        return None if outcome is None else Result(slot=slot, outcome=outcome, expires=current.expires)

    def _when_not_valid(self, authority: RenewsCertificates, current: Generation, at: datetime) -> Outcome | None:
        """Whether to believe that the time is outside the certificate's life, which a wrong clock says of good ones."""
        theirs = authority.server_time()
        if theirs is not None and abs(theirs - at) > _CLOCKS_APART:
            return Outcome.CLOCK_DOUBTED
        if at < current.valid_from:
            return Outcome.CLOCK_DOUBTED  # it was checked when it came, so time has gone backwards since
        return None

    def _work(self, slot: SlotId) -> Result:
        """Renew or resume, under the slot's lock, unless another process has done it in the meantime."""
        authority = self._authorities[slot.authority]
        with self._store.locked(slot):
            at = self._clock()
            refused = self._glance(slot) or self._why_not(slot, authority, at)
            if refused is not None:
                return refused
            waiting, current = self._store.pending(slot), self._store.current(slot)
            is_urgent = current is not None and authority.window(slot, current, at).is_urgent
            credential = self._store.finish(slot)
            if credential is None:
                credential = authority.resume(slot, waiting) if waiting is not None else authority.renew(slot)
            generation = self._store.current(slot)
        if credential is None:
            expires = generation.expires if generation else None
            return Result(slot=slot, outcome=Outcome.WAITING, expires=expires, is_urgent=is_urgent)
        if generation is None or generation.certificate != credential.certificate:
            raise CredentialError(
                "the credential that came is not the one in use", advice="the authority's part must complete() it"
            )
        _log.info("%s is renewed until %s", slot, generation.expires.date())
        failures = deploy(self._hooks, Renewed(slot=slot, generation=generation, credential=credential))
        return Result(slot=slot, outcome=Outcome.RENEWED, expires=generation.expires, hook_failures=failures)


def reminders(store: KeyStore, at: datetime, slots: Iterable[SlotId] | None = None) -> tuple[Reminder, ...]:
    """Those credentials in use, of all slots or those given, that expire within 60 days of `at`, the nearest first.

    Whoever issued them. A slot that cannot be read is left to `Renewer.run` and `KeyStore.verify`, which say so.
    """
    found = []
    for slot in store.slots() if slots is None else slots:
        try:
            current = store.current(slot)
        except CredentialError:
            continue
        if current is not None and (days := _mark(current.expires - at)) is not None:
            found.append(Reminder(slot=slot, expires=current.expires, days=days))
    return tuple(sorted(found, key=lambda reminder: (reminder.expires, reminder.slot)))


def _mark(left: timedelta) -> int | None:
    if left < timedelta(0):
        return 0
    return next((days for days in WARNING_DAYS if left <= timedelta(days=days)), None)


def _told(error: Exception) -> str:
    """An error in a summary: ours in full, anybody else's by its type, since its text may hold anything."""
    return error.what if isinstance(error, GovfileError) else type(error).__name__
