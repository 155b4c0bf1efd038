"""PEM in any order and in several files; what does not belong together is refused."""

from __future__ import annotations

import itertools
import subprocess
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from govfile import Credential, CredentialError, Secret
from support import pki
from support.programs import require

if TYPE_CHECKING:
    from pathlib import Path


def test_key_and_certificates_in_any_order(company: pki.Identity) -> None:
    blocks = [company.key_pem(), company.pem, *(found.public_bytes(Encoding.PEM) for found in company.chain)]
    for order in itertools.permutations(blocks):
        credential = Credential.from_pem(b"Bag Attributes: none\r\n".join(order))
        assert (credential.certificate, credential.chain) == (company.certificate, company.chain)


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL, PrivateFormat.OpenSSH])
@pytest.mark.parametrize("passphrase", [None, "blåbær"])
@pytest.mark.parametrize("key", [pki.rsa_key(2), pki.ec_key()], ids=["RSA", "EC"])
def test_keys_in_every_form(
    authority: pki.Authority, form: PrivateFormat, passphrase: str | None, key: pki.Key
) -> None:
    identity = authority.issue(key=key)
    data = identity.key_pem(passphrase and passphrase.encode(), form) + identity.pem  # type: ignore[arg-type]
    assert Credential.from_pem(data, passphrase and Secret(passphrase)).certificate == identity.certificate  # type: ignore[arg-type]
    if passphrase:
        with pytest.raises(CredentialError, match="encrypted and no passphrase is given"):
            Credential.from_pem(data)
        with pytest.raises(CredentialError, match="passphrase is wrong"):
            Credential.from_pem(data, Secret("wrong"))


def test_separate_files(company: pki.Identity, tmp_path: Path) -> None:
    key, certificate, chain = tmp_path / "key.pem", tmp_path / "company.cer", tmp_path / "chain.pem"
    key.write_bytes(company.key_pem())
    certificate.write_bytes(company.certificate.public_bytes(Encoding.DER))
    chain.write_bytes(company.chain_pem)
    credential = Credential.from_pem(key, certificate=certificate, chain=chain)
    assert (credential.certificate, credential.chain) == (company.certificate, company.chain)


def test_a_separate_certificate_wins_over_an_older_one_beside_the_key(authority: pki.Authority) -> None:
    old, new = authority.issue(), authority.issue()
    assert Credential.from_pem(old.key_pem() + old.pem, certificate=new.pem).certificate == new.certificate


def test_windows_line_ends_and_a_byte_order_mark(company: pki.Identity) -> None:
    data = b"\xef\xbb\xbf" + (company.pem + company.key_pem()).replace(b"\n", b"\r\n")
    assert Credential.from_pem(data).certificate == company.certificate


def test_the_same_certificate_twice_is_one(company: pki.Identity) -> None:
    assert Credential.from_pem(company.pem + company.key_pem() + company.pem).certificate == company.certificate


def test_a_key_that_does_not_fit(company: pki.Identity, other: pki.Identity) -> None:
    with pytest.raises(CredentialError, match=r"the key \(RSA 2048\) does not fit certificate [0-9a-f]{16}…"):
        Credential.from_pem(company.key_pem() + other.pem)
    with pytest.raises(CredentialError, match="does not fit"):
        Credential.from_pem(company.key_pem() + company.pem, certificate=other.pem)


def test_several_keys_are_named(company: pki.Identity, authority: pki.Authority) -> None:
    second = authority.issue(key=pki.ec_key())
    with pytest.raises(CredentialError, match=r"2 different keys \(1: RSA 2048, 2: EC secp256r1\)"):
        Credential.from_pem(company.key_pem() + company.pem + second.key_pem() + second.pem)


def test_several_certificates_of_one_key_are_named(authority: pki.Authority) -> None:
    old, new = authority.issue(), authority.issue()
    with pytest.raises(CredentialError, match="fits several certificates") as refused:
        Credential.from_pem(old.key_pem() + old.pem + new.pem)
    for identity in (old, new):
        assert Credential.from_pem(identity.key_pem() + identity.pem).fingerprint[:16] in str(refused.value)


