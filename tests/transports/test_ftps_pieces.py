"""The small parts: line ends, host names, deadlines, replies fed in pieces."""

from __future__ import annotations

import hashlib
import io
from datetime import UTC, datetime, timedelta
from typing import BinaryIO

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given
from hypothesis import strategies as st

from govfile.errors import ConfigurationError, ProtocolError, TransferAborted
from govfile.transports._deadlines import Deadlines
from govfile.transports._reading import BLOCK, CheckedReader
from govfile.transports.base import Timeouts
from govfile.transports.ftps._identity import belongs_to
from govfile.transports.ftps._replies import ReplyReader, printable
from govfile.transports.line_ends import LineEnds
from support.ftp_servers import authority
from support.pki import plain, rsa_key


@pytest.mark.parametrize(
    ("blocks", "wire"),
    [
        ([b"a\nb\n"], b"a\r\nb\r\n"),
        ([b"a\r\nb\r\n"], b"a\r\nb\r\n"),
        ([b"a\r", b"\nb"], b"a\r\nb"),
        ([b"a\r", b"", b"\nb"], b"a\r\nb"),
        ([b"a", b"\nb"], b"a\r\nb"),
        ([b"\n\n"], b"\r\n\r\n"),
        ([b"\r\r\n\n"], b"\r\r\n\r\n"),
        ([b"lone\rreturn"], b"lone\rreturn"),
        ([b"\r"], b"\r"),
        ([b""], b""),
    ],
)
def test_line_ends(blocks: list[bytes], wire: bytes) -> None:
    ends = LineEnds()
    assert b"".join(ends.translate(block) for block in blocks) == wire


@given(st.lists(st.text(alphabet="\r\nab", max_size=6).map(str.encode), max_size=8))
def test_line_ends_do_not_depend_on_the_blocks(blocks: list[bytes]) -> None:
    ends, whole = LineEnds(), LineEnds()
    wire = b"".join(ends.translate(block) for block in blocks)
    assert wire == whole.translate(b"".join(blocks))
    assert wire.replace(b"\r\n", b"").count(b"\n") == 0
    assert LineEnds().translate(wire) == wire


@pytest.mark.parametrize(
    ("hosts", "asked", "fits"),
    [
        (["gateway.example.dk"], "gateway.example.dk", True),
        (["gateway.example.dk"], "GATEWAY.Example.dk.", True),
        (["*.example.dk"], "gateway.example.dk", True),
        (["*.example.dk"], "example.dk", False),
        (["*.example.dk"], "a.gateway.example.dk", False),
        (["*.dk"], "example.dk", False),
        (["*"], "example", False),
        (["g*.example.dk"], "gateway.example.dk", False),
        (["*.*.dk"], "gateway.example.dk", False),
        (["other.example.dk"], "gateway.example.dk", False),
        (["127.0.0.1"], "127.0.0.1", True),
        (["127.0.0.1"], "127.0.0.2", False),
        (["::1"], "0:0:0:0:0:0:0:1", True),
        (["xn--bcher-kva.example"], "Bücher.example", True),
    ],
)
def test_a_certificate_belongs_to_the_hosts_it_names(hosts: list[str], asked: str, fits: bool) -> None:
    certificate = authority().issue(plain("gateway"), key=rsa_key(3), hosts=hosts).certificate
    assert belongs_to(certificate, asked) is fits


def test_an_address_is_not_matched_by_a_dns_name_that_looks_like_it() -> None:
    own = authority().issue(plain("gateway"), key=rsa_key(3), hosts=["127.0.0.1"]).certificate
    addresses = own.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert addresses.get_values_for_type(x509.DNSName) == []
    assert not belongs_to(own, "127.0.0.1.example")


@given(st.data())
def test_f19_replies_do_not_depend_on_the_pieces_they_come_in(data: st.DataObject) -> None:
    raw = b"220-hello\r\n 220 not yet\r\n220-\n220 end\r\n331 password\r\n226\r\n"
    reader, found, rest = ReplyReader(1000, "test"), [], raw
    while rest:
        cut = data.draw(st.integers(1, len(rest)))
        reader.feed(rest[:cut])
        rest = rest[cut:]
        while (reply := reader.next()) is not None:
            found.append((reply.code, reply.lines))
    assert found == [(220, ("hello", " 220 not yet", "", "end")), (331, ("password",)), (226, ("",))]
    assert reader.is_empty


