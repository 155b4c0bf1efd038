"""What a sandbox must not leave behind in this process: threads and open files."""

from __future__ import annotations

import threading
from pathlib import Path


def threads() -> list[str]:
    """The names of all sandboxes' threads."""
    return [found.name for found in threading.enumerate() if found.name.startswith("govfile-sandbox")]


def open_files() -> set[str]:
    """Every open descriptor and what it leads to."""
    folder = Path("/proc/self/fd")
    found = set()
    for path in folder.iterdir() if folder.is_dir() else ():
        try:
            found.add(f"{path.name} {path.readlink()}")
        except FileNotFoundError:  # the one that listed the folder
            continue
    return found
