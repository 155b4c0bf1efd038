"""Messages on disk: read within bounds, written for their owner alone. They are about persons."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from govfile.cli.escape import printable
from govfile.errors import ConfigurationError, InvalidContent, KeyStoreError

if TYPE_CHECKING:
    from govfile.cli.session import Session

STANDARD = Path("-")
#: No token has more bytes; messages around one have little more.
LARGEST = 4 * 1024 * 1024


def read(file: Path) -> bytes:
    """A file's bytes, of standard input for `-`; raises `InvalidContent`."""
    try:
        if file == STANDARD:
            content = sys.stdin.buffer.read(LARGEST + 1)
        else:
            with file.open("rb") as stream:
                content = stream.read(LARGEST + 1)
    except OSError as error:
        raise InvalidContent(f"{file} cannot be read: {error.strerror}", advice="check the path") from error
    if len(content) > LARGEST:
        raise InvalidContent(f"{file} has more than {LARGEST} bytes")
    return content


class Target:
    """Where a card or token goes: a file, standard output for `-`, or nowhere (None).

    Raises `ConfigurationError` at once, before anybody is asked for anything, when it cannot go there.
    """

    def __init__(self, session: Session, out: Path | None, *, replace: bool) -> None:
        self._session = session
        self._out = out
        self._replace = replace
        if out is None:
            return
        if out == STANDARD:
            if session.out.as_json or sys.stdout.isatty():
                raise ConfigurationError(
                    "a card or token goes to standard output only where that is a file or a pipe, and without --json",
                    advice="give --out PATH",
                )
        elif not replace and out.exists():
            raise ConfigurationError(
                f"{printable(out)} is there already", advice="give a new name, or --replace to put the new one there"
            )
        elif not out.parent.is_dir():
            raise ConfigurationError(f"there is no folder {printable(out.parent)}")

    @property
    def is_standard_output(self) -> bool:
        """Whether standard output is for the card or token alone."""
        return self._out == STANDARD

    @property
    def path(self) -> Path | None:
        """The file, None where there is none."""
        return None if self._out == STANDARD else self._out

    def write(self, content: bytes) -> None:
        """Put it there, readable by this user alone (mode 0600)."""
        if self._out is None:
            return
        if self._out == STANDARD:
            with self._session.out.writing():
                sys.stdout.buffer.write(content)
                sys.stdout.buffer.flush()
            return
        try:
            _replaced(self._out, content) if self._replace else _new(self._out, content)
        except OSError as error:
            raise ConfigurationError(f"{self._out} cannot be written: {error.strerror}") from error


def _new(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as stream:
        try:
            stream.write(content)
            stream.flush()
        except BaseException:
            with contextlib.suppress(OSError):
                path.unlink()
            raise


def _replaced(path: Path, content: bytes) -> None:
    from govfile.certificates.keystore import files

    try:
        files.write(path, content)
    except KeyStoreError as error:
        raise ConfigurationError(error.what, advice=error.advice) from error
