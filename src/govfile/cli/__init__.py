"""The `govfile` command (extra `cli`)."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import NoReturn

from govfile.cli import app

__all__ = ["run"]


def run() -> int:
    """Run the command line of this process, with SIGTERM taken the way Ctrl-C is, and return its exit code."""
    import signal

    def terminate(_number: int, _frame: object) -> NoReturn:
        from govfile.cli.commands import Terminated

        raise Terminated

    _open_standard_streams()
    for stream in (sys.stdout, sys.stderr):  # a name that the terminal's encoding lacks must not stop a filing
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    signal.signal(signal.SIGTERM, terminate)
    return app.main()


def _open_standard_streams() -> None:
    """Where one is closed (`>&-`, some daemons), nothing is read or printed there.

    Without this the ledger or a connection could be given its number, and be printed into.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(number)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115  (for as long as we run)
