"""PKCS#12 files of every age open; those that do not say why."""

from __future__ import annotations

import contextlib
import tempfile
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from hypothesis import given, settings
from hypothesis import strategies as st

from govfile import Credential, CredentialError, Secret
from govfile.certificates import _der
from govfile.certificates.ssh import SshKey
from govfile.errors import ConfigurationError
from support import pki

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_BER_END = b"\0\0"


@pytest.mark.parametrize("as_what", ["bytes", "path", "text path"])
def test_a_modern_file_as_bytes_or_path(company: pki.Identity, tmp_path: Path, as_what: str) -> None:
    data = company.pkcs12(b"passphrase")
    place = tmp_path / "company.p12"
    place.write_bytes(data)
    sources: dict[str, bytes | Path | str] = {"bytes": data, "path": place, "text path": str(place)}
    credential = Credential.from_pkcs12(sources[as_what], Secret("passphrase"))
    assert credential.certificate == company.certificate
    assert credential.chain == company.chain
    assert credential.private_key.private_numbers() == company.key.private_numbers()


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["-legacy"],
        ["-legacy", "-keypbe", "PBE-SHA1-RC2-40", "-certpbe", "PBE-SHA1-RC2-40"],
        ["-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES", "-macalg", "sha1"],
        ["-keypbe", "NONE", "-certpbe", "NONE"],
        ["-nomac"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("passphrase", ["simple", "blåbærgrød €"])
def test_every_cipher_and_passphrases_beyond_ascii(
    company: pki.Identity, openssl_pkcs12: Callable[..., bytes], options: list[str], passphrase: str
) -> None:
    data = openssl_pkcs12(company, *options, passphrase=passphrase)
    credential = Credential.from_pkcs12(data, Secret(passphrase))
    assert (credential.certificate, credential.chain) == (company.certificate, company.chain)


def test_an_ec_key(authority: pki.Authority) -> None:
    identity = authority.issue(key=pki.ec_key())
    assert Credential.from_pkcs12(identity.pkcs12(b"x"), Secret("x")).public_key == identity.key.public_key()


def test_a_passphrase_as_openssl_before_1_1_spelt_it(company: pki.Identity) -> None:
    spelt = "rødgrød på Fyn".encode().decode("latin-1").encode()
    assert Credential.from_pkcs12(company.pkcs12(spelt), Secret("rødgrød på Fyn")).certificate == company.certificate


@pytest.mark.parametrize("passphrase", [None, Secret("")])
def test_a_file_with_an_empty_passphrase(
    company: pki.Identity, openssl_pkcs12: Callable[..., bytes], passphrase: Secret | None
) -> None:
    data = openssl_pkcs12(company, passphrase="")
    assert Credential.from_pkcs12(data, passphrase).certificate == company.certificate


def test_a_file_that_is_not_encrypted(company: pki.Identity) -> None:
    assert Credential.from_pkcs12(company.pkcs12()).certificate == company.certificate


def test_line_ends_after_the_file_do_no_harm(company: pki.Identity) -> None:
    assert Credential.from_pkcs12(company.pkcs12() + b"\r\n").certificate == company.certificate


def test_the_open_ended_form_of_old_exports(company: pki.Identity) -> None:
    content = _der.read(company.pkcs12(b"x")).content
    data = b"\x30\x80" + content + _BER_END
    assert Credential.from_pkcs12(data, Secret("x")).certificate == company.certificate


def test_certificates_in_any_order_and_strangers_among_them(
    company: pki.Identity, other: pki.Identity, root: pki.Authority
) -> None:
    jumbled = pki.Identity(
        key=company.key,
        certificate=company.certificate,
        chain=(other.certificate, root.identity.certificate, company.chain[0], company.chain[0]),
    )
    assert Credential.from_pkcs12(jumbled.pkcs12()).chain == company.chain


def _tlv(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    return bytes([tag, 0x84]) + len(content).to_bytes(4, "big") + content


def _two_in_one(first: bytes, second: bytes) -> bytes:
    """One file, without a seal, with what two files hold."""
    data_oid = bytes.fromhex("06092a864886f70d010701")
    held = []
    for data in (first, second):
        info = list(_der.read(data))[1]
        held.append(_der.read(next(iter(list(info)[1])).octets).content)
    safes = _tlv(0x04, _tlv(0x30, *held))
    return _tlv(0x30, b"\x02\x01\x03", _tlv(0x30, data_oid, _tlv(0xA0, safes)))


def test_several_keys_are_named(company: pki.Identity, other: pki.Identity) -> None:
    data = _two_in_one(company.pkcs12(b"x", friendly_name="Løn".encode()), other.pkcs12(b"x", friendly_name=b"Rente"))
    with pytest.raises(CredentialError, match=r"2 keys: 'Løn', 'Rente'"):
        Credential.from_pkcs12(data, Secret("x"))


def test_keys_in_nested_bags_are_counted(company: pki.Identity, other: pki.Identity) -> None:
    both = _two_in_one(company.pkcs12(friendly_name=b"outer"), _nested(other.pkcs12(friendly_name=b"inner")))
    with pytest.raises(CredentialError, match="2 keys: 'outer', 'inner'"):
        Credential.from_pkcs12(both)


def _nested(data: bytes) -> bytes:
    """The same file, with each SafeContents wrapped into a bag of its own."""
    held = []
    for info in _der.read(list(list(_der.read(data))[1])[1].child(0).octets):
        if info.child(0).content == bytes.fromhex("2a864886f70d010701"):
            contents = info.child(1).child(0).octets
            bag = _tlv(0x30, bytes.fromhex("060b2a864886f70d010c0a0106"), _tlv(0xA0, contents))
            wrapped = _tlv(0x04, _tlv(0x30, bag))
            held.append(_tlv(0x30, bytes.fromhex("06092a864886f70d010701"), _tlv(0xA0, wrapped)))
    whole = _tlv(0x04, _tlv(0x30, *held))
    return _tlv(0x30, b"\x02\x01\x03", _tlv(0x30, bytes.fromhex("06092a864886f70d010701"), _tlv(0xA0, whole)))


def test_a_key_of_an_unknown_type() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    data = serialize_key_and_certificates(None, key, None, None, NoEncryption())
    with pytest.raises(CredentialError, match="Ed25519"):
        Credential.from_pkcs12(data)


def test_keys_without_a_name_are_counted(company: pki.Identity, other: pki.Identity) -> None:
    data = _two_in_one(company.pkcs12(friendly_name=None), other.pkcs12(friendly_name=None))
    with pytest.raises(CredentialError, match=r"2 keys: \(no name\), \(no name\)"):
        Credential.from_pkcs12(data)


def test_a_file_without_a_key(company: pki.Identity, tmp_path: Path, openssl_pkcs12: Callable[..., bytes]) -> None:
    data = openssl_pkcs12(company, "-nokeys", passphrase="x")
    with pytest.raises(CredentialError, match="no private key"):
        Credential.from_pkcs12(data, Secret("x"))


def test_a_wrong_passphrase_and_a_missing_one(company: pki.Identity) -> None:
    data = company.pkcs12(b"right")
    with pytest.raises(CredentialError, match="the passphrase is wrong") as wrong:
        Credential.from_pkcs12(data, Secret("wrong-5e1f"))
    assert "wrong-5e1f" not in str(wrong.value)
    with pytest.raises(CredentialError, match="needs a passphrase"):
        Credential.from_pkcs12(data)


@pytest.mark.parametrize(("text", "message"), [("hush\0hush", "holds a NUL character"), ("hush" * 256, "1024 bytes")])
def test_a_passphrase_that_cannot_be_used_is_refused_unseen(
    company: pki.Identity, capfd: pytest.CaptureFixture[str], text: str, message: str
) -> None:
    passphrase = Secret(text)
    for load, data in (
        (Credential.from_pkcs12, company.pkcs12(b"hush")),
        (Credential.from_pem, company.key_pem(b"hush") + company.pem),
        (SshKey.from_bytes, company.key_pem(b"hush")),
    ):
        with pytest.raises(CredentialError, match=message) as refused:
            load(data, passphrase)
        assert "hush" not in str(refused.value)
    assert capfd.readouterr() == ("", "")


def test_a_passphrase_that_is_not_secret_is_refused_unseen(company: pki.Identity) -> None:
    with pytest.raises(ConfigurationError, match="Secret") as refused:
        Credential.from_pkcs12(company.pkcs12(b"plain-text"), "plain-text")  # type: ignore[arg-type]
    assert "plain-text" not in str(refused.value)


@pytest.mark.parametrize(
    ("data", "advice"),
    [
        (b"hello", "as it was exported"),
        (b"\xfe\xed\xfe\xed\0\0\0\x02", "Java key store"),
        (b"-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n", "from_pem"),
        (pki.Authority.create().identity.certificate.public_bytes(Encoding.DER), "bare certificate"),
        (b"0\x80" * 4000, "may be a bare"),
        (b"0\x00", "may be a bare"),
    ],
    ids=["text", "java", "pem", "certificate", "bomb", "empty sequence"],
)
def test_what_is_no_pkcs12_at_all(data: bytes, advice: str) -> None:
    with pytest.raises(CredentialError, match="not a PKCS#12 file") as refused:
        Credential.from_pkcs12(data, Secret("x"))
    assert advice in refused.value.advice


def test_a_file_cut_short_says_so(company: pki.Identity) -> None:
    data = company.pkcs12(b"x")
    for length in (1, 2, 3, 100, len(data) // 2, len(data) - 1):
        with pytest.raises(CredentialError, match="cut short"):
            Credential.from_pkcs12(data[:length], Secret("x"))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_damaged_file_is_our_error_or_still_opens(company: pki.Identity, data: st.DataObject) -> None:
    whole = bytearray(company.pkcs12(b"x"))
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(CredentialError):
        assert Credential.from_pkcs12(bytes(whole), Secret("x")).public_key == company.key.public_key()


@settings(max_examples=200, deadline=None)
@given(st.binary(min_size=1, max_size=200).map(lambda tail: b"0" + tail) | st.binary(min_size=1, max_size=200))
def test_noise_is_our_error(noise: bytes) -> None:
    for load in (Credential.from_pkcs12, Credential.from_pem):
        with pytest.raises(CredentialError):
            load(noise, Secret("x"))


def test_nothing_is_written_to_the_temporary_folder(
    company: pki.Identity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    Credential.from_pkcs12(company.pkcs12(b"x"), Secret("x"))
    Credential.from_pem(company.key_pem(b"x") + company.pem, Secret("x"))
    assert list(tmp_path.iterdir()) == []
