"""File systems that are small or read-only, for root too: a tmpfs of its own for one test."""

from __future__ import annotations

import contextlib
import os
import subprocess
from typing import TYPE_CHECKING

from support.programs import lacking, require

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextlib.contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Path]:
    """`folder` as a file system of `size` bytes while the block runs; skips aloud where mounting is not allowed."""
    folder.mkdir(exist_ok=True)
    mount, umount = require("mount"), require("umount")
    options = f"size={size},mode=0700,uid={os.getuid()},gid={os.getgid()}"
    made = subprocess.run([mount, "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True)
    if made.returncode != 0:
        lacking(f"a small file system cannot be mounted here: {made.stderr.decode(errors='replace').strip()}")
    try:
        yield folder
    finally:
        subprocess.run([umount, "--lazy", str(folder)], check=True, capture_output=True)


def make_read_only(folder: Path) -> None:
    """Let nobody write to the file system at `folder` any more."""
    subprocess.run([require("mount"), "-o", "remount,ro", str(folder)], check=True, capture_output=True)