def test_a_chain_that_belongs_to_another_is_refused(company: pki.Identity) -> None:
    stranger = pki.Authority.create(pki.OCES3_TEST_ISSUER, key=pki.rsa_key(9))
    with pytest.raises(CredentialError, match="no certificate of the chain issued"):
        Credential.from_pem(company.key_pem() + company.pem, chain=stranger.pem)


def test_of_two_authorities_with_one_name_the_one_that_signed_is_taken(company: pki.Identity) -> None:
    stranger = pki.Authority.create(pki.OCES3_TEST_ISSUER, key=pki.rsa_key(9))
    credential = Credential.from_pem(company.key_pem() + company.pem, chain=stranger.pem + company.chain_pem)
    assert credential.chain == company.chain


_SSH = ed25519.Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
_KEY = pki.rsa_key(2).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
_CERTIFICATE = pki.Authority.create().issue().pem


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"hello", "not a PEM file"),
        (b"0\x82\x01\x00binary", "not a PEM file"),
        (_KEY, "a key and no certificate"),
        (_CERTIFICATE, "holds no private key"),
        (b"-----BEGIN CERTIFICATE REQUEST-----\nAA==\n-----END CERTIFICATE REQUEST-----", "holds no private key"),
        (_KEY[:-20], "cut short"),
        (_KEY + _CERTIFICATE[:-30], "cut short"),
        (_SSH + _CERTIFICATE, "Ed25519"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "key is damaged"),
        (
            _KEY + b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "certificate in the file is damaged",
        ),
    ],
)
def test_what_cannot_be_used_says_why(data: bytes, message: str) -> None:
    with pytest.raises(CredentialError, match=message) as refused:
        Credential.from_pem(data)
    assert refused.value.advice


def test_a_cipher_nobody_uses_is_told_from_a_wrong_passphrase(company: pki.Identity, tmp_path: Path) -> None:
    source, target = tmp_path / "in.pem", tmp_path / "out.pem"
    source.write_bytes(company.key_pem())
    command = [require("openssl"), "pkcs8", "-topk8", "-in", str(source), "-out", str(target)]
    command += ["-v2", "camellia-256-cbc", "-passout", "pass:x"]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    with pytest.raises(CredentialError, match="encrypted in a way, that cannot be read"):
        Credential.from_pem(target.read_bytes() + company.pem, Secret("x"))


@pytest.fixture
def odd_curve(tmp_path: Path) -> bytes:
    """Key and certificate on a curve that is not supported, PEM."""
    key, certificate = tmp_path / "odd.key", tmp_path / "odd.crt"
    command = [
        require("openssl"),
        "req",
        "-x509",
        "-nodes",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime239v1",
    ]
    command += ["-subj", "/CN=odd", "-days", "2", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return key.read_bytes() + certificate.read_bytes()


def test_a_curve_that_is_not_supported(odd_curve: bytes, company: pki.Identity, tmp_path: Path) -> None:
    with pytest.raises(CredentialError, match="of a kind, or encrypted in a way"):
        Credential.from_pem(odd_curve)
    source, target = tmp_path / "odd.pem", tmp_path / "odd.p12"
    source.write_bytes(odd_curve)
    command = [require("openssl"), "pkcs12", "-export", "-in", str(source), "-out", str(target), "-passout", "pass:x"]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    # The oldest cryptography allowed cannot tell an odd curve in a PKCS#12 file from damage.
    with pytest.raises(CredentialError, match=r"of a kind, or is encrypted in a way|file is damaged"):
        Credential.from_pkcs12(target, Secret("x"))
    certificate = odd_curve[odd_curve.index(b"-----BEGIN CERTIFICATE") :]
    assert Credential.from_pem(company.key_pem() + certificate + company.pem).certificate == company.certificate


def test_an_unknown_kind_of_key_is_refused() -> None:
    key = dsa.generate_private_key(2048)
    data = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    with pytest.raises(CredentialError, match="DSA"):
        Credential.from_pem(data + _CERTIFICATE)


def test_a_passphrase_for_an_open_key_is_an_error(company: pki.Identity) -> None:
    with pytest.raises(CredentialError, match="the private key is not encrypted"):
        Credential.from_pem(company.key_pem() + company.pem, Secret("x"))


def test_a_megabyte_of_beginnings_is_refused_quickly() -> None:
    with pytest.raises(CredentialError, match="cut short"):
        Credential.from_pem(b"-----BEGIN PRIVATE KEY-----\n" * 37_000)
