"""Whose signature makes a card genuine, by which algorithms, and what is remembered of it."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from govfile.certificates.signer import SignatureAlgorithm
from govfile.certificates.trust import Trust
from govfile.errors import ConfigurationError, TrustError
from govfile.sosi import (
    StsTrust,
    cards,
    verify_card,
)
from support import fake_sts, pki
from support.id_cards import WANTED, callers, card, verified
from support.xml_messages import DS, NOW, authority, credential_of

VECTORS = Path(__file__).parents[1] / "xml" / "vectors"
# --- T-03 the wrong signer --------------------------------------------------------------------------------------


def test_t03_a_caller_does_not_sign_for_the_service() -> None:
    with pytest.raises(TrustError, match="not that of the signer"):
        verified(callers())


@pytest.mark.parametrize(
    ("common_name", "cvr"),
    [("SOSI Test Federation", "10101010"), ("NSP Test Service Consumer", "33257872"), ("SOSI Federation", "33257872")],
)
def test_t03_the_service_is_known_by_name_and_company(common_name: str, cvr: str) -> None:
    by = fake_sts.signer(common_name, cvr)
    with pytest.raises(TrustError, match="not that of the signer"):
        verified(card(by=by))
    assert verified(card(by=by), common_name=common_name, cvr=cvr).is_verified


def test_t03_another_authority_a_self_signed_and_an_expired_signer_are_refused() -> None:
    subject = pki.oces3(cvr="33257872", common_name="SOSI Test Federation")
    elsewhere = pki.Authority.create(pki.plain("elsewhere"), key=pki.rsa_key(8)).issue(subject)
    now = datetime.now(UTC)
    fresh = fake_sts.signed_card(cards.build(WANTED, fake_sts.employee(), at=now).xml, by=credential_of(elsewhere))
    with pytest.raises(TrustError, match="does not lead to an anchor"):
        verified(fresh, at=now)
    expired = credential_of(authority().expired(subject))
    with pytest.raises(TrustError, match="is valid from"):
        verified(fake_sts.signed_card(cards.build(WANTED, fake_sts.employee(), at=now).xml, by=expired), at=now)


def test_t03_a_signature_under_another_certificate_is_refused() -> None:
    theirs, ours = (
        base64.b64encode(who.certificate.public_bytes(Encoding.DER)) for who in (fake_sts.employee(), fake_sts.signer())
    )
    with pytest.raises(TrustError, match="does not fit"):
        verified(callers().replace(theirs, ours))


def test_t13_the_old_and_the_new_signer_are_believed_together() -> None:
    new = pki.Authority.create(
        pki.plain("new authority"), key=pki.rsa_key(8), not_before=NOW, not_after=NOW + timedelta(days=9)
    )
    subject = pki.oces3(cvr="33257872", common_name="SOSI Test Federation")
    signer = credential_of(new.issue(subject, not_before=NOW, not_after=NOW + timedelta(days=9)))
    both = Trust.only(authority().pem + new.pem)
    assert verified(card(), anchors=both).is_verified
    assert verified(card(by=signer), anchors=both).is_verified
    with pytest.raises(TrustError):
        verified(card(by=signer))
    pinned = StsTrust(pinned=(signer.certificate, fake_sts.signer().certificate))
    assert verify_card(card(by=signer), trust=pinned, at=NOW).is_verified
    assert verify_card(card(), trust=pinned, at=NOW).is_verified


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"anchors": Trust()}, "system's trust store"),
        ({"anchors": Trust(system=False)}, "no anchor and no pinned"),
        ({"common_name": ""}, "every company's certificate"),
        ({"cvr": ""}, "every company's certificate"),
    ],
)
def test_t03_a_trust_that_believes_nobody_or_anybody_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        fake_sts.trust(**changes)


# --- T-04 algorithms --------------------------------------------------------------------------------------------


def test_t04_sha1_counts_only_where_it_is_allowed() -> None:
    old = callers(algorithm=SignatureAlgorithm.RSA_SHA1_WHERE_DEMANDED)
    own = StsTrust(pinned=(fake_sts.employee().certificate,))
    with pytest.raises(TrustError, match="algorithm is not accepted: rsa-sha1"):
        verify_card(old, trust=own, at=NOW)
    assert verify_card(old, trust=attrs.evolve(own, allow_sha1=True), at=NOW).is_verified
    assert verify_card(callers(), trust=attrs.evolve(own, allow_sha1=True), at=NOW).is_verified


@pytest.mark.parametrize(
    "uri", [f"{DS}hmac-sha1", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256", "urn:none", ""]
)
def test_t04_other_algorithms_never_count(uri: str) -> None:
    changed = card().replace(b"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", uri.encode())
    with pytest.raises(TrustError, match="algorithm is not accepted"):
        verified(changed, allow_sha1=True)


def test_t04_the_digest_has_to_be_accepted_too() -> None:
    changed = card().replace(b"http://www.w3.org/2001/04/xmlenc#sha256", f"{DS}sha1".encode())
    with pytest.raises(TrustError, match="digest is not accepted"):
        verified(changed)


# --- what is remembered -----------------------------------------------------------------------------------------


def test_a_verdict_on_a_certificate_is_not_kept_beyond_its_time_nor_for_another_trust() -> None:
    short = credential_of(
        authority().issue(
            pki.oces3(cvr="33257872", common_name="SOSI Test Federation"),
            not_before=NOW - timedelta(days=1),
            not_after=NOW + timedelta(hours=1),
        )
    )
    xml = card(by=short)
    for _ in range(2):
        assert verified(xml, at=NOW).is_verified
        with pytest.raises(TrustError, match="is valid from"):
            verified(xml, at=NOW + timedelta(hours=1, seconds=1))
        with pytest.raises(TrustError, match="not that of the signer"):
            verified(xml, common_name="Another")
    assert verified(xml, at=NOW + timedelta(hours=1)).is_verified


def test_a_value_is_not_believed_for_a_signature_seen_before() -> None:
    assert verified(card()).role == "7170"
    signature = re.search(rb"<ds:SignatureValue>([^<]*)<", card())
    assert signature is not None
    other = base64.b64encode(b"\0" * 256)
    with pytest.raises(TrustError, match="does not fit"):
        verified(card().replace(signature[1], other))


def test_the_signature_is_what_cryptography_makes_of_it() -> None:
    """A second opinion without any of our XML code but canonicalisation by lxml."""
    root = etree.fromstring(card())
    info = root.find(f"{{{DS}}}Signature/{{{DS}}}SignedInfo")
    assert info is not None
    value = root.findtext(f"{{{DS}}}Signature/{{{DS}}}SignatureValue") or ""
    certificate = root.findtext(f".//{{{DS}}}X509Certificate") or ""
    key = x509.load_der_x509_certificate(base64.b64decode(certificate)).public_key()
    signed = etree.tostring(info, method="c14n", exclusive=True)
    key.verify(base64.b64decode(value), signed, padding.PKCS1v15(), SHA256())  # type: ignore[call-arg, union-attr, arg-type]
