"""Messages for the tests of XML signatures: a SAML 2.0 response, an ID card in its envelope, and a signed exchange.

All that stands in them is invented.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

from govfile.certificates.credential import Credential
from govfile.certificates.trust import Trust
from govfile.xml.policy import Coverage, Part, Policy, Signers, Window
from govfile.xml.signing import Reference, sign
from govfile.xml.splicing import Place
from support import pki

SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
SAMLP = "urn:oasis:names:tc:SAML:2.0:protocol"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
DS = "http://www.w3.org/2000/09/xmldsig#"
WSA = "http://www.w3.org/2005/08/addressing"
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"

#: When the messages were made and hold.
NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
FROM, UNTIL = "2026-06-01T11:55:00Z", "2026-06-02T11:55:00Z"

RESPONSE_PATH = (f"{{{SAMLP}}}Response",)
ASSERTION_PATH = (*RESPONSE_PATH, f"{{{SAML}}}Assertion")
ENVELOPE_PATH = (f"{{{SOAP}}}Envelope",)
SECURITY_PATH = (*ENVELOPE_PATH, f"{{{SOAP}}}Header", f"{{{WSSE}}}Security")
CARD_PATH = (*SECURITY_PATH, f"{{{SAML}}}Assertion")
BODY_PATH = (*ENVELOPE_PATH, f"{{{SOAP}}}Body")
ACTION_PATH = (*ENVELOPE_PATH, f"{{{SOAP}}}Header", f"{{{WSA}}}Action")
STAMP_PATH = (*SECURITY_PATH, f"{{{WSU}}}Timestamp")

ISSUER = f"{{{SAML}}}Issuer"

RESPONSE = f"""<samlp:Response xmlns:samlp="{SAMLP}" ID="_response" Version="2.0" IssueInstant="{FROM}">\
<saml:Issuer xmlns:saml="{SAML}">https://idp.example.dk</saml:Issuer>\
<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>\
<saml:Assertion xmlns:saml="{SAML}" xmlns:xs="http://www.w3.org/2001/XMLSchema" \
xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" ID="_assertion" Version="2.0" IssueInstant="{FROM}">\
<saml:Issuer>https://idp.example.dk</saml:Issuer>\
<saml:Subject><saml:NameID>anna.eksempel</saml:NameID></saml:Subject>\
<saml:Conditions NotBefore="{FROM}" NotOnOrAfter="{UNTIL}"/>\
<saml:AttributeStatement><saml:Attribute Name="cvr">\
<saml:AttributeValue xsi:type="xs:string">10101010</saml:AttributeValue></saml:Attribute></saml:AttributeStatement>\
</saml:Assertion></samlp:Response>""".encode()

CARD_ENVELOPE = f"""<?xml version="1.0" encoding="UTF-8"?>
<soap:Envelope xmlns:soap="{SOAP}" xmlns:saml="{SAML}" xmlns:wsse="{WSSE}" xmlns:wsu="{WSU}" \
xmlns:medcom="http://www.medcom.dk/dgws/2006/04/dgws-1.0.xsd" id="Envelope"><soap:Header><wsse:Security>\
<wsu:Timestamp><wsu:Created>{FROM}</wsu:Created></wsu:Timestamp>\
<saml:Assertion IssueInstant="{FROM}" Version="2.0" id="IDCard"><saml:Issuer>EksempelSystem</saml:Issuer>\
<saml:Subject><saml:NameID Format="medcom:cvrnumber">10101010</saml:NameID></saml:Subject>\
<saml:Conditions NotBefore="{FROM}" NotOnOrAfter="{UNTIL}"/>\
<saml:AttributeStatement id="IDCardData"><saml:Attribute Name="sosi:IDCardID"><saml:AttributeValue>kort-1\
</saml:AttributeValue></saml:Attribute></saml:AttributeStatement>\
<saml:AttributeStatement id="SystemLog"><saml:Attribute Name="medcom:CareProviderID" \
NameFormat="medcom:cvrnumber"><saml:AttributeValue>10101010</saml:AttributeValue></saml:Attribute>\
</saml:AttributeStatement></saml:Assertion></wsse:Security></soap:Header><soap:Body><ask>æ&amp;ø</ask></soap:Body>\
</soap:Envelope>
""".encode()

