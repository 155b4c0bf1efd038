"""The control connection: commands out, replies in, one conversation at a time."""

from __future__ import annotations

import logging
import select
from typing import TYPE_CHECKING

from govfile.errors import InvalidName, Phase, ProtocolError
from govfile.transports.ftps._failures import DataLost, SessionEnded, lost
from govfile.transports.ftps._replies import Reply, ReplyReader

if TYPE_CHECKING:
    from govfile.transports._deadlines import Deadlines, Limit
    from govfile.transports.ftps._channels import PlainChannel, TlsChannel

logger = logging.getLogger("govfile.transports.ftps")

#: Seconds for which the answer to a command sent ahead is good: servers let a data port go that nobody comes to.
_GOOD_FOR = 5.0


class _Ahead:
    """A command that was sent before anybody needed its reply, and that reply once it has been read."""

    __slots__ = ("reply", "sent", "verb")

    def __init__(self, verb: str, sent: float) -> None:
        self.verb = verb
        self.sent = sent
        self.reply: Reply | None = None


class Control:
    """One control connection. Raises `SessionEnded` when it is lost, `TimedOut`, `ProtocolError`."""

    def __init__(self, channel: PlainChannel | TlsChannel, deadlines: Deadlines, reply_limit: int) -> None:
        self.channel = channel
        self._deadlines = deadlines
        self._reader = ReplyReader(reply_limit, deadlines.endpoint)
        self._last = ""
        self._ahead: _Ahead | None = None

    @property
    def endpoint(self) -> str:
        """Host and port."""
        return self._deadlines.endpoint

    @property
    def fd(self) -> int:
        """The socket's number, to be watched beside a data connection."""
        return self.channel.sock.fileno()

    def secure(self, channel: TlsChannel) -> None:
        """Go on in TLS. Bytes that came in clear after the last reply would be an attacker's: refused."""
        if not self._reader.is_empty:
            raise ProtocolError(
                "the server sent more than its reply before TLS started",
                endpoint=self.endpoint,
                advice="somebody between may be injecting commands; do not go on over this network",
            )
        self.channel = channel

    def command(self, verb: str, argument: bytes | None = None, *, phase: Phase = Phase.REQUEST) -> Reply:
        """Send one command and return its reply."""
        self.send(verb, argument, phase=phase)
        return self.reply(f"waiting for the reply to {verb}", phase)

    def send(self, verb: str, argument: bytes | None = None, *, phase: Phase = Phase.REQUEST) -> None:
        """Send one command. Refuses line breaks, and to speak while an unasked reply lies here."""
        self._fetch_ahead()
        line = verb.encode("ascii") if argument is None else verb.encode("ascii") + b" " + argument
        if b"\r" in line or b"\n" in line or b"\0" in line:
            raise InvalidName("a line break or NUL cannot be part of a name, user or password", endpoint=self.endpoint)
        if not self._reader.is_empty:
            raise self._ended("an unasked reply came before", verb, phase)
        if logger.isEnabledFor(logging.DEBUG):
            shown = "***" if verb == "PASS" else (argument or b"").decode("utf-8", "backslashreplace")
            logger.debug("%s > %s %s", self.endpoint, verb, shown)
        self._last = verb
        try:
            self.channel.send(line + b"\r\n", self._deadlines.limit("reply", f"sending {verb}", phase))
        except DataLost as error:
            raise self._ended_by(error, f"sending {verb}", phase) from error.__cause__

    def ask_ahead(self, verb: str) -> None:
        """Send a command that leaves no trace, and wait for nothing; `take_ahead` has its reply."""
        self.send(verb)
        self._ahead = _Ahead(verb, self._deadlines.monotonic())

    def take_ahead(self, verb: str) -> Reply | None:
        """The reply to `verb`, once, where that was sent ahead and a moment ago; None otherwise."""
        self._fetch_ahead()
        ahead, self._ahead = self._ahead, None
        if ahead is None or ahead.verb != verb or self._deadlines.monotonic() - ahead.sent > _GOOD_FOR:
            return None
        return ahead.reply

    def _fetch_ahead(self) -> None:
        ahead = self._ahead
        if ahead is not None and ahead.reply is None:
            ahead.reply = self.reply(f"waiting for the reply to {ahead.verb}")

    def hide(self, secret: str) -> None:
        """Blot `secret` out of the replies that follow; "" ends that."""
        self._reader.hidden = secret

    def was_told(self, verb: str) -> bool:
        """Whether `verb` is the last command that left, or may have left."""
        return self._last == verb

    def reply(self, doing: str, phase: Phase = Phase.REQUEST) -> Reply:
        """The next reply."""
        limit: Limit = self._deadlines.limit("reply", doing, phase)
        while (reply := self._reader.next()) is None:
            try:
                received = self.channel.receive(limit)
            except DataLost as error:
                raise self._ended_by(error, doing, phase) from error.__cause__
            self._take(received, doing, phase)
        self._log(reply)
        return reply

    def reply_now(self, doing: str) -> Reply | None:
        """The next reply, if it is here already; None otherwise."""
        while (reply := self._reader.next()) is None:
            try:
                received = self.channel.receive_now()
            except DataLost as error:
                raise self._ended_by(error, doing, Phase.CONFIRM) from error.__cause__
            if received is None:
                return None
            self._take(received, doing, Phase.CONFIRM)
        self._log(reply)
        return reply

    def is_quiet(self) -> bool:
        """Whether nothing has come that nobody asked for: neither bytes of a reply nor the end of the connection."""
        try:
            if self._owes_ahead():
                return True
        except SessionEnded:
            return False
        if not self._reader.is_empty:
            return False
        poller = select.poll()
        poller.register(self.fd, select.POLLIN)
        while poller.poll(0):
            try:
                received = self.channel.receive_now()
            except DataLost:
                return False
            if received is not None:
                self._reader.feed(received)  # so that whoever looks again sees it, too
                return False
        return True

    def _owes_ahead(self) -> bool:
        """Whether the reply to a command sent ahead has not come yet, or not the whole of it."""
        ahead = self._ahead
        if ahead is not None and ahead.reply is None:
            ahead.reply = self.reply_now(f"waiting for the reply to {ahead.verb}")
        return ahead is not None and ahead.reply is None

    def close(self, *, abort: bool = False) -> None:
        """Close the socket."""
        self.channel.close(abort=abort)

    def _take(self, received: bytes, doing: str, phase: Phase) -> None:
        if not received:
            raise SessionEnded(lost(self.endpoint, doing, phase))
        self._reader.feed(received)

    def _ended(self, why: str, verb: str, phase: Phase) -> SessionEnded:
        return SessionEnded(lost(self.endpoint, f"{why} {verb}", phase))

    def _ended_by(self, error: DataLost, doing: str, phase: Phase) -> SessionEnded:
        return SessionEnded(lost(self.endpoint, doing, phase, error.__cause__))

    def _log(self, reply: Reply) -> None:
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug("%s < %s", self.endpoint, reply)


class TransferReplies:
    """The replies to one transfer command, taken whenever they come: perhaps 1xx, then the final one."""

    def __init__(self, control: Control, verb: str) -> None:
        self.preliminary: Reply | None = None
        self.final: Reply | None = None
        self._control = control
        self._doing = f"waiting for the final reply to {verb}"

    def look(self) -> bool:
        """Read what is there; whether the final reply has come."""
        while self.final is None:
            reply = self._control.reply_now(self._doing)
            if reply is None:
                return False
            self._sort(reply)
        return True

    def wait(self) -> Reply:
        """The final reply, waited for."""
        while self.final is None:
            self._sort(self._control.reply(self._doing, Phase.CONFIRM))
        return self.final

    def _sort(self, reply: Reply) -> None:
        if not reply.is_preliminary:
            self.final = reply
        elif self.preliminary is None:
            self.preliminary = reply
        else:
            raise ProtocolError(
                "the server sent two preliminary replies", excerpt=str(reply)[:80], endpoint=self._control.endpoint
            )
