"""Servers that never come to an end: no deadline is outlasted, although there is always something to read."""

from __future__ import annotations

import contextlib
import io
import time
from typing import TYPE_CHECKING

import attrs
import pytest

from govfile.errors import OutcomeUnknown, TimedOut
from govfile.filing.source import Source
from support.scripted_ftp import QUICK, ScriptedFtp, Talk

if TYPE_CHECKING:
    from govfile.transports.ftps import FtpsTransport

#: Seconds, far beyond every deadline of these tests.
_LONG = 1000.0


def skip_time(transport: FtpsTransport) -> None:
    """From now on it is much later."""
    transport._deadlines.monotonic = lambda: time.monotonic() + _LONG


def test_f02_a_server_that_talks_without_end_does_not_hold_up_the_goodbye(monkeypatch: pytest.MonkeyPatch) -> None:
    def talk_on(talk: Talk, _: str) -> None:
        while not talk.server.over.is_set():
            talk.raw(b"221-and another thing\r\n" * 700)

    with ScriptedFtp() as server:
        server.on["QUIT"] = talk_on
        transport = server.transport()
        transport.home()
        monkeypatch.setattr(transport._deadlines, "poll", lambda poller, _limit: poller.poll(5000))  # we are too quick
        began = time.monotonic()
        transport.close()
        assert time.monotonic() - began < 4


def test_f02_f09_a_server_that_sends_without_end_where_it_was_to_receive_does_not_hold_up_the_upload() -> None:
    def send_on(talk: Talk, _: str) -> None:
        talk.reply("150 send it")
        with contextlib.closing(talk.data()) as data:
            talk.read_all(data)
            while not talk.server.over.is_set():
                data.sendall(bytes(16384))

    with ScriptedFtp() as server:
        server.on["STOR"] = send_on
        with contextlib.closing(server.transport()) as transport, pytest.raises(OutcomeUnknown, match="nothing came"):
            transport.put("/a", Source.of(b"document"))


def test_f02_a_download_without_end_does_not_outlast_the_total() -> None:
    def send_on(talk: Talk, _: str) -> None:
        talk.reply("150 here it comes")
        with contextlib.closing(talk.data()) as data:
            while not talk.server.over.is_set():
                data.sendall(bytes(16384))

    with ScriptedFtp() as server:
        server.on["RETR"] = send_on
        timeouts = attrs.evolve(QUICK, total=_LONG)
        with contextlib.closing(server.transport(timeouts=timeouts)) as transport:

            def enough(done: int, _: int | None) -> None:
                if done > 100_000:
                    skip_time(transport)

            with pytest.raises(TimedOut, match="it was not over within 1000 s") as caught:
                transport.get("/a", io.BytesIO(), limit=50_000_000, progress=enough)
    assert caught.value.which == "total"


def test_f02_f09_an_upload_beyond_the_total_is_not_sent_to_its_end() -> None:
    with ScriptedFtp() as server:
        timeouts = attrs.evolve(QUICK, total=_LONG)
        with contextlib.closing(server.transport(timeouts=timeouts)) as transport:

            def tell(done: int, _: int | None) -> None:
                if done:
                    skip_time(transport)

            with pytest.raises(OutcomeUnknown, match="it was not over within 1000 s") as caught:
                transport.put("/a", Source.of(bytes(1_000_000)), progress=tell)
    assert "262144 bytes or a little more were sent, not the whole" in caught.value.evidence
