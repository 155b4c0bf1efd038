"""The ledger in a PostgreSQL database, for several machines."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from sqlalchemy import UniqueConstraint, create_engine
from sqlalchemy.pool import NullPool

from govfile.certificates.secret import check_secret
from govfile.errors import ConfigurationError, LedgerDamaged, LedgerError, MissingExtra
from govfile.filing.ledger.database import Database, Session
from govfile.filing.ledger.schema import VERSION, about, metadata, submissions

if TYPE_CHECKING:
    from govfile.certificates.secret import Secret

logger = logging.getLogger("govfile.filing")

#: Held while the tables are made or changed ("gvfl" twice).
LOCK = f"SELECT pg_advisory_xact_lock({0x6776666C_6776666C})"


def open_server(
    settings: dict[str, Any], *, password: Secret | None, create: bool, patience: float
) -> tuple[Database, bool]:
    """The database that `settings` (libpq's keywords) lead to, and whether this call made its tables.

    Raises `LedgerError` when it cannot be reached, `MissingExtra` without psycopg.
    """
    psycopg = _driver()
    if password is not None:
        check_secret(password, "password")
    place = f"PostgreSQL {settings.get('host', 'local')}:{settings.get('port', 5432)}/{settings.get('dbname', '')}"

    def connect() -> Any:
        keywords = {"connect_timeout": max(2, round(patience)), **settings, "client_encoding": "utf8"}
        if password is not None:
            keywords["password"] = password.reveal()
        try:
            return psycopg.connect(**keywords, autocommit=True)
        except psycopg.Error as error:
            raise _no_connection(place, error) from error

    engine = create_engine(
        "postgresql+psycopg://",
        creator=connect,
        isolation_level="AUTOCOMMIT",
        poolclass=NullPool,
        hide_parameters=True,
        paramstyle="format",
    )
    lock_timeout = max(1, round(patience * 1000))

    def preparation(durable: bool) -> list[str]:
        return [
            f"SET synchronous_commit TO {'on' if durable else 'off'}",
            f"SET lock_timeout TO {lock_timeout}",
        ]

    database = Database(engine, place=place, begin="BEGIN", settings=preparation, is_local=False)
    return database, database.transaction(lambda session: _prepare(session, create))


def _no_connection(place: str, error: Exception) -> LedgerError:
    """libpq gives no SQLSTATE for a connection that does not come about, only words; the password is not in them."""
    printable = "".join(character if character.isprintable() else " " for character in str(error))
    words = " ".join(printable.split())[:300]
    return LedgerError(
        f"no connection to the database server: {place}: {words}",
        certain="nothing that was not recorded has left the machine",
        advice="check that the server runs, and the host, port, database, user, password and settings given",
        operation="ledger",
    )


def _prepare(session: Session, create: bool) -> bool:
    session.say(LOCK)
    if session.say("SHOW fsync")[0][0] == "off":
        logger.warning("the database server runs with fsync=off: a power cut can lose claims that were made")
    if session.say("SELECT to_regclass('govfile_about')")[0][0] is not None:
        _check_guards(session)
        return False
    if not create:
        raise LedgerError("the database holds no ledger", advice="check the database, or let it be created")
    metadata.create_all(session.connection, checkfirst=False)
    session.connection.execute(about.insert(), {"what": "schema", "value": str(VERSION)})
    return True


def _check_guards(session: Session) -> None:
    """Raise `LedgerDamaged` where a constraint is missing, as after a dump was restored in part: claims that nothing
    stands against would all be made.
    """
    found = session.say(
        "SELECT conname FROM pg_constraint WHERE conrelid = 'govfile_submission'::regclass AND contype = 'u'"
    )
    wanted = {str(one.name) for one in submissions.constraints if isinstance(one, UniqueConstraint)}
    missing = sorted(wanted - {str(row[0]) for row in found})
    if missing:
        raise LedgerDamaged(
            f"the ledger's table has lost what keeps names and contents apart: {', '.join(missing)}",
            certain="nothing was claimed; the ledger was left as it is",
            advice="restore the whole backup, constraints included, then run `govfile ledger verify`",
        )


def read_url(url: str) -> dict[str, Any]:
    """libpq's keywords of a database URL without a password.

    Raises `ConfigurationError` for a URL that carries one, or that cannot be read.
    """
    psycopg = _driver()
    scheme, _, rest = url.partition("://")
    if scheme not in ("postgresql", "postgres", "postgresql+psycopg"):
        raise ConfigurationError(
            f"a ledger cannot live in {scheme!r}", advice="give a file path, or a URL that starts with postgresql://"
        )
    try:
        settings: dict[str, Any] = psycopg.conninfo.conninfo_to_dict(f"postgresql://{rest}")
    except psycopg.Error:
        # The driver's own words may repeat the URL, and so a password in it.
        raise ConfigurationError(
            "the ledger's database URL cannot be read", advice="postgresql://user@host/db"
        ) from None
    if any("password" in name for name in settings):
        raise ConfigurationError(
            "the ledger's database URL holds a password, which would end up in logs and process lists",
            advice="use Ledger.postgresql(password=Secret…), or libpq's ~/.pgpass",
        )
    return settings


def _driver() -> Any:
    try:
        import psycopg
        import psycopg.conninfo
    except ImportError as missing:
        raise MissingExtra("psycopg", "postgresql", purpose="a ledger in PostgreSQL") from missing
    return psycopg
