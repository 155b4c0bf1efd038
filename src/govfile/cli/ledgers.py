"""The ledger a profile names: a file, a database URL without a password, or a PostgreSQL database with one."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from govfile.errors import ConfigurationError, LedgerError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from govfile.cli.config import Profile
    from govfile.filing.ledger import Ledger

POSTGRESQL_KEYS = frozenset({"host", "port", "database", "user", "password"})


def open_ledger(profile: Profile, *, create: bool) -> Ledger:
    """Open it; with `create`, make a missing file. Raises `ConfigurationError` or `LedgerError`."""
    from govfile.filing.ledger import Ledger

    table, places = profile.table, profile.places
    if isinstance(table.values.get("ledger"), dict):
        where = table.table("ledger")
        where.allow(POSTGRESQL_KEYS)
        secret = places.secret(where, "password")
        return Ledger.postgresql(
            host=where.need("host", str),
            port=where.get("port", int) or 5432,
            database=where.need("database", str),
            user=where.need("user", str),
            password=secret.resolve() if secret else None,
        )
    place = table.need("ledger", str)
    if "://" in place:
        return Ledger.open(place, create=create)
    file = places.path(table, "ledger")
    if file is None:
        raise ConfigurationError(f"{table.where}: ledger is missing", advice='e.g. ledger = "filings.db"')
    if not create and not file.exists():
        raise LedgerError(
            f"there is no ledger {file}",
            advice=f"the first `govfile {profile.authority} submit` of this profile makes it",
        )
    return Ledger.open(file, create=create)


@contextlib.contextmanager
def open_to_look(profile: Profile) -> Iterator[Ledger]:
    """The ledger, or an empty one for a moment where it was not made yet, for what claims and records nothing."""
    from govfile.filing.ledger import Ledger

    with contextlib.ExitStack() as stack:
        if is_there(profile):
            yield stack.enter_context(open_ledger(profile, create=False))
        else:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="govfile-"))
            yield stack.enter_context(Ledger.open(Path(folder, "filings.db")))


def is_there(profile: Profile) -> bool:
    """Whether the profile's ledger exists; a database counts as there, opening it tells."""
    place = profile.table.values.get("ledger")
    if not isinstance(place, str) or "://" in place:
        return True
    file = profile.places.path(profile.table, "ledger")
    return file is not None and file.exists()


def check_can_be_made(profile: Profile) -> None:
    """Raise `ConfigurationError` or `LedgerError` where a ledger file that is not there could not be made either."""
    from govfile.filing.ledger.places import check_place

    file = profile.places.path(profile.table, "ledger")
    assert file is not None
    check_place(file)
    if not os.access(file.parent, os.W_OK | os.X_OK):
        raise LedgerError(
            f"this user cannot write to the ledger's folder {file.parent}", advice="give this user access to it"
        )
