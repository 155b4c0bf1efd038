"""G-07: a ledger that is open when the process forks serves both sides."""

from __future__ import annotations

import os
import threading
import traceback
from functools import partial
from typing import TYPE_CHECKING

import pytest

from govfile.filing.states import State
from support.filing import claim

if TYPE_CHECKING:
    from collections.abc import Callable

    from govfile import Ledger


# From Python 3.12 on a fork with threads around warns; that it harms no ledger is what is shown here.
pytestmark = [
    pytest.mark.outside,
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]


def in_child(work: Callable[[], None]) -> int:
    """Fork, run `work` in the child, and give its exit code."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException:  # noqa: BLE001 - printed, and told by the exit code
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_g07_parent_and_child_go_on_with_the_same_ledger(ledger: Ledger) -> None:
    submission, _ = ledger.claim(claim("before.zip"))

    def child() -> None:
        assert ledger.get(submission.id).name == "before.zip"
        assert ledger.claim(claim("child.zip"))[1]
        assert ledger.claim(claim("before.zip")) == (submission, False)
        started = ledger.start(submission.id)
        assert started is not None

    assert in_child(child) == 0
    assert ledger.claim(claim("parent.zip"))[1]
    assert {found.name for found in ledger.search()} == {"before.zip", "child.zip", "parent.zip"}
    assert ledger.get(submission.id).state is State.SENDING
    assert [found.id for found in ledger.interrupted(authority="skat", environment="test", sender="10101010")] == [
        submission.id
    ]
    assert ledger.verify() == []


def test_g07_a_fork_while_another_thread_claims_harms_neither(ledger: Ledger) -> None:
    stop = threading.Event()
    made: list[str] = []

    def claim_on() -> None:
        while not stop.is_set():
            made.append(ledger.claim(claim(f"thread {len(made)}.zip"))[0].name)

    def child(number: int) -> None:
        assert ledger.claim(claim(f"child {number}.zip"))[1]

    thread = threading.Thread(target=claim_on)
    thread.start()
    try:
        codes = [in_child(partial(child, number)) for number in range(8)]
    finally:
        stop.set()
        thread.join()
    assert codes == [0] * 8
    names = {found.name for found in ledger.search()}
    assert names == set(made) | {f"child {n}.zip" for n in range(8)}
    assert ledger.verify() == []


def test_g07_children_of_children_too(ledger: Ledger) -> None:
    ledger.claim(claim("0.zip"))

    def grandchild() -> None:
        assert ledger.claim(claim("2.zip"))[1]

    def child() -> None:
        ledger.claim(claim("1.zip"))
        assert in_child(grandchild) == 0

    assert in_child(child) == 0
    assert len(list(ledger.search())) == 3
