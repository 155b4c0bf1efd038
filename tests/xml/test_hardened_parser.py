"""The hardened parser: what it returns, and what it refuses."""

from __future__ import annotations

import io
import time

import pytest

from govfile.errors import InvalidContent, ProtocolError
from govfile.xml.parse import Limits, blot, check_well_formed, excerpt, parse

LAUGHS = b'<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "%s">]><l>&b;</l>' % (b"&a;" * 1000)
HOSTILE = {
    "external entity (file)": b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    "external entity (web)": b'<!DOCTYPE a [<!ENTITY x SYSTEM "http://127.0.0.1:9/x">]><a>&x;</a>',
    "external subset": b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/x.dtd"><a/>',
    "parameter entity": b'<!DOCTYPE a [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]><a/>',
    "billion laughs": LAUGHS,
    "a harmless document type": b"<!DOCTYPE a><a/>",
    "in UTF-16": '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'.encode("utf-16"),
    "300 levels": b"<a>" * 300 + b"</a>" * 300,
    "an undefined entity": b"<a>&foo;</a>",
    "empty": b"",
    "only blanks": b"  \n ",
    "truncated": b"<a><b>text",
    "two roots": b"<a/><b/>",
    "garbage": bytes(range(256)),
    "a NUL": b"<a>\x00</a>",
    "not UTF-8": b"<a>\xe6\xf8\xe5</a>",
    "an unknown encoding": b'<?xml version="1.0" encoding="x-nonsense"?><a/>',
    "mismatched tags": b"<a><b></a></b>",
    "an attribute twice": b'<a b="1" b="2"/>',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_w05_hostile_xml_is_refused(name: str) -> None:
    with pytest.raises(ProtocolError):
        parse(HOSTILE[name])
    with pytest.raises(InvalidContent):
        check_well_formed(io.BytesIO(HOSTILE[name]))


def test_w05_two_hundred_megabytes_are_refused_before_parsing() -> None:
    huge = bytes(200 * 1024 * 1024)
    started = time.process_time()
    with pytest.raises(ProtocolError, match="209715200 bytes"):
        parse(huge)
    assert time.process_time() - started < 1.0


def test_w05_too_many_elements_are_refused() -> None:
    with pytest.raises(ProtocolError, match="more than 10 elements"):
        parse(b"<a>" + b"<b/>" * 10 + b"</a>", limits=Limits(elements=10))
    assert len(parse(b"<a>" + b"<b/>" * 9 + b"</a>", limits=Limits(elements=10)).children) == 9


def test_depth_is_counted_in_levels() -> None:
    assert parse(b"<a>" * 5 + b"</a>" * 5, limits=Limits(depth=5)).name == "a"
    with pytest.raises(ProtocolError, match="nested more than 4 levels"):
        parse(b"<a>" * 5 + b"</a>" * 5, limits=Limits(depth=4))


def test_t05_a_comment_or_instruction_does_not_split_a_value() -> None:
    assert parse(b"<a>admin<!-- x -->@<?y z?>evil</a>").text == "admin@evil"


def test_elements_carry_namespace_attributes_text_and_children() -> None:
    root = parse(b'<s:a xmlns:s="urn:x" s:k="1" l="2">one<B>two</B>three<c><b xmlns="urn:y">four</b></c></s:a>')
    assert (root.name, root.namespace, root.text) == ("a", "urn:x", "onethree")
    assert dict(root.attributes) == {"{urn:x}k": "1", "l": "2"}
    assert [found.text for found in root.find_all("b")] == ["two", "four"]
    assert [found.name for found in root.walk()] == ["a", "B", "c", "b"]
    assert root.find_all("a") == ()


def test_a_byte_order_mark_and_a_declared_encoding_are_understood() -> None:
    assert parse("\ufeff<a>æ</a>".encode()).text == "æ"
    assert parse('<?xml version="1.0" encoding="ISO-8859-1"?><a>æ</a>'.encode("latin-1")).text == "æ"


def test_an_element_cannot_be_changed() -> None:
    root = parse(b'<a b="1"/>')
    with pytest.raises(AttributeError):
        root.name = "b"  # type: ignore[misc]
    with pytest.raises(TypeError):
        root.attributes["b"] = "2"  # type: ignore[index]


def test_a_large_document_is_checked_in_constant_memory() -> None:
    import tracemalloc

    class Long(io.BytesIO):
        pieces = iter([b"<r>", *[b"<b>text</b>" * 5000] * 80, b"</r>"])

        def read(self, size: int | None = -1, /) -> bytes:
            return next(self.pieces, b"")

    tracemalloc.start()
    assert check_well_formed(Long()) == "r"
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * 1024 * 1024


def test_what_is_shown_of_a_document_is_printable_and_holds_no_personal_number() -> None:
    assert excerpt(b"\x1b[31m0101701234") == ".[31m**********"
    assert excerpt(b"x" * 55 + b"0101701234 and more") == "x" * 55 + "*****"
    assert excerpt(b"010170 1234") == "**********"
    assert blot("010170-1234 and 12345678") == "********** and 12345678"
