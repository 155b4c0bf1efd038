"""What is handed over for registration holds what is asked for, and never the private key."""

from __future__ import annotations

import subprocess
from pathlib import Path  # noqa: TC003 - fixtures are looked up by it

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_ssh_public_key

from govfile import Credential, CredentialError, Secret
from govfile.certificates.public import PublicHalf
from govfile.errors import InvalidName
from support import pki
from support.programs import require


@pytest.fixture
def half(company: pki.Identity) -> PublicHalf:
    return PublicHalf.of(Credential.from_pkcs12(company.pkcs12(b"x"), Secret("x")))


def test_pem_and_der_are_the_certificate_alone(half: PublicHalf, company: pki.Identity) -> None:
    assert x509.load_pem_x509_certificates(half.pem) == [company.certificate]
    assert x509.load_der_x509_certificate(half.der) == company.certificate


def test_no_form_holds_the_private_key(half: PublicHalf, company: pki.Identity) -> None:
    numbers = company.key.private_numbers()
    assert isinstance(numbers, rsa.RSAPrivateNumbers)
    secret = numbers.d
    raw = secret.to_bytes((secret.bit_length() + 7) // 8, "big")
    everything = [half.pem, half.der, half.ssh_line().encode(), half.fingerprint.encode(), repr(half).encode()]
    for form in everything:
        assert b"PRIVATE" not in form
        assert raw not in form
        assert raw.hex().encode() not in form


def test_fingerprints_are_those_openssl_prints(half: PublicHalf, tmp_path: Path) -> None:
    place = tmp_path / "company.cer"
    place.write_bytes(half.der)
    command = [require("openssl"), "x509", "-inform", "der", "-in", str(place), "-noout", "-fingerprint", "-sha256"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    assert printed.strip().rpartition("=")[2] == half.fingerprint_with_colons
    assert half.fingerprint == half.fingerprint_with_colons.replace(":", "").lower()


@pytest.mark.parametrize(
    ("subject", "identifier"),
    [
        (pki.oces2(what="UID", number="9876543210"), "9876543210"),
        (pki.oces2(what="RID", number="60134540"), "60134540"),
        (pki.oces2(what="FID", number="12345678"), "12345678"),
        (pki.oces3(common_name=pki.DECOY_UUID), pki.UUID),
        (pki.plain(pki.DECOY_UUID), None),
    ],
)
def test_the_identifier_to_register(root: pki.Authority, subject: x509.Name, identifier: str | None) -> None:
    assert PublicHalf(root.issue(subject).certificate).identifier == identifier


def test_it_is_read_from_pem_der_and_a_file_with_a_key(company: pki.Identity, half: PublicHalf, tmp_path: Path) -> None:
    place = tmp_path / "company.pem"
    place.write_bytes(company.key_pem(b"x") + company.pem + company.chain_pem)
    for source in (half.pem, half.der, place):
        assert PublicHalf.read(source) == half


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"hello", "neither PEM nor DER"),
        (b"-----BEGIN PUBLIC KEY-----\nAA==\n-----END PUBLIC KEY-----\n", "no CERTIFICATE block"),
        (b"-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n", "damaged"),
    ],
)
def test_what_is_no_certificate_says_so(data: bytes, message: str) -> None:
    with pytest.raises(CredentialError, match=message):
        PublicHalf.read(data)


@pytest.mark.parametrize(
    ("key", "begins"),
    [
        (pki.rsa_key(2), "ssh-rsa AAAA"),
        (pki.ec_key(), "ecdsa-sha2-nistp256 AAAA"),
        (pki.ec_key(0, ec.SECP521R1), "ecdsa-sha2-nistp521 AAAA"),
    ],
    ids=["RSA", "P-256", "P-521"],
)
def test_the_ssh_line_is_one_that_ssh_keygen_reads(
    root: pki.Authority, tmp_path: Path, key: pki.Key, begins: str
) -> None:
    line = PublicHalf(root.issue(key=key).certificate).ssh_line("filing@example.dk")
    assert line.startswith(begins)
    assert line.endswith(" filing@example.dk")
    assert load_ssh_public_key(line.encode()) == key.public_key()
    place = tmp_path / "key.pub"
    place.write_text(line + "\n")
    subprocess.run([require("ssh-keygen"), "-l", "-f", str(place)], check=True, capture_output=True, timeout=60)


def test_a_curve_ssh_does_not_know(root: pki.Authority) -> None:
    with pytest.raises(CredentialError, match="SSH knows no key of this type"):
        PublicHalf(root.issue(key=pki.ec_key(0, ec.SECP256K1)).certificate).ssh_line()


@pytest.mark.parametrize("comment", ["two\nlines", "a\rb", "a\0b", "\x1b[31m"])
def test_a_comment_cannot_add_a_line(half: PublicHalf, comment: str) -> None:
    with pytest.raises(InvalidName):
        half.ssh_line(comment)
    assert "\n" not in half.ssh_line("one line")
