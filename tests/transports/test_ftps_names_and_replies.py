"""Names that would break out of a command, and replies that are none."""

from __future__ import annotations

import contextlib

import pytest

from govfile.certificates.secret import Secret
from govfile.errors import (
    ConfigurationError,
    InvalidName,
    ProtocolError,
    TransportError,
)
from support.scripted_ftp import ScriptedFtp, Talk
from support.small_upload import DOCUMENT


@pytest.mark.parametrize("path", ["/Udlaan/a\r\nDELE b", "/Udlaan/a\n", "/Udlaan/\0", "", "/Udlaan/\udcff"])
def test_f14_a_path_that_would_break_out_of_its_command_is_refused_locally(path: str) -> None:
    with ScriptedFtp() as server:
        transport = server.transport()
        for call in (
            lambda: transport.put(path, DOCUMENT),
            lambda: transport.list(path),
            lambda: transport.remove(path),
        ):
            with pytest.raises(InvalidName):
                call()
        assert server.connections == 0


@pytest.mark.parametrize(("user", "password"), [("a\r\nDELE b", "p"), ("a", "p\nq"), ("a\0", "p"), ("a\udcff", "p")])
def test_f14_line_breaks_in_user_or_password_never_leave(user: str, password: str) -> None:
    with ScriptedFtp() as server:
        transport = server.transport()
        transport._user, transport._password = user, Secret(password)
        with pytest.raises(ConfigurationError):
            transport.home()
        assert not any("DELE" in line or "PASS" in line for line in server.seen)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"220 " + b"x" * 1_000_000, id="one endless line"),
        pytest.param(b"220-x\r\n" * 200_000, id="a reply never closed"),
        pytest.param(b"220-" + b"\r\n" * 5000, id="empty lines"),
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n", id="another protocol"),
        pytest.param(b"999 what\r\n", id="no such code"),
        pytest.param(b"22 x\r\n", id="two digits"),
        pytest.param(b"220x\r\n", id="no separator"),
        pytest.param(b"\r\n", id="nothing"),
    ],
)
def test_f19_replies_that_are_none_are_bounded(raw: bytes) -> None:
    def flood(talk: Talk, _: str) -> None:
        talk.raw(raw)
        talk.silence()

    with ScriptedFtp() as server:
        server.greeting = flood
        with pytest.raises(ProtocolError) as caught:
            server.transport().home()
        assert len(caught.value.excerpt) <= 80
        assert caught.value.excerpt.isprintable()


def test_f19_a_long_reply_in_many_lines_is_read_to_its_end() -> None:
    with ScriptedFtp() as server:
        server.greeting = lambda talk, _: talk.raw(b"220-hello\r\n220-230 not the end\r\n 220 neither\r\n220 end\r\n")
        with contextlib.closing(server.transport()) as transport:
            assert transport.home() == "/"


def test_f19_a_reply_nobody_asked_for_is_never_taken_for_an_answer() -> None:
    """A second final reply is left over; the next call must not read it as its own."""
    with ScriptedFtp() as server:
        server.on["DELE"] = lambda talk, _: talk.raw(b"250 gone\r\n226 and an upload is complete\r\n")
        with contextlib.closing(server.transport()) as transport:
            transport.remove("/a")
            assert transport.home() == "/"
        assert server.connections == 2


def test_escape_codes_in_replies_are_shown_as_text() -> None:
    with ScriptedFtp() as server:
        server.on["DELE"] = lambda talk, _: talk.raw(b"550 \x1b[31mred\x07\r\n")
        with contextlib.closing(server.transport()) as transport, pytest.raises(TransportError) as caught:
            transport.remove("/a")
    assert "\\x1b[31mred\\x07" in str(caught.value)
    assert str(caught.value).isprintable()
