"""Every statement on the ledger, written in SQLAlchemy Core and turned into SQL text once per dialect.

Building the text again for each call costs more than running it.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy import Integer, Text, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from govfile.filing.ledger.claims import NAMES_AT_ONCE
from govfile.filing.ledger.receipts import RECEIVED_COLUMNS
from govfile.filing.ledger.rows import COLUMNS
from govfile.filing.ledger.schema import about, counters, kept, parts, received, submissions, used_numbers
from govfile.filing.ledger.set_rows import KEPT_COLUMNS, PART_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import ColumnElement, Table
    from sqlalchemy.engine import Dialect
    from sqlalchemy.sql.expression import ClauseElement

_ROW = attrgetter(*COLUMNS)(submissions.c)
_CHANGED = ("state", "verdict", "revision", "history", "answers", "owner", "crc")
_NAME = ("authority", "environment", "sender", "folded")
_CONTENT = ("authority", "environment", "sender", "service", "sha256", "guard")
_SENDER = ("authority", "environment", "sender")
_DAY = (*_SENDER, "day")


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


def _equal(*names: str, table: Table = submissions) -> list[ColumnElement[bool]]:
    return [table.c[name] == bindparam(name, type_=table.c[name].type) for name in names]


def _insert_if_free(table: Table, columns: Sequence[str], dialect: Dialect) -> Statement:
    """One insertion that makes no row, and raises nothing, where any unique constraint stands against it."""
    values = {name: bindparam(name, type_=table.c[name].type) for name in columns}
    if dialect.name == "postgresql":
        statement = Statement(postgresql.insert(table).values(values).on_conflict_do_nothing(), dialect)
    else:
        statement = Statement(sqlite.insert(table).values(values).on_conflict_do_nothing(), dialect)
    assert statement.names == tuple(columns), "rows are written in this order"
    return statement


def _record(*, unread: bool, also: Sequence[str] = ()) -> ClauseElement:
    changed = {name: bindparam(name, type_=submissions.c[name].type) for name in (*_CHANGED, *also)}
    was = [submissions.c.revision == bindparam("was", type_=Integer())]
    if unread:
        was.append(submissions.c.crc == bindparam("was_crc", type_=submissions.c.crc.type))
    return update(submissions).where(*_equal("id"), *was).values(changed)


class Statements:
    """The statements for one dialect."""

    _made: ClassVar[dict[tuple[str, str, str], Statements]] = {}

    @classmethod
    def of(cls, dialect: Dialect) -> Statements:
        """The same ones for all ledgers of a process that speak alike."""
        speech = (dialect.name, dialect.driver, dialect.paramstyle)
        if speech not in cls._made:
            cls._made[speech] = cls(dialect)
        return cls._made[speech]

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._searches: dict[tuple[str, frozenset[str]], Statement] = {}
        rows = select(*_ROW)
        self.claim = _insert_if_free(submissions, COLUMNS, dialect)
        self.receive = _insert_if_free(received, RECEIVED_COLUMNS, dialect)
        self.record = Statement(_record(unread=False), dialect)
        self.record_unread = Statement(_record(unread=True), dialect)
        self.slim = Statement(_record(unread=False, also=("source_path", "certificate", "archived")), dialect)
        self.by_id = Statement(rows.where(*_equal("id")), dialect)
        self.by_name = Statement(rows.where(*_equal(*_NAME)), dialect)
        some_names = [bindparam(f"name_{position}", type_=Text()) for position in range(NAMES_AT_ONCE)]
        self.by_names = Statement(rows.where(*_equal(*_SENDER), submissions.c.folded.in_(some_names)), dialect)
        self.by_content = Statement(rows.where(*_equal(*_CONTENT)), dialect)
        self.knows_sender = Statement(select(submissions.c.seq).where(*_equal(*_SENDER)).limit(1), dialect)
        self.about = Statement(select(about.c.value).where(about.c.what == bindparam("what", type_=Text())), dialect)
        self.touch = Statement(
            update(about).where(about.c.what == bindparam("was", type_=Text())).values(value=about.c.value), dialect
        )
        new_value = {"value": bindparam("value", type_=Text())}
        self.retell = Statement(
            update(about).where(about.c.what == bindparam("was", type_=Text())).values(new_value), dialect
        )

        self._add_sets(dialect)

    def _add_sets(self, dialect: Dialect) -> None:
        one_set = _equal("submission_id", table=parts)
        self.claim_part = _insert_if_free(parts, PART_COLUMNS, dialect)
        part_row = select(*(parts.c[name] for name in PART_COLUMNS))
        self.parts_of = Statement(part_row.where(*one_set).order_by(parts.c.position), dialect)
        content = _equal(*_SENDER, "sha256", "guard", table=parts)
        self.part_by_content = Statement(select(parts.c.submission_id).where(*content), dialect)
        self.keep = _insert_if_free(kept, KEPT_COLUMNS, dialect)
        of_set = _equal("submission_id", table=kept)
        self.kept_for = Statement(select(*(kept.c[name] for name in KEPT_COLUMNS)).where(*of_set), dialect)
        self.drop_kept = Statement(delete(kept).where(*of_set), dialect)
        self.start_counter = _insert_if_free(counters, (*_DAY, "last"), dialect)
        day = _equal(*_DAY, table=counters)
        self.counted = Statement(select(counters.c.last).where(*day).with_for_update(), dialect)
        was = [counters.c[name] == bindparam(f"was_{name}", type_=Text()) for name in _DAY]
        last = {"last": bindparam("last", type_=counters.c.last.type)}
        self.count_to = Statement(update(counters).where(*was).values(last), dialect)
        self.use_number = _insert_if_free(used_numbers, (*_DAY, "number"), dialect)
        number = used_numbers.c.number
        from_here = [*_equal(*_DAY, table=used_numbers), number >= bindparam("number", type_=number.type)]
        page = select(number).where(*from_here).order_by(number).limit(bindparam("page", type_=Integer()))
        self.used_from = Statement(page, dialect)

    def search(self, filters: frozenset[str]) -> Statement:
        """One page of submissions in the order of their claims, after the sequence number `after`.

        `filters` are names of columns, and `since` (inclusive) and `until` (exclusive) for the time of the claim.
        """
        return self._page(submissions, COLUMNS, "created", filters)

    def receipts(self, filters: frozenset[str]) -> Statement:
        """One page of what was received, in the order it was remembered; filters as for `search`."""
        return self._page(received, RECEIVED_COLUMNS, "at", filters)

    def set_parts(self, filters: frozenset[str]) -> Statement:
        """One page of the parts of all sets, in the order they were claimed; filters are names of columns."""
        return self._page(parts, PART_COLUMNS, "seq", filters)

    def _page(self, table: Table, columns: Sequence[str], time: str, filters: frozenset[str]) -> Statement:
        found = self._searches.get((table.name, filters))
        if found is not None:
            return found
        wanted = [table.c.seq > bindparam("after", type_=table.c.seq.type)]
        wanted += _equal(*sorted(filters - {"since", "until"}), table=table)
        if "since" in filters:
            wanted.append(table.c[time] >= bindparam("since", type_=table.c[time].type))
        if "until" in filters:
            wanted.append(table.c[time] < bindparam("until", type_=table.c[time].type))
        page = select(table.c.seq, *(table.c[name] for name in columns)).where(*wanted).order_by(table.c.seq)
        found = Statement(page.limit(bindparam("page", type_=Integer())), self._dialect)
        self._searches[table.name, filters] = found
        return found
