"""`govfile cert`: what it says of the certificates people really have."""

from __future__ import annotations

import base64
import io
import subprocess
from datetime import datetime
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from support.cli import command, run
from support.pki import OCES3_TEST_ISSUER, UUID, Authority, Identity, oces2, oces2_personal, oces3, plain

if TYPE_CHECKING:
    from pathlib import Path

PASSPHRASE = "open sesame, 4 cli tests"


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.create(OCES3_TEST_ISSUER)


@pytest.fixture(scope="module")
def company(authority: Authority) -> Identity:
    return authority.issue(oces3(cvr="10101010"))


@pytest.mark.parametrize("form", ["pkcs12", "pem with key", "pem", "der"])
def test_inspect_reads_every_form(tmp_path: Path, company: Identity, form: str) -> None:
    content = {
        "pkcs12": company.pkcs12(PASSPHRASE.encode()),
        "pem with key": company.key_pem(PASSPHRASE.encode()) + company.pem,
        "pem": company.pem,
        "der": company.certificate.public_bytes(Encoding.DER),
    }[form]
    (tmp_path / "company").write_bytes(content)
    (tmp_path / "passphrase").write_text(PASSPHRASE)
    found = run("cert", "inspect", tmp_path / "company", "--passphrase-file", tmp_path / "passphrase", "--json")
    assert found.code == 0, found.err
    (record,) = found.records
    assert (record["kind"], record["schema"]) == ("certificate", 1)
    assert (record["cvr"], record["identifier"]) == ("10101010", UUID)
    assert (record["certificate_kind"], record["issued_for"]) == ("oces3_organisation", "test")
    assert datetime.fromisoformat(record["expires"]) == company.certificate.not_valid_after_utc
    assert record["sha256"] == company.certificate.fingerprint(SHA256()).hex()


def test_inspect_prints_for_people_in_utc(tmp_path: Path, authority: Authority) -> None:
    old = authority.issue(oces2(cvr="30808460", what="FID", number="1234"))
    (tmp_path / "old.cer").write_bytes(old.pem)
    found = run("cert", "inspect", tmp_path / "old.cer")
    assert found.code == 0
    assert "30808460" in found.out
    assert "1234" in found.out
    assert f"{old.certificate.not_valid_after_utc:%Y-%m-%d %H:%M:%S} UTC" in found.out


def test_inspect_exits_with_5_when_the_certificate_is_not_valid_now(tmp_path: Path, authority: Authority) -> None:
    for name, identity, words in (
        ("gone", authority.expired(), "expired on "),
        ("early", authority.not_yet_valid(), "not valid yet"),
    ):
        (tmp_path / name).write_bytes(identity.key_pem() + identity.pem)
        found = run("cert", "inspect", tmp_path / name, "--json")
        assert found.code == 5
        assert found.records[0]["validity"].startswith(words)


def test_a_personal_certificate_is_refused(tmp_path: Path, authority: Authority) -> None:
    (tmp_path / "person.pem").write_bytes(authority.issue(oces2_personal()).pem)
    found = run("cert", "inspect", tmp_path / "person.pem")
    assert found.code == 5
    assert "personal certificate" in found.err


