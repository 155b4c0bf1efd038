"""One database under a ledger: runs pieces of work on it, and turns its errors into ours."""

from __future__ import annotations

import contextlib
import random
import time
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from govfile.errors import LedgerBusy
from govfile.filing.ledger.connections import Connections
from govfile.filing.ledger.failures import is_collision, translated
from govfile.filing.ledger.memory import Memory
from govfile.filing.ledger.statements import Statements
from govfile.filing.ledger.writers import Writers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from sqlalchemy import Connection, Engine

    from govfile.filing.ledger.statements import Statement

T = TypeVar("T")

#: How often a transaction is run again after a collision or a lost connection.
_TRIES = 8


class Session:
    """A connection while one piece of work runs on it."""

    __slots__ = ("_connection", "memory", "statements")

    def __init__(self, connection: Connection, statements: Statements, memory: Memory) -> None:
        self._connection = connection
        self.statements = statements
        self.memory = memory

    def insert(self, statement: Statement, row: Sequence[Any]) -> int:
        """Run an insertion; the number of rows it made."""
        return self._connection.exec_driver_sql(statement.sql, tuple(row)).rowcount

    def insert_all(self, statement: Statement, rows: list[tuple[Any, ...]]) -> int:
        """Run it for each row; the number of rows made in all."""
        return self._connection.exec_driver_sql(statement.sql, rows).rowcount

    def change(self, statement: Statement, values: Mapping[str, Any]) -> int:
        """Run an update; the number of rows it met."""
        return self._connection.exec_driver_sql(statement.sql, statement.bind(values)).rowcount

    def one(self, statement: Statement, values: Mapping[str, Any]) -> Sequence[Any] | None:
        """The first row, or None."""
        return self._connection.exec_driver_sql(statement.sql, statement.bind(values)).fetchone()

    def all(self, statement: Statement, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """Every row."""
        return self._connection.exec_driver_sql(statement.sql, statement.bind(values)).fetchall()

    def say(self, sql: str) -> Sequence[Sequence[Any]]:
        """Run the driver's own words, e.g. a PRAGMA."""
        result = self._connection.exec_driver_sql(sql)
        return result.fetchall() if result.returns_rows else ()

    @property
    def connection(self) -> Connection:
        """The SQLAlchemy connection itself, for building tables."""
        return self._connection


class Database:
    """`engine` in autocommit mode: single statements are transactions of their own, others say BEGIN and COMMIT.

    `begin` is how a writing transaction starts; `settings(durable)` are the statements a fresh connection runs first.
    `place` names the database in messages and holds no password; `check` raises when it is not there any more.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        place: str,
        begin: str,
        settings: Callable[[bool], Sequence[str]],
        is_local: bool,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self.place = place
        self.is_local = is_local
        self._engine = engine
        self._begin = begin
        self._check = check
        self._settings = settings
        self._statements = Statements.of(engine.dialect)
        self._connections = Connections(self._connect)
        self._memory = Memory()
        self._is_undurable = False
        self._writers = Writers(self.run, self._several) if is_local else None

    def _connect(self, durable: bool) -> Connection:
        connection = self._engine.connect()
        try:
            for statement in self._settings(durable):
                connection.exec_driver_sql(statement)
        except BaseException:
            connection.close()
            raise
        return connection

    def run(self, work: Callable[[Session], T], *, durable: bool = True) -> T:
        """Run `work`, each statement of which takes effect at once; it may be run again when the link is lost.

        Raises `LedgerError` for whatever the database raises.
        """
        return self._attempts(work, durable)

    def write(self, work: Callable[[Session], T], *, durable: bool = True) -> T:
        """`run` for work that writes: the threads of this process take turns."""
        with self._turn():
            return self._attempts(work, durable)

    def write_together(self, work: Callable[[Session], T]) -> T:
        """`write`, durably, for work that may be run twice: the threads of this process share the wait for the disk."""
        return self._attempts(work, durable=True) if self._writers is None else self._writers.together(work)

    def transaction(self, work: Callable[[Session], T], *, durable: bool = True) -> T:
        """Run `work` as one transaction, all or nothing; it may be run again after a collision."""
        with self._turn():
            return self._whole(work, durable)

    def _turn(self) -> AbstractContextManager[Any]:
        return contextlib.nullcontext() if self._writers is None else self._writers.turn

    def _whole(self, work: Callable[[Session], T], durable: bool) -> T:
        def whole(session: Session) -> T:
            session.say(self._begin)
            try:
                result = work(session)
                session.say("COMMIT")
            except BaseException:
                self._roll_back(session)
                raise
            return result

        return self._attempts(whole, durable)

    def _several(self, works: Sequence[Callable[[Session], T]]) -> list[T]:
        return self._whole(lambda session: [work(session) for work in works], durable=True)

    @staticmethod
    def _roll_back(session: Session) -> None:
        try:
            session.say("ROLLBACK")
        except SQLAlchemyError:
            # The connection is thrown away by its lender, and the database undoes what it had begun.
            session.connection.invalidate()

    def _attempts(self, work: Callable[[Session], T], durable: bool) -> T:
        self._check()
        if not durable:
            self._is_undurable = True
        for tried in range(1, _TRIES + 1):
            try:
                with self._connections.lend(durable) as connection:
                    return work(Session(connection, self._statements, self._memory))
            except (SQLAlchemyError, UnicodeDecodeError) as error:
                is_lost = bool(getattr(error, "connection_invalidated", False))
                if tried == _TRIES or not (is_lost or is_collision(error)):
                    raise translated(error, self.place) from error
                if is_lost:
                    self._connections.drop_idle()
                time.sleep(random.uniform(0, 0.01 * 2**tried))  # noqa: S311 - spreads collisions, guards nothing
        raise LedgerBusy(f"the ledger stayed busy: {self.place}")

    def sync(self) -> None:
        """Make everything durable that is not yet."""
        if self._is_undurable:
            self._is_undurable = False
            try:
                self.write(lambda session: session.change(session.statements.touch, {"was": "schema"}))
            except BaseException:
                self._is_undurable = True
                raise

    def close(self) -> None:
        """Make everything durable and let go of the database; may be called twice."""
        try:
            self.sync()
        finally:
            self._connections.close()
            self._engine.dispose()
