"""A service reads a call: what it takes, and what it refuses with which code (T-01 to T-03, T-07, T-10)."""

from __future__ import annotations

import logging
import re
import traceback
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from govfile.errors import GovfileError, ProtocolError, TrustError
from govfile.sosi.card import CardType, IdCard
from govfile.sosi.cards import build
from govfile.sosi.services.dgws import Soap, dgws_request
from govfile.sosi.services.fault_codes import CallRefused, FaultCode
from govfile.sosi.services.hsuid import HsuidHeader, UserType
from govfile.sosi.services.medcom import FlowStatus, MedcomHeader, Priority, TimeOut
from govfile.sosi.services.provider import verify_request
from govfile.sosi.services.reply import DgwsFault, DgwsReply
from support import fake_sts
from support.dgws_world import BODY, card, system_card
from support.xml_messages import NOW

if TYPE_CHECKING:
    from collections.abc import Callable

    from govfile.sosi.services.provider import DgwsCall

CARD = card().xml
SECURITY = rb"<wsse:Security>.*</wsse:Security>"


def request(header: MedcomHeader | None = None, **options: Any) -> bytes:
    return dgws_request(options.pop("card", card()), body=BODY, header=header, at=options.pop("at", NOW), **options)


def verified(document: bytes, **options: Any) -> DgwsCall:
    return verify_request(document, **{"trust": fake_sts.trust(), "at": NOW, **options})


def changed(old: bytes, new: bytes, document: bytes | None = None) -> bytes:
    document = document or request()
    assert old in document
    return document.replace(old, new, 1)


def code_of(error: GovfileError) -> str:
    return DgwsFault.about(error).code


def forged() -> bytes:
    """A card that says something else, with the genuine one's id and no signature."""
    bare = re.sub(rb"<ds:Signature .*</ds:Signature>", b"", CARD, flags=re.DOTALL)
    return bare.replace(b">7170<", b">5166<")


def test_users_and_systems_are_let_in() -> None:
    assert verified(request()).card.type is CardType.USER
    call = verified(request(card=system_card()))
    assert (call.card.level, call.header.security_level) == (3, 3)


@pytest.mark.parametrize("soap", Soap)
def test_both_versions_of_soap_are_read(soap: Soap) -> None:
    assert verified(request(soap=soap)).soap is soap


@pytest.mark.parametrize("soap", Soap)
def test_the_version_is_that_of_the_envelope_whatever_else_is_declared(soap: Soap) -> None:
    both = " ".join(f'xmlns:v{number}="{other.value}"' for number, other in enumerate(Soap)).encode()
    assert verified(changed(b"<soap:Envelope", b"<soap:Envelope " + both, request(soap=soap))).soap is soap
    late = b"<!-- " + b"x" * 5000 + b" -->"
    assert verified(changed(b"<soap:Envelope", late + b"<soap:Envelope", request(soap=soap))).soap is soap


def test_the_body_stands_alone_with_the_namespaces_it_uses() -> None:
    document = changed(BODY, b'<medcom:Ping kind="saml:x"/>')
    body = verified(document).unsigned_body
    assert body.startswith(b'<medcom:Ping xmlns:medcom="') or b'xmlns:medcom="' in body
    assert b'xmlns:saml="' in body
    assert b"wsse" not in body
    assert verified(changed(BODY, b"")).unsigned_body == b""


def test_a_body_may_have_ids_and_signatures_of_its_own() -> None:
    body = b'<a xmlns="urn:a"><b id="x"/><b id="x"/><d:Signature xmlns:d="http://www.w3.org/2000/09/xmldsig#"/></a>'
    assert verified(changed(BODY, body)).unsigned_body == body


def test_a_change_of_the_body_goes_unnoticed_which_is_why_it_is_called_unsigned() -> None:
    assert verified(changed(b"hej</word>", b"farvel</word>")).unsigned_body.endswith(b"farvel</word></Ping>")


