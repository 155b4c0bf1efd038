"""A SoftHSM2 token in a temporary folder, filled with keys and certificates made here."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
from cryptography.hazmat.primitives.serialization import Encoding

from support.programs import lacking, require

if TYPE_CHECKING:
    from support.pki import Identity

PIN = "1234"
_SO_PIN = "87654321"
_PLACES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
)


@attrs.frozen
class SoftHsm:
    """Tokens under `folder`. SoftHSM reads `SOFTHSM2_CONF` when the library is first used in a process."""

    folder: Path
    module: str

    @classmethod
    def create(cls, folder: Path) -> SoftHsm:
        """An empty place for tokens; `SOFTHSM2_CONF` in this process points to it from now on."""
        require("softhsm2-util")
        module = next((place for place in _PLACES if Path(place).exists()), None)
        if module is None:
            lacking("libsofthsm2.so is not installed")
        tokens = folder / "tokens"
        tokens.mkdir()
        configuration = folder / "softhsm2.conf"
        configuration.write_text(f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n")
        os.environ["SOFTHSM2_CONF"] = str(configuration)
        return cls(folder, module)

    def add_token(self, label: str) -> None:
        """A new token with the PIN `PIN`."""
        self._util("--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", _SO_PIN)

    def add_key(self, token: str, identity: Identity, *, label: str, key_id: bytes) -> None:
        """Store the key pair of `identity`."""
        file = self.folder / f"{label}.pem"
        file.write_bytes(identity.key_pem())
        self._util("--import", str(file), "--token", token, "--label", label, "--id", key_id.hex(), "--pin", PIN)
        file.unlink()

    def add_certificates(self, token: str, identity: Identity, *, key_id: bytes) -> None:
        """Store the certificate and the chain of `identity`."""
        import pkcs11

        attribute = pkcs11.Attribute
        with self.session(token) as session:
            for found in (identity.certificate, *identity.chain):
                session.create_object(
                    {
                        attribute.CLASS: pkcs11.ObjectClass.CERTIFICATE,
                        attribute.CERTIFICATE_TYPE: pkcs11.CertificateType.X_509,
                        attribute.TOKEN: True,
                        attribute.ID: key_id if found is identity.certificate else b"",
                        attribute.SUBJECT: found.subject.public_bytes(),
                        attribute.VALUE: found.public_bytes(Encoding.DER),
                    }
                )

    def remove_public_key(self, token: str, *, key_id: bytes) -> None:
        """Take the public key away, as tokens that keep only certificates do."""
        import pkcs11

        attribute = pkcs11.Attribute
        wanted = {attribute.CLASS: pkcs11.ObjectClass.PUBLIC_KEY, attribute.ID: key_id}
        with self.session(token) as session:
            for found in list(session.get_objects(wanted)):
                found.destroy()

    def session(self, token: str) -> Any:
        """A session that may write, apart from the code under test."""
        import pkcs11

        return pkcs11.lib(self.module).get_token(token_label=token).open(rw=True, user_pin=PIN)

    def _util(self, *arguments: str) -> None:
        subprocess.run([require("softhsm2-util"), *arguments], check=True, capture_output=True, timeout=60)
