"""Cards that others published, where they lie beside the checkout: believed as signed, refused as re-indented.

Their signers are pinned from the messages themselves: that shows digests and values, not trust.
"""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from govfile.errors import GovfileError, ProtocolError, TrustError
from govfile.sosi import CardType, CareProvider, StsTrust, read_card, verify_card
from govfile.sosi.constants import ASSERTION, SOAP, WSSE, WST14, WST_2005
from govfile.sosi.constants import WST as WST_13
from govfile.xml.unsigned import read_unsigned
from support.repository import ROOT

VECTORS = ROOT.parent / "shared" / "vectors" / "sosi"

pytestmark = pytest.mark.skipif(
    not VECTORS.is_dir(), reason="the published messages do not lie beside this checkout (../shared/vectors/sosi)"
)

BODY = (f"{{{SOAP}}}Envelope", f"{{{SOAP}}}Body")
REQUEST = (*BODY, f"{{{WST_2005}}}RequestSecurityToken", f"{{{WST_2005}}}Claims", ASSERTION)
RESPONSE = (*BODY, f"{{{WST_2005}}}RequestSecurityTokenResponse", f"{{{WST_2005}}}RequestedSecurityToken", ASSERTION)
EXCHANGE = (*BODY, f"{{{WST_13}}}RequestSecurityToken", f"{{{WST14}}}ActAs", ASSERTION)
HEADER = (f"{{{SOAP}}}Envelope", f"{{{SOAP}}}Header", f"{{{WSSE}}}Security", ASSERTION)
CARDS = {
    "sts-request-1": (REQUEST, datetime(2020, 4, 4, 9, 41, 32, tzinfo=UTC)),
    "sts-response-1": (RESPONSE, datetime(2020, 4, 1, 13, 37, 48, tzinfo=UTC)),
    "sts-request-2": (EXCHANGE, None),
    "seal-to-sts-organization-request": (REQUEST, datetime(2025, 8, 26, 13, 47, 44, tzinfo=UTC)),
}


def stripped(name: str) -> bytes:
    return (VECTORS / "stripped" / f"{name}.stripped.xml").read_bytes()


def signer_of(document: bytes, *, allow_sha1: bool = True) -> StsTrust:
    """Pinned: the certificate in the message."""
    match = re.search(rb"X509Certificate>([^<]+)<", document)
    assert match is not None
    certificate = x509.load_der_x509_certificate(base64.b64decode(match[1]))
    return StsTrust(pinned=(certificate,), allow_sha1=allow_sha1)


def begin_of(name: str) -> datetime:
    _path, begin = CARDS[name]
    if begin is not None:
        return begin
    match = re.search(rb'NotBefore="([^"]+)"', stripped(name))
    assert match is not None
    return datetime.fromisoformat(match[1].decode())


@pytest.mark.parametrize("name", CARDS)
def test_a_published_card_is_valid_at_its_time_under_its_signer(name: str) -> None:
    document = stripped(name)
    begin = begin_of(name)
    card = verify_card(document, trust=signer_of(document), at=begin + timedelta(hours=1), path=CARDS[name][0])
    assert (card.valid_from, card.expires) == (begin, begin + timedelta(hours=24))
    assert verify_card(card.xml, trust=signer_of(document), at=begin) == card
    assert read_card(card.xml) == card
    for at in (begin - timedelta(minutes=1), card.expires + timedelta(minutes=1)):
        with pytest.raises(TrustError, match=r"holds from|held until"):
            verify_card(card.xml, trust=signer_of(document), at=at)


@pytest.mark.parametrize("name", CARDS)
def test_t04_a_published_card_is_refused_where_sha1_is_not_allowed(name: str) -> None:
    document = stripped(name)
    with pytest.raises(TrustError, match="rsa-sha1"):
        verify_card(document, trust=signer_of(document, allow_sha1=False), at=begin_of(name), path=CARDS[name][0])


@pytest.mark.parametrize("name", CARDS)
def test_a_card_that_was_reindented_for_publishing_is_refused(name: str) -> None:
    document = (VECTORS / "published" / f"{name}.xml").read_bytes()
    trust = signer_of(stripped(name))
    with pytest.raises(TrustError):
        verify_card(document, trust=trust, at=begin_of(name), path=CARDS[name][0])


def test_the_services_card_names_the_certificate_of_its_user() -> None:
    document = stripped("sts-response-1")
    card = verify_card(document, trust=signer_of(document), at=begin_of("sts-response-1"), path=RESPONSE)
    assert (card.issuer, card.type, card.level) == ("TEST1-NSP-STS", CardType.USER, 4)
    assert (card.role, card.authorisation_code, card.occupation) == ("7170", "J0184", "Overtester")
    assert (card.it_system, card.name_id_format) == ("SOSITEST", "medcom:other")
    assert card.care_provider == CareProvider.cvr("20921897", "TRIFORK A/S")
    assert card.names_certificate
    assert "CVR:33257872-FID:" in str(card.signer.subject.rfc4514_string())


def test_a_systems_card_made_by_another_library() -> None:
    name = "seal-to-sts-organization-request"
    document = stripped(name)
    card = verify_card(document, trust=signer_of(document), at=begin_of(name), path=REQUEST)
    assert (card.type, card.level, card.it_system) == (CardType.SYSTEM, 3, "Service Consumer Test")
    assert (card.name_id, card.cpr, card.role) == ("33257872", None, None)
    assert not card.names_certificate


def test_the_service_does_not_vouch_for_what_callers_sign() -> None:
    with pytest.raises(TrustError, match="pinned"):
        verify_card(
            stripped("sts-request-1"),
            trust=signer_of(stripped("sts-response-1")),
            at=begin_of("sts-request-1"),
            path=REQUEST,
        )


@pytest.mark.parametrize("template", sorted(path.name for path in (VECTORS / "templates").glob("*.xml")))
def test_templates_can_be_read_and_are_never_valid(template: str) -> None:
    document = (VECTORS / "templates" / template).read_bytes()
    if template == "dgws-invalid.xml":
        with pytest.raises(ProtocolError):
            read_unsigned(document)
    else:
        assert read_unsigned(document).name in {BODY[0], ASSERTION}
    trust = signer_of(stripped("sts-request-1"))
    for path in (REQUEST, RESPONSE, EXCHANGE, HEADER):
        with pytest.raises(GovfileError):
            verify_card(document, trust=trust, at=begin_of("sts-request-1"), path=path)


@pytest.mark.parametrize("name", ["signed", "empty-envelope", "bootstrap-token"])
def test_other_published_messages_are_no_cards(name: str) -> None:
    document = Path(VECTORS / "published" / f"{name}.xml").read_bytes()
    for path in ((ASSERTION,), REQUEST, HEADER):
        with pytest.raises(GovfileError):
            verify_card(document, trust=signer_of(stripped("sts-request-1")), at=begin_of("sts-request-1"), path=path)
