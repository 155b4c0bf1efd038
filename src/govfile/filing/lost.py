"""Whether a ledger was lost: names in use at the authority that nobody filed with this one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from govfile.errors import LedgerError, Retry

if TYPE_CHECKING:
    from collections.abc import Iterable

    from govfile.filing.ledger import Ledger
    from govfile.filing.scope import Scope


def not_filed_here(ledger: Ledger, scope: Scope, names: Iterable[str]) -> int:
    """How many of these names were not filed with this ledger, though they may be burnt in it.

    Another process may have filed since, with the same ledger: its names are no sign of a loss.
    """
    found = (ledger.find(**scope.where(), name=name) for name in names)
    return sum(known is None or not known.filed_by for known in found)


def lost_ledger(scope: Scope, in_use: int, where: str) -> LedgerError:
    """What to say of the names that `where` ("the gateway shows") has in use, before a fresh one is made: nothing else
    would notice that a document was filed before a ledger was lost.
    """
    return LedgerError(
        f"the ledger knows nothing of {scope.sender}, but {where} {in_use} of its names in use",
        certain="nothing was sent; those names are burnt in the ledger now",
        advice="if a ledger was lost, restore it; if not, submit again: whether the document was filed before "
        "under another name, only you can know",
        operation="submit",
        retry=Retry.AFTER_A_LOOK,
    )
