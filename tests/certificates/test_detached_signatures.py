"""Detached signatures we write: openssl accepts each of them, and no other file under them."""

from __future__ import annotations

import hashlib
import io
import os
import re
import subprocess
import sys
import textwrap
import tracemalloc
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from govfile import Credential, CredentialError
from govfile.certificates.cms import Digest, sign_detached, verify_detached
from govfile.certificates.signer import SignatureAlgorithm, SoftwareSigner
from govfile.certificates.trust import Trust
from govfile.errors import InvalidContent
from govfile.filing.source import Source
from support import pki
from support.signing import OpenSsl, signed_data_parts, signing_identity
from support.softhsm import PIN, SoftHsm

if TYPE_CHECKING:
    from pathlib import Path

CONTENT = b'<?xml version="1.0"?>\r\n<DmfAOriginal>\n  <Form/>\r\n</DmfAOriginal>\n'
KEYS: dict[str, pki.Key] = {
    "rsa 2048": pki.rsa_key(21),
    "rsa 3072": pki.rsa_key(22, 3072),
    "p-256": pki.ec_key(21),
    "p-384": pki.ec_key(22, ec.SECP384R1),
    "p-521": pki.ec_key(23, ec.SECP521R1),
}


def credential_of(identity: pki.Identity) -> Credential:
    return Credential.from_pem(identity.key_pem() + identity.pem + identity.chain_pem)


@pytest.fixture(scope="module")
def signer(root: pki.Authority) -> pki.Identity:
    return signing_identity(root, "content_commitment")


@pytest.mark.parametrize("kind", KEYS)
def test_openssl_accepts_what_was_signed_and_nothing_else(kind: str, root: pki.Authority, tmp_path: Path) -> None:
    identity = signing_identity(root, "content_commitment", key=KEYS[kind])
    openssl = OpenSsl(tmp_path)
    signature = sign_detached(CONTENT, credential_of(identity))
    assert openssl.accepts(signature, CONTENT, root.pem)
    assert not openssl.accepts(signature, CONTENT + b" ", root.pem)
    assert not openssl.accepts(signature, CONTENT.replace(b"\n  <", b"\r\n  <"), root.pem)
    assert verify_detached(signature, CONTENT).is_sound


def test_bytes_an_open_file_and_a_known_digest_give_the_same_signature(signer: pki.Identity, tmp_path: Path) -> None:
    credential = credential_of(signer)
    path = tmp_path / "declaration.xml"
    path.write_bytes(CONTENT)

    def clock() -> datetime:
        return datetime.now(UTC).replace(microsecond=0)

    now = clock()
    with path.open("rb") as reader:
        made = {
            sign_detached(content, credential, clock=lambda: now)
            for content in (CONTENT, reader, io.BytesIO(CONTENT), Digest.from_hex(Source.of(path).sha256))
        }
    assert len(made) == 1  # PKCS#1 v1.5 has no randomness


def test_the_structure_is_the_plain_one_that_old_readers_know(signer: pki.Identity, tmp_path: Path) -> None:
    at = signer.certificate.not_valid_before_utc + timedelta(minutes=1)
    signature = sign_detached(CONTENT, credential_of(signer), clock=lambda: at)
    printed = OpenSsl(tmp_path).printed(signature)
    assert "eContent: <ABSENT>" in printed
    assert "crls:\n      <ABSENT>" in printed
    assert "unsignedAttrs:\n          <ABSENT>" in printed
    attributes = re.findall(r"object: (\w+) \(1\.2\.840\.113549\.1\.9", printed)
    assert sorted(attributes) == ["contentType", "messageDigest", "signingTime"]
    assert f"UTCTIME:{at:%b} {at.day:2} {at:%H:%M:%S %Y} GMT" in printed
    assert [tag for tag, _ in signed_data_parts(signature)] == [0x02, 0x31, 0x30, 0xA0, 0x31]


def test_only_the_signers_certificate_is_embedded_unless_asked(
    root: pki.Authority, signer: pki.Identity, tmp_path: Path
) -> None:
    middle = root.subordinate(pki.plain("Invented middle"), key=pki.rsa_key(23))
    identity = signing_identity(middle, "content_commitment")
    openssl = OpenSsl(tmp_path)
    alone = sign_detached(CONTENT, credential_of(identity))
    whole = sign_detached(CONTENT, credential_of(identity), with_chain=True)
    assert openssl.printed(alone).count("cert_info") == 1
    assert openssl.printed(whole).count("cert_info") == 3
    assert not openssl.accepts(alone, CONTENT, root.pem)
    assert openssl.accepts(whole, CONTENT, root.pem)


