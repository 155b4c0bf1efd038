"""What stands beside the signed part of a message: read as unsigned, and free to follow rules of its own."""

from __future__ import annotations

import string
import time

import pytest

from govfile.errors import ConfigurationError, ProtocolError, TrustError
from govfile.xml.policy import Part, Policy
from govfile.xml.signing import Reference, sign
from govfile.xml.splicing import Place
from govfile.xml.unsigned import read_unsigned
from govfile.xml.verifying import verify
from support import xml_messages as messages

FREE = ("{urn:m}Message", "{urn:m}Body")
CARD = ("{urn:m}Message", "{urn:c}Card")
DOCUMENT = (
    b'<m:Message xmlns:m="urn:m" xmlns:x="urn:x" xmlns:unused="urn:unused"><c:Card xmlns:c="urn:c" id="IDCard">'
    b'<c:Times NotBefore="a"/></c:Card><m:Body><Order xmlns="urn:o" kind="x:quick"><item id="1"/><item id="1"/>'
    b"</Order></m:Body></m:Message>"
)


def signed(document: bytes = DOCUMENT) -> bytes:
    return sign(
        document, messages.credential(), [Reference(id="IDCard", is_enveloped=True)], Place(path=CARD), free=FREE
    )


def policy(free: tuple[str, ...] = FREE) -> Policy:
    return Policy.enveloped(CARD, messages.signers(), free=free)


def test_ids_may_stand_twice_in_free_content() -> None:
    assert verify(signed(), policy(), at=messages.NOW).parts[0].path == CARD


def test_ids_may_not_stand_twice_in_content_that_is_not_declared_free() -> None:
    with pytest.raises(ProtocolError, match="twice"):
        verify(signed(), policy(free=()), at=messages.NOW)


@pytest.mark.parametrize("attribute", [b'id="IDCard"', b'ID="IDCard"', b'xmlns:f="urn:f" f:Id="IDCard"'])
def test_an_id_from_outside_may_not_stand_in_free_content(attribute: bytes) -> None:
    with pytest.raises(ProtocolError, match="again"):
        verify(signed().replace(b"<Order ", b"<Order " + attribute + b" "), policy(), at=messages.NOW)


def test_a_signature_in_free_content_is_its_own_affair() -> None:
    other = b'<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"/>'
    document = signed().replace(b"</Order>", other + b"</Order>")
    assert verify(document, policy(), at=messages.NOW).parts[0].path == CARD
    beside = signed().replace(b"<m:Body>", other + b"<m:Body>")
    with pytest.raises(TrustError, match="where none is expected"):
        verify(beside, policy(), at=messages.NOW)


def test_nothing_signed_may_be_declared_to_stand_in_free_content() -> None:
    part = Part(path=(*FREE, "{urn:c}Card"))
    with pytest.raises(ConfigurationError, match="free"):
        Policy(signature=CARD, parts=(part,), signers=messages.signers(), free=FREE)


def test_unsigned_parts_come_from_the_document_that_was_verified() -> None:
    found = verify(signed(), policy(), at=messages.NOW).unsigned((*FREE, "{urn:o}Order"))
    assert [part.name for part in found] == ["{urn:o}Order"]
    assert found[0].element.attributes["kind"] == "x:quick"
    assert [child.name for child in found[0].children] == ["{urn:o}item", "{urn:o}item"]


def test_an_unsigned_part_takes_along_the_namespaces_it_names_and_no_others() -> None:
    (order,) = read_unsigned(DOCUMENT.replace(b'id="1"', b'no="1"')).at("{urn:m}Body", "{urn:o}Order")
    assert order.original == (
        b'<Order xmlns:x="urn:x" xmlns="urn:o" kind="x:quick"><item no="1"/><item no="1"/></Order>'
    )
    assert read_unsigned(order.original).name == "{urn:o}Order"


def test_comments_do_not_split_what_an_unsigned_part_says() -> None:
    assert read_unsigned(b"<a>one<!-- -->two</a>").element.text == "onetwo"


@pytest.mark.parametrize("count", [70, 250])
def test_an_element_takes_along_what_it_names_however_much_it_inherits(count: int) -> None:
    declared = b" ".join(b'xmlns:n%d="urn:n%d"' % (number, number) for number in range(count))
    part = read_unsigned(b"<a " + declared + b'><n1:b n2:c="n3:d"/></a>').children[0]
    assert read_unsigned(part.original).name == "{urn:n1}b"
    assert b'xmlns:n3="urn:n3"' in part.original


def test_what_looks_like_a_declaration_in_a_value_declares_nothing() -> None:
    part = read_unsigned(b"""<a xmlns:n="urn:n"><n:b c=" xmlns:n='x'"/></a>""").children[0]
    assert read_unsigned(part.original).name == "{urn:n}b"


def test_w05_an_element_with_more_attributes_than_anybody_writes_is_refused() -> None:
    def element(count: int, attribute: bytes) -> bytes:
        return b"<a " + b" ".join(attribute % (number, number) for number in range(count)) + b"/>"

    for attribute in (b'b%d="%d"', b"xmlns:n%d='urn:%d'"):
        assert read_unsigned(element(256, attribute)).name == "a"
        with pytest.raises(ProtocolError, match="more than 256 attributes"):
            read_unsigned(element(257, attribute))
    short = [first + second for first in string.ascii_letters for second in string.ascii_letters]
    with pytest.raises(ProtocolError, match="more than 256 attributes"):
        read_unsigned(
            b"<a " + b" ".join(f"{name}=''".encode() for name in [*string.ascii_letters, *short][:257]) + b"/>"
        )
    for harmless in (b'<a b="' + b"=" * 1000 + b'"/>', b"<a>" + b'<b xmlns="urn:b" c="/"/>' * 1000 + b"</a>"):
        assert read_unsigned(harmless).name == "a"
    nested = b"".join(b'<a xmlns:n%d="urn:n" xmlns:m%d="urn:m" b="/>">' % (level, level) for level in range(90))
    assert read_unsigned(nested + b"</a>" * 90).name == "a"
    with pytest.raises(ProtocolError, match="more than 256 attributes or namespaces"):
        read_unsigned(nested.replace(b'b="/>"', b'xmlns:o="urn:o" b="/>"') + b"</a>" * 90)


def test_w05_many_bodies_and_ids_take_time_by_their_number_not_by_its_square() -> None:
    ids = b"".join(b'<i id="i%d"/>' % number for number in range(20_000))
    document = b'<m:Message xmlns:m="urn:m"><h>' + ids + b"</h>" + b"<m:Body/>" * 20_000 + b"</m:Message>"
    began = time.process_time()
    assert len(read_unsigned(document, free=FREE).children) == 20_001
    assert time.process_time() - began < 5, "it took half a minute"
