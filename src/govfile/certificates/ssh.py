"""`SshKey`: the key an SSH login is made with, kept in memory, and its public half for registration."""

from __future__ import annotations

import base64
import hashlib
import logging
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
    load_ssh_private_key,
)

from govfile.certificates._files import read_source, utf8
from govfile.errors import ConfigurationError, CredentialError

if TYPE_CHECKING:
    from collections.abc import Callable

    from govfile.certificates.secret import Secret

logger = logging.getLogger("govfile.certificates.ssh")

_Private: TypeAlias = rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey

#: Signature algorithms of an RSA key (RFC 8332; `ssh-rsa` is SHA-1, RFC 4253), the preferred one first.
RSA_ALGORITHMS = ("rsa-sha2-512", "rsa-sha2-256", "ssh-rsa")

_RSA_HASHES: dict[str, type[hashes.HashAlgorithm]] = {
    "rsa-sha2-512": hashes.SHA512,
    "rsa-sha2-256": hashes.SHA256,
    "ssh-rsa": hashes.SHA1,
}
#: RFC 5656: each curve has its name and its hash.
_CURVES: dict[str, tuple[str, type[hashes.HashAlgorithm]]] = {
    "secp256r1": ("ecdsa-sha2-nistp256", hashes.SHA256),
    "secp384r1": ("ecdsa-sha2-nistp384", hashes.SHA384),
    "secp521r1": ("ecdsa-sha2-nistp521", hashes.SHA512),
}


class SshKey:
    """A private key for SSH logins: RSA, Ed25519, or ECDSA on a NIST curve.

    It is read once, lives in memory only, and prints without secrets. `kind` is the key's name in SSH (`ssh-rsa`,
    `ssh-ed25519`, …), `bits` its size, `algorithms` the signatures it can make, the preferred one first,
    `fingerprint` the SHA-256 of the public half as OpenSSH prints it.
    """

    __slots__ = ("__key", "algorithms", "bits", "kind", "public_blob")

    def __init__(self, key: _Private) -> None:
        self.__key = key
        self.kind, self.bits = _describe(key)
        self.algorithms = RSA_ALGORITHMS if isinstance(key, rsa.RSAPrivateKey) else (self.kind,)
        line = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
        self.public_blob = base64.b64decode(line.split()[1])

    @classmethod
    def from_file(
        cls, path: str | os.PathLike[str], passphrase: Secret | None = None, *, allow_loose: bool = False
    ) -> SshKey:
        """From a file in OpenSSH's format, PEM or PKCS#8; a leading `~` is the home folder.

        Raises `CredentialError` when it cannot be read, holds no usable private key, the passphrase is missing or
        wrong, or other users may read it (`allow_loose=True` only warns, for mounts that cannot do better).
        """
        place = Path(path).expanduser()
        data = read_source(place, "SSH key file")
        _check_mode(place, allow_loose=allow_loose)
        return cls.from_bytes(data, passphrase)

    @classmethod
    def from_bytes(cls, data: bytes, passphrase: Secret | None = None) -> SshKey:
        """From the content of such a file; raises `CredentialError`."""
        return cls(_load(data, utf8(passphrase)))

    @property
    def fingerprint(self) -> str:
        """`SHA256:…` of the public half."""
        return fingerprint(self.public_blob)

    def public_line(self, comment: str = "") -> str:
        """The public half as one line, as `authorized_keys` and portals take it; no private part is in it."""
        if any(mark in comment for mark in "\r\n\0"):
            raise ConfigurationError("the comment of a public key line holds a line break or NUL")
        words = (self.kind, base64.b64encode(self.public_blob).decode("ascii"), comment)
        return " ".join(word for word in words if word)

    def sign(self, data: bytes, algorithm: str) -> bytes:
        """The signature of `data`, encoded as SSH carries it (RFC 4253 6.6, 5656 3.1.2, 8332, 8709)."""
        if algorithm not in self.algorithms:
            raise ConfigurationError(f"a key of the kind {self.kind} cannot sign by {algorithm}")
        return _string(algorithm.encode("ascii")) + _string(self._raw_signature(data, algorithm))

    def _raw_signature(self, data: bytes, algorithm: str) -> bytes:
        key = self.__key
        if isinstance(key, rsa.RSAPrivateKey):
            return key.sign(data, padding.PKCS1v15(), _RSA_HASHES[algorithm]())
        if isinstance(key, ed25519.Ed25519PrivateKey):
            return key.sign(data)
        r, s = decode_dss_signature(key.sign(data, ec.ECDSA(_CURVES[key.curve.name][1]())))
        return _integer(r) + _integer(s)

    def __repr__(self) -> str:
        return f"SshKey({self.kind}, {self.bits} bits, {self.fingerprint})"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("an SshKey cannot be pickled or copied")


