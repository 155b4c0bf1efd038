"""A session: requests go out, answers come back in any order, each to whoever asked."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from govfile.errors import GovfileError, Phase, ProtocolError
from govfile.transports.sftp._failures import refused
from govfile.transports.sftp._handshake import hang_up, lost
from govfile.transports.sftp._packets import (
    VERSION,
    Code,
    Cursor,
    Kind,
    Reply,
    Status,
    printable,
    read_extensions,
    read_status,
    request,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from govfile.transports._deadlines import Deadlines, Limit, Which
    from govfile.transports.sftp._ssh import Channel, Connection
    from govfile.transports.sftp.policy import SftpPolicy
    from govfile.transports.sftp.values import SessionFacts

#: The most that every server must take in one WRITE and give in one READ (draft-ietf-secsh-filexfer-02 section 3).
_MODEST = 32 * 1024
#: More per request costs memory and gains nothing.
_GENEROUS = 128 * 1024
_RECEIVE = 256 * 1024


class Session:
    """One SFTP channel on one connection. Not for use in a process forked off from its maker's.

    `largest_write` and `largest_read` are bytes per request; `facts` what was agreed.
    """

    def __init__(
        self, connection: Connection, channel: Channel, facts: SessionFacts, policy: SftpPolicy, deadlines: Deadlines
    ) -> None:
        self.facts = facts
        self.policy = policy
        self.deadlines = deadlines
        self.made_by = os.getpid()
        self.largest_write = self.largest_read = _MODEST
        self.last_used = deadlines.monotonic()
        self._connection = connection
        self._channel = channel
        self._piece = max(1024, channel.out_max_packet_size - 64)
        self._outgoing: list[bytes] = []
        self._incoming = bytearray()
        self._waiting: dict[int, Callable[[Reply], None]] = {}
        self._number = 0

    @property
    def endpoint(self) -> str:
        """For messages."""
        return self.deadlines.endpoint

    def greet(self) -> None:
        """Agree on version 3 and learn the server's limits; raises `ProtocolError` for any other version."""
        self._outgoing.append(b"\0\0\0\5" + bytes([Kind.INIT]) + VERSION.to_bytes(4, "big"))
        limit = self.deadlines.limit("reply", "agreeing on SFTP")
        reply = None
        while reply is None:
            self._flush(limit)
            self._receive(limit)
            reply = self._next_reply()
        version, answer = reply
        if answer.kind != Kind.VERSION or version < VERSION:
            raise ProtocolError(
                "the server does not speak SFTP version 3", excerpt=printable(answer.body[:40]), endpoint=self.endpoint
            )
        if b"limits@openssh.com" in read_extensions(answer.body):
            self._ask_limits()

    def ask(self, kind: Kind, body: bytes, then: Callable[[Reply], None]) -> None:
        """Queue a request; `then` gets its answer during a later `turn`."""
        self._number = (self._number + 1) & 0xFFFFFFFF
        self._outgoing.append(request(kind, self._number, body))
        self._waiting[self._number] = then

    def send_packet(self, make: Callable[[int], bytes], then: Callable[[Reply], None]) -> None:
        """As `ask`, for a packet that the caller builds around its number."""
        self._number = (self._number + 1) & 0xFFFFFFFF
        self._outgoing.append(make(self._number))
        self._waiting[self._number] = then

    def turn(self, doing: str, phase: Phase = Phase.TRANSFER) -> None:
        """Send what is queued, wait for answers, and hand out those that are there.

        Raises `TimedOut` when nothing moves, `ConnectionFailed` when the link is lost, `ProtocolError`.
        """
        which: Which = "data" if phase is Phase.TRANSFER else "reply"
        self._speak(self.deadlines.limit(which, doing, phase))
        self._hear(self.deadlines.limit(which, doing, phase))

    def call(self, kind: Kind, body: bytes, doing: str) -> Reply:
        """Ask and wait for this one answer; its deadline is for the whole of it, also where it comes in drops."""
        answers: list[Reply] = []
        self.ask(kind, body, answers.append)
        limit = self.deadlines.limit("reply", doing, Phase.REQUEST)
        while not answers:
            self._speak(limit)
            self._hear(limit)
        return answers[0]

    def expect(self, reply: Reply, kind: Kind, doing: str) -> bytes:
        """The body of an answer of this kind; raises `TransferRefused` for a refusal, `ProtocolError` otherwise."""
        if reply.kind == kind:
            return reply.body
        if reply.kind == Kind.STATUS:
            raise refused(doing, read_status(reply.body), self.endpoint)
        raise ProtocolError(f"an answer of type {reply.kind} came while {doing}", endpoint=self.endpoint)

    def require_ok(self, reply: Reply, doing: str) -> Status:
        """A STATUS that says OK; raises as `expect` does."""
        status = read_status(self.expect(reply, Kind.STATUS, doing))
        if status.code != Code.OK:
            raise refused(doing, status, self.endpoint)
        return status

    @property
    def has_queued(self) -> bool:
        """Whether requests wait to be sent."""
        return bool(self._outgoing)

    def is_alive(self) -> bool:
        """Whether the link stands, as far as can be known without asking."""
        return self.made_by == os.getpid() and self._connection.is_active() and not self._channel.closed

    def drop(self) -> None:
        """End it at once; in a forked process only this side's copy of the socket."""
        if self.made_by == os.getpid():
            hang_up(self._connection)
        else:
            self._connection.sock.close()

    # --- the stream ---------------------------------------------------------------------------------------------

    def _speak(self, limit: Limit) -> None:
        """Send what is queued. Where that fails, hand out the answers that came before: they are as true as ever."""
        try:
            self._flush(limit)
        except GovfileError:
            self._channel.settimeout(0.0)
            with contextlib.suppress(GovfileError):
                while True:
                    self._take(limit)
                    self._hand_out_all()
            raise

    def _hear(self, limit: Limit) -> None:
        if not self._hand_out_all():
            self._receive(limit)
            self._hand_out_all()
        self.last_used = self.deadlines.monotonic()

    def _flush(self, limit: Limit) -> None:
        if not self._outgoing:
            return
        view = memoryview(self._outgoing[0] if len(self._outgoing) == 1 else b"".join(self._outgoing))
        self._outgoing.clear()
        while view:
            self._await(limit)
            try:
                count = self._channel.send(bytes(view[: self._piece]))
            except TimeoutError as error:
                raise self.deadlines.passed(limit) from error
            except Exception as error:
                raise self._lost(limit, error) from error
            if not count:
                raise self._lost(limit, None)
            view = view[count:]
            limit = self.deadlines.limit("data", limit.doing, limit.phase)

    def _receive(self, limit: Limit) -> None:
        self._await(limit)
        self._take(limit)

    def _take(self, limit: Limit) -> None:
        try:
            data = self._channel.recv(_RECEIVE)
            while self._channel.recv_stderr_ready():
                self._connection.bounded.consumed += len(self._channel.recv_stderr(_MODEST))
        except TimeoutError as error:
            raise self.deadlines.passed(limit) from error
        except Exception as error:
            raise self._lost(limit, error) from error
        if not data:
            raise self._lost(limit, None)
        self._connection.bounded.consumed += len(data)
        self._incoming += data

    def _await(self, limit: Limit) -> None:
        remaining = limit.end - self.deadlines.monotonic()
        if remaining <= 0:
            raise self.deadlines.passed(limit)
        self._channel.settimeout(remaining)

    def _lost(self, limit: Limit, error: BaseException | None) -> GovfileError:
        if self._connection.bounded.has_stalled:
            return self.deadlines.passed(limit)
        return lost(self.endpoint, limit.doing, limit.phase, self._connection.get_exception() or error)

    def _next_reply(self) -> tuple[int, Reply] | None:
        """The number and content of the next whole packet (in VERSION, the version stands where the number is)."""
        waiting = self._incoming
        if len(waiting) < 4:
            return None
        length = int.from_bytes(waiting[:4], "big")
        if not 5 <= length <= self.policy.reply_limit:
            raise ProtocolError(f"the server announces an answer of {length} bytes", endpoint=self.endpoint)
        if len(waiting) < 4 + length:
            return None
        with memoryview(waiting) as view:
            number, reply = int.from_bytes(view[5:9], "big"), Reply(view[4], bytes(view[9 : 4 + length]))
        del waiting[: 4 + length]
        return number, reply

    def _hand_out_all(self) -> bool:
        """Hand out the answers that are here; whether there was one."""
        found = False
        while (answered := self._next_reply()) is not None:
            self._hand_out(*answered)
            found = True
        return found

    def _hand_out(self, number: int, reply: Reply) -> None:
        then = self._waiting.pop(number, None)
        if then is None:
            raise ProtocolError(
                "the server answers what was not asked", excerpt=printable(reply.body[:20]), endpoint=self.endpoint
            )
        then(reply)

    def _ask_limits(self) -> None:
        """The sizes this server allows (OpenSSH's PROTOCOL, section 4.8)."""
        reply = self.call(Kind.EXTENDED, b"\0\0\0\x12limits@openssh.com", "asking the server's limits")
        if reply.kind != Kind.EXTENDED_REPLY:
            return
        cursor = Cursor(reply.body)
        cursor.long()
        read, write = cursor.long(), cursor.long()
        self.largest_read = max(1, min(read or _MODEST, _GENEROUS))
        self.largest_write = max(1, min(write or _MODEST, _GENEROUS))
