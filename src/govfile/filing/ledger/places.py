"""SQLite files: made whole or not at all, and looked at before they are believed."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from govfile.errors import ConfigurationError, LedgerDamaged, LedgerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_MAGIC = b"SQLite format 3\0"
_RESTORE = "keep it as it is; restore a backup, or choose another path and rebuild from the authority's folders"

_open_here: dict[tuple[int, int], int] = {}
_open_guard = threading.Lock()


def _fresh_guard() -> None:
    global _open_guard  # another thread may have held the old one when this process forked
    _open_guard = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_fresh_guard)


def check_place(path: Path) -> None:
    """Refuse a path that somebody else could turn elsewhere.

    Raises `ConfigurationError` for a symbolic link, anything but a regular file, a missing folder, or a folder that
    everybody may write to (a sticky one such as /tmp is left to the user).
    """
    if "\0" in str(path):
        raise ConfigurationError(f"{str(path)!r} is no path: it holds a NUL", advice="give the path of a file")
    try:
        folder = path.parent.stat()
    except OSError as error:
        raise LedgerError(
            f"the ledger's folder {path.parent} cannot be used: {error.strerror}",
            advice="create the folder and give this user access to it",
        ) from error
    if not stat.S_ISDIR(folder.st_mode):
        raise ConfigurationError(f"{path.parent} is not a folder")
    if folder.st_mode & stat.S_IWOTH and not folder.st_mode & stat.S_ISVTX:
        raise ConfigurationError(
            f"everybody may write to {path.parent}, so anybody could replace the ledger", advice="chmod o-w it"
        )
    try:
        status = path.lstat()
    except FileNotFoundError:
        return
    except OSError as error:
        raise LedgerError(f"{path} cannot be used: {error.strerror}", advice="choose another name") from error
    if stat.S_ISLNK(status.st_mode):
        raise ConfigurationError(f"{path} is a symbolic link", advice="give the path of the ledger itself")
    if not stat.S_ISREG(status.st_mode):
        raise ConfigurationError(f"{path} is not a regular file", advice="give the path of a file")
    if status.st_mode & stat.S_IWOTH:
        raise ConfigurationError(f"everybody may write to the ledger {path}", advice=f"chmod o-w {path}")


def check_single(path: Path) -> None:
    """Raise `ConfigurationError` for a file with a second name: SQLite keeps a log beside each name, and whoever opens
    it by one does not see what was written by the other.
    """
    links = path.stat().st_nlink
    if links > 1:
        raise ConfigurationError(
            f"the ledger {path} has {links} names (hard links)", advice="remove all but one, or make a copy of its own"
        )


def check_header(path: Path, application_id: int) -> None:
    """Raise `LedgerDamaged` when the file is empty or not a ledger; it is only read.

    Source of the layout: sqlite.org, "Database File Format", section 1.3.
    """
    try:
        with _only_reader(path) as reader:
            if reader is None:
                return
            header = os.read(reader, 100)
    except OSError as error:
        raise LedgerError(
            f"the ledger {path} cannot be read: {error.strerror}", advice="give this user access to it"
        ) from error
    if not header:
        raise LedgerDamaged(f"{path} is empty, so it is not a ledger any more", advice=_RESTORE)
    if not header.startswith(_MAGIC) or len(header) < 100:
        raise LedgerDamaged(
            f"{path} is not a ledger: it is no SQLite database, or its start is damaged", advice=_RESTORE
        )
    if int.from_bytes(header[68:72]) != application_id:
        raise LedgerDamaged(f"{path} is a SQLite database, but not a ledger of govfile", advice=_RESTORE)


@contextlib.contextmanager
def _only_reader(path: Path) -> Iterator[int | None]:
    """The file opened to read; None where SQLite has it open in this process.

    Closing any descriptor of a file drops every POSIX lock this process holds on it, SQLite's included.
    """
    with _open_guard:
        status = path.stat()
        if _open_here.get((status.st_dev, status.st_ino)):
            yield None
            return
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        try:
            yield descriptor
        finally:
            os.close(descriptor)


def hold(path: Path) -> Callable[[], None]:
    """Note that SQLite is about to open this file here; call the result once it is closed."""
    with _open_guard:
        status = path.stat()
        key = (status.st_dev, status.st_ino)
        _open_here[key] = _open_here.get(key, 0) + 1
    is_held = [True]

    def release() -> None:
        with _open_guard:
            if is_held:
                is_held.clear()
                _open_here[key] -= 1

    return release


def check_still(path: Path, key: tuple[int, int]) -> None:
    """Raise `LedgerError` when the file that was opened does not stand at its path any more.

    SQLite would go on writing into a file that nobody can find again.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise _gone(path, f"is gone: {error.strerror}") from error
    if (status.st_dev, status.st_ino) != key:
        raise _gone(path, "was replaced by another file")


def _gone(path: Path, what: str) -> LedgerError:
    return LedgerError(
        f"the ledger {path} {what}, while it was open here",
        certain="what is not recorded yet cannot be; what is recorded is in the file that was there",
        advice="end this program, put the ledger back, or restore a backup and rebuild from the authority's folders",
        operation="ledger",
    )


def create(path: Path, build: Callable[[Path], None], *, what: str = "ledger") -> bool:
    """Make a new file: `build` writes it to the path it is given, in a folder of its own, then it is moved in place.

    Returns False when another process was quicker; then its file stands. Whatever the moment of a crash, there is
    either no file or a whole one. `what` names it in messages.
    """
    try:
        workshop = Path(tempfile.mkdtemp(prefix=_workshop_prefix(path), dir=path.parent))
        try:
            draft = workshop / path.name
            os.close(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
            draft.chmod(0o600)
            build(draft)
            sync_file(draft)
            os.link(draft, path)
            sync_folder(path.parent)
        finally:
            shutil.rmtree(workshop, ignore_errors=True)
    except FileExistsError:
        return False
    except (OSError, LedgerError) as error:
        if path.exists():  # a quicker process has cleared our workshop away
            return False
        if isinstance(error, LedgerError):
            raise
        raise _cannot_create(path, error, what) from error
    return True


def _workshop_prefix(path: Path) -> str:
    return f".{path.name}.new-"


def clear_workshops(path: Path) -> None:
    """Remove what crashes left beside an existing ledger; whoever still works there has lost the race for it."""
    prefix = _workshop_prefix(path)
    with contextlib.suppress(OSError), os.scandir(path.parent) as entries:
        for entry in entries:
            if entry.name.startswith(prefix):
                shutil.rmtree(entry.path, ignore_errors=True)


def _cannot_create(path: Path, error: OSError, what: str) -> LedgerError:
    advice = "give this user write access to the folder"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        advice = "free space on the disk"
    elif error.errno in (errno.EPERM, errno.ENOTSUP, errno.EMLINK):
        advice = "choose a folder on a file system with hard links"
    elif error.errno == errno.EROFS:
        advice = "the file system is read-only; choose another folder"
    return LedgerError(
        f"the {what} {path} cannot be created: {error.strerror}", certain="nothing was created", advice=advice
    )


def sync_file(path: Path) -> None:
    """Wait until the file's bytes are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(path: Path) -> None:
    """Wait until the folder's entries are on the disk."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
