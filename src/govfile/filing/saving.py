"""Keeping what was collected: under safe local names, complete or not at all, never over something older."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Self, cast

import attrs

from govfile.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

_PREFIX, _SUFFIX = ".govfile-", ".part"
_STALE = 24 * 60 * 60
_LONGEST = 180
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


def safe_name(remote_name: str) -> str:
    """A local file name for a remote one: letters, digits, `_`, `.`, `-`; one that had to be changed also carries eight
    digits of its SHA-256, so that two remote names never become one.
    """
    safe = re.sub(r"[^0-9A-Za-z_.-]", "_", remote_name).lstrip(".-")
    is_odd = len(safe) > _LONGEST or safe.endswith(".") or _RESERVED.fullmatch(safe)
    if safe and safe == remote_name and not is_odd:
        return safe
    digest = hashlib.sha256(remote_name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    stem, dot, extension = safe.rstrip(".").rpartition(".")
    if not dot or not stem or len(extension) > 10:
        stem, extension = safe.rstrip("."), ""
    return f"_{stem[:_LONGEST]}-{digest}" + (f".{extension}" if extension else "")


@attrs.frozen(kw_only=True)
class Folder:
    """The local folder files are collected into."""

    path: Path

    @classmethod
    def of(cls, into: str | os.PathLike[str]) -> Folder:
        """Make the folder if need be, and clear away what crashed collections left half-written.

        Raises `ConfigurationError` when it is no folder or cannot be written.
        """
        path = Path(into)
        with _explained(path):
            if "\0" in str(path):
                raise OSError(errno.EINVAL, "its name holds NUL")
            path = path.absolute()  # the ledger says where files lie, also to programs started elsewhere
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not os.access(path, os.W_OK | os.X_OK):
                raise PermissionError(13, "no right to write there")
            for left in path.glob(f"{_PREFIX}*{_SUFFIX}"):
                if time.time() - left.stat().st_mtime > _STALE:
                    left.unlink(missing_ok=True)
        return cls(path=path)

    @contextlib.contextmanager
    def writing(self) -> Iterator[tuple[Path, BinaryIO]]:
        """A new file, readable by its owner only, for bytes on their way; the caller keeps or discards its path."""
        path = self.path / f"{_PREFIX}{secrets.token_hex(8)}{_SUFFIX}"
        with _explained(self.path):
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), 0o600)
            writer = os.fdopen(handle, "wb")
        try:
            with _Explaining(writer, self.path) as explaining:
                yield path, cast("BinaryIO", explaining)
        except BaseException:
            discard(path)
            raise

    def keep(self, temporary: Path, remote_name: str, sha256: str) -> Path:
        """Give a complete file its name, durably; an older file of that name stays, and the new one gets a number.

        A file of the same name and content is taken as the same, kept by a collection that was cut short.
        """
        with _explained(self.path):
            final = self._settle(temporary, remote_name, sha256)
            self._sync()
        return final

    def _settle(self, temporary: Path, remote_name: str, sha256: str) -> Path:
        for name in _numbered(safe_name(remote_name)):
            final = self.path / name
            if _place(temporary, final):
                return final
            if _digest(final) == sha256:
                temporary.unlink()
                return final
        raise OSError(errno.EEXIST, f"too many files called {safe_name(remote_name)}")

    def _sync(self) -> None:
        handle = os.open(self.path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


class _Explaining:
    """A writer whose disk errors are explained, and whose bytes are on the disk once it is closed."""

    def __init__(self, writer: BinaryIO, folder: Path) -> None:
        self._writer = writer
        self._folder = folder

    def write(self, block: bytes) -> int:
        with _explained(self._folder):
            return self._writer.write(block)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            with contextlib.suppress(OSError):
                self._writer.close()
            return
        with _explained(self._folder):
            self._writer.flush()
            os.fsync(self._writer.fileno())
            self._writer.close()


def discard(path: Path) -> None:
    """Remove a half-written file, if it is there."""
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


def _place(temporary: Path, final: Path) -> bool:
    """Move without replacing; False when the name is taken."""
    try:
        os.link(temporary, final)
    except FileExistsError:
        return False
    except OSError:  # a file system without hard links: reserve the name, then move over the reservation
        try:
            os.close(os.open(final, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            return False
        temporary.replace(final)
        return True
    temporary.unlink()
    return True


def _numbered(name: str) -> Iterator[str]:
    yield name
    stem, dot, extension = name.rpartition(".")
    if not stem:
        stem, dot, extension = name, "", ""
    for number in range(2, 1_000_000):
        yield f"{stem}.{number}{dot}{extension}"


def _digest(path: Path) -> str:
    if path.is_symlink() or not path.is_file():
        return ""
    with path.open("rb") as reader:
        return hashlib.file_digest(reader, "sha256").hexdigest()


@contextlib.contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigurationError(
            f"{folder} cannot be written: {error.strerror or error}",
            certain="nothing was removed at the gateway; what was not saved is fetched again next time",
            advice="make room or give another folder",
            operation="collect",
        ) from error
