"""Which host keys are believed: fingerprints, known_hosts files in all their forms, and answers of any bytes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from govfile.errors import ConfigurationError, PeerIdentityError, ProtocolError
from govfile.transports.sftp import HostKeys
from govfile.transports.sftp._packets import Cursor, read_attributes, read_extensions, read_names, read_status
from support.programs import require
from support.sshd import ssh_key

if TYPE_CHECKING:
    from pathlib import Path

KEY = ssh_key("ed25519-host")
OTHER = ssh_key("ed25519-other")
HOST, PORT = "sftp.example", 8022


def entry(hosts: str, marker: str = "") -> bytes:
    return f"{marker} {hosts} {KEY.public_line('a comment')}\n".encode()


def hashed(name: str) -> str:
    salt = b"0123456789abcdefghij"
    digest = hmac.digest(salt, name.encode(), hashlib.sha1)
    return f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()}"


@pytest.mark.parametrize(
    ("hosts", "host", "port", "fits"),
    [
        ("[sftp.example]:8022", HOST, PORT, True),
        ("[sftp.example]:8022", HOST, 22, False),
        ("sftp.example", HOST, 22, True),
        ("sftp.example", HOST, PORT, False),
        ("SFTP.Example", "sftp.EXAMPLE", 22, True),
        ("other.example,sftp.example", HOST, 22, True),
        ("*.example", HOST, 22, True),
        ("*.example,!sftp.example", HOST, 22, False),
        ("[*.example]:8022", HOST, PORT, True),
        ("sft?.example", HOST, 22, True),
        ("[s]ftp.example", HOST, 22, False),
        (hashed("[sftp.example]:8022"), HOST, PORT, True),
        (hashed("sftp.example"), HOST, PORT, False),
        ("|1|not-base64!|at-all", HOST, PORT, False),
    ],
)
def test_names_in_known_hosts(hosts: str, host: str, port: int, fits: bool) -> None:
    keys = HostKeys.from_known_hosts(entry(hosts))
    assert keys.accepts(host, port, KEY.kind, KEY.public_blob) is fits
    assert not keys.accepts(host, port, OTHER.kind, OTHER.public_blob)


def test_a_revoked_key_is_never_believed() -> None:
    keys = HostKeys.from_known_hosts(entry("*") + entry("sftp.example", "@revoked"))
    assert not keys.accepts("sftp.example", 22, KEY.kind, KEY.public_blob)
    assert keys.accepts("else.example", 22, KEY.kind, KEY.public_blob)


def test_lines_that_say_nothing_are_left_out() -> None:
    noise = b"# comment\n\nsftp.example\nsftp.example ssh-ed25519 ###\nsftp.example ssh-rsa " + base64.b64encode(
        b"x" * 40
    )
    authority = b"\n@cert-authority * " + KEY.public_line().encode() + b"\n"
    keys = HostKeys.from_known_hosts(noise + authority + entry("sftp.example"))
    assert len(keys.entries) == 1
    with pytest.raises(ConfigurationError, match="holds no host key"):
        HostKeys.from_known_hosts(noise + authority)


def test_known_hosts_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "known_hosts"
    path.write_bytes(entry("[sftp.example]:8022"))
    assert HostKeys.from_known_hosts(path).accepts(HOST, PORT, KEY.kind, KEY.public_blob)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        HostKeys.from_known_hosts(tmp_path / "none")


@pytest.mark.servers
def test_a_file_that_ssh_keygen_hashed_is_read(tmp_path: Path) -> None:
    path = tmp_path / "known_hosts"
    path.write_bytes(entry("[sftp.example]:8022").lstrip())
    subprocess.run([require("ssh-keygen"), "-H", "-f", str(path)], check=True, capture_output=True)
    assert b"sftp.example" not in path.read_bytes()
    assert HostKeys.from_known_hosts(path).accepts(HOST, PORT, KEY.kind, KEY.public_blob)


def test_kinds_that_are_pinned_are_asked_for_first() -> None:
    line = f"sftp.example {ssh_key('rsa-host').public_line()}".encode()
    assert HostKeys.from_known_hosts(line).kinds("sftp.example", 22)[0] == "ssh-rsa"
    assert HostKeys.pinned(KEY.fingerprint).kinds("sftp.example", 22)[0] == "ssh-ed25519"


def test_a_fingerprint_is_a_sha256_fingerprint() -> None:
    assert HostKeys.pinned(KEY.fingerprint + "=").accepts(HOST, PORT, KEY.kind, KEY.public_blob)
    for text in ("", "SHA256:short", "MD5:" + "00:" * 15 + "00", KEY.fingerprint + "A", "SHA256:" + "!" * 43):
        with pytest.raises(ConfigurationError, match="no SHA-256 fingerprint"):
            HostKeys.pinned(text)
    with pytest.raises(ConfigurationError, match="no host key is pinned"):
        HostKeys.pinned()


def test_s01_the_refusal_names_both_fingerprints() -> None:
    with pytest.raises(PeerIdentityError) as caught:
        HostKeys.pinned(OTHER.fingerprint).check(HOST, PORT, KEY.kind, KEY.public_blob)
    assert KEY.fingerprint in str(caught.value)
    assert OTHER.fingerprint in str(caught.value)
    HostKeys.pinned(KEY.fingerprint).check(HOST, PORT, KEY.kind, KEY.public_blob)


@given(st.binary(max_size=200))
def test_s16_an_answer_of_any_bytes_is_read_or_refused(body: bytes) -> None:
    for read in (read_status, read_names, read_extensions, lambda data: read_attributes(Cursor(data))):
        try:
            read(body)
        except ProtocolError:
            continue
