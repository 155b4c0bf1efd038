"""Real programs the tests need: missing ones fail CI and skip, aloud, elsewhere."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

#: Where `.ci/run` unpacks what cannot be installed beside its rival (Debian's vsftpd conflicts with ProFTPD).
UNPACKED = Path(os.environ.get("GOVFILE_SERVERS", "/opt/govfile-servers"))

_FOLDERS = (
    "/usr/sbin",
    "/sbin",
    "/usr/lib/postgresql/17/bin",
    "/usr/lib/postgresql/16/bin",
    "/usr/lib/postgresql/15/bin",
)


def find(program: str) -> str | None:
    """The program's path, or None where this machine lacks it."""
    places = os.pathsep.join(
        [os.environ.get("PATH", ""), *_FOLDERS, str(UNPACKED / "usr/sbin"), str(UNPACKED / "usr/bin")]
    )
    return shutil.which(program, path=places)


def require(program: str) -> str:
    """The program's path; where it is missing, fail in CI and skip elsewhere."""
    return find(program) or lacking(f"{program} is not installed")


def lacking(reason: str) -> NoReturn:
    """End the test: a failure in CI, a skip with the reason elsewhere."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason}; CI must install it")
    pytest.skip(reason)
