"""Every fault the Danish sandbox can be asked for does what it says, and stops when it is switched off."""

from __future__ import annotations

import base64
import copy
import email
import hashlib
import http.client
import time
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from govfile.sandbox.sosi import Envelope, Faults, Other, SosiSandbox, Spoilt, Wrapping
from govfile.sandbox.sosi.stock import expired_sts
from support.sosi_asking import ENVELOPE, bst, citizen, is_signed
from support.sosi_caller import NS, Answer, Caller, CardText, verified

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography import x509

CARD = "//*[local-name()='RequestedSecurityToken']/*[local-name()='Assertion']/*[local-name()='Signature']"


@pytest.fixture(scope="module")
def running() -> Iterator[Caller]:
    with SosiSandbox() as sandbox:
        yield Caller(sandbox)


@pytest.fixture
def sts(running: Caller) -> Iterator[Caller]:
    yield running
    running.sandbox.faults.clear()


def its(sts: Caller, card: str) -> Answer:
    return sts.exchange(sts.sandbox.settings.paths.its, card, "https://fmk", unsigned="")


# --- the line and HTTP


@pytest.mark.parametrize(
    ("fault", "is_handled"), [({"drop_before": True}, False), ({"drop_after": True}, True), ({"cut_after": 100}, True)]
)
def test_the_line_breaks(sts: Caller, fault: dict[str, bool], is_handled: bool) -> None:
    before = len(sts.sandbox.answered)
    with sts.sandbox.faults.during(**fault), pytest.raises((OSError, http.client.HTTPException)):
        sts.issue()
    assert (len(sts.sandbox.answered) > before) is is_handled
    assert sts.issue().fault is None


def test_answers_are_late_and_come_in_pieces(sts: Caller) -> None:
    with sts.sandbox.faults.during(delay=0.2):
        start = time.monotonic()
        assert sts.issue().fault is None
        assert time.monotonic() - start >= 0.2
    with sts.sandbox.faults.during(piece=1000, pause=0.01):
        assert sts.issue().fault is None


def test_http_goes_wrong(sts: Caller) -> None:
    faults = sts.sandbox.faults
    with faults.during(status=500):
        assert (sts.issue().status, sts.issue().text("//saml:Issuer")) == (500, "SANDBOX-NSP-STS")
    with faults.during(page=True, status=502):
        answer = sts.issue()
        assert (answer.status, answer.headers["content-type"]) == (502, "text/html; charset=utf-8")
        assert b"<h1>" in answer.body
    with faults.during(empty=True):
        assert sts.issue().body == b""
    with faults.during(status=503, retry_after=7):
        assert (sts.issue().status, sts.issue().headers["retry-after"]) == (503, "7")
    with faults.during(redirect="https://elsewhere.invalid/"):
        answer = sts.issue()
        assert (answer.status, answer.headers["location"]) == (307, "https://elsewhere.invalid/")
    with faults.during(content_type="application/json"):
        assert sts.issue().headers["content-type"] == "application/json"
    with faults.during(flood=5000):
        assert sts.issue().body.endswith(b" " * 5000)
    with faults.during(doctype=True):
        assert b"<!DOCTYPE" in sts.issue().body
    with faults.during(soap12=True):
        answer = sts.issue()
        assert etree.QName(answer.root).namespace == "http://www.w3.org/2003/05/soap-envelope"
        assert answer.headers["content-type"].startswith("application/soap+xml")
    assert sts.issue().headers["content-type"] == "text/xml; charset=utf-8"


def test_an_mtom_answer_has_the_envelope_as_its_root_part(sts: Caller) -> None:
    with sts.sandbox.faults.during(mtom=True):
        answer = sts.issue()
    head = b"Content-Type: " + answer.headers["content-type"].encode() + b"\r\n\r\n"
    whole = email.message_from_bytes(head + answer.body)
    (root,) = whole.walk() if not whole.is_multipart() else list(whole.walk())[1:]
    assert whole.get_param("type") == "application/xop+xml"
    assert root["Content-ID"] == whole.get_param("start")
    assert etree.fromstring(str(root.get_payload()).encode()).tag == f"{{{NS['soap']}}}Envelope"


def test_an_optimised_mtom_answer_has_its_certificates_as_parts(sts: Caller) -> None:
    plain = sts.issue().text("//saml:Assertion//ds:X509Certificate")
    with sts.sandbox.faults.during(mtom=True, optimised=True):
        answer = sts.issue()
    head = b"Content-Type: " + answer.headers["content-type"].encode() + b"\r\n\r\n"
    _, root, part = email.message_from_bytes(head + answer.body).walk()
    include = etree.fromstring(str(root.get_payload()).encode()).find(
        ".//{http://www.w3.org/2004/08/xop/include}Include"
    )
    assert include is not None
    assert include.get("href") == f"cid:{str(part['Content-ID'])[1:-1]}"
    assert part.get_payload(decode=True) == base64.b64decode(str(plain))


