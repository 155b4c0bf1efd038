"""What the TLS library and the operating system say, as errors of our own."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from govfile.errors import (
    ConnectionFailed,
    CredentialError,
    GovfileError,
    PeerIdentityError,
    Phase,
    TlsFailed,
)

if TYPE_CHECKING:
    from govfile.transports.ftps_policy import FtpsPolicy


class SessionEnded(Exception):
    """The control connection is no more; `error` is what a caller is told when that cannot be mended."""

    def __init__(self, error: ConnectionFailed) -> None:
        super().__init__(str(error))
        self.error = error


class Interrupted(Exception):
    """The server gave its final reply while the data connection was still being used."""


class DataLost(Exception):
    """The data connection broke; why is said on the control connection, if anywhere."""


class TlsSetting(NamedTuple):
    """What matters for explaining a failed handshake."""

    endpoint: str
    policy: FtpsPolicy
    has_certificate: bool


#: Alerts by which a server says that it does not like our certificate (RFC 5246 section 7.2, RFC 8446 section 6).
_ABOUT_US = {
    "certificate expired": "it has expired, or the server's clock disagrees",
    "certificate revoked": "it was revoked",
    "unknown ca": "the server does not know who issued it",
    "certificate unknown": "the server does not accept it",
    "bad certificate": "the server does not accept it",
    "unsupported certificate": "the server does not accept this kind",
    "certificate required": "the server demands one and got none",
    "access denied": "the server does not let it in",
}

_VERSIONS = ("protocol version", "unsupported protocol", "no protocols available", "version too low", "legacy sigalg")
_CLEAR_TEXT = ("wrong version number", "packet length too long", "http request")


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


def handshake_failure(reasons: list[str], problem: str | None, setting: TlsSetting) -> GovfileError:
    """Why TLS did not come about: `problem` is what we had against the server, `reasons` the library's own words."""
    if problem is not None:
        return PeerIdentityError(
            f"the server's certificate is not believed: {problem}",
            certain="no login was sent",
            endpoint=setting.endpoint,
            advice="check the host name; trust another issuer only on its owner's word (Trust.system_and)",
        )
    alert = "; ".join(reasons) or "no reason given"
    for mark, meaning in _ABOUT_US.items():
        if any(mark in reason for reason in reasons):
            return _credential_refused(meaning, alert, setting)
    return TlsFailed(_explain(alert, setting), alert=alert, endpoint=setting.endpoint, advice=_advise(alert, setting))


def _credential_refused(meaning: str, alert: str, setting: TlsSetting) -> CredentialError:
    subject = "the client certificate was refused" if setting.has_certificate else "a client certificate is required"
    return CredentialError(
        f"{subject}: {meaning} (TLS alert: {alert})",
        certain="no document was sent",
        endpoint=setting.endpoint,
        advice="check that it is valid, from the right environment, and registered with the authority",
    )


def _explain(alert: str, setting: TlsSetting) -> str:
    policy = setting.policy
    if any(mark in alert for mark in _VERSIONS):
        ceiling = policy.ceiling.value if policy.ceiling else "any later version"
        return f"no common TLS version: we speak {policy.floor.value} to {ceiling} ({alert})"
    if any(mark in alert for mark in _CLEAR_TEXT):
        return f"the server did not answer in TLS ({alert})"
    return f"the TLS handshake failed: {alert}"


def _advise(alert: str, setting: TlsSetting) -> str:
    if any(mark in alert for mark in _VERSIONS):
        return "the server offers other versions only; the policy's floor and ceiling decide ours"
    if any(mark in alert for mark in _CLEAR_TEXT):
        return "check the port, and whether TLS starts explicitly or implicitly there"
    if "handshake failure" in alert and not setting.has_certificate:
        return "the server may demand a client certificate; none was given"
    return "if the server mishandles TLS 1.3, cap the policy at TLS 1.2"
