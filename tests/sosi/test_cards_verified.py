"""Cards that others signed: believed when everything about them is in order, refused otherwise."""

from __future__ import annotations

import re
import traceback
from datetime import timedelta
from pathlib import Path

import attrs
import pytest
from lxml import etree

from govfile.errors import GovfileError, ProtocolError, TrustError
from govfile.sosi import (
    NameFormat,
    SignedCard,
    StsTrust,
    WrittenCard,
    cards,
    read_card,
    verify_card,
)
from govfile.xml.canonical import canonicalize
from support import fake_sts
from support import xml_messages as messages
from support.id_cards import WANTED, card, resigned, verified
from support.xml_messages import CARD_PATH, DS, NOW, SAML

VECTORS = Path(__file__).parents[1] / "xml" / "vectors"


def test_a_genuine_card_is_verified_and_keeps_its_bytes() -> None:
    xml = card()
    found = verified(xml)
    assert found.xml == xml
    assert found.is_verified
    assert (found.issuer, found.level, found.cpr, found.role) == ("TEST-STS", 4, fake_sts.CPR, "7170")
    assert found.names_certificate
    assert found.signer == fake_sts.signer().certificate
    assert (found.valid_from, found.expires) == (NOW - timedelta(minutes=5), NOW + timedelta(hours=23, minutes=55))


def test_a_card_in_a_message_comes_out_alone_and_verifies_again() -> None:
    inside = card().replace(f' xmlns:saml="{SAML}"'.encode(), b"", 1).replace(f' xmlns:ds="{DS}"'.encode(), b"", 1)
    envelope = messages.CARD_ENVELOPE.replace(b"<soap:Envelope ", f'<soap:Envelope xmlns:ds="{DS}" '.encode())
    start, end = envelope.index(b"<saml:Assertion"), envelope.index(b"</wsse:Security>")
    found = verify_card(envelope[:start] + inside + envelope[end:], trust=fake_sts.trust(), at=NOW, path=CARD_PATH)
    assert verified(found.xml) == found
    assert canonicalize(found.xml) == canonicalize(card())


def test_a_legacy_card_names_no_certificate() -> None:
    assert not verified(card(keeps_name=True)).names_certificate


def test_nothing_personal_is_printed() -> None:
    found = verified(card(keeps_name=True))
    assert found.cpr is not None
    assert fake_sts.CPR not in repr(found) + str(found)
    assert "Person" not in repr(found)


def test_reading_verifies_nothing_and_says_so() -> None:
    forged = card().replace(b"7170", b"5166")
    found = read_card(b'<?xml version="1.0" encoding="UTF-8"?>\n' + forged + b"\n")
    assert (found.role, found.is_verified, found.xml) == ("5166", False, forged)
    with pytest.raises(TrustError, match="changed after it was signed"):
        verified(forged)


# --- T-01 wrapping ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("attack", [f"xsw{number}" for number in (1, 2, 3, 4, 5, 6, 7, 8, 10)])
def test_t01_a_wrapped_card_is_refused(attack: str) -> None:
    """The genuine message of these vectors is no whole ID card; that it is refused for its forgery shows the cause."""
    pinned = StsTrust.pinned_to((VECTORS / "signer.txt").read_bytes())
    with pytest.raises(ProtocolError, match="the ID card has no"):
        verify_card((VECTORS / "card" / "genuine.xml").read_bytes(), trust=pinned, at=NOW, path=CARD_PATH)
    with pytest.raises(GovfileError) as caught:
        verify_card((VECTORS / "card" / f"{attack}.xml").read_bytes(), trust=pinned, at=NOW, path=CARD_PATH)
    assert "the ID card has no" not in str(caught.value)


def test_t01_a_second_card_anywhere_is_refused() -> None:
    both = b"<x>" + card() + card().replace(b'id="IDCard"', b'id="Other"').replace(b"#IDCard", b"#Other") + b"</x>"
    with pytest.raises((TrustError, ProtocolError)):
        verify_card(both, trust=fake_sts.trust(), at=NOW, path=("x", f"{{{SAML}}}Assertion"))


@pytest.mark.parametrize("place", ["before", "behind", "second"])
def test_t02_the_signature_is_the_only_one_and_last(place: str) -> None:
    xml = card()
    match = re.search(rb"<ds:Signature.*</ds:Signature>", xml)
    assert match is not None
    bare = xml.replace(match[0], b"")
    moved = {
        "before": bare.replace(b"<saml:Subject>", match[0] + b"<saml:Subject>"),
        "behind": xml.replace(b"</saml:Assertion>", b"<saml:Advice/></saml:Assertion>"),
        "second": xml.replace(b"</saml:Assertion>", match[0] + b"</saml:Assertion>"),
    }[place]
    with pytest.raises((TrustError, ProtocolError)):
        verified(moved)


def test_t02_an_unsigned_card_is_refused_and_not_read_as_signed() -> None:
    bare = re.sub(rb"<ds:Signature.*</ds:Signature>", b"", card())
    with pytest.raises(TrustError, match="0 signatures"):
        verified(bare)
    with pytest.raises(ProtocolError, match="not signed"):
        read_card(bare)


def test_reindented_cards_are_refused_with_the_likely_reason() -> None:
    tree = etree.fromstring(card())
    etree.indent(tree)
    with pytest.raises(TrustError) as caught:
        verified(etree.tostring(tree))
    assert "prettified" in caught.value.advice


# --- T-05 what is read is what was signed -----------------------------------------------------------------------


