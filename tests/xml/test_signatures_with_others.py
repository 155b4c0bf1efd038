"""Signatures that others verify, and signatures of others: xmlsec1 (a program) and signxml (a package)."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from lxml import etree
from signxml.algorithms import CanonicalizationMethod
from signxml.signer import XMLSigner
from signxml.verifier import SignatureConfiguration, XMLVerifier

from govfile.certificates.signer import SignatureAlgorithm
from govfile.errors import TrustError
from govfile.xml.algorithms import Canonicalization, Digest
from govfile.xml.key_info import KeyInfo
from govfile.xml.policy import Part, Policy
from govfile.xml.signing import Reference, sign
from govfile.xml.splicing import Place
from govfile.xml.verifying import verify
from support import pki
from support import xml_messages as messages
from support.programs import require

if TYPE_CHECKING:
    from pathlib import Path

#: Namespaces inherited, bound anew, undone, unused and used in values only; comments, CDATA, line ends, quotes.
TRICKY = """<?xml version="1.0"?>
<!-- before -->
<r xmlns="urn:d" xmlns:a="urn:a" xmlns:u="urn:unused" xmlns:q="urn:q" xml:lang="da" xml:space="preserve">
 <a:head><a:part xmlns:b="urn:a" Id="part" b:z="1" a:y='2 "two" &lt; &#9;&#10;&#13;' x="q:name">text &amp; more&#13;
  <inner xmlns=""><deep xmlns="urn:d" xmlns:a="urn:other" a:k="1"/><b:same/></inner><!-- comment --><?none?>
  <![CDATA[<cdata> & ]]><a:empty></a:empty><æøå>ß €</æøå></a:part></a:head>
 <a:security/>
