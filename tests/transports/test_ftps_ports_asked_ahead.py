"""Uploads that follow each other: the next data port is asked for while nobody waits, and nothing hangs on it."""

from __future__ import annotations

import contextlib
import socket
import time
from typing import TYPE_CHECKING

import pytest

from govfile.filing.source import Source
from support.scripted_ftp import ScriptedFtp, Talk

if TYPE_CHECKING:
    from collections.abc import Callable

DOCUMENT = Source.of(b"<report/>")
NAMES = ("/a", "/b", "/c", "/d")


def commands(server: ScriptedFtp) -> list[str]:
    """The verbs of what came after the login."""
    verbs = [line.split(" ")[0] for line in server.seen]
    return verbs[verbs.index("TYPE") + 1 :]


def test_the_next_port_is_asked_for_once_a_second_upload_is_confirmed() -> None:
    with ScriptedFtp() as server:
        with contextlib.closing(server.transport()) as transport:
            for name in NAMES:
                transport.put(name, DOCUMENT)
        assert commands(server) == ["PASV", "STOR"] * len(NAMES) + ["PASV", "QUIT"]
        assert sorted(server.files) == list(NAMES)
        assert server.connections == 1


def test_a_single_upload_and_a_policy_that_says_no_leave_no_port_open() -> None:
    with ScriptedFtp() as server:
        with contextlib.closing(server.transport()) as transport:
            transport.put("/a", DOCUMENT)
        with contextlib.closing(server.transport(ask_ahead=False)) as transport:
            for name in NAMES:
                transport.put(name, DOCUMENT)
        assert server.count("PASV") == server.count("STOR") == 1 + len(NAMES)


def test_a_listing_takes_the_port_and_other_commands_leave_it() -> None:
    with ScriptedFtp() as server:
        with contextlib.closing(server.transport()) as transport:
            for name in ("/a", "/b"):
                transport.put(name, DOCUMENT)
            transport.remove("/a")
            assert [found.name for found in transport.list("/")] == ["b"]
        assert commands(server) == ["PASV", "STOR", "PASV", "STOR", "PASV", "DELE", "MLSD", "QUIT"]


def letting_go(talk: Talk, _: str) -> None:
    """Name a port at which nobody listens, the third time."""
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = talk.listen() if talk.server.count("PASV") != 3 else nobody.getsockname()[1]
    talk.reply(f"227 Entering Passive Mode (127,0,0,1,{port >> 8},{port & 255}).")


def refusing(talk: Talk, argument: str) -> None:
    """Refuse the third time."""
    if talk.server.count("PASV") == 3:
        talk.reply("425 not now")
    else:
        talk.server._on_pasv(talk, argument)


@pytest.mark.parametrize("answer", [letting_go, refusing])
def test_a_port_that_cannot_be_had_ahead_is_asked_for_again(answer: Callable[[Talk, str], None]) -> None:
    with ScriptedFtp() as server:
        server.on["PASV"] = answer
        with contextlib.closing(server.transport()) as transport:
            for name in NAMES:
                transport.put(name, DOCUMENT)
        assert sorted(server.files) == list(NAMES)
        assert server.connections == 1
        assert server.count("PASV") == len(NAMES) + 2


def test_a_port_is_not_used_long_after_it_was_asked_for() -> None:
    with ScriptedFtp() as server:
        with contextlib.closing(server.transport()) as transport:
            transport.put("/a", DOCUMENT)
            transport.put("/b", DOCUMENT)
            transport._deadlines.monotonic = lambda: time.monotonic() + 6
            transport.put("/c", DOCUMENT)
        assert commands(server)[4:7] == ["PASV", "PASV", "STOR"]


def gone(talk: Talk) -> None:
    talk.drop(reset=True)


def tired(talk: Talk) -> None:
    talk.reply("421 nobody came")
    talk.drop()


@pytest.mark.parametrize("ending", [gone, tired])
def test_a_session_that_ends_after_the_question_takes_nothing_back(ending: Callable[[Talk], None]) -> None:
    def answer(talk: Talk, argument: str) -> None:
        if talk.server.count("PASV") == 3:
            ending(talk)
        talk.server._on_pasv(talk, argument)

    with ScriptedFtp() as server:
        server.on["PASV"] = answer
        with contextlib.closing(server.transport()) as transport:
            for name in NAMES:
                assert transport.put(name, DOCUMENT).reply == "226 stored"
        assert sorted(server.files) == list(NAMES)
        assert server.connections == 2
        assert server.count("STOR") == len(NAMES)


def test_f09_a_confirmation_said_twice_is_not_taken_for_the_answer_to_anything_else() -> None:
    """The second one comes once the next port was asked for; all that follows would be one answer behind."""

    def twice(talk: Talk, argument: str) -> None:
        talk.server._on_stor(talk, argument)
        if talk.server.count("STOR") > 1:
            talk.reply("226 stored")

    with ScriptedFtp() as server:
        server.on["STOR"] = twice
        with contextlib.closing(server.transport()) as transport:
            for name in NAMES:
                transport.put(name, DOCUMENT)
        assert server.files == dict.fromkeys(NAMES, b"<report/>")


def test_f08_a_port_that_was_asked_for_ahead_is_reported_outside_the_documented_range(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with ScriptedFtp() as server, contextlib.closing(server.transport(data_ports=(1, 2))) as transport:
        for name in NAMES:
            transport.put(name, DOCUMENT)
    assert caplog.text.count("outside the documented range (1, 2)") == len(NAMES)
