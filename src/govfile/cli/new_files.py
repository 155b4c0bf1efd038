"""Files that a command makes: new ones, and whole ones."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, BinaryIO

from govfile.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextlib.contextmanager
def new_file(path: Path, *, mode: int = 0o666) -> Iterator[BinaryIO]:
    """A new file to write, with the rights `mode` as far as the umask lets them; half of one is not left behind.

    Raises `ConfigurationError` where there is a file already, or it cannot be written.
    """
    try:
        stream = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb")
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be written: {error.strerror}", advice="give the name of a new file"
        ) from error
    try:
        with stream:
            yield stream
    except BaseException as error:
        path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            what = f"{path} cannot be written: {error.strerror}"
            raise ConfigurationError(what, advice="make room, or give another place") from error
        raise
