"""Quick ways that must agree with the slow ones: an element's bytes found by its name, values by rows, signatures."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from govfile.certificates.signer import SignatureAlgorithm
from govfile.errors import ProtocolError, TrustError
from govfile.xml import _tree
from govfile.xml.canonical import canonicalize
from govfile.xml.parse import Limits
from govfile.xml.policy import Policy
from govfile.xml.signing import Reference, enveloped_signature, sign
from govfile.xml.splicing import Place, quick_span, span_in, span_of
from govfile.xml.unsigned import read_unsigned
from govfile.xml.verifying import verify
from support import xml_messages as messages
from support.xml_messages import NOW, SAML

#: The same local name with and without a prefix, with another prefix, longer and shorter; nested, empty, spaced.
NAMES = ("a", "p:a", "q:a", "aa", "p:ab", "b")
LEAVES = st.sampled_from(
    ["<{}/>", "<{} />", "<{}\n></{} >", "<{} x='/>'/>", '<{} x="<a">t</{}>'.replace("<a", "&lt;a")]
)


def element(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    inside = st.lists(children, max_size=4).map("".join)
    return st.tuples(st.sampled_from(NAMES), inside).map(lambda made: f"<{made[0]} y='>'>{made[1]}text</{made[0]}>")


LEAF = st.tuples(st.sampled_from(NAMES), LEAVES).map(lambda made: made[1].replace("{}", made[0]))
TREES = st.recursive(LEAF, element, max_leaves=25)
PROLOGUES = ("", '<?xml version="1.0"?>', '<?xml version="1.0" encoding="UTF-8"?>\n', "\n  ")
EPILOGUES = ("", "\n", "  ")


CARD = f'<saml:Assertion xmlns:saml="{SAML}" id="IDCard"><saml:Issuer>x &amp; y</saml:Issuer></saml:Assertion>'.encode()


@settings(max_examples=200, deadline=None)
@given(TREES, st.sampled_from(NAMES), st.sampled_from(PROLOGUES), st.sampled_from(EPILOGUES))
def test_every_element_is_found_where_it_stands(inner: str, root: str, before: str, after: str) -> None:
    document = f"{before}<{root} xmlns:p='urn:p' xmlns:q='urn:q'>{inner}</{root}>{after}".encode()
    tree = _tree.read(document)
    for each in tree.root.iter():
        assert quick_span(tree, each) == span_of(document, _tree.indices(each))


@pytest.mark.parametrize(
    "document",
    [
        b"<r><!-- <a> --><a>x</a></r>",
        b"<r><![CDATA[<a></a>]]><a>x</a></r>",
        b"<!-- <r> --><r><a>x</a></r>",
        b"<r><a>x</a></r><!-- </r> -->",
    ],
)
def test_comments_and_cdata_do_not_mislead(document: bytes) -> None:
    tree = _tree.read(document)
    (found,) = tree.at(("r", "a"))
    span = span_in(tree, found)
    assert document[span.start : span.end] == b"<a>x</a>"
    whole = span_in(tree, tree.root)
    assert document[whole.start : whole.end].startswith(b"<r>")
    assert document[whole.start : whole.end].endswith(b"</a></r>")


def test_many_elements_of_one_name_are_no_trap() -> None:
    document = b"<r><a>" + b"<a></a>" * 50_000 + b"</a></r>"
    tree = _tree.read(document)
    span = quick_span(tree, tree.root[0])
    assert span is not None
    assert document[span.start : span.end] == document[3:-4]


def test_an_empty_root_is_found() -> None:
    for document in (b"<r/>", b"<?xml version='1.0'?><r  />\n"):
        tree = _tree.read(document)
        assert span_in(tree, tree.root) == span_of(document, ())


@pytest.mark.parametrize("algorithm", [SignatureAlgorithm.RSA_SHA256, SignatureAlgorithm.RSA_SHA512])
def test_a_signature_over_known_canonical_bytes_is_the_usual_one(algorithm: SignatureAlgorithm) -> None:
    document = canonicalize(CARD)
    place = Place(path=(f"{{{SAML}}}Assertion",))
    usual = sign(
        document,
        messages.credential(),
        [Reference(id="IDCard", is_enveloped=True)],
        place,
        algorithm=algorithm,
        signature_id=("id", "OCESSignature"),
    )
    quick = enveloped_signature(
        document, "IDCard", messages.credential(), algorithm=algorithm, signature_id=("id", "OCESSignature")
    )
    assert document.replace(b"</saml:Assertion>", quick + b"</saml:Assertion>") == usual


def test_a_signature_that_must_be_last_is_refused_elsewhere() -> None:
    signed = messages.signed_card()
    followed = signed.replace(b"</ds:Signature>", b"</ds:Signature><!-- a comment is nothing -->\n")
    strict = Policy.enveloped(messages.CARD_PATH, messages.signers(), is_last=True)
    assert verify(signed, strict, at=NOW).parts
    behind_issuer = sign(
        messages.CARD_ENVELOPE,
        messages.credential(),
        [Reference(id="IDCard", is_enveloped=True)],
        Place(path=messages.CARD_PATH, after=messages.ISSUER),
    )
    with pytest.raises(TrustError, match="should be last"):
        verify(behind_issuer, strict, at=NOW)
    with pytest.raises(TrustError, match="changed after it was signed"):
        verify(followed, strict, at=NOW)  # the line end behind the comment was not signed


def test_rows_say_what_elements_say() -> None:
    verified = verify(messages.signed_card(), messages.card_policy(), at=NOW).parts[0]
    statement, attribute, value = (
        f"{{{SAML}}}{name}" for name in ("AttributeStatement", "Attribute", "AttributeValue")
    )
    rows = verified.rows(statement, attribute, value)
    assert [(row.above["Name"], row.text) for row in rows] == [
        ("sosi:IDCardID", "kort-1"),
        ("medcom:CareProviderID", "10101010"),
    ]
    assert rows[1].above["NameFormat"] == "medcom:cvrnumber"
    (itself,) = verified.rows()
    assert (itself.attributes["id"], itself.text, itself.above) == ("IDCard", None, {})
    assert verified.rows(statement, "{urn:none}none") == []
    assert read_unsigned(b"<a><b c='d'>e<!-- -->f</b></a>").rows("b")[0].text == "ef"


@pytest.mark.parametrize("innermost", [b"<a/>", b"<a></a>", b"<a>text</a>"])
def test_w05_depth_is_counted_whatever_the_innermost_element_is(innermost: bytes) -> None:
    limits = Limits(depth=5)
    assert _tree.read(b"<a>" * 4 + innermost + b"</a>" * 4, limits=limits).root.tag == "a"
    with pytest.raises(ProtocolError, match="nested more than 5 levels"):
        _tree.read(b"<a>" * 5 + innermost + b"</a>" * 5, limits=limits)


def test_w05_elements_are_counted_and_other_tags_are_not() -> None:
    limits = Limits(elements=5)
    assert _tree.read(b"<a><b></b><b></b><!-- < --><b></b><b></b></a>", limits=limits).root.tag == "a"
    with pytest.raises(ProtocolError, match="more than 5 elements"):
        _tree.read(b"<a><b/><b/><b/><b/><b/></a>", limits=limits)


@pytest.mark.parametrize(
    "document",
    [b"<a><?x?></a>", b"<?x?><a/>", b"<a/><?x?>", b'<?xml version="1.0"?><?x?><a/>', b"\xef\xbb\xbf<?x?><a/>"],
)
def test_w05_processing_instructions_are_refused_wherever_they_stand(document: bytes) -> None:
    with pytest.raises(ProtocolError, match="processing instructions"):
        _tree.read(document)


@pytest.mark.parametrize(
    "document", [b'<?xml version="1.0"?><a/>', b'\xef\xbb\xbf<?xml version="1.0"?><a/>', b"<a>x</a>"]
)
def test_an_xml_declaration_is_no_processing_instruction(document: bytes) -> None:
    assert _tree.read(document).root.tag == "a"
