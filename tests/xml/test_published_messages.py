"""Messages that others published, where they lie beside the checkout: what a correct verifier says to each.

Their signers are believed here because they are pinned from the message itself: that shows digests and signature
values, not trust, which their authorities' certificates would have to show.
"""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509

from govfile.certificates.signer import SignatureAlgorithm
from govfile.certificates.trust import Trust
from govfile.errors import ProtocolError, TrustError
from govfile.xml.algorithms import Canonicalization, Digest
from govfile.xml.policy import Part, Policy, Signers, Window
from govfile.xml.verifying import verify
from support.repository import ROOT
from support.xml_messages import BODY_PATH, CARD_PATH, ENVELOPE_PATH, SAML, SECURITY_PATH, SOAP, WSA, WSU

if TYPE_CHECKING:
    from pathlib import Path

VECTORS = ROOT.parent / "shared" / "vectors" / "sosi"

pytestmark = pytest.mark.skipif(
    not VECTORS.is_dir(), reason="the published messages do not lie beside this checkout (../shared/vectors/sosi)"
)

TRUST_2005 = "http://schemas.xmlsoap.org/ws/2005/02/trust"
TRUST_13 = "http://docs.oasis-open.org/ws-sx/ws-trust/200512"
ACT_AS = "http://docs.oasis-open.org/ws-sx/ws-trust/200802"
REQUEST = (*BODY_PATH, f"{{{TRUST_2005}}}RequestSecurityToken", f"{{{TRUST_2005}}}Claims", CARD_PATH[-1])
CARDS = {
    "sts-request-1": (REQUEST, datetime(2020, 4, 4, 12, tzinfo=UTC)),
    "sts-response-1": (
        (
            *BODY_PATH,
            f"{{{TRUST_2005}}}RequestSecurityTokenResponse",
            f"{{{TRUST_2005}}}RequestedSecurityToken",
            CARD_PATH[-1],
        ),
        datetime(2020, 4, 1, 14, tzinfo=UTC),
    ),
    "sts-request-2": (
        (*BODY_PATH, f"{{{TRUST_13}}}RequestSecurityToken", f"{{{ACT_AS}}}ActAs", CARD_PATH[-1]),
        datetime(2020, 4, 1, 13, tzinfo=UTC),
    ),
    "seal-to-sts-organization-request": (REQUEST, datetime(2025, 8, 26, 14, tzinfo=UTC)),
}
ADDRESSING = tuple(
    (*ENVELOPE_PATH, f"{{{SOAP}}}Header", f"{{{WSA}}}{name}") for name in ("MessageID", "Action", "RelatesTo")
)
SHA1: dict[str, Any] = {
    "algorithms": frozenset({SignatureAlgorithm.RSA_SHA1_WHERE_DEMANDED}),
    "digests": frozenset({Digest.SHA1_WHERE_DEMANDED}),
}


def stripped(name: str) -> bytes:
    return _read(VECTORS / "stripped" / f"{name}.stripped.xml")


def published(name: str) -> bytes:
    return _read(VECTORS / "published" / f"{name}.xml")


def _read(path: Path) -> bytes:
    return path.read_bytes()


def signer_in(document: bytes) -> Signers:
    """The signer's certificate, from the signature itself."""
    signature = document[document.index(b"SignatureValue>") :]
    match = re.search(rb"X509Certificate>([^<]+)<", signature)
    assert match is not None
    return Signers(pinned=(x509.load_der_x509_certificate(base64.b64decode(match[1])),))


@pytest.mark.parametrize("name", CARDS)
def test_published_cards_are_valid_when_stripped(name: str) -> None:
    path, at = CARDS[name]
    document = stripped(name)
    policy = Policy.enveloped(path, signer_in(document), window=Window(), **SHA1)
    verified = verify(document, policy, at=at)
    assert verified.valid_from is not None
    assert verified.valid_until == verified.valid_from + timedelta(hours=24)
    assert verified.element.find_all("NameID")[0].text
    alone = Policy.enveloped(path[-1:], policy.signers, window=Window(), **SHA1)
    assert verify(verified.parts[0].original, alone, at=at).parts[0].content == verified.parts[0].content