@given(st.binary(max_size=400))
def test_f19_no_bytes_break_the_reader(raw: bytes) -> None:
    reader = ReplyReader(200, "test")
    reader.feed(raw)
    shown: list[str] = []
    try:
        while (reply := reader.next()) is not None:
            shown.append(str(reply))
    except ProtocolError as error:
        shown.append(error.excerpt)
    assert all(text.isprintable() for text in shown)


@given(st.binary(max_size=100))
def test_whatever_comes_is_printable(raw: bytes) -> None:
    assert printable(raw).isprintable()


@pytest.mark.parametrize("which", ["connect", "tls", "reply", "data", "close", "total"])
@pytest.mark.parametrize("seconds", [-1, float("inf"), float("nan"), 1e9])
def test_a_deadline_that_cannot_be_kept_is_a_setting(which: str, seconds: float) -> None:
    with pytest.raises(ConfigurationError, match=f"\\({which}\\) cannot be kept"):
        Timeouts(**{which: seconds})


def test_a_limit_never_lies_beyond_the_end_of_the_call() -> None:
    now = [100.0]
    deadlines = Deadlines(Timeouts(reply=30, total=10), lambda: now[0], "test")
    assert deadlines.limit("reply", "waiting").end == 130
    deadlines.begin()
    limit = deadlines.limit("reply", "waiting")
    assert (limit.end, limit.which) == (110, "total")
    now[0] = 105
    assert deadlines.limit("close", "closing").which == "close"


class Given:
    def __init__(self, content: bytes, *, plain_reader: bool = False) -> None:
        self.size = len(content)
        self.sha256 = hashlib.sha256(content).hexdigest()
        self._content = content
        self._plain = plain_reader

    def open(self) -> BinaryIO:
        return Trickling(self._content) if self._plain else io.BytesIO(self._content)  # type: ignore[return-value]


class Trickling:
    """A reader that has nothing but `read` and `close`, and gives less than asked for."""

    def __init__(self, content: bytes) -> None:
        self._reader = io.BytesIO(content)

    def read(self, size: int = -1) -> bytes:
        return self._reader.read(min(size, 70_000))

    def close(self) -> None:
        self._reader.close()


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 3 * BLOCK + 7])
@pytest.mark.parametrize("plain_reader", [False, True])
def test_what_is_read_is_what_there_is(size: int, plain_reader: bool) -> None:
    content = (b"0123456789abcdef" * (size // 16 + 1))[:size]
    reader = CheckedReader(Given(content, plain_reader=plain_reader))
    assert b"".join(bytes(block) for block in reader.blocks()) == content
    assert reader.sha256 == hashlib.sha256(content).hexdigest()
    reader.close()


@pytest.mark.parametrize("size", [BLOCK + 1, 2 * BLOCK, 3 * BLOCK])
@pytest.mark.parametrize("difference", [-1, 1, BLOCK])
def test_f18_the_last_promised_byte_stays_back_when_the_source_changed(size: int, difference: int) -> None:
    source = Given(bytes(size))
    source._content = bytes(size + difference)
    reader, sizes = CheckedReader(source), list[int]()
    with pytest.raises(TransferAborted):
        sizes.extend(len(block) for block in reader.blocks())
    assert sum(sizes) < size
    reader.close()


def test_f03_a_certificate_whose_names_cannot_be_read_is_for_no_host() -> None:
    """An ediPartyName (RFC 5280, 4.2.1.6) is nothing that the library reads."""
    names = x509.UnrecognizedExtension(
        x509.oid.ExtensionOID.SUBJECT_ALTERNATIVE_NAME, b"\x30\x06\xa5\x04\xa1\x02\x0c\x00"
    )
    key, now = rsa_key(3), datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(plain("gateway")).issuer_name(plain("gateway"))
    builder = builder.public_key(key.public_key()).serial_number(1)
    builder = builder.not_valid_before(now).not_valid_after(now + timedelta(days=1))
    certificate = builder.add_extension(names, critical=False).sign(key, SHA256())
    assert not belongs_to(certificate, "gateway.example")