WRAPPED: dict[str, Callable[[], bytes]] = {
    "xsw1 the genuine card inside a forged one's signature": lambda: changed(
        CARD, forged().replace(b"</saml:Assertion>", b"<ds:Signature>" + CARD + b"</ds:Signature></saml:Assertion>")
    ),
    "xsw2 the genuine card behind a forged one": lambda: changed(CARD, forged() + CARD),
    "xsw3 a forged card before the genuine one's header": lambda: changed(
        b"<wsse:Security>", b"<wsse:Security>" + forged() + b"</wsse:Security><wsse:Security>"
    ),
    "xsw4 the genuine card inside a forged one": lambda: changed(
        CARD, forged().replace(b"</saml:Assertion>", CARD + b"</saml:Assertion>")
    ),
    "xsw5 a forged card with the signature, the genuine one moved into the body": lambda: changed(
        BODY, b"<keep>" + CARD + b"</keep>", changed(CARD, CARD.replace(b">7170<", b">5166<"))
    ),
    "xsw6 the genuine card moved into its own signature's key": lambda: changed(
        b"</ds:KeyInfo>", CARD + b"</ds:KeyInfo>", changed(CARD, CARD.replace(b">7170<", b">5166<"))
    ),
    "xsw7 the genuine card in another header": lambda: changed(
        b"</soap:Header>",
        b"<x:Extension xmlns:x='urn:x'>" + CARD + b"</x:Extension></soap:Header>",
        changed(CARD, forged()),
    ),
    "xsw8 the genuine card in a ds:Object": lambda: changed(
        CARD,
        CARD.replace(b">7170<", b">5166<").replace(
            b"</ds:Signature>", b"<ds:Object>" + CARD + b"</ds:Object></ds:Signature>"
        ),
    ),
    "xsw10 the signature copied beside the card": lambda: changed(
        b"</wsse:Security>",
        (re.search(rb"<ds:Signature .*</ds:Signature>", CARD, re.DOTALL) or [b""])[0] + b"</wsse:Security>",
    ),
    "a second genuine card": lambda: changed(CARD, CARD + card(number=2).xml.replace(b'"IDCard"', b'"IDCard2"')),
    "the genuine card in the body alone": lambda: changed(BODY, CARD, changed(CARD, b"")),
    "the card in a second envelope inside the body": lambda: changed(BODY, request()),
    "an id of the card again in the body": lambda: changed(BODY, b'<a ID="IDCard"/>'),
}


@pytest.mark.parametrize("which", WRAPPED)
def test_t01_wrapped_cards_are_refused(which: str) -> None:
    with pytest.raises((TrustError, ProtocolError)):
        verified(WRAPPED[which]())


def test_t02_an_altered_card_is_refused_by_its_signature() -> None:
    with pytest.raises(CallRefused) as refused:
        verified(changed(b">7170<", b">5166<"))
    assert refused.value.fault_code is FaultCode.INVALID_SIGNATURE


def test_t02_a_card_that_was_indented_on_its_way_is_refused_with_the_likely_cause() -> None:
    with pytest.raises(CallRefused, match="changed after it was signed") as refused:
        verified(changed(b"<saml:Subject>", b"\n  <saml:Subject>"))
    assert "prettified" in refused.value.advice


def test_t03_a_card_that_its_caller_signed_is_refused() -> None:
    own = build(IdCard.user(it_system="Example Lab", role="7170"), fake_sts.employee(), at=NOW)
    with pytest.raises(CallRefused, match="not that of the signer") as refused:
        verified(request(card=own))
    assert refused.value.fault_code is FaultCode.INVALID_SIGNATURE


@pytest.mark.parametrize(
    ("at", "code"),
    [(timedelta(hours=23, minutes=56), FaultCode.EXPIRED_IDCARD), (-timedelta(minutes=6), FaultCode.INVALID_SIGNATURE)],
)
def test_t07_a_card_counts_only_while_it_holds(at: timedelta, code: FaultCode) -> None:
    with pytest.raises(CallRefused) as refused:
        verified(request(), at=NOW + at)
    assert refused.value.fault_code is code


def test_t07_a_card_older_than_the_headers_time_out_is_refused() -> None:
    document = request(MedcomHeader(timeout=TimeOut.MINUTES_30))
    assert verified(document, at=NOW + timedelta(minutes=24)).header.timeout is TimeOut.MINUTES_30
    with pytest.raises(CallRefused, match="time-out") as refused:
        verified(document, at=NOW + timedelta(minutes=26))
    assert refused.value.fault_code is FaultCode.EXPIRED_IDCARD
    unbound = request(MedcomHeader(timeout=TimeOut.UNBOUND))
    assert verified(unbound, at=NOW + timedelta(hours=23)).header.timeout is TimeOut.UNBOUND


def test_t07_the_times_of_the_message_itself() -> None:
    with pytest.raises(CallRefused, match="created at") as refused:
        verified(request(at=NOW + timedelta(minutes=1)))
    assert "clocks" in refused.value.advice
    late = NOW + timedelta(minutes=11)
    assert verified(request(), at=late).created == NOW
    with pytest.raises(CallRefused, match="longer ago"):
        verified(request(), at=late, longest_ago=timedelta(minutes=10))


def test_t10_level_and_type_are_compared() -> None:
    other_level = changed(b"<medcom:SecurityLevel>4<", b"<medcom:SecurityLevel>3<")
    for document, options in [(other_level, {}), (request(), {"levels": {3}})]:
        with pytest.raises(CallRefused) as refused:
            verified(document, **options)
        assert refused.value.fault_code is FaultCode.SECURITY_LEVEL_FAILED
    with pytest.raises(CallRefused, match="user's card") as refused:
        verified(request(), types={CardType.SYSTEM})
    without = changed(b"<medcom:SecurityLevel>4</medcom:SecurityLevel>", b"")
    assert verified(without).header.security_level is None
    with pytest.raises(CallRefused, match="names no level"):
        verified(without, level_is_required=True)


