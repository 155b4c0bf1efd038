"""Bytes put into documents and taken out of them: everything around stays as it is."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from govfile.errors import InvalidContent, ProtocolError
from govfile.xml import _tree
from govfile.xml.algorithms import Canonicalization
from govfile.xml.canonical import canonicalize
from govfile.xml.splicing import Place, span_of, splice, standing_alone

AWKWARD = b"""\xef\xbb\xbf<?xml version="1.0"?><!-- <a> --><a  x='>' y="/>" ><!-- <b> --><![CDATA[<b>]]>
<b z='"'\t/><c\n></c ><d>&lt;e&gt;<e/>\xc3\xa6</d
></a><!-- </a> -->"""


@pytest.mark.parametrize(
    ("path", "after", "expected"),
    [
        (("a",), None, (b"\n></a><!--", b"\n>+</a><!--")),
        (("a",), "b", (b"z='\"'\t/>", b"z='\"'\t/>+")),
        (("a", "b"), None, (b"z='\"'\t/>", b"z='\"'>+</b>")),
        (("a", "c"), None, (b"></c >", b">+</c >")),
        (("a", "d"), "e", (b"<e/>", b"<e/>+")),
    ],
)
def test_a_piece_goes_to_its_place_and_nothing_else_changes(
    path: tuple[str, ...], after: str | None, expected: tuple[bytes, bytes]
) -> None:
    assert AWKWARD.count(expected[0]) == 1
    piece = b"<new/>"
    wanted = AWKWARD.replace(expected[0], expected[1].replace(b"+", piece))
    assert splice(AWKWARD, piece, Place(path=path, after=after)) == wanted


def test_a_place_that_is_there_twice_is_refused() -> None:
    with pytest.raises(InvalidContent, match="2 elements"):
        splice(b"<a><b/><b/></a>", b"<c/>", Place(path=("a", "b")))
    with pytest.raises(ProtocolError):
        splice(b"<a>", b"<c/>", Place(path=("a",)))


names = st.sampled_from(["a", "b", "p:a"])
texts = st.sampled_from(["", "x", " ", "&gt;", ">", "<!-- <b> -->", "<![CDATA[</a>]]>", "æ"])
attributes = st.sampled_from(["", " k='>'", ' k="/>"', " k = '\"'", ' xmlns="urn:d"'])


@st.composite
def elements(draw: st.DrawFn, depth: int = 3) -> str:
    name, attribute = draw(names), draw(attributes)
    if draw(st.booleans()) or depth == 0:
        return f"<{name}{attribute}/>"
    inner = "".join(
        draw(texts) + draw(elements(depth=depth - 1)) for _ in range(draw(st.integers(min_value=0, max_value=3)))
    )
    return f"<{name}{attribute}>{inner}{draw(texts)}</{name}>"


@settings(max_examples=150, deadline=None)
@given(elements())
def test_the_span_of_every_element_is_that_element(inner: str) -> None:
    document = f'<r xmlns:p="urn:p" xmlns:u="urn:u">{inner}</r>'.encode()
    tree = _tree.read(document)
    for element in tree.root.iter():
        if not _tree.is_element(element):
            continue
        indices = _tree.indices(element)
        span = span_of(document, indices)
        above = element.getparent()
        alone = standing_alone(document, indices, {} if above is None else above.nsmap)
        mine = canonicalize(alone, Canonicalization.INCLUSIVE)
        other = etree.fromstring(etree.tostring(element, with_tail=False))
        assert mine == etree.tostring(other, method="c14n", with_comments=False)
        assert document[span.start : span.end].startswith(b"<")
        assert document[: span.start] + document[span.start : span.end] + document[span.end :] == document


def test_canonical_form_needs_names_that_are_whole() -> None:
    with pytest.raises(ProtocolError, match="no canonical form"):
        canonicalize(b'<a xmlns:r="a/b"><r:b/></a>')
