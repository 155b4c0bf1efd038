"""`govfile demo` and `govfile sandbox`: a newcomer's first minutes, and no false "everything held"."""

from __future__ import annotations

import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from govfile.cli import demo
from govfile.sandbox.skat import Faults
from support.cli import command, run, spawn

if TYPE_CHECKING:
    from pathlib import Path


def test_the_demo_holds_and_leaves_nothing_behind(tmp_path: Path) -> None:
    here, scratch = tmp_path / "here", tmp_path / "scratch"
    here.mkdir()
    scratch.mkdir()
    found = spawn("demo", cwd=here, env={"TMPDIR": str(scratch)})
    assert found.code == 0, found.out + found.err
    assert found.err == ""
    assert "Everything held" in found.out
    assert "WRONG" not in found.out
    for words in ("DuplicateName", "DuplicateContent", "delivered to the back end", "accepted by the back end"):
        assert words in found.out
    assert list(here.iterdir()) == list(scratch.iterdir()) == []


def test_the_demo_keeps_its_folder_where_asked_and_takes_no_used_one(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    found = run("demo", "--keep", kept, "--json")
    assert found.code == 0, found.out
    assert len(found.kind("held")) >= 10
    assert found.kind("wrong") == []
    assert (kept / "filings.db").is_file()
    assert list((kept / "answers").iterdir())
    again = run("demo", "--keep", kept)
    assert again.code == 2
    assert "give the name of a new folder" in again.err


@pytest.mark.parametrize("broken", [{"lose_files": True}, {"refuse_with": "RECORD_LENGTH_INCORRECT"}])
def test_the_demo_fails_where_something_does_not_hold(
    monkeypatch: pytest.MonkeyPatch, broken: dict[str, object]
) -> None:
    make = Faults.__init__

    def spoilt(self: Faults, **given: object) -> None:
        make(self, **{**broken, **given})  # type: ignore[arg-type]

    monkeypatch.setattr(Faults, "__init__", spoilt)
    monkeypatch.setattr(demo, "_PATIENCE", 0.3)
    found = run("demo")
    assert found.code == 9
    assert "WRONG" in found.out
    assert "NOT everything held" in found.out


@pytest.mark.parametrize(
    ("authority", "listens"), [("skat", "The gateway listens on localhost"), ("onss", "The SFTP server listens on 127")]
)
def test_the_sandbox_runs_until_it_is_told_to_stop_and_its_papers_work(
    tmp_path: Path, authority: str, listens: str
) -> None:
    with subprocess.Popen(
        command("sandbox", authority, "--into", tmp_path / "papers"), stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        lines = []
        for line in running.stdout:
            lines.append(line)
            if "Ctrl-C" in line:
                break
        found = run("doctor", authority, "--config", tmp_path / "papers/govfile.toml")
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=20)
    assert found.code == 0, found.out
    assert listens in lines[0]
    assert running.returncode == 0
