"""What the store hands out: a slot's identity, its generations, and a request that waits for its certificate."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING

import attrs
from cryptography.hazmat.primitives import hashes

from govfile.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from cryptography import x509

_LONGEST = 200
_UNSAFE = re.compile(r"[^a-z0-9-]+")


def _check(_: SlotId, attribute: attrs.Attribute[str], value: object) -> None:
    if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST or not value.isprintable():
        raise ConfigurationError(
            f"the {attribute.name} of a slot is empty, too long, not printable or no text: it is given as "
            f"{type(value).__name__}",
            advice=f"give 1 to {_LONGEST} printable characters",
        )


@attrs.frozen(order=True)
class SlotId:
    """Whose credential: the `authority` that takes it, the `environment` it is for, and the `holder`.

    The environment is part of it, so that a credential for tests never replaces a real one. Each is text of 1 to 200
    printable characters, compared as it stands.
    """

    authority: str = attrs.field(validator=_check)
    environment: str = attrs.field(validator=_check)
    holder: str = attrs.field(validator=_check)

    def __str__(self) -> str:
        return f"{self.authority}/{self.environment}/{self.holder}"

    @property
    def folder(self) -> str:
        """The name of its folder: readable, and different for every slot on every file system."""
        parts = [self.authority, self.environment, self.holder]
        readable = ".".join(_UNSAFE.sub("_", part.lower())[:40] for part in parts)
        return f"{readable}.{hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]}"


@attrs.frozen(kw_only=True)
class Generation:
    """One key with its certificate, as far as the certificate tells; `KeyStore.credential` opens the key.

    `number` counts from 1 within the slot; `chain` holds the issuer first; `is_current` tells the one in use.
    """

    slot: SlotId
    number: int
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...] = ()
    is_current: bool = False
    folder: Path = attrs.field(repr=False)

    @property
    def valid_from(self) -> datetime:
        """The certificate's first moment (UTC)."""
        return self.certificate.not_valid_before_utc

    @property
    def expires(self) -> datetime:
        """The certificate's last moment (UTC)."""
        return self.certificate.not_valid_after_utc

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the certificate's DER form, 64 lower-case hexadecimal digits."""
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    @property
    def certificate_file(self) -> Path:
        """The certificate, PEM."""
        return self.folder / "certificate.pem"

    @property
    def chain_file(self) -> Path:
        """The certificates above it, PEM, issuer first; empty where there are none."""
        return self.folder / "chain.pem"

    @property
    def key_file(self) -> Path:
        """The key, PEM (PKCS#8), encrypted under the store's passphrase unless it has none."""
        return self.folder / "key.pem"


@attrs.frozen(kw_only=True)
class Pending:
    """A key and its certificate request, both on the disk, whose certificate is not in use yet.

    `request` is the PKCS#10 request in DER form, `created` an aware UTC time. `notes` are what the authority's part
    wrote down with `KeyStore.note` (a retrieval id, or that the request has left); they hold no secrets.
    `is_answered` when the certificate is there and checked, and only the switch was cut short: see `KeyStore.finish`.
    """

    slot: SlotId
    number: int
    request: bytes = attrs.field(repr=False)
    created: datetime
    notes: Mapping[str, str]
    is_answered: bool = False


@attrs.frozen(kw_only=True)
class Finding:
    """Something `verify` found or `repair` mended: in which slot (None: the store itself), where, and what."""

    slot: SlotId | None
    path: Path
    what: str
    is_repairable: bool = False

    def __str__(self) -> str:
        return f"{self.path}: {self.what}"
