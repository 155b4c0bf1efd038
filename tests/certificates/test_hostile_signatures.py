"""Signatures that somebody has tampered with: refused in our own words, never believed, never slow."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import pytest

from govfile import ProtocolError
from govfile.certificates.cms import sign_detached, verify_detached
from govfile.certificates.credential import Credential
from govfile.certificates.trust import Trust
from govfile.errors import GovfileError
from support import pki
from support.signing import (
    OpenSsl,
    content_info,
    joined,
    parts_of,
    signed_data_parts,
    signing_identity,
    tlv,
    with_signer,
)

if TYPE_CHECKING:
    from pathlib import Path

CONTENT = b"<ACRF><Form/></ACRF>"


@pytest.fixture(scope="module")
def signer(root: pki.Authority) -> pki.Identity:
    return signing_identity(root, "content_commitment")


@pytest.fixture(scope="module")
def signature(signer: pki.Identity) -> bytes:
    return sign_detached(CONTENT, Credential.from_pem(signer.key_pem() + signer.pem))


def refused(hostile: bytes) -> str:
    with pytest.raises(ProtocolError, match="no detached signature") as caught:
        verify_detached(hostile, CONTENT)
    return caught.value.what


def test_cut_off_anywhere(signature: bytes) -> None:
    for length in range(len(signature)):
        refused(signature[:length])


def test_a_certificate_with_bits_for_a_name_is_passed_over(root: pki.Authority) -> None:
    signer = signing_identity(root, "content_commitment", subject=pki.plain("Eksempel"))
    made = sign_detached(CONTENT, Credential.from_pem(signer.key_pem() + signer.pem))
    assert made.count(b"\x0c\x08Eksempel") == 1
    report = verify_detached(made.replace(b"\x0c\x08Eksempel", b"\x03\x08\0ksempel"), CONTENT)
    assert not report.is_sound
    assert (report.certificate, report.signer) == (None, "")


def test_any_byte_altered_is_never_believed_with_another_file(root: pki.Authority, signature: bytes) -> None:
    """Whatever one byte does, the signature does not become one over another file; errors are our own."""
    chance = random.Random(1)
    trust = Trust.only(root.pem)
    for place in range(len(signature)):
        hostile = bytearray(signature)
        hostile[place] ^= 1 << chance.randrange(8)
        try:
            report = verify_detached(bytes(hostile), CONTENT + b" ", trust=trust)
        except GovfileError:
            continue
        assert not report.is_sound
        assert isinstance(report.signer, str)


def test_a_byte_of_what_is_signed_altered_breaks_the_signature(signature: bytes) -> None:
    (attributes,) = [
        content for tag, content in parts_of(parts_of(signed_data_parts(signature)[-1][1])[0][1]) if tag == 0xA0
    ]
    start = signature.index(attributes)
    for place in range(start, start + len(attributes)):
        hostile = bytearray(signature)
        hostile[place] ^= 0x01
        try:
            report = verify_detached(bytes(hostile), CONTENT)
        except GovfileError:
            continue
        assert not report.signature_valid


@pytest.mark.parametrize(
    ("hostile", "says"),
    [
        (b"", "no room"),
        (b"\x30", "no room"),
        (b"\x30\x00", "0 parts"),
        (b"\x30\x84\xff\xff\xff\xff", "announced"),
        (b"\x30\x88" + b"\xff" * 8, "announced"),
        (b"\x30\x89" + b"\x01" * 9, "a length of 9 bytes"),
        (b"\x30\x80" * 40, "nested deeper"),
        (b"\x30\x80" * 500_000, "nested deeper"),
        (b"\xa0\x80" * 20 + b"\x00\x00" * 20, "belongs"),
        (b"\x1f\x81\x00\x00", "several bytes"),
        (b"\x30\x80\x06\x00", "no room"),
        (b"\x30\x0b\x06\x09" + bytes.fromhex("2a864886f70d010702"), "1 parts"),
        (bytes(2 * 1024 * 1024), "more than the"),
        (b"\x30\x82\xff\xff" + b"\x05\x00" * 32767 + b"\x00", "more than 2"),
        (b"MIIB" * 100, "behind the end"),
    ],
)
def test_bytes_that_are_no_signature(hostile: bytes, says: str) -> None:
    started = time.monotonic()
    assert says in refused(hostile)
    assert time.monotonic() - started < 2


def test_bytes_behind_the_end(signature: bytes) -> None:
    assert "behind the end" in refused(signature + b"\x00")


def test_lengths_of_every_size_inside(signature: bytes) -> None:
    """Each length byte of the outer layers claims more than there is, or less."""
    for place in (1, 2, 3, 16, 17, 18, 20, 21, 22):
        for value in (0x00, 0x7F, 0x80, 0x84, 0xFF):
            hostile = bytearray(signature)
            hostile[place] = value
            if bytes(hostile) != signature:
                refused(bytes(hostile))


def test_two_signers(root: pki.Authority, signer: pki.Identity, tmp_path: Path) -> None:
    other = signing_identity(root, "content_commitment", key=pki.rsa_key(26))
    twice = OpenSsl(tmp_path).sign(signer, CONTENT, also=[other])
    assert "2 signers where one belongs" in refused(twice)


def test_no_signer(signature: bytes) -> None:
    parts = signed_data_parts(signature)
    assert "0 signers" in refused(content_info([*parts[:-1], (0x31, b"")]))


def test_another_kind_of_cms(signer: pki.Identity, tmp_path: Path) -> None:
    openssl = OpenSsl(tmp_path)
    digested = openssl._run("-digest_create", "-outform", "DER", "-in", str(openssl._file("content", CONTENT)))
    assert "where a SignedData belongs" in refused(digested)


def test_the_certificate_of_another(root: pki.Authority, signature: bytes) -> None:
    """A certificate with the issuer and serial number that the signer names, and another key."""
    other = signing_identity(root, "content_commitment", key=pki.rsa_key(26))
    parts = signed_data_parts(signature)
    swapped = content_info([parts[0], parts[1], parts[2], (0xA0, der(other)), parts[4]])
    report = verify_detached(swapped, CONTENT)
    assert report.certificate is None
    assert not report.signature_valid
    identified = parts_of(parts_of(der(other))[0][1])[0][1]
    name = [(tag, content) for tag, content in parts_of(identified) if tag in (0x02, 0x30)]
    serial, issuer = name[0], name[2]

    def renamed(signed: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
        return [signed[0], (0x30, joined([issuer, serial])), *signed[2:]]

    report = verify_detached(with_signer(swapped, renamed), CONTENT)
    assert report.certificate == other.certificate
    assert report.digest_matches
    assert not report.signature_valid


def der(identity: pki.Identity) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return identity.certificate.public_bytes(Encoding.DER)


def test_signing_certificate_attribute_of_another(root: pki.Authority, signer: pki.Identity, tmp_path: Path) -> None:
    """Two certificates of one key: the signed attribute says which one was meant."""
    openssl = OpenSsl(tmp_path)
    made = openssl.sign(signer, CONTENT, "-cades", "-keyid")
    twin = signing_identity(root, "content_commitment", subject=pki.plain("Somebody else"), key=signer.key)
    parts = signed_data_parts(made)
    swapped = content_info([(tag, der(twin) if tag == 0xA0 else content) for tag, content in parts])
    report = verify_detached(swapped, CONTENT)
    assert report.certificate == twin.certificate
    assert not report.signature_valid
    assert any("another certificate" in problem for problem in report.problems)


class TestSignedAttributes:
    def changed(self, signature: bytes, change: object) -> bytes:
        def attributes(parts: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
            return [(tag, change(content) if tag == 0xA0 else content) for tag, content in parts]  # type: ignore[operator]

        return with_signer(signature, attributes)

    def test_one_twice(self, signature: bytes) -> None:
        assert "twice" in refused(self.changed(signature, lambda content: content + content))

    def test_none_in_the_set(self, signature: bytes) -> None:
        report = verify_detached(self.changed(signature, lambda _: b""), CONTENT)
        assert not report.digest_matches
        assert not report.signature_valid
        assert any("content type is missing" in problem for problem in report.problems)

    def test_taken_away(self, signature: bytes) -> None:
        """Without them the signature would have to be over the file itself, which it is not."""
        bare = with_signer(signature, lambda parts: [part for part in parts if part[0] != 0xA0])
        report = verify_detached(bare, CONTENT)
        assert not report.digest_matches
        assert not report.signature_valid

    def test_the_digest_of_another_file_put_in(self, signature: bytes) -> None:
        import hashlib

        other = CONTENT.upper()
        own, new = hashlib.sha256(CONTENT).digest(), hashlib.sha256(other).digest()
        report = verify_detached(signature.replace(own, new), other)
        assert report.digest_matches
        assert not report.signature_valid

    def test_a_digest_with_two_values(self, signature: bytes) -> None:
        def doubled(content: bytes) -> bytes:
            parts = parts_of(content)
            (place,) = [index for index, (_, inner) in enumerate(parts) if inner[10] == 4]
            name, (_, values) = parts_of(parts[place][1])
            parts[place] = (0x30, joined([name, (0x31, values + values)]))
            return joined(parts)

        assert "2 values" in refused(self.changed(signature, doubled))

    def test_too_many(self, signature: bytes) -> None:
        many = b"".join(tlv(0x30, tlv(0x06, bytes([0x2A, number])) + tlv(0x31, b"")) for number in range(100))
        assert "more than 64" in refused(self.changed(signature, lambda _: many))


def test_a_digest_algorithm_that_contradicts_the_signature(root: pki.Authority, tmp_path: Path) -> None:
    identity = signing_identity(root, "content_commitment", key=pki.ec_key(21))
    made = OpenSsl(tmp_path).sign(identity, CONTENT)
    sha384 = bytes.fromhex("608648016503040202")
    swapped = with_signer(made, lambda parts: [*parts[:2], (0x30, tlv(0x06, sha384)), *parts[3:]])
    with pytest.raises(GovfileError, match="two hashes"):
        verify_detached(swapped, CONTENT)


def test_a_signature_of_another_kind_of_key(signature: bytes) -> None:
    """An RSA certificate, and ECDSA named as the algorithm."""
    ecdsa = bytes.fromhex("2a8648ce3d040302")
    swapped = with_signer(signature, lambda parts: [*parts[:4], (0x30, tlv(0x06, ecdsa)), *parts[5:]])
    assert not verify_detached(swapped, CONTENT).signature_valid
