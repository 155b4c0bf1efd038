"""Every statement on the ledger, written in SQLAlchemy Core and turned into SQL text once per dialect.

Building the text again for each call costs more than running it.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

from sqlalchemy import Integer, Text, bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from govfile.filing.ledger.rows import COLUMNS
from govfile.filing.ledger.schema import about, submissions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import ColumnElement
    from sqlalchemy.engine import Dialect
    from sqlalchemy.sql.expression import ClauseElement

_ROW = attrgetter(*COLUMNS)(submissions.c)
_CHANGED = ("state", "verdict", "revision", "history", "answers", "owner", "crc")
_NAME = ("authority", "environment", "sender", "folded")
_CONTENT = ("authority", "environment", "sender", "service", "sha256", "guard")
_SENDER = ("authority", "environment", "sender")


class Statement:
    """SQL text of one dialect, and the order in which it wants its values."""

    __slots__ = ("_fixed", "names", "sql")

    def __init__(self, clause: ClauseElement, dialect: Dialect) -> None:
        compiled = clause.compile(dialect=dialect)
        self.sql = str(compiled)
        self.names: tuple[str, ...] = tuple(getattr(compiled, "positiontup", None) or ())
        self._fixed = {name: value for name, value in dict(compiled.params or {}).items() if value is not None}

    def bind(self, values: Mapping[str, Any]) -> tuple[Any, ...]:
        """The values in that order."""
        given = {**self._fixed, **values} if self._fixed else values
        return tuple([given[name] for name in self.names])


def _equal(*names: str) -> list[ColumnElement[bool]]:
    return [submissions.c[name] == bindparam(name, type_=submissions.c[name].type) for name in names]


def _claim(dialect: Dialect) -> ClauseElement:
    values = {name: bindparam(name, type_=submissions.c[name].type) for name in COLUMNS}
    if dialect.name == "postgresql":
        return postgresql.insert(submissions).values(values).on_conflict_do_nothing()
    return sqlite.insert(submissions).values(values).on_conflict_do_nothing()


def _record() -> ClauseElement:
    changed = {name: bindparam(name, type_=submissions.c[name].type) for name in _CHANGED}
    was = submissions.c.revision == bindparam("was", type_=Integer())
    return update(submissions).where(*_equal("id"), was).values(changed)


class Statements:
    """The statements for one dialect."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._searches: dict[frozenset[str], Statement] = {}
        rows = select(*_ROW)
        self.claim = Statement(_claim(dialect), dialect)
        assert self.claim.names == COLUMNS, "rows are written in this order"
        self.record = Statement(_record(), dialect)
        self.by_id = Statement(rows.where(*_equal("id")), dialect)
        self.by_name = Statement(rows.where(*_equal(*_NAME)), dialect)
        self.by_content = Statement(rows.where(*_equal(*_CONTENT)), dialect)
        self.knows_sender = Statement(select(submissions.c.seq).where(*_equal(*_SENDER)).limit(1), dialect)
        self.about = Statement(select(about.c.value).where(about.c.what == bindparam("what", type_=Text())), dialect)
        self.tell = Statement(
            insert(about).values(what=bindparam("what", type_=Text()), value=bindparam("value", type_=Text())), dialect
        )
        self.touch = Statement(
            update(about).where(about.c.what == bindparam("was", type_=Text())).values(value=about.c.value), dialect
        )

    def search(self, filters: frozenset[str]) -> Statement:
        """One page of submissions in the order of their claims, after the sequence number `after`.

        `filters` are names of columns, and `since` (inclusive) and `until` (exclusive) for the time of the claim.
        """
        found = self._searches.get(filters)
        if found is None:
            created = submissions.c.created
            wanted = [submissions.c.seq > bindparam("after", type_=submissions.c.seq.type)]
            wanted += _equal(*sorted(filters - {"since", "until"}))
            if "since" in filters:
                wanted.append(created >= bindparam("since", type_=created.type))
            if "until" in filters:
                wanted.append(created < bindparam("until", type_=created.type))
            page = select(submissions.c.seq, *_ROW).where(*wanted).order_by(submissions.c.seq)
            found = Statement(page.limit(bindparam("page", type_=Integer())), self._dialect)
            self._searches[filters] = found
        return found
