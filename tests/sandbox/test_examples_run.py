"""The example programs do what they say, from any folder, and leave nothing there."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from support.repository import ROOT

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


@pytest.mark.parametrize("program", EXAMPLES, ids=lambda path: path.stem)
def test_the_program_runs_as_it_stands(program: Path, tmp_path: Path) -> None:
    temporary, working = tmp_path / "tmp", tmp_path / "work"
    temporary.mkdir()
    working.mkdir()
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", program],
        cwd=working,
        env={**os.environ, "TMPDIR": str(temporary)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip()
    assert list(working.iterdir()) == []
    assert list(temporary.iterdir()) == []


def test_there_is_an_example_of_each_situation() -> None:
    assert {path.stem for path in EXAMPLES} >= {
        "skat_first_report",
        "skat_nightly_batch",
        "skat_resume_after_crash",
        "skat_unknown_outcome",
        "skat_several_companies",
        "onss_first_declaration",
        "onss_lost_trigger",
        "sosi_first_card",
        "sosi_log_in",
        "sosi_citizen",
        "sosi_service",
        "vero_enrol_and_renew",
        "vero_fleet",
    }