</r>
<!-- after -->""".replace("<?none?>", "").encode()
SECURITY = Place(path=("{urn:d}r", "{urn:a}security"))
PART = ("{urn:d}r", "{urn:a}head", "{urn:a}part")
EVERY = frozenset(Canonicalization)


def accepted_by_xmlsec1(document: bytes, folder: Path, kind: str = "rsa", *, ids: tuple[str, ...] = ()) -> bool:
    (folder / "message.xml").write_bytes(document)
    (folder / "root.pem").write_bytes(messages.authority().pem)
    command = [require("xmlsec1"), "--verify", "--trusted-pem", str(folder / "root.pem")]
    for name in ids:
        command += [f"--id-attr:{name.partition(' ')[0]}", name.partition(" ")[2]]
    answer = subprocess.run(
        [*command, str(folder / "message.xml")], capture_output=True, text=True, timeout=60, check=False
    )
    assert answer.returncode == 0 or "FAIL" in answer.stderr, answer.stderr
    return answer.returncode == 0


IDS = (
    f"ID {messages.SAML}:Assertion",
    f"id {messages.SAML}:Assertion",
    "Id urn:a:part",
    f"ID {messages.SAMLP}:Response",
)
EXCHANGE_IDS = (f"Id {messages.WSA}:Action", f"Id {messages.WSU}:Timestamp", f"Id {messages.SOAP}:Body")


@pytest.mark.parametrize("algorithm", SignatureAlgorithm)
def test_every_algorithm_is_accepted_by_xmlsec1(algorithm: SignatureAlgorithm, tmp_path: Path) -> None:
    kind = "ec" if algorithm.value.startswith("ecdsa") else "rsa"
    document = messages.signed_card(who=messages.credential(kind), algorithm=algorithm)
    named = {"algorithms": frozenset({algorithm}), "digests": frozenset(Digest)}
    assert verify(document, messages.card_policy(**named), at=messages.NOW).parts
    if algorithm.value.startswith("rsa-pss"):
        return  # xmlsec1 1.2 does not know them; signxml judges them below
    assert accepted_by_xmlsec1(document, tmp_path, ids=IDS)
    assert not accepted_by_xmlsec1(document.replace(b"kort-1", b"kort-2"), tmp_path, ids=IDS)


@pytest.mark.parametrize("digest", Digest)
def test_every_digest_is_accepted_by_xmlsec1(digest: Digest, tmp_path: Path) -> None:
    document = messages.signed_response(digest=digest)
    assert verify(document, messages.saml_policy(digests=frozenset({digest})), at=messages.NOW).parts
    assert accepted_by_xmlsec1(document, tmp_path, ids=IDS)


def test_several_references_are_accepted_by_xmlsec1(tmp_path: Path) -> None:
    document = messages.signed_exchange()
    assert [part.path for part in verify(document, messages.exchange_policy(), at=messages.NOW).parts] == [
        messages.BODY_PATH,
        messages.ACTION_PATH,
        messages.STAMP_PATH,
    ]
    assert accepted_by_xmlsec1(document, tmp_path, ids=EXCHANGE_IDS)
    assert not accepted_by_xmlsec1(document.replace(b"urn:ask", b"urn:tell"), tmp_path, ids=EXCHANGE_IDS)


@pytest.mark.parametrize("prefixes", [(), ("q",), ("u", "q"), ("#default",), ("#default", "a", "nowhere")])
@pytest.mark.parametrize("method", Canonicalization)
@pytest.mark.parametrize("info", Canonicalization)
def test_every_canonicalisation_is_accepted_by_xmlsec1(
    method: Canonicalization, info: Canonicalization, prefixes: tuple[str, ...], tmp_path: Path
) -> None:
    """A part that inherits, rebinds and undoes namespaces, digested each way; `SignedInfo` stands among them too."""
    if prefixes and (info is not Canonicalization.EXCLUSIVE or not method.is_exclusive):
        return
    reference = Reference(id="part", canonicalization=method, prefixes=prefixes)
    document = sign(TRICKY, messages.credential(), [reference], SECURITY, canonicalization=info)
    policy = Policy(
        signature=SECURITY.path,
        parts=(Part(path=PART, is_only_one=False),),
        signers=messages.signers(),
        canonicalizations=EVERY,
    )
    assert verify(document, policy, at=messages.NOW).parts
    assert accepted_by_xmlsec1(document, tmp_path, ids=IDS)


def test_the_whole_document_is_accepted_by_xmlsec1(tmp_path: Path) -> None:
    root = Place(path=messages.RESPONSE_PATH)
    document = sign(messages.RESPONSE, messages.credential(), [Reference(id="", is_enveloped=True)], root)
    policy = Policy.enveloped(messages.RESPONSE_PATH, messages.signers())
    assert verify(document, policy, at=messages.NOW).element.name == "Response"
    assert accepted_by_xmlsec1(document, tmp_path)


def signxml_accepts(document: bytes, kind: str = "rsa", references: int = 1) -> bytes:
    """The canonical bytes that signxml found signed, the last one's of several; it raises otherwise."""
    expected = SignatureConfiguration(expect_references=references)
    certificate = messages.identity(kind).pem.decode()
    found = XMLVerifier().verify(document, x509_cert=certificate, expect_config=expected)
    return bytes((found[-1] if isinstance(found, list) else found).signed_data)


@pytest.mark.parametrize(
    "algorithm", [found for found in SignatureAlgorithm if found is not SignatureAlgorithm.RSA_SHA1_WHERE_DEMANDED]
)
def test_every_algorithm_is_accepted_by_signxml(algorithm: SignatureAlgorithm) -> None:
    """And it says that the same bytes were signed."""
    kind = "ec" if algorithm.value.startswith("ecdsa") else "rsa"
    place = Place(path=messages.ASSERTION_PATH, after=messages.ISSUER)
    reference = [Reference(id="_assertion", is_enveloped=True)]
    document = sign(messages.RESPONSE, messages.credential(kind), reference, place, algorithm=algorithm)
    verified = verify(document, messages.saml_policy(), at=messages.NOW)
    assert signxml_accepts(document, kind) == verified.parts[0].content


def test_several_references_are_accepted_by_signxml() -> None:
    assert b"10101010" in signxml_accepts(messages.signed_exchange(), references=3)


def made_by_signxml(document: bytes, uri: str, kind: str, **options: Any) -> bytes:
    who = messages.identity(kind)
    if kind == "ec":
        options["signature_algorithm"] = "ecdsa-sha256"
    signer = XMLSigner(c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0, **options)
    signed = signer.sign(
        etree.fromstring(document), key=who.key, cert=who.pem.decode(), reference_uri=uri, always_add_key_value=False
    )
    return bytes(etree.tostring(signed))


