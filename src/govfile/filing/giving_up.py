"""When the same would happen to every further document, so that no more are tried."""

from __future__ import annotations

import attrs

from govfile.errors import (
    AuthenticationRefused,
    ConnectionFailed,
    CredentialError,
    GovfileError,
    PeerIdentityError,
    TimedOut,
    TlsFailed,
)

#: A link that fails may be better the next time: it takes several failures in a row.
_HOPELESS = (AuthenticationRefused, CredentialError, PeerIdentityError, TlsFailed)
_PERHAPS = (ConnectionFailed, TimedOut)
_PATIENCE = 3


@attrs.define
class GivingUp:
    """Counts what happens to documents sent one after the other. `reason` is why to stop, None while there is hope."""

    reason: GovfileError | None = attrs.field(default=None, init=False)
    _failures: int = attrs.field(default=0, init=False)

    def note(self, error: GovfileError | None) -> None:
        """What became of one more document: the error, or None when it was sent."""
        self._failures = self._failures + 1 if isinstance(error, _PERHAPS) else 0
        if isinstance(error, _HOPELESS) or self._failures >= _PATIENCE:
            self.reason = error
