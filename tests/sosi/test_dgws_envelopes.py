"""The envelope of a call by Den Gode Webservice: what is written, in which order, and that the card stays as it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from govfile.errors import ConfigurationError, CredentialError, InvalidContent, ProtocolError
from govfile.sosi.card import IdCard
from govfile.sosi.cards import write
from govfile.sosi.care_provider import CareProvider
from govfile.sosi.services.dgws import Soap, dgws_request
from govfile.sosi.services.hsuid import HsuidHeader, UserType
from govfile.sosi.services.medcom import FlowStatus, MedcomHeader, Priority, TimeOut, seal_message_id
from govfile.sosi.services.provider import verify_request
from govfile.sosi.times import DgwsVersion
from govfile.xml.parse import parse
from support import fake_sts
from support.dgws_world import BODY, card
from support.xml_messages import NOW

MEDCOM = "{http://www.medcom.dk/dgws/2006/04/dgws-1.0.xsd}"
FULL = MedcomHeader(
    message_id="m-1",
    flow_id="f-1",
    in_response_to="m-0",
    security_level=4,
    timeout=TimeOut.HOURS_8,
    flow_status=FlowStatus.FINALISED,
    priority=Priority.ACUTE,
    non_repudiation=False,
)
HSUID = HsuidHeader(
    issuer="Example Lab",
    user_type=UserType.PROFESSIONAL,
    vendor="Example A/S",
    system="Example Lab",
    system_version="1.0",
    operations_organisation="Example Region",
    organisation="25450442",
    acting_user_cpr="0101001234",
    consent_override=True,
)


def names(element: etree._Element) -> list[str]:
    return [etree.QName(child).localname for child in element]


def test_the_headers_stand_in_the_documented_order() -> None:
    before = b'<wsa:To xmlns:wsa="http://www.w3.org/2005/08/addressing">here</wsa:To>'
    root = etree.fromstring(dgws_request(card(), body=BODY, header=FULL, hsuid=HSUID, other_headers=[before], at=NOW))
    assert names(root) == ["Header", "Body"]
    assert names(root[0]) == ["To", "Security", "Header", "HsuidHeader"]
    assert names(root[0][1]) == ["Timestamp", "Assertion"]
    assert root[0][1][0][0].text == "2026-06-01T12:00:00Z"


def test_the_header_of_dgws_is_written_in_the_order_and_the_words_of_its_schema() -> None:
    header = etree.fromstring(FULL.written())
    told = [(etree.QName(each).localname, each.text) for each in header.iter() if each is not header]
    assert told == [
        ("SecurityLevel", "4"),
        ("TimeOut", "480"),
        ("Linking", None),
        ("FlowID", "f-1"),
        ("MessageID", "m-1"),
        ("InResponseToMessageID", "m-0"),
        ("FlowStatus", "flow_finalized_succesfully"),
        ("Priority", "AKUT"),
        ("RequireNonRepudiationReceipt", "no"),
    ]
    assert {etree.QName(each).namespace for each in header.iter()} == {MEDCOM[1:-1]}


def test_what_is_left_out_of_the_header_is_not_written() -> None:
    header = etree.fromstring(MedcomHeader(message_id="m").written(3))
    assert names(header) == ["SecurityLevel", "Linking"]
    assert names(header[1]) == ["MessageID"]


def test_every_value_of_the_header_is_read_as_it_was_written() -> None:
    for timeout in TimeOut:
        for status in FlowStatus:
            for priority in Priority:
                header = MedcomHeader(timeout=timeout, flow_status=status, priority=priority, non_repudiation=True)
                assert MedcomHeader.of(parse(header.written().encode())) == header
    assert MedcomHeader.of(parse(FULL.written().encode())) == FULL


@given(st.text(min_size=1, max_size=40))
def test_any_id_comes_back_as_it_went_or_is_refused_at_once(text: str) -> None:
    try:
        header = MedcomHeader(message_id=text, flow_id=text)
    except InvalidContent:
        return
    again = MedcomHeader.of(parse(header.written().encode()))
    assert (again.message_id, again.flow_id) == (text.strip(), text.strip())


def test_the_cards_bytes_and_the_bodys_stay_as_they_are() -> None:
    request = dgws_request(card(), body=BODY, at=NOW)
    assert request.count(card().xml) == 1
    assert request.endswith(b"<soap:Body>" + BODY + b"</soap:Body></soap:Envelope>")


def test_a_new_message_has_a_new_id_and_one_sent_again_keeps_it() -> None:
    header = MedcomHeader(flow_id="f")
    ids = {MedcomHeader().message_id, header.message_id, header.for_new_message().message_id}
    assert len(ids) == 3
    assert header.for_new_message().flow_id == "f"
    assert dgws_request(card(), body=BODY, header=header, at=NOW) == dgws_request(
        card(), body=BODY, header=header, at=NOW
    )


def test_the_seal_form_of_a_message_id_tells_its_time_and_ends_in_sosi() -> None:
    assert seal_message_id(datetime(2012, 2, 3, tzinfo=UTC), randomness=bytes) == "AAABNUCCrAAAAAAAAAAAAFNPU0k="
    assert seal_message_id() != seal_message_id()


def test_a_card_of_version_1_0_gets_danish_time_without_a_zone() -> None:
    provider = CareProvider.cvr("10101010", "Example")
    old = write(IdCard.system(it_system="Old", care_provider=provider, level=1, version=DgwsVersion.V1_0), at=NOW)
    assert b"<wsu:Created>2026-06-01T14:00:00</wsu:Created>" in dgws_request(old, body=BODY, at=NOW)


@pytest.mark.parametrize(
    ("soap", "headers"),
    [
        (Soap.V1_1, {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '"urn:ping"'}),
        (Soap.V1_2, {"Content-Type": 'application/soap+xml; charset=utf-8; action="urn:ping"'}),
    ],
)
def test_both_versions_of_soap_are_spoken(soap: Soap, headers: dict[str, str]) -> None:
    root = etree.fromstring(dgws_request(card(), body=BODY, soap=soap, at=NOW))
    assert root.tag == f"{{{soap.value}}}Envelope"
    assert soap.http_headers("urn:ping") == headers


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"ping", "not an element"),
        (b"\xef\xbb\xbf<a/>", "not an element"),
        (b'<?xml version="1.0"?><a/>', "XML declaration"),
        (b"<!DOCTYPE a><a/>", "document type"),
    ],
)
def test_a_body_that_cannot_be_put_into_an_envelope_is_refused(body: bytes, said: str) -> None:
    with pytest.raises(InvalidContent, match=said):
        dgws_request(card(), body=body, at=NOW)


def test_what_cannot_succeed_is_refused_before_it_is_sent() -> None:
    with pytest.raises(InvalidContent, match="level 3, and the card has level 4"):
        dgws_request(card(), body=BODY, header=MedcomHeader(security_level=3), at=NOW)
    with pytest.raises(CredentialError, match="expired at 2026-06-02 11:55:00 UTC"):
        dgws_request(card(), body=BODY, at=NOW + timedelta(hours=24))
    with pytest.raises(CredentialError, match="time-out of 0:30:00"):
        dgws_request(card(), body=BODY, header=MedcomHeader(timeout=TimeOut.MINUTES_30), at=NOW + timedelta(minutes=26))
    with pytest.raises(InvalidContent, match="no security level 0"):
        MedcomHeader(security_level=0)
    with pytest.raises(InvalidContent, match="control character"):
        MedcomHeader(flow_id="a\x01")
    with pytest.raises(ConfigurationError, match="no time zone"):
        dgws_request(card(), body=BODY, at=NOW.replace(tzinfo=None))
    with pytest.raises(InvalidContent, match="HTTP header"):
        Soap.V1_1.http_headers('urn:a"\r\nX: y')


def test_the_hsuid_header_has_the_published_form_and_comes_back() -> None:
    element = parse(HSUID.written(NOW).encode())
    again, issued = HsuidHeader.of(element)
    assert (again, issued) == (HSUID, NOW)
    (assertion,) = element.children
    assert (assertion.attributes["id"], assertion.children[1].attributes["id"]) == ("HSUID", "HSUIDdata")
    told = {each.attributes["Name"]: each.children[0].text for each in assertion.children[1].children}
    assert told["nsi:UserType"] == "nsi:HealthcareProfessional"
    assert told["nsi:OrgUsingID"] == "25450442"
    assert told["nsi:ConsentOverride"] == "true"
    assert "0101001234" not in repr(HSUID)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("nsi:HealthcareProfessional", "nsi:Somebody"),
        ('Name="nsi:SystemName"', 'Name="nsi:SystemVersion"'),
        ('Name="nsi:SystemName"', 'Name="nsi:Else"'),
        (">true<", ">perhaps<"),
        ('IssueInstant="2026', 'IssueInstant="soon'),
        ("hsuid:Issuer>Example Lab<", "hsuid:Issuer><"),
    ],
)
def test_an_hsuid_header_that_says_nothing_sure_is_refused(old: str, new: str) -> None:
    written = HSUID.written(NOW)
    assert old in written
    with pytest.raises(ProtocolError):
        HsuidHeader.of(parse(written.replace(old, new).encode()))


def test_a_service_reads_what_was_written() -> None:
    request = dgws_request(card(), body=BODY, header=FULL, hsuid=HSUID, at=NOW)
    call = verify_request(request, trust=fake_sts.trust(), at=NOW)
    assert (call.card, call.header, call.hsuid, call.created) == (card(), FULL, HSUID, NOW)
    assert call.unsigned_body == BODY
    assert call.card.is_verified
    assert fake_sts.CPR not in repr(call)
