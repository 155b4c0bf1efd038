"""Answers the real test service gave, where they lie beside the checkout: they parse and verify at their time.

Their signer is pinned from the message itself: that shows digests, signature values and reading, not trust.
"""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509

from govfile.errors import GovfileError, ProtocolError, TrustError
from govfile.sosi.assertions import read_assertion
from govfile.sosi.audience import Audience
from govfile.sosi.cards import verify_card
from govfile.sosi.envelope import Request
from govfile.sosi.faults import rejected
from govfile.sosi.response import Answer, card_answer, exchange_answer
from govfile.sosi.trust import StsTrust
from govfile.xml.soap import SoapMessage, read_soap
from support.repository import ROOT

VECTORS = ROOT.parent / "shared" / "vectors" / "sosi"
AT = datetime(2020, 4, 1, 12, 19, 10, tzinfo=UTC)

pytestmark = pytest.mark.skipif(
    not VECTORS.is_dir(), reason="the published messages do not lie beside this checkout (../shared/vectors/sosi)"
)


def message(name: str) -> SoapMessage:
    content = re.sub(rb"<!--.*?-->", b"", (VECTORS / name).read_bytes(), flags=re.DOTALL).strip()
    return read_soap(content, content_type="text/xml", status=200)


def pinned(found: SoapMessage, *, allow_sha1: bool = True) -> StsTrust:
    match = re.search(rb"<ds:X509Certificate>([^<]*)<", found.xml)
    assert match
    certificate = x509.load_der_x509_certificate(base64.b64decode(match[1]))
    return StsTrust(pinned=(certificate,), allow_sha1=allow_sha1)


def asked(**changes: Any) -> Request:
    audience = Audience.parse(changes.pop("audience", "https://saml.test1.fmk.netic.dk/fmk/"))
    fields = {
        "message_id": "urn:uuid:52dc78f6-d8e7-4585-9d36-9f96d17d2daa",
        "context": "urn:uuid:bb2fa05f-dc3b-4691-ae2f-9d4e732b02aa",
        **changes,
    }
    return Request(body=b"", audience=audience, **fields)


def answer(name: str = "stripped/sts-response-2.stripped.xml", *, at: datetime = AT, **changes: Any) -> Answer:
    found = message(name)
    return exchange_answer(
        found, asked(**changes), trust=pinned(found), at=at, skew=timedelta(minutes=5), demands_signature=True
    )


def test_a_signed_card_is_read_and_verified() -> None:
    found = message("stripped/sts-response-1.stripped.xml")
    request = Request(body=b"", message_id="", context="www.sosi.dk")
    card = card_answer(found, request)
    verified = verify_card(card, trust=pinned(found), at=datetime(2020, 4, 1, 14, tzinfo=UTC))
    assert (verified.issuer, verified.level, verified.role) == ("TEST1-NSP-STS", 4, "7170")
    assert verified.names_certificate
    with pytest.raises(TrustError):
        verify_card(card, trust=pinned(found, allow_sha1=False), at=datetime(2020, 4, 1, 14, tzinfo=UTC))


def test_an_encrypted_assertion_comes_out_of_its_signed_answer() -> None:
    found = answer()
    assert found.is_encrypted
    assert (found.valid_from, found.expires) == (
        datetime(2020, 4, 1, 12, 14, 4, tzinfo=UTC),
        datetime(2020, 4, 2, 0, 19, 4, tzinfo=UTC),
    )
    assert found.xml.startswith(b"<saml:EncryptedAssertion xmlns:")
    assert found.signer is not None
    assert "SOSI Test Federation" in found.signer.subject.rfc4514_string()


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"message_id": "urn:uuid:x"}, ProtocolError),
        ({"context": "urn:uuid:x"}, ProtocolError),
        ({"audience": "https://saml.test1.fmk.netic.dk/fmk"}, TrustError),
    ],
)
def test_t09_it_answers_nobody_else(changes: dict[str, Any], kind: type[GovfileError]) -> None:
    with pytest.raises(kind):
        answer(**changes)


def test_w07_it_answers_at_its_time_alone() -> None:
    with pytest.raises(TrustError, match="the clocks differ"):
        answer(at=AT + timedelta(minutes=6))


@pytest.mark.parametrize("name", ["sts-response-2"])
def test_what_was_indented_after_signing_is_refused(name: str) -> None:
    with pytest.raises(TrustError, match=r"digest|does not fit"):
        answer(f"published/{name}.xml")


@pytest.mark.parametrize(
    ("name", "code", "actor"),
    [
        ("IDCardToOIOSaml__OIO_WS-Trust_error_response", "FailedAuthentication", "http://sosi.dk/sts"),
        ("OIOSamlToIDCard__OIO_WS-Trust_error_response", "FailedAuthentication", "http://sosi.dk/sts"),
        ("idwsh-examples__OIO_WS-Trust_error_response", "FailedAuthentication", "http://sosi.dk/sts"),
        ("stserrorreply", "InvalidRequest", "http://www.sosists.dk/sts"),
    ],
)
def test_w02_published_faults_are_read(name: str, code: str, actor: str) -> None:
    found = message(f"templates/{name}.xml")
    assert found.fault is not None
    error = rejected(found.fault, operation="issue", endpoint="sts")
    assert (error.code, error.actor) == (code, actor)


@pytest.mark.parametrize(
    "name",
    [
        "IDCardToOIOSaml__OIO_WS-Trust_response",
        "OIOSamlToIDCard__OIO_WS-Trust_response",
        "idwsh-examples__OIO_WS-Trust_response",
    ],
)
def test_samples_with_dummy_signatures_are_never_believed(name: str) -> None:
    found = message(f"templates/{name}.xml")
    trust = pinned(message("stripped/sts-response-2.stripped.xml"))
    with pytest.raises((TrustError, ProtocolError)):
        exchange_answer(found, asked(), trust=trust, at=AT, skew=timedelta(minutes=5), demands_signature=True)


def test_a_published_identity_token_is_read() -> None:
    xml = (VECTORS / "templates" / "idwsh-examples__IDWS-H_Identity_Token.xml").read_bytes()
    found = read_assertion(xml)
    assert found.audiences == ("http://fmk-online.dk",)
    assert found.value("dk:healthcare:saml:attribute:UserEducationCode") == "7170"
    assert found.expires - found.valid_from == timedelta(minutes=5) if found.valid_from else False
    assert found.needs_holder
    assert found.holder is None


def test_a_published_bootstrap_token_is_read() -> None:
    found = read_assertion((VECTORS / "published" / "bootstrap-token.xml").read_bytes())
    assert found.audiences == ("https://bootstrap.sts.nspop.dk/",)
    assert found.expires == datetime(2022, 5, 2, 15, 4, 13, tzinfo=UTC)
