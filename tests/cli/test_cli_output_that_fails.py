"""Standard output that is closed, full, or read by nobody: the work goes on, and the exit code says what was lost."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from support.cli import command, run
from support.sandboxed import Desk, desk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def skat(tmp_path: Path) -> Iterator[Desk]:
    with desk(tmp_path) as found:
        yield found


def _redirected(how: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", f'exec "$@" {how}', "sh", *command(*arguments)],
        env={**os.environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("how", "code"), [(">&-", 0), ("2>&-", 0), ("<&- >&- 2>&-", 0), (">/dev/full", 9), ("2>/dev/full", 0)]
)
def test_every_file_is_filed_though_nothing_can_be_printed(skat: Desk, how: str, code: int) -> None:
    paths = [skat.write(seed=seed) for seed in (1, 2)]
    found = _redirected(how, "skat", "submit", *paths, "--service", "Udlaan", "--config", skat.config)
    assert found.returncode == code, found.stderr
    assert "Traceback" not in found.stderr
    assert sorted(arrival.name for arrival in skat.authority.filed) == sorted(path.name for path in paths)
    if how == ">/dev/full":
        assert "standard output could not be written: No space left on device" in found.stderr


@pytest.mark.parametrize(
    "arguments", [("ledger", "export"), ("ledger", "export", "--csv"), ("ledger", "list"), ("cert", "export")]
)
def test_what_was_asked_for_and_could_not_be_written_is_no_success(skat: Desk, arguments: tuple[str, ...]) -> None:
    path = skat.write(seed=1)
    assert run("skat", "submit", path, "--service", "Udlaan", "--config", skat.config).code == 0
    full = _redirected(">/dev/full", *arguments, "--config", skat.config)
    assert (full.returncode, "Traceback" in full.stderr) == (9, False)
    assert "No space left on device" in full.stderr


@pytest.mark.parametrize("arguments", [("ledger", "export"), ("ledger", "list"), ("cert", "export", "--format", "der")])
def test_a_reader_that_goes_away_is_no_failure(skat: Desk, arguments: tuple[str, ...]) -> None:
    path = skat.write(seed=1)
    assert run("skat", "submit", path, "--service", "Udlaan", "--config", skat.config).code == 0
    reader, writer = os.pipe()
    os.close(reader)
    try:
        ended = subprocess.run(
            command(*arguments, "--config", skat.config),
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        os.close(writer)
    assert (ended.returncode, ended.stderr) == (0, "")
