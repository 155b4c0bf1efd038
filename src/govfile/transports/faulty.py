"""A transport that breaks at any chosen step, for tests of whatever is above: the plan is a value, or a seed."""

from __future__ import annotations

import enum
import hashlib
import io
import random
from collections import Counter
from typing import TYPE_CHECKING, Any

import attrs

from govfile.errors import (
    AuthenticationRefused,
    ConnectionFailed,
    GovfileError,
    OutcomeUnknown,
    Phase,
    Rejected,
    TimedOut,
    TransferRefused,
)
from govfile.transports.base import TransferType

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    from govfile.transports.base import Content, FileTransport, GetReceipt, PutReceipt, RemoteFile


class Step(enum.Enum):
    """Where a conversation may break."""

    LOGIN = "the login is refused, now and ever after"
    CONNECT = "the server cannot be reached, at the start of any call"
    DATA_PORT = "the data port of an upload does not answer; nothing was sent"
    STOR_REFUSED = "the server refuses the upload before any content"
    AFTER_STOR = "the link is lost after the command, before any content"
    DURING_DATA = "the link is lost in the middle of the content"
    BEFORE_REPLY = "the link is lost after all content, before the reply"
    REJECTED = "the server refuses after all content"
    BUSY_AFTER_DATA = "the server says 'not now' after all content"
    LIST_LOST = "the link is lost while a folder is listed"
    LIST_EMPTY = "a listing shows nothing, though there is something"
    GET_LOST = "the link is lost in the middle of a download"
    GET_GONE = "a file is gone between the listing and the download"
    REMOVE_REFUSED = "the server refuses to delete"


_UPLOAD = (
    Step.DATA_PORT,
    Step.STOR_REFUSED,
    Step.AFTER_STOR,
    Step.DURING_DATA,
    Step.BEFORE_REPLY,
    Step.REJECTED,
    Step.BUSY_AFTER_DATA,
)

_CODES = {
    Step.STOR_REFUSED: 550,
    Step.REJECTED: 552,
    Step.BUSY_AFTER_DATA: 451,
    Step.GET_GONE: 550,
    Step.REMOVE_REFUSED: 550,
}


@attrs.frozen(kw_only=True)
class Fault:
    """One break: at `step`, the `nth` time it is passed (from 1).

    `code` is the server's reply where the step has one (0: the usual one). After `AFTER_STOR` and `DURING_DATA`
    `left_behind` bytes lie at the other side (None: nothing at all). `interrupt` breaks by KeyboardInterrupt instead.
    """

    step: Step
    nth: int = 1
    code: int = 0
    left_behind: int | None = None
    interrupt: bool = False


@attrs.frozen(kw_only=True)
class FaultPlan:
    """Which faults happen: those listed, and, with a `seed`, each step in `steps` with probability `rate` as well."""

    faults: tuple[Fault, ...] = ()
    seed: int | None = None
    rate: float = 0.1
    steps: tuple[Step, ...] = tuple(step for step in Step if step is not Step.LOGIN)

    @classmethod
    def at(cls, *steps: Step) -> FaultPlan:
        """Break once at each of `steps`, the first time it is passed."""
        return cls(faults=tuple(Fault(step=step) for step in steps))


