"""Filings by what people call them: an id, or a remote name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from govfile.cli.escape import printable
from govfile.errors import ConfigurationError, LedgerError

if TYPE_CHECKING:
    from govfile.filing.ledger import Ledger
    from govfile.filing.submission import Submission


def find(
    ledger: Ledger, which: str, *, authority: str | None = None, environment: str | None = None
) -> list[Submission]:
    """The filings with this id or name, without regard to case; raises `ConfigurationError` when there is none.

    Where several files carry a filing, the name of any of them means it.
    """
    try:
        found = [ledger.get(which)]
    except LedgerError as error:
        if type(error) is not LedgerError:  # damaged or busy, not the plain "no such id"
            raise
        wanted = which.casefold()
        several = ledger.search(authority=authority, environment=environment)
        found = [one for one in several if wanted in {name.casefold() for name in one.remote_names}]
    if not found:
        raise ConfigurationError(f"the ledger knows no filing {printable(which)}", advice="govfile ledger list")
    return found


def find_one(ledger: Ledger, which: str, *, authority: str, environment: str) -> Submission:
    """The one filing; raises `ConfigurationError` where there is none, or several of that name."""
    found = find(ledger, which, authority=authority, environment=environment)
    if len(found) > 1:
        ids = ", ".join(one.id for one in found)
        raise ConfigurationError(f"{len(found)} filings are called {printable(which)}", advice=f"give its id: {ids}")
    return found[0]
