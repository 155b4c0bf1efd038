"""Small files that are there whole or not at all, for nobody else to read, and on the disk when a call returns."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from typing import TYPE_CHECKING

from govfile.errors import KeyStoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: No file of a key store is larger.
LIMIT = 1024 * 1024
#: What begins so was not finished by a process that ended, and nobody relies on it.
DRAFT = ".new-"

_ADVICE = {
    errno.ENOSPC: "free space on the disk",
    errno.EDQUOT: "free space, or raise the quota of this user",
    errno.EROFS: "the file system is read-only: mount it for writing, or use another folder",
    errno.EACCES: "give this user access to the folder and what is in it; check owner and mode",
    errno.EPERM: "give this user access to the folder and what is in it; check owner and mode",
    errno.ENOENT: "check the path",
    errno.ELOOP: "a key store holds no links: put the file itself there",
}


@contextlib.contextmanager
def failing(path: Path, what: str) -> Iterator[None]:
    """Turn an `OSError` of the block into a `KeyStoreError` that names `path` and the cause; `what` ends "cannot"."""
    try:
        yield
    except OSError as error:
        cause = error.strerror or type(error).__name__
        raise KeyStoreError(
            f"{path} cannot be {what}: {cause}",
            certain="the credential that was in use stays in use",
            advice=_ADVICE.get(error.errno or 0, "check the disk and its file system"),
            operation="key store",
        ) from error


def make_folder(path: Path) -> None:
    """Make a folder for this user alone, unless it is there; its parents must exist."""
    with failing(path, "created"):
        try:
            path.mkdir(mode=0o700)
        except FileExistsError:
            with contextlib.suppress(PermissionError):  # whoever made it may have ended before this
                sync_folder(path.parent)
            return
        sync_folder(path.parent)


def exists(path: Path) -> bool:
    """Whether there is something, a link that leads nowhere too; raises `KeyStoreError` when that cannot be told."""
    with failing(path, "looked at"):
        try:
            path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        return True


def check_folder(path: Path) -> None:
    """Refuse a folder that is a link or that everybody may write to."""
    with failing(path, "looked at"):
        mode = path.lstat().st_mode
    if not stat.S_ISDIR(mode):
        raise KeyStoreError(f"{path} is not a folder", advice="give the folder itself, not a link or a file")
    if mode & stat.S_IWOTH:
        raise KeyStoreError(f"everybody may write to {path}, so anybody could replace a key", advice="chmod o-w it")


def write(path: Path, data: bytes) -> None:
    """Put `data` at `path` (mode 0600), replacing what was there in one step."""
    draft = path.with_name(f"{DRAFT}{path.name}-{secrets.token_hex(6)}")
    with failing(path, "written"):
        try:
            _write_out(draft, data)
            draft.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                draft.unlink()
            raise
        sync_folder(path.parent)


def write_folder(path: Path, contents: dict[str, bytes]) -> None:
    """Make the folder `path` with all of `contents` in it, in one step; it must not be there yet."""
    draft = path.with_name(f"{DRAFT}{path.name}-{secrets.token_hex(6)}")
    with failing(path, "created"):
        try:
            draft.mkdir(mode=0o700)
            for name, data in contents.items():
                _write_out(draft / name, data)
            sync_folder(draft)
            draft.rename(path)
        except BaseException:
            with contextlib.suppress(OSError):
                remove_draft(draft)
            raise
        sync_folder(path.parent)


def read(path: Path) -> bytes:
    """The file's bytes; raises `KeyStoreError` for a link, anything but a file, and more than `LIMIT` bytes."""
    with failing(path, "read"):
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise KeyStoreError(f"{path} is not a file", advice="put the file itself there")
            data = file.read(LIMIT + 1)
    if len(data) > LIMIT:
        raise KeyStoreError(f"{path} is larger than {LIMIT // 1024} KiB: it belongs to no key store")
    return data


def is_private(path: Path) -> bool:
    """Whether nobody but the owner may read or write the file."""
    with failing(path, "looked at"):
        return not path.lstat().st_mode & 0o077


def make_private(path: Path) -> None:
    """Let nobody but the owner read or write the file."""
    with failing(path, "made private"):
        path.chmod(0o600)


def remove_draft(path: Path) -> None:
    """Remove an unfinished file, or an unfinished folder with the files in it; links are not followed."""
    if stat.S_ISDIR(path.lstat().st_mode):
        for inner in list(path.iterdir()):
            inner.unlink()
        path.rmdir()
    else:
        path.unlink()


def sync_folder(path: Path) -> None:
    """Wait until the folder's entries are on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_out(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
