"""What went wrong in the database, in this library's words."""

from __future__ import annotations

import sqlite3

from govfile.errors import LedgerBusy, LedgerDamaged, LedgerError, Retry

_RESTORE = "keep the file as it is, restore a backup beside it and rebuild from the authority's folders"
_UNRECORDED = "nothing that was not recorded has left the machine"

#: PostgreSQL's SQLSTATE → what it means here (its manual, appendix A).
_STATES: dict[str, tuple[type[LedgerError], str, str]] = {
    "53100": (LedgerError, "the database server's disk is full", "free space on the server, then call again"),
    "25006": (LedgerError, "the database is read-only", "connect to the primary server"),
    "42501": (
        LedgerError,
        "the database user may not do this",
        "grant it SELECT, INSERT, UPDATE and DELETE on the tables; whoever makes them needs CREATE on their schema",
    ),
    "55P03": (LedgerBusy, "another process holds the ledger for too long", "call again"),
    "57014": (LedgerBusy, "the database server cancelled the statement", "call again"),
    "40P01": (LedgerBusy, "the database server broke a deadlock", "call again"),
    "40001": (LedgerBusy, "another process changed the same records", "call again"),
    "3F000": (
        LedgerError,
        "there is no schema to make the ledger's tables in",
        "check search_path, and grant the user USAGE and CREATE on the schema",
    ),
    "42P01": (LedgerDamaged, "the ledger's tables are not there", "check database and search_path"),
    "42703": (LedgerDamaged, "the ledger's tables are not as they should be", "restore a backup"),
    "XX001": (LedgerDamaged, "the database server reports damaged data", "restore a backup"),
    "XX002": (
        LedgerDamaged,
        "the database server reports a damaged index",
        "reindex, then run `govfile ledger verify`",
    ),
}

#: SQLite's primary result codes → the same (its page "Result and Error Codes").
_CODES: dict[int, tuple[type[LedgerError], str, str]] = {
    sqlite3.SQLITE_BUSY: (LedgerBusy, "another process holds the ledger for too long", "call again"),
    sqlite3.SQLITE_LOCKED: (LedgerBusy, "another process holds the ledger for too long", "call again"),
    sqlite3.SQLITE_ERROR: (LedgerDamaged, "the ledger's tables are not as they should be", _RESTORE),
    sqlite3.SQLITE_CORRUPT: (LedgerDamaged, "the ledger is damaged", _RESTORE),
    sqlite3.SQLITE_NOTADB: (LedgerDamaged, "the ledger is not a database", _RESTORE),
    sqlite3.SQLITE_FULL: (LedgerError, "the disk of the ledger is full", "free space, then call again"),
    sqlite3.SQLITE_READONLY: (
        LedgerError,
        "the ledger cannot be written",
        "give this user write access to it, its -wal and -shm files and its folder; is its file system read-only?",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        LedgerError,
        "the ledger cannot be opened",
        "check that its folder is there, and that this user may read and write there, its -wal and -shm files too",
    ),
    sqlite3.SQLITE_PERM: (LedgerError, "the ledger may not be opened", "give this user access to it"),
    sqlite3.SQLITE_AUTH: (LedgerError, "the ledger may not be opened", "give this user access to it"),
    sqlite3.SQLITE_IOERR: (
        LedgerError,
        "the disk of the ledger failed or is full",
        "check the disk and the free space, then run `govfile ledger verify`",
    ),
}


def translated(error: Exception, place: str) -> LedgerError:
    """The error to raise for `error`, which a driver or SQLAlchemy raised; the caller keeps it as the cause."""
    original = getattr(error, "orig", None) or error
    if isinstance(original, UnicodeDecodeError):  # of SQLite's own message, which quotes damaged text
        return LedgerDamaged(f"the ledger holds text that cannot be read: {place}", advice=_RESTORE)
    if isinstance(original, sqlite3.Error):
        return _from_sqlite(original, place)
    return _from_postgresql(original, place)


def _from_sqlite(error: sqlite3.Error, place: str) -> LedgerError:
    code = getattr(error, "sqlite_errorcode", None)
    if code is None and isinstance(error, sqlite3.OperationalError):  # Python's own: a text that is no UTF-8
        return LedgerDamaged(f"the ledger holds text that cannot be read: {place}", advice=_RESTORE)
    kind, what, advice = _CODES.get((code or 0) & 0xFF, (LedgerError, "the ledger failed", "see the cause"))
    name = getattr(error, "sqlite_errorname", "") or type(error).__name__
    retry = Retry.SAME_REQUEST if kind is LedgerBusy else Retry.NEVER
    return kind(f"{what} ({name}): {place}", certain=_UNRECORDED, advice=advice, operation="ledger", retry=retry)


def _from_postgresql(error: BaseException, place: str) -> LedgerError:
    state = getattr(error, "sqlstate", None)
    if state is None or state[:2] in ("08", "57"):
        default = (LedgerError, "the database server cannot be reached", "check that it runs, then call again")
    else:
        default = (LedgerError, "the database server refused", "see the cause")
    kind, what, advice = _STATES.get(state or "", default)
    retry = Retry.SAME_REQUEST if kind is LedgerBusy else None
    reason = f" (SQLSTATE {state})" if state else ""
    return kind(f"{what}{reason}: {place}", certain=_UNRECORDED, advice=advice, operation="ledger", retry=retry)


def is_collision(error: Exception) -> bool:
    """Whether the server undid our transaction for another's sake, so that it may simply be run again."""
    return getattr(getattr(error, "orig", None), "sqlstate", None) in ("40P01", "40001")
