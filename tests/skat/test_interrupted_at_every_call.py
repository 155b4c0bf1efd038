"""G-06: Ctrl-C as a filing enters one of its functions, for as many of them as there are.

Python looks for signals whenever a function begins, so that is where the interrupt comes; the server is in memory.
"""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from govfile.filing.states import State
from support.skat_world import CVR, World, report

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from govfile.skat import Gateway

NAME, NEXT = "19552101_2025_a1.zip", "19552101_2025_a2.zip"
DOCUMENT, ANOTHER = report(1), report(2)
SECONDS = 20

#: Every seventh function: all of them take a minute on a busy machine.
STRIDE, FIRST = 7, 3


class Interrupt:
    """Raises `KeyboardInterrupt` at the beginning of the `number`-th function entered while it is in force."""

    def __init__(self, number: int) -> None:
        self.left = number

    def __call__(self, _frame: Any, event: str, _: Any) -> None:
        if event == "call":
            self.left -= 1
            if not self.left:
                raise KeyboardInterrupt

    def during(self, work: Callable[[], Any]) -> bool:
        """Run `work`; whether it came to the interrupt."""
        before = sys.gettrace()
        sys.settrace(self)
        try:
            work()
        except KeyboardInterrupt:
            return True
        finally:
            sys.settrace(before)
        return self.left <= 0


def _file(gateway: Gateway, name: str, document: bytes) -> State:
    return gateway.submit(document, service="Udlaan", name=name).state


def _in_another_thread(work: Callable[[], State]) -> State:
    found: list[State] = []
    thread = threading.Thread(target=lambda: found.append(work()), daemon=True)
    thread.start()
    thread.join(SECONDS)
    assert found, "something is held for ever"
    return found[0]


def _interrupted_at(number: int, folder: Path) -> State | bool | None:
    """The state after the interrupt; True when the filing ended before it."""
    folder.mkdir()
    world = World(folder)
    world.ledger.burn(authority="skat", environment="local", sender=CVR, service="Udlaan", names=["x.zip"], found="out")
    gateway = world.gateway()
    if not Interrupt(number).during(lambda: _file(gateway, NAME, DOCUMENT)):
        return True
    assert _in_another_thread(lambda: _file(gateway, NEXT, ANOTHER)) is State.SENT
    found = world.ledger.find(authority="skat", environment="local", sender=CVR, name=NAME)
    state = found.state if found else None
    assert state is not State.SENDING, "whatever was recorded too late is caught up with"
    if state in (None, State.PREPARED):
        assert NAME not in world.server.names
    again = _file(gateway, NAME, DOCUMENT)
    assert again is (State.SENT if state in (None, State.PREPARED) else state)
    assert world.server.names.count(NAME) == 1 or state is State.UNKNOWN
    assert world.ledger.verify() == []
    world.ledger.close()
    return state


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # in `__del__` Python drops interrupts
def test_g06_interrupted_at_every_call_a_filing_is_known_as_it_is_and_nothing_stays_held(tmp_path: Path) -> None:
    _interrupted_at(1, tmp_path / "what is made once")
    ends: set[State | bool | None] = set()
    number = FIRST
    while True not in ends:
        ends.add(_interrupted_at(number, tmp_path / str(number)))
        number += STRIDE
    assert number > 500
    assert ends >= {None, State.PREPARED, State.UNKNOWN, State.SENT}
