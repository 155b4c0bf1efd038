"""The services one calls with a card or a token, and the provider one logs in to with a browser: strict, by hand."""

from __future__ import annotations

import base64
import hashlib
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import attrs
import pytest
from lxml import etree

from govfile.sandbox.sosi import Audience, Settings, SosiSandbox, Spoilt, Wrapping
from support.sosi_asking import citizen
from support.sosi_caller import NS, Answer, Caller, signature, signed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from govfile.sandbox.pki import Issued

SOAP12 = "http://www.w3.org/2003/05/soap-envelope"
ENVELOPE = "//*[local-name()='Security']/*[local-name()='Signature']"
STR = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#STR-Transform"
SAML_ID = "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLID"


@pytest.fixture(scope="module")
def sts() -> Iterator[Caller]:
    with SosiSandbox() as sandbox:
        yield Caller(sandbox)


@pytest.fixture(scope="module")
def card(sts: Caller) -> str:
    return sts.card()


def now(off: timedelta = timedelta()) -> str:
    return (datetime.now(UTC) + off).strftime("%Y-%m-%dT%H:%M:%SZ")


def medcom(message_id: str = "", **changes: str | None) -> str:
    """The header of DGWS, in its order; a field that is None is left out."""
    given: dict[str, str | None] = {"SecurityLevel": "4", "TimeOut": "480", "Linking": "", "FlowStatus": "flow_running"}
    given |= {"Priority": "RUTINE", "RequireNonRepudiationReceipt": "no", **changes}
    linking = f"<medcom:MessageID>{message_id or uuid.uuid4()}</medcom:MessageID>"
    return (
        "<medcom:Header>"
        + "".join(
            f"<medcom:{name}>{linking if name == 'Linking' else found}</medcom:{name}>"
            for name, found in given.items()
            if found is not None
        )
        + "</medcom:Header>"
    )


def call(sts: Caller, card: str, header: str | None = None, *, soap: str = NS["soap"], body: str = "<a/>") -> Answer:
    declared = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NS.items() if prefix != "soap")
    security = f"<wsse:Security><wsu:Timestamp><wsu:Created>{now()}</wsu:Created></wsu:Timestamp>{card}</wsse:Security>"
    return sts.post(
        sts.sandbox.settings.paths.dgws,
        f'<soap:Envelope xmlns:soap="{soap}" {declared}><soap:Header>{security}{medcom() if header is None else header}'
        f"</soap:Header><soap:Body>{body}</soap:Body></soap:Envelope>",
    )


def code(answer: Answer) -> str | None:
    return answer.text("//detail/medcom:FaultCode")


# --- DGWS


@pytest.mark.parametrize("soap", [NS["soap"], SOAP12])
def test_a_call_with_a_card_is_echoed(sts: Caller, card: str, soap: str) -> None:
    answer = call(sts, card, medcom("M-1" + soap[-4:]), soap=soap, body='<Ping xmlns="urn:example">æ</Ping>')
    assert answer.status == 200
    assert answer.text("//*[local-name()='Ping']") == "æ"
    assert answer.text("//medcom:InResponseToMessageID") == "M-1" + soap[-4:]
    assert answer.text("//medcom:FlowStatus") == "flow_finalized_succesfully"
    assert answer.text("//medcom:SecurityLevel") == "1"
    assert etree.QName(answer.root).namespace == soap
    assert sts.sandbox.called[-1].card_id


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", "missing_required_header"),
        (medcom(SecurityLevel="3"), "security_level_failed"),
        (medcom(SecurityLevel=None), "missing_required_header"),
        (medcom(SecurityLevel="9"), "syntax_error"),
        (medcom(TimeOut="60"), "syntax_error"),
        (medcom(TimeOut="5"), "expired_idcard"),
        (medcom(Priority="SOON"), "syntax_error"),
        (medcom(FlowStatus="flow_finalized_successfully"), "syntax_error"),
        (medcom(RequireNonRepudiationReceipt="yes"), "nonrepudiation_not_supported"),
        (medcom(Linking=None), "syntax_error"),
        (f"<medcom:Header>{medcom()[15:].replace('<medcom:SecurityLevel>4</medcom:SecurityLevel>', '')}", None),
    ],
)
def test_the_header_is_judged(sts: Caller, card: str, header: str, expected: str | None) -> None:
    answer = call(sts, card, header)
    assert (answer.status, code(answer)) == (500, expected or "missing_required_header")
    assert answer.text("//soap:Fault/faultcode") == "soap:Server"


def test_the_card_of_a_call_is_judged(sts: Caller, card: str) -> None:
    assert code(call(sts, "")) == "missing_required_header"
    assert code(call(sts, card.replace(">Foreign System<", ">Other<"))) == "invalid_signature"
    assert code(call(sts, card.replace(">1.0.1<", ">2.0<"))) == "invalid_idcard"
    for spoilt in (Spoilt.STRANGER, Spoilt.WRONG_SUBJECT):
        with sts.sandbox.faults.during(spoilt=spoilt):
            other = sts.card()
        answer = call(sts, other)
        assert code(answer) == "invalid_certificate"
        assert answer.text("//faultstring") == "The certificate that signed the security token is not trusted!"
    with sts.sandbox.faults.during(stale=timedelta(days=2)):
        old = sts.card()
    assert code(call(sts, old)) == "expired_idcard"
    assert code(sts.post(sts.sandbox.settings.paths.dgws, b"<a")) == "syntax_error"