def test_faults_hold_for_the_services_named(sts: Caller) -> None:
    sts.sandbox.faults.only = frozenset({"its"})
    sts.sandbox.faults.page = True
    card = sts.card()
    assert its(sts, card).headers["content-type"].startswith("text/html")
    sts.sandbox.faults.clear()
    assert its(sts, card).fault is None
    assert sts.sandbox.faults == Faults()


# --- times


def test_the_clock_of_the_sts_is_wrong(sts: Caller) -> None:
    with sts.sandbox.faults.during(date_off=timedelta(minutes=10)):
        answer = sts.issue()
        seen = parsedate_to_datetime(answer.headers["date"])
        assert timedelta(minutes=9) < seen - datetime.now(UTC) < timedelta(minutes=11)
        assert str(answer.text("//wsu:Created")) > datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        fault = bst(sts).fault
        assert fault is not None
        assert fault[0] == "ExpiredData"
    with sts.sandbox.faults.during(date_off=timedelta(minutes=-20)):
        fault = sts.issue().fault
        assert fault is not None
        assert fault[0] == "InvalidTimeRange"


def test_stale_answers_are_signed_all_the_same(sts: Caller) -> None:
    with sts.sandbox.faults.during(stale=timedelta(days=2)):
        answer = sts.issue()
        assert str(answer.text("//saml:Conditions/@NotOnOrAfter")) < datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        assert is_signed(sts, answer, CARD)
        answer = citizen(sts)
        assert str(answer.text("//wsu:Created")) < datetime.now(UTC).strftime("%Y-%m-%d")
        assert is_signed(sts, answer, ENVELOPE)


# --- content


@pytest.mark.parametrize(
    ("spoilt", "is_valid"),
    [
        (Spoilt.ALTERED, False),
        (Spoilt.REINDENTED, False),
        (Spoilt.UNSIGNED, False),
        (Spoilt.EMPTY, False),
        (Spoilt.OTHER_KEY, False),
        (Spoilt.STRANGER, False),
        (Spoilt.WRONG_SUBJECT, False),
        (Spoilt.COMMENTED, True),
        (Spoilt.EXPIRED, True),
    ],
)
def test_a_tokens_signature_is_spoilt(sts: Caller, spoilt: Spoilt, is_valid: bool) -> None:
    with sts.sandbox.faults.during(spoilt=spoilt):
        answer = sts.issue()
    assert answer.fault is None
    assert is_signed(sts, answer, CARD) is is_valid
    shown = answer.text("//saml:Assertion//ds:X509Certificate")
    ours = sts.sandbox.sts_certificate
    if spoilt is Spoilt.EXPIRED:
        assert expired_sts().certificate.not_valid_after_utc < datetime.now(UTC)
        assert shown != sts.issue().text("//saml:Assertion//ds:X509Certificate")
    if spoilt is Spoilt.OTHER_KEY:
        assert shown == sts.issue().text("//saml:Assertion//ds:X509Certificate")
    if spoilt is Spoilt.COMMENTED:
        assert "<!--here-->" in answer.body.decode()
    assert verified(sts.issue().body, ours.public_bytes(Encoding.PEM), at=CARD)


def test_the_sts_goes_over_to_its_next_certificate(sts: Caller) -> None:
    sandbox = sts.sandbox
    old = sts.card()
    with sandbox.faults.during(renewed=True):
        answer = sts.issue()
        leaf = sandbox.next_sts_certificate.public_bytes(Encoding.PEM)
        assert verified(answer.body, leaf, at=CARD)
        assert not is_signed(sts, answer, CARD)
        answer = its(sts, old)
        assert verified(answer.body, leaf, at=ENVELOPE)
        assert verified(answer.body, leaf, at=CARD)
        certificates = {each.text for each in answer.root.iter(f"{{{NS['ds']}}}X509Certificate")}
        assert certificates == {base64.b64encode(sandbox.next_sts_certificate.public_bytes(Encoding.DER)).decode()}
    assert its(sts, sts.card()).fault is None
    assert sandbox.next_sts_certificate.subject == sandbox.sts_certificate.subject


def test_a_token_signed_twice(sts: Caller) -> None:
    with sts.sandbox.faults.during(spoilt=Spoilt.TWICE):
        assert len(sts.issue().root.findall(f".//{{{NS['saml']}}}Assertion/{{{NS['ds']}}}Signature")) == 2


