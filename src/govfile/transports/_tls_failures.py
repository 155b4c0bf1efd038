"""Why a TLS handshake failed, whichever library led it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from govfile.errors import CredentialError, GovfileError, PeerIdentityError, TlsFailed

if TYPE_CHECKING:
    from govfile.transports.ftps_policy import TlsVersion


class TlsSetting(NamedTuple):
    """What matters for explaining a failed handshake; `floor` and `ceiling` bound the version (None: no bound)."""

    endpoint: str
    floor: TlsVersion
    ceiling: TlsVersion | None
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


def handshake_failure(reasons: list[str], problem: str | None, setting: TlsSetting) -> GovfileError:
    """Why TLS did not come about: `problem` is what we had against the server, `reasons` the library's own words."""
    if problem is not None:
        return PeerIdentityError(
            f"the server's certificate is not believed: {problem}",
            certain="neither a login nor a document was sent",
            endpoint=setting.endpoint,
            advice="check the host name; trust another issuer only on its owner's word (Trust.system_and)",
        )
    alert = "; ".join(reasons) or "no reason given"
    return certificate_refusal(reasons, setting) or TlsFailed(
        _explain(alert, setting), alert=alert, endpoint=setting.endpoint, advice=_advise(alert, setting)
    )


def certificate_refusal(reasons: list[str], setting: TlsSetting) -> CredentialError | None:
    """What to raise when the server's alert is about our certificate, or that there is none; None for any other."""
    for mark, meaning in _ABOUT_US.items():
        if any(mark in reason for reason in reasons):
            return _credential_refused(meaning, "; ".join(reasons), setting)
    return None


def _credential_refused(meaning: str, alert: str, setting: TlsSetting) -> CredentialError:
    subject = "the client certificate was refused" if setting.has_certificate else "a client certificate is required"
    return CredentialError(
        f"{subject}: {meaning} (TLS alert: {alert})",
        certain="no document was sent",
        endpoint=setting.endpoint,
        advice="check that it is valid, from the right environment, and registered with the authority",
    )


def _explain(alert: str, setting: TlsSetting) -> str:
    if any(mark in alert for mark in _VERSIONS):
        ceiling = setting.ceiling.value if setting.ceiling else "any later version"
        return f"no common TLS version: we speak {setting.floor.value} to {ceiling} ({alert})"
    if any(mark in alert for mark in _CLEAR_TEXT):
        return f"the server did not answer in TLS ({alert})"
    return f"the TLS handshake failed: {alert}"


def _advise(alert: str, setting: TlsSetting) -> str:
    if any(mark in alert for mark in _VERSIONS):
        return "the server offers other versions only; the policy's floor and ceiling decide ours"
    if any(mark in alert for mark in _CLEAR_TEXT):
        return "check the port, and how TLS starts there"
    if "handshake failure" in alert and not setting.has_certificate:
        return "the server may demand a client certificate; none was given"
    return "if the server mishandles TLS 1.3, cap the policy at TLS 1.2"
