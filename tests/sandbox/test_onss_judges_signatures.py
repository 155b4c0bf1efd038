"""Signatures as the openssl program makes them: which are taken, and what each flaw earns."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from govfile.sandbox.onss import CertificateKind, Layout, Settings, der, lines, papers, signing
from support.onss_sender import Sender, connected, noon, standing_still

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from govfile.sandbox import pki


@pytest.fixture(scope="module")
def sender(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sender]:
    folder = tmp_path_factory.mktemp("sender")
    with standing_still() as authority, connected(authority, folder) as sender:
        yield sender


def judged(sender: Sender, content: bytes, fs: bytes) -> list[str]:
    """The codes of a declaration with that content and FS file."""
    return sender.codes(sender.declare(content, signatures=[fs]))


@pytest.mark.parametrize(
    "options",
    [
        ("-binary", "-md", "sha256"),
        ("-binary", "-md", "sha384"),
        ("-binary", "-md", "sha512"),
        ("-binary", "-md", "sha1"),
        ("-binary", "-md", "sha256", "-noattr"),
        ("-binary", "-md", "sha256", "-keyid"),
        ("-binary", "-md", "sha256", "-nosmimecap"),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("kind", [CertificateKind.PERSONAL_SIGN, CertificateKind.EID_SIGNATURE])
def test_what_openssl_signs_is_taken(sender: Sender, kind: CertificateKind, options: tuple[str, ...]) -> None:
    issued = registered(sender, kind)
    content = sender.authority.example("DMFA")
    signature = sender.sign(content, *options, by=issued)
    assert judged(sender, content, base64.b64encode(signature)) == []


@pytest.mark.parametrize("layout", list(Layout))
def test_each_known_layout_is_read_and_only_those_that_are_set(tmp_path: Path, layout: Layout) -> None:
    content = b"some bytes of a signature" * 40
    written = lines.write(content, layout)
    assert lines.read(written, {layout}) == content
    with pytest.raises(lines.NotLaidOut):
        lines.read(written, set(Layout) - {layout})


def test_one_line_may_end_like_a_line() -> None:
    for end in (b"", b"\n", b"\r\n", b"\r"):
        assert lines.read(base64.b64encode(b"signature") + end, {Layout.SINGLE}) == b"signature"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda fs: b"-----BEGIN PKCS7-----\r\n" + fs + b"\r\n-----END PKCS7-----\r\n",
        lambda fs: b"\n".join(fs[at : at + 64] for at in range(0, len(fs), 64)),
        lambda fs: b"\r\n".join(fs[at : at + 76] for at in range(0, len(fs), 76)),
        base64.b64decode,
        lambda fs: fs[:-8],
        lambda fs: b"",
        lambda fs: b"\xef\xbb\xbf" + fs,
        lambda fs: base64.b64encode(base64.b64decode(fs) + b"\0"),
        lambda fs: base64.b64encode(base64.b64decode(fs)[:-1]),
        lambda fs: base64.b64encode(b"\x30\x80" + base64.b64decode(fs)[4:] + b"\0\0"),
        lambda fs: base64.b64encode(b"\x04\x02ab"),
    ],
    ids=[
        "PEM header",
        "columns of 64 by LF",
        "columns of 76 by CR LF",
        "raw DER",
        "cut short",
        "empty",
        "byte order mark",
        "bytes after it",
        "a byte too few",
        "indefinite length",
        "something else in DER",
    ],
)
def test_an_fs_that_cannot_be_read_is_an_invalid_signature(sender: Sender, spoil: Callable[[bytes], bytes]) -> None:
    content = sender.authority.example("DMFA")
    fs = base64.b64encode(sender.sign(content))
    assert judged(sender, content, spoil(fs)) == ["125"]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("is_binary", [True, False])
def test_signing_in_text_mode_spoils_lone_line_feeds(sender: Sender, newline: str, is_binary: bool) -> None:
    content = sender.authority.example("DMFA").replace(b"\r\n", newline.encode())
    options = ("-binary", "-md", "sha256") if is_binary else ("-md", "sha256")
    expected = ["125"] if newline == "\n" and not is_binary else []
    assert judged(sender, content, base64.b64encode(sender.sign(content, *options))) == expected


def test_an_altered_declaration_is_refused(sender: Sender) -> None:
    content = sender.authority.example("DMFA")
    fs = base64.b64encode(sender.sign(content))
    assert judged(sender, content.replace(b"<Trusteeship>0", b"<Trusteeship>1"), fs) == ["125"]
    assert judged(sender, content + b"\n", fs) == ["125"]


def test_an_altered_signature_is_refused(sender: Sender) -> None:
    content = sender.authority.example("DMFA")
    signature = bytearray(sender.sign(content))
    signature[-10] ^= 1
    assert judged(sender, content, base64.b64encode(signature)) == ["125"]


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("-binary", "-md", "sha256", "-nodetach"), "detached"),
        (("-binary", "-md", "sha256", "-nocerts"), "certificate is not in"),
        (("-binary", "-md", "sha256", "-keyopt", "rsa_padding_mode:pss"), "signature algorithm"),
        (("-binary", "-md", "md5"), "digest algorithm"),
        (("-binary", "-md", "sha256", "-econtent_type", "1.2.3.4"), "plain data"),
    ],
    ids=["content inside", "no certificate", "RSASSA-PSS", "MD5", "another content type"],
)
def test_other_ways_of_signing_are_refused(sender: Sender, options: tuple[str, ...], why: str) -> None:
    content = sender.authority.example("DMFA")
    assert judged(sender, content, base64.b64encode(sender.sign(content, *options))) == ["125"]
    assert why in sender.authority.findings[-1]


def test_unsigned_attributes_are_refused(sender: Sender) -> None:
    content = sender.authority.example("DMFA")
    made = signing.sign(content, by=sender.account.issued, at=noon(), timestamped=True)
    assert judged(sender, content, base64.b64encode(made)) == ["125"]
    plain = signing.sign(content, by=sender.account.issued, at=noon())
    assert judged(sender, content, base64.b64encode(plain)) == []


def test_sha_1_is_tolerated_unless_set_otherwise(tmp_path: Path) -> None:
    with standing_still(settings=Settings(accepts_sha1=False)) as authority, connected(authority, tmp_path) as sender:
        content = authority.example("DMFA")
        fs = base64.b64encode(sender.sign(content, "-binary", "-md", "sha1"))
        assert judged(sender, content, fs) == ["125"]


@pytest.mark.parametrize(
    ("kind", "is_registered", "expired", "expected"),
    [
        (CertificateKind.PERSONAL_SIGN, False, False, ["153"]),
        (CertificateKind.PERSONAL_SIGN, True, True, ["125"]),
        (CertificateKind.EID_AUTHENTICATION, True, False, ["125"]),
        (CertificateKind.EID_SIGNATURE, True, False, []),
    ],
    ids=["not on the channel", "over", "the eID's other certificate", "the eID's right one"],
)
def test_the_signers_certificate_counts(
    sender: Sender, kind: CertificateKind, is_registered: bool, expired: bool, expected: list[str]
) -> None:
    valid = (noon() - timedelta(days=900), noon() - timedelta(days=1)) if expired else None
    issued = papers.signer(kind, use=f"another {kind}", valid=valid)
    if is_registered:
        sender.authority.add_certificate(sender.account.user, issued.certificate)
    content = sender.authority.example("DMFA")
    assert judged(sender, content, base64.b64encode(sender.sign(content, by=issued))) == expected


@pytest.mark.parametrize(("any_issuer", "expected"), [(False, ["125"]), (True, [])])
def test_an_issuer_nobody_knows_is_refused_unless_set_otherwise(
    tmp_path: Path, any_issuer: bool, expected: list[str]
) -> None:
    settings = Settings(any_issuer=any_issuer)
    with standing_still(settings=settings) as authority, connected(authority, tmp_path) as sender:
        issued = papers.institution()
        authority.add_certificate(sender.account.user, issued.certificate)
        content = authority.example("DMFA")
        assert judged(sender, content, base64.b64encode(sender.sign(content, by=issued))) == expected


def test_each_part_needs_its_own_signature(sender: Sender) -> None:
    parts = [sender.authority.example("DMFA", seed=seed) for seed in range(2)]
    made = [base64.b64encode(sender.sign(part)) for part in parts]
    assert sender.codes(sender.declare(*parts, signatures=made)) == []
    assert sender.codes(sender.declare(*parts, signatures=made[::-1])) == ["125"]


def test_a_key_in_a_token_gets_its_certificate_here(sender: Sender) -> None:
    key = papers.signer(CertificateKind.EID_SIGNATURE, use="token").key
    certificate = sender.authority.certify(key.public_key())
    assert certificate.public_key() == key.public_key()
    assert "Signature" in certificate.subject.rfc4514_string()


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"\x30\x81\x01\x00", "shortest"),
        (b"\x30\x82\x00\x81" + bytes(0x81), "shortest"),
        (b"\x30\x80\x00\x00", "indefinite"),
        (b"\x1f\x81\x01\x00", "several bytes"),
        (b"\x30", "cut short"),
        (b"\x30\x05\x02\x01\x01", "cut short"),
        (b"\x05\x00\x00", "after the end"),
    ],
)
def test_nothing_looser_than_der_is_read(raw: bytes, why: str) -> None:
    with pytest.raises(der.NotDer, match=why):
        der.read(raw)


def test_der_is_not_read_without_bottom() -> None:
    deep = der.null()
    for _ in range(40):
        deep = der.sequence(deep)
    with pytest.raises(der.NotDer, match="deeply"):
        _descend(der.read(deep))


def _descend(node: der.Node) -> None:
    for child in node.children():
        _descend(child)


@pytest.mark.parametrize("dotted", ["1.2.840.113549.1.7.2", "2.16.840.1.101.3.4.2.1", "2.999.3", "0.4.0.1862.1.1"])
def test_object_identifiers_survive(dotted: str) -> None:
    assert der.read(der.oid(dotted)).oid == dotted


def registered(sender: Sender, kind: CertificateKind) -> pki.Issued:
    issued = papers.signer(kind, use="registered")
    sender.authority.add_certificate(sender.account.user, issued.certificate)
    return issued
