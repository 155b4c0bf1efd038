"""Where benchmarks put their files: in memory, so that no disk is measured that nobody asked about.

On ext4 without a journal a new file passes over every inode that was deleted in the last minutes: after a round that
was tidied away, each file takes half a millisecond more, and whoever is quick loses most by it. A ledger, which waits
for the disk, stays on the disk.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

_MEMORY = Path("/dev/shm")
_NEEDED = 6 * 1024**3
_DISK = tempfile.gettempdir()


def use_memory() -> None:
    """From now on temporary files of this process are in memory, where the machine has that and room enough."""
    if _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free >= _NEEDED:
        tempfile.tempdir = str(_MEMORY)
    else:
        print(f"files are in {_DISK}: {_MEMORY} is not there or has not enough room; rates are those of its disk")


def on_disk() -> tempfile.TemporaryDirectory[str]:
    """A temporary folder on the disk, for what is to be durable."""
    return tempfile.TemporaryDirectory(dir=_DISK)