@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_signatures_of_signxml_are_accepted(kind: str) -> None:
    placeholder = b'<ds:Signature xmlns:ds="%s" Id="placeholder"/>' % messages.DS.encode()
    prepared = messages.RESPONSE.replace(
        b"</saml:Issuer><saml:Subject>", b"</saml:Issuer>%s<saml:Subject>" % placeholder
    )
    document = made_by_signxml(prepared, "_assertion", kind)
    assert verify(document, messages.saml_policy(), at=messages.NOW).element.name == "Assertion"
    with pytest.raises(TrustError, match="digest"):
        verify(document.replace(b"anna.", b"emma."), messages.saml_policy(), at=messages.NOW)


TEMPLATE = (
    '<ds:Signature xmlns:ds="{ds}"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="{exclusive}">'
    '<ec:InclusiveNamespaces xmlns:ec="{exclusive}" PrefixList="ds saml"/></ds:CanonicalizationMethod>'
    '<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#{method}"/><ds:Reference URI="#IDCard">'
    '<ds:Transforms><ds:Transform Algorithm="{ds}enveloped-signature"/><ds:Transform Algorithm="{exclusive}">'
    '<ec:InclusiveNamespaces xmlns:ec="{exclusive}" PrefixList="medcom #default"/></ds:Transform></ds:Transforms>'
    '<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue/></ds:Reference>'
    "</ds:SignedInfo>\n<ds:SignatureValue/>\n<ds:KeyInfo><ds:X509Data/></ds:KeyInfo></ds:Signature>"
)


@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_signatures_of_xmlsec1_are_accepted(kind: str, tmp_path: Path) -> None:
    """With line breaks in Base64 and lists of prefixes, as it writes them."""
    who = messages.identity(kind)
    template = TEMPLATE.format(
        ds=messages.DS,
        exclusive=Canonicalization.EXCLUSIVE.value,
        method=f"{'ecdsa' if kind == 'ec' else 'rsa'}-sha256",
    )
    (tmp_path / "template.xml").write_bytes(
        messages.CARD_ENVELOPE.replace(b"</saml:Assertion>", template.encode() + b"</saml:Assertion>")
    )
    (tmp_path / "key.pem").write_bytes(who.key_pem())
    (tmp_path / "certificate.pem").write_bytes(who.pem)
    command = [require("xmlsec1"), "--sign", "--output", str(tmp_path / "signed.xml")]
    command += ["--privkey-pem", f"{tmp_path / 'key.pem'},{tmp_path / 'certificate.pem'}"]
    command += ["--id-attr:id", f"{messages.SAML}:Assertion", str(tmp_path / "template.xml")]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    document = (tmp_path / "signed.xml").read_bytes()
    assert verify(document, messages.card_policy(), at=messages.NOW).element.name == "Assertion"
    with pytest.raises(TrustError, match="digest"):
        verify(document.replace(b"kort-1", b"kort-2"), messages.card_policy(), at=messages.NOW)


@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_base64_has_no_line_breaks_and_all_else_stays(kind: str) -> None:
    document = messages.signed_card(who=messages.credential(kind), key_info=KeyInfo.chain())
    match = re.search(rb'<ds:Signature xmlns:ds="[^"]*" id="OCESSignature">.*</ds:Signature>', document, re.DOTALL)
    assert match is not None
    assert not re.search(rb"[\r\n]|&#", match[0])
    assert document.replace(match[0], b"") == messages.CARD_ENVELOPE
    assert document.count(b"<ds:X509Certificate>") == 2


def test_a_key_of_512_bits_and_more_writes_both_numbers_whole() -> None:
    from cryptography.hazmat.primitives.asymmetric import ec

    who = messages.authority().issue(key=pki.ec_key(9, ec.SECP521R1))
    credential = messages.credential_of(who)
    document = messages.signed_card(who=credential, algorithm=SignatureAlgorithm.ECDSA_SHA512)
    at = who.certificate.not_valid_before_utc
    assert verify(document, Policy.enveloped(messages.CARD_PATH, messages.signers()), at=at).parts
    cut = re.sub(rb"(<ds:SignatureValue>)[^<]{8}", rb"\1", document)
    with pytest.raises(TrustError, match="wrong length"):
        verify(cut, Policy.enveloped(messages.CARD_PATH, messages.signers()), at=at)
