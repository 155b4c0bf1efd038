"""L-01: a process killed at any moment leaves a sound ledger, in which every promise it made is kept."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from govfile import Ledger
from govfile.filing.states import State
from support.filing import SCOPE, claim
from support.killing import Call, assert_most_were_killed, run_and_kill, trace

if TYPE_CHECKING:
    from pathlib import Path

STEPS = ("-m", "support.filing_steps")
SAID = ["begun", "opened", "claimed", "started", "recorded", "claimed many", "closed"]


def check_promises(place: Path, said: list[str]) -> None:
    """The ledger after a crash, against what the program had said by then."""
    if "opened" not in said and not place.exists():
        return
    with Ledger.open(place, create=False) as ledger:
        assert ledger.verify() == []
        found = ledger.find(**SCOPE, name=claim().name)
        if found is None:
            assert "claimed" not in said
        elif found.state is State.PREPARED:
            assert "started" not in said
            assert ledger.interrupted(**SCOPE) == []
        elif found.state is State.SENDING:
            assert "recorded" not in said
            assert ledger.interrupted(**SCOPE) == [found]
            assert ledger.start(found.id) is None
        else:
            assert found.state is State.SENT
        batch = [ledger.find(**SCOPE, name=f"{number}.zip") for number in range(3)]
        assert batch.count(None) in (0, 3)
        if "claimed many" in said:
            assert batch.count(None) == 0
        again, is_new = ledger.claim(claim())
        assert is_new == (found is None)
        assert found is None or again == found


def killed_and_checked(folder: Path, call: Call) -> bool:
    folder.mkdir()
    place = folder / "filings.db"
    was_killed, output = run_and_kill([*STEPS, str(place)], call)
    check_promises(place, output.split("\n")[:-1])
    if not place.exists():
        Ledger.open(place).close()
    assert [found.name for found in folder.iterdir()] == ["filings.db"], "a later opening leaves no workshop behind"
    shutil.rmtree(folder)
    return was_killed


@pytest.mark.slow
def test_l01_killed_at_every_write_fsync_and_link_the_ledger_keeps_every_promise(tmp_path: Path) -> None:
    calls, output = trace([*STEPS, str(tmp_path / "filings.db")], tmp_path / "calls")
    assert output.split("\n")[:-1] == SAID
    assert {"pwrite64", "fdatasync", "fsync", "link", "unlink"} <= {call.name for call in calls}
    with ThreadPoolExecutor(2) as pool:
        killed = list(pool.map(lambda call: killed_and_checked(tmp_path / str(call).replace(" ", "-"), call), calls))
    assert_most_were_killed(killed)


def test_l01_each_promise_is_on_the_disk_before_it_is_made(tmp_path: Path) -> None:
    place = tmp_path / "filings.db"
    calls, _ = trace([*STEPS, str(place)], tmp_path / "calls")
    unsynced: set[str] = set()
    linked_unsynced = False
    promised = []
    for call in calls:
        path = call.line.partition("<")[2].partition(">")[0]
        if call.name in ("fsync", "fdatasync"):
            unsynced.discard(path)
            linked_unsynced = linked_unsynced and path != str(tmp_path)
        elif call.name == "link":
            linked_unsynced = True
        elif call.name == "pwrite64" and path.endswith(("filings.db", "-wal")):
            unsynced.add(path)
        elif call.name == "write" and call.line.startswith("1<"):
            word = call.line.split('"')[1].removesuffix("\\n")
            if word in ("opened", "claimed", "started", "claimed many", "closed"):
                assert not unsynced, f"{word} was said before {unsynced} was on the disk"
                assert not linked_unsynced, f"{word} was said before the folder was on the disk"
                promised.append(word)
    assert promised == ["opened", "claimed", "started", "claimed many", "closed"]
