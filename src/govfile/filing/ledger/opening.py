"""Opening a ledger: the database, whether its pages are sound, and its schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

from govfile.filing.ledger import postgresql, sqlite
from govfile.filing.ledger.migrations import bring_up_to_date

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from govfile.certificates.secret import Secret
    from govfile.filing.ledger.database import Database

#: SQLite files up to this size (bytes) are checked page by page, indexes included, whenever they are opened.
CHECKED_WHEN_OPENED = 8 * 1024 * 1024

#: The longest patience (seconds): databases count it in milliseconds, in 31 bits.
_LONGEST = 2_000_000.0


class Opened(TypedDict):
    """What `Ledger` is made of."""

    database: Database
    is_new: bool
    release: Callable[[], None]


def in_file(path: Path, *, create: bool, patience: float) -> Opened:
    """The ledger in a SQLite file."""
    database, is_new, release = sqlite.open_file(path, create=create, patience=min(patience, _LONGEST))
    try:
        if not is_new:
            if path.stat().st_size <= CHECKED_WHEN_OPENED:
                sqlite.check_pages(database)
            bring_up_to_date(database, lock=None, back_up=lambda version: sqlite.back_up(database, path, version))
    except BaseException:
        database.close()
        release()
        raise
    return Opened(database=database, is_new=is_new, release=release)


def at_url(url: str, *, create: bool, patience: float) -> Opened:
    """The ledger in the PostgreSQL database a URL names."""
    return at_server(postgresql.read_url(url), password=None, create=create, patience=patience)


def at_server(settings: dict[str, Any], *, password: Secret | None, create: bool, patience: float) -> Opened:
    """The ledger in the PostgreSQL database that libpq's keywords lead to."""
    bounded = min(patience, _LONGEST)
    database, is_new = postgresql.open_server(settings, password=password, create=create, patience=bounded)
    try:
        bring_up_to_date(database, lock=postgresql.LOCK, back_up=None)
    except BaseException:
        database.close()
        raise
    return Opened(database=database, is_new=is_new, release=_nothing)


def _nothing() -> None:
    """A server needs no letting go beside its connections."""