def test_a_receipt_is_refused_unless_the_service_gives_them() -> None:
    document = request(MedcomHeader(non_repudiation=True))
    with pytest.raises(CallRefused) as refused:
        verified(document)
    assert refused.value.fault_code is FaultCode.NONREPUDIATION_NOT_SUPPORTED
    assert verified(document, allow_receipts=True).header.non_repudiation


MISSHAPEN = {
    "nothing": (b"", "syntax_error"),
    "html": (b"<html><body>Hello</body></html>", "missing_required_header"),
    "not xml": (b"GET / HTTP/1.1", "syntax_error"),
    "a document type": (b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "syntax_error"),
    "no card": (changed(CARD, b""), "missing_required_header"),
    "no medcom header": (re.sub(rb"<medcom:Header.*</medcom:Header>", b"", request()), "missing_required_header"),
    "two medcom headers": (changed(b"</soap:Header>", MedcomHeader().written().encode() + b"</soap:Header>"), None),
    "no message id": (re.sub(rb"<medcom:MessageID>.*</medcom:MessageID>", b"", request()), "syntax_error"),
    "two message ids": (
        changed(b"</medcom:MessageID>", b"</medcom:MessageID><medcom:MessageID>2</medcom:MessageID>"),
        None,
    ),
    "a level that does not exist": (changed(b"Level>4<", b"Level>6<"), "syntax_error"),
    "a time-out that does not exist": (
        changed(b"<medcom:Linking>", b"<medcom:TimeOut>7</medcom:TimeOut><medcom:Linking>"),
        "syntax_error",
    ),
    "no time stamp": (re.sub(rb"<wsu:Timestamp>.*</wsu:Timestamp>", b"", request()), "missing_required_header"),
    "a time that is none": (changed(b"<wsu:Created>2026", b"<wsu:Created>now"), "syntax_error"),
    "two elements in the body": (changed(BODY, BODY + BODY), "syntax_error"),
    "text in the body": (changed(BODY, b"ping" + BODY), "syntax_error"),
    "two bodies": (changed(b"</soap:Envelope>", b"<soap:Body/></soap:Envelope>"), None),
    "the security header outside the header": (
        re.sub(rb"(<soap:Header>)(<wsse:Security>.*</wsse:Security>)", rb"\2\1", request(), flags=re.DOTALL),
        "missing_required_header",
    ),
}


@pytest.mark.parametrize("which", MISSHAPEN)
def test_misshapen_messages_are_refused_with_a_code_to_answer(which: str) -> None:
    document, code = MISSHAPEN[which]
    with pytest.raises((TrustError, ProtocolError)) as refused:
        verified(document)
    assert code_of(refused.value) == (code or "syntax_error")


HEADER = MedcomHeader(timeout=TimeOut.HOURS_24, flow_status=FlowStatus.RUNNING, priority=Priority.ACUTE)
HSUID = HsuidHeader(
    issuer="a", user_type=UserType.CITIZEN, vendor="b", system="c", system_version="1", operations_organisation="d"
)


@pytest.mark.parametrize("word", ["1440", "flow_running", "AKUT", "nsi:Citizen"])
def test_a_word_that_does_not_exist_is_nowhere_in_the_error_it_may_be_a_persons_number(word: str) -> None:
    call = request(HEADER, hsuid=HSUID)
    with pytest.raises(ProtocolError, match="not exist") as refused:
        verified(changed(f">{word}<".encode(), f">{fake_sts.CPR}<".encode(), call))
    assert fake_sts.CPR not in "".join(traceback.format_exception(refused.value))


def test_nobody_and_nothing_of_a_refused_call_is_in_messages_or_logs(caplog: pytest.LogCaptureFixture) -> None:
    said = []
    with caplog.at_level(logging.DEBUG):
        for document, _ in MISSHAPEN.values():
            with pytest.raises(GovfileError) as refused:
                verified(document)
            said.append(str(refused.value) + repr(refused.value))
    assert fake_sts.CPR not in "".join(said) + caplog.text


def test_a_fault_answers_the_message_and_shows_nothing_of_what_happened_inside() -> None:
    call = verified(request(MedcomHeader(message_id="m-7", flow_id="f-7")))
    fault = DgwsFault.about(KeyError("secret"), call)
    assert DgwsReply.read(DgwsFault(code="x", text="a\x00b\ud800\x1bc").written(), status=500).fault is not None
    reply = DgwsReply.read(fault.written(NOW), status=500)
    assert reply.fault is not None
    assert (reply.in_response_to, reply.flow_id, reply.created) == ("m-7", "f-7", NOW)
    assert (reply.fault.detail_text("FaultCode"), reply.fault.code_name) == ("processing_problem", "Server")
    assert b"secret" not in fault.written()
