"""Whatever a caller may hand over as a document: measured, or refused with a reason."""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from govfile.errors import InvalidContent
from govfile.filing.source import HELD_IN_MEMORY, Source

if TYPE_CHECKING:
    from collections.abc import Callable

CONTENT = b"0001 a record\r\n"


def path_to(folder: Path, content: bytes = CONTENT) -> Path:
    path = folder / "report.txt"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    "document",
    [
        lambda _folder: CONTENT,
        lambda _folder: bytearray(CONTENT),
        lambda _folder: memoryview(CONTENT),
        lambda _folder: memoryview(CONTENT + CONTENT[::-1])[: len(CONTENT)],
        lambda _folder: io.BytesIO(CONTENT),
        lambda folder: path_to(folder),
        lambda folder: str(path_to(folder)),
        lambda folder: path_to(folder).open("rb"),
        lambda folder: path_to(folder).open("rb", buffering=0),
    ],
)
def test_the_same_bytes_are_the_same_document(tmp_path: Path, document: Callable[[Path], Any]) -> None:
    given = document(tmp_path)
    source = Source.of(given)
    assert (source.size, source.sha256) == (len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
    for _ in range(2):
        with source.open() as reader:
            assert reader.read() == CONTENT
    if isinstance(given, io.IOBase):
        assert not given.closed, "the caller's file stays open"
        given.close()


def test_an_open_file_counts_from_its_start() -> None:
    reader = io.BytesIO(CONTENT)
    reader.seek(7)
    assert Source.of(reader).size == len(CONTENT)


def test_an_open_file_is_read_from_any_place(tmp_path: Path) -> None:
    with path_to(tmp_path).open("rb") as given, Source.of(given).open() as reader:
        assert reader.seekable()
        assert reader.seek(-3, os.SEEK_END) == reader.tell() == len(CONTENT) - 3
        assert reader.read() == CONTENT[-3:]


def test_a_link_is_followed_and_a_file_that_tells_no_size_is_read(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(path_to(tmp_path))
    assert Source.of(link).size == len(CONTENT)
    version = Path("/proc/version")
    if version.exists():
        assert Source.of(version).size == len(version.read_bytes())


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (lambda folder: folder / "missing", "not there"),
        (lambda folder: folder, "folder"),
        (lambda folder: link_to(folder, folder), "folder"),
        (lambda folder: link_to(folder, folder / "nowhere"), "not there"),
        (lambda folder: link_to(folder, folder / "link"), "cannot be read"),
        (lambda folder: pipe(folder), "not a regular file"),
        (lambda _folder: "/dev/zero", "not a regular file"),
        (lambda _folder: "a\0b", "cannot be read"),
        (lambda _folder: "x" * 5000, "cannot be read"),
        (lambda _folder: io.StringIO("text"), "binary"),
        (lambda _folder: closed(), "cannot be read"),
        (lambda _folder: os.fdopen(os.pipe()[0], "rb"), "rewound"),
        (lambda _folder: None, "binary"),
        (lambda _folder: 7, "binary"),
        (lambda _folder: [CONTENT], "binary"),
    ],
)
def test_what_is_no_document_is_refused_with_a_reason(
    tmp_path: Path, document: Callable[[Path], Any], says: str
) -> None:
    given = document(tmp_path)
    with pytest.raises(InvalidContent, match=says):
        Source.of(given)
    if isinstance(given, io.IOBase):
        given.close()


def test_a_wrapper_of_text_is_refused_by_what_it_reads() -> None:
    with tempfile.NamedTemporaryFile("w+") as wrapped:
        wrapped.write("text")
        wrapped.flush()
        with pytest.raises(InvalidContent, match="does not read bytes"):
            Source.of(wrapped)


def test_a_small_file_cannot_change_any_more_and_a_big_one_may_be_gone(tmp_path: Path) -> None:
    small = path_to(tmp_path)
    source = Source.of(small)
    small.unlink()
    assert source.open().read() == CONTENT
    big = tmp_path / "big"
    with big.open("wb") as writer:
        writer.truncate(HELD_IN_MEMORY + 1)
    source = Source.of(big)
    big.unlink()
    with pytest.raises(InvalidContent, match="can no longer be read"):
        source.open()


def link_to(folder: Path, target: Path) -> Path:
    link = folder / "link"
    link.symlink_to(target)
    return link


def pipe(folder: Path) -> Path:
    os.mkfifo(folder / "pipe")
    return folder / "pipe"


def closed() -> io.BytesIO:
    reader = io.BytesIO(CONTENT)
    reader.close()
    return reader
