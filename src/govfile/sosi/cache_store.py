"""Tokens on disk between processes, readable with the user's key alone.

Each lies in a file of its own, encrypted and sealed by AES-256-GCM, under a name that only the key's owner can work
out. Whatever was changed, moved or cut off is a miss: then the token is asked for again, and no harm is done.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import logging
import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from govfile.certificates.keystore import files
from govfile.certificates.secret import Secret
from govfile.errors import ConfigurationError, KeyStoreError

if TYPE_CHECKING:
    import os

_log = logging.getLogger("govfile.sosi.cache")

_VERSION = b"\x01"
_NONCE = 12
_KEY = 32
_SUFFIX = ".token"
#: Seconds; no card lives longer than a day.
_LONGEST_LIFE = 2 * 24 * 3600


class TokenStore:
    """A folder of encrypted tokens, for `TokenCache(store=…)`. Threads and processes may share it.

    `key` is a `Secret` of 32 random bytes in Base64 (`TokenStore.new_key()`, `openssl rand -base64 32`), which is kept
    elsewhere than the folder. The folder is made, for this user alone, where it is missing; its parent must exist. What
    is older than two days is removed from it.
    Raises `ConfigurationError` for a key or a folder that cannot be used. Reading and writing never raise: what cannot
    be read is not there, and what cannot be written is said in the log.
    """

    def __init__(self, folder: str | os.PathLike[str], key: Secret) -> None:
        material = _key_bytes(key)
        self._folder = Path(folder)
        self._seal = AESGCM(_derived(material, b"content"))
        self._naming = _derived(material, b"names")
        try:
            files.make_folder(self._folder)
            files.check_folder(self._folder)
        except KeyStoreError as error:
            raise ConfigurationError(
                f"the folder for tokens cannot be used: {error.what}", advice=error.advice
            ) from error
        self._remove_old()

    @staticmethod
    def new_key() -> Secret:
        """A new key; keep its text, or everything stored with it is lost."""
        return Secret(base64.b64encode(secrets.token_bytes(_KEY)).decode("ascii"))

    def read(self, key: tuple[str, ...]) -> bytes | None:
        """What was written under `key`, None where nothing is there that is whole."""
        place = self._place(key)
        try:
            sealed = files.read(place)
        except KeyStoreError as error:
            if not isinstance(error.__cause__, FileNotFoundError):
                _log.warning("a stored token cannot be read: %s", type(error.__cause__ or error).__name__)
            return None
        try:
            return self._seal.decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], sealed[:1] + place.name.encode())
        except (InvalidTag, ValueError):
            _log.warning("a stored token is damaged, or was stored with another key: it is left out")
            return None

    def write(self, key: tuple[str, ...], xml: bytes) -> None:
        """Store `xml` under `key`, in the place of what was there, in one step and for this user alone."""
        place = self._place(key)
        nonce = secrets.token_bytes(_NONCE)
        sealed = self._seal.encrypt(nonce, xml, _VERSION + place.name.encode())
        try:
            files.write(place, _VERSION + nonce + sealed)
        except KeyStoreError as error:
            _log.warning("a token cannot be stored: %s", type(error.__cause__ or error).__name__)

    def remove(self, key: tuple[str, ...], xml: bytes | None = None) -> None:
        """Forget what is stored under `key`; given `xml`, only where it is that."""
        if xml is not None and self.read(key) != xml:
            return
        try:
            self._place(key).unlink(missing_ok=True)
        except OSError as error:
            _log.warning("a stored token cannot be removed: %s", type(error).__name__)

    def _remove_old(self) -> None:
        """Nothing that was written so long ago can be good, nor will a draft be finished whose process was killed."""
        oldest = time.time() - _LONGEST_LIFE
        for place in (*self._folder.glob(f"*{_SUFFIX}"), *self._folder.glob(f"{files.DRAFT}*{_SUFFIX}-*")):
            try:
                if place.lstat().st_mtime < oldest:
                    place.unlink()
            except OSError:  # another process was quicker, or may and we may not
                continue

    def __repr__(self) -> str:
        return f"<TokenStore in {self._folder}>"

    def _place(self, key: tuple[str, ...]) -> Path:
        """Every part with its length, so that no two keys are written the same."""
        written = b"".join(len(part).to_bytes(4, "big") + part for part in (text.encode() for text in key))
        return self._folder / (hmac.new(self._naming, written, hashlib.sha256).hexdigest() + _SUFFIX)


def _key_bytes(key: Secret) -> bytes:
    try:
        material = base64.b64decode(key.reveal().strip(), validate=True)
    except (ValueError, binascii.Error) as error:
        raise _unfit() from error
    if len(material) != _KEY:
        raise _unfit()
    return material


def _unfit() -> ConfigurationError:
    return ConfigurationError(
        f"the key for stored tokens is not {_KEY} bytes in Base64", advice="make one: openssl rand -base64 32"
    )


def _derived(material: bytes, purpose: bytes) -> bytes:
    return HKDF(hashes.SHA256(), _KEY, salt=None, info=b"govfile sosi tokens " + purpose).derive(material)
