"""The credential a profile names, or a file on the command line: PKCS#12, PEM, or a key in a PKCS#11 token."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from govfile.errors import ConfigurationError, CredentialError

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.x509 import Certificate

    from govfile.certificates.credential import Credential
    from govfile.certificates.secret import Secret
    from govfile.certificates.ssh import SshKey
    from govfile.cli.checked import Table
    from govfile.cli.config import Places, Profile

PEM_KEYS = frozenset({"pem", "certificate", "chain"})
PKCS11_KEYS = frozenset({"pkcs11", "token", "pin", "key", "certificate"})

#: Loading "at" this moment with `allow_expired` checks everything but the dates.
_WHENEVER = datetime(9999, 12, 31, tzinfo=UTC)


def load_credential(profile: Profile, *, whenever: bool = False) -> Credential:
    """The credential a profile names; with `whenever`, expired or not yet valid ones too.

    Raises `ConfigurationError` or `CredentialError`.
    """
    from govfile.certificates.credential import Credential

    at = _WHENEVER if whenever else None
    secret = profile.places.secret(profile.table, "passphrase")
    given = profile.table.values.get("credential")
    if isinstance(given, dict) and "pkcs11" in given:
        if secret is not None:
            raise ConfigurationError(f"{profile.table.where}: a token takes a pin, not a passphrase")
        return _from_token(profile.table.table("credential"), profile.places, at)
    passphrase = secret.resolve() if secret else None
    if isinstance(given, dict):
        return _from_pem_files(profile.table.table("credential"), profile.places, passphrase, at)
    file = profile.places.path(profile.table, "credential")
    if file is None:
        raise ConfigurationError(
            f"{profile.table.where}: credential is missing",
            advice='e.g. credential = "company.p12" with passphrase = {env = "P12_PASSPHRASE"}',
        )
    load = Credential.from_pem if is_pem(file) else Credential.from_pkcs12
    return load(file, passphrase, at=at, allow_expired=whenever)


def is_pem(file: Path) -> bool:
    """Whether a file looks like PEM; one that cannot be read does not."""
    try:
        with file.open("rb") as reader:
            return b"-----BEGIN " in reader.read(64 * 1024)
    except OSError:
        return False  # reading it as PKCS#12 says what is wrong with the file


def _from_pem_files(table: Table, places: Places, passphrase: Secret | None, at: datetime | None) -> Credential:
    from govfile.certificates.credential import Credential

    table.allow(PEM_KEYS)
    table.need("pem", str)
    file, certificate, chain = (places.path(table, key) for key in ("pem", "certificate", "chain"))
    assert file is not None
    return Credential.from_pem(
        file, passphrase, certificate=certificate, chain=chain, at=at, allow_expired=at is not None
    )


def _from_token(table: Table, places: Places, at: datetime | None) -> Credential:
    from govfile.certificates.credential import Credential

    table.allow(PKCS11_KEYS)
    pin, module = places.secret(table, "pin"), places.path(table, "pkcs11")
    return Credential.from_pkcs11(
        str(module),
        token=table.need("token", str),
        pin=pin.resolve() if pin else None,
        key_label=table.get("key", str),
        certificate=places.path(table, "certificate"),
        at=at,
        allow_expired=at is not None,
    )


def load_ssh_key(profile: Profile) -> SshKey:
    """The SSH key a profile names; raises `ConfigurationError` or `CredentialError`."""
    from govfile.certificates.ssh import SshKey

    file = profile.places.path(profile.table, "ssh_key")
    if file is None:
        raise ConfigurationError(f"{profile.table.where}: ssh_key is missing", advice='e.g. ssh_key = "onss_rsa"')
    secret = profile.places.secret(profile.table, "ssh_passphrase")
    return SshKey.from_file(file, secret.resolve() if secret else None)


def certificates_in(file: Path, passphrase: Secret | None) -> tuple[Certificate, ...]:
    """The certificates of a file, the one of its key first: PKCS#12, PEM with or without a key, or DER.

    Raises `CredentialError` when it cannot be read. The dates are not checked.
    """
    from govfile.certificates._files import read_source
    from govfile.certificates._pem import open_certificates
    from govfile.certificates.credential import Credential

    content = read_source(file, "certificate file")
    if b"PRIVATE KEY-----" in content:
        own = Credential.from_pem(content, passphrase, at=_WHENEVER, allow_expired=True)
        return (own.certificate, *own.chain)
    try:
        return open_certificates(content, "certificate file")
    except CredentialError:
        if b"-----BEGIN " in content:
            raise
    own = Credential.from_pkcs12(content, passphrase, at=_WHENEVER, allow_expired=True)
    return (own.certificate, *own.chain)
