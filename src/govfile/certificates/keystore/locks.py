"""One process at a time. The system itself holds the lock, and lets go of it only when its owner has ended."""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
import time
from typing import TYPE_CHECKING

from govfile.certificates.keystore.files import failing
from govfile.errors import KeyStoreBusy, KeyStoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PAUSE = 0.05


class Locks:
    """The locks of one key store object, a file each. A thread that holds one may take it again."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._held = threading.local()

    @contextlib.contextmanager
    def hold(self, path: Path) -> Iterator[None]:
        """Hold the lock of the file `path` during the block.

        Raises `KeyStoreBusy` when another process or thread holds it for longer than the patience allows, and
        `KeyStoreError` where the file cannot be made or its file system has no locks.
        """
        held: set[Path] = self._held.__dict__.setdefault("paths", set())
        if path in held:
            yield
            return
        with failing(path, "opened"):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            self._wait_for(descriptor, path)
            held.add(path)
            try:
                yield
            finally:
                held.discard(path)
        finally:
            os.close(descriptor)  # which also lets go

    def _wait_for(self, descriptor: int, path: Path) -> None:
        deadline = time.monotonic() + self._patience
        while not _take(descriptor, path):
            if time.monotonic() >= deadline:
                raise KeyStoreBusy(
                    f"another process has held {path} for more than {self._patience:g} s",
                    certain="nothing was changed here",
                    advice="let it finish, then call again; the lock ends with the process that holds it",
                    operation="key store",
                )
            time.sleep(_PAUSE)


def _take(descriptor: int, path: Path) -> bool:
    """Whether the lock could be had at once."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise KeyStoreError(
            f"{path} cannot be locked: {error.strerror}",
            certain="nothing was changed",
            advice="keep the key store on a file system with locks: a local one, or NFS version 4",
        ) from error
    return True
