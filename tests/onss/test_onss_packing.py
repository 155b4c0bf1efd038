"""Compressed answers: told by their bytes, unpacked within bounds, refused when they are more than one file."""

from __future__ import annotations

import gzip
import io
import struct
import tracemalloc
import zipfile
import zlib

import pytest

from govfile import ProtocolError
from govfile.onss import PackingLimits, unpack
from govfile.onss.packing import Packing, sniff

CONTENT = b"<NOTIFICATION>" + bytes(range(256)) * 40 + b"</NOTIFICATION>"


def zipped(*entries: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return target.getvalue()


@pytest.mark.parametrize(
    ("packed", "packing"),
    [
        (zipped(("a.xml", CONTENT)), Packing.ZIP),
        (zipped(("a.xml", CONTENT), method=zipfile.ZIP_STORED), Packing.ZIP),
        (zipped(("../../etc/passwd", CONTENT)), Packing.ZIP),
        (gzip.compress(CONTENT), Packing.GZIP),
        (gzip.compress(CONTENT) + bytes(512), Packing.GZIP),
        *((zlib.compress(CONTENT, level), Packing.ZLIB) for level in (0, 1, 6, 9)),
        (CONTENT, Packing.NONE),
        (b"\xef\xbb\xbf\r\n" + CONTENT, Packing.NONE),
    ],
)
def test_the_bytes_tell_how_they_are_packed(packed: bytes, packing: Packing) -> None:
    assert sniff(packed) is packing
    found = unpack(packed)
    assert found.packing is packing
    assert found.content == (packed if packing is Packing.NONE else CONTENT)


@pytest.mark.parametrize("packed", [b"", b"x", b"BZh91AY", b"\xfd7zXZ\x00", b"Rar!\x1a\x07", b"PK\x05\x06" + bytes(18)])
def test_other_kinds_are_refused(packed: bytes) -> None:
    with pytest.raises(ProtocolError, match="neither ZIP nor gzip"):
        unpack(packed)


@pytest.mark.parametrize(
    ("packed", "says"),
    [
        (zipped(("a", CONTENT), ("b", CONTENT)), "2 entries"),
        (zipped(("folder/", b"")), "a folder"),
        (zipped(("a", CONTENT), method=zipfile.ZIP_BZIP2), "unusual way"),
        (zipped(("a", CONTENT), method=zipfile.ZIP_LZMA), "unusual way"),
        (gzip.compress(CONTENT) + gzip.compress(CONTENT), "more behind"),
        (zlib.compress(CONTENT) + b"x", "more behind"),
    ],
)
def test_exactly_one_file_packed_in_the_usual_way(packed: bytes, says: str) -> None:
    with pytest.raises(ProtocolError, match=says):
        unpack(packed)


def test_an_encrypted_entry() -> None:
    packed = bytearray(zipped(("a", CONTENT)))
    central = packed.index(b"PK\x01\x02")
    packed[6] |= 1
    packed[central + 8] |= 1
    with pytest.raises(ProtocolError, match="encrypted"):
        unpack(bytes(packed))


@pytest.mark.parametrize("packed", [zipped(("a", CONTENT)), gzip.compress(CONTENT), zlib.compress(CONTENT)])
def test_cut_off_or_altered_is_never_taken_for_whole(packed: bytes) -> None:
    for length in range(4, len(packed), 7):
        with pytest.raises(ProtocolError):
            unpack(packed[:length])
    for place in range(20, len(packed) - 4, 5):
        altered = bytearray(packed)
        altered[place] ^= 0xFF
        try:
            found = unpack(bytes(altered))
        except ProtocolError:
            continue
        assert found.content == CONTENT  # a byte that says nothing about the content, such as a name or a date


class TestBombs:
    BOMB = bytes(64 * 1024 * 1024)

    @pytest.mark.parametrize("pack", [lambda raw: zipped(("a", raw)), gzip.compress, zlib.compress])
    def test_g04_a_bomb_is_refused_before_it_goes_off(self, pack: object) -> None:
        packed = pack(self.BOMB)  # type: ignore[operator]
        tracemalloc.start()
        try:
            with pytest.raises(ProtocolError, match="unpacks to more than"):
                unpack(packed)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < len(self.BOMB)

    def test_g04_a_size_that_lies(self) -> None:
        """The directory says one byte; what comes out is judged all the same."""
        packed = bytearray(zipped(("a", self.BOMB)))
        for start, offset in ((packed.index(b"PK\x03\x04"), 22), (packed.index(b"PK\x01\x02"), 24)):
            struct.pack_into("<I", packed, start + offset, 1)
        with pytest.raises(ProtocolError):
            unpack(bytes(packed))

    def test_the_limits_are_settings(self) -> None:
        packed = gzip.compress(bytes(3 * 1024 * 1024))
        assert len(unpack(packed, limits=PackingLimits(ratio=2000)).content) == 3 * 1024 * 1024
        with pytest.raises(ProtocolError, match="more than 2000000"):
            unpack(packed, limits=PackingLimits(ratio=2000, size=2_000_000))

    def test_a_small_file_may_shrink_as_much_as_it_likes(self) -> None:
        assert len(unpack(gzip.compress(bytes(1024 * 1024))).content) == 1024 * 1024
