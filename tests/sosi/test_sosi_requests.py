"""What is sent to the token service: the documented shapes, byte for byte where bytes matter."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from govfile.certificates.signer import SignatureAlgorithm
from govfile.sosi.card import IdCard
from govfile.sosi.cards import build
from govfile.sosi.claims import Custody, OnBehalfOf
from govfile.sosi.sts import SecurityTokenService
from govfile.sosi.times import DgwsVersion
from govfile.xml.policy import Part, Policy
from govfile.xml.unsigned import UnsignedPart, read_unsigned
from govfile.xml.verifying import verify
from support.fake_sts import (
    CPR,
    CPR_NAME,
    CVR,
    Asked,
    FakeSts,
    assertion,
    employee,
    environment,
    signed_card,
    signer,
)
from support.repository import ROOT
from support.sosi_tokens import JWT, bootstrap_token, oiosaml_assertion
from support.xml_messages import BODY_PATH, ENVELOPE_PATH, NOW, SAML, SECURITY_PATH, SOAP, WSA, WSSE, WSU, signers

if TYPE_CHECKING:
    from govfile.sosi.signed_card import SignedCard

TEMPLATES = ROOT.parent / "shared" / "vectors" / "sosi" / "templates"
HEADER = f"{{{SOAP}}}Header"
CARD = IdCard.user(it_system="Example Lab", role="7170", cpr=CPR, given_name="Test", surname="Person")


@pytest.fixture
def sts() -> FakeSts:
    return FakeSts()


@pytest.fixture(scope="module")
def card() -> SignedCard:
    return FakeSts().client().issue(CARD)


def shape(part: UnsignedPart) -> list[str]:
    """The names of the request's elements in order, by depth; what tokens hold is their own affair."""
    lines: list[str] = []

    def walk(found: UnsignedPart, depth: int) -> None:
        namespace, _, name = found.name[1:].partition("}")
        lines.append(f"{'  ' * depth}{namespace.rsplit('/', 1)[-1]} {name}")
        if name not in {"Assertion", "EncryptedAssertion", "Signature"}:
            for child in found.children:
                walk(child, depth + 1)

    walk(part, 0)
    return lines


def template(name: str) -> UnsignedPart:
    """A published sample; some are not well-formed in their notes, which are taken out."""
    if not TEMPLATES.is_dir():
        pytest.skip("the published samples do not lie beside this checkout (../shared/vectors/sosi/templates)")
    return read_unsigned(re.sub(rb"<!--.*?-->", b"", (TEMPLATES / name).read_bytes(), flags=re.DOTALL))


def test_a_card_is_sent_as_it_was_signed(sts: FakeSts) -> None:
    ours = build(CARD, employee(), at=NOW)
    sts.client().issue(ours)
    assert sts.asked[0].body.count(ours.xml) == 1
    assert sts.asked[0].text(HEADER, f"{{{WSSE}}}Security", f"{{{WSU}}}Timestamp", f"{{{WSU}}}Created") == (
        "2026-06-01T12:00:00Z"
    )


def test_a_card_of_the_old_version_gets_a_danish_time_stamp(sts: FakeSts) -> None:
    sts.client().issue(IdCard.user(it_system="Example Lab", role="7170", version=DgwsVersion.V1_0))
    assert b"<wsu:Created>2026-06-01T14:00:00</wsu:Created>" in sts.asked[0].body


def test_the_frame_of_card_signing_is_that_of_the_published_sample(sts: FakeSts) -> None:
    sts.client().issue(CARD)
    wanted = shape(template("stslevel3request.xml"))
    assert shape(sts.asked[0].root) == wanted


def test_the_frame_of_an_oiosaml_exchange_is_that_of_the_published_sample(sts: FakeSts, card: SignedCard) -> None:
    sts.client().to_oiosaml(card, audience="http://sundhed.dk")
    assert shape(sts.asked[0].root) == shape(template("IDCardToOIOSaml__OIO_WS-Trust_request.xml"))


def test_the_frame_of_a_card_exchange_is_that_of_the_published_sample(sts: FakeSts) -> None:
    sts.token = lambda _: signed_card(build(CARD, employee(), at=NOW).xml)
    sts.client().from_oiosaml(oiosaml_assertion(), it_system="Example Lab", role="7170")
    assert shape(sts.asked[0].root) == shape(template("OIOSamlToIDCard__OIO_WS-Trust_request.xml"))


