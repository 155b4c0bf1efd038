"""Links slower than we are: what waits in the socket is sent to its end, the close alert behind it."""

from __future__ import annotations

import contextlib
import os
import ssl
import threading
import time

import attrs
import pytest

from govfile.filing.source import Source
from support.scripted_ftp import QUICK, ScriptedFtp, Talk
from support.tls_channels import fill, secured

#: A TLS 1.2 record holds an alert (RFC 5246, 6.2.1): its type, and then its encrypted length.
_ALERT = 21


def test_f12_the_close_alert_waits_for_room_behind_what_fills_the_socket() -> None:
    arrived = bytearray()
    with secured() as (channel, bare, deadlines):

        def read() -> None:
            while block := bare.recv(65536):
                arrived.extend(block)

        filling = fill(channel.sock)
        reader = threading.Timer(0.2, read)
        reader.start()
        try:
            channel.say_goodbye(deadlines.limit("data", "sending"))
        finally:
            channel.sock.close()
            reader.join()
    assert not any(arrived[:filling])
    assert arrived[filling] == _ALERT


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=lambda version: version.name)
def test_f02_a_slow_link_is_no_silent_server(version: ssl.TLSVersion) -> None:
    """The reply is waited for when the document has left, not when the socket has swallowed it."""
    document = os.urandom(2_000_000)

    def store(talk: Talk, argument: str) -> None:
        talk.reply("150 send it")
        with contextlib.closing(talk.data()) as data:
            arrived = bytearray()
            while block := data.recv(16384):
                arrived += block
                time.sleep(0.016)
            talk.server.files[argument] = bytes(arrived)
            with contextlib.suppress(OSError):
                data.unwrap()
        talk.reply("226 stored")

    with ScriptedFtp(minimum=version, maximum=version, window=16384) as server:
        server.on["STOR"] = store
        patient = attrs.evolve(QUICK, reply=0.8, data=0.8, close=0.8)  # less than the whole takes
        with contextlib.closing(server.transport(timeouts=patient)) as transport:
            receipt = transport.put("/a", Source.of(document))
    assert receipt.bytes_sent == len(document)
    assert server.files["/a"] == document
