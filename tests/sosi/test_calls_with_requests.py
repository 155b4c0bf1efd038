"""Calls of the library requests with a card, and what an answer by Den Gode Webservice says."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from govfile.errors import ConfigurationError, CredentialError, InvalidContent, ProtocolError, Rejected
from govfile.sosi.card import IdCard
from govfile.sosi.services.dgws import Soap, dgws_request
from govfile.sosi.services.fault_codes import CallRefused, FaultCode
from govfile.sosi.services.medcom import FlowStatus, MedcomHeader, TimeOut
from govfile.sosi.services.provider import verify_request
from govfile.sosi.services.reply import DgwsFault, DgwsReply
from govfile.sosi.services.requests_auth import DgwsAuth
from support import fake_sts
from support.dgws_world import ADDRESS, BODY, Service, card, session
from support.xml_messages import NOW

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

EXPIRED = CallRefused("the card has expired", fault_code=FaultCode.EXPIRED_IDCARD)
WANTED = IdCard.user(it_system="Example Lab", role="7170", cpr=fake_sts.CPR)


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def opened(service: Service) -> Iterator[requests.Session]:
    with session(service) as found:
        yield found


def auth(source: Any = None, **options: Any) -> DgwsAuth:
    return DgwsAuth(None, source or card(), clock=lambda: NOW, **options)


def read(answer: requests.Response) -> DgwsReply:
    return DgwsReply.read(answer.content, content_type=answer.headers["Content-Type"], status=answer.status_code)


def test_the_body_goes_into_an_envelope_with_the_cards_own_bytes(service: Service, opened: requests.Session) -> None:
    reply = read(opened.post(ADDRESS, BODY, auth=auth()))
    (call,) = service.calls
    assert card().xml in service.seen[0]
    assert reply.accepted(call.header.message_id) == b'<Pong xmlns="urn:example"><word>hej</word></Pong>'
    assert (call.unsigned_body, reply.in_response_to) == (BODY, call.header.message_id)
    assert (reply.flow_status, reply.security_level, reply.created) == (FlowStatus.FINALISED, 1, NOW)
    assert service.headers[0]["CONTENT_TYPE"] == "text/xml; charset=utf-8"


@pytest.mark.parametrize("soap", Soap)
def test_an_envelope_is_filled_and_its_own_headers_are_kept(
    service: Service, opened: requests.Session, soap: Soap
) -> None:
    envelope = (
        f'<e:Envelope xmlns:e="{soap.value}" xmlns:o="urn:o"><e:Header><o:Other kind="o:x">1</o:Other></e:Header>'
        f"<e:Body>{BODY.decode()}</e:Body></e:Envelope>"
    )
    assert read(opened.post(ADDRESS, envelope.encode(), auth=auth())).fault is None
    (call,) = service.calls
    assert (call.soap, call.unsigned_body) == (soap, BODY)
    assert b'<o:Other xmlns:o="urn:o" kind="o:x">1</o:Other><wsse:Security>' in service.seen[0]


def test_headers_of_the_request_stay_and_text_is_sent_as_utf_8(service: Service, opened: requests.Session) -> None:
    headers = {"Content-Type": "text/xml", "SOAPAction": '"urn:ping"'}
    assert opened.post(ADDRESS, BODY.decode(), auth=auth(), headers=headers).status_code == 200
    assert service.calls[0].unsigned_body == BODY
    assert (service.headers[0]["CONTENT_TYPE"], service.headers[0]["SOAPACTION"]) == ("text/xml", '"urn:ping"')


def test_t12_an_expired_card_is_replaced_and_the_same_message_goes_out_once_more(
    service: Service, opened: requests.Session
) -> None:
    sts = fake_sts.FakeSts()
    service.instead = [EXPIRED]
    answer = opened.post(ADDRESS, BODY, auth=DgwsAuth(sts.client(), WANTED))
    assert read(answer).fault is None
    assert [first.status_code for first in answer.history] == [500]
    ids = [re.findall(rb"MessageID>([^<]+)<", request) for request in service.seen]
    assert len(sts.asked) == len(service.seen) == 2
    assert ids[0] == ids[1]


def test_t12_it_goes_out_once_more_only(service: Service, opened: requests.Session) -> None:
    service.instead = [EXPIRED, EXPIRED, EXPIRED]
    reply = read(opened.post(ADDRESS, BODY, auth=DgwsAuth(fake_sts.FakeSts().client(), WANTED)))
    assert len(service.seen) == 2
    with pytest.raises(Rejected, match="expired_idcard"):
        reply.accepted()


def test_t12_a_card_too_old_for_the_headers_time_out_is_replaced_before_it_is_sent(opened: requests.Session) -> None:
    moment = [NOW]
    sts = fake_sts.FakeSts(clock=lambda: moment[0])
    caller = DgwsAuth(sts.client(), WANTED, header=MedcomHeader(timeout=TimeOut.MINUTES_30))
    with session(Service(clock=lambda: moment[0])) as service:
        for minutes in (0, 24, 26):
            moment[0] = NOW + timedelta(minutes=minutes)
            assert read(service.post(ADDRESS, BODY, auth=caller)).fault is None
    assert len(sts.asked) == 2
    with pytest.raises(CredentialError, match="dates new ones back"):
        opened.post(ADDRESS, BODY, auth=auth(header=MedcomHeader(timeout=TimeOut.MINUTES_5)))


def test_nothing_goes_out_again_for_another_reason_or_without_another_card(
    service: Service, opened: requests.Session
) -> None:
    sts = fake_sts.FakeSts()
    service.instead = [CallRefused("no", fault_code=FaultCode.NOT_AUTHORIZED), EXPIRED]
    assert read(opened.post(ADDRESS, BODY, auth=DgwsAuth(sts.client(), WANTED))).fault is not None
    assert read(opened.post(ADDRESS, BODY, auth=auth())).fault is not None
    assert (len(service.seen), len(sts.asked)) == (2, 1)


def test_an_answer_that_is_streamed_is_left_alone(service: Service, opened: requests.Session) -> None:
    service.instead = [EXPIRED]
    with opened.post(ADDRESS, BODY, auth=DgwsAuth(fake_sts.FakeSts().client(), WANTED), stream=True) as answer:
        assert answer.status_code == 500
    assert len(service.seen) == 1


def test_w01_a_card_follows_no_redirect(service: Service, opened: requests.Session) -> None:
    service.instead = [(308, "text/html", b"")]
    with pytest.raises(ProtocolError, match="308"):
        opened.post(ADDRESS, BODY, auth=auth())
    assert len(service.seen) == 1


@pytest.mark.parametrize("status", [302, 307, 308])
def test_w01_a_new_card_follows_no_redirect_either(service: Service, opened: requests.Session, status: int) -> None:
    service.instead = [EXPIRED, (status, "text/html", b"")]
    with pytest.raises(ProtocolError, match=str(status)):
        opened.post(ADDRESS, BODY, auth=DgwsAuth(fake_sts.FakeSts().client(), WANTED))
    assert len(service.seen) == 2, "nothing went elsewhere"


def test_a_message_sent_again_keeps_its_id(service: Service, opened: requests.Session) -> None:
    caller = auth()
    with caller.using(MedcomHeader(message_id="m-1")):
        opened.post(ADDRESS, BODY, auth=caller)
        opened.post(ADDRESS, BODY, auth=caller)
    opened.post(ADDRESS, BODY, auth=caller)
    ids = [call.header.message_id for call in service.calls]
    assert ids[:2] == ["m-1", "m-1"]
    assert ids[2] != "m-1"


@pytest.mark.parametrize("body", [None, iter([b"<a/>"])])
def test_a_body_that_is_not_there_or_streamed_is_refused(opened: requests.Session, body: Any) -> None:
    with pytest.raises(ConfigurationError, match="body"):
        opened.post(ADDRESS, body, auth=auth())


def test_what_is_no_xml_is_refused_before_it_is_sent(service: Service, opened: requests.Session) -> None:
    opening = b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>'
    closing = b"</e:Body></e:Envelope>"
    for body in (b"ping", b"<a>", b"<a/><b/>", opening + b"ping" + closing, opening + b"<a/><b/>" + closing):
        with pytest.raises(InvalidContent):
            opened.post(ADDRESS, body, auth=auth())
    assert service.seen == []


def test_an_expired_card_that_cannot_be_replaced_is_not_sent(service: Service, opened: requests.Session) -> None:
    with pytest.raises(CredentialError, match="expired"):
        opened.post(ADDRESS, BODY, auth=DgwsAuth(None, card(), clock=lambda: card().expires))
    assert service.seen == []


# --- answers


def reply_to(document: bytes, **options: Any) -> DgwsReply:
    return DgwsReply.read(document, **{"content_type": "text/xml", "status": 200, **options})


def test_an_answer_without_headers_is_read() -> None:
    reply = reply_to(
        b'<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" xmlns:r="urn:r"><e:Header>'
        b'<m:Header xmlns:m="http://www.medcom.dk/dgws/2006/04/dgws-1.0.xsd" maxAge="24"><m:TimeOut>3</m:TimeOut>'
        b"<m:FlowStatus>flow_finalized_succesfully</m:FlowStatus></m:Header></e:Header>"
        b'<e:Body><r:Answer kind="r:x"/></e:Body></e:Envelope>'
    )
    assert (reply.soap, reply.flow_status) == (Soap.V1_2, FlowStatus.FINALISED)
    assert (reply.message_id, reply.in_response_to, reply.security_level, reply.created) == (None, None, None, None)
    assert reply.accepted("m-1").startswith(b"<r:Answer ")


def test_an_answer_in_parts_is_read() -> None:
    envelope = DgwsReply(body=b"<a/>", in_response_to="m-1").written(NOW)
    parts = (
        b'--x\r\nContent-Type: application/xop+xml; type="text/xml"\r\nContent-ID: <root>\r\n\r\n'
        + envelope
        + b"\r\n--x--"
    )
    kind = 'multipart/related; type="application/xop+xml"; start="<root>"; start-info="text/xml"; boundary="x"'
    reply = reply_to(parts, content_type=kind)
    assert (reply.in_response_to, reply.created) == ("m-1", NOW)
    assert reply.body.startswith(b"<a")


@pytest.mark.parametrize(
    ("body", "kind", "status", "said"),
    [
        (b"", "text/xml", 200, "empty"),
        (b"<html><body>Down</body></html>", "text/html", 502, "HTML"),
        (b"{}", "application/json", 200, "instead of a SOAP message"),
    ],
)
def test_w01_what_is_no_answer_is_said_to_be_none(body: bytes, kind: str, status: int, said: str) -> None:
    with pytest.raises(ProtocolError, match=said):
        reply_to(body, content_type=kind, status=status)


@pytest.mark.parametrize("soap", Soap)
def test_faults_are_written_and_read_in_both_versions(soap: Soap) -> None:
    fault = DgwsFault(code="expired_idcard", text="the card of 010100-1234 < expired", soap=soap)
    reply = reply_to(fault.written(NOW), content_type=fault.content_type, status=500)
    assert (reply.soap, reply.created) == (soap, NOW)
    assert fake_sts.CPR[:6].encode() not in fault.written()
    with pytest.raises(Rejected) as refused:
        reply.accepted("m-1")
    assert (refused.value.code, refused.value.known) == ("expired_idcard", True)


@pytest.mark.parametrize("code", FaultCode)
def test_every_code_has_advice_whatever_its_case(code: FaultCode) -> None:
    reply = reply_to(DgwsFault(code=code.value.upper(), text="").written(), status=500)
    with pytest.raises(Rejected) as refused:
        reply.accepted()
    assert (refused.value.code, refused.value.known) == (code.value.upper(), True)
    assert refused.value.advice


def test_w07_a_refusal_says_when_the_clocks_differ() -> None:
    reply = reply_to(DgwsFault(code="expired_idcard", text="").written(), status=500)
    with pytest.raises(Rejected, match="10 minutes behind"):
        reply.accepted(at=NOW, their_time=NOW + timedelta(minutes=10))


def test_g02_a_refusals_code_and_actor_are_shown_without_persons_and_controls() -> None:
    soap = Soap.V1_1.value
    written = (
        f'<s:Envelope xmlns:s="{soap}"><s:Body><s:Fault><faultcode>s:Server</faultcode><faultstring>no</faultstring>'
        "<faultactor>0101001234\x9b31m</faultactor><detail><FaultCode>unknown 010100-1234\x9b31m</FaultCode></detail>"
        "</s:Fault></s:Body></s:Envelope>"
    )
    with pytest.raises(Rejected) as refused:
        reply_to(written.encode(), status=500).accepted()
    error = refused.value
    assert (error.code, error.actor) == ("unknown ********** 31m", "********** 31m")
    assert "1234" not in str(error)
    assert str(error).isprintable()


def test_a_reply_may_not_hold_more_than_an_element() -> None:
    call = verify_request(dgws_request(card(), body=BODY, at=NOW), trust=fake_sts.trust(), at=NOW)
    with pytest.raises(InvalidContent):
        DgwsReply.to(call, b"no element")
    assert DgwsReply.to(call, b"").written().endswith(b"<soap:Body></soap:Body></soap:Envelope>")
