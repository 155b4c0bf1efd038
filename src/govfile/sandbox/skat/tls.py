"""The TLS contexts of a sandbox server: who is believed, what is shown, and whether a session was resumed."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import attrs
from OpenSSL import SSL, crypto

from govfile.sandbox import pki
from govfile.transports.ftps_policy import TlsVersion

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography import x509

_VERSIONS = {TlsVersion.TLS_1_2: SSL.TLS1_2_VERSION, TlsVersion.TLS_1_3: SSL.TLS1_3_VERSION}
_DEMANDED = SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT
_CERTIFICATE_SENT = b"write certificate"  # a state that only a full handshake passes through


@attrs.define
class Handshake:
    """What is known of one connection's handshake."""

    was_full: bool = False


def context(
    what: pki.ServerCertificate,
    *,
    floor: TlsVersion,
    ceiling: TlsVersion | None,
    accept: Callable[[x509.Certificate], bool],
) -> SSL.Context:
    """A server context that demands a client certificate of a sandbox issuer for which `accept` says yes."""
    shown = pki.server(what)
    found = SSL.Context(SSL.TLS_SERVER_METHOD)
    found.set_min_proto_version(_VERSIONS[floor])
    if ceiling is not None:
        found.set_max_proto_version(_VERSIONS[ceiling])
    found.use_certificate(shown.certificate)
    found.use_privatekey(shown.key)
    found.check_privatekey()
    store = found.get_cert_store()
    assert store is not None
    for issuer in (pki.Issuer.OCES2, pki.Issuer.OCES3):
        store.add_cert(crypto.X509.from_cryptography(pki.authority(issuer).certificate))
    found.set_session_id(b"govfile sandbox")  # without it OpenSSL ends resumed sessions that have a client certificate
    found.set_verify(_DEMANDED, functools.partial(_verify, accept))
    found.set_info_callback(_watch)
    return found


def _verify(
    accept: Callable[[x509.Certificate], bool],
    _: SSL.Connection,
    certificate: crypto.X509,
    problem: int,
    depth: int,
    is_good: int,
) -> bool:
    if problem or not is_good:
        return False
    return depth > 0 or accept(certificate.to_cryptography())


def _watch(connection: SSL.Connection, where: int, _: int) -> None:
    handshake = connection.get_app_data()
    if isinstance(handshake, Handshake) and where & SSL.SSL_CB_LOOP:
        handshake.was_full = handshake.was_full or _CERTIFICATE_SENT in connection.get_state_string()


def watch(connection: SSL.Connection) -> Handshake:
    """Follow the handshake of a connection that has not begun it."""
    handshake = Handshake()
    connection.set_app_data(handshake)
    return handshake


def demand_no_certificate(connection: SSL.Connection) -> None:
    """Do not ask for a client certificate on this one connection."""
    connection.set_verify(SSL.VERIFY_NONE, None)
