"""FS files: three layouts written, many read, and the signature checked against the bytes that were sent."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

import pytest

from govfile import Credential, ProtocolError
from govfile.certificates.cms import Digest, verify_detached
from govfile.certificates.signer import SignatureAlgorithm, SoftwareSigner
from govfile.certificates.trust import Trust
from govfile.onss import Layout, decode_fs, encode_fs, sign_file, unpack, verify_answer
from support import pki
from support.signing import OpenSsl, signature_value, signing_identity, with_timestamp

if TYPE_CHECKING:
    from pathlib import Path

LF = b'<?xml version="1.0" encoding="UTF-8"?>\n<DmfAOriginal>\n</DmfAOriginal>\n'
CRLF = LF.replace(b"\n", b"\r\n")
DER = bytes.fromhex("3082") + (996).to_bytes(2, "big") + bytes(range(256)) * 3 + bytes(228)


class TestLayouts:
    def test_one_line_without_any_line_end(self) -> None:
        written = encode_fs(DER)
        assert written == encode_fs(DER, Layout.SINGLE) == base64.b64encode(DER)
        assert not set(written) & set(b"\r\n -")

    def test_columns_of_76_that_a_lone_cr_separates(self) -> None:
        written = encode_fs(DER, Layout.COL76_CR)
        lines = written.split(b"\r")
        assert b"\n" not in written
        assert {len(line) for line in lines[:-1]} == {76}
        assert 0 < len(lines[-1]) <= 76
        assert b"".join(lines) == base64.b64encode(DER)

    def test_lines_of_64_that_end_in_crlf(self) -> None:
        written = encode_fs(DER, Layout.COL64_CRLF)
        assert written.endswith(b"\r\n")
        lines = written.split(b"\r\n")[:-1]
        assert {len(line) for line in lines[:-1]} == {64}
        assert b"".join(lines) == base64.b64encode(DER)

    @pytest.mark.parametrize("layout", Layout)
    @pytest.mark.parametrize("length", [48, 57, 96, 114, 1000, 1001])
    def test_each_is_read_back(self, layout: Layout, length: int) -> None:
        der = b"\x30" + DER[1:length]
        assert decode_fs(encode_fs(der, layout)) == der


TEXT = base64.b64encode(DER)


@pytest.mark.parametrize(
    "written",
    [
        TEXT,
        TEXT + b"\n",
        b"\r\n " + TEXT[:100] + b"\t\n" + TEXT[100:] + b"\r\n\r\n",
        b"\n".join(TEXT[start : start + 60] for start in range(0, len(TEXT), 60)),
        b"\xef\xbb\xbf" + TEXT,
        b"-----BEGIN CMS-----\n" + TEXT + b"\n-----END CMS-----\n",
        b"-----BEGIN PKCS7-----\r\n" + TEXT + b"\r\n-----END PKCS7-----",
        b"-----BEGIN PKCS #7 SIGNED DATA-----\n" + TEXT + b"\n-----END PKCS #7 SIGNED DATA-----\n",
        DER,
    ],
    ids=["line", "newline", "blanks", "60", "BOM", "CMS", "PKCS7", "PKCS #7", "DER"],
)
def test_the_reader_takes_what_others_write(written: bytes) -> None:
    assert decode_fs(written) == DER


@pytest.mark.parametrize(
    ("written", "says"),
    [
        (b"", "empty"),
        (b" \r\n", "empty"),
        (b"dummy\r\nsignature\r\n", "no base64"),
        (b"MII\x00", "no base64"),
        (b"-----BEGIN CMS-----\nMIIB", "no base64"),
        (b"-----BEGIN CMS-----\nMIIB\n-----END PKCS7-----\n", "no base64"),
        (b"A" * (2 * 1024 * 1024 + 1), "more than"),
        ("MIIé".encode(), "no base64"),
    ],
)
def test_what_is_no_signature_file(written: bytes, says: str) -> None:
    with pytest.raises(ProtocolError, match=says):
        decode_fs(written)


class TestSigning:
    @pytest.mark.parametrize("layout", Layout)
    @pytest.mark.parametrize("content", [LF, CRLF, b""], ids=["LF", "CRLF", "empty"])
    def test_the_bytes_are_signed_as_they_are(
        self, layout: Layout, content: bytes, credential: Credential, root: pki.Authority, tmp_path: Path
    ) -> None:
        der = decode_fs(sign_file(content, credential, layout=layout))
        openssl = OpenSsl(tmp_path)
        assert openssl.accepts(der, content, root.pem)
        for other in {LF, CRLF, b""} - {content}:
            assert not openssl.accepts(der, other, root.pem)

    def test_text_mode_breaks_lf_files_and_ours_never_is(
        self, signer: pki.Identity, root: pki.Authority, tmp_path: Path
    ) -> None:
        """What signs in S/MIME's text mode turns LF into CRLF before hashing; the file sent still has LF."""
        openssl = OpenSsl(tmp_path)
        (tmp_path / "lf").write_bytes(LF)
        in_text_mode = openssl._run(
            *("-sign", "-outform", "DER", "-in", str(tmp_path / "lf"), "-md", "sha256"),
            *(
                "-signer",
                str(openssl._file("s.pem", signer.pem)),
                "-inkey",
                str(openssl._file("k.pem", signer.key_pem())),
            ),
        )
        assert not verify_detached(in_text_mode, LF).digest_matches
        assert verify_detached(in_text_mode, CRLF).is_sound

    def test_a_digest_an_open_file_and_bytes_do_alike(self, credential: Credential) -> None:
        for content in (LF, io.BytesIO(LF), Digest.of(LF)):
            assert verify_detached(decode_fs(sign_file(content, credential)), LF).is_sound

    def test_s14_what_does_not_verify_is_not_handed_out(
        self, root: pki.Authority, monkeypatch: pytest.MonkeyPatch, credential: Credential
    ) -> None:
        other = sign_file(CRLF, credential)
        monkeypatch.setattr("govfile.onss.fs.sign_detached", lambda *_, **__: decode_fs(other))
        with pytest.raises(ProtocolError, match="does not verify") as caught:
            sign_file(LF, credential)
        assert caught.value.certain == "nothing was sent"

    def test_an_elliptic_key(self, root: pki.Authority, tmp_path: Path) -> None:
        identity = signing_identity(root, "content_commitment", key=pki.ec_key(21))
        credential = Credential.from_signer(SoftwareSigner(identity.key), identity.certificate)
        assert SignatureAlgorithm.usual_for(credential.public_key) is SignatureAlgorithm.ECDSA_SHA256
        assert OpenSsl(tmp_path).accepts(decode_fs(sign_file(LF, credential)), LF, root.pem)


