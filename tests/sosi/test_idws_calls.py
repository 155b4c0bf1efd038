"""Calls signed with the key a token names: what is signed, judged by other means, and what a service refuses."""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from govfile.errors import ConfigurationError, CredentialError, GovfileError, InvalidContent, ProtocolError, TrustError
from govfile.sosi.assertions import Assertion, read_assertion
from govfile.sosi.services.dgws import Soap
from govfile.sosi.services.idws import IdwsHeader, IdwsProfile, idws_request
from govfile.sosi.services.idws_provider import verify_idws_request
from support import fake_sts
from support.dgws_world import BODY
from support.xml_messages import DS, NOW, SAML, SOAP, WSSE, WSU

if TYPE_CHECKING:
    from collections.abc import Callable

    from govfile.certificates.credential import Credential
    from govfile.sosi.services.idws_provider import IdwsCall

AUDIENCE = "https://fmk"
HEADER = IdwsHeader(action="urn:example:ping", message_id="urn:uuid:1", to="https://service.test/ping")
HOLDER_OF_KEY = "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"
OLD = IdwsProfile.LIBERTY_BASIC


@cache
def token(*, audience: str = AUDIENCE, binds: bool = True, **options: Any) -> Assertion:
    """What the STS issues for a service, bound to the employee's key."""
    certificate = base64.b64encode(fake_sts.employee().certificate.public_bytes(Encoding.DER)).decode()
    data = (
        f'<saml:SubjectConfirmationData><ds:KeyInfo xmlns:ds="{DS}"><ds:X509Data><ds:X509Certificate>{certificate}'
        "</ds:X509Certificate></ds:X509Data></ds:KeyInfo></saml:SubjectConfirmationData>"
    )
    confirmation = (
        f'<saml:SubjectConfirmation Method="{HOLDER_OF_KEY}">{data if binds else ""}</saml:SubjectConfirmation>'
    )
    return read_assertion(fake_sts.assertion(audience=audience, confirmation=confirmation, **options))


def request(who: Credential | None = None, **options: Any) -> bytes:
    options = {"body": BODY, "header": HEADER, "at": NOW, **options}
    return idws_request(options.pop("token", token()), who or fake_sts.employee(), **options)


def verified(document: bytes, **options: Any) -> IdwsCall:
    return verify_idws_request(document, **{"trust": fake_sts.trust(), "audience": AUDIENCE, "at": NOW, **options})


def one(root: etree._Element, name: str) -> etree._Element:
    (found,) = root.iter(name)
    return found


# --- what is signed, computed with lxml, hashlib and cryptography alone: xmlsec1 knows no STR-Transform


@pytest.mark.parametrize("soap", Soap)
@pytest.mark.parametrize("profile", IdwsProfile)
def test_the_signature_covers_the_documented_parts(profile: IdwsProfile, soap: Soap) -> None:
    root = etree.fromstring(request(profile=profile, soap=soap))
    (signature,) = one(root, f"{{{WSSE}}}Security").iterchildren(f"{{{DS}}}Signature")
    covered = {etree.QName(digested(root, found)).localname for found in signature.iter(f"{{{DS}}}Reference")}
    assert covered == {"Action", "MessageID", "To", "Timestamp", "Body", "Assertion"} | (
        {"Framework"} if profile is OLD else set()
    )
    certificate = fake_sts.employee().certificate
    key = certificate.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    value = base64.b64decode(one(signature, f"{{{DS}}}SignatureValue").text or "")
    signed = etree.tostring(one(signature, f"{{{DS}}}SignedInfo"), method="c14n", exclusive=True, with_comments=False)
    key.verify(value, signed, padding.PKCS1v15(), hashes.SHA1() if profile is OLD else hashes.SHA256())
    info = one(signature, f"{{{DS}}}KeyInfo")
    if profile is OLD:
        text = one(info, f"{{{DS}}}X509Certificate").text or ""
        assert x509.load_der_x509_certificate(base64.b64decode(text)) == certificate
    else:
        assert one(info, f"{{{WSSE}}}KeyIdentifier").text == "_token"
        assert next(info.iter(f"{{{DS}}}X509Data"), None) is None