@pytest.mark.parametrize("how", [Wrapping.XSW3, Wrapping.XSW4, Wrapping.XSW5, Wrapping.XSW6, Wrapping.XSW8])
def test_a_wrapped_card_opens_nothing(sts: Caller, how: Wrapping) -> None:
    with sts.sandbox.faults.during(wrapped=how):
        answer = sts.issue()
    found = answer.root.find(f".//{{{NS['wst05']}}}RequestedSecurityToken")
    wrapped = "".join(etree.tostring(each, encoding="unicode", with_tail=False) for each in found)
    assert code(call(sts, wrapped)) in {"invalid_signature", "invalid_idcard", "syntax_error"}


def test_a_repeated_message_gets_the_same_reply(sts: Caller, card: str) -> None:
    first, second = (call(sts, card, medcom("same")) for _ in range(2))
    assert first.body == second.body
    assert sts.sandbox.called[-1].is_replayed
    assert call(sts, card, medcom("other")).body != first.body


def test_settings_of_the_service() -> None:
    with SosiSandbox(settings=Settings(demands_level=False, wants_hsuid=True, repeats_replies=False)) as sandbox:
        sts = Caller(sandbox)
        card = sts.card()
        assert code(call(sts, card)) == "missing_required_header"
        hsuid = '<h:HsuidHeader xmlns:h="http://www.nsi.dk/hsuid/2016/08/hsuid-1.1.xsd"/>'
        replies = [call(sts, card, medcom("same", SecurityLevel=None) + hsuid) for _ in range(2)]
        assert [each.status for each in replies] == [200, 200]
        assert replies[0].body != replies[1].body


# --- IDWS


def idws(
    sts: Caller,
    token: str,
    *,
    parts: str = "action messageID ts body",
    off: timedelta = timedelta(),
    covers_token: bool = True,
    by: Issued | None = None,
    tampered: str = "",
) -> Answer:
    """A call by hand: the token is signed by reference, with the odd default namespace that WSS wants."""
    identifier = etree.fromstring(token).get("ID")
    declared = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NS.items())
    reference = (
        f'<wsse:SecurityTokenReference><wsse:KeyIdentifier ValueType="{SAML_ID}">{identifier}</wsse:KeyIdentifier>'
        "</wsse:SecurityTokenReference>"
    )
    named = reference.replace("<wsse:SecurityTokenReference>", '<wsse:SecurityTokenReference wsu:Id="str1">')
    content = etree.tostring(etree.fromstring(token), method="c14n", exclusive=True)
    augmented = content.replace(b"<saml:Assertion", b'<saml:Assertion xmlns=""', 1)
    digest = base64.b64encode(hashlib.sha256(augmented).digest()).decode()
    by_reference = (
        f'<ds:Reference URI="#str1"><ds:Transforms><ds:Transform Algorithm="{STR}"><wsse:TransformationParameters>'
        '<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>'
        "</wsse:TransformationParameters></ds:Transform></ds:Transforms>"
        f'<ds:DigestMethod Algorithm="{NS["xenc"]}sha256"/><ds:DigestValue>{digest}</ds:DigestValue></ds:Reference>'
    )
    unsigned = signature(dict.fromkeys(parts.split(), False)).replace("<ds:X509Data/>", reference)
    if covers_token:
        unsigned = unsigned.replace("</ds:SignedInfo>", f"{by_reference}</ds:SignedInfo>")
    document = (
        f'<soap:Envelope {declared}><soap:Header><wsa:Action wsu:Id="action">urn:ping</wsa:Action>'
        f'<wsa:MessageID wsu:Id="messageID">urn:uuid:{uuid.uuid4()}</wsa:MessageID><wsse:Security>'
        f'<wsu:Timestamp wsu:Id="ts"><wsu:Created>{now(off)}</wsu:Created></wsu:Timestamp>{token}{named}{unsigned}'
        '</wsse:Security></soap:Header><soap:Body wsu:Id="body"><Ping xmlns="urn:example"/></soap:Body></soap:Envelope>'
    )
    found = signed(document, by or sts.sandbox.employee.issued, at=ENVELOPE)
    return sts.post(sts.sandbox.settings.paths.idws, found.replace("urn:example", tampered or "urn:example"))


@pytest.fixture(scope="module")
def token(sts: Caller) -> str:
    return inside(citizen(sts))


def inside(answer: Answer) -> str:
    """The token of an answer, standing by itself."""
    found = answer.root.find(f".//{{{NS['saml']}}}Assertion")
    return etree.tostring(found, encoding="unicode", with_tail=False)


