"""The Danish sandbox answers as Seal.Java and Unsealed read, and takes what they write: by their public sources.

Seal holds identity tokens, and ITS's answers, against schemas of its own, which know no element and no attribute
beyond those that its own builders write.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from govfile.sandbox.sosi import Settings, SosiSandbox
from support.sosi_asking import BAD_ENVELOPE, CPR, ENVELOPE, MALFORMED, TOKEN, citizen, is_signed, web_token
from support.sosi_caller import NS, Answer, Caller, CardText, card_request, exchange_request, signature, signed

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.servers
PARTS = ("messageID", "action", "ts", "body")
DANISH = ZoneInfo("Europe/Copenhagen")
SECURITY = "/soap:Envelope/soap:Header/wsse:Security"
CREATED = f"{SECURITY}/wsu:Timestamp/wsu:Created"


@pytest.fixture(scope="module")
def sts() -> Iterator[Caller]:
    with SosiSandbox() as sandbox:
        yield Caller(sandbox)


def danish_card(cpr: str = "0101001234") -> CardText:
    """A card of DGWS 1.0, whose times are Danish and name no zone."""
    start = datetime.now(DANISH) - timedelta(minutes=1)
    return CardText(version="1.0", time_format="%Y-%m-%dT%H:%M:%S", start=start, cpr=cpr)


def test_the_signature_on_a_card_may_be_named_as_java_names_it(sts: Caller) -> None:
    """javax.xml.crypto, which Unsealed signs with, writes `Id`, as XML Signature has it; DGWS writes `id`."""
    answer = sts.issue(CardText(signature_id="Id"))
    assert answer.fault is None
    assert answer.text("//saml:Assertion/ds:Signature/@id") == "OCESSignature"
    assert sts.issue(CardText(signature_id="ID")).fault is not None


def test_a_refusal_says_which_request_it_is_about(sts: Caller) -> None:
    answer = sts.issue(CardText(cpr="1111111118"), security_id="m-17")
    assert answer.fault is not None
    assert answer.text(f"{SECURITY}/@id") == "m-17"
    nameless = signed(card_request(CardText(cpr="1111111118")), sts.sandbox.employee.issued).replace(' id="m-1"', "")
    assert sts.post(sts.sandbox.settings.paths.new, nameless).text(f"{SECURITY}/@id") is None


@pytest.mark.parametrize("cpr", ["0101001234", "1111111118"], ids=["granted", "refused"])
def test_an_answer_is_of_the_cards_version(sts: Caller, cpr: str) -> None:
    """Seal tells the version of a message by the form of its time."""
    answer = sts.issue(danish_card(cpr=cpr))
    assert (answer.fault is None) is (cpr == "0101001234")
    created = datetime.strptime(str(answer.text(CREATED)), "%Y-%m-%dT%H:%M:%S").replace(tzinfo=DANISH)
    assert abs(created - datetime.now(UTC)) < timedelta(minutes=2)
    assert str(sts.issue(CardText(cpr=cpr)).text(CREATED)).endswith("Z")


@pytest.mark.parametrize("level", ["4", "3"], ids=["granted", "refused"])
@pytest.mark.parametrize("version", ["1.0", "1.0.1"])
def test_a_services_reply_is_of_the_cards_version(sts: Caller, version: str, level: str) -> None:
    card = sts.card(danish_card() if version == "1.0" else CardText())
    linking = f"<medcom:Linking><medcom:MessageID>{version} {level}</medcom:MessageID></medcom:Linking>"
    call = (
        f'<soap:Envelope xmlns:soap="{NS["soap"]}" xmlns:wsse="{NS["wsse"]}" xmlns:wsu="{NS["wsu"]}" '
        f'xmlns:medcom="{NS["medcom"]}"><soap:Header><wsse:Security><wsu:Timestamp><wsu:Created>2026-01-01T00:00:00'
        f"</wsu:Created></wsu:Timestamp>{card}</wsse:Security><medcom:Header><medcom:SecurityLevel>{level}"
        f"</medcom:SecurityLevel>{linking}</medcom:Header></soap:Header><soap:Body/></soap:Envelope>"
    )
    answer = sts.post(sts.sandbox.settings.paths.dgws, call)
    assert (answer.fault is None) is (level == "4")
    assert str(answer.text(CREATED)).endswith("Z") is (version == "1.0.1")


def identity(sts: Caller) -> Answer:
    answer = sts.exchange(sts.sandbox.settings.paths.its, sts.card(), "https://fmk", unsigned="")
    assert answer.fault is None
    return answer


def test_an_identity_token_has_no_session(sts: Caller) -> None:
    assert identity(sts).text("//saml:AuthnStatement/@AuthnInstant")
    assert identity(sts).text("//saml:AuthnStatement/@SessionIndex") is None


@pytest.mark.parametrize("by", ["bootstrap token", "JWT"])
def test_a_citizens_token_has_the_shape_that_seal_gives_it(sts: Caller, by: str) -> None:
    sandbox = sts.sandbox
    if by == "JWT":
        path, token = sandbox.settings.paths.jwt_to_idws, web_token(sandbox.jwt())
        answer = sts.exchange(path, token, "https://fmk", claims={CPR: "0101001234"})
    else:
        answer = citizen(sts)
    assert answer.fault is None
    assert answer.text("//saml:Assertion/ds:Signature/@Id") == "OCESSignature"
    data = answer.root.find(f".//{{{NS['saml']}}}SubjectConfirmationData")
    assert data.keys() == ["NotOnOrAfter"]
    assert data.get("NotOnOrAfter") == answer.text("//saml:Conditions/@NotOnOrAfter")
    assert is_signed(sts, answer, TOKEN)
    assert is_signed(sts, answer, ENVELOPE)


def headers(answer: Answer) -> list[str]:
    """Name and attributes of every header, and the attributes of the body."""
    header, body = answer.root
    return [*(f"{each.tag.rpartition('}')[2]} {each.keys()}" for each in header), *body.keys()]


def test_an_unsigned_answer_of_its_has_nothing_of_a_signed_one() -> None:
    with SosiSandbox(settings=Settings(signs_identity_answers=False)) as sandbox:
        assert headers(identity(Caller(sandbox))) == ["Action []", "MessageID []", "RelatesTo []"]


def test_a_refused_exchange_names_no_parts_to_sign(sts: Caller) -> None:
    answer = sts.exchange(sts.sandbox.settings.paths.its, sts.card(), "https://nowhere.invalid", unsigned="")
    assert answer.fault is not None
    assert headers(answer) == ["Action []", "MessageID []", "RelatesTo []"]


REFERENCE = '<wsse:SecurityTokenReference><wsse:Reference URI="#IDCard"/></wsse:SecurityTokenReference>'
CARD_HEADER = "<wsse:Security>{}</wsse:Security>"


def split(sts: Caller, *, signature_with_card: bool, act_as: str = REFERENCE) -> str:
    """A request for an exchange as both Seals write it when the card is to be in the header: in a Security header of
    its own, before the other. Seal.NET signs into the first one it finds.
    """
    request = exchange_request(act_as, "https://fmk")
    own = CARD_HEADER.format(sts.card() + (signature(dict.fromkeys(PARTS, False)) if signature_with_card else ""))
    if signature_with_card:
        start, end = request.index("<ds:Signature>"), request.index("</ds:Signature>") + len("</ds:Signature>")
        request = request[:start] + request[end:]
    return request.replace("<wsse:Security ", f"{own}<wsse:Security ", 1)


@pytest.mark.parametrize("signature_with_card", [False, True], ids=["Seal.Java", "Seal.NET"])
@pytest.mark.parametrize("service", ["its", "to_oiosaml"])
def test_the_card_may_be_in_a_header_of_its_own(sts: Caller, service: str, signature_with_card: bool) -> None:
    request = signed(split(sts, signature_with_card=signature_with_card), sts.sandbox.employee.issued, at=ENVELOPE)
    path = getattr(sts.sandbox.settings.paths, service)
    assert sts.post(path, request).fault is None
    assert sts.post(path, request.replace("https://fmk", "https://fsk")).fault == (
        "InvalidRequest",
        f"dk:sosi:sts:{'ibo' if service == 'to_oiosaml' else 'its'}",
        BAD_ENVELOPE,
    )


def test_nothing_may_be_there_twice_in_two_headers(sts: Caller) -> None:
    request, path = split(sts, signature_with_card=False), sts.sandbox.settings.paths.its
    issued, again = sts.sandbox.employee.issued, "<wsu:Timestamp><wsu:Created>2026-01-01T00:00:00Z</wsu:Created>"
    for spoilt in (
        request.replace("</wsse:Security>", f"{again}</wsu:Timestamp></wsse:Security>", 1),
        request.replace("</wsse:Security>", "<saml:Assertion/></wsse:Security>"),
        request.replace("<wsse:Security ", "<wsse:Security/><wsse:Security "),
    ):
        assert sts.post(path, signed(spoilt, issued, at=ENVELOPE)).fault == MALFORMED
    signatures = request.replace("</wsse:Security>", f"{signature({'body': False})}</wsse:Security>", 1)
    fault = sts.post(path, signed(signatures, issued, at=ENVELOPE)).fault
    assert fault is not None
    assert fault[2] == BAD_ENVELOPE