def test_t05_a_comment_splits_no_value() -> None:
    """Canonical XML leaves comments out, so one may be put in after signing: the value must come out whole."""
    commented = card().replace(fake_sts.CPR.encode(), b"010100<!-- -->1234").replace(b"TEST-STS", b"TEST<!--x-->-STS")
    found = verified(commented)
    assert (found.cpr, found.issuer) == (fake_sts.CPR, "TEST-STS")
    assert read_card(commented).cpr == fake_sts.CPR


@pytest.mark.parametrize(
    "change",
    [
        (b"<saml:Issuer>", b"<!DOCTYPE x><saml:Issuer>"),
        (b">7170<", b">&role;<"),
        (b">7170<", b"><?x?>7170<"),
        (b' id="IDCard"', b' id="IDCard" xmlns:x="urn:x" x:id="IDCard"'),
        (b' id="IDCard"', b' id="IDCard" ID="IDCard"'),
        (b' id="IDCardData"', b' id="IDCard"'),
        (b"medcom:UserRole", b"medcom:userRole"),
        (b"xmlns:saml=", b"xmlns:saml='urn:x' xmlns:saml2="),
    ],
)
def test_t05_changed_documents_are_refused(change: tuple[bytes, bytes]) -> None:
    assert change[0] in card()
    with pytest.raises((TrustError, ProtocolError)):
        verified(card().replace(*change))


def test_t05_an_attribute_that_stands_twice_is_refused() -> None:
    added = b'<saml:Attribute Name="medcom:UserRole"><saml:AttributeValue>5166</saml:AttributeValue></saml:Attribute>'
    twice = (b'<saml:Attribute Name="medcom:UserRole">', added + b'<saml:Attribute Name="medcom:UserRole">')
    with pytest.raises(ProtocolError, match="two values"):
        verified(resigned(twice))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ((b"sosi:IDCardID", b"sosi:Other"), "no sosi:IDCardID"),
        ((b">1.0.1<", b">1.1<"), "IDCardVersion that is not known"),
        ((b">user<", b">User<"), "IDCardType that is not known"),
        ((b'AuthenticationLevel"><saml:AttributeValue>4', b'AuthenticationLevel"><saml:AttributeValue>5'), "not known"),
        ((b"medcom:cvrnumber", b"medcom:unheard"), "care provider"),
        ((b">20301823<", b">2030182<"), "care provider"),
        ((b"medcom:CareProviderName", b"medcom:Other"), "no medcom:CareProviderName"),
        ((b"medcom:ITSystemName", b"medcom:Other"), "no medcom:ITSystemName"),
        ((b'Version="2.0"', b'Version="1.1"'), "version 2.0"),
        ((b">7170<", b"><b>7170</b><"), "more than text"),
        ((b"<saml:Issuer>ExampleLab</saml:Issuer>", b""), "one Issuer"),
        ((b'IssueInstant="2026', b'IssueInstant="x2026'), "IssueInstant is not a time"),
    ],
)
def test_a_signed_assertion_that_is_no_id_card_is_refused(change: tuple[bytes, bytes], said: str) -> None:
    with pytest.raises(ProtocolError, match=said):
        verified(resigned(change))


@pytest.mark.parametrize("before", [b"", b"twelve long "], ids=["whole", "cut in two"])
def test_no_personal_number_gets_into_an_error(before: bytes) -> None:
    level = b'AuthenticationLevel"><saml:AttributeValue>'
    with pytest.raises(ProtocolError, match="not known") as caught:
        verified(resigned((level + b"4", level + before + b"0101001234")))
    assert "010100" not in str(caught.value)


def test_no_personal_number_gets_into_an_errors_causes() -> None:
    with pytest.raises(ProtocolError, match="care provider") as caught:
        verified(resigned((b"medcom:cvrnumber", fake_sts.CPR.encode())))
    assert fake_sts.CPR not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("level", [b"1", b"2"])
def test_t10_a_signed_card_has_level_3_or_4(level: bytes) -> None:
    change = (b'AuthenticationLevel"><saml:AttributeValue>4', b'AuthenticationLevel"><saml:AttributeValue>' + level)
    with pytest.raises(TrustError, match="levels 3 and 4"):
        verified(resigned(change))


@pytest.mark.parametrize("wrong", [b"", b"<x/>", b"<html><body>502</body></html>", b"no xml", b"<saml:Assertion/>"])
def test_what_is_no_card_is_refused(wrong: bytes) -> None:
    with pytest.raises((TrustError, ProtocolError)):
        verified(wrong)
    with pytest.raises(ProtocolError):
        read_card(wrong)


def test_senders_differ_in_the_order_of_attributes() -> None:
    wanted = attrs.evolve(WANTED, occupation="Doctor", authorisation_code="AAAA1")
    xml = cards.build(wanted, fake_sts.employee(), at=NOW).xml
    found = re.findall(rb'<saml:Attribute Name="medcom:User[AO].*?</saml:Attribute>', xml)
    swapped = xml.replace(b"".join(found), b"".join(reversed(found)))
    assert swapped != xml
    card = verified(fake_sts.signed_card(swapped))
    assert (card.occupation, card.authorisation_code) == ("Doctor", "AAAA1")


def test_kinds_of_cards_are_told_apart() -> None:
    assert not isinstance(cards.write(attrs.evolve(WANTED, level=1), at=NOW), SignedCard)
    assert isinstance(verified(card()), WrittenCard)
    assert verified(card()).care_provider.format is NameFormat.CVR
