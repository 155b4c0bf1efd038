"""Whose filings are meant."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class Scope:
    """A sender in an environment of an authority."""

    authority: str
    environment: str
    sender: str

    def where(self) -> dict[str, str]:
        """The arguments that name it to a ledger."""
        return {"authority": self.authority, "environment": self.environment, "sender": self.sender}