def test_a_signing_time_after_2049_is_a_generalized_time(root: pki.Authority, tmp_path: Path) -> None:
    begin = datetime(2050, 6, 1, tzinfo=UTC)
    identity = signing_identity(root, "content_commitment", begin=begin)
    credential = Credential.from_signer(SoftwareSigner(identity.key), identity.certificate, at=begin)
    at = datetime(2050, 6, 2, 3, 4, 5, tzinfo=UTC)
    signature = sign_detached(CONTENT, credential, clock=lambda: at)
    assert "GENERALIZEDTIME:Jun  2 03:04:05 2050 GMT" in OpenSsl(tmp_path).printed(signature)
    assert verify_detached(signature, CONTENT).signing_time == at


def test_a_large_file_is_signed_and_verified_in_constant_memory(signer: pki.Identity, tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as writer:
        writer.truncate(200 * 1024 * 1024)
    credential = credential_of(signer)
    tracemalloc.start()
    try:
        with path.open("rb") as reader:
            signature = sign_detached(reader, credential)
        with path.open("rb") as reader:
            assert verify_detached(signature, reader).is_sound
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * 1024 * 1024


@pytest.mark.servers
@pytest.mark.parametrize("kind", ["rsa 2048", "p-256"])
def test_a_key_in_a_token_signs_too(
    kind: str, root: pki.Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a process of its own: SoftHSM reads its settings once in a process."""
    monkeypatch.setenv("SOFTHSM2_CONF", "")
    hsm = SoftHsm.create(tmp_path)
    identity = signing_identity(root, "content_commitment", key=KEYS[kind])
    hsm.add_token("card")
    hsm.add_key("card", identity, label="signature", key_id=b"\x01")
    certificate, output = tmp_path / "certificate.pem", tmp_path / "signature"
    certificate.write_bytes(identity.pem)
    program = f"""
        import pathlib
        from govfile import Credential, Secret
        from govfile.certificates.cms import Digest, sign_detached
        credential = Credential.from_pkcs11(
            {hsm.module!r}, token="card", pin=Secret({PIN!r}), certificate={str(certificate)!r}
        )
        signature = sign_detached(Digest.from_hex({hashlib.sha256(CONTENT).hexdigest()!r}), credential)
        pathlib.Path({str(output)!r}).write_bytes(signature)
        credential.close()
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=True, timeout=60, env=dict(os.environ))
    assert OpenSsl(tmp_path).accepts(output.read_bytes(), CONTENT, root.pem)


class TestRefusals:
    def test_s14_an_expired_certificate_does_not_sign(self, signer: pki.Identity) -> None:
        late = signer.certificate.not_valid_after_utc + timedelta(days=1)
        with pytest.raises(CredentialError, match="expired on"):
            sign_detached(CONTENT, credential_of(signer), clock=lambda: late)

    def test_s14_a_certificate_for_something_else_does_not_sign(self, root: pki.Authority) -> None:
        other = signing_identity(root, "key_encipherment")
        with pytest.raises(CredentialError, match="not for signatures"):
            sign_detached(CONTENT, credential_of(other))

    def test_a_key_that_makes_rubbish_is_found_out(self, signer: pki.Identity) -> None:
        class Broken(SoftwareSigner):
            def sign(self, data: bytes, algorithm: SignatureAlgorithm) -> bytes:
                return bytes(256)

        credential = Credential.from_signer(Broken(signer.key), signer.certificate)
        with pytest.raises(CredentialError, match="does not verify"):
            sign_detached(CONTENT, credential)

    @pytest.mark.parametrize("content", [io.StringIO("text"), "text", object()])
    def test_what_is_no_binary_file(self, content: object, signer: pki.Identity) -> None:
        with pytest.raises(InvalidContent, match="not a binary file"):
            sign_detached(content, credential_of(signer))  # type: ignore[arg-type]

    def test_a_file_that_is_closed(self, signer: pki.Identity) -> None:
        closed = io.BytesIO(CONTENT)
        closed.close()
        with pytest.raises(InvalidContent, match="cannot be read"):
            sign_detached(closed, credential_of(signer))

    @pytest.mark.parametrize("text", ["", "00" * 31, "zz" * 32, "00" * 64])
    def test_what_is_no_digest(self, text: str) -> None:
        with pytest.raises(InvalidContent, match="SHA-256"):
            Digest.from_hex(text)


def test_the_anchor_of_the_wrong_authority_does_not_do(root: pki.Authority, signer: pki.Identity) -> None:
    signature = sign_detached(CONTENT, credential_of(signer))
    stranger = pki.Authority.create(pki.plain("Somebody else"), key=pki.rsa_key(24))
    assert verify_detached(signature, CONTENT).chain_trusted is None
    assert verify_detached(signature, CONTENT, trust=Trust.only(root.pem)).chain_trusted is True
    report = verify_detached(signature, CONTENT, trust=Trust.only(stranger.pem))
    assert report.is_sound
    assert report.chain_trusted is False
    assert any("not trusted" in problem for problem in report.problems)
