"""Cards for identity tokens and assertions, assertions for cards: what is granted, refused, and signed by whom."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from govfile.sandbox.sosi import Audience, Encryption, Settings, SosiSandbox
from govfile.sandbox.sosi.encrypting import decrypted
from govfile.sandbox.sosi.settings import normalised
from govfile.sandbox.sosi.stock import provider, rsa_key_of
from support.programs import require
from support.sosi_asking import (
    CPR,
    ENVELOPE,
    FAILED,
    MALFORMED,
    OVER,
    TOKEN,
    UNTRUSTED,
    from_oiosaml,
    is_signed,
)
from support.sosi_caller import NS, Answer, Caller, CardText, exchange_request, signed, verified

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def sts() -> Iterator[Caller]:
    with SosiSandbox() as sandbox:
        yield Caller(sandbox)


@pytest.fixture(scope="module")
def card(sts: Caller) -> str:
    return sts.card()


# --- ITS


@pytest.mark.parametrize("style", ["body", "header"])
@pytest.mark.parametrize("signing", [{"unsigned": ""}, {}, {"sha": "sha1"}])
def test_a_card_becomes_an_identity_token(sts: Caller, card: str, style: str, signing: dict[str, Any]) -> None:
    reference = '<wsse:SecurityTokenReference><wsse:Reference URI="#IDCard"/></wsse:SecurityTokenReference>'
    where: dict[str, Any] = {"header_token": card} if style == "header" else {}
    path = sts.sandbox.settings.paths.its
    asked: dict[str, Any] = {"message_id": "urn:uuid:1-2-3", **where, **signing}
    answer = sts.exchange(path, reference if where else card, "HTTPS://FMK/", **asked)
    assert answer.fault is None
    assert answer.text("//wsa:RelatesTo") == "urn:uuid:1-2-3"
    assert answer.text("//wsa:Action") == answer.text("/*/*/wsa:Action") == NS["wst"] + "/RST/Issue"
    assert answer.text("//saml:Audience") == "https://fmk"
    assert answer.text("//wsp:AppliesTo") == "HTTPS://FMK/"
    assert answer.text("//saml:NameID") == answer.attribute(CPR) == "0101001234"
    assert answer.attribute("dk:healthcare:saml:attribute:UserAuthorizationCode") == "8B7X2"
    assert answer.text("//saml:Assertion/ds:Signature/@Id") == "OCESSignature"
    assert answer.text("//ds:KeyInfo/@Id") == answer.text("//saml:SubjectConfirmationData//ds:KeyName") == "SigningKey"
    assert is_signed(sts, answer, ENVELOPE)
    assert is_signed(sts, answer, TOKEN)


def test_an_identity_token_may_name_its_key_only() -> None:
    with SosiSandbox(settings=Settings(names_key_only=True, signs_identity_answers=False)) as sandbox:
        sts = Caller(sandbox)
        answer = sts.exchange(sandbox.settings.paths.its, sts.card(), "https://fmk", unsigned="")
        assert str(answer.text("//saml:Assertion/ds:Signature//ds:KeyName")).startswith("OCES2,UI:DK-O:G:")
        assert answer.text("//saml:Assertion//ds:X509Certificate") is None
        assert answer.text("//wsse:Security/ds:Signature/@Id") is answer.text("//wsse:Security/ds:Signature") is None
        assert is_signed(sts, answer, TOKEN)


def test_its_refuses_systems_old_cards_and_unknown_audiences(sts: Caller, card: str) -> None:
    sandbox, path = sts.sandbox, sts.sandbox.settings.paths.its
    system = sts.card(CardText.system(), by=sandbox.system)
    assert sts.exchange(path, system, "https://fmk", unsigned="").fault is not None
    assert "a system card" in sandbox.findings[-1]
    fault = sts.exchange(path, card, "https://nowhere.invalid", unsigned="").fault
    assert fault is not None
    assert fault[:2] == ("RequestFailed", "dk:sosi:sts:its")
    sandbox.add_audience(Audience(audience="https://strict", oldest_card=timedelta(minutes=5)))
    assert sts.exchange(path, card, "https://strict", unsigned="").fault == OVER


def test_cards_of_others_altered_ones_and_expired_ones_are_refused(card: str) -> None:
    with SosiSandbox() as sandbox:
        sts, path = Caller(sandbox), sandbox.settings.paths.its
        altered = card.replace(">Foreign System<", ">Other System<")
        fault = sts.exchange(path, altered, "https://fmk", unsigned="").fault
        assert fault is not None
        assert fault[0] == "AuthenticationBadElements"
        own = CardText().unsigned()
        forged = signed(exchange_request(own, "https://fmk", unsigned=""), sandbox.employee.issued)
        assert sts.post(path, forged).fault == UNTRUSTED
        system = sts.card(CardText.system(), by=sandbox.system)
        sandbox.clock.advance(timedelta(hours=24))
        now = sandbox.clock().strftime("%Y-%m-%dT%H:%M:%SZ")
        assert sts.exchange(path, card, "https://fmk", unsigned="", created=now).fault == OVER
        sts.exchange(path, system, "https://fmk", unsigned="", created=now)
        assert "a system card" in sandbox.findings[-1], "the kind of card is looked at before its time"


# --- Sosi2OIOSaml


def test_a_card_becomes_a_sealed_assertion_for_the_audience(sts: Caller, card: str) -> None:
    at = datetime.now(UTC)
    answer = sts.exchange(sts.sandbox.settings.paths.to_oiosaml, card, "HTTPS://SP.Example.dk/", unsigned="")
    assert answer.fault is None
    assert is_signed(sts, answer, ENVELOPE)
    methods = [each.get("Algorithm") for each in answer.root.iter(f"{{{NS['xenc']}}}EncryptionMethod")]
    assert methods == [NS["xenc"] + "aes128-cbc", NS["xenc"] + "rsa-1_5"]
    sealed = answer.root.find(f".//{{{NS['saml']}}}EncryptedAssertion")
    opened = decrypted(sealed, rsa_key_of(provider()))
    inside = Answer(status=200, headers={}, body=etree.tostring(opened))
    assert verified(inside.body, sts.sandbox.sts_certificate.public_bytes(Encoding.PEM), at="/*/*[2]")
    assert inside.text("//saml:Audience") == "https://sp.example.dk"
    assert inside.text("//saml:SubjectConfirmationData/@Recipient") == sts.sandbox.service_url("consumer")
    assert inside.attribute("dk:gov:saml:attribute:RidNumberIdentifier") == "25351738"
    assert inside.attribute("urn:oid:0.9.2342.19200300.100.1.1") == "CVR:20301823-RID:25351738"
    lifetime = [
        datetime.fromisoformat(str(answer.text(f"//wst:Lifetime/wsu:{name}"))) for name in ("Created", "Expires")
    ]
    assert abs(lifetime[0] - at + timedelta(minutes=5)) < timedelta(seconds=30)
    assert lifetime[1] - lifetime[0] == timedelta(hours=12, minutes=5)


@pytest.mark.parametrize("how", list(Encryption))
def test_every_encryption_is_opened_by_xmlsec1(sts: Caller, card: str, how: Encryption, tmp_path: Path) -> None:
    sandbox = sts.sandbox
    audience = Audience(audience=f"https://sp-{how.name.lower()}", public_key=provider().certificate, encryption=how)
    sandbox.add_audience(audience)
    answer = sts.exchange(sandbox.settings.paths.to_oiosaml, card, audience.audience)
    found = answer.root.find(f".//{{{NS['xenc']}}}EncryptedData")
    document, key = tmp_path / "sealed.xml", tmp_path / "key.pem"
    document.write_bytes(etree.tostring(found))
    key.write_bytes(provider().issued.pem().partition(b"-----BEGIN CERTIFICATE")[0])
    done = subprocess.run(
        [require("xmlsec1"), "--decrypt", "--privkey-pem", str(key), str(document)], capture_output=True, check=False
    )
    key.unlink()
    assert done.returncode == 0, done.stderr.decode()
    assert etree.fromstring(done.stdout).tag == f"{{{NS['saml']}}}Assertion"


def test_the_audiences_settings_count(sts: Caller, card: str) -> None:
    sandbox = sts.sandbox
    audience = Audience(
        audience="HTTPS://Plain.Example.DK/",
        recipient_url="https://plain.example.dk/acs",
        includes_bootstrap=True,
        deliver_by=timedelta(minutes=1),
        not_before=timedelta(),
        not_on_or_after=timedelta(minutes=30),
    )
    sandbox.add_audience(audience)
    answer = sts.exchange(sandbox.settings.paths.to_oiosaml, card, "https://PLAIN.example.dk")
    assert answer.fault is None
    assert is_signed(sts, answer, TOKEN)
    start = datetime.fromisoformat(str(answer.text("//saml:Assertion/@IssueInstant")))
    times = {
        "//saml:SubjectConfirmationData/@NotOnOrAfter": timedelta(minutes=1),
        "//saml:Conditions/@NotBefore": timedelta(),
        "//saml:Conditions/@NotOnOrAfter": timedelta(minutes=30),
    }
    for path, offset in times.items():
        assert datetime.fromisoformat(str(answer.text(path))) - start == offset
    assert answer.text("//saml:SubjectConfirmationData/@Recipient") == "https://plain.example.dk/acs"
    assert answer.text("//saml:Attribute[contains(@Name,'DiscoveryEPR')]//saml:Assertion/@id") == "IDCard"


def test_the_card_inside_an_assertion_is_still_whole(sts: Caller, card: str) -> None:
    audience = Audience(audience="https://with-bootstrap", includes_bootstrap=True)
    sts.sandbox.add_audience(audience)
    answer = sts.exchange(sts.sandbox.settings.paths.to_oiosaml, card, audience.audience)
    assert is_signed(sts, answer, "//*[@id='OCESSignature']")


def test_only_cards_of_the_new_service_become_assertions(sts: Caller) -> None:
    old = sts.card(path=sts.sandbox.settings.paths.legacy)
    fault = sts.exchange(sts.sandbox.settings.paths.to_oiosaml, old, "https://fmk").fault
    assert fault is not None
    assert fault[:2] == ("RequestFailed", "dk:sosi:sts:ibo")


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("HTTPS://SP.Example.dk/", "https://sp.example.dk"),
        ("https://sp.example.dk/a/", "https://sp.example.dk/a/"),
        ("https://SP.example.dk:8443/A?B#C", "https://sp.example.dk:8443/A?B#C"),
        ("HTTPS://SP.Example.dk/?Q", "https://sp.example.dk?Q"),
        ("urn:Example:A", "urn:Example:A"),
        ("https://fmk", "https://fmk"),
    ],
)
def test_audiences_are_compared_in_normal_form(given: str, normal: str) -> None:
    assert normalised(given) == normal


# --- OIOSaml2Sosi


def test_an_assertion_becomes_a_card(sts: Caller) -> None:
    answer = from_oiosaml(sts, UserEducationCode="7170", UserGivenName="Other", UserSurName="Name")
    assert answer.fault is None
    assert answer.attribute("medcom:UserGivenName") == "Other"
    assert answer.attribute("medcom:UserAuthorizationCode") == "8B7X2"
    assert answer.attribute("medcom:ITSystemName") == "Example Lab"
    assert answer.attribute("sosi:AuthenticationLevel") == "4"
    assert answer.text("//wst:RequestedAttachedReference//@URI") == "#IDCard"
    assert is_signed(sts, answer, ENVELOPE)
    assert is_signed(sts, answer, TOKEN)


def test_a_missing_personal_number_or_certificate_is_looked_up(sts: Caller) -> None:
    token = sts.sandbox.oiosaml_assertion(has_cpr=False, has_certificate=False)
    answer = from_oiosaml(sts, token)
    assert answer.attribute("medcom:UserCivilRegistrationNumber") == "0101001234"
    assert answer.text("//saml:NameID[starts-with(@Format, 'medcom')]") == "0101001234"


def test_assertions_that_do_not_do(sts: Caller) -> None:
    sandbox = sts.sandbox
    fault = from_oiosaml(sts, ITSystemName="").fault
    assert fault == ("InvalidRequest", "dk:sosi:sts:nbo", "IT System must be specified")
    assert from_oiosaml(sts, sandbox.oiosaml_assertion(level="2")).fault == FAILED
    assert from_oiosaml(sts, sandbox.oiosaml_assertion(level="2"), ITSystemName="").fault == FAILED
    assert from_oiosaml(sts, sandbox.oiosaml_assertion(life=0)).fault == OVER
    good = sandbox.oiosaml_assertion()
    assert from_oiosaml(sts, good.replace(b"Laboratory", b"Elsewhere")).fault == UNTRUSTED
    assert from_oiosaml(sts, good, name_id="somebody else").fault == MALFORMED
    assert from_oiosaml(sts, good, name_id="CVR:20301823-RID:25351738").fault is None
    assert from_oiosaml(sts, sandbox.bootstrap_token()).fault == MALFORMED
    assert from_oiosaml(sts, UserEducationCode="5166").fault is not None
