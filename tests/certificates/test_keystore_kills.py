"""C-02, I5: a renewal killed at every system call leaves the old credential, or old and new; and it can be resumed."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support import keystore_steps
from support.keystore_steps import DUE
from support.keystores import SLOT, YEAR, Clock, authority, enrolled, open_store
from support.killing import Call, assert_most_were_killed, run_and_kill, trace

if TYPE_CHECKING:
    from collections.abc import Iterator

STEPS = ("-m", "support.keystore_steps")


@pytest.fixture
def start(tmp_path: Path) -> Path:
    """A store whose credential is due, beside the file of who answers."""
    enrolled(open_store(tmp_path / "start"))
    (tmp_path / "ca").write_bytes(authority().identity.key_pem() + authority().pem)
    return tmp_path / "start"


def check_promises(place: Path, said: list[str]) -> None:
    """The store after a crash, against what the program had said by then."""
    store = open_store(place, Clock(DUE))
    old = store.credential(SLOT, 1)
    now = store.credential(SLOT)
    new = [found for found in store.generations(SLOT) if found.expires > DUE + YEAR]
    assert now == old or now.expires > DUE + YEAR
    if "in use" in said:
        assert now != old
    pending = store.pending(SLOT)
    if "pending 2" in said:
        assert pending is not None or now != old
        assert new or (pending is not None and pending.number == 2)
    if pending is not None and "noted" in said:
        assert pending.notes == {"sent": "yes"}


def resumed(place: Path, ca: Path) -> None:
    """Go on with it to the end, in a process that lives: what was pending is used, and the first generation can be."""
    before = open_store(place, Clock(DUE)).pending(SLOT)
    keystore_steps.main(place, ca.read_bytes())
    store = open_store(place, Clock(DUE))
    current = store.current(SLOT)
    assert current is not None
    assert current.expires > DUE + YEAR
    assert before is None or current.number == before.number
    assert store.pending(SLOT) is None
    store.credential(SLOT, 1)
    store.repair()
    assert store.verify() == []


def killed_and_resumed(folder: Path, start: Path, call: Call) -> bool:
    place = folder / "keys"
    shutil.copytree(start, place)
    was_killed, output = run_and_kill([*STEPS, str(place), str(start.parent / "ca")], call)
    check_promises(place, output.split("\n")[:-1])
    resumed(place, start.parent / "ca")
    shutil.rmtree(folder)
    return was_killed


def traced(start: Path, folder: Path) -> Iterator[Call]:
    shutil.copytree(start, folder)
    calls, output = trace([*STEPS, str(folder), str(start.parent / "ca")], folder.parent / "calls")
    assert output.split() == ["begun", "pending", "2", "noted", "in", "use"]
    yield from calls


@pytest.mark.slow
def test_c02_killed_at_every_call_there_is_always_the_old_or_old_and_new(start: Path, tmp_path: Path) -> None:
    calls = list(traced(start, tmp_path / "whole"))
    assert {"write", "fsync", "rename", "mkdir"} <= {call.name for call in calls}
    with ThreadPoolExecutor(2) as pool:
        killed = list(
            pool.map(lambda call: killed_and_resumed(tmp_path / str(call).replace(" ", "-"), start, call), calls)
        )
    assert len(killed) > 30
    assert_most_were_killed(killed)


def test_c02_each_promise_is_on_the_disk_before_it_is_made(start: Path, tmp_path: Path) -> None:
    unsynced: set[str] = set()
    promised = []
    for call in traced(start, tmp_path / "whole"):
        if " = -1 " in call.line:
            continue
        path = call.line.partition("<")[2].partition(">")[0]
        if call.name == "fsync":
            unsynced.discard(path)
        elif call.name in ("rename", "mkdir"):
            target = Path(call.line.split('"')[-2 if call.name == "rename" else 1])
            unsynced.add(str(target.parent))
            if call.name == "mkdir":
                unsynced.add(str(target))
            else:  # the draft's own name has gone with it
                unsynced.discard(call.line.split('"')[1])
        elif call.name == "write" and call.line.startswith("1<"):
            assert not unsynced, f"{call.line} was said before {unsynced} was on the disk"
            promised.append(call)
        elif call.name == "write":
            unsynced.add(path)
    assert len(promised) == 4


def killed_and_enrolled(folder: Path, ca: Path, call: Call) -> bool:
    place = folder / "keys"
    folder.mkdir()
    was_killed, output = run_and_kill([*STEPS, str(place), str(ca)], call)
    store, said = open_store(place, Clock(DUE)), output.split("\n")
    pending, current = store.pending(SLOT), store.current(SLOT)
    if "pending 1" in said:
        assert pending is not None or current is not None
        assert (pending or current).number == 1  # type: ignore[union-attr]
    assert ("in use" in said) <= (current is not None)
    resumed(place, ca)
    shutil.rmtree(folder)
    return was_killed


@pytest.mark.slow
def test_c02_a_first_enrolment_killed_at_every_call_is_resumed_with_its_key(start: Path, tmp_path: Path) -> None:
    ca = start.parent / "ca"
    calls, _ = trace([*STEPS, str(tmp_path / "whole"), str(ca)], tmp_path / "calls")
    with ThreadPoolExecutor(2) as pool:
        killed = list(
            pool.map(lambda call: killed_and_enrolled(tmp_path / str(call).replace(" ", "-"), ca, call), calls)
        )
    assert len(killed) > 30
    assert_most_were_killed(killed)
