"""Requests as they leave: their bytes, the official schema's word on them, and the renewal's signature."""

from __future__ import annotations

import base64
import re
import subprocess
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from govfile import Credential
from govfile.certificates.request import make_request, subject_name
from govfile.certificates.signer import SoftwareSigner
from govfile.errors import CredentialError, InvalidContent
from govfile.vero import messages
from govfile.vero.ids import CustomerId, RetrievalId, TransferCodes
from govfile.xml.payload import SOAP_11, enveloped
from support import pki
from support.programs import require
from support.repository import ROOT
from support.vero_desk import CUSTOMER, NOON, NS, issue

if TYPE_CHECKING:
    from pathlib import Path

OFFICIAL = ROOT.parent / "shared" / "vectors" / "vero" / "CertificateServices.xsd"
NAMES = [None, "Ab Example Oy", "Ä & Ö <Oy> \"x\" 'y'", "€" * 100]
CODES = TransferCodes.parse("3" * 32, "p" * 16)


@pytest.fixture(scope="module")
def old() -> Credential:
    certificate = issue(pki.rsa_key(0).public_key(), begins=NOON)
    return Credential.from_signer(SoftwareSigner(pki.rsa_key(0)), certificate, at=NOON)


@pytest.fixture(scope="module")
def request_der() -> bytes:
    return make_request(pki.rsa_key(1), subject_name(CUSTOMER, organisation="Ab Example Oy", country="FI"))


def built(element: str, name: str | None, request_der: bytes, old: Credential) -> list[bytes]:
    who, to = CustomerId(CUSTOMER), messages.contract()
    return [
        messages.sign_new(element, who, name, CODES, request_der, to=to),
        messages.renew(element, who, name, request_der, old, to=to),
        messages.get(element, who, name, RetrievalId("r" * 32), to=to),
    ]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("element", ["TEST", "PRODUCTION"])
def test_the_official_schema_accepts_every_request(
    element: str, name: str | None, request_der: bytes, old: Credential
) -> None:
    if not OFFICIAL.exists():
        pytest.skip(f"the official schema is not beside this checkout: {OFFICIAL.name}")
    schema = etree.XMLSchema(etree.parse(str(OFFICIAL)))
    for message in built(element, name, request_der, old):
        schema.assertValid(etree.fromstring(message))
        inside = etree.fromstring(enveloped(message)).find(f"{{{SOAP_11}}}Body")[0]  # type: ignore[index]
        schema.assertValid(etree.fromstring(etree.tostring(inside)))


def test_the_bytes_of_a_request(request_der: bytes) -> None:
    message = messages.sign_new("TEST", CustomerId(CUSTOMER), "A & B Oy", CODES, request_der, to=messages.contract())
    encoded = base64.b64encode(request_der).decode()
    assert message.decode() == (
        f'<cer:SignNewCertificateRequest xmlns:cer="{NS}"><Environment>TEST</Environment>'
        f"<CustomerId>{CUSTOMER}</CustomerId><CustomerName>A &amp; B Oy</CustomerName>"
        f"<TransferId>{'3' * 32}</TransferId><TransferPassword>{'p' * 16}</TransferPassword>"
        f"<CertificateRequest>{encoded}</CertificateRequest></cer:SignNewCertificateRequest>"
    )


def test_the_signed_bytes_are_in_the_envelope_as_they_are(request_der: bytes, old: Credential) -> None:
    message = messages.renew("TEST", CustomerId(CUSTOMER), None, request_der, old, to=messages.contract())
    assert message in enveloped(message)
    assert message.endswith(b"</ds:Signature></cer:RenewCertificateRequest>")
    assert re.findall(rb' Algorithm="([^"]*)"', message) == [
        b"http://www.w3.org/2001/10/xml-exc-c14n#",
        b"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
        b"http://www.w3.org/2000/09/xmldsig#enveloped-signature",
        b"http://www.w3.org/2001/10/xml-exc-c14n#",
        b"http://www.w3.org/2001/04/xmlenc#sha256",
    ]
    assert re.findall(rb' URI="([^"]*)"', message) == [b""]
    own = old.certificate.public_bytes(Encoding.DER)
    assert re.findall(rb"<ds:X509Certificate>(.*?)</", message) == [base64.b64encode(own)]


@pytest.mark.parametrize("is_inside", [False, True])
def test_another_program_finds_the_renewals_signature_good(
    tmp_path: Path, request_der: bytes, old: Credential, is_inside: bool
) -> None:
    """Alone, and in its envelope: exclusive C14N does not see the difference."""
    message = messages.renew("TEST", CustomerId(CUSTOMER), "Ab Ö Oy", request_der, old, to=messages.contract())
    if is_inside:
        body = etree.fromstring(enveloped(message)).find(f"{{{SOAP_11}}}Body")
        assert body is not None
        message = etree.tostring(body[0])
        assert b"soapenv" in message, "the envelope's namespace has come along"
    (tmp_path / "message.xml").write_bytes(message)
    certificate = tmp_path / "certificate.pem"
    certificate.write_bytes(old.certificate.public_bytes(Encoding.PEM))
    command = [require("xmlsec1"), "--verify", "--pubkey-cert-pem", str(certificate), str(tmp_path / "message.xml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_certificate_requests_that_the_service_would_refuse() -> None:
    for request, words in ((b"\x30" + b"x" * 10240, "10241 bytes"), (b"-----BEGIN CERTIFICATE REQUEST-----", "DER")):
        with pytest.raises(InvalidContent, match=words):
            messages.sign_new("TEST", CustomerId(CUSTOMER), None, CODES, request, to=messages.contract())


def test_a_renewal_is_signed_by_rsa_alone(request_der: bytes) -> None:
    key = pki.ec_key(3)
    elliptic = Credential.from_signer(SoftwareSigner(key), issue(key.public_key(), begins=NOON), at=NOON)
    with pytest.raises(CredentialError, match="cannot make rsa-sha256 signatures"):
        messages.renew("TEST", CustomerId(CUSTOMER), None, request_der, elliptic, to=messages.contract())


def test_every_operation_is_in_the_shipped_description() -> None:
    contract = messages.contract()
    assert {contract.action(one.value) for one in messages.Operation} == {
        "signNewCertificate",
        "renewCertificate",
        "getCertificate",
    }
    assert contract.request_name("renewCertificate") == f"{{{NS}}}RenewCertificateRequest"
    assert contract.answer_name("getCertificate") == f"{{{NS}}}GetCertificateResponse"
