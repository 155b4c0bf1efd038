"""Answers in another order than their requests, in drops, or last before the link is lost: what is said stays true."""

from __future__ import annotations

import struct
from collections import deque
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from govfile.errors import OutcomeUnknown, TimedOut
from govfile.filing.source import Source
from govfile.transports._deadlines import Deadlines
from govfile.transports.base import PutReceipt, Timeouts
from govfile.transports.sftp import SftpPolicy, Upload
from govfile.transports.sftp._packets import Code, Kind
from govfile.transports.sftp._session import Session
from govfile.transports.sftp._uploads import Uploads

if TYPE_CHECKING:
    from collections.abc import Callable

    from govfile.errors import GovfileError

    Answer = Callable[["Line", int, int], None]

DOCUMENT = bytes(3000)


class Line:
    """A channel whose other side `answer`s each request (its kind and number); it is lost when nothing is left to read.

    It stands in for paramiko's channel and connection: what those do with a real server other tests show.
    """

    out_max_packet_size = 32 * 1024
    closed = False

    def __init__(self, answer: Answer) -> None:
        self.to_come: deque[bytes] = deque()
        self.is_broken = False
        self.now = 0.0
        self.passes = 0.0
        self.bounded = SimpleNamespace(consumed=0, has_stalled=False)
        self._answer = answer
        self._came = bytearray()

    def say(self, kind: int, number: int, body: bytes) -> None:
        """One answer."""
        self.to_come.append(struct.pack(">IBI", 5 + len(body), kind, number) + body)

    def status(self, number: int, code: int = Code.OK) -> None:
        """One that is a status."""
        self.say(Kind.STATUS, number, struct.pack(">II", code, 0) + bytes(4))

    def send(self, data: bytes) -> int:
        if self.is_broken:
            raise OSError("Socket is closed")
        self._came += data
        while len(self._came) >= 4 and len(self._came) >= 4 + (length := int.from_bytes(self._came[:4], "big")):
            kind, number = struct.unpack(">BI", self._came[4:9])
            del self._came[: 4 + length]
            self._answer(self, kind, number)
        return len(data)

    def recv(self, _most: int) -> bytes:
        self.now += self.passes
        return self.to_come.popleft() if self.to_come else b""

    def settimeout(self, seconds: float) -> None:
        assert seconds > 0 or self.is_broken

    def recv_stderr_ready(self) -> bool:
        return False

    def get_exception(self) -> None:
        return None


def session(line: Line, **timeouts: float) -> Session:
    anything: Any = line
    policy = SftpPolicy(timeouts=Timeouts(**timeouts))
    return Session(anything, anything, Any, policy, Deadlines(policy.timeouts, lambda: line.now, "here"))  # type: ignore[arg-type]


def put(answer: Answer, count: int = 1) -> list[PutReceipt | GovfileError | None]:
    run = Uploads(
        session(Line(answer)),
        [Upload(path=f"/{number}", content=Source.of(DOCUMENT)) for number in range(count)],
        None,
        None,
    )
    run.run()
    return run.outcomes


def handle(line: Line, kind: int, number: int) -> bool:
    if kind == Kind.OPEN:
        line.say(Kind.HANDLE, number, struct.pack(">I", 1) + b"h")
    return kind == Kind.OPEN


def attributes(size: int) -> bytes:
    return struct.pack(">IQ", 1, size)


def test_s04_a_close_that_is_answered_before_its_writes_confirms_nothing_yet() -> None:
    def answer(line: Line, kind: int, number: int) -> None:
        if not handle(line, kind, number) and kind == Kind.CLOSE:
            line.status(number)

    (outcome,) = put(answer)
    assert isinstance(outcome, OutcomeUnknown)
    assert "the close was confirmed (0 of 3000 bytes confirmed)" in outcome.evidence


def test_s07_a_size_that_differs_is_not_believed_because_the_second_look_is_lost() -> None:
    def answer(line: Line, kind: int, number: int) -> None:
        if handle(line, kind, number):
            return
        if kind != Kind.STAT:
            line.status(number)
        elif line.passes == 0:
            line.passes = 1e-9
            line.say(Kind.ATTRS, number, attributes(17))

    (outcome,) = put(answer)
    assert isinstance(outcome, OutcomeUnknown)


def test_answers_in_the_reverse_order_are_a_confirmation_all_the_same() -> None:
    asked: list[tuple[int, int]] = []

    def answer(line: Line, kind: int, number: int) -> None:
        if handle(line, kind, number):
            return
        asked.append((kind, number))
        if kind == Kind.STAT:
            line.say(Kind.ATTRS, number, attributes(len(DOCUMENT)))
            for _, earlier in reversed(asked[:-1]):
                line.status(earlier)

    (outcome,) = put(answer)
    assert isinstance(outcome, PutReceipt)
    assert outcome.size_seen == len(DOCUMENT)


def test_s04_answers_that_came_before_the_link_was_lost_are_heard() -> None:
    """The first file is confirmed while the second is being opened; then nothing can be sent any more."""
    waiting: list[int] = []

    def answer(line: Line, kind: int, number: int) -> None:
        if kind == Kind.OPEN:
            waiting.append(number)
            if len(waiting) == 1:
                handle(line, kind, number)
        elif kind == Kind.STAT:
            line.say(Kind.ATTRS, number, attributes(len(DOCUMENT)))
            line.to_come.appendleft(line.to_come.pop())
            handle(line, Kind.OPEN, waiting[1])
            line.to_come.rotate(1)
            line.is_broken = True
        else:
            line.status(number)

    first, second = put(answer, 2)
    assert isinstance(first, PutReceipt)
    assert isinstance(second, OutcomeUnknown)


def test_s10_an_answer_that_comes_in_drops_does_not_outlast_its_deadline() -> None:
    def answer(line: Line, _kind: int, number: int) -> None:
        line.status(number)
        whole = line.to_come.pop()
        line.to_come.extend(whole[at : at + 1] for at in range(len(whole)))

    line = Line(answer)
    line.passes = 6.0
    with pytest.raises(TimedOut) as caught:
        session(line, reply=10.0).call(Kind.REMOVE, b"", "removing")
    assert caught.value.which == "reply"
    assert line.now == 12.0
