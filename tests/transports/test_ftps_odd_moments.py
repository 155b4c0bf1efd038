"""What comes at odd moments of an upload, and links on which hardly anything moves: what is said stays true."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest

from govfile.errors import OutcomeUnknown
from govfile.filing.source import Source
from govfile.transports._deadlines import Deadlines
from govfile.transports.base import Timeouts
from govfile.transports.ftps._channels import TlsChannel, Waiter
from support.scripted_ftp import ScriptedFtp, Talk
from support.tls_channels import fill, secured

if TYPE_CHECKING:
    import select

    from govfile.transports._deadlines import Limit


def test_f09_a_confirmation_before_the_close_alert_left_confirms_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can know that the document is whole before its end was said."""
    filled = threading.Event()
    real = TlsChannel.say_goodbye

    def behind_what_fills_the_socket(channel: TlsChannel, limit: Limit) -> None:
        fill(channel.sock)
        filled.set()
        real(channel, limit)

    def hasty(talk: Talk, _: str) -> None:
        talk.reply("150 send it")
        with contextlib.closing(talk.data()):
            assert filled.wait(5)
            talk.reply("226 stored")
            talk.server.over.wait(5)

    monkeypatch.setattr(TlsChannel, "say_goodbye", behind_what_fills_the_socket)
    with ScriptedFtp() as server:
        server.on["STOR"] = hasty
        with contextlib.closing(server.transport()) as transport, pytest.raises(OutcomeUnknown) as caught:
            transport.put("/a", Source.of(b"document"))
    assert "its end was not said; then the server answered 226 stored" in caught.value.evidence


def test_f09_a_confirmation_that_lies_here_before_the_end_was_said_confirms_nothing() -> None:
    confirmed = threading.Event()

    def hasty(talk: Talk, _: str) -> None:
        talk.reply("150 send it")
        with contextlib.closing(talk.data()) as data:
            talk.reply("226 stored")
            confirmed.set()
            talk.read_all(data)

    def tell(done: int, _: int | None) -> None:
        assert not done or confirmed.wait(5)

    with ScriptedFtp() as server:
        server.on["STOR"] = hasty
        with contextlib.closing(server.transport()) as transport, pytest.raises(OutcomeUnknown) as caught:
            transport.put("/a", Source.of(b"document"), progress=tell)
    assert "its end was not said; then the server answered 226 stored" in caught.value.evidence


class Sips(Deadlines):
    """Whoever waits for room gets it from a server that reads a record a minute."""

    def __init__(self, timeouts: Timeouts, bare: socket.socket) -> None:
        self.now = 0.0
        super().__init__(timeouts, lambda: self.now, "here")
        self._bare = bare

    def poll(self, poller: select.poll, limit: Limit) -> list[tuple[int, int]]:
        while not (ready := poller.poll(0)):
            assert self._bare.recv(16384)
            self.now += 60.0
        if self.now > limit.end:
            raise self.passed(limit)
        return ready


def test_f02_what_moves_slowly_is_not_taken_for_what_stands() -> None:
    with secured() as (channel, bare, _):
        channel.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        slow = Sips(Timeouts(data=150.0), bare)
        channel.waiter = Waiter(channel.sock, slow)
        channel.send(bytes(256 * 1024), slow.limit("data", "sending"))
        assert slow.now > 300


def test_f12_a_word_of_the_server_while_it_still_reads_cuts_nothing_off() -> None:
    """As a key update, on a link so slow that the close deadline passes before all has arrived."""

    def store(talk: Talk, argument: str) -> None:
        talk.reply("150 send it")
        with contextlib.closing(talk.data()) as data:
            time.sleep(0.3)
            data.sendall(b"word")
            time.sleep(0.05)
            talk.server.files[argument] = talk.read_all(data)
        talk.reply("226 stored")

    document = os.urandom(100_000)
    with ScriptedFtp(window=8192) as server:
        server.on["STOR"] = store
        with contextlib.closing(server.transport(timeouts=Timeouts(close=0.1))) as transport:
            transport.put("/a", Source.of(document))
    assert server.files["/a"] == document
