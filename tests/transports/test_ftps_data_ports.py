"""Data ports: asked for, ignored where they point elsewhere, named when they cannot be reached."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING

import attrs
import pytest

from govfile.errors import (
    ConnectionFailed,
    ProtocolError,
    TimedOut,
    TransferRefused,
)
from govfile.transports.ftps_policy import Passive
from support.scripted_ftp import QUICK, ScriptedFtp, Talk
from support.small_upload import DOCUMENT, put

if TYPE_CHECKING:
    from collections.abc import Callable


def passive(server: ScriptedFtp, address: str) -> Callable[[Talk, str], None]:
    def answer(talk: Talk, _: str) -> None:
        port = talk.listen()
        talk.reply(f"227 Entering Passive Mode ({address},{port >> 8},{port & 255}).")

    return answer


@pytest.mark.parametrize("address", ["10,0,0,7", "192,0,2,1", "0,0,0,0", "127,0,0,2", "999,1,1,1"])
def test_f08_the_address_in_a_pasv_reply_is_ignored(address: str) -> None:
    with ScriptedFtp() as server:
        server.on["PASV"] = passive(server, address)
        put(server.transport())
        assert server.files == {"/Udlaan/a.zip": b"<report/>"}


def test_f08_a_port_outside_the_documented_range_is_used_and_reported(caplog: pytest.LogCaptureFixture) -> None:
    with ScriptedFtp() as server:
        put(server.transport(data_ports=(1, 2)))
    assert "outside the documented range (1, 2)" in caplog.text


@pytest.mark.parametrize(
    ("ports", "earlier", "words"),
    [
        ((36000, 39999), None, "all of 36000-39999 out through the firewall"),
        ((1024, 65535), (36000, 36100), "lies outside 36000-36100, the range that older rules let through"),
        ((1, 2), None, "lies outside that range"),
        (None, None, "other data ports out through the firewall"),
    ],
)
def test_an_unreachable_data_port_is_named_with_the_firewall_hint(
    ports: tuple[int, int] | None, earlier: tuple[int, int] | None, words: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        closed = taken.getsockname()[1]
    if ports == (36000, 39999) and not 36000 <= closed <= 39999:
        closed = 38999
    with ScriptedFtp() as server:
        server.on["PASV"] = lambda talk, _: talk.reply(f"227 here (127,0,0,1,{closed >> 8},{closed & 255})")
        with pytest.raises(ConnectionFailed, match=f"data port {closed} cannot be reached") as caught:
            put(server.transport(data_ports=ports, earlier_data_ports=earlier))
        assert words in caught.value.advice
        assert "no document was handed over" in caught.value.certain
        assert server.count("STOR") == 0, "the port is tried before anything is sent"


def test_a_data_port_that_does_not_answer_is_found_before_anything_is_sent() -> None:
    with ScriptedFtp() as server, contextlib.ExitStack() as stack:
        full = stack.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        for _ in range(4):  # fill its queue: further connections are left without an answer
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", port))
        server.on["PASV"] = lambda talk, _: talk.reply(f"227 here (127,0,0,1,{port >> 8},{port & 255})")
        transport = server.transport(timeouts=attrs.evolve(QUICK, connect=0.2), data_ports=(1024, 65535))
        with pytest.raises(TimedOut, match=f"data port {port} did not answer") as caught:
            put(transport)
        assert caught.value.which == "connect"
        assert server.count("STOR") == 0


@pytest.mark.parametrize(
    "reply", ["227 no numbers", "227 (127,0,0,1,0,0)", "227 (127,0,0,1,256,1)", "229 (|||65536|)", "200 fine", "229 x"]
)
def test_a_reply_without_a_usable_port_is_a_protocol_error(reply: str) -> None:
    with ScriptedFtp() as server:
        server.on["PASV"] = lambda talk, _: talk.reply(reply)
        with pytest.raises(ProtocolError, match="no usable data port"):
            put(server.transport())


@pytest.mark.parametrize("start", [Passive.AUTO, Passive.EPSV, Passive.PASV])
def test_the_passive_command_follows_the_policy(start: Passive) -> None:
    with ScriptedFtp() as server:
        put(server.transport(passive=start))
        assert server.count("EPSV") == (start is Passive.EPSV)
        assert server.count("PASV") == (start is not Passive.EPSV)


def test_epsv_is_tried_where_pasv_is_not_known() -> None:
    with ScriptedFtp() as server:
        server.on["PASV"] = lambda talk, _: talk.reply("502 not known")
        with contextlib.closing(server.transport(ask_ahead=False)) as transport:
            for name in ("/a", "/b"):
                transport.put(name, DOCUMENT)
        assert server.count("PASV") == 1
        assert server.count("EPSV") == 2


def test_a_fixed_passive_command_that_is_refused_stays_refused() -> None:
    with ScriptedFtp() as server:
        server.on["EPSV"] = lambda talk, _: talk.reply("502 not known")
        with pytest.raises(TransferRefused, match="502"):
            put(server.transport(passive=Passive.EPSV))