def test_a_call_signed_by_the_tokens_key_is_echoed(sts: Caller, token: str) -> None:
    answer = idws(sts, token)
    assert (answer.status, answer.fault) == (200, None)
    assert answer.text("//*[local-name()='Ping']") == ""
    assert answer.text("//wsa:Action") == "urn:pingResponse"
    assert sts.sandbox.called[-1].assertion_id == etree.fromstring(token).get("ID")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"parts": "action messageID ts"}, "FailedCheck"),
        ({"parts": "messageID ts body"}, "FailedCheck"),
        ({"covers_token": False}, "FailedCheck"),
        ({"tampered": "urn:other"}, "FailedCheck"),
        ({"off": timedelta(minutes=-20)}, "MessageExpired"),
        ({"off": timedelta(minutes=20)}, "MessageExpired"),
    ],
)
def test_a_call_that_is_not_whole_or_not_of_now_is_refused(
    sts: Caller, token: str, changes: dict[str, Any], expected: str
) -> None:
    answer = idws(sts, token, **changes)
    assert answer.status == 500
    assert answer.fault is not None
    assert answer.fault[0] == expected


def test_somebody_elses_token_opens_nothing(sts: Caller, token: str) -> None:
    fault = idws(sts, token, by=sts.sandbox.system.issued).fault
    assert fault is not None
    assert fault[0] == "FailedCheck"


def test_a_token_for_another_service_of_another_sts_or_without_a_key_is_refused(sts: Caller, card: str) -> None:
    sandbox, paths = sts.sandbox, sts.sandbox.settings.paths
    claims = {"dk:gov:saml:attribute:CprNumberIdentifier": "0101001234"}
    bootstrap = sandbox.citizen_bootstrap_token().decode()
    elsewhere = inside(sts.exchange(paths.bst_to_idws, bootstrap, "https://fsk", claims=claims))
    with sandbox.faults.during(spoilt=Spoilt.WRONG_SUBJECT):
        forged = inside(citizen(sts))
    keyless = inside(sts.exchange(paths.its, card, "https://fmk"))
    for wrong in (elsewhere, forged, keyless):
        fault = idws(sts, wrong).fault
        assert fault is not None
        assert fault[0] == "InvalidSecurityToken"


# --- the service provider


def response(content: str, *, status: str = "Success", identifier: str = "_r") -> str:
    return (
        f'<p:Response xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="{NS["saml"]}" ID="{identifier}" '
        f'IssueInstant="{now()}" Version="2.0"><saml:Issuer>me</saml:Issuer><p:Status>'
        f'<p:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:{status}"/></p:Status>{content}</p:Response>'
    )


def log_in(sts: Caller, content: str, **more: str) -> Answer:
    form = {"SAMLResponse": base64.b64encode(content.encode()).decode(), "RelayState": "/front", **more}
    path = sts.sandbox.settings.paths.consumer
    return sts.post(path, urlencode(form), Content_Type="application/x-www-form-urlencoded")


def assertion(sts: Caller, card: str, audience: str = "https://sp.example.dk") -> str:
    answer = sts.exchange(sts.sandbox.settings.paths.to_oiosaml, card, audience)
    found = answer.root.find(f".//{{{NS['wst']}}}RequestedSecurityToken")[0]
    return etree.tostring(found, encoding="unicode", with_tail=False)


def test_a_browser_is_let_in_once(sts: Caller, card: str) -> None:
    content = response(assertion(sts, card))
    answer = log_in(sts, content)
    assert (answer.status, b"Logged in as Test Person." in answer.body) == (200, True)
    login = sts.sandbox.logins[-1]
    assert (login.cvr, login.relay_state, login.was_encrypted) == ("20301823", "/front", True)
    assert log_in(sts, content).status == 403
    assert "used before" in sts.sandbox.findings[-1]


def test_a_plain_assertion_is_taken_too(sts: Caller, card: str) -> None:
    sealed = sts.sandbox.audiences["https://sp.example.dk"]
    sts.sandbox.add_audience(attrs.evolve(sealed, public_key=None))
    try:
        assert log_in(sts, response(assertion(sts, card))).status == 200
        assert not sts.sandbox.logins[-1].was_encrypted
    finally:
        sts.sandbox.add_audience(sealed)


def test_nobody_else_is_let_in(sts: Caller, card: str) -> None:
    sandbox = sts.sandbox
    good = assertion(sts, card)
    sandbox.add_audience(Audience(audience="https://other.example"))
    for wrong in (
        response(good, status="Requester"),
        response(good + good),
        response(""),
        response(assertion(sts, card, "https://other.example")),
        response(good.replace("CipherValue>", "CipherValue>AAAA", 1)),
        "<a/>",
        "no XML",
    ):
        assert log_in(sts, wrong).status == 403
    late = sandbox.audiences["https://sp.example.dk"]
    sandbox.add_audience(attrs.evolve(late, deliver_by=timedelta()))
    try:
        assert log_in(sts, response(assertion(sts, card))).status == 403
        assert "too late" in sandbox.findings[-1]
    finally:
        sandbox.add_audience(late)
    with sandbox.faults.during(spoilt=Spoilt.STRANGER):
        forged = assertion(sts, card)
    assert log_in(sts, response(forged)).status == 403
    path = sandbox.settings.paths.consumer
    assert sts.post(path, "<a/>").status == 403
    assert log_in(sts, response(good)).status == 200
