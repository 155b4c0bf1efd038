"""Profiles for the Belgian channel: as strict as the others, and never a host key by accident."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_ssh_public_key,
)

from govfile.certificates.ssh import SshKey
from govfile.cli.config import load
from govfile.cli.onss import environment
from govfile.cli.output import Output
from govfile.cli.session import Session
from govfile.errors import ConfigurationError
from support.cli import run
from support.programs import require

if TYPE_CHECKING:
    from pathlib import Path

FINGERPRINT = "SHA256:" + "A" * 43
GOOD = """\
[profiles.default]
authority = "onss"
environment = {base = "production", host_keys = ["FINGERPRINT"]}
sender = "006400"
user = "EXPDEMOENTREPRISE"
ssh_key = "key"
ledger = "filings.db"
""".replace("FINGERPRINT", FINGERPRINT)
USER = 'user = "EXPDEMOENTREPRISE"'


def _session(folder: Path, text: str = GOOD) -> Session:
    file = folder / "govfile.toml"
    file.write_text(text)
    return Session(out=Output(), config=file)


def test_a_profile_gives_what_a_channel_needs(tmp_path: Path) -> None:
    session = _session(tmp_path, GOOD + "channel_created_at = 2026-03-02T10:15:00+01:00\n")
    place = session.onss_environment
    assert (place.name, place.letter, place.host, place.port) == ("production", "R", "sftp.socialsecurity.be", 8022)
    assert place.host_keys is not None
    assert place.host_keys.fingerprints == (FINGERPRINT,)
    assert (session.sender, session.user, session.signer) == ("006400", "EXPDEMOENTREPRISE", None)
    assert session.channel_created_at is not None


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('sender = "006400"', "sender = 6400", "sender must be text in quotes"),
        ('sender = "006400"', 'sender = "6400"', "not six digits"),
        ('sender = "006400"', 'pasword = "x"', "unknown key pasword"),
        ('sender = "006400"', 'password = {env = "X"}', "unknown key password"),
        (USER, 'ssh_passphrase = "hunter2"', "must be a reference"),
        (USER, "channel_created_at = 2026-03-02T10:15:00", "no offset"),
        (USER, 'channel_created_at = "yesterday"', "must be a date and time"),
        ('base = "production"', 'base = "prod"', "is not known"),
        ('base = "production"', 'base = "production", host = "elsewhere.example"', "unknown key host"),
        ('base = "production"', 'name = "production", host = "localhost"', "belongs to the authority"),
        ('base = "production"', 'base = "production", layout = "wide"', "is not known"),
        ('base = "production"', 'base = "production", signing = "sometimes"', "is not known"),
        ('base = "production"', 'base = "production", rsa_signatures = "md5"', "is not known"),
        ('base = "production"', 'base = "production", known_hosts = "hosts"', "both there"),
        ('base = "production"', 'base = "production", timeouts = {reply = 0}', "above 0"),
        (f'["{FINGERPRINT}"]', '["SHA256:short"]', "is no SHA-256 fingerprint"),
        (f'["{FINGERPRINT}"]', f'"{FINGERPRINT}"', "must be a list"),
    ],
)
def test_what_is_wrong_in_a_profile_is_named(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in GOOD
    session = _session(tmp_path, GOOD.replace(old, new))

    def read() -> None:
        _ = (session.onss_environment, session.sender, session.channel_created_at)
        session.profile.places.secret(session.profile.table, "ssh_passphrase")

    with pytest.raises(ConfigurationError, match=words) as refused:
        read()
    assert "hunter2" not in str(refused.value)


def test_choices_reach_the_environment(tmp_path: Path) -> None:
    text = GOOD.replace(
        'base = "production"',
        'name = "rig", host = "localhost", port = 2222, like = "declaration-test", signing = "always", '
        'layout = "col64crlf", rsa_signatures = "sha1", timeouts = {reply = 3}, patience = {first = 1}',
    )
    place = environment.of(load(_session(tmp_path, text).config, None))
    assert (place.name, place.letter, place.upload, place.port) == ("rig", "S", "INTEST-S", 2222)
    assert (place.signing.value, place.layout.value, place.policy.rsa_signatures.value) == (
        "always",
        "col64crlf",
        "sha1",
    )
    assert (place.policy.timeouts.reply, place.patience.first.total_seconds()) == (3, 1)


def test_a_known_hosts_file_is_believed(tmp_path: Path) -> None:
    line = SshKey(ed25519.Ed25519PrivateKey.generate()).public_line()
    (tmp_path / "hosts").write_text(f"[sftp.socialsecurity.be]:8022 {line}\n")
    place = _session(tmp_path, GOOD.replace(f'host_keys = ["{FINGERPRINT}"]', 'known_hosts = "hosts"')).onss_environment
    assert place.host_keys is not None
    assert len(place.host_keys.entries) == 1


@pytest.mark.parametrize(("command", "authority"), [("skat", "onss"), ("onss", "skat")])
def test_a_profile_for_another_authority_is_refused(tmp_path: Path, command: str, authority: str) -> None:
    text = GOOD if authority == "onss" else '[profiles.default]\nenvironment = "test"\nledger = "filings.db"\n'
    _session(tmp_path, text)
    found = run(command, "status", "--config", tmp_path / "govfile.toml")
    assert found.code == 2
    assert f"is for {authority}, and this command is for {command}" in found.err


def test_the_public_half_of_the_ssh_key_is_exported_for_the_portal(tmp_path: Path) -> None:
    _session(tmp_path, GOOD + 'ssh_passphrase = {file = "secret"}\n')
    private = ed25519.Ed25519PrivateKey.generate()
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, BestAvailableEncryption(b"sesam"))
    for name, content in (("key", pem), ("secret", b"sesam")):
        (tmp_path / name).write_bytes(content)
        (tmp_path / name).chmod(0o600)
    config = ("--config", tmp_path / "govfile.toml")
    line = run("cert", "export", "--format", "ssh", "--comment", "govfile", *config)
    assert line.code == 0, line.err
    assert line.out.strip() == SshKey(private).public_line("govfile")
    by_file = run("cert", "export", tmp_path / "key", "--format", "ssh", "--passphrase-file", tmp_path / "secret")
    assert by_file.out.strip() == SshKey(private).public_line()
    other = run("cert", "export", "--format", "ssh-rfc4716", "--comment", "govfile", *config).out.splitlines()
    assert (other[0], other[-1]) == ("---- BEGIN SSH2 PUBLIC KEY ----", "---- END SSH2 PUBLIC KEY ----")
    assert other[1] == 'Comment: "govfile"'
    assert max(map(len, other)) <= 72
    assert load_ssh_public_key(b"ssh-ed25519 " + "".join(other[2:-1]).encode()) == private.public_key()
    assert "PRIVATE" not in line.out + "".join(other)
    comment = "blåbær " * 20
    long = run("cert", "export", "--format", "ssh-rfc4716", "--comment", comment, *config).out
    assert max(len(row.encode()) for row in long.splitlines()) <= 72
    assert f'Comment: "{comment}"\n' in long.replace("\\\n", "")
    (tmp_path / "public").write_text(long)
    read = subprocess.run(
        [require("ssh-keygen"), "-i", "-f", tmp_path / "public"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert read.stdout.split() == SshKey(private).public_line().split()
    assert run("cert", "export", "--format", "ssh", "--comment", "two\nlines", *config).code == 2
