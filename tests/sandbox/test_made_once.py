"""Keys of a sandbox are made once, however many threads ask first."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from govfile.sandbox.once import made_once


def test_threads_that_ask_at_once_get_the_same_thing() -> None:
    together = threading.Barrier(4)
    made: list[str] = []

    @made_once
    def thing(name: str) -> object:
        """A thing."""
        made.append(name)
        return object()

    def ask(_: int) -> object:
        together.wait(10)
        return thing("key")

    with ThreadPoolExecutor(4) as pool:
        assert len(set(map(id, pool.map(ask, range(4))))) == 1
    assert made == ["key"]
    assert thing("another") is not thing("key")


def test_one_thing_may_be_made_of_another() -> None:
    @made_once
    def key() -> object:
        """A key."""
        return object()

    @made_once
    def certificate() -> tuple[object, str]:
        """A certificate."""
        return key(), "certificate"

    assert certificate()[0] is key()
