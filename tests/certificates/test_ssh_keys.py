"""SSH keys: every form they come in, every way they are refused, and signatures that others accept."""

from __future__ import annotations

import base64
import copy
import hashlib
import os
import pickle
import subprocess
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from govfile.certificates.secret import Secret
from govfile.certificates.ssh import SshKey
from govfile.errors import ConfigurationError, CredentialError
from support.programs import require

if TYPE_CHECKING:
    from pathlib import Path

PASSPHRASE = "correct horse 42"
KEYS: dict[str, rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey] = {
    "ssh-rsa": rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "ssh-ed25519": ed25519.Ed25519PrivateKey.generate(),
    "ecdsa-sha2-nistp256": ec.generate_private_key(ec.SECP256R1()),
    "ecdsa-sha2-nistp384": ec.generate_private_key(ec.SECP384R1()),
    "ecdsa-sha2-nistp521": ec.generate_private_key(ec.SECP521R1()),
}


def stored(kind: str, form: PrivateFormat, passphrase: str | None = None, encoding: Encoding = Encoding.PEM) -> bytes:
    protection = NoEncryption() if passphrase is None else BestAvailableEncryption(passphrase.encode())
    return KEYS[kind].private_bytes(encoding, form, protection)


@pytest.mark.parametrize("kind", KEYS)
@pytest.mark.parametrize("form", [PrivateFormat.OpenSSH, PrivateFormat.PKCS8])
@pytest.mark.parametrize("passphrase", [None, PASSPHRASE])
def test_every_kind_and_form_is_read(kind: str, form: PrivateFormat, passphrase: str | None) -> None:
    key = SshKey.from_bytes(stored(kind, form, passphrase), None if passphrase is None else Secret(passphrase))
    assert key.kind == kind
    line = KEYS[kind].public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    assert key.public_line() == line
    assert key.public_line("payroll").endswith(" payroll")


def test_pem_of_old_and_der_are_read() -> None:
    for data in (
        stored("ssh-rsa", PrivateFormat.TraditionalOpenSSL),
        stored("ssh-rsa", PrivateFormat.PKCS8, encoding=Encoding.DER),
    ):
        assert SshKey.from_bytes(data).kind == "ssh-rsa"


@pytest.mark.parametrize("form", [PrivateFormat.OpenSSH, PrivateFormat.PKCS8])
def test_passphrases_that_do_not_fit_say_so(form: PrivateFormat) -> None:
    locked, plain = stored("ssh-rsa", form, PASSPHRASE), stored("ssh-rsa", form)
    with pytest.raises(CredentialError, match="passphrase is wrong"):
        SshKey.from_bytes(locked, Secret("wrong passphrase 1"))
    with pytest.raises(CredentialError, match="no passphrase is given"):
        SshKey.from_bytes(locked)
    if form is PrivateFormat.PKCS8:
        with pytest.raises(CredentialError, match="not encrypted"):
            SshKey.from_bytes(plain, Secret(PASSPHRASE))


@pytest.mark.parametrize(
    ("data", "message", "advice"),
    [
        (b"PuTTY-User-Key-File-3: ssh-rsa\n", "no SSH private key", "PuTTYgen"),
        (b"ssh-rsa AAAA payroll\n", "no SSH private key", "public half"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "no SSH private key", "private key"),
        (b"hello", "no SSH private key", "OpenSSH"),
        (b"\x30\x82\x01\x00", "damaged", "copy the file again"),
        (b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n", "damaged", "copy"),
        (b"", "no SSH private key", "OpenSSH"),
    ],
)
def test_what_is_no_key_is_refused_with_advice(data: bytes, message: str, advice: str) -> None:
    with pytest.raises(CredentialError, match=message) as caught:
        SshKey.from_bytes(data)
    assert advice in caught.value.advice


def test_a_curve_that_ssh_does_not_know_is_refused() -> None:
    other = ec.generate_private_key(ec.SECP256K1())
    data = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(CredentialError, match="secp256k1"):
        SshKey.from_bytes(data)


def test_a_file_that_others_may_read_is_refused_unless_allowed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "id"
    path.write_bytes(stored("ssh-rsa", PrivateFormat.OpenSSH))
    path.chmod(0o640)
    with pytest.raises(CredentialError, match="0640") as caught:
        SshKey.from_file(path)
    assert "chmod 600" in caught.value.advice
    assert SshKey.from_file(path, allow_loose=True).kind == "ssh-rsa"
    assert "0640" in caplog.text
    path.chmod(0o600)
    assert SshKey.from_file(str(path)).kind == "ssh-rsa"


def test_a_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "id").write_bytes(stored("ssh-ed25519", PrivateFormat.OpenSSH))
    (tmp_path / "id").chmod(0o600)
    assert SshKey.from_file("~/id").kind == "ssh-ed25519"


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CredentialError, match="does not exist"):
        SshKey.from_file(tmp_path / "none")
    with pytest.raises(CredentialError, match="is a folder"):
        SshKey.from_file(tmp_path)


def test_nothing_secret_is_shown_and_nothing_can_be_carried_off() -> None:
    key = SshKey.from_bytes(stored("ssh-rsa", PrivateFormat.OpenSSH))
    assert repr(key) == f"SshKey(ssh-rsa, 2048 bits, {key.fingerprint})"
    for carry in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="cannot be pickled"):
            carry(key)


def test_a_signature_is_made_only_by_an_algorithm_of_the_key() -> None:
    key = SshKey.from_bytes(stored("ssh-ed25519", PrivateFormat.OpenSSH))
    with pytest.raises(ConfigurationError, match="cannot sign"):
        key.sign(b"data", "rsa-sha2-256")
    with pytest.raises(ConfigurationError, match="line break"):
        key.public_line("two\nlines")


@pytest.mark.servers
@pytest.mark.parametrize("kind", KEYS)
def test_openssh_accepts_our_signatures(tmp_path: Path, kind: str) -> None:
    """Wrapped as `ssh-keygen -Y` writes them (OpenSSH's PROTOCOL.sshsig)."""
    program = require("ssh-keygen")
    key = SshKey.from_bytes(stored(kind, PrivateFormat.OpenSSH))

    def string(data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + data

    message = os.urandom(100)
    common = string(b"file") + string(b"") + string(b"sha512")
    signed = b"SSHSIG" + common + string(hashlib.sha512(message).digest())
    signature = key.sign(signed, "rsa-sha2-512" if kind == "ssh-rsa" else kind)
    blob = b"SSHSIG" + (1).to_bytes(4, "big") + string(key.public_blob) + common + string(signature)
    armoured = base64.encodebytes(blob).decode()
    (tmp_path / "sig").write_text(f"-----BEGIN SSH SIGNATURE-----\n{armoured}-----END SSH SIGNATURE-----\n")
    (tmp_path / "allowed").write_text(f"payroll {key.public_line()}\n")
    command = [program, *["-Y", "verify", "-f", "allowed", "-I", "payroll", "-n", "file", "-s", "sig"]]
    verified = subprocess.run(command, input=message, capture_output=True, cwd=tmp_path)
    assert verified.returncode == 0, verified.stderr
    assert key.fingerprint.encode() in verified.stdout
