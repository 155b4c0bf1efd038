"""zeep's calls with a card: the very bytes, once; once more with a new card; errors with advice; silent logs."""

from __future__ import annotations

import importlib
import logging
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from lxml import etree

from govfile.errors import ConfigurationError, InvalidContent, ProtocolError, Rejected, Retry
from govfile.sosi.card import IdCard
from govfile.sosi.card_source import CardSource
from govfile.sosi.cards import verify_card
from govfile.sosi.services.dgws import Soap
from govfile.sosi.services.fault_codes import CallRefused, FaultCode
from govfile.sosi.services.medcom import MedcomHeader, Priority
from govfile.sosi.services.reply import DgwsReply
from govfile.sosi.services.zeep_plugins import DgwsPlugin, teach
from support import fake_sts
from support.dgws_world import Service, card, session
from support.xml_messages import CARD_PATH, NOW

if TYPE_CHECKING:
    from collections.abc import Iterator

    from govfile.sosi.services.provider import DgwsCall

zeep: Any = importlib.import_module("zeep")  # it has no types that would help here
Transport: Any = importlib.import_module("zeep.transports").Transport
HistoryPlugin: Any = importlib.import_module("zeep.plugins").HistoryPlugin
UsernameToken: Any = importlib.import_module("zeep.wsse.username").UsernameToken

WSDL = str(Path(__file__).parent.parent / "support" / "ping.wsdl")
MESSAGE_ID = re.compile(rb"<medcom:MessageID>([^<]*)<")
EXPIRED = CallRefused("the card has expired", fault_code=FaultCode.EXPIRED_IDCARD)


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def transport(service: Service) -> Iterator[Any]:
    with session(service) as opened:
        yield Transport(session=opened)


def client(transport: Any, *plugins: Any, **options: Any) -> Any:
    return zeep.Client(WSDL, transport=transport, plugins=list(plugins), **options)


def plugin(source: Any = None, **options: Any) -> DgwsPlugin:
    return DgwsPlugin(None, source or card(), clock=lambda: NOW, **options)


def fault(code: str, text: str = "no") -> tuple[int, str, bytes]:
    body = (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><faultcode>s:Server</faultcode>'
        f'<faultstring>{text}</faultstring><detail><m:FaultCode xmlns:m="http://www.medcom.dk/dgws/2006/04/dgws-1.0.xsd">'
        f"{code}</m:FaultCode></detail></s:Fault></s:Body></s:Envelope>"
    )
    return 500, "text/xml; charset=utf-8", body.encode()


def test_a_call_goes_out_with_the_cards_own_bytes(service: Service, transport: Any) -> None:
    assert client(transport, plugin()).service.Ping(word="hæj & <hej>") == "hej"
    (request,) = service.seen
    assert card().xml in request
    (call,) = service.calls
    assert call.card.id == card().id
    assert etree.fromstring(call.unsigned_body)[0].text == "hæj & <hej>"
    assert service.headers[0]["SOAPACTION"] == '"urn:example:ping"'


def test_what_the_plug_in_hands_to_zeep_is_signed_as_well_where_zeep_writes_it_itself(transport: Any) -> None:
    """As zeep's asynchronous transport does, which cannot be taught."""
    history = HistoryPlugin()
    client(transport, plugin(), history).service.Ping(word="hej")
    written = etree.tostring(history.last_sent["envelope"])
    assert card().xml not in written
    assert verify_card(written, trust=fake_sts.trust(), at=NOW, path=CARD_PATH).id == card().id


def test_every_call_is_a_new_message(service: Service, transport: Any) -> None:
    ping = client(transport, plugin(header=MedcomHeader(flow_id="f", priority=Priority.ACUTE))).service.Ping
    ping(word="a")
    ping(word="b")
    headers = [call.header for call in service.calls]
    assert headers[0].message_id != headers[1].message_id
    assert {(header.flow_id, header.priority) for header in headers} == {("f", Priority.ACUTE)}


def test_a_message_sent_again_keeps_its_id(service: Service, transport: Any) -> None:
    dgws = plugin()
    ping = client(transport, dgws).service.Ping
    with dgws.using(MedcomHeader(message_id="m-1")):
        ping(word="a")
        ping(word="a")
    ping(word="b")
    ids = [call.header.message_id for call in service.calls]
    assert ids[:2] == ["m-1", "m-1"]
    assert ids[2] != "m-1"


