"""The ledger in a SQLite file: write-ahead log, one fsync for each durable commit.

Source of what each setting promises: sqlite.org, "Write-Ahead Logging" and "PRAGMA Statements".
"""

from __future__ import annotations

import os
import sqlite3
import urllib.parse
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from govfile.errors import LedgerDamaged, LedgerError
from govfile.filing.ledger import places
from govfile.filing.ledger.database import Database, Session
from govfile.filing.ledger.failures import translated
from govfile.filing.ledger.schema import APPLICATION_ID, VERSION, about, metadata

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy import Engine

#: Pages (4 KiB each) that the write-ahead log gathers before they go into the file itself, which waits for the disk
#: twice: fewer and larger batches of that than SQLite's own 1000.
_CHECKPOINT = 4000


def open_file(path: Path, *, create: bool, patience: float) -> tuple[Database, bool, Callable[[], None]]:
    """The database in the file at `path`, whether this call made it, and what to call once it is closed.

    Raises `LedgerDamaged` for a file that is no ledger, `ConfigurationError` for a path that is not safe, `LedgerError`
    when it cannot be read or made. A file that is refused is left as it is.
    """
    path = path.absolute()
    places.check_place(path)
    is_new = False
    if not path.exists():
        if not create:
            raise LedgerError(f"there is no ledger at {path}", advice="check the path, or let it be created")
        is_new = places.create(path, _build)
    if not is_new:
        places.check_place(path)
        places.check_header(path, APPLICATION_ID)
        places.sync_folder(path.parent)
    places.clear_workshops(path)
    places.check_single(path)
    release = places.hold(path)
    opened = path.stat()
    key = (opened.st_dev, opened.st_ino)
    database = Database(
        _engine(path, patience),
        place=str(path),
        begin="BEGIN IMMEDIATE",
        settings=_settings,
        is_local=True,
        check=lambda: places.check_still(path, key),
    )
    return database, is_new, release


def _settings(durable: bool) -> list[str]:
    return [
        f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}",
        "PRAGMA fullfsync = ON",
        "PRAGMA checkpoint_fullfsync = ON",
        f"PRAGMA wal_autocheckpoint = {_CHECKPOINT}",
        "PRAGMA trusted_schema = OFF",
        "PRAGMA cell_size_check = ON",
    ]


def _engine(path: Path, patience: float) -> Engine:
    address = f"file:{urllib.parse.quote(os.fsencode(path))}?mode=rw"
    engine = create_engine(
        "sqlite://",
        connect_args={"timeout": patience, "check_same_thread": False, "uri": True},
        isolation_level="AUTOCOMMIT",
        poolclass=NullPool,
        hide_parameters=True,
    )

    @event.listens_for(engine, "do_connect")
    def _(_dialect: Any, _record: Any, arguments: list[Any], _keywords: dict[str, Any]) -> None:
        # The path itself never goes through a URL's syntax, where `?`, `#` and `%` mean something.
        arguments[:] = [address]

    return engine


def _build(path: Path) -> None:
    """Write an empty ledger into the empty file at `path`."""
    engine = _engine(path, patience=5.0)
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode = MEMORY")
            connection.exec_driver_sql("BEGIN")
            connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
            metadata.create_all(connection, checkfirst=False)
            connection.execute(about.insert(), {"what": "schema", "value": str(VERSION)})
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
    except SQLAlchemyError as error:
        raise translated(error, str(path)) from error
    finally:
        engine.dispose()


def check_pages(database: Database) -> None:
    """Raise `LedgerDamaged` when a page or an index is not as SQLite left it; reads the whole file."""
    found = database.run(lambda session: session.say("PRAGMA integrity_check(1)"))
    if [tuple(row) for row in found] != [("ok",)]:
        raise LedgerDamaged(
            f"the ledger is damaged: {database.place}: {found[0][0] if found else 'no word from SQLite'}",
            certain="it was left as it is",
            advice="keep it as it is, restore a backup beside it and rebuild from the authority's folders",
        )


def back_up(database: Database, path: Path, version: int) -> Path:
    """A whole copy of the ledger beside it, as SQLite sees it (the write-ahead log included)."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    copy = path.with_name(f"{path.name}.schema{version}-{stamp}")

    def fill(draft: Path) -> None:
        def work(session: Session) -> None:
            target = sqlite3.connect(draft)
            try:
                session.connection.connection.driver_connection.backup(target)  # type: ignore[union-attr]
            except sqlite3.Error as error:
                raise translated(error, str(draft)) from error
            finally:
                target.close()

        database.run(work)

    places.create(copy, fill)
    return copy
