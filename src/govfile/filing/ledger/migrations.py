"""From every earlier schema to this one.

Version 1 knew submissions only. Version 2 adds what was received and an index on states. Version 3 adds sets of files:
their names, their parts, what is kept until they are sent, and the numbers in their names. Version 4 adds where the
full record of an old submission is.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from sqlalchemy.schema import CreateIndex, CreateTable

from govfile.errors import LedgerDamaged, LedgerTooNew
from govfile.filing.ledger.schema import VERSION, by_state, counters, kept, parts, received, used_numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from govfile.filing.ledger.database import Database, Session

logger = logging.getLogger("govfile.filing")


def _to_2(session: Session) -> None:
    session.connection.execute(CreateTable(received))
    session.connection.execute(CreateIndex(by_state))


def _to_3(session: Session) -> None:
    session.say("ALTER TABLE govfile_submission ADD COLUMN set_names TEXT")
    for table in (parts, kept, counters, used_numbers):
        session.connection.execute(CreateTable(table))


def _to_4(session: Session) -> None:
    session.say("ALTER TABLE govfile_submission ADD COLUMN archived TEXT")


#: A version → what leads from it to the next.
STEPS: Mapping[int, Callable[[Session], None]] = {1: _to_2, 2: _to_3, 3: _to_4}


def version_of(database: Database) -> int:
    """The schema's version; raises `LedgerDamaged` when the ledger does not say."""
    return database.run(lambda session: _read(session, database.place))


def bring_up_to_date(database: Database, *, lock: str | None, back_up: Callable[[int], object] | None) -> None:
    """Lead the ledger to `VERSION` in one transaction, after `back_up(version)` has copied it.

    `lock` is a statement that keeps others from migrating at once, where the transaction's start does not. Raises
    `LedgerTooNew` for a schema of the future; the ledger is left as it is.
    """
    found = version_of(database)
    if found > VERSION:
        raise LedgerTooNew(
            f"the ledger has schema {found}, this govfile knows up to {VERSION}: {database.place}",
            certain="the ledger was left as it is",
            advice="install the newest govfile",
        )
    if found == VERSION:
        return
    if back_up is not None:
        back_up(found)

    def work(session: Session) -> None:
        if lock is not None:
            session.say(lock)
        for version in range(_read(session, database.place), VERSION):
            STEPS[version](session)
        session.change(session.statements.retell, {"was": "schema", "value": str(VERSION)})

    database.transaction(work)
    logger.info("ledger migrated from schema %d to %d: %s", found, VERSION, database.place)


def _read(session: Session, place: str) -> int:
    row = session.one(session.statements.about, {"what": "schema"})
    text = str(row[0]) if row is not None else ""
    if not text.isdecimal() or int(text) < 1:
        raise LedgerDamaged(
            f"the ledger does not say which version wrote it: {place}",
            advice="keep it as it is, restore a backup and rebuild from the authority's folders",
        )
    return int(text)
