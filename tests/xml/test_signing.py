"""Signing: where the signature goes, what it says about its key, and what is refused before anything is signed."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING

import attrs
import pytest
from lxml import etree

from govfile.certificates.credential import Credential
from govfile.certificates.signer import SignatureAlgorithm, SoftwareSigner
from govfile.errors import CredentialError, InvalidContent, ProtocolError, TrustError
from govfile.xml.algorithms import Digest
from govfile.xml.key_info import KeyInfo
from govfile.xml.policy import Coverage, Part, Policy, Signers
from govfile.xml.signing import Reference, sign
from govfile.xml.splicing import Place, splice
from govfile.xml.verifying import verify
from support import xml_messages as messages

if TYPE_CHECKING:
    from govfile.certificates.signer import PublicKey

SECURITY = Place(path=messages.SECURITY_PATH)
TOKEN_PROFILE = "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLID"
STR = f"""<wsse:SecurityTokenReference xmlns:wsse="{messages.WSSE}" xmlns:wsu="{messages.WSU}" wsu:Id="str1">\
<wsse:KeyIdentifier ValueType="{TOKEN_PROFILE}">_token</wsse:KeyIdentifier></wsse:SecurityTokenReference>""".encode()
TOKEN = (
    f'<saml:Assertion xmlns:saml="{messages.SAML}" ID="_token"><saml:Issuer>sts</saml:Issuer></saml:Assertion>'.encode()
)
TOKEN_PATH = messages.CARD_PATH


@attrs.define
class ElsewhereSigner:
    """A signer whose key is not at hand: it is handed bytes and notes what it is asked for."""

    behind: SoftwareSigner
    asked: list[tuple[bytes, SignatureAlgorithm]] = attrs.field(factory=list)

    @property
    def public_key(self) -> PublicKey:
        return self.behind.public_key

    def sign(self, data: bytes, algorithm: SignatureAlgorithm) -> bytes:
        self.asked.append((data, algorithm))
        return self.behind.sign(data, algorithm)

    def sign_digest(self, digest: bytes, algorithm: SignatureAlgorithm) -> bytes:
        raise AssertionError("not asked for")


def test_any_signer_signs_and_gets_the_canonical_signed_info() -> None:
    signer = ElsewhereSigner(SoftwareSigner(messages.identity("rsa").key))
    credential = Credential.from_signer(signer, messages.identity("rsa").certificate)
    document = messages.signed_card(who=credential)
    info = next(etree.fromstring(document).iter(f"{{{messages.DS}}}SignedInfo"))
    assert signer.asked == [(etree.tostring(info, method="c14n", exclusive=True), SignatureAlgorithm.RSA_SHA256)]
    assert verify(document, messages.card_policy(), at=messages.NOW).parts


def test_the_card_is_signed_as_its_profile_says() -> None:
    document = messages.signed_card()
    card = next(etree.fromstring(document).iter(f"{{{messages.SAML}}}Assertion"))
    signature = card[-1]
    assert (signature.tag, signature.get("id")) == (f"{{{messages.DS}}}Signature", "OCESSignature")
    reference = signature.find(".//{*}Reference")
    assert reference is not None
    assert reference.get("URI") == "#IDCard"
    assert [found.get("Algorithm") for found in signature.iter() if found.get("Algorithm")] == [
        "http://www.w3.org/2001/10/xml-exc-c14n#",
        "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
        "http://www.w3.org/2000/09/xmldsig#enveloped-signature",
        "http://www.w3.org/2001/10/xml-exc-c14n#",
        "http://www.w3.org/2001/04/xmlenc#sha256",
    ]
    assert len(signature.findall(".//{*}X509Certificate")) == 1


def test_sha1_is_used_only_when_it_is_named() -> None:
    old = messages.signed_card(algorithm=SignatureAlgorithm.RSA_SHA1_WHERE_DEMANDED)
    assert b"xmldsig#rsa-sha1" in old
    assert b"xmldsig#sha1" in old
    mixed = messages.signed_card(algorithm=SignatureAlgorithm.RSA_SHA1_WHERE_DEMANDED, digest=Digest.SHA256)
    assert b"xmldsig#sha1" not in mixed
    for kind in ("rsa", "ec"):
        assert b"sha1" not in messages.signed_card(who=messages.credential(kind))


# --- tokens ---------------------------------------------------------------------------------------------------------


def with_token(document: bytes = messages.EXCHANGE, token: bytes = TOKEN, reference: bytes = STR) -> bytes:
    return splice(document, token + reference, SECURITY)


def signed_with_token(document: bytes) -> bytes:
    references = [Reference(id="body"), Reference(id="str1", is_token=True)]
    return sign(document, messages.credential(), references, SECURITY, key_info=KeyInfo.token("_token"))


def token_policy(pinned: bool = True) -> Policy:
    parts = (Part(path=messages.BODY_PATH), Part(path=TOKEN_PATH, coverage=Coverage.BY_REFERENCE))
    known = Signers(pinned=(messages.identity("rsa").certificate,)) if pinned else messages.signers()
    return messages.exchange_policy(parts=parts, signers=known)


def test_a_token_is_signed_in_place_of_the_reference_to_it() -> None:
    document = signed_with_token(with_token())
    # SOAP Message Security, section 8.3: where no default namespace is in scope, the token says so
    digested = TOKEN.replace(b"<saml:Assertion", b'<saml:Assertion xmlns=""')
    assert base64.b64encode(hashlib.sha256(digested).digest()) in document
    verified = verify(document, token_policy(), at=messages.NOW)
    token = verified.part(TOKEN_PATH)
    assert token is not None
    assert token.element.find_all("Issuer")[0].text == "sts"
    with pytest.raises(TrustError, match="digest"):
        verify(document.replace(b">sts<", b">me<"), token_policy(), at=messages.NOW)


def test_a_default_namespace_in_scope_is_part_of_the_token() -> None:
    document = signed_with_token(
        with_token(messages.EXCHANGE.replace(b"<soap:Envelope", b'<soap:Envelope xmlns="urn:d"'))
    )
    digested = TOKEN.replace(b"<saml:Assertion", b'<saml:Assertion xmlns="urn:d"')
    assert base64.b64encode(hashlib.sha256(digested).digest()) in document
    assert verify(document, token_policy(), at=messages.NOW).part(TOKEN_PATH)


def test_a_token_named_by_a_uri_is_found_too() -> None:
    reference = re.sub(rb"<wsse:KeyIdentifier.*</wsse:KeyIdentifier>", b'<wsse:Reference URI="#_token"/>', STR)
    assert verify(signed_with_token(with_token(reference=reference)), token_policy(), at=messages.NOW).part(TOKEN_PATH)


def test_a_signature_without_certificate_needs_a_pinned_one() -> None:
    with pytest.raises(TrustError, match="carries no certificate"):
        verify(signed_with_token(with_token()), token_policy(pinned=False), at=messages.NOW)


def test_a_token_and_a_reference_are_not_taken_for_each_other() -> None:
    as_element = sign(with_token(), messages.credential(), [Reference(id="body"), Reference(id="str1")], SECURITY)
    with pytest.raises(TrustError, match="not the expected one"):
        verify(as_element, token_policy(), at=messages.NOW)
    plain = sign(with_token(), messages.credential(), [Reference(id="body"), Reference(id="_token")], SECURITY)
    with pytest.raises(TrustError, match="in another way"):
        verify(plain, token_policy(), at=messages.NOW)


def test_a_reference_that_was_turned_to_another_token_is_refused() -> None:
    document = signed_with_token(with_token()).replace(b'ID="_token"', b'ID="_other"')
    with pytest.raises(TrustError, match="leads nowhere"):
        verify(document, token_policy(), at=messages.NOW)


# --- what is said about the key -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key_info", "written"),
    [
        (KeyInfo.name("a<b"), b"<ds:KeyInfo><ds:KeyName>a&lt;b</ds:KeyName></ds:KeyInfo>"),
        (KeyInfo.nothing(), b"</ds:SignatureValue></ds:Signature>"),
        (KeyInfo.token("_token"), b'<wsse:KeyIdentifier ValueType="%s">_token</' % TOKEN_PROFILE.encode()),
    ],
)
def test_the_key_can_be_named_in_other_ways(key_info: KeyInfo, written: bytes) -> None:
    document = messages.signed_card(key_info=key_info)
    assert written in document
    pinned = Signers(pinned=(messages.identity("rsa").certificate,))
    assert verify(document, messages.card_policy(signers=pinned), at=messages.NOW).parts


# --- refused before signing -----------------------------------------------------------------------------------------

ENVELOPED = [Reference(id="IDCard", is_enveloped=True)]
CARD = Place(path=messages.CARD_PATH)
REFUSED: dict[str, tuple[list[Reference], Place, str]] = {
    "nothing to sign": ([], CARD, "at least one reference"),
    "an id that is not there": ([Reference(id="other")], SECURITY, "no element with the id"),
    "an id XML does not allow": ([Reference(id='a" b')], SECURITY, "not an id"),
    "a place that is not there": (ENVELOPED, Place(path=("{urn:x}y",)), "0 elements"),
    "an element to follow that is not there": (ENVELOPED, Place(path=messages.CARD_PATH, after="x"), "behind"),
    "a signature inside what it signs": ([Reference(id="IDCard")], CARD, "inside"),
    "a signature outside its envelope": (ENVELOPED, SECURITY, "outside"),
    "a reference to no token": ([Reference(id="IDCard", is_token=True)], SECURITY, "refer to an assertion"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_signed_is_said_before_signing(what: str) -> None:
    references, place, said = REFUSED[what]
    with pytest.raises(InvalidContent, match=said):
        sign(messages.CARD_ENVELOPE, messages.credential(), references, place)


def test_a_key_of_the_other_kind_is_refused() -> None:
    with pytest.raises(CredentialError, match="ecdsa"):
        messages.signed_card(algorithm=SignatureAlgorithm.ECDSA_SHA256)


@pytest.mark.parametrize("document", [b"", b"<a>", b"<!DOCTYPE a><a/>", b"<a><?x?></a>", b'<a id="x"><b ID="x"/></a>'])
def test_a_document_that_could_not_be_verified_is_not_signed(document: bytes) -> None:
    with pytest.raises(ProtocolError):
        sign(document, messages.credential(), [Reference(id="")], Place(path=("a",)))
