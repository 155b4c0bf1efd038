"""A server that cannot be reached, is silent, or ends the session before a document is handed over."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING

import attrs
import pytest

from govfile.certificates.secret import Secret
from govfile.errors import (
    ConnectionFailed,
    OutcomeUnknown,
    Phase,
    Retry,
    TimedOut,
    TransferRefused,
)
from govfile.transports.ftps import FtpsTransport
from govfile.transports.ftps_policy import FtpsPolicy
from support.scripted_ftp import QUICK, ScriptedFtp, Talk
from support.small_upload import put

if TYPE_CHECKING:
    from collections.abc import Callable


def test_f01_connection_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    transport = FtpsTransport("127.0.0.1", port, user="u", password=Secret("p"))
    with pytest.raises(ConnectionFailed, match=f"port {port} cannot be reached") as caught:
        transport.home()
    assert caught.value.phase is Phase.CONNECT
    assert caught.value.retry is Retry.SAME_REQUEST


def test_f01_unknown_host() -> None:
    transport = FtpsTransport("gateway.invalid", 6381, user="u", password=Secret("p"))
    with pytest.raises(ConnectionFailed, match=r"gateway\.invalid cannot be resolved") as caught:
        transport.home()
    assert caught.value.phase is Phase.RESOLVE


def test_f01_a_silent_address_does_not_hide_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with contextlib.ExitStack() as stack:
        silent = stack.enter_context(socket.create_server(("127.0.0.2", 0), backlog=0))
        stack.enter_context(socket.create_connection(silent.getsockname()))  # fills its queue
        server = stack.enter_context(ScriptedFtp())
        both = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", address)
            for address in (silent.getsockname(), ("127.0.0.1", server.port))
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
        transport = server.transport(host="localhost", timeouts=attrs.evolve(QUICK, connect=0.4))
        assert put(transport)
        assert server.count("STOR") == 1


def test_f02_a_resolver_that_hangs_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedFtp() as server:
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: server.over.wait(5) and [])
        transport = FtpsTransport(
            "slow.example",
            6381,
            user="u",
            password=Secret("p"),
            policy=FtpsPolicy(timeouts=attrs.evolve(QUICK, connect=0.1)),
        )
        with pytest.raises(TimedOut, match=r"resolving slow\.example") as caught:
            transport.home()
    assert caught.value.phase is Phase.RESOLVE


def silence(talk: Talk, _: str) -> None:
    talk.silence()


def silent_after_auth(talk: Talk, _: str) -> None:
    talk.reply("234 go on")
    talk.silence()


@pytest.mark.parametrize(
    ("verb", "handler", "which"),
    [
        ("greeting", silence, "reply"),
        ("AUTH", silence, "reply"),
        ("AUTH", silent_after_auth, "tls"),
        ("USER", silence, "reply"),
        ("PASS", silence, "reply"),
        ("PBSZ", silence, "reply"),
        ("PROT", silence, "reply"),
        ("TYPE", silence, "reply"),
        ("PASV", silence, "reply"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_f02_silence_before_the_upload_is_a_time_out(
    verb: str, handler: Callable[[Talk, str], None], which: str
) -> None:
    with ScriptedFtp() as server:
        if verb == "greeting":
            server.greeting = handler
        else:
            server.on[verb] = handler
        with pytest.raises(TimedOut) as caught:
            put(server.transport())
        assert caught.value.which == which
        assert server.count("STOR") == 0


def test_f02_the_total_deadline_bounds_a_server_that_drips() -> None:
    def drip(talk: Talk, _: str) -> None:
        while not server.over.wait(0.05):
            talk.raw(b"-")

    with ScriptedFtp() as server:
        server.greeting = drip
        transport = server.transport(timeouts=attrs.evolve(QUICK, reply=30.0, total=0.3))
        with pytest.raises(TimedOut) as caught:
            transport.home()
        assert caught.value.which == "total"


@pytest.mark.parametrize("verb", ["AUTH", "USER", "PASS", "PROT", "TYPE", "PASV"])
def test_link_lost_before_the_upload_is_a_plain_failure(verb: str) -> None:
    with ScriptedFtp() as server:
        server.on[verb] = lambda talk, _: talk.drop()
        with pytest.raises(ConnectionFailed, match="lost while"):
            put(server.transport())
        assert server.count("STOR") == 0


def test_a_server_that_takes_nobody_says_so() -> None:
    with ScriptedFtp() as server:
        server.greeting = lambda talk, _: talk.reply("421 too many users")
        with pytest.raises(ConnectionFailed, match="421 too many users"):
            put(server.transport())


def test_f02_a_server_that_puts_us_off_without_end_is_not_waited_for() -> None:
    def put_off(talk: Talk, _: str) -> None:
        while not talk.server.over.wait(0.05):
            talk.reply("120 ready in a minute")

    with ScriptedFtp() as server:
        server.greeting = put_off
        with pytest.raises(ConnectionFailed, match="120 ready in a minute"):
            put(server.transport())


def test_a_server_that_is_ready_a_moment_later_is_waited_for() -> None:
    with ScriptedFtp() as server:
        server.greeting = lambda talk, _: talk.raw(b"120 in a moment\r\n220 ready\r\n")
        assert put(server.transport())


@pytest.mark.parametrize("verb", ["AUTH", "USER", "PASS", "PBSZ", "PROT", "TYPE", "PASV"])
@pytest.mark.parametrize("reply", ["421 too many users", "431 not just now"])
def test_f11_a_no_for_now_before_the_upload_may_be_tried_again(verb: str, reply: str) -> None:
    with ScriptedFtp() as server:
        server.on[verb] = lambda talk, _: talk.reply(reply)
        with pytest.raises((ConnectionFailed, TransferRefused), match=reply) as caught:
            put(server.transport())
        assert caught.value.retry is Retry.SAME_REQUEST
        assert server.count("STOR") == 0


def test_f01_a_reset_right_after_the_data_port_was_named_is_an_error_of_ours() -> None:
    def name_it_and_go(talk: Talk, argument: str) -> None:
        talk.server._on_pasv(talk, argument)
        talk.drop(reset=True)

    with ScriptedFtp() as server:
        server.on["PASV"] = name_it_and_go
        with pytest.raises((ConnectionFailed, OutcomeUnknown)):
            put(server.transport())
