"""Whether a certificate leads up to an anchor that is believed (RFC 5280, section 6), by OpenSSL's own path check."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from cryptography import x509
    from OpenSSL import crypto

    from govfile.certificates.trust import Trust


def why_not_trusted(
    certificate: x509.Certificate, others: Iterable[x509.Certificate], trust: Trust, at: datetime
) -> str:
    """ "" when a path through `others` leads to an anchor of `trust` and holds at `at`; else the reason in words.

    An anchor need not be a root. Revocation is not looked up.
    """
    from OpenSSL import crypto

    try:
        store = _store(trust, at)
        untrusted = [crypto.X509.from_cryptography(found) for found in others]
        context = crypto.X509StoreContext(store, crypto.X509.from_cryptography(certificate), untrusted)
        context.verify_certificate()
    except crypto.X509StoreContextError as error:
        return str(error)
    except crypto.Error:
        return "a certificate of the chain cannot be read"
    return ""


def _store(trust: Trust, at: datetime) -> crypto.X509Store:
    from OpenSSL import crypto

    store = crypto.X509Store()
    store.set_flags(crypto.X509StoreFlags.PARTIAL_CHAIN)
    store.set_time(at.astimezone(UTC))
    for anchor in trust.anchors:
        store.add_cert(crypto.X509.from_cryptography(anchor))
    if trust.system:
        file, folder = trust.system_files()
        if file or folder:
            store.load_locations(file, folder)
    return store
