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
    from govfile.cli.checked import Table
    from govfile.cli.config import Places, Profile

PKCS12_KEYS = frozenset({"pkcs12", "passphrase"})
PEM_KEYS = frozenset({"pem", "certificate", "chain", "passphrase"})
PKCS11_KEYS = frozenset({"pkcs11", "token", "pin", "key", "certificate"})

#: Loading "at" this moment with `allow_expired` checks everything but the dates.
_WHENEVER = datetime(9999, 12, 31, tzinfo=UTC)


def load_credential(profile: Profile, *, whenever: bool = False) -> Credential:
    """The credential a profile names; with `whenever`, expired or not yet valid ones too.

    Raises `ConfigurationError` or `CredentialError`.
    """
    from govfile.certificates.credential import Credential

    table, places = profile.table.table("credential"), profile.places
    ways = [way for way in ("pkcs12", "pem", "pkcs11") if way in table.values]
    if len(ways) != 1:
        raise ConfigurationError(
            f"{table.where}: exactly one of pkcs12, pem and pkcs11 is needed",
            advice='e.g. credential = {pkcs12 = "company.p12", passphrase = {env = "P12_PASSPHRASE"}}',
        )
    table.allow({"pkcs12": PKCS12_KEYS, "pem": PEM_KEYS, "pkcs11": PKCS11_KEYS}[ways[0]])
    at = _WHENEVER if whenever else None
    if ways[0] == "pkcs11":
        return _from_token(table, places, at)
    secret = places.secret(table, "passphrase")
    passphrase = secret.resolve() if secret else None
    file = places.path(table, ways[0])
    assert file is not None
    if ways[0] == "pkcs12":
        return Credential.from_pkcs12(file, passphrase, at=at, allow_expired=whenever)
    certificate, chain = places.path(table, "certificate"), places.path(table, "chain")
    return Credential.from_pem(file, passphrase, certificate=certificate, chain=chain, at=at, allow_expired=whenever)


def _from_token(table: Table, places: Places, at: datetime | None) -> Credential:
    from govfile.certificates.credential import Credential

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


def certificates_in(file: Path, passphrase: Secret | None) -> tuple[Certificate, ...]:
    """The certificates of a file, the one of its key first: PKCS#12, PEM with or without a key, or DER.

    Raises `CredentialError` when it cannot be read. The dates are not checked.
    """
    from cryptography import x509

    from govfile.certificates.credential import Credential

    try:
        content = file.read_bytes()
    except OSError as error:
        raise CredentialError(f"{file} cannot be read: {error.strerror}", advice="check the path") from error
    if b"PRIVATE KEY-----" in content:
        own = Credential.from_pem(content, passphrase, at=_WHENEVER, allow_expired=True)
    else:
        for read in (x509.load_pem_x509_certificates, lambda der: [x509.load_der_x509_certificate(der)]):
            try:
                return tuple(read(content))
            except ValueError:  # not this form
                continue
        own = Credential.from_pkcs12(content, passphrase, at=_WHENEVER, allow_expired=True)
    return (own.certificate, *own.chain)
