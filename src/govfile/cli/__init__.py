"""The `govfile` command (extra `cli`)."""

from __future__ import annotations

import io
import sys
from typing import NoReturn

from govfile.cli import app

__all__ = ["run"]


def run() -> int:
    """Run the command line of this process, with SIGTERM taken the way Ctrl-C is, and return its exit code."""
    import signal

    def terminate(_number: int, _frame: object) -> NoReturn:
        from govfile.cli.commands import Terminated

        raise Terminated

    for stream in (sys.stdout, sys.stderr):  # a name that the terminal's encoding lacks must not stop a filing
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    signal.signal(signal.SIGTERM, terminate)
    return app.main()