@pytest.mark.parametrize("name", CARDS)
def test_published_cards_are_refused_as_published(name: str) -> None:
    """They were indented anew after signing."""
    path, at = CARDS[name]
    policy = Policy.enveloped(path, signer_in(stripped(name)), **SHA1)
    with pytest.raises(TrustError, match=r"digest|does not fit") as caught:
        verify(published(name), policy, at=at)
    assert "prettified" in caught.value.advice


@pytest.mark.parametrize("name", CARDS)
def test_sha1_of_published_cards_has_to_be_named(name: str) -> None:
    path, at = CARDS[name]
    with pytest.raises(TrustError, match="rsa-sha1"):
        verify(stripped(name), Policy.enveloped(path, signer_in(stripped(name))), at=at)


def test_the_answer_with_an_encrypted_assertion_is_signed_in_five_parts() -> None:
    document = stripped("sts-response-2")
    paths = (BODY_PATH, *ADDRESSING, (*SECURITY_PATH, f"{{{WSU}}}Timestamp"))
    policy = Policy(
        signature=SECURITY_PATH, parts=tuple(Part(path=path) for path in paths), signers=signer_in(document), **SHA1
    )
    verified = verify(document, policy, at=datetime(2020, 4, 1, 12, 20, tzinfo=UTC))
    assert [part.path for part in verified.parts] == list(paths)
    assert verified.element.find_all("EncryptedAssertion")
    with pytest.raises(TrustError):
        verify(published("sts-response-2"), policy, at=datetime(2020, 4, 1, 12, 20, tzinfo=UTC))


def test_the_bootstrap_token_is_valid_as_published() -> None:
    document = published("bootstrap-token")
    window = Window(begins_when_issued=True)
    policy = Policy.enveloped((f"{{{SAML}}}Assertion",), signer_in(document), window=window, **SHA1)
    end = datetime(2022, 5, 2, 15, 4, 13, tzinfo=UTC)
    assert verify(document, policy, at=end - timedelta(seconds=1)).valid_until == end
    with pytest.raises(TrustError, match="held until"):
        verify(document, policy, at=end + timedelta(minutes=1))


def test_the_broken_sample_and_the_empty_one_are_refused() -> None:
    _, at = CARDS["sts-request-1"]
    broken = Policy.enveloped(
        ("{urn:envelope}Envelope",),
        signer_in(stripped("sts-request-1")),
        canonicalizations=frozenset(Canonicalization),
    )
    with pytest.raises(TrustError):
        verify(published("signed"), broken, at=at)
    empty = Policy.enveloped(CARDS["sts-request-1"][0], broken.signers)
    with pytest.raises((TrustError, ProtocolError)):
        verify(published("empty-envelope"), empty, at=at)


def test_a_published_signer_leads_to_the_published_authorities() -> None:
    """OCES3, whose authorities sign certificates with RSASSA-PSS."""
    path, at = CARDS["seal-to-sts-organization-request"]
    folder = VECTORS / "certificates"
    authorities = b"".join((folder / f"oces3-test-{name}.pem").read_bytes() for name in ("issuing-ca1", "root"))
    trusted = Signers(trust=Trust.only(authorities))
    document = stripped("seal-to-sts-organization-request")
    verified = verify(document, Policy.enveloped(path, trusted, **SHA1), at=at)
    assert verified.certificate in signer_in(document).pinned
    older, then = CARDS["sts-request-1"]
    with pytest.raises(TrustError, match="does not lead to an anchor"):
        verify(stripped("sts-request-1"), Policy.enveloped(older, trusted, **SHA1), at=then)


def test_no_template_is_ever_valid() -> None:
    """Their signatures are dummies, and one of them is no XML."""
    templates = sorted((VECTORS / "templates").glob("*.xml"))
    assert templates
    signers = signer_in(stripped("sts-request-1"))
    for template in templates:
        document = template.read_bytes()
        for path in (CARD_PATH, *(path for path, _ in CARDS.values()), CARD_PATH[-1:], SECURITY_PATH):
            with pytest.raises((TrustError, ProtocolError)):
                verify(document, Policy.enveloped(path, signers, **SHA1), at=CARDS["sts-request-1"][1])


def test_the_pinned_signer_is_the_one_in_the_message() -> None:
    path, at = CARDS["sts-request-1"]
    policy = Policy.enveloped(path, signer_in(stripped("sts-response-1")), **SHA1)
    with pytest.raises(TrustError, match="pinned"):
        verify(stripped("sts-request-1"), policy, at=at)
