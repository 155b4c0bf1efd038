"""Renewing what is due: many slots, each on its own, and reminders for every credential in the store.

The `Renewer` knows an authority only by the protocol `RenewsCertificates`; what only a person can renew it watches.
"""

from __future__ import annotations

import contextlib
import logging
import random
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

import attrs

from govfile.certificates._silence import Silence
from govfile.certificates.credential import Credential, warning_mark
from govfile.certificates.deploy import Hook, Renewed, deploy
from govfile.certificates.outcomes import Outcome as Outcome
from govfile.certificates.outcomes import Reminder as Reminder
from govfile.certificates.outcomes import Result as Result
from govfile.certificates.outcomes import Summary as Summary
from govfile.errors import (
    ConfigurationError,
    CredentialError,
    GovfileError,
    KeyStoreBusy,
    OutcomeUnknown,
    Phase,
    Rejected,
    Retry,
)

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

    `ask` and `look` are called under the slot's lock, and wait for nothing. They raise `OutcomeUnknown` rather than
    ask twice.
    """

    def window(self, slot: SlotId, current: Generation, at: datetime, /) -> RenewalWindow:
        """When the certificate in use can be renewed."""
        ...

    def ask(self, slot: SlotId, pending: Pending | None, /) -> None:
        """Have the authority take a request for a successor, with a new key and signed with the one in use.

        `pending` is a request that an earlier run, or a process that ended, left behind: it is gone on with, and
        nothing is sent where the authority has it already. When this returns, a request is pending.
        """
        ...

    def pause(self, pending: Pending, looks: int, waited: timedelta, /) -> timedelta | None:
        """How long from now until it makes sense to look for the certificate; None: in a later run.

        In this run there were `looks` for it, and so long was `waited`.
        """
        ...

    def look(self, slot: SlotId, pending: Pending, /) -> Credential | None:
        """Look once: the new credential, completed in the key store; or None when it is not there yet."""
        ...

    def server_time(self) -> datetime | None:
        """The time (aware) by the authority's clock, None when it cannot be had."""
        ...


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

        All authorities are asked first, and then waited for together, so that a fleet takes little longer than one.
        `unattended` waits a random while before, when anything is due at all, so that a fleet of machines with the
        same timetable does not ask at the same second. What goes wrong with one slot, whatever it is, does not keep
        the others from their turn; only where an authority answers to nobody, the rest is left to a later run. Raises
        `KeyStoreError` only when the store as a whole cannot be read.
        """
        wanted = self._store.slots() if slots is None else tuple(slots)
        looks = {slot: self._isolated(slot, self._glance) for slot in wanted}
        due = [slot for slot, found in looks.items() if found is None]
        if unattended and due:
            self._sleep(self._randomness.uniform(0.0, self._spread))
        asked = self._ask_all(due)
        asked |= self._wait_for({slot: result for slot, result in asked.items() if result.outcome is Outcome.WAITING})
        results = tuple(asked[slot] if found is None else found for slot, found in looks.items())
        for result in results:
            if result.is_bad:
                _log.error("%s: %s", result.slot, result.outcome.value)
        strays = () if slots is not None else tuple(map(str, self._store.strays()))
        return Summary(results=results, reminders=reminders(self._store, self._clock(), wanted), strays=strays)

    # --- all together -----------------------------------------------------------------------------------------------

    def _ask_all(self, due: Iterable[SlotId]) -> dict[SlotId, Result]:
        """Have the authorities take the requests; nobody is waited for."""
        silence = Silence()
        results: dict[SlotId, Result] = {}
        for slot in due:
            spared = silence.result(slot)
            results[slot] = spared if spared is not None else self._isolated(slot, partial(self._ask, silence))
        return results

    def _wait_for(self, waiting: dict[SlotId, Result]) -> dict[SlotId, Result]:
        """Look for the certificates in rounds, with one pause before each, while the authorities' patience lasts."""
        results, looks, slept, began = dict(waiting), 0, timedelta(), self._clock()
        going_on = list(waiting)
        while going_on:
            waited = max(slept, self._clock() - began)
            pauses = {slot: self._isolated(slot, partial(self._pause, looks, waited)) for slot in going_on}
            results |= {slot: found for slot, found in pauses.items() if isinstance(found, Result)}
            going_on = [slot for slot, found in pauses.items() if isinstance(found, timedelta)]
            pause = max((found for found in pauses.values() if isinstance(found, timedelta)), default=timedelta())
            if pause > timedelta():
                self._sleep(pause.total_seconds())
            slept, looks, silence = slept + pause, looks + 1, Silence()
            for slot in going_on:
                if not silence.is_over(slot):
                    results[slot] = self._isolated(slot, partial(self._look, silence))
            going_on = [slot for slot in going_on if _goes_on(results[slot])]
        return results

    # --- each on its own --------------------------------------------------------------------------------------------

    def _isolated(self, slot: SlotId, work: Callable[[SlotId], _R]) -> _R | Result:
        try:
            return work(slot)
        except KeyStoreBusy as error:
            return Result(slot=slot, outcome=Outcome.BUSY, error=error)
        except OutcomeUnknown as error:
            return Result(slot=slot, outcome=Outcome.UNKNOWN, error=error)
        except Rejected as error:
            is_unknown = error.phase is Phase.CONFIRM  # refused on the way, by nobody who signs for it
            return Result(slot=slot, outcome=Outcome.UNKNOWN if is_unknown else Outcome.FAILED, error=error)
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

    def _ask(self, silence: Silence, slot: SlotId) -> Result:
        """Ask, under the slot's lock, unless another process has done it in the meantime."""
        authority = self._authorities[slot.authority]
        with self._store.locked(slot):
            at = self._clock()
            refused = self._glance(slot) or self._why_not(slot, authority, at)
            if refused is not None:
                return refused
            credential = self._store.finish(slot)
            if credential is None:
                pending = self._store.pending(slot)
                with silence.listening(slot) if pending is None else contextlib.nullcontext():
                    authority.ask(slot, pending)
            current = self._store.current(slot)
        return self._result(slot, current, credential)

    def _pause(self, looks: int, waited: timedelta, slot: SlotId) -> timedelta | None:
        pending = self._store.pending(slot)
        return timedelta() if pending is None else self._authorities[slot.authority].pause(pending, looks, waited)

    def _look(self, silence: Silence, slot: SlotId) -> Result:
        """Look once, under the slot's lock."""
        authority = self._authorities[slot.authority]
        with self._store.locked(slot):
            pending = self._store.pending(slot)
            if pending is None:  # another process has it by now
                return self._glance(slot) or Result(slot=slot, outcome=Outcome.BUSY)
            with silence.listening(slot):
                credential = self._store.finish(slot) or authority.look(slot, pending)
            current = self._store.current(slot)
        return self._result(slot, current, credential)

    def _result(self, slot: SlotId, current: Generation | None, credential: Credential | None) -> Result:
        """It waits; or it is renewed by the credential that came, and the hooks are run."""
        if credential is None:
            window = self._authorities[slot.authority].window(slot, current, self._clock()) if current else None
            expires, is_urgent = (current.expires if current else None), bool(window and window.is_urgent)
            return Result(slot=slot, outcome=Outcome.WAITING, expires=expires, is_urgent=is_urgent)
        if current is None or current.certificate != credential.certificate:
            raise CredentialError(
                "the credential that came is not the one in use", advice="the authority's part must complete() it"
            )
        _log.info("%s is renewed until %s", slot, current.expires.date())
        failures = deploy(self._hooks, Renewed(slot=slot, generation=current, credential=credential))
        return Result(slot=slot, outcome=Outcome.RENEWED, expires=current.expires, hook_failures=failures)


def _goes_on(result: Result) -> bool:
    """Whether to look again in this run."""
    error = result.error
    can_be_repeated = isinstance(error, GovfileError) and error.retry is Retry.SAME_REQUEST
    return result.outcome is Outcome.WAITING or (result.outcome is Outcome.FAILED and can_be_repeated)


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
        if current is not None and (days := warning_mark(current.expires - at)) is not None:
            found.append(Reminder(slot=slot, expires=current.expires, days=days))
    return tuple(sorted(found, key=lambda reminder: (reminder.expires, reminder.slot)))
