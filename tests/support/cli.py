"""The `govfile` command for tests: in this process where that is enough, as a program of its own where it matters."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import attrs

from govfile.cli import app

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@attrs.frozen(kw_only=True)
class Result:
    """What a command line gave."""

    code: int
    out: str
    err: str

    @property
    def records(self) -> list[dict[str, Any]]:
        """Standard output as JSON, one object a line."""
        return [json.loads(line) for line in self.out.splitlines()]

    def kind(self, kind: str) -> list[dict[str, Any]]:
        """The records of one kind."""
        return [record for record in self.records if record["kind"] == kind]


def run(*arguments: object) -> Result:
    """Run a command line in this process; nobody watches its output."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = app.main([str(argument) for argument in arguments])
    return Result(code=code, out=out.getvalue(), err=err.getvalue())


def command(*arguments: object) -> list[str]:
    """The command line that runs govfile as a program of its own."""
    return [sys.executable, "-m", "govfile", *map(str, arguments)]


def spawn(
    *arguments: object, cwd: Path | None = None, env: Mapping[str, str] | None = None, seconds: float = 60
) -> Result:
    """Run it as a program of its own, without a terminal."""
    ended = subprocess.run(
        command(*arguments),
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    return Result(code=ended.returncode, out=ended.stdout, err=ended.stderr)