@pytest.mark.parametrize(("in_header", "name"), [(False, "idkort_i_body"), (True, "idkort_i_header")])
def test_the_frame_for_identity_tokens_is_that_of_the_published_sample(
    sts: FakeSts, card: SignedCard, in_header: bool, name: str
) -> None:
    sts.client().identity_token(card, audience="http://fmk-online.dk", card_in_header=in_header)
    ours = [line for line in shape(sts.asked[0].root) if "Timestamp" not in line and "Created" not in line]
    theirs = shape(template(f"idwsh-examples__OIO_WS-Trust_request_{name}.xml"))
    optional = {"  addressing To", "    addressing To"}  # ours has a header for security always, theirs an address
    ours = [line for line in ours if in_header or not line.endswith("Security")]
    assert ours == [line for line in theirs if line not in optional]


@pytest.mark.parametrize("in_header", [False, True])
def test_the_cards_bytes_are_in_the_request_once(sts: FakeSts, card: SignedCard, in_header: bool) -> None:
    sts.client().identity_token(card, audience="https://fmk", card_in_header=in_header)
    body = sts.asked[0].body
    assert body.count(card.xml) == 1
    header_end = body.index(b"</soapenv:Header>")
    assert (body.index(card.xml) < header_end) is in_header
    assert (b'<wsse:Reference URI="#IDCard"/>' in body) is in_header


def test_an_exchange_is_signed_over_four_parts_with_the_callers_certificate(sts: FakeSts, card: SignedCard) -> None:
    sts.client().to_oiosaml(card, audience="https://sp.example.dk")
    parts = (
        Part(path=(*ENVELOPE_PATH, HEADER, f"{{{WSA}}}MessageID")),
        Part(path=(*ENVELOPE_PATH, HEADER, f"{{{WSA}}}Action")),
        Part(path=(*SECURITY_PATH, f"{{{WSU}}}Timestamp")),
        Part(path=BODY_PATH),
    )
    trust_names = ("RequestSecurityToken", "ActAs")
    inner = tuple(
        f"{{{namespace}}}{name}"
        for namespace, name in zip(
            ("http://docs.oasis-open.org/ws-sx/ws-trust/200512", "http://docs.oasis-open.org/ws-sx/ws-trust/200802"),
            trust_names,
            strict=True,
        )
    )
    others = ((*BODY_PATH, *inner, f"{{{SAML}}}Assertion"),)
    policy = Policy(signature=SECURITY_PATH, parts=parts, signers=signers(), others=others)
    verified = verify(sts.asked[0].body, policy, at=NOW)
    assert verified.certificate == employee().certificate
    assert b'URI="#messageID"' in sts.asked[0].body
    assert b"rsa-sha256" in sts.asked[0].body


def test_sha1_is_used_where_it_is_named_and_nowhere_else(card: SignedCard) -> None:
    fake = FakeSts()
    client = SecurityTokenService(
        environment(),
        employee(),
        algorithm=SignatureAlgorithm.RSA_SHA1_WHERE_DEMANDED,
        clock=lambda: NOW,
        transport=lambda: fake,
    )
    client.issue(CARD)
    client.to_oiosaml(card, audience="https://sp.example.dk")
    assert all(b"xmldsig#rsa-sha1" in asked.body for asked in fake.asked)


def test_every_request_has_ids_of_its_own(sts: FakeSts, card: SignedCard) -> None:
    client = sts.client()
    for _ in range(2):
        client.to_oiosaml(card, audience="https://sp.example.dk")
    first, second = sts.asked
    assert first.message_id != second.message_id
    assert re.fullmatch(
        r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", first.message_id
    )


def claims_of(asked: Asked) -> list[tuple[str, str]]:
    (claims,) = asked.trust_request.at("{http://docs.oasis-open.org/ws-sx/ws-trust/200512}Claims")
    assert claims.element.attributes["Dialect"].endswith("/200706/authclaims")
    return [(found.attributes["Uri"], found.children[0].text) for found in claims.element.children]


def employee_card(asked: Asked) -> bytes:
    return signed_card(build(CARD, employee(), at=NOW).xml)


def test_an_employees_bootstrap_token_is_exchanged_with_claims(sts: FakeSts) -> None:
    sts.token = employee_card
    token = bootstrap_token(holder=employee().certificate)
    found = sts.client().from_bootstrap_token(token, it_system="Example Lab", authorisation_code="8B7X2")
    assert found.it_system == "Example Lab"
    (asked,) = sts.asked
    assert asked.path == "/sts/services/BST2SOSI"
    assert asked.audience == "https://audience.nspop.dk/dgws"
    assert asked.body.count(token) == 1
    assert claims_of(asked) == [("medcom:ITSystemName", "Example Lab"), ("medcom:UserAuthorizationCode", "8B7X2")]