def fingerprint(public_blob: bytes) -> str:
    """`SHA256:` and the digest of a public key in base64 without padding, as OpenSSH prints it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(public_blob).digest()).decode("ascii").rstrip("=")


def _describe(key: _Private) -> tuple[str, int]:
    if isinstance(key, rsa.RSAPrivateKey):
        return "ssh-rsa", key.key_size
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "ssh-ed25519", 256
    if key.curve.name not in _CURVES:
        raise CredentialError(
            f"SSH knows no keys on the curve {key.curve.name}", advice="make an RSA key of 3072 bits or more"
        )
    return _CURVES[key.curve.name][0], key.curve.key_size


def _check_mode(place: Path, *, allow_loose: bool) -> None:
    if os.name != "posix":
        return
    mode = stat.S_IMODE(place.stat().st_mode)
    if not mode & 0o077:
        return
    what = f"the SSH key file {str(place)!r} may be used by others (mode {mode:04o})"
    if not allow_loose:
        raise CredentialError(what, advice=f"chmod 600 {place}, and make a new key if others had access")
    logger.warning("%s", what)


def _load(data: bytes, passphrase: bytes | None) -> _Private:
    load = _loader(data)
    try:
        key = load(data, passphrase)
    except TypeError as error:
        raise _passphrase_error(given=passphrase is not None) from error
    except UnsupportedAlgorithm as error:
        raise CredentialError(
            "the SSH key is of a kind, or encrypted in a way, that cannot be read here",
            advice="use an RSA, Ed25519 or ECDSA key in OpenSSH's format",
        ) from error
    except ValueError as error:
        # OpenSSH's own format answers a missing passphrase with a ValueError.
        if passphrase is None and load is load_ssh_private_key and "encrypted" in str(error):
            raise _passphrase_error(given=False) from error
        wrong = "the passphrase is wrong, or the SSH key is damaged"
        raise CredentialError(
            "the SSH key is damaged" if passphrase is None else wrong,
            advice="check the passphrase, then copy the file again",
        ) from error
    if not isinstance(key, rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey):
        raise CredentialError(
            f"an SSH key of the type {type(key).__name__} cannot be used", advice="use RSA, Ed25519 or ECDSA"
        )
    return key


def _loader(data: bytes) -> Callable[[bytes, bytes | None], object]:
    if b"-----BEGIN OPENSSH PRIVATE KEY-----" in data:
        return load_ssh_private_key
    if b"PRIVATE KEY-----" in data:
        return load_pem_private_key
    if data[:1] == b"\x30":
        return load_der_private_key
    raise CredentialError("this is no SSH private key", advice=_other_form(data))


def _other_form(data: bytes) -> str:
    start = data.lstrip()[:40]
    if start.startswith(b"PuTTY-User-Key-File"):
        return "it is PuTTY's format: export it from PuTTYgen as an OpenSSH key"
    if start.startswith((b"ssh-", b"ecdsa-", b"---- BEGIN SSH2 PUBLIC")):
        return "it is the public half: give the file without .pub"
    if start.startswith(b"-----BEGIN"):
        return "it holds a certificate or public key: give the file with the private key"
    return "give a file in OpenSSH's format, PEM or PKCS#8"


def _passphrase_error(*, given: bool) -> CredentialError:
    if given:
        return CredentialError(
            "a passphrase is given and the SSH key is not encrypted",
            advice="leave the passphrase out, or encrypt the key if it should have been",
        )
    return CredentialError("the SSH key is encrypted and no passphrase is given", advice="give its passphrase")


def _string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def _integer(number: int) -> bytes:
    return _string(number.to_bytes(number.bit_length() // 8 + 1, "big"))