def careless(answer: Answer, certificate: x509.Certificate) -> bool:
    """What a bad verifier says: the first signature's value is right, and so is the digest of something of that id."""
    signature = answer.root.find(f".//{{{NS['ds']}}}Signature")
    info = signature[0]
    reference = info.find(f"{{{NS['ds']}}}Reference")
    key = certificate.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    value = base64.b64decode(signature[1].text)
    key.verify(value, etree.tostring(info, method="c14n", exclusive=True), padding.PKCS1v15(), hashes.SHA1())
    for found in answer.root.iter(f"{{{NS['saml']}}}Assertion"):
        if f"#{found.get('id')}" == reference.get("URI"):
            whole = copy.deepcopy(found)
            for inner in whole.findall(f"{{{NS['ds']}}}Signature"):
                whole.remove(inner)
            digest = hashlib.sha1(etree.tostring(whole, method="c14n", exclusive=True)).digest()
            if base64.b64encode(digest).decode() == reference[2].text:
                return True
    return False


@pytest.mark.parametrize("how", list(Wrapping))
def test_wrapped_answers_keep_the_genuine_token_for_a_careless_verifier(sts: Caller, how: Wrapping) -> None:
    """The signature is good for whoever follows the reference; the first assertion names somebody else."""
    with sts.sandbox.faults.during(wrapped=how):
        answer = sts.issue()
    person = "saml:AttributeStatement/saml:Attribute[contains(@Name,'CivilRegistration')]"
    forged = answer.text(f"(//saml:Assertion)[1]/{person}/saml:AttributeValue")
    assert forged == "0909001234"
    assert "0101001234" in answer.body.decode()
    assert careless(answer, sts.sandbox.sts_certificate)
    assert answer.body.count(b'id="IDCard"') == (2 if how is Wrapping.XSW7 else 1)


@pytest.mark.parametrize("envelope", list(Envelope))
def test_the_envelopes_signature_is_spoilt(sts: Caller, envelope: Envelope) -> None:
    with sts.sandbox.faults.during(envelope=envelope):
        answer = citizen(sts)
    good = envelope in (Envelope.BODY_LEFT_OUT, Envelope.OTHER_BODY)
    assert is_signed(sts, answer, ENVELOPE) is good
    references = answer.root.xpath("//wsse:Security/ds:Signature//ds:Reference/@URI", namespaces=NS)
    assert ("#body" in references) is (envelope not in (Envelope.BODY_LEFT_OUT, Envelope.UNSIGNED))
    if envelope is Envelope.OTHER_BODY:
        assert answer.text("/soap:Envelope/soap:Body/@*") == "forged"
        assert "2099-01-01T00:00:00Z" in answer.body.decode()
    assert is_signed(sts, citizen(sts), ENVELOPE)


@pytest.mark.parametrize(
    ("other", "name", "value"),
    [
        (Other.ID, "sosi:IDCardID", "bm90IHdoYXQgd2FzIGFza2Vk"),
        (Other.CVR, "medcom:CareProviderID", "19552101"),
        (Other.CPR, "medcom:UserCivilRegistrationNumber", "0202001234"),
        (Other.TYPE, "sosi:IDCardType", "system"),
        (Other.LEVEL, "sosi:AuthenticationLevel", "3"),
        (Other.VERSION, "sosi:IDCardVersion", "1.0"),
    ],
)
def test_another_card_than_asked_is_signed(sts: Caller, other: Other, name: str, value: str) -> None:
    with sts.sandbox.faults.during(other=other):
        answer = sts.issue()
    assert answer.attribute(name) == value
    assert is_signed(sts, answer, CARD)


def test_the_answer_is_to_another_question(sts: Caller) -> None:
    card = sts.card()
    good = its(sts, card)
    for other, path in ((Other.CONTEXT, "//@Context"), (Other.RELATION, "//wsa:RelatesTo")):
        with sts.sandbox.faults.during(other=other):
            answer = its(sts, card)
        asked = etree.fromstring(sts.sandbox.answered[-1].request)
        wanted = "//@Context" if other is Other.CONTEXT else "//wsa:MessageID"
        question = asked.xpath(f"string({wanted})", namespaces=NS)
        assert answer.text(path) not in (None, "", question)
        assert is_signed(sts, answer, ENVELOPE)
    with sts.sandbox.faults.during(other=Other.AUDIENCE):
        answer = its(sts, card)
        assert answer.text("//wsp:AppliesTo") == answer.text("//saml:Audience") == "https://elsewhere.invalid"
    with sts.sandbox.faults.during(replay=True):
        assert its(sts, card).body == answer.body
    assert good.fault is None


def test_a_fault_on_request(sts: Caller) -> None:
    asked = ("RequestFailed", "dk:sosi:sts:its", "no")
    with sts.sandbox.faults.during(refuse=asked):
        assert sts.issue().fault == asked
        answer = bst(sts)
        assert answer.fault == asked
        assert answer.text("//wsa:RelatesTo") is not None
        assert answer.text("//wsse:Security") is answer.text("//ds:Signature") is None
    assert sts.issue(CardText()).fault is None
