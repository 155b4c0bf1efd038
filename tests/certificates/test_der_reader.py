"""The little DER reader finds what is there, and never reads past the end or for ever."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from govfile.certificates._der import OCTETS, SEQUENCE, CutShort, Element, NotDer, read


@pytest.mark.parametrize(
    ("data", "tag", "content"),
    [
        ("0400", 0x04, ""),
        ("0403010203", 0x04, "010203"),
        ("048103010203", 0x04, "010203"),
        ("04820003010203ffff", 0x04, "010203"),
        ("3080040101040102" + "0000", 0x30, "040101040102"),
        ("30803080040101" + "0000" + "0000", 0x30, "30800401010000"),
    ],
)
def test_lengths_short_long_and_open_ended(data: str, tag: int, content: str) -> None:
    element = read(bytes.fromhex(data))
    assert (element.tag, element.content.hex()) == (tag, content)
    assert element.size == len(bytes.fromhex(data)) - (2 if data.endswith("ffff") else 0)


def test_inner_elements_in_order() -> None:
    assert [inner.content for inner in read(bytes.fromhex("3006040101040102"))] == [b"\x01", b"\x02"]


def test_octets_split_by_ber_are_put_together() -> None:
    assert read(bytes.fromhex("2480" + "04020102" + "040103" + "0000")).octets == b"\x01\x02\x03"


@pytest.mark.parametrize("data", ["", "04", "0402ff", "0482", "048200", "30800401", "3080"])
def test_what_ends_too_early(data: str) -> None:
    with pytest.raises(CutShort):
        read(bytes.fromhex(data))


@pytest.mark.parametrize("data", ["1f8101", "04ff" + "00" * 200, "3080" * 40 + "00" * 80])
def test_what_is_no_der(data: str) -> None:
    with pytest.raises(NotDer):
        read(bytes.fromhex(data))


def test_another_tag_than_expected() -> None:
    with pytest.raises(NotDer, match="0x04 where 0x30"):
        read(b"\x04\x00").expect(SEQUENCE)
    with pytest.raises(NotDer, match="octet string"):
        _ = read(b"\x30\x00").octets


@given(st.binary(max_size=64))
def test_a_written_element_reads_back(content: bytes) -> None:
    written = bytes([OCTETS, len(content)]) + content
    assert read(written) == Element(OCTETS, content, len(written))


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_within_their_length(data: bytes) -> None:
    try:
        element = read(data)
    except NotDer:
        return
    assert 2 <= element.size <= len(data)
