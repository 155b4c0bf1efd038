"""Gathering a few values from a large document, in memory that does not grow with it."""

from __future__ import annotations

import io
import tracemalloc

import pytest

from govfile import InvalidContent
from govfile.xml.gather import gather


def test_wanted_elements_in_document_order() -> None:
    content = b"<r><f><a>1</a><b>x</b></f><f><a> 2 </a><c><a>no</a></c></f><a>no</a></r>"
    found = gather(io.BytesIO(content), frozenset({"f/a", "f/b"}))
    assert found.root == "r"
    assert found.values == (("f/a", "1"), ("f/b", "x"), ("f/a", "2"))
    assert found.is_complete


def test_namespaces_comments_and_nested_elements_do_not_matter() -> None:
    content = b'<x:r xmlns:x="urn:x"><x:f><x:a>1<!-- no -->2<b>3</b>4</x:a></x:f></x:r>'
    assert gather(io.BytesIO(content), frozenset({"f/a"})).values == (("f/a", "1234"),)


def test_what_is_too_long_or_too_much_is_left_out_and_said() -> None:
    content = b"<r>" + b"<a>1</a>" * 5 + b"</r>"
    found = gather(io.BytesIO(content), frozenset({"a"}), most=3)
    assert (len(found.values), found.is_complete) == (3, False)
    long = gather(io.BytesIO(b"<r><a>" + b"1" * 2000 + b"</a><a>2</a></r>"), frozenset({"a"}))
    assert (long.values, long.is_complete) == ((("a", "2"),), False)


@pytest.mark.parametrize("content", [b"", b"<r>", b"<r><a></r>", b"<!DOCTYPE r><r/>", b"<r>&x;</r>"])
def test_what_is_not_well_formed(content: bytes) -> None:
    with pytest.raises(InvalidContent, match="not well-formed"):
        gather(io.BytesIO(content), frozenset({"a"}))


def test_memory_does_not_grow_with_the_document() -> None:
    class Endless(io.RawIOBase):
        left = 3 * 1024 * 1024

        def read(self, size: int = -1) -> bytes:
            start = b"<r>" if self.left == Endless.left else b""
            if self.left <= 0:
                return b""
            self.left -= size
            return start + b"<f><w>some text of a worker</w></f>" * (size // 36) + (b"</r>" if self.left <= 0 else b"")

    tracemalloc.start()
    try:
        found = gather(Endless(), frozenset({"f/a"}))  # type: ignore[arg-type]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found.values == ()
    assert peak < 2 * 1024 * 1024
