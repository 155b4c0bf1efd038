"""Time-outs and patience, as every environment table of the configuration may hold them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from govfile.cli.checked import Table
    from govfile.filing.patience import Patience
    from govfile.transports.base import Timeouts

TIMEOUT_KEYS = frozenset({"connect", "tls", "reply", "data", "close", "total"})
PATIENCE_KEYS = frozenset({"first", "usual", "slow_after", "slow", "silence", "give_up", "second_look"})


def timeouts(table: Table, usual: Timeouts) -> Timeouts:
    """Those under `timeouts` (seconds) in place of the usual ones; raises `ConfigurationError`."""
    given = table.table("timeouts")
    given.allow(TIMEOUT_KEYS)
    return attrs.evolve(usual, **{key: given.seconds(key) for key in given.values})


def patience(table: Table, usual: Patience) -> Patience:
    """That under `patience` (seconds) in place of the usual one; raises `ConfigurationError`."""
    given = table.table("patience")
    given.allow(PATIENCE_KEYS)
    changes = {key: timedelta(seconds=given.seconds(key)) for key in given.values}
    return attrs.evolve(usual, **changes) if changes else usual