class FaultyTransport:
    """`FileTransport` around another one, breaking as planned; `happened` lists the faults in order.

    What is raised is what `FtpsTransport` raises in that place, and the inner transport is left as the server would be.
    """

    def __init__(self, inner: FileTransport, plan: FaultPlan) -> None:
        self.inner = inner
        self.plan = plan
        self.happened: list[Fault] = []
        self._passed: Counter[Step] = Counter()
        self._random = random.Random(plan.seed)  # noqa: S311  (chooses faults, guards nothing)
        self._refused = False

    @property
    def endpoint(self) -> str:
        """That of the inner transport."""
        return self.inner.endpoint

    def home(self) -> str:
        """The folder a login starts in."""
        self._start()
        return self.inner.home()

    def list(self, folder: str) -> list[RemoteFile]:
        """The entries of `folder`."""
        self._start()
        if self._fault(Step.LIST_LOST):
            raise self._lost("listing")
        entries = self.inner.list(folder)
        return [] if self._fault(Step.LIST_EMPTY) else entries

    def put(
        self,
        path: str,
        content: Content,
        *,
        transfer_type: TransferType = TransferType.BINARY,
        committing: Callable[[], None] | None = None,
        progress: Callable[[int, int | None], None] | None = None,
        rewrite: bool = False,
    ) -> PutReceipt:
        """Send `content`, unless one of the steps of an upload breaks."""
        self._start()
        fault = next((found for step in _UPLOAD if (found := self._fault(step, raising=False))), None)
        if fault is None:
            return self.inner.put(
                path, content, transfer_type=transfer_type, committing=committing, progress=progress, **_again(rewrite)
            )
        if fault.step is not Step.DATA_PORT and committing is not None:
            committing()
        self._leave_behind(fault, path, content, transfer_type, rewrite=rewrite)
        if fault.interrupt:
            raise KeyboardInterrupt
        raise self._upload_error(fault, path)

    def get(
        self,
        path: str,
        into: BinaryIO,
        *,
        limit: int | None = None,
        progress: Callable[[int, int | None], None] | None = None,
    ) -> GetReceipt:
        """Fetch a file, unless it is gone or the link is lost half-way."""
        self._start()
        if fault := self._fault(Step.GET_GONE):
            raise self._no(fault, f"send {path}")
        if self._fault(Step.GET_LOST):
            whole = io.BytesIO()
            self.inner.get(path, whole, limit=limit)
            into.write(whole.getvalue()[: len(whole.getvalue()) // 2])
            raise self._lost("receiving")
        return self.inner.get(path, into, limit=limit, progress=progress)

    def remove(self, path: str) -> None:
        """Delete a file, unless that is refused."""
        self._start()
        if fault := self._fault(Step.REMOVE_REFUSED):
            raise self._no(fault, f"delete {path}")
        self.inner.remove(path)

    def close(self) -> None:
        """End the session of the inner transport."""
        self.inner.close()

    def _start(self) -> None:
        if self._refused or self._fault(Step.LOGIN):
            self._refused = True
            raise AuthenticationRefused("the server refused the login: 530 planned", endpoint=self.endpoint)
        if self._fault(Step.CONNECT):
            raise ConnectionFailed("the server cannot be reached (planned)", endpoint=self.endpoint)

    def _fault(self, step: Step, *, raising: bool = True) -> Fault | None:
        """The fault planned for this passing of `step`, if any."""
        self._passed[step] += 1
        fault = next(
            (found for found in self.plan.faults if found.step is step and found.nth == self._passed[step]), None
        )
        if fault is None and self.plan.seed is not None and step in self.plan.steps:
            fault = Fault(step=step) if self._random.random() < self.plan.rate else None
        if fault is not None:
            self.happened.append(fault)
            if fault.interrupt and raising:
                raise KeyboardInterrupt
        return fault

    def _leave_behind(
        self, fault: Fault, path: str, content: Content, transfer_type: TransferType, *, rewrite: bool
    ) -> None:
        whole = fault.step is Step.BEFORE_REPLY
        if not whole and fault.left_behind is None:
            return
        with content.open() as reader:
            data = reader.read() if whole else reader.read(fault.left_behind or 0)
        self.inner.put(path, _Piece(data), transfer_type=transfer_type, **_again(rewrite))

    def _upload_error(self, fault: Fault, path: str) -> GovfileError:
        code = fault.code or _CODES.get(fault.step, 0)
        if fault.step is Step.DATA_PORT:
            return TimedOut("data port 36101 did not answer (planned)", which="connect", phase=Phase.CONNECT)
        if fault.step is Step.STOR_REFUSED:
            return self._no(fault, f"store {path}")
        if fault.step is Step.REJECTED:
            text = f"{code} planned"
            return Rejected(f"the server refused {path}: {text}", code=str(code), text=text, phase=Phase.CONFIRM)
        return OutcomeUnknown(
            f"it is not known whether {path} arrived: {fault.step.value} (planned)",
            evidence=f"the server was told to store {path}; then {fault.step.value}",
            how_to_resolve="wait for the authority's word or look there; never send it again before",
            endpoint=self.endpoint,
        )

    def _no(self, fault: Fault, what: str) -> TransferRefused:
        code = fault.code or _CODES[fault.step]
        return TransferRefused(
            f"the server refused to {what}: {code} planned", code=code, reply=f"{code} planned", endpoint=self.endpoint
        )

    def _lost(self, doing: str) -> ConnectionFailed:
        return ConnectionFailed(
            f"the connection was lost while {doing} (planned)", phase=Phase.TRANSFER, endpoint=self.endpoint
        )


def _again(rewrite: bool) -> dict[str, Any]:
    """The word for those transports that know it: others always write over what is there."""
    return {"rewrite": True} if rewrite else {}


class _Piece:
    """What a broken upload left at the other side."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)
        self.sha256 = hashlib.sha256(data).hexdigest()

    def open(self) -> BinaryIO:
        return io.BytesIO(self._data)
