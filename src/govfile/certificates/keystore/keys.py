"""The passphrase of a store, and the keys under it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

from govfile.certificates._files import utf8
from govfile.certificates._pem import open_pem
from govfile.certificates.keystore import files, pointer
from govfile.errors import ConfigurationError, CredentialError, KeyStoreError

if TYPE_CHECKING:
    from pathlib import Path

    from govfile.certificates.secret import Secret
    from govfile.certificates.signer import PrivateKey


class Keys:
    """Writes keys under one passphrase, which is proven on `store.json` before the first one is written.

    A mistyped passphrase would otherwise be noticed when the certificate has come and its key cannot be opened.
    """

    def __init__(self, root: Path, passphrase: Secret | None) -> None:
        secret = utf8(passphrase)
        if secret == b"":
            raise ConfigurationError("the passphrase of the key store is empty", advice="give one, or None for none")
        self._file = root / "store.json"
        self._passphrase = passphrase
        self._proof: bytes | None = None
        self._guard = threading.Lock()

    def check_version(self) -> None:
        """Raise `KeyStoreTooNew` or `KeyStoreError` for a store this version cannot read."""
        if files.exists(self._file):
            pointer.load(self._file)

    def prove(self) -> None:
        """Raise `CredentialError` unless the passphrase is the store's; the first call of a new store decides on it."""
        with self._guard:
            if self._proof is not None and files.exists(self._file):
                return
            if not files.exists(self._file):
                self._prove_on_a_key()
                proof = self.dump(ec.generate_private_key(ec.SECP256R1()))
                pointer.save(self._file, {"proof": proof.decode("ascii")})
            proof = str(pointer.load(self._file).get("proof")).encode()
            self._opened(proof, self._file)
            self._proof = proof

    def _prove_on_a_key(self) -> None:
        """Where `store.json` did not come back with a backup, the keys that did decide on the passphrase."""
        with files.failing(self._file.parent, "read"):
            first = next(self._file.parent.glob("*/[0-9]*/key.pem"), None)
        if first is not None:
            self._opened(files.read(first), first)

    def dump(self, key: PrivateKey) -> bytes:
        """The key as PEM (PKCS#8), encrypted unless the store has no passphrase."""
        secret = utf8(self._passphrase)
        how: KeySerializationEncryption = BestAvailableEncryption(secret) if secret is not None else NoEncryption()
        return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how)

    def open(self, path: Path) -> PrivateKey:
        """The key of a file; raises `CredentialError` when others may read it, or the passphrase is not its own."""
        if not files.is_private(path):
            raise KeyStoreError(
                f"others than its owner may read or write {path}",
                certain="it was not used",
                advice="call repair(), and renew early if somebody else can have read it",
            )
        return self._opened(files.read(path), path)

    def _opened(self, data: bytes, path: Path) -> PrivateKey:
        try:
            return open_pem(data, self._passphrase).key
        except CredentialError as error:
            raise CredentialError(
                f"the key in {path} cannot be opened: {error.what}",
                certain="nothing was changed",
                advice="give the passphrase that the key store was made with",
            ) from error
