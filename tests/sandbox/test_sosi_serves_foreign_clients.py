"""The Danish sandbox serves programs that know nothing of us: xmlsec1 signs and verifies, curl and openssl carry."""

from __future__ import annotations

import base64
import hashlib
import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.verifier import SignatureConfiguration, VerifyResult, XMLVerifier

from govfile.errors import ConfigurationError
from govfile.sandbox import pki
from govfile.sandbox.sosi import CertificateKind, Settings, SigningAlgorithm, SosiSandbox
from govfile.sandbox.sosi.command import write_papers
from govfile.sandbox.sosi.people import subject
from govfile.sandbox.sosi.reading import parse
from govfile.sandbox.sosi.stock import idp
from govfile.sandbox.sosi.verifying import BadSignature, verify_enveloped
from support.programs import require
from support.repository import ROOT
from support.sosi_asking import (
    CPR,
    ENVELOPE,
    SYSTEM,
    TOKEN,
    UNTRUSTED,
    bst,
    citizen,
    from_oiosaml,
    is_signed,
    web_token,
)
from support.sosi_caller import (
    NS,
    Answer,
    Caller,
    CardText,
    card_request,
    exchange_request,
    signature,
    signed,
    signed_by_xmlsec1,
    verified,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

pytestmark = pytest.mark.servers
SEAL_NET = "http://schemas.xmlsoap.org/ws/2005/02/security/trust/Issue"


@pytest.fixture(scope="module")
def sts() -> Iterator[Caller]:
    with SosiSandbox() as sandbox:
        yield Caller(sandbox)


@pytest.mark.parametrize("sha", ["sha1", "sha256"])
def test_a_card_signed_by_xmlsec1_comes_back_signed_as_xmlsec1_likes_it(sts: Caller, sha: str) -> None:
    request = signed_by_xmlsec1(card_request(CardText(sha=sha)), sts.sandbox.employee.issued)
    answer = sts.post(sts.sandbox.settings.paths.new, request)
    assert answer.fault is None
    assert is_signed(sts, answer, TOKEN)


@pytest.mark.parametrize("sha", ["sha1", "sha256"])
def test_an_envelope_signed_by_xmlsec1_is_exchanged(sts: Caller, sha: str) -> None:
    token = sts.sandbox.bootstrap_token().decode()
    request = exchange_request(token, "https://audience.nspop.dk/dgws", claims=SYSTEM, sha=sha)
    answer = sts.post(
        sts.sandbox.settings.paths.bst_to_sosi, signed_by_xmlsec1(request, sts.sandbox.employee.issued, at=ENVELOPE)
    )
    assert answer.fault is None
    assert is_signed(sts, answer, ENVELOPE)
    assert is_signed(sts, answer, TOKEN)


def test_what_the_tests_sign_by_hand_is_right(sts: Caller) -> None:
    """Or a mistake there could agree with one in the sandbox."""
    issued = sts.sandbox.employee.issued
    leaf = issued.certificate.public_bytes(Encoding.PEM)
    request = signed(card_request(CardText()), issued).encode()
    assert verified(request, leaf, at="//*[local-name()='Signature']")
    whole = signed(exchange_request("<a/>", "https://fmk"), issued, at=ENVELOPE).encode()
    assert verified(whole, leaf, at=ENVELOPE)
    assert not verified(whole.replace(b"https://fmk", b"https://fsk"), leaf, at=ENVELOPE)


def test_the_identity_providers_tokens_are_right(sts: Caller) -> None:
    leaf = idp().certificate.public_bytes(Encoding.PEM)
    for token in (
        sts.sandbox.oiosaml_assertion(),
        sts.sandbox.bootstrap_token(),
        sts.sandbox.citizen_bootstrap_token(),
    ):
        assert verified(token, leaf, at="/*/*[local-name()='Signature']")


@pytest.mark.parametrize("algorithm", list(SigningAlgorithm))
def test_a_token_is_verified_by_signxml(algorithm: SigningAlgorithm) -> None:
    """A card is not: signxml knows no Signature with a lower-case `id`, which cards have."""
    with SosiSandbox(settings=Settings(signs_with=algorithm)) as sandbox:
        answer = citizen(Caller(sandbox))
        token = etree.fromstring(etree.tostring(answer.root.find(f".//{{{NS['saml']}}}Assertion"), with_tail=False))
        expected = SignatureConfiguration(
            signature_methods=frozenset({SignatureMethod.RSA_SHA1, SignatureMethod.RSA_SHA256}),
            digest_algorithms=frozenset({DigestAlgorithm.SHA1, DigestAlgorithm.SHA256}),
        )
        found = XMLVerifier().verify(token, x509_cert=sandbox.sts_pem().decode(), expect_config=expected)
        assert isinstance(found, VerifyResult)
        assert found.signed_xml is not None
        assert found.signed_xml.get("ID") == token.get("ID")


@pytest.mark.parametrize("with_colon", [True, False])
@pytest.mark.parametrize("request_type", [NS["wst05"] + "/Issue", SEAL_NET])
@pytest.mark.parametrize("issuer", [{}, {"no_issuer": ""}])
def test_all_libraries_spellings_are_taken(
    sts: Caller, with_colon: bool, request_type: str, issuer: dict[str, str]
) -> None:
    token_type = "urn:oasis:names:tc:SAML:2.0:assertion" + (":" if with_colon else "")
    request = card_request(CardText(), token_type=token_type, request_type=request_type, **issuer)
    answer = sts.post(sts.sandbox.settings.paths.new, signed(request, sts.sandbox.employee.issued))
    assert answer.fault is None
    assert answer.text("//wst05:TokenType") == token_type


@pytest.mark.parametrize(
    "headers",
    [
        {"SOAPAction": '"Issue"'},
        {"SOAPAction": "Issue"},
        {"SOAPAction": '"http://sosi.org/webservices/sts/1.0/stsService/RequestSecurityToken"'},
        {"SOAPAction": '""'},
        {"Content_Type": "application/soap+xml; charset=utf-8"},
        {"Content_Type": "text/xml"},
    ],
)
def test_the_sts_does_not_look_at_http_headers(sts: Caller, headers: dict[str, str]) -> None:
    request = signed(card_request(CardText()), sts.sandbox.employee.issued)
    assert sts.post(sts.sandbox.settings.paths.new, request, **headers).fault is None


def test_paths_are_served_in_any_case(sts: Caller) -> None:
    token = sts.sandbox.bootstrap_token().decode()
    for path in ("/sts/services/BST2SOSI", "/sts/services/Bst2Sosi"):
        assert sts.exchange(path, token, "https://x", claims=SYSTEM).fault is None


def test_user_attributes_may_come_in_another_order_and_with_fractions_in_the_time(sts: Caller) -> None:
    card = CardText(occupation="Physician", code="8B7X2")
    assert card.unsigned().index("UserOccupation") < card.unsigned().index("UserAuthorizationCode")
    answer = sts.issue(card, created="2026-01-01T00:00:00.123Z")
    assert answer.attribute("medcom:UserOccupation") == "Physician"


def test_an_issuer_may_have_blanks(sts: Caller) -> None:
    """The schema forbids them; a library in daily use writes them all the same."""
    assert sts.issue(CardText(issuer="The Test Library")).fault is None


def test_line_breaks_in_base64_do_no_harm(sts: Caller) -> None:
    whole = signed(card_request(CardText()), sts.sandbox.employee.issued)
    certificate = str(etree.fromstring(whole).findtext(f".//{{{NS['ds']}}}X509Certificate"))
    lines = "\n".join(certificate[at : at + 64] for at in range(0, len(certificate), 64))
    assert sts.post(sts.sandbox.settings.paths.new, whole.replace(certificate, lines)).fault is None


def curl(sandbox: SosiSandbox, trust: Path, request: Path, *options: str) -> Answer:
    """What curl gets for a file."""
    command = [require("curl"), "-sS", "--cacert", str(trust), "-H", "Content-Type: text/xml; charset=utf-8", *options]
    command += ["--data-binary", f"@{request}", sandbox.service_url("new")]
    done = subprocess.run(command, capture_output=True, timeout=60, check=True)
    return Answer(status=200, headers={}, body=done.stdout)


def test_the_papers_are_enough_for_curl_openssl_and_xmlsec1(sts: Caller, tmp_path: Path) -> None:
    papers = write_papers(sts.sandbox, tmp_path)
    answer = curl(sts.sandbox, papers.servers, papers.request, "-H", 'SOAPAction: "Issue"')
    assert answer.fault is None
    assert verified(answer.body, papers.sts.read_bytes(), at=TOKEN)
    shown = base64.b64decode(str(answer.text("//saml:Assertion//ds:X509Certificate")))
    leaf = tmp_path / "shown.der"
    leaf.write_bytes(shown)
    command = [require("openssl"), "verify", "-CAfile", str(papers.federation), str(leaf)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.endswith(": OK\n"), done.stderr
    private = tmp_path / "key.pem"
    passphrase = ["-passin", f"file:{papers.employee_passphrase}"]
    command = [require("openssl"), "pkcs12", "-in", str(papers.employee), *passphrase, "-nodes", "-out", str(private)]
    assert subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == 0
    private.unlink()


def test_the_papers_lead_through_every_exchange(sts: Caller, tmp_path: Path) -> None:
    papers = write_papers(sts.sandbox, tmp_path)
    assert bst(sts, papers.bootstrap.read_bytes()).fault is None
    assert citizen(sts, papers.citizen.read_bytes()).fault is None
    assert from_oiosaml(sts, papers.oiosaml.read_bytes()).fault is None
    path, claims = sts.sandbox.settings.paths.jwt_to_idws, {CPR: "0101001234"}
    assert sts.exchange(path, web_token(papers.jwt.read_text()), "https://fmk", claims=claims).fault is None


def test_who_has_the_identity_providers_paper_gives_tokens_of_his_own(sts: Caller, tmp_path: Path) -> None:
    """As Unsealed's token issuers do; here one that is bound to the system's certificate."""
    papers = write_papers(sts.sandbox, tmp_path)
    opened = load_pkcs12(papers.identity_provider.read_bytes(), papers.identity_provider_passphrase.read_bytes())
    assert opened.key is not None
    assert opened.cert is not None
    issuer = opened.additional_certs[0].certificate
    issued = pki.Issued(key=cast("RSAPrivateKey", opened.key), certificate=opened.cert.certificate, issuer=issuer)
    unsigned = etree.fromstring(sts.sandbox.citizen_bootstrap_token(bound_to=sts.sandbox.system.certificate))
    signed_info = unsigned[1]
    for emptied in signed_info.iter("{*}DigestValue", "{*}SignatureValue", "{*}X509Data"):
        emptied.text = None
        del emptied[:]
    token = signed(etree.tostring(unsigned, encoding="unicode"), issued).encode()
    assert citizen(sts, token, by=sts.sandbox.system.issued).fault is None
    stranger = signed(etree.tostring(unsigned, encoding="unicode"), sts.sandbox.employee.issued).encode()
    assert citizen(sts, stranger, by=sts.sandbox.system.issued).fault == UNTRUSTED


def test_who_has_the_service_providers_paper_opens_its_assertions(sts: Caller, tmp_path: Path) -> None:
    papers = write_papers(sts.sandbox, tmp_path)
    answer = sts.exchange(sts.sandbox.settings.paths.to_oiosaml, sts.card(), "https://sp.example.dk", unsigned="")
    sealed = tmp_path / "sealed.xml"
    sealed.write_bytes(etree.tostring(answer.root.find(f".//{{{NS['xenc']}}}EncryptedData")))
    command = [require("xmlsec1"), "--decrypt", "--pkcs12", str(papers.provider)]
    command += ["--pwd", papers.provider_passphrase.read_text(), str(sealed)]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert verified(done.stdout, papers.sts.read_bytes(), at="/*/*[local-name()='Signature']")


def test_certificates_and_identity_providers_of_others_may_be_brought(sts: Caller) -> None:
    """For libraries that come with certificates and tokens of their own."""
    now = datetime.now(UTC)
    authority, key = pki.authority(pki.Issuer.STRANGER), pki.rsa_key("foreign")
    name = subject(CertificateKind.MOCES2, cvr="19552101", company="Foreign", identifier="7654", common="Fie Foreign")
    builder = pki.certificate_builder(
        name, authority.certificate.subject, key.public_key(), now - timedelta(days=1), now + timedelta(days=1)
    )
    certificate = builder.sign(authority.key, hashes.SHA256())
    theirs = pki.Issued(key=key, certificate=certificate, issuer=authority.certificate)
    with SosiSandbox() as sandbox:
        caller, card = Caller(sandbox), CardText(cpr=None, role="x", care_id="19552101")
        request = signed(card_request(card), theirs)
        assert caller.post(sandbox.settings.paths.new, request).fault is not None
        holder = sandbox.adopt(
            certificate, issuer=authority.certificate, cpr="1111001234", given_name="Fie", surname="Foreign"
        )
        answer = caller.post(sandbox.settings.paths.new, request)
        assert answer.attribute("medcom:UserCivilRegistrationNumber") == "1111001234"
        with pytest.raises(ConfigurationError, match="not the sandbox's"):
            _ = holder.issued
        with pytest.raises(ConfigurationError, match="no OCES"):
            sandbox.adopt(authority.certificate)
        token = sandbox.bootstrap_token()
        unsigned = etree.fromstring(token)
        own = unsigned.find(f"{{{NS['ds']}}}Signature")
        assert own is not None
        unsigned.remove(own)
        text = etree.tostring(unsigned, encoding="unicode")
        identifier = str(unsigned.get("ID"))
        text = text.replace("</saml:Issuer>", f"</saml:Issuer>{signature({identifier: True})}", 1)
        resigned = signed(text, theirs)
        path = sandbox.settings.paths.bst_to_sosi
        assert caller.exchange(path, resigned, "https://x", claims=SYSTEM).fault is not None
        sandbox.trust_identity_provider(certificate)
        assert caller.exchange(path, resigned, "https://x", claims=SYSTEM).fault is None


def old_citizens_token(at: datetime) -> str:
    """A citizen's token in the shape of a published sample: of OIOSAML 2, by PID, for whoever brings it."""
    end = (at + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return (
        f'<saml:Assertion xmlns:saml="{NS["saml"]}" xmlns:ds="{NS["ds"]}" ID="bst" '
        f'IssueInstant="{at.strftime("%Y-%m-%dT%H:%M:%SZ")}" Version="2.0"><saml:Issuer>Some provider</saml:Issuer>'
        f"{signature({'bst': True}, sha='sha1')}<saml:Subject><saml:NameID>C=DK,CN=Test Person,"
        "Serial=PID:9208-2002-2-000000000001</saml:NameID><saml:SubjectConfirmation "
        'Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData/></saml:SubjectConfirmation>'
        f'</saml:Subject><saml:Conditions NotOnOrAfter="{end}"><saml:AudienceRestriction><saml:Audience>'
        "https://bootstrap.sts.nspop.dk/</saml:Audience></saml:AudienceRestriction></saml:Conditions></saml:Assertion>"
    )


def test_a_citizens_old_token_is_looked_up_by_its_pid(sts: Caller) -> None:
    token = signed(old_citizens_token(datetime.now(UTC)), idp().issued).encode()
    assert citizen(sts, token).fault == ("InvalidRequest", "dk:sosi:sts:its", "CPR/PID mismatch")
    sts.sandbox.register_citizen("9208-2002-2-000000000001", "0101001234")
    assert citizen(sts, token).fault is None


VECTORS = ROOT.parent / "shared" / "vectors" / "sosi" / "stripped"


@pytest.mark.parametrize("name", ["sts-request-1", "seal-to-sts-organization-request", "sts-request-2"])
def test_messages_of_real_clients_are_read(sts: Caller, name: str) -> None:
    """Their shape and their signatures are taken; they are only out of date, or signed by the real STS."""
    path = VECTORS / f"{name}.stripped.xml"
    if not path.is_file():
        pytest.skip(f"{path.name} is not beside this checkout")
    service = sts.sandbox.settings.paths.to_oiosaml if name == "sts-request-2" else sts.sandbox.settings.paths.new
    fault = sts.post(service, path.read_bytes()).fault
    assert fault is not None
    assert fault[0] == ("FailedAuthentication" if name == "sts-request-2" else "ExpiredData")


def test_a_real_clients_signature_is_checked_to_the_last_byte(sts: Caller) -> None:
    found = sorted(VECTORS.glob("*.stripped.xml"))
    if not found:
        pytest.skip("the published messages are not beside this checkout")
    checked = 0
    for path in found:
        body = path.read_bytes()
        for card in parse(body).iter(f"{{{NS['saml']}}}Assertion"):
            assert verify_enveloped(card).certificate is not None
            checked += 1
        spoilt = body.replace(b"medcom:cvrnumber", b"medcom:ynumber")
        for card in parse(spoilt).iter(f"{{{NS['saml']}}}Assertion"):
            with pytest.raises(BadSignature):
                verify_enveloped(card)
    assert checked >= 4


def test_the_certificate_hash_stays_the_callers(sts: Caller) -> None:
    request = etree.fromstring(sts.sandbox.example("request"))
    answer = sts.post(sts.sandbox.settings.paths.new, etree.tostring(request))
    digest = hashlib.sha256(sts.sandbox.employee.certificate.public_bytes(Encoding.DER)).digest()
    assert answer.attribute("sosi:OCESCertHash") == base64.b64encode(digest).decode()
