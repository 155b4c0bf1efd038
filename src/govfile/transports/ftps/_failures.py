"""What the TLS library and the operating system say, as errors of our own."""

from __future__ import annotations

from govfile.errors import ConnectionFailed, Phase


class SessionEnded(Exception):
    """The control connection is no more; `error` is what a caller is told when that cannot be mended."""

    def __init__(self, error: ConnectionFailed) -> None:
        super().__init__(str(error))
        self.error = error


class Interrupted(Exception):
    """The server gave its final reply while the data connection was still being used."""


class DataLost(Exception):
    """The data connection broke; why is said on the control connection, if anywhere."""


def lost(endpoint: str, doing: str, phase: Phase, cause: BaseException | None = None) -> ConnectionFailed:
    """The connection ended while `doing` something."""
    error = ConnectionFailed(
        f"the connection was lost while {doing}",
        phase=phase,
        endpoint=endpoint,
        advice="try again; if it happens each time, the server may not accept this certificate or address",
    )
    error.__cause__ = cause
    return error
