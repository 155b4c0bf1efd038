"""TLS by pyOpenSSL: one context for an endpoint, complete before its first use, shared by control and data.

The private key goes from memory to memory; nothing is written to disk. Only this module and `_channels` know OpenSSL.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from OpenSSL import SSL, crypto

from govfile.certificates.trust import Trust
from govfile.errors import ConfigurationError, CredentialError
from govfile.transports._connect import is_address
from govfile.transports._tls_failures import TlsSetting
from govfile.transports.ftps._identity import belongs_to, names, to_ascii
from govfile.transports.ftps_policy import TlsVersion

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from govfile.certificates.credential import Credential
    from govfile.transports.ftps_policy import FtpsPolicy

_VERSIONS = {TlsVersion.TLS_1_2: SSL.TLS1_2_VERSION, TlsVersion.TLS_1_3: SSL.TLS1_3_VERSION}

#: AES-128-GCM first, for speed; then whatever the library holds to be safe by default.
_TLS_1_2 = b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:DEFAULT:!aNULL:!eNULL"
_TLS_1_3 = b"TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"

#: SSL_MODE_ENABLE_PARTIAL_WRITE (openssl/ssl.h), which pyOpenSSL sets and does not name: with it every call writes one
#: record of 16 KiB and comes back.
_ENABLE_PARTIAL_WRITE = 0x1

#: X509_V_ERR_… numbers in words (openssl/x509_vfy.h); the rest is told by number.
_PROBLEMS = {
    2: "its issuer is unknown",
    9: "it is not yet valid",
    10: "it has expired",
    18: "it is self-signed and not trusted",
    19: "its chain ends in a root that is not trusted",
    20: "its issuer is unknown",
    21: "its issuer is unknown",
    23: "it was revoked",
    26: "it is not meant for servers",
    66: "its key is too weak",
    67: "its issuer's key is too weak",
    68: "its signature uses a broken digest",
}


class Checked:
    """What the verification of one handshake found. It is not run when a session is resumed."""

    __slots__ = ("problem", "ran")

    def __init__(self) -> None:
        self.ran = False
        self.problem: str | None = None


class TlsContext:
    """Everything that the TLS of one endpoint needs. `session` is the newest resumable session, kept by its users."""

    def __init__(self, host: str, policy: FtpsPolicy, credential: Credential | None, endpoint: str) -> None:
        self.setting = TlsSetting(endpoint, policy.floor, policy.ceiling, credential is not None)
        self.session: SSL.Session | None = None
        self._is_1_2 = False
        try:
            self._server_name = None if is_address(host) else to_ascii(host).encode("ascii")
        except ValueError as error:
            raise ConfigurationError(str(error), endpoint=endpoint) from error
        self._resuming_1_2: SSL.Context | None = None
        try:
            self._context = _build(host, policy, credential)
            if _offers_more_than_1_2(policy):
                self._resuming_1_2 = _settings(host, policy, ceiling=SSL.TLS1_2_VERSION)
        except (SSL.Error, crypto.Error) as error:
            why = "; ".join(reasons(error)) or "no reason given"
            raise CredentialError(
                f"the TLS library does not take the key or certificate: {why}",
                endpoint=endpoint,
                advice="check that the key fits the certificate and is not shorter than 2048 bits",
            ) from error

    def keep(self, session: SSL.Session | None, version: str) -> None:
        """Keep the newest resumable session, of the protocol `version` named."""
        self.session, self._is_1_2 = session, version == "TLSv1.2"

    def connection(self, sock: socket.socket, session: SSL.Session | None) -> tuple[SSL.Connection, Checked]:
        """A client connection over `sock`, resuming `session` where one is given."""
        connection, checked = self._start(sock, session), Checked()
        connection.set_app_data(checked)
        if self._server_name:
            connection.set_tlsext_host_name(self._server_name)
        if session is not None:
            connection.set_session(session)
        connection.set_connect_state()
        return connection, checked

    def _start(self, sock: socket.socket, session: SSL.Session | None) -> SSL.Connection:
        """A TLS 1.2 session is resumed without offering TLS 1.3 beside it: the key shares of that offer would cost us
        more than all the rest of the resumption, and never be used.
        """
        if session is None or not self._is_1_2 or self._resuming_1_2 is None:
            return SSL.Connection(self._context, sock)
        connection = SSL.Connection(self._resuming_1_2, sock)
        connection.set_context(self._context)  # where the session, the trust and our certificate are; the version stays
        return connection


def reasons(error: Exception) -> list[str]:
    """The reasons in an error of the TLS library."""
    queue = error.args[0] if error.args and isinstance(error.args[0], list) else []
    return [entry[2] for entry in queue if isinstance(entry, tuple) and len(entry) == 3 and entry[2]]


def _offers_more_than_1_2(policy: FtpsPolicy) -> bool:
    return policy.floor is TlsVersion.TLS_1_2 and policy.ceiling is not TlsVersion.TLS_1_2


def _settings(host: str, policy: FtpsPolicy, ceiling: int | None) -> SSL.Context:
    """Versions, ciphers and how the server is judged."""
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_min_proto_version(_VERSIONS[policy.floor])
    if ceiling is not None:
        context.set_max_proto_version(ceiling)
    context.set_cipher_list(_TLS_1_2)
    context.set_tls13_ciphersuites(_TLS_1_3)
    context.set_options(SSL.OP_NO_RENEGOTIATION | SSL.OP_NO_COMPRESSION)
    context.clear_mode(_ENABLE_PARTIAL_WRITE)
    context.set_verify(SSL.VERIFY_PEER, _verifier(host))
    return context


def _build(host: str, policy: FtpsPolicy, credential: Credential | None) -> SSL.Context:
    """All that a full handshake needs."""
    context = _settings(host, policy, policy.ceiling and _VERSIONS[policy.ceiling])
    _trust(context, policy.trust)
    if credential is not None:
        context.use_certificate(credential.certificate)
        for certificate in credential.chain:
            context.add_extra_chain_cert(certificate)
        context.use_privatekey(credential.private_key)
        context.check_privatekey()
    return context


def _trust(context: SSL.Context, trust: Trust) -> None:
    if trust.system:
        file, folder = Trust.system_files()
        if file is not None or folder is not None:
            context.load_verify_locations(file, folder)
    store = context.get_cert_store()
    assert store is not None
    for anchor in trust.anchors:
        store.add_cert(crypto.X509.from_cryptography(anchor))
    if trust.anchors:
        store.set_flags(crypto.X509StoreFlags.PARTIAL_CHAIN)


def _verifier(host: str) -> Callable[[SSL.Connection, crypto.X509, int, int, int], bool]:
    def verify(connection: SSL.Connection, certificate: crypto.X509, error: int, depth: int, ok: int) -> bool:
        checked: Checked = connection.get_app_data()
        checked.ran = True
        if not ok:
            checked.problem = checked.problem or _PROBLEMS.get(error, f"verification error {error}")
            return False
        if depth == 0:
            leaf = certificate.to_cryptography()
            if not belongs_to(leaf, host):
                known = ", ".join([*names(leaf)[0], *names(leaf)[1]]) or "no host at all"
                checked.problem = f"it is for {known}, not for {host}"
                return False
        return True

    return verify
