"""What a company still waits for, and through which of its logins: answers lie only with the login that filed."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import attrs

from govfile.errors import CredentialError
from govfile.filing.states import UNDER_WAY
from govfile.filing.waiting import is_silent

if TYPE_CHECKING:
    from datetime import datetime

    from govfile.filing.ledger import Ledger
    from govfile.filing.scope import Scope
    from govfile.skat.environments import Patience


@attrs.frozen(kw_only=True)
class Survey:
    """`mine` counts what this login waits for, `others` what each other login does; `silent` holds the ids of mine
    that nothing was heard of for longer than usual.
    """

    mine: int
    others: tuple[tuple[str, int], ...]
    silent: tuple[str, ...]

    @classmethod
    def take(cls, ledger: Ledger, scope: Scope, username: str, *, now: datetime, patience: Patience) -> Survey:
        """Read the ledger, page by page."""
        silent: list[str] = []
        waiting: Counter[str] = Counter()
        for state in UNDER_WAY:
            found = ledger.search(
                state=state, authority=scope.authority, environment=scope.environment, sender=scope.sender
            )
            for submission in found:
                if submission.sha256 is None:  # a name burnt when a ledger was rebuilt: nobody waits for it
                    continue
                waiting[submission.filed_by] += 1
                if submission.filed_by == username and is_silent(submission, now, patience):
                    silent.append(submission.id)
        mine = waiting.pop(username, 0)
        return cls(mine=mine, others=tuple(sorted(waiting.items())), silent=tuple(silent))

    def check_login(self, username: str) -> None:
        """Raise `CredentialError` when only other logins wait for something."""
        if self.mine or not self.others:
            return
        others = ", ".join(f"{login} ({count})" for login, count in self.others)
        raise CredentialError(
            f"{username} waits for nothing, but submissions of {others} are waiting for their answers",
            certain="answers lie only with the login that filed; nothing was fetched",
            advice="collect with the certificate that filed, or pass even_if_filed_by_others=True to collect here",
            operation="collect",
        )
