"""Signature wrapping (T-01): a forged message around genuine signed bytes is refused."""

from __future__ import annotations

import base64
import hashlib
import subprocess
from pathlib import Path

import attrs
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from lxml import etree

from govfile.errors import ProtocolError, TrustError
from govfile.xml.policy import Part, Policy, Signers
from govfile.xml.verifying import verify
from support import xml_messages as messages
from support.programs import require

VECTORS = Path(__file__).parent / "vectors"
ATTACKS = ("xsw1", "xsw2", "xsw3", "xsw4", "xsw5", "xsw6", "xsw7", "xsw8", "xsw10")
FORGED = b"99999999"


def policy(family: str) -> Policy:
    signers = Signers(pinned=(x509.load_pem_x509_certificate((VECTORS / "signer.txt").read_bytes()),))
    return messages.saml_policy(signers=signers) if family == "saml" else messages.card_policy(signers=signers)


@pytest.mark.parametrize("family", ["saml", "card"])
def test_t01_the_genuine_message_is_accepted(family: str) -> None:
    verified = verify((VECTORS / family / "genuine.xml").read_bytes(), policy(family), at=messages.NOW)
    assert b"10101010" in verified.parts[0].content
    assert verified.element.name == "Assertion"


@pytest.mark.parametrize("family", ["saml", "card"])
@pytest.mark.parametrize("attack", ATTACKS)
def test_t01_wrapped_message_is_refused(attack: str, family: str) -> None:
    document = (VECTORS / family / f"{attack}.xml").read_bytes()
    assert FORGED in document
    with pytest.raises((TrustError, ProtocolError)):
        verify(document, policy(family), at=messages.NOW)


@pytest.mark.parametrize("family", ["saml", "card"])
@pytest.mark.parametrize("attack", ATTACKS)
def test_t01_a_policy_that_allows_several_elements_still_returns_only_what_was_signed(attack: str, family: str) -> None:
    strict = policy(family)
    parts = tuple(attrs.evolve(part, is_only_one=False) for part in strict.parts)
    others = (strict.signature, strict.signature[:1])
    loose = attrs.evolve(strict, parts=parts, others=others)
    try:
        verified = verify((VECTORS / family / f"{attack}.xml").read_bytes(), loose, at=messages.NOW)
    except (TrustError, ProtocolError):
        return
    assert FORGED not in verified.parts[0].content
    assert FORGED not in verified.parts[0].original


@pytest.mark.parametrize("family", ["saml", "card"])
@pytest.mark.parametrize("attack", ["genuine", *(name for name in ATTACKS if name != "xsw7")])
def test_t01_the_vectors_fool_who_only_looks_up_the_id(attack: str, family: str) -> None:
    """Digest and signature value are right in each of them; what is forged is elsewhere."""
    root = etree.fromstring((VECTORS / family / f"{attack}.xml").read_bytes())
    (signature,) = root.iter(f"{{{messages.DS}}}Signature")
    reference = signature.find(".//{*}Reference")
    assert reference is not None
    named = reference.get("URI", "")[1:]
    (holder,) = [found for found in root.iter() if named in (found.get("ID"), found.get("id"))]
    value = base64.b64decode(signature.findtext("{*}SignatureValue") or "")
    key = x509.load_pem_x509_certificate((VECTORS / "signer.txt").read_bytes()).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    key.verify(value, etree.tostring(signature[0], method="c14n", exclusive=True), padding.PKCS1v15(), SHA256())
    for inner in holder.findall("{*}Signature"):
        holder.remove(inner)
    digest = hashlib.sha256(etree.tostring(holder, method="c14n", exclusive=True, with_tail=False)).digest()
    assert base64.b64encode(digest).decode() == reference.findtext("{*}DigestValue")


@pytest.mark.parametrize("family", ["saml", "card"])
@pytest.mark.parametrize("attack", ["genuine", "xsw2", "xsw3", "xsw4", "xsw5"])
def test_t01_the_vectors_verify_with_xmlsec1(attack: str, family: str) -> None:
    """It does not read signatures that hold foreign elements, and leaves out what an Object of the signature holds."""
    command = [require("xmlsec1"), "--verify", "--pubkey-cert-pem", str(VECTORS / "signer.txt")]
    for name in ("ID", "id"):
        command += [f"--id-attr:{name}", f"{messages.SAML}:Assertion"]
    file = str(VECTORS / family / f"{attack}.xml")
    answer = subprocess.run([*command, file], capture_output=True, text=True, timeout=60, check=False)
    assert answer.returncode == 0, answer.stderr


def test_t01_a_forged_body_with_the_signed_one_in_a_wrapper_is_refused() -> None:
    """The exchange's signature is detached: the original wrapping attack on SOAP."""
    root = etree.fromstring(messages.signed_exchange())
    body = root.find(f"{{{messages.SOAP}}}Body")
    assert body is not None
    forged = etree.fromstring(etree.tostring(body).replace(b"10101010", FORGED).replace(b'"body"', b'"forged"'))
    body.addprevious(forged)
    wrapper = etree.SubElement(root[0], "wrapper")
    wrapper.append(body)
    with pytest.raises(TrustError, match=r"more than one element Body|2 elements Body"):
        verify(etree.tostring(root), messages.exchange_policy(), at=messages.NOW)
    parts = tuple(Part(path=part.path, is_only_one=False) for part in messages.exchange_policy().parts)
    with pytest.raises(TrustError, match="not the expected one"):
        verify(etree.tostring(root), messages.exchange_policy(parts=parts), at=messages.NOW)