def test_t12_an_expired_card_is_replaced_and_the_same_message_goes_out_once_more(
    service: Service, transport: Any
) -> None:
    sts = fake_sts.FakeSts()
    source = CardSource(sts.client(), IdCard.user(it_system="Example Lab", role="7170", cpr=fake_sts.CPR))
    service.instead = [EXPIRED]
    assert client(transport, DgwsPlugin(sts.client(), source)).service.Ping(word="hej") == "hej"
    first, second = service.seen
    assert len(sts.asked) == 2
    assert MESSAGE_ID.findall(first) == MESSAGE_ID.findall(second)
    assert first.partition(b"<soap:Body>")[2] == second.partition(b"<soap:Body>")[2]
    assert first != second


def test_t12_it_goes_out_once_more_only(service: Service, transport: Any) -> None:
    sts = fake_sts.FakeSts()
    service.instead = [EXPIRED, EXPIRED, EXPIRED]
    wanted = IdCard.user(it_system="Example Lab", role="7170", cpr=fake_sts.CPR)
    with pytest.raises(Rejected) as refused:
        client(transport, DgwsPlugin(sts.client(), wanted)).service.Ping(word="hej")
    assert (refused.value.code, refused.value.retry) == ("expired_idcard", Retry.SAME_REQUEST)
    assert len(service.seen) == 2


def test_without_another_card_nothing_goes_out_again(service: Service, transport: Any) -> None:
    service.instead = [EXPIRED]
    with pytest.raises(Rejected):
        client(transport, plugin()).service.Ping(word="hej")
    assert len(service.seen) == 1


@pytest.mark.parametrize(
    ("code", "retry", "known"),
    [
        ("invalid_signature", Retry.NEVER, True),
        ("NOT_AUTHORIZED", Retry.NEVER, True),
        ("illegal_http_method", Retry.NEVER, True),
        ("processing_problem", Retry.SAME_REQUEST, True),
        ("server_error", Retry.SAME_REQUEST, True),
        ("something_of_their_own", Retry.AFTER_A_LOOK, False),
    ],
)
def test_faults_become_errors_with_advice(
    service: Service, transport: Any, code: str, retry: Retry, known: bool
) -> None:
    service.instead = [fault(code, "CPR 0101001234 is not known")]
    with pytest.raises(Rejected) as refused:
        client(transport, plugin()).service.Ping(word="hej")
    error = refused.value
    assert (error.code, error.retry, error.known) == (code, retry, known)
    assert (error.operation, error.endpoint) == ("Ping", "service.test")
    assert error.advice
    assert "0101001234" not in str(error)
    assert len(service.seen) == 1


def test_faults_of_the_services_own_are_zeeps_to_raise(service: Service, transport: Any) -> None:
    status, kind, body = fault("x")
    service.instead = [(status, kind, re.sub(rb"<detail>.*</detail>", b"", body))]
    with pytest.raises(zeep.exceptions.Fault, match="no"):
        client(transport, plugin()).service.Ping(word="hej")


def test_w03_an_answer_to_another_message_is_refused(transport: Any, service: Service) -> None:
    class Wrong(Service):
        def reply(self, call: DgwsCall) -> DgwsReply:
            found = super().reply(call)
            return DgwsReply(body=found.body, message_id="x", in_response_to="another")

    with session(Wrong()) as opened, pytest.raises(ProtocolError, match="another message"):
        client(Transport(session=opened), plugin()).service.Ping(word="hej")


def test_w01_a_redirect_is_not_followed(service: Service, transport: Any) -> None:
    service.instead = [(307, "text/html", b"")]
    with pytest.raises(ProtocolError, match="307"):
        client(transport, plugin()).service.Ping(word="hej")
    assert len(service.seen) == 1


def test_what_changes_the_message_afterwards_stops_the_call(service: Service, transport: Any) -> None:
    with pytest.raises(ConfigurationError, match="no wsse"):
        client(transport, plugin(), wsse=UsernameToken("anna", "geheim-2026")).service.Ping(word="hej")
    assert service.seen == []