class TestAnswers:
    def test_a_good_one_without_anchors_and_with(self, credential: Credential, root: pki.Authority) -> None:
        fs = sign_file(LF, credential)
        found = verify_answer(LF, fs)
        assert found.report is not None
        assert found.report.is_sound
        assert found.report.chain_trusted is None
        trusted = verify_answer(LF, fs, trust=Trust.only(root.pem))
        assert trusted.report is not None
        assert trusted.report.chain_trusted is True
        assert not trusted.is_over_unpacked

    def test_the_form_of_the_main_office_has_a_time_stamp(
        self, signer: pki.Identity, root: pki.Authority, tmp_path: Path
    ) -> None:
        openssl = OpenSsl(tmp_path)
        made = openssl.sign(signer, LF, "-cades")
        clock = signing_identity(root, "digital_signature", key=pki.rsa_key(25), stamps_time=True)
        stamped = with_timestamp(made, openssl.stamp(clock, signature_value(made)))
        found = verify_answer(LF, encode_fs(stamped, Layout.COL76_CR))
        assert found.report is not None
        assert found.report.timestamp is not None
        assert found.report.timestamp.is_of_this

    def test_an_altered_answer(self, credential: Credential) -> None:
        found = verify_answer(LF.replace(b"Original", b"0riginal"), sign_file(LF, credential))
        assert found.report is not None
        assert not found.report.digest_matches
        assert found.report.signature_valid

    @pytest.mark.parametrize("fs", [b"", b"dummy\r\nsignature\r\n", b"\x30\x00", b"MIIB"])
    def test_what_cannot_be_read_says_so(self, fs: bytes) -> None:
        found = verify_answer(LF, fs)
        assert found.report is None
        assert found.problem

    def test_a_compressed_answer_may_be_signed_either_way(self, credential: Credential) -> None:
        import gzip

        packed = gzip.compress(LF)
        plain = unpack(packed).content
        stored = verify_answer(packed, sign_file(packed, credential), unpacked=plain)
        expanded = verify_answer(packed, sign_file(plain, credential), unpacked=plain)
        neither = verify_answer(packed, sign_file(CRLF, credential), unpacked=plain)
        assert stored.report is not None
        assert expanded.report is not None
        assert neither.report is not None
        assert (stored.report.is_sound, stored.is_over_unpacked) == (True, False)
        assert (expanded.report.is_sound, expanded.is_over_unpacked) == (True, True)
        assert (neither.report.is_sound, neither.is_over_unpacked) == (False, False)
