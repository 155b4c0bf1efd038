"""The life of an upload after its last byte: names remembered, statuses and answers by the clock, the outbox.

Nothing runs by itself: whatever is due is done when somebody looks, at the time it was due. So a test that moves the
clock sees exactly what the real gateway would have left there by then.
"""

from __future__ import annotations

import heapq
import threading
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import attrs

from govfile.sandbox.skat.answers import answers, replaced
from govfile.sandbox.skat.faults import Damage, Faults
from govfile.sandbox.skat.rules import VALIDATION_PREFIX, Judgement
from govfile.sandbox.skat.services import Family, family
from govfile.sandbox.skat.settings import NameScope, Schedule, Settings
from govfile.sandbox.skat.status import Status, damaged, started_at

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from govfile.sandbox.skat.identities import Identity

_REUSED = "FILENAME_CANNOT_BE_REUSED_FOR_TRANSACTION"
_ADVICE = {
    _REUSED: ("The file name has been used before", "Send the file under a name that was never used"),
    "FILE_NOT_UPLOADED_IN_ASCII_MODE": ("The file was not uploaded in ASCII mode", "Send it again in ASCII mode"),
    "RECORD_LENGTH_INCORRECT": ("A record has the wrong length", "Correct the record structure"),
    "FIRST_RECORD_INCORRECT": ("The start record is wrong", "Correct the record structure"),
    "LAST_RECORD_INCORRECT": ("The end record is wrong", "Correct the record structure"),
}


@attrs.frozen(kw_only=True)
class Arrival:
    """One complete upload, as the gateway has it. `size` (bytes) and `sha256` are of the content as it is stored.

    `transfer_type` is "ascii" or "binary". `code` is the refusal of a status 0; `findings` are the back end's
    objections. `tls_resumed` tells whether the data connection resumed the control connection's session.
    """

    service: str
    name: str
    login: str
    size: int
    sha256: str
    transfer_type: str
    at: datetime
    code: str | None = None
    findings: tuple[str, ...] = ()
    is_lost: bool = False
    tls_version: str = ""
    tls_resumed: bool = False

    @property
    def is_validation(self) -> bool:
        """Whether it was sent to be looked at only (`val_`)."""
        return self.name.startswith(VALIDATION_PREFIX) and family(self.service) is Family.RENTE

    @property
    def is_filed(self) -> bool:
        """Whether it counts as a filed report."""
        return not (self.code or self.findings or self.is_validation or self.is_lost)