def test_headers_that_are_ours_to_write_are_refused_and_others_are_kept(service: Service, transport: Any) -> None:
    ping = client(transport, plugin()).service.Ping
    taken = etree.fromstring("<m:Header xmlns:m='http://www.medcom.dk/dgws/2006/04/dgws-1.0.xsd'/>")
    with pytest.raises(InvalidContent, match="Header already"):
        ping(word="hej", _soapheaders=[taken])
    ping(word="hej", _soapheaders=[etree.fromstring("<o:Other xmlns:o='urn:o'>1</o:Other>")])
    (request,) = service.seen
    assert request.index(b">1</o:Other>") < request.index(b"<wsse:Security>")


def test_w10_neither_call_nor_answer_is_logged(
    service: Service, transport: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        client(transport, plugin()).service.Ping(word="word-of-the-call")
    assert "word-of-the-call" not in caplog.text
    assert fake_sts.CPR not in caplog.text


def test_w10_zeeps_own_log_stays_silent_where_it_posts_by_itself(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    class Own(Transport):  # type: ignore[misc]
        def post(self, address: Any, message: Any, headers: Any) -> Any:
            return super().post(address, message, headers)

    class Asynchronous(Transport):  # type: ignore[misc]
        async def post(self, address: Any, message: Any, headers: Any) -> Any:
            raise AssertionError

    with session(service) as opened, caplog.at_level(logging.DEBUG), caplog.at_level(logging.DEBUG, "zeep.transports"):
        client(Own(session=opened), plugin()).service.Ping(word="word-of-the-call")
        later = Asynchronous(session=opened)
        teach(later)
        later.logger.debug("HTTP Post %s", fake_sts.CPR)
        later.logger.warning("something else")
    assert "something else" in caplog.text
    assert "word-of-the-call" not in caplog.text
    assert fake_sts.CPR not in caplog.text


def test_a_transport_of_ones_own_is_taught_and_stays_what_it_is(service: Service) -> None:
    class Counting(Transport):  # type: ignore[misc]
        posted = 0

        def post(self, address: Any, message: Any, headers: Any) -> Any:
            self.posted += 1
            return super().post(address, message, headers)

    with session(service) as opened:
        own = Counting(session=opened)
        client(own, plugin()).service.Ping(word="hej")
        client(own, plugin()).service.Ping(word="hej")
        assert isinstance(own, Counting)
        assert type(own).__mro__.count(Counting) == 1
        assert own.posted == 2
    assert all(card().xml in request for request in service.seen)


def test_clients_without_the_plug_in_go_on_as_before_on_the_same_transport(service: Service, transport: Any) -> None:
    client(transport, plugin()).service.Ping(word="hej")
    with pytest.raises(zeep.exceptions.Fault):
        client(transport).service.Ping(word="hej")
    assert b"Assertion" not in service.seen[-1]


@pytest.mark.parametrize(("source", "said"), [(IdCard.system(it_system="X"), "to sign it"), (42, "int")])
def test_a_source_that_can_give_no_card_is_refused_at_once(source: Any, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        DgwsPlugin(None, source)


def test_a_transport_that_was_not_taught_sends_zeeps_writing_once_and_faults_are_ours_all_the_same(
    service: Service, transport: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """One that a client was given behind the plug-in's back; zeep's asynchronous one is served alike. Its log is not
    the plug-in's to keep: whoever does that must.
    """
    caplog.set_level(logging.INFO, "zeep.transports")
    used = client(Transport(), plugin())
    used.transport = transport
    assert used.service.Ping(word="hej") == "hej"
    assert card().xml not in service.seen[0]
    assert service.calls[0].card.id == card().id
    service.instead = [EXPIRED]
    with pytest.raises(Rejected, match="expired_idcard"):
        used.service.Ping(word="hej")
    assert len(service.seen) == 2


def test_soap_1_2_is_spoken_where_the_service_describes_it(service: Service, transport: Any, tmp_path: Path) -> None:
    newer = tmp_path / "ping.wsdl"
    newer.write_text(Path(WSDL).read_text().replace("/wsdl/soap/", "/wsdl/soap12/"))
    assert zeep.Client(str(newer), transport=transport, plugins=[plugin()]).service.Ping(word="hej") == "hej"
    assert service.calls[0].soap is Soap.V1_2
    assert card().xml in service.seen[0]
