"""A private key for the standard library's TLS, which takes it only from a file: one that is in memory, where it can.

Whatever the file is, the key in it is encrypted with a passphrase that nobody keeps, so that it never stands in clear
text anywhere.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import ssl
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from govfile.errors import ConfigurationError, CredentialError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from govfile.certificates.credential import Credential


def present(context: ssl.SSLContext, credential: Credential, endpoint: str) -> None:
    """Have `context` present the credential; raises `CredentialError` where it cannot."""
    passphrase = secrets.token_hex(32)
    encryption = BestAvailableEncryption(passphrase.encode())
    key = credential.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
    certificates = (credential.certificate, *credential.chain)
    chain = b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)
    try:
        with _as_file(key + chain) as path:
            context.load_cert_chain(path, password=passphrase)
    except ssl.SSLError as error:
        raise CredentialError(
            f"the TLS library does not take the key or certificate: {error.reason or 'no reason given'}",
            endpoint=endpoint,
            advice="check that the key fits the certificate and is not shorter than 2048 bits",
        ) from error
    except OSError as error:
        raise ConfigurationError(
            f"the client certificate cannot be handed to the TLS library: {error.strerror}",
            advice="this system has no files in memory; give a private folder for short-lived files by TMPDIR",
        ) from error


@contextlib.contextmanager
def _as_file(content: bytes) -> Iterator[str]:
    """The path under which the TLS library reads `content`; it is gone afterwards."""
    path = _in_memory(content)
    if path is None:
        with _on_disk(content) as path:
            yield path
        return
    try:
        yield path
    finally:
        os.close(int(path.rpartition("/")[2]))


def _in_memory(content: bytes) -> str | None:
    """A file that is only in memory and closed to programs this one starts; None where the system has none."""
    if not hasattr(os, "memfd_create"):
        return None
    try:
        descriptor = os.memfd_create("govfile", os.MFD_CLOEXEC)
    except OSError:
        return None
    path = f"/proc/self/fd/{descriptor}"
    try:
        os.write(descriptor, content)
        if Path(path).exists():
            return path
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None


@contextlib.contextmanager
def _on_disk(content: bytes) -> Iterator[str]:
    """The fallback: a file of mode 0600 in a folder of mode 0700, removed at once."""
    folder = tempfile.mkdtemp(prefix="govfile-")
    try:
        path = Path(folder, "credential.pem")
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        yield str(path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