EXCHANGE = f"""<soap:Envelope xmlns:soap="{SOAP}" xmlns:wsa="{WSA}" xmlns:wsse="{WSSE}" xmlns:wsu="{WSU}">\
<soap:Header><wsa:Action wsu:Id="action">urn:ask</wsa:Action><wsse:Security soap:mustUnderstand="1">\
<wsu:Timestamp wsu:Id="ts"><wsu:Created>{FROM}</wsu:Created></wsu:Timestamp></wsse:Security></soap:Header>\
<soap:Body wsu:Id="body"><ask xmlns="urn:x">10101010</ask></soap:Body></soap:Envelope>""".encode()


@cache
def authority() -> pki.Authority:
    """The one authority whose signers count."""
    early, late = datetime(2020, 1, 1, tzinfo=UTC), datetime(2060, 1, 1, tzinfo=UTC)
    return pki.Authority.create(not_before=early, not_after=late)


@cache
def identity(kind: str, common_name: str = "Eksempel ApS - filing") -> pki.Identity:
    """A signer under that authority, valid for decades; `kind` is rsa or ec."""
    early, late = datetime(2020, 1, 1, tzinfo=UTC), datetime(2060, 1, 1, tzinfo=UTC)
    key: pki.Key = pki.ec_key(3) if kind == "ec" else pki.rsa_key(2)
    subject = pki.oces3(common_name=common_name)
    return authority().issue(subject, key=key, not_before=early, not_after=late)


def credential(kind: str = "rsa") -> Credential:
    """The same signer as a credential."""
    return credential_of(identity(kind))


@cache
def credential_of(who: pki.Identity) -> Credential:
    """An identity as a credential, whatever its dates."""
    return Credential.from_pem(who.pem + who.chain_pem + who.key_pem(), at=who.certificate.not_valid_before_utc)


def signers() -> Signers:
    """Anchored in the authority."""
    return Signers(trust=Trust.only(authority().pem))


def signed_response(**options: Any) -> bytes:
    """The SAML response, its assertion signed behind its issuer."""
    place = Place(path=ASSERTION_PATH, after=ISSUER)
    return sign(RESPONSE, credential(), [Reference(id="_assertion", is_enveloped=True)], place, **options)


def signed_card(document: bytes = CARD_ENVELOPE, who: Credential | None = None, **options: Any) -> bytes:
    """The envelope, its card signed as the card's profile says."""
    options = {"signature_id": ("id", "OCESSignature"), **options}
    references = [Reference(id="IDCard", is_enveloped=True)]
    return sign(document, who or credential(), references, Place(path=CARD_PATH), **options)


def signed_exchange(document: bytes = EXCHANGE, **options: Any) -> bytes:
    """The exchange, three of its parts signed by their ids."""
    references = [Reference(id=name) for name in ("action", "ts", "body")]
    return sign(document, credential(), references, Place(path=SECURITY_PATH), **options)


def saml_policy(**options: Any) -> Policy:
    """What a signed assertion must be."""
    return Policy.enveloped(ASSERTION_PATH, options.pop("signers", None) or signers(), window=Window(), **options)


def card_policy(**options: Any) -> Policy:
    """What a signed card must be."""
    return Policy.enveloped(CARD_PATH, options.pop("signers", None) or signers(), window=Window(), **options)


def exchange_policy(**options: Any) -> Policy:
    """What a signed exchange must be."""
    parts = tuple(Part(path=path, coverage=Coverage.DETACHED) for path in (BODY_PATH, ACTION_PATH, STAMP_PATH))
    options = {"signature": SECURITY_PATH, "parts": parts, "signers": signers(), **options}
    return Policy(**options)