def digested(root: etree._Element, reference: etree._Element) -> etree._Element:
    """The element a reference covers, when its digest is right by our own reading of the standards."""
    named = (reference.get("URI") or "").removeprefix("#")
    (element,) = (found for found in root.iter() if named in (found.get(f"{{{WSU}}}Id"), found.get("ID")))
    transforms = [found.get("Algorithm") or "" for found in reference.iter(f"{{{DS}}}Transform")]
    is_token = transforms[0].endswith("#STR-Transform")
    if is_token:
        element = next(found for found in root.iter(f"{{{SAML}}}Assertion") if found.get("ID") == "_token")
    written = etree.tostring(element, method="c14n", exclusive=True, with_comments=False)
    if is_token:  # SOAP Message Security 1.0, 8.3: the default namespace is written, be it none
        written = re.sub(rb"^<saml:Assertion ", b'<saml:Assertion xmlns="" ', written)
    how = one(reference, f"{{{DS}}}DigestMethod").get("Algorithm") or ""
    digest = hashlib.sha1(written) if how.endswith("#sha1") else hashlib.sha256(written)
    assert one(reference, f"{{{DS}}}DigestValue").text == base64.b64encode(digest.digest()).decode()
    return element


def test_the_headers_stand_in_the_documented_order_with_the_tokens_own_bytes() -> None:
    document = request()
    header = etree.fromstring(document)[0]
    assert [etree.QName(found).localname for found in header] == ["Action", "MessageID", "To", "Security"]
    security = header[3]
    names = [etree.QName(found).localname for found in security]
    assert names == ["Timestamp", "Assertion", "SecurityTokenReference", "Signature"]
    assert security.get(f"{{{SOAP}}}mustUnderstand") == "1"
    reference = security[2]
    wsse11 = "http://docs.oasis-open.org/wss/oasis-wss-wssecurity-secext-1.1.xsd"
    assert reference.get(f"{{{wsse11}}}TokenType") == (
        "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLV2.0"
    )
    assert reference[0].get("ValueType") == "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLID"
    assert token().xml in document
    assert BODY in document


def test_older_services_get_libertys_framework_header_first() -> None:
    header = etree.fromstring(request(profile=OLD))[0]
    assert header[0].tag == "{urn:liberty:sb}Framework"
    assert header[0].get("{urn:liberty:sb:profile}profile") == "urn:liberty:sb:profile:basic"
    assert header[0].get("version") == "2.0"


def test_a_body_may_have_ids_and_signatures_of_its_own() -> None:
    body = (
        b'<a xmlns="urn:a"><b id="body"/><b id="body"/><d:Signature xmlns:d="http://www.w3.org/2000/09/xmldsig#"/></a>'
    )
    assert b'<b id="body">' in verified(request(body=body)).body


def test_what_cannot_succeed_is_refused_before_it_is_sent() -> None:
    with pytest.raises(CredentialError, match="another key"):
        request(fake_sts.system())
    with pytest.raises(CredentialError, match="expired at 2026-06-01 12:05:00 UTC"):
        request(at=NOW + timedelta(minutes=5))
    with pytest.raises(InvalidContent, match="not an element"):
        request(body=b"ping")
    with pytest.raises(InvalidContent, match="action is missing"):
        IdwsHeader(action="")
    with pytest.raises(ConfigurationError, match="no time zone"):
        request(at=NOW.replace(tzinfo=None))


# --- the service


@pytest.mark.parametrize("soap", Soap)
def test_a_call_is_let_in_and_everything_in_it_was_signed(soap: Soap) -> None:
    call = verified(request(soap=soap))
    assert (call.action, call.message_id, call.to) == (HEADER.action, HEADER.message_id, HEADER.to)
    assert (call.token.id, call.created, call.soap) == ("_token", NOW, soap)
    assert call.certificate == fake_sts.employee().certificate
    assert etree.fromstring(call.body)[0].text == "h\u00e6j & hej"
    assert verified(request(body=b"")).body == b""


def test_t04_sha1_counts_only_where_the_service_allows_it() -> None:
    with pytest.raises(TrustError, match="not accepted"):
        verified(request(profile=OLD))
    assert verified(request(profile=OLD), allow_sha1=True).action == HEADER.action


def changed(old: bytes, new: bytes, document: bytes | None = None) -> bytes:
    document = document or request()
    assert old in document
    return document.replace(old, new, 1)


def forged() -> bytes:
    bare = re.sub(rb"<ds:Signature .*?</ds:Signature>", b"", token().xml, flags=re.DOTALL)
    return bare.replace(fake_sts.CPR.encode(), b"0202001234")