@pytest.mark.parametrize(
    ("on_behalf_of", "value", "attribute"),
    [
        (
            OnBehalfOf.procuration("020200-1234"),
            "urn:dk:healthcare:saml:actThroughProcurationBy:cprNumberIdentifier:0202001234",
            "dk:gov:saml:attribute:Privileges_intermediate",
        ),
        (
            OnBehalfOf.custody(Custody.PARENTAL, "0202001234"),
            "urn:dk:healthcare:saml:actThrough:ParentalCustody:cprNumberIdentifier:0202001234",
            "urn:dk:healthcare:saml:attribute:SubjectRelations",
        ),
    ],
)
def test_a_citizens_token_is_asked_for_in_another_persons_place(
    sts: FakeSts, on_behalf_of: OnBehalfOf, value: str, attribute: str
) -> None:
    assert "0202001234" not in repr(on_behalf_of)
    sts.token = lambda asked: assertion(audience=asked.audience, attributes={CPR_NAME: CPR, attribute: "PHg+"})
    token = bootstrap_token(holder=employee().certificate)
    sts.client().citizen_token(token, cpr="010100-1234", audience="https://minlog2", on_behalf_of=on_behalf_of)
    (asked,) = sts.asked
    assert asked.headers["SOAPAction"] == '"Issue"'
    assert claims_of(asked) == [(CPR_NAME, CPR), ("dk:healthcare:saml:attribute:OnBehalfOf", value)]


def test_a_jwt_is_sent_as_a_binary_token(sts: FakeSts) -> None:
    sts.client().from_jwt(JWT, cpr=CPR, audience="https://fmk")
    (asked,) = sts.asked
    assert asked.path == "/sts/services/JWT2Idws"
    (act_as,) = asked.trust_request.at("{http://docs.oasis-open.org/ws-sx/ws-trust/200802}ActAs")
    (binary,) = act_as.children
    assert binary.name == f"{{{WSSE}}}BinarySecurityToken"
    assert binary.element.attributes["ValueType"] == "urn:ietf:params:oauth:token-type:jwt"
    assert binary.element.text == JWT


def test_a_jwt_becomes_an_oiosaml_assertion(sts: FakeSts) -> None:
    found = sts.client().jwt_to_oiosaml(JWT, audience="https://sp.example.dk")
    assert (sts.asked[0].path, found.is_encrypted) == ("/sts/services/JWT2OIOSaml", False)
    assert found.expires == NOW + timedelta(minutes=5)


def test_the_context_token_says_what_the_oiosaml_assertion_does_not(sts: FakeSts) -> None:
    sts.token = employee_card
    original = oiosaml_assertion()
    sts.client().from_oiosaml(b'<?xml version="1.0" encoding="UTF-8"?>\n' + original + b"\n", it_system="Example Lab")
    (asked,) = sts.asked
    (act_as,) = asked.trust_request.at("{http://docs.oasis-open.org/ws-sx/ws-trust/200802}ActAs")
    untouched, context = act_as.children
    assert original in untouched.original
    element = context.element
    assert [child.name for child in element.children] == ["Issuer", "Subject", "AttributeStatement"]
    values = {
        found.attributes["Name"].rpartition(":")[2]: found.children[0].text for found in element.children[2].children
    }
    assert values == {"UserEducationCode": "urn:dk:healthcare:no-role", "ITSystemName": "Example Lab"}
    subject = element.children[1]
    assert subject.children[0].attributes["Format"].endswith("X509SubjectName")
    assert subject.children[1].attributes["Method"].endswith("sender-vouches")


def test_values_are_escaped_where_they_stand(sts: FakeSts) -> None:
    sts.token = lambda asked: signed_card(
        build(IdCard.user(it_system='A & <B> "C"', role="7170", cpr=CPR), employee(), at=NOW).xml
    )
    token = bootstrap_token(holder=employee().certificate)
    sts.client().from_bootstrap_token(token, it_system='A & <B> "C"')
    assert claims_of(sts.asked[0]) == [("medcom:ITSystemName", 'A & <B> "C"')]


def test_signing_certificates_are_not_confused(sts: FakeSts, card: SignedCard) -> None:
    assert card.signer == signer().certificate != employee().certificate
    assert CVR in (employee().subject.organization_identifier or "")
