"""G-06: Ctrl-C and SIGTERM at any moment leave a truthful ledger, and the command says what is certain."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import attrs
import pytest

from govfile.cli.filings.tally import Tally
from govfile.cli.output import Output
from govfile.cli.session import Session
from govfile.filing.ledger import Ledger
from govfile.filing.ledger.owners import Owner
from govfile.filing.states import Proof, State
from govfile.filing.submission import Evidence
from support.cli import command, run
from support.filing import claim
from support.sandboxed import Desk, desk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def skat(tmp_path: Path) -> Iterator[Desk]:
    with desk(tmp_path) as found:
        yield found


def _until(holds: Callable[[], bool], seconds: float = 20) -> None:
    ends = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < ends, "it did not come to that"
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("silent_at", "seen", "state", "number"),
    [
        ("220", "", State.PREPARED, signal.SIGTERM),
        ("PASS", "PASS", State.PREPARED, signal.SIGINT),
        ("226", "STOR", State.UNKNOWN, signal.SIGTERM),
        ("226", "STOR", State.UNKNOWN, signal.SIGINT),
    ],
)
def test_g06_stopped_while_filing(skat: Desk, silent_at: str, seen: str, state: State, number: signal.Signals) -> None:
    first, path, never = (skat.write(seed=seed) for seed in (1, 2, 3))
    assert run("skat", "submit", first, "--service", "Udlaan", "--config", skat.config).code == 0
    before = len(skat.authority.commands)
    skat.authority.faults.silent_at = frozenset({silent_at})
    with subprocess.Popen(
        command("skat", "submit", path, never, "--service", "Udlaan", "--config", skat.config),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        if seen:
            _until(lambda: any(heard.startswith(seen) for heard in skat.authority.commands[before:]))
            time.sleep(0.3)
        else:
            _until(lambda: _state_of(skat, path.name) is not None)
            time.sleep(0.2)
        running.send_signal(number)
        out, err = running.communicate(timeout=20)
    assert running.returncode == (143 if number is signal.SIGTERM else 130), err
    assert "Traceback" not in err
    assert f"{path.name}: {state.value}" in err
    assert "nothing is sent twice" in err
    assert _state_of(skat, path.name) is state
    failed = 1 if state is State.UNKNOWN else 0
    assert out.splitlines()[-1] == f"0 filed, 0 recorded before, {failed} failed, {2 - failed} not tried"
    skat.authority.faults.clear()
    again = run("skat", "submit", path, "--service", "Udlaan", "--config", skat.config)
    assert again.code == (4 if state is State.UNKNOWN else 0)
    assert len([arrival for arrival in skat.authority.arrived if arrival.name == path.name]) <= 1


def test_g06_what_was_sent_and_not_yet_told_is_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [tmp_path / name for name in ("a.zip", "b.zip", "c.zip", "d.zip")]
    with Ledger.open(tmp_path / "filings.db") as ledger:
        earlier, _ = ledger.claim(claim(paths[0].name, source_path=str(paths[0])))
        tally = Tally(Session(out=Output()))
        now = [ledger.claim(claim(path.name, source_path=str(path)))[0] for path in paths[1:3]]
        for one, proof in ((earlier, Proof.CONFIRMED), (now[0], Proof.LINK_LOST)):
            ledger.start(one.id)
            ledger.record(one.id, Evidence(proof=proof))
        assert tally.interrupted(KeyboardInterrupt(), ledger, paths) == 130
    said = capsys.readouterr()
    assert "a.zip: sent" in said.err
    assert "b.zip: unknown" in said.err
    assert "in all: 1 prepared, 1 unknown, 1 sent" in said.err
    assert said.out == "1 filed, 0 recorded before, 1 failed, 2 not tried\n"


def test_what_another_process_files_meanwhile_is_not_counted_as_filed_by_this_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = attrs.evolve(Owner.here(), started="another process")
    paths = [tmp_path / name for name in ("a.zip", "b.zip")]
    with Ledger.open(tmp_path / "filings.db") as ledger:
        tally = Tally(Session(out=Output()))
        filed = [ledger.claim(claim(path.name, source_path=str(path)))[0] for path in paths]
        ledger.start(filed[0].id, by=other)
        sending = ledger.get(filed[0].id)
        ledger.start(filed[1].id)
        sent = ledger.record(filed[1].id, Evidence(proof=Proof.CONFIRMED))
        assert [ledger.was_started_here(one.id) for one in filed] == [False, True]
        for path, one in zip((*paths, paths[1]), (sending, sent, sent), strict=True):
            tally.filed(path, one, ledger)
    assert tally.summary() == 4, "the other process may yet fail"
    assert capsys.readouterr().out.splitlines()[-1] == "1 filed, 2 recorded before, 0 failed, 0 not tried"


def test_g06_a_second_signal_ends_parallel_transfers_at_once(skat: Desk) -> None:
    first, *paths = (skat.write(seed=seed) for seed in (1, 2, 3))
    options = ["--service", "Udlaan", "--config", skat.config]
    assert run("skat", "submit", first, *options).code == 0
    before = len(skat.authority.commands)
    skat.authority.faults.silent_at = frozenset({"226"})
    with subprocess.Popen(
        command("skat", "submit", *paths, *options, "--connections", 2),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        _until(lambda: sum(heard.startswith("STOR") for heard in skat.authority.commands[before:]) == 2)
        time.sleep(0.3)
        running.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        running.send_signal(signal.SIGTERM)
        _, err = running.communicate(timeout=20)
    assert running.returncode == 143, err
    assert "Traceback" not in err
    skat.authority.faults.clear()
    heard = len(skat.authority.arrived)
    assert run("skat", "resume", "--config", skat.config).code in (0, 4)
    again = run("skat", "submit", *paths, *options)
    assert again.code == 4
    assert {_state_of(skat, path.name) for path in paths} == {State.UNKNOWN}
    assert len(skat.authority.arrived) == heard


def _state_of(skat: Desk, name: str) -> State | None:
    with Ledger.open(skat.folder / "filings.db", create=False) as ledger:
        return next((one.state for one in ledger.search() if one.name == name), None)


def test_g06_a_watch_that_is_stopped_loses_nothing(skat: Desk) -> None:
    path = skat.write(seed=1)
    with skat.authority.faults.during(lose_files=True):
        assert run("skat", "submit", path, "--service", "Udlaan", "--config", skat.config).code == 0
    before = len(skat.authority.commands)
    with subprocess.Popen(
        command("skat", "watch", "--config", skat.config), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        _until(lambda: len(skat.authority.commands) > before + 5)
        running.send_signal(signal.SIGTERM)
        out, err = running.communicate(timeout=20)
    assert (running.returncode, out) == (143, "")
    assert err == "govfile: ended by SIGTERM\n"


def _on_a_terminal(arguments: list[object]) -> tuple[int, str]:
    """Run a command whose standard error is a terminal; what it wrote there."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        command(*arguments),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "100"},
    ) as running:
        os.close(theirs)
        seen = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # Linux says so when the last writer is gone
                break
            if not piece:
                break
            seen += piece
        assert running.stdout is not None
        running.stdout.read()
    os.close(ours)
    return running.returncode, seen.decode()


def test_progress_shows_on_a_terminal_only(skat: Desk) -> None:
    first, second = skat.write(seed=1), skat.write(seed=2)
    skat.authority.faults.reply_delay = 0.05
    options: list[object] = ["--service", "Udlaan", "--config", skat.config]
    code, seen = _on_a_terminal(["skat", "submit", first, *options])
    assert code == 0
    assert first.name in seen
    assert "bytes" in seen
    code, seen = _on_a_terminal(["skat", "submit", second, *options, "--json"])
    assert (code, seen) == (0, "")
    piped = run("skat", "submit", first, *options)
    assert "\x1b" not in piped.out + piped.err


def test_watch_tells_a_watcher_what_it_waits_for(skat: Desk) -> None:
    path = skat.write(seed=1)
    with skat.authority.faults.during(lose_files=True):
        assert run("skat", "submit", path, "--service", "Udlaan", "--config", skat.config).code == 0
    code, seen = _on_a_terminal(["skat", "watch", "--timeout", 0.5, "--config", skat.config])
    assert code == 10
    assert "1 sent; looking again in" in seen
