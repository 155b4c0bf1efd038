"""The ledger's tables, the same for SQLite and PostgreSQL."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Identity, Index, Integer, MetaData, Table, Text, UniqueConstraint

#: What this program writes. `migrations.py` leads here from every earlier version.
VERSION = 4

#: Marks a SQLite file as a ledger of this library (the bytes "gvfl").
APPLICATION_ID = 0x6776666C

_Sequence = BigInteger().with_variant(Integer, "sqlite")

metadata = MetaData()

about = Table(
    "govfile_about",
    metadata,
    Column("what", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

#: One row a document. `folded` is the name without regard to case. `guard` tells filings of one content apart:
#: empty, the caller's key, or a token of its own. `history` and `answers` are JSON, so that one row is one unit that
#: changes at once and carries one checksum. Times are microseconds since 1970 (UTC); order is by `seq`. `set_names` is
#: JSON, NULL where one file carries the document; `archived` is the file with the full record, NULL where that is here.
#: Trailing NULLs are left out of the checksum, so that it is the one of earlier versions.
submissions = Table(
    "govfile_submission",
    metadata,
    Column("seq", _Sequence, Identity(always=True), primary_key=True),
    Column("id", Text, nullable=False),
    Column("authority", Text, nullable=False),
    Column("environment", Text, nullable=False),
    Column("sender", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("folded", Text, nullable=False),
    Column("size", BigInteger),
    Column("sha256", Text),
    Column("guard", Text, nullable=False),
    Column("filed_by", Text, nullable=False),
    Column("certificate", Text, nullable=False),
    Column("is_dry_run", Integer, nullable=False),
    Column("key", Text),
    Column("again", Text),
    Column("source_path", Text),
    Column("state", Text, nullable=False),
    Column("verdict", Text),
    Column("created", BigInteger, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("history", Text, nullable=False),
    Column("answers", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("set_names", Text),
    Column("archived", Text),
    Column("crc", BigInteger, nullable=False),
    UniqueConstraint("id", name="govfile_submission_id"),
    UniqueConstraint("authority", "environment", "sender", "folded", name="govfile_one_name"),
    UniqueConstraint("authority", "environment", "sender", "service", "sha256", "guard", name="govfile_one_content"),
)

#: For `search(state=…)` and for finding what a dead process left in SENDING.
by_state = Index("govfile_by_state", submissions.c.state, submissions.c.seq)

#: One row a file taken from the authority. `modified` is -1 where the server gave no time.
received = Table(
    "govfile_received",
    metadata,
    Column("seq", _Sequence, Identity(always=True), primary_key=True),
    Column("authority", Text, nullable=False),
    Column("environment", Text, nullable=False),
    Column("login", Text, nullable=False),
    Column("remote_name", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("modified", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("saved_as", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("submission_id", Text),
    Column("what", Text, nullable=False),
    Column("crc", BigInteger, nullable=False),
    UniqueConstraint(
        "authority",
        "environment",
        "login",
        "remote_name",
        "size",
        "modified",
        "sha256",
        name="govfile_received_once",
    ),
)

#: One row a source of a set: which of its files carries it, and `marks` (JSON) by which answers may be told. Whatever
#: the purpose and whatever else is in the set, the same content is filed once.
parts = Table(
    "govfile_part",
    metadata,
    Column("seq", _Sequence, Identity(always=True), primary_key=True),
    Column("submission_id", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("authority", Text, nullable=False),
    Column("environment", Text, nullable=False),
    Column("sender", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("guard", Text, nullable=False),
    Column("source_path", Text),
    Column("marks", Text, nullable=False),
    Column("crc", BigInteger, nullable=False),
    UniqueConstraint("submission_id", "position", name="govfile_one_part"),
    UniqueConstraint("authority", "environment", "sender", "sha256", "guard", name="govfile_part_once"),
)

#: What was made for a set beside its sources, its signatures: kept (base64) until the trigger is confirmed, so that
#: whoever goes on sends the same bytes.
kept = Table(
    "govfile_kept",
    metadata,
    Column("submission_id", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("content", Text, nullable=False),
    Column("crc", BigInteger, nullable=False),
)

#: The last number given out for a day.
counters = Table(
    "govfile_counter",
    metadata,
    Column("authority", Text, primary_key=True),
    Column("environment", Text, primary_key=True),
    Column("sender", Text, primary_key=True),
    Column("day", Text, primary_key=True),
    Column("last", BigInteger, nullable=False),
)

#: Numbers that were found in use at the authority and that no counter had given out.
used_numbers = Table(
    "govfile_used_number",
    metadata,
    Column("authority", Text, primary_key=True),
    Column("environment", Text, primary_key=True),
    Column("sender", Text, primary_key=True),
    Column("day", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True),
)
