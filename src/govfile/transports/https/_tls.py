"""TLS by the standard library: one context for an endpoint, complete before its first use."""

from __future__ import annotations

import select
import ssl
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import Encoding

from govfile.certificates.trust import Trust
from govfile.errors import ConfigurationError, ConnectionFailed, Phase
from govfile.transports._tls_failures import TlsSetting, handshake_failure
from govfile.transports.ftps_policy import TlsVersion
from govfile.transports.https._client_key import present
from govfile.transports.https._watch import WatchedTls, says_something

if TYPE_CHECKING:
    import socket

    from govfile.certificates.credential import Credential
    from govfile.transports._deadlines import Deadlines
    from govfile.transports.https_policy import HttpsPolicy

_VERSIONS = {TlsVersion.TLS_1_2: ssl.TLSVersion.TLSv1_2, TlsVersion.TLS_1_3: ssl.TLSVersion.TLSv1_3}

#: How long a server of TLS 1.3 is given to object to our certificate, in handshakes and in seconds.
_PATIENCE, _LEAST, _MOST = 2.0, 0.05, 1.0


class TlsContext:
    """Everything that TLS with one server needs; threads may share it."""

    def __init__(
        self, host: str, trust: Trust, credential: Credential | None, policy: HttpsPolicy, endpoint: str
    ) -> None:
        self.setting = TlsSetting(endpoint, policy.floor, policy.ceiling, credential is not None)
        self._host = host
        self._context = _build(policy, trust)
        if credential is not None:
            present(self._context, credential, endpoint)
            self._context.post_handshake_auth = True

    def secure(self, sock: socket.socket, deadlines: Deadlines) -> WatchedTls:
        """TLS over a connected socket, which it takes over.

        Raises `PeerIdentityError`, `CredentialError`, `TlsFailed`, `TimedOut` or `ConnectionFailed`.
        """
        limit = deadlines.limit("tls", f"TLS with {self._host} was being set up")
        try:
            tls = self._context.wrap_socket(
                sock, server_hostname=self._host, do_handshake_on_connect=False, suppress_ragged_eofs=False
            )
        except BaseException:
            sock.close()
            raise
        assert isinstance(tls, WatchedTls)
        began = deadlines.monotonic()
        try:
            tls.settimeout(max(limit.end - began, 0.001))
            tls.do_handshake()
            now = deadlines.monotonic()
            self._hear_objections(tls, min(max(_PATIENCE * (now - began), _LEAST), _MOST, limit.end - now))
        except TimeoutError as error:
            tls.close()
            raise deadlines.passed(limit) from error
        except OSError as error:
            tls.close()
            raise self._explain(error) from error
        except BaseException:
            tls.close()
            raise
        return tls

    def _hear_objections(self, tls: WatchedTls, patience: float) -> None:
        """In TLS 1.3 a server judges our certificate when our side of the handshake is over (RFC 8446, 4.4.2.4).

        What it says next is either that it refuses, or a ticket, which means that it does not. Hearing it before the
        request leaves makes a refusal certain to be one. A server that says nothing costs a short wait.
        """
        if tls.version() != "TLSv1.3":
            return
        poller = select.poll()
        poller.register(tls, select.POLLIN)
        if poller.poll(max(1000 * patience, 0)) and says_something(tls):
            raise ConnectionResetError("it ended right after the handshake")

    def _explain(self, error: OSError) -> Exception:
        if isinstance(error, ssl.SSLCertVerificationError):
            return handshake_failure([], error.verify_message.rstrip("."), self.setting)
        if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
            return handshake_failure(reasons(error), None, self.setting)
        return ConnectionFailed(
            "the server ended the connection during the TLS handshake",
            phase=Phase.TLS,
            endpoint=self.setting.endpoint,
            advice="try again; if it happens each time, the server may not accept this certificate or address",
        )


def reasons(error: ssl.SSLError) -> list[str]:
    """The reason in an error of the TLS library, in small letters and words."""
    return [error.reason.lower().replace("_", " ")] if error.reason else []


def _build(policy: HttpsPolicy, trust: Trust) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks the chain and the host name
    context.sslsocket_class = WatchedTls
    context.hostname_checks_common_name = False
    context.minimum_version = _VERSIONS[policy.floor]
    if policy.ceiling is not None:
        context.maximum_version = _VERSIONS[policy.ceiling]
    file, folder = Trust.system_files() if trust.system else (None, None)
    if file is None and folder is None and not trust.anchors:
        raise ConfigurationError("no certificate authority is trusted, so that no server could be")
    if file is not None or folder is not None:
        context.load_verify_locations(file, folder)
    if trust.anchors:
        anchors = b"".join(anchor.public_bytes(Encoding.PEM) for anchor in trust.anchors)
        context.load_verify_locations(cadata=anchors.decode("ascii"))
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context