@attrs.frozen(kw_only=True)
class OutFile:
    """A file in `out`. Until `whole_at` only half of it is there."""

    content: bytes = attrs.field(repr=False)
    modified: datetime
    whole_at: datetime

    def seen(self, now: datetime) -> bytes:
        """The bytes a reader gets now."""
        return self.content if now >= self.whole_at else self.content[: len(self.content) // 2]


@attrs.frozen(order=True)
class _Step:
    due: datetime
    order: int
    do: Callable[[datetime], None] = attrs.field(order=False)
    needs_back_end: bool = attrs.field(order=False)


class BackEnd:
    """Everything behind the FTP door, safe to use from several threads."""

    def __init__(
        self, *, clock: Callable[[], datetime], settings: Settings, schedule: Schedule, faults: Faults
    ) -> None:
        self._clock = clock
        self._settings = settings
        self._schedule = schedule
        self._faults = faults
        self._lock = threading.RLock()
        self._steps: list[_Step] = []
        self._count = 0
        self._names: set[tuple[str, ...]] = set()
        self._out: dict[str, dict[str, OutFile]] = {}
        self._held: dict[tuple[str, str, str], int] = {}
        self.arrivals: list[Arrival] = []

    # --- what comes in

    def arrive(self, identity: Identity, judgement: Judgement, arrival: Arrival) -> Arrival:
        """Settle what becomes of a complete upload and lay out its life; returns it with the refusal, if any."""
        with self._lock:
            key = self._name_key(identity, arrival.service, arrival.name)
            code = _REUSED if key in self._names else self._faults.refuse_with or judgement.code
            self._names.add(key)
            settled = attrs.evolve(
                arrival,
                code=code,
                findings=() if code else judgement.findings,
                is_lost=self._faults.lose_files and not code,
            )
            self.arrivals.append(settled)
            if not settled.is_lost:
                self._plan(identity, settled)
            return settled

    def burn(self, identity: Identity, service: str, name: str) -> None:
        """Use up a name without a file."""
        with self._lock:
            self._names.add(self._name_key(identity, service, name))

    def _name_key(self, identity: Identity, service: str, name: str) -> tuple[str, ...]:
        name = name if self._settings.case_sensitive_names else name.casefold()
        match self._settings.name_scope:
            case NameScope.COMPANY:
                return identity.cvr, name
            case NameScope.CERTIFICATE:
                return identity.username, name
            case NameScope.SERVICE:
                return identity.username, service, name

    # --- what is to come

    def _plan(self, identity: Identity, arrival: Arrival) -> None:
        self._count += 1
        millis = int(arrival.at.timestamp() * 1000)
        status = Status(
            number=0,
            service=arrival.service,
            name=arrival.name,
            folder=f"/{identity.company_folder}/{identity.certificate_folder}",
            transaction=f"ci{millis}_{31616755 + self._count}_1",
            at=arrival.at,
        )
        late = self._faults.statuses_late or timedelta()
        if arrival.code:
            message, resolution = _ADVICE.get(arrival.code, ("The file was refused", "See the code"))
            refusal = attrs.evolve(status, code=arrival.code, message=message, resolution=resolution)
            write = partial(self._put_status, identity, refusal)
            self._later(arrival.at + late, self._schedule.status_0, write, needs_back_end=False)
            return
        place = (identity.username, arrival.service, arrival.name)
        self._held[place] = arrival.size
        pace = self._schedule
        times = [pace.status_1, pace.status_2, pace.answer]
        if self._faults.reversed_statuses:
            times.reverse()
        for number, after in zip((1, 2), times, strict=False):
            numbered = attrs.evolve(status, number=number)
            self._later(arrival.at + late, after, partial(self._put_status, identity, numbered))
        self._later(arrival.at, min(times), partial(self._release, place))
        self._plan_answers(identity, arrival, attrs.evolve(status, number=3), times[2])

    def _plan_answers(self, identity: Identity, arrival: Arrival, status: Status, after: float) -> None:
        files = answers(
            arrival.service,
            arrival.name,
            at=arrival.at,
            findings=arrival.findings,
            is_validation=arrival.is_validation,
            settings=self._settings,
        )
        late = self._faults.statuses_late or timedelta()
        announced: list[str] = []
        for name, content in files:
            announced.append(name)
            told = self._announcement(arrival, status, announced)
            self._later(arrival.at, after, partial(self._put, identity, name, content))
            self._later(arrival.at + late, after, partial(self._put_status, identity, told))
            if self._faults.replace_answers:
                again = after + self._schedule.more
                self._later(arrival.at, again, partial(self._put, identity, name, replaced(content)))
                self._later(arrival.at + late, again, partial(self._put_status, identity, told))
            after += self._schedule.more

    def _announcement(self, arrival: Arrival, status: Status, announced: list[str]) -> Status:
        if family(arrival.service) is not Family.EXCHANGE:
            return attrs.evolve(status, names=tuple(announced))
        name = started_at(arrival.at + timedelta(milliseconds=len(announced)))
        return attrs.evolve(status, name=name, names=(announced[-1],))

    def _later(
        self, start: datetime, seconds: float, do: Callable[[datetime], None], *, needs_back_end: bool = True
    ) -> None:
        self._count += 1
        heapq.heappush(self._steps, _Step(start + timedelta(seconds=seconds), self._count, do, needs_back_end))

    def _release(self, place: tuple[str, str, str], _: datetime) -> None:
        self._held.pop(place, None)

    # --- what goes out

    def run_due(self) -> datetime:
        """Do all that is due by now, oldest first; returns the time."""
        with self._lock:
            now = self._clock()
            away = self._faults.away_until
            waiting: list[_Step] = []
            while self._steps and self._steps[0].due <= now:
                step = heapq.heappop(self._steps)
                if step.needs_back_end and away is not None and step.due < away:
                    waiting.append(attrs.evolve(step, due=min(away, now)))  # the switch may be set back before
                    if away <= now:
                        heapq.heappush(self._steps, waiting.pop())
                    continue
                step.do(step.due)
            for step in waiting:
                heapq.heappush(self._steps, step)
            self._purge(now)
            return now

    def _purge(self, now: datetime) -> None:
        for box in self._out.values():
            for name in [name for name, found in box.items() if now - found.modified >= self._settings.retention]:
                del box[name]

    def _owner(self, identity: Identity) -> str:
        return identity.company_folder if self._settings.shared_out else identity.username

    def _put_status(self, identity: Identity, status: Status, at: datetime) -> None:
        if status.number in self._faults.missing:
            return
        xml = attrs.evolve(status, at=at).xml(spelling=self._settings.spelling, stray_space=self._settings.stray_space)
        if self._faults.damage is not None:
            xml = damaged(xml, self._faults.damage)
        self._put(identity, status.file_name, xml, at, grows=False)
        if self._faults.repeat_statuses and self._faults.damage is not Damage.OVERSIZED:
            self._later(at, self._schedule.more, partial(self._put, identity, status.file_name, xml))

    def _put(self, identity: Identity, name: str, content: bytes, at: datetime, *, grows: bool = True) -> None:
        growing = self._faults.growing if grows else None
        box = self._out.setdefault(self._owner(identity), {})
        box[name] = OutFile(content=content, modified=at, whole_at=at + (growing or timedelta()))

    def put(self, identity: Identity, name: str, content: bytes) -> None:
        """Lay a file in the outbox, now."""
        with self._lock:
            self._put(identity, name, content, self._clock(), grows=False)

    def put_unsolicited(self, identity: Identity, service: str, name: str, content: bytes) -> str:
        """A file the back end sends by itself, with its status 3; returns the status file's name."""
        with self._lock:
            now = self._clock()
            status = Status(
                number=3,
                service=service,
                name=started_at(now),
                folder=f"/{identity.company_folder}/{identity.certificate_folder}",
                transaction=f"ci{int(now.timestamp() * 1000)}_1_1",
                at=now,
                names=(name,),
            )
            self._put(identity, name, content, now)
            self._put_status(identity, status, now)
            return status.file_name

    # --- what may be seen

    def outbox(self, identity: Identity) -> dict[str, OutFile]:
        """The files in `out` by name, after all that is due."""
        with self._lock:
            self.run_due()
            return dict(self._out.get(self._owner(identity), {}))

    def remove(self, identity: Identity, name: str) -> bool:
        """Delete from `out`; False when it was not there."""
        with self._lock:
            self.run_due()
            return self._out.get(self._owner(identity), {}).pop(name, None) is not None

    def held(self, identity: Identity, service: str) -> dict[str, int]:
        """Uploads not yet handed over: name to size."""
        with self._lock:
            self.run_due()
            return {
                name: size
                for (login, where, name), size in self._held.items()
                if login == identity.username and where == service
            }