TOKEN = token().xml
ALTERED: dict[str, Callable[[], bytes]] = {
    "the body": lambda: changed(b" &amp; hej", b" &amp; farvel"),
    "the action": lambda: changed(b"urn:example:ping<", b"urn:example:drop<"),
    "the message id": lambda: changed(b">urn:uuid:1<", b">urn:uuid:2<"),
    "the address": lambda: changed(b">https://service.test/ping<", b">https://elsewhere.test/ping<"),
    "the time stamp": lambda: changed(b"Created>2026-06-01T12:00:00Z", b"Created>2026-06-01T12:00:01Z"),
    "the token": lambda: changed(b">0101001234<", b">0202001234<"),
    "no signature": lambda: re.sub(
        rb"(</wsse:SecurityTokenReference>)<ds:Signature .*</ds:Signature>(</wsse:Security>)",
        rb"\1\2",
        request(),
        flags=re.DOTALL,
    ),
    "no time stamp": lambda: re.sub(rb"<wsu:Timestamp .*?</wsu:Timestamp>", b"", request()),
    "another token beside it": lambda: changed(TOKEN, TOKEN + forged().replace(b"_token", b"_other")),
    "a forged token, the genuine one in the body": lambda: changed(
        BODY, BODY + TOKEN, changed(TOKEN, forged().replace(b'"_token"', b'"_forged"'))
    ),
    "the signed body moved aside": lambda: re.sub(
        rb"<soap:Body (wsu:Id=\"[^\"]*\")>(.*)</soap:Body>",
        rb"<soap:Body><evil/></soap:Body><aside><soap:Body \1>\2</soap:Body></aside>",
        request(),
    ),
    "the signed body moved into a header": lambda: re.sub(
        rb"</soap:Header>(<soap:Body .*</soap:Body>)",
        rb"<keep>\1</keep></soap:Header><soap:Body><evil/></soap:Body>",
        request(),
    ),
}


@pytest.mark.parametrize("which", ALTERED)
def test_t01_t02_what_was_altered_or_moved_is_refused(which: str) -> None:
    with pytest.raises((TrustError, ProtocolError)):
        verified(ALTERED[which]())


def test_t03_a_message_signed_with_another_key_than_the_tokens_is_refused() -> None:
    unbound = attrs.evolve(token(), holder=None)
    with pytest.raises(TrustError, match="signature does not fit"):
        verified(request(fake_sts.system(), token=unbound))
    with pytest.raises(TrustError, match="not one of those that are pinned"):
        verified(request(fake_sts.system(), token=unbound, profile=OLD), allow_sha1=True)


def test_t03_a_token_of_another_issuer_is_refused() -> None:
    with pytest.raises(TrustError, match="not that of the signer"):
        verified(request(token=token(by=fake_sts.signer("Somebody", "10101010"))))


def test_t07_token_and_message_count_only_in_their_time() -> None:
    document = request()
    for at in (NOW + timedelta(minutes=6), NOW - timedelta(minutes=2)):
        with pytest.raises(TrustError):
            verified(document, at=at)
    lasting = request(token=token(life=timedelta(hours=1)))
    with pytest.raises(TrustError, match="good for minutes"):
        verified(lasting, at=NOW + timedelta(minutes=7))
    assert verified(lasting, at=NOW + timedelta(minutes=7), longest_ago=timedelta(minutes=10)).created == NOW
    ending = request(token=token(life=timedelta(hours=1)), life=timedelta(minutes=5))
    with pytest.raises(TrustError, match="good for minutes"):
        verified(ending, at=NOW + timedelta(minutes=7), longest_ago=timedelta(minutes=10))


def test_t08_a_token_for_another_service_is_refused() -> None:
    with pytest.raises(TrustError, match="another service"):
        verified(request(token=token(audience="https://ddv")))


def test_a_token_that_names_no_key_is_refused() -> None:
    with pytest.raises(TrustError, match="names no key"):
        verified(request(token=token(binds=False)))


@pytest.mark.parametrize("document", [b"", b"<html/>", request()[:-9], b"<!DOCTYPE a><a/>"])
def test_what_is_no_call_is_refused(document: bytes) -> None:
    with pytest.raises(GovfileError):
        verified(document)