@pytest.mark.parametrize("content", [None, b"", b"hello", b"-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_what_is_no_certificate_is_a_credential_error(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "company").write_bytes(content)
    found = run("cert", "inspect", tmp_path / "company")
    assert found.code == 5
    assert found.out == ""


def test_what_is_no_certificate_says_so_in_our_own_words(tmp_path: Path, company: Identity) -> None:
    odd = company.certificate.public_bytes(Encoding.DER).replace(
        bytes.fromhex("a003020102"), bytes.fromhex("a003020106")
    )
    armoured = b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(odd) + b"-----END CERTIFICATE-----\n"
    for content, words in (
        (odd, "not a PKCS#12 file"),
        (armoured, "is damaged"),
        (b"x" * 2**21, "larger than 1024 KiB"),
    ):
        (tmp_path / "company").write_bytes(content)
        found = run("cert", "inspect", tmp_path / "company")
        assert found.code == 5
        assert words in found.err


def test_an_endless_file_is_refused() -> None:
    found = run("cert", "export", "/dev/zero")
    assert found.code == 5
    assert "larger than 1024 KiB" in found.err


def test_an_issuer_whose_name_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    der = Authority.create(plain("Eksempel")).issue(oces3()).certificate.public_bytes(Encoding.DER)
    (tmp_path / "company.cer").write_bytes(der.replace(b"\x0c\x08Eksempel", b"\x0c\x08" + b"\xff" * 8))
    found = run("cert", "inspect", tmp_path / "company.cer", "--json")
    assert found.code == 0, found.err
    assert (found.records[0]["cvr"], found.records[0]["issuer"]) == ("10101010", None)


def test_the_passphrase_is_neither_guessed_nor_shown(tmp_path: Path, company: Identity) -> None:
    (tmp_path / "company.p12").write_bytes(company.pkcs12(PASSPHRASE.encode()))
    (tmp_path / "passphrase").write_text("wrong passphrase, 1")
    none = run("cert", "inspect", tmp_path / "company.p12")
    wrong = run("cert", "inspect", tmp_path / "company.p12", "--passphrase-file", tmp_path / "passphrase")
    unset = run("cert", "inspect", tmp_path / "company.p12", "--passphrase-env", "GOVFILE_NO_SUCH")
    assert (none.code, wrong.code, unset.code) == (5, 5, 2)
    assert "GOVFILE_NO_SUCH" in unset.err
    assert "wrong passphrase, 1" not in wrong.out + wrong.err


def test_export_writes_the_public_half_and_never_the_key(tmp_path: Path, company: Identity) -> None:
    (tmp_path / "company.pem").write_bytes(company.key_pem() + company.pem + company.chain_pem)
    pem = run("cert", "export", tmp_path / "company.pem")
    assert pem.out.strip() == company.pem.decode().strip()
    assert "PRIVATE" not in pem.out
    der = run("cert", "export", tmp_path / "company.pem", "--format", "der", "--out", tmp_path / "company.cer")
    assert der.code == 0
    assert (tmp_path / "company.cer").read_bytes() == company.certificate.public_bytes(Encoding.DER)
    ssh = run("cert", "export", tmp_path / "company.pem", "--format", "ssh", "--comment", "night run")
    assert ssh.out.startswith("ssh-rsa AAAA")
    assert ssh.out.endswith(" night run\n")
    assert run("cert", "export", tmp_path / "company.pem", "--format", "identifier").out == f"{UUID}\n"
    digest = company.certificate.fingerprint(SHA256()).hex(":").upper()
    assert run("cert", "export", tmp_path / "company.pem", "--format", "fingerprint").out == f"{digest}\n"


def test_export_overwrites_nothing(tmp_path: Path, company: Identity) -> None:
    (tmp_path / "company.pem").write_bytes(company.pem)
    (tmp_path / "there").write_text("mine")
    found = run("cert", "export", tmp_path / "company.pem", "--out", tmp_path / "there")
    assert found.code == 2
    assert (tmp_path / "there").read_text() == "mine"


def test_der_goes_to_standard_output_as_bytes(tmp_path: Path, company: Identity) -> None:
    (tmp_path / "company.pem").write_bytes(company.pem)
    ended = subprocess.run(
        command("cert", "export", tmp_path / "company.pem", "--format", "der"), capture_output=True, check=True
    )
    assert ended.stdout == company.certificate.public_bytes(Encoding.DER)


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("content", "is_asked"), [(None, False), (b"hello", False), ("pkcs12", True), ("pem", True)], ids=str
)
def test_a_passphrase_is_asked_for_only_where_one_is_needed(
    tmp_path: Path, company: Identity, monkeypatch: pytest.MonkeyPatch, content: bytes | str | None, is_asked: bool
) -> None:
    known = {
        "pkcs12": company.pkcs12(PASSPHRASE.encode()),
        "pem": company.key_pem(PASSPHRASE.encode()) + company.pem,
    }
    if content is not None:
        (tmp_path / "company").write_bytes(known[content] if isinstance(content, str) else content)
    asked: list[str] = []

    def prompt(text: str, **_: object) -> str:
        asked.append(text)
        return PASSPHRASE

    monkeypatch.setattr("typer.prompt", prompt)
    monkeypatch.setattr("sys.stdin", _Terminal())
    found = run("cert", "inspect", tmp_path / "company")
    assert (asked, found.code) == ((["Passphrase"], 0) if is_asked else ([], 5)), found.err
