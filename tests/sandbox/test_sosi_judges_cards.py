"""What the sandbox's STS makes of cards: every check of its description, in its order, for a foreign client."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import attrs
import pytest
from cryptography.hazmat.primitives import hashes
from lxml import etree

from govfile.sandbox import pki
from govfile.sandbox.sosi import Authorisation, CertificateKind, Settings, SosiSandbox
from support.sosi_caller import Caller, CardText, card_request, signed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from govfile.sandbox.sosi import Holder

MALFORMED = ("InvalidRequest", "http://www.sosists.dk/sts", "The request was invalid or malformed")
FAILED = ("FailedAuthentication", "http://www.sosists.dk/sts", "Authentication failed")
TIMES = ("InvalidTimeRange", "http://www.sosists.dk/sts", "The requested time range is invalid or unsupported")
C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
NATIONAL = "urn:dk:healthcare:national-federation-role:code:41002:value:SundAssistR2"
CPR, REGISTER = "dk:sosi:sts:cvrridcpr", "dk:sosi:sts:autorisation"


@pytest.fixture(scope="module")
def sts() -> Iterator[Caller]:
    with SosiSandbox() as sandbox:
        yield Caller(sandbox)


@pytest.fixture(scope="module")
def nurse(sts: Caller) -> Holder:
    """Somebody with two authorisations, known by an old certificate."""
    both = [Authorisation(code="N1234", education="5166"), Authorisation(code="M5678", education="5175")]
    return sts.sandbox.register(
        CertificateKind.MOCES2, cpr="0303001234", given_name="Nora", surname="Nurse", authorisations=both
    )


def test_a_users_card_is_signed_with_what_the_registers_add(sts: Caller) -> None:
    at = datetime.now(UTC)
    answer = sts.issue(CardText(cpr=None, role="7170", code=None), security_id="MSG-7")
    assert (answer.status, answer.fault) == (200, None)
    assert answer.attribute("medcom:UserCivilRegistrationNumber") == "0101001234"
    assert answer.attribute("medcom:UserAuthorizationCode") == "8B7X2"
    assert answer.attribute("sosi:IDCardID") == CardText().card_id
    assert answer.text("//saml:Assertion/saml:Issuer") == "SANDBOX-NSP-STS"
    assert str(answer.text("//saml:NameID")).startswith("SubjectDN={CN=Test Person, SURNAME=Person")
    assert answer.text("//saml:NameID/@Format") == "medcom:other"
    assert answer.text("//wsse:Security/@id") == "MSG-7"
    assert answer.text("//wst05:RequestSecurityTokenResponse/@Context") == "www.sosi.dk"
    start, end = (
        datetime.strptime(str(answer.text(f"//saml:Conditions/@{name}")), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        for name in ("NotBefore", "NotOnOrAfter")
    )
    assert end - start == timedelta(hours=24)
    assert timedelta(minutes=4, seconds=50) < at - start < timedelta(minutes=5, seconds=10)


def test_a_systems_card_is_signed(sts: Caller) -> None:
    answer = sts.issue(CardText.system(), by=sts.sandbox.system)
    assert answer.fault is None
    assert answer.attribute("sosi:AuthenticationLevel") == "3"
    assert answer.attribute("medcom:UserRole") is None


def test_the_legacy_service_keeps_the_callers_name(sts: Caller) -> None:
    card = CardText(name_id="me", name_id_format="medcom:other")
    answer = sts.issue(card, path=sts.sandbox.settings.paths.legacy)
    assert (answer.text("//saml:NameID"), answer.text("//saml:NameID/@Format")) == ("me", "medcom:other")


def test_an_old_certificates_name_is_printed_as_the_real_one_does(sts: Caller, nurse: Holder) -> None:
    answer = sts.issue(CardText(cpr=None, role="5166"), by=nurse)
    assert str(answer.text("//saml:NameID")).startswith(
        f"SubjectDN={{CN=Nora Nurse + SERIALNUMBER=CVR:20301823-RID:{nurse.identifier}, "
        "O=Example Laboratory // CVR:20301823, C=DK},IssuerDN={"
    )


def test_dgws_1_0_speaks_danish_time_without_a_zone(sts: Caller) -> None:
    start = datetime.now(ZoneInfo("Europe/Copenhagen")) - timedelta(minutes=5)
    answer = sts.issue(CardText(version="1.0", start=start, time_format="%Y-%m-%dT%H:%M:%S"))
    assert answer.fault is None
    given = datetime.fromisoformat(str(answer.text("//saml:Conditions/@NotBefore")))
    assert given.tzinfo is None
    assert abs(given - start.replace(tzinfo=None)) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"version": "1.1"}, MALFORMED),
        ({"level": "2"}, MALFORMED),
        ({"level": "3"}, MALFORMED),
        ({"kind": "robot"}, MALFORMED),
        ({"name_id_format": "medcom:nickname"}, MALFORMED),
        ({"care_format": "medcom:cvr"}, MALFORMED),
        ({"issuer": ""}, MALFORMED),
        ({"card_id": ""}, MALFORMED),
        ({"it_system": ""}, MALFORMED),
        ({"given_name": None}, MALFORMED),
        ({"surname": None}, MALFORMED),
        ({"life": timedelta(hours=24, seconds=1)}, TIMES),
        ({"life": timedelta()}, TIMES),
        ({"off": timedelta(minutes=20)}, TIMES),
        ({"time_format": "%Y-%m-%dT%H:%M:%S"}, TIMES),
        ({"time_format": "%Y-%m-%dT%H:%M:%S.000Z"}, TIMES),
        (
            {"off": timedelta(hours=-25)},
            ("ExpiredData", "http://www.sosists.dk/sts", "The request data is out-of-date"),
        ),
        (
            {"transform": C14N},
            (
                "AuthenticationBadElements",
                "http://www.sosists.dk/sts",
                "Insufficient Digest Elements: Signature could not be validated",
            ),
        ),
        ({"care_id": "10101010"}, FAILED),
    ],
)
def test_a_wrong_card_is_refused(sts: Caller, changes: dict[str, Any], fault: tuple[str, str, str]) -> None:
    start = datetime.now(UTC) + changes.get("off", timedelta(minutes=-5))
    card = CardText(start=start, **{name: each for name, each in changes.items() if name != "off"})
    answer = sts.issue(card)
    assert (answer.status, answer.fault) == (200, fault)
    assert answer.text("//saml:Assertion/@id") is None


def test_the_card_is_judged_before_its_certificate_and_that_before_the_company(sts: Caller) -> None:
    stranger = sts.sandbox.register(CertificateKind.VOCES3, cvr="19552101", company="Somebody Else")
    assert sts.issue(CardText(level="1"), by=stranger).fault == MALFORMED
    assert sts.issue(CardText(care_id="10101010"), by=stranger).fault == FAILED
    assert "a VOCES3 certificate on a user card" in sts.sandbox.findings[-1]
    assert sts.issue(CardText(care_id="10101010", cpr="0202001234")).fault == FAILED
    assert "its certificate 20301823" in sts.sandbox.findings[-1]


def test_certificates_that_do_not_do(sts: Caller) -> None:
    sandbox, now = sts.sandbox, datetime.now(UTC)
    day = timedelta(days=1)
    over = sandbox.register(cpr="0404001234", given_name="O", surname="Ver", valid=(now - 10 * day, now - day))
    assert sts.issue(CardText(cpr=None, role="x"), by=over).fault == FAILED
    system = sandbox.system
    assert sts.issue(CardText(), by=system).fault == FAILED
    assert sts.issue(CardText.system()).fault == FAILED
    bad = sandbox.register(cpr="0505001234", given_name="Re", surname="Voked")
    sandbox.revoke(bad.certificate)
    words = "Security token has been revoked"
    assert sts.issue(CardText(), by=bad).fault == ("InvalidSecurityToken", "http://www.sosists.dk/sts", words)


def test_a_certificate_of_an_unknown_authority_is_refused(sts: Caller) -> None:
    issuer = pki.authority(pki.Issuer.STRANGER)
    subject, key = sts.sandbox.employee.certificate.subject, pki.rsa_key("nobody")
    start = datetime.now(UTC) - timedelta(days=1)
    builder = pki.certificate_builder(
        subject, issuer.certificate.subject, key.public_key(), start, start + timedelta(days=9)
    )
    forged = pki.Issued(key=key, certificate=builder.sign(issuer.key, hashes.SHA256()), issuer=issuer.certificate)
    answer = sts.post(sts.sandbox.settings.paths.new, signed(card_request(CardText()), forged))
    words = "Authentication failed: Token in request signed by untrusted party"
    assert answer.fault == ("FailedAuthentication", "http://sosi.dk/sts", words)


def test_the_registers_decide_whose_card_it_is(sts: Caller) -> None:
    serial = f"UI:DK-E:G:{sts.sandbox.employee.identifier}"
    words = f"Authentication failed: cvrrid-cpr mismatch [{serial},0202001234]"
    assert sts.issue(CardText(cpr="0202001234")).fault == ("FailedAuthentication", CPR, words)
    nobody = sts.sandbox.register(given_name="No", surname="Body")
    fault = sts.issue(CardText(), by=nobody).fault
    assert fault == (
        "FailedAuthentication",
        CPR,
        f"Authentication failed: illegal cvrrid [UI:DK-E:G:{nobody.identifier}]",
    )


@pytest.mark.parametrize(
    ("role", "code", "outcome"),
    [
        ("5166", None, ("N1234", "5166")),
        ("5175", None, ("M5678", "5175")),
        (None, "M5678", ("M5678", "5175")),
        (None, None, "multiple authorizations found ([N1234:5166, M5678:5175])"),
        ("5166", "N1234", ("N1234", "5166")),
        ("Consultant", "M5678", ("M5678", "Consultant")),
        ("5166", "M5678", "authorization not found (available [N1234:5166, M5678:5175])"),
        ("7170", None, "authorization not found (available [N1234:5166, M5678:5175])"),
        ("Consultant", "XXXXX", "authorization not found (available [N1234:5166, M5678:5175])"),
        ("Consultant", None, "multiple authorizations found ([N1234:5166, M5678:5175])"),
        ("Consultant", "", "multiple authorizations found ([N1234:5166, M5678:5175])"),
        (NATIONAL, "M5678", ("M5678", NATIONAL)),
        (NATIONAL, "XXXXX", "authorization not found (available [N1234:5166, M5678:5175])"),
    ],
)
def test_authorisations_are_matched_by_code_and_education(
    sts: Caller, nurse: Holder, role: str | None, code: str | None, outcome: str | tuple[str, str]
) -> None:
    answer = sts.issue(CardText(cpr=None, role=role, code=code), by=nurse)
    if isinstance(outcome, str):
        assert answer.fault == ("FailedAuthentication", REGISTER, outcome)
    else:
        assert answer.fault is None
        found = (answer.attribute("medcom:UserAuthorizationCode"), answer.attribute("medcom:UserRole"))
        assert found == outcome


@pytest.mark.parametrize(("role", "code", "is_signed"), [("7170", None, False), ("x", "8B7X2", False), ("x", "", True)])
def test_without_authorisations_only_a_card_that_claims_none_is_signed(
    sts: Caller, role: str, code: str | None, is_signed: bool
) -> None:
    clerk = sts.sandbox.register(cpr="0606001234", given_name="Carl", surname="Clerk")
    fault = sts.issue(CardText(cpr=None, role=role, code=code), by=clerk).fault
    assert fault == (None if is_signed else ("FailedAuthentication", REGISTER, "missing authorization"))


def test_an_environment_without_the_register_believes_the_card() -> None:
    with SosiSandbox(settings=Settings(knows_authorisations=False)) as sandbox:
        answer = Caller(sandbox).issue(CardText(role="5166", code="XXXXX"))
        assert (answer.fault, answer.attribute("medcom:UserAuthorizationCode")) == (None, "XXXXX")


def test_the_failing_register_is_worth_asking_again(sts: Caller) -> None:
    with sts.sandbox.faults.during(lookup_failures=1):
        fault = sts.issue().fault
        assert fault is not None
        assert fault[:2] == ("RequestFailed", CPR)
        assert "cvrrid-cpr lookup failed [" in fault[2]
        assert sts.issue().fault is None


def test_a_rid_ends_at_a_blank_a_plus_or_a_comma() -> None:
    for more in (" more", "+more", ",more"):
        with SosiSandbox() as sandbox:
            holder = sandbox.register(
                CertificateKind.MOCES2, cpr="0707001234", given_name="A", surname="B", identifier=f"123{more}"
            )
            sandbox.registers.add(_named(holder, "123"))
            assert Caller(sandbox).issue(CardText(cpr=None, role="x"), by=holder).fault is None


def _named(holder: Holder, identifier: str) -> Holder:
    return attrs.evolve(holder, identifier=identifier, rid=identifier)


def test_altered_and_reindented_cards_are_refused(sts: Caller) -> None:
    whole = signed(card_request(CardText()), sts.sandbox.employee.issued)
    root = etree.fromstring(whole)
    etree.indent(root)
    paths = sts.sandbox.settings.paths
    for wrong in (whole.replace(">Foreign System<", ">Other System<"), etree.tostring(root)):
        fault = sts.post(paths.new, wrong).fault
        assert fault is not None
        assert fault[0] == "AuthenticationBadElements"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"<a/>",
        b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
        b"<soap:Envelope xmlns:soap='http://schemas.xmlsoap.org/soap/envelope/'><soap:Body/></soap:Envelope>",
        b"<a>" * 200 + b"</a>" * 200,
    ],
)
def test_what_is_no_request_is_malformed(sts: Caller, body: bytes) -> None:
    answer = sts.post(sts.sandbox.settings.paths.new, body)
    assert (answer.status, answer.fault) == (200, MALFORMED)


def test_two_elements_of_one_id_are_malformed(sts: Caller) -> None:
    whole = signed(card_request(CardText()), sts.sandbox.employee.issued)
    twice = whole.replace("<wst05:Issuer>", '<wst05:Issuer id="IDCard">')
    assert sts.post(sts.sandbox.settings.paths.new, twice).fault == MALFORMED
