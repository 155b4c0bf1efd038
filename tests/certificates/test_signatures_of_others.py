"""Detached signatures as openssl makes them, in every shape, and what the report says of each."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from govfile import TrustError
from govfile.certificates.cms import Digest, verify_detached
from govfile.certificates.trust import Trust
from support import pki
from support.signing import OpenSsl, signature_value, signing_identity, with_timestamp

if TYPE_CHECKING:
    from pathlib import Path

CONTENT = b"<ACRF>\r\n<Form/>\n</ACRF>"
KEYS: dict[str, pki.Key] = {"rsa": pki.rsa_key(21), "p-256": pki.ec_key(21), "p-384": pki.ec_key(22, ec.SECP384R1)}
SHAPES: dict[str, tuple[str, ...]] = {
    "plain": (),
    "without signed attributes": ("-noattr",),
    "indefinite length, content inside": ("-stream",),
    "CAdES-BES": ("-cades",),
    "named by key identifier": ("-keyid",),
    "SHA-384": ("-md", "sha384"),
    "SHA-512": ("-md", "sha512"),
    "without S/MIME capabilities": ("-nosmimecap",),
}


@pytest.fixture
def openssl(tmp_path: Path) -> OpenSsl:
    return OpenSsl(tmp_path)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_is_read(shape: str, key: str, root: pki.Authority, openssl: OpenSsl) -> None:
    identity = signing_identity(root, "content_commitment", key=KEYS[key])
    signature = openssl.sign(identity, CONTENT, *SHAPES[shape])
    report = verify_detached(signature, io.BytesIO(CONTENT), trust=Trust.only(root.pem))
    assert (report.digest_matches, report.signature_valid, report.chain_trusted) == (True, True, True)
    assert report.problems == ()
    assert report.signer == "CN=Bureau social SRL"
    assert (report.signing_time is None) == (shape == "without signed attributes")
    assert report.signing_time is None or abs(report.signing_time - datetime.now(UTC)) < timedelta(minutes=5)
    altered = verify_detached(signature, CONTENT + b"\n")
    assert not altered.digest_matches
    assert altered.signature_valid == (shape != "without signed attributes")
    assert any("file" in problem for problem in altered.problems)


def test_indefinite_length_without_the_content(root: pki.Authority, openssl: OpenSsl) -> None:
    signature = openssl.sign(signing_identity(root, "content_commitment"), CONTENT, "-stream")
    inside = b"\xa0\x80\x24\x80\x04" + bytes([len(CONTENT)]) + CONTENT + bytes(4)
    assert signature.count(inside) == 1
    detached = signature.replace(inside, b"")
    assert openssl.accepts(detached, CONTENT, root.pem)
    assert verify_detached(detached, CONTENT).is_sound


def test_a_content_inside_must_be_the_file(root: pki.Authority, openssl: OpenSsl) -> None:
    signature = openssl.sign(signing_identity(root, "content_commitment"), CONTENT, "-nodetach", "-noattr")
    assert verify_detached(signature, CONTENT).is_sound
    swapped = signature.replace(CONTENT, CONTENT.upper())
    report = verify_detached(swapped, CONTENT)
    assert not report.digest_matches
    assert any("content of its own" in problem for problem in report.problems)


@pytest.mark.parametrize(
    "options",
    [
        ("-keyopt", "rsa_padding_mode:pss"),
        ("-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:20"),
        ("-keyopt", "rsa_padding_mode:pss", "-md", "sha512"),
        ("-keyopt", "rsa_padding_mode:pss", "-noattr"),
    ],
    ids=["usual salt", "short salt", "SHA-512", "no attributes"],
)
def test_rsa_pss(options: tuple[str, ...], root: pki.Authority, openssl: OpenSsl) -> None:
    signature = openssl.sign(signing_identity(root, "content_commitment"), CONTENT, *options)
    assert verify_detached(signature, CONTENT).is_sound
    assert not verify_detached(signature, CONTENT[1:]).is_sound


@pytest.mark.parametrize("options", [(), ("-noattr",)])
def test_sha1_is_flagged(options: tuple[str, ...], root: pki.Authority, openssl: OpenSsl) -> None:
    signature = openssl.sign(signing_identity(root, "content_commitment"), CONTENT, "-md", "sha1", *options)
    report = verify_detached(signature, CONTENT)
    assert report.is_sound
    assert report.is_weak


@pytest.mark.parametrize("options", [(), ("-noattr",)])
def test_md5_is_refused(options: tuple[str, ...], root: pki.Authority, openssl: OpenSsl) -> None:
    signature = openssl.sign(signing_identity(root, "content_commitment"), CONTENT, "-md", "md5", *options)
    with pytest.raises(TrustError, match="MD5"):
        verify_detached(signature, CONTENT)


def test_a_hash_that_is_not_known_is_refused(root: pki.Authority, openssl: OpenSsl) -> None:
    signature = openssl.sign(signing_identity(root, "content_commitment"), CONTENT, "-md", "sha3-256")
    with pytest.raises(TrustError, match="not known"):
        verify_detached(signature, CONTENT)


def test_a_certificate_that_is_not_inside_can_be_given(root: pki.Authority, openssl: OpenSsl) -> None:
    identity = signing_identity(root, "content_commitment")
    signature = openssl.sign(identity, CONTENT, "-nocerts")
    alone = verify_detached(signature, CONTENT, trust=Trust.only(root.pem))
    assert (alone.digest_matches, alone.signature_valid, alone.chain_trusted) == (True, False, False)
    assert alone.signer == ""
    assert verify_detached(signature, CONTENT, certificates=[identity.certificate]).is_sound


def test_the_digest_alone_will_do_for_sha256_only(root: pki.Authority, openssl: OpenSsl) -> None:
    identity = signing_identity(root, "content_commitment")
    digest = Digest.of(CONTENT)
    assert verify_detached(openssl.sign(identity, CONTENT), digest).is_sound
    assert not verify_detached(openssl.sign(identity, CONTENT), Digest.of(b"")).digest_matches
    with pytest.raises(TrustError, match="only the SHA-256"):
        verify_detached(openssl.sign(identity, CONTENT, "-md", "sha512"), digest)


class TestChains:
    def test_a_middle_authority_that_is_inside(self, root: pki.Authority, openssl: OpenSsl) -> None:
        middle = root.subordinate(pki.plain("Invented middle"), key=pki.rsa_key(23))
        identity = signing_identity(middle, "content_commitment")
        chain = openssl.folder / "chain.pem"
        chain.write_bytes(middle.pem)
        whole = openssl.sign(identity, CONTENT, "-certfile", str(chain))
        assert verify_detached(whole, CONTENT, trust=Trust.only(root.pem)).chain_trusted
        alone = openssl.sign(identity, CONTENT)
        assert verify_detached(alone, CONTENT, trust=Trust.only(root.pem)).chain_trusted is False
        assert verify_detached(alone, CONTENT, trust=Trust.only(middle.pem)).chain_trusted

    def test_the_chain_holds_at_the_time_asked_about(self, root: pki.Authority, openssl: OpenSsl) -> None:
        begin = datetime.now(UTC) - timedelta(minutes=30)
        identity = signing_identity(root, "content_commitment", begin=begin, life=timedelta(minutes=10))
        signature = openssl.sign(identity, CONTENT)
        trust = Trust.only(root.pem)
        during = verify_detached(signature, CONTENT, trust=trust, at=begin + timedelta(minutes=5))
        assert during.chain_trusted
        after = verify_detached(signature, CONTENT, trust=trust)
        assert after.is_sound
        assert after.chain_trusted is False
        assert any("expired" in problem for problem in after.problems)

    def test_a_certificate_that_is_no_authority_issues_nothing(self, root: pki.Authority, openssl: OpenSsl) -> None:
        employee = signing_identity(root, "digital_signature", "key_cert_sign", key=pki.rsa_key(23))
        forged = signing_identity(pki.Authority(identity=employee), "content_commitment")
        extra = openssl.folder / "extra.pem"
        extra.write_bytes(employee.pem)
        signature = openssl.sign(forged, CONTENT, "-certfile", str(extra))
        report = verify_detached(signature, CONTENT, trust=Trust.only(root.pem))
        assert report.is_sound
        assert report.chain_trusted is False


class TestTimestamps:
    @pytest.fixture
    def clock(self, root: pki.Authority) -> pki.Identity:
        return signing_identity(
            root, "digital_signature", subject=pki.plain("Invented clock"), key=pki.rsa_key(25), stamps_time=True
        )

    @pytest.fixture
    def signature(self, root: pki.Authority, openssl: OpenSsl) -> bytes:
        return openssl.sign(signing_identity(root, "content_commitment"), CONTENT, "-cades")

    def test_the_time_of_a_cades_t_signature(
        self, signature: bytes, clock: pki.Identity, root: pki.Authority, openssl: OpenSsl
    ) -> None:
        stamped = with_timestamp(signature, openssl.stamp(clock, signature_value(signature)))
        assert openssl.accepts(stamped, CONTENT, root.pem, "-cades")
        assert "id-smime-aa-timeStampToken" in openssl.printed(stamped)
        report = verify_detached(stamped, CONTENT)
        assert report.is_sound
        assert report.timestamp is not None
        assert report.timestamp.is_of_this
        assert report.timestamp.signature_valid
        assert report.timestamp.authority == "CN=Invented clock"
        assert report.timestamp.problem == ""
        assert report.timestamp.time is not None
        assert abs(report.timestamp.time - datetime.now(UTC)) < timedelta(minutes=5)

    def test_the_stamp_of_another_signature(self, signature: bytes, clock: pki.Identity, openssl: OpenSsl) -> None:
        report = verify_detached(with_timestamp(signature, openssl.stamp(clock, b"something else")), CONTENT)
        assert report.is_sound
        assert report.timestamp is not None
        assert not report.timestamp.is_of_this
        assert report.timestamp.signature_valid
        assert "another signature" in report.timestamp.problem

    def test_a_stamp_set_back(self, signature: bytes, clock: pki.Identity, openssl: OpenSsl) -> None:
        token = openssl.stamp(clock, signature_value(signature))
        year = f"\x18\x0f{datetime.now(UTC):%Y}".encode("latin-1")
        assert token.count(year) == 1
        report = verify_detached(with_timestamp(signature, token.replace(year, b"\x18\x0f2001")), CONTENT)
        assert report.is_sound
        assert report.timestamp is not None
        assert report.timestamp.time is not None
        assert report.timestamp.time.year == 2001
        assert not report.timestamp.signature_valid
        assert "not the one that was signed" in report.timestamp.problem

    @pytest.mark.parametrize("token", [b"\x30\x00", b"\x05\x00", b"\x30\x03\x02\x01\x00"])
    def test_a_stamp_that_cannot_be_read(self, token: bytes, signature: bytes) -> None:
        report = verify_detached(with_timestamp(signature, token), CONTENT)
        assert report.is_sound
        assert report.timestamp is not None
        assert report.timestamp.time is None
        assert "cannot be used" in report.timestamp.problem

    def test_a_signature_in_the_place_of_a_stamp(self, signature: bytes) -> None:
        report = verify_detached(with_timestamp(signature, signature), CONTENT)
        assert report.timestamp is not None
        assert not report.timestamp.signature_valid
        assert "no time-stamp token" in report.timestamp.problem

    def test_none(self, signature: bytes) -> None:
        assert verify_detached(signature, CONTENT).timestamp is None
