"""The TLS contexts of the sandboxes' web server."""

from __future__ import annotations

import functools
import os
import pathlib
import secrets
import ssl
import tempfile

import attrs
from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from govfile.sandbox import pki

_NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME of OpenSSL's x509_vfy.h


@attrs.frozen(kw_only=True)
class Tls:
    """What the server shows, and of whom it takes client certificates.

    `clients` are the issuers; none: no certificate is asked for. `demanded` ends the handshake without one. Whether a
    certificate is out of date is left to the handler, which knows the sandbox's clock.
    """

    certificate: pki.ServerCertificate = pki.ServerCertificate.GOOD
    clients: tuple[x509.Certificate, ...] = ()
    demanded: bool = True
    ceiling: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED


@functools.lru_cache(maxsize=32)
def context(tls: Tls) -> ssl.SSLContext:
    """A server's context for TLS 1.2 and above; equal ones share it."""
    found = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    found.minimum_version = ssl.TLSVersion.TLSv1_2
    found.maximum_version = tls.ceiling
    found.set_alpn_protocols(["http/1.1"])
    _show(found, pki.server(tls.certificate))
    if tls.clients:
        found.verify_mode = ssl.CERT_REQUIRED if tls.demanded else ssl.CERT_OPTIONAL
        found.verify_flags |= ssl.VerifyFlags(_NO_CHECK_TIME) | ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
        found.load_verify_locations(cadata=pki.pem(*tls.clients).decode("ascii"))
    return found


def certificate(der: bytes) -> x509.Certificate:
    """What a client showed."""
    return x509.load_der_x509_certificate(der)


def _show(found: ssl.SSLContext, shown: pki.Issued) -> None:
    """Load key and certificate, which `ssl` takes from a file only: the key lies in it under a passphrase."""
    passphrase = secrets.token_bytes(16).hex()
    key = shown.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase.encode()))
    handle, path = tempfile.mkstemp(prefix="govfile-sandbox-")
    try:
        with os.fdopen(handle, "wb") as writer:
            writer.write(key + pki.pem(shown.certificate, shown.issuer))
        found.load_cert_chain(path, password=passphrase)
    finally:
        pathlib.Path(path).unlink()
