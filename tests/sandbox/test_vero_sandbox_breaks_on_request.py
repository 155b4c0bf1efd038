"""Every switch of the Finnish sandbox's faults does what it says, and goes off again."""

from __future__ import annotations

import base64
import http.client
import ssl
import struct
import zlib
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from lxml import etree

from govfile.sandbox.pki import ServerCertificate
from govfile.sandbox.vero import (
    Damage,
    Faults,
    Forged,
    Lost,
    SandboxClock,
    SoapFault,
    Spoilt,
    VeroSandbox,
    Wrong,
    throw_away,
)
from govfile.sandbox.vero.throw_away import Authority
from support.vero_customer import DS, ID, NAME, Customer, holds, key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

START = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
UNKNOWN = "0" * 32
LINK_LOST = (http.client.HTTPException, ConnectionError, ssl.SSLError)


@pytest.fixture
def customer() -> Iterator[Customer]:
    """A customer of a sandbox whose clock stands still."""
    with VeroSandbox(clock=SandboxClock(START)) as authority, Customer(authority) as found:
        yield found


def codes(customer: Customer) -> tuple[str, str]:
    code, password = customer.authority.invite(ID, customer_name=NAME)
    return code, password.reveal()


# --- the link


@pytest.mark.parametrize(("lost", "issued"), [(Lost.BEFORE, 0), (Lost.AFTER, 1), (Lost.DURING, 1)])
def test_w06_the_link_is_lost(customer: Customer, lost: Lost, issued: int) -> None:
    mine = codes(customer)
    with customer.authority.faults.during(lost=lost), pytest.raises(LINK_LOST):
        customer.sign_new(mine, key("first"))
    assert len(customer.authority.issued) == issued
    again = customer.sign_new(mine, key("first"))
    assert again["Status"] == ("FAIL" if issued else "OK"), "codes are spent with the certificate"


def test_only_the_operation_named_is_touched(customer: Customer) -> None:
    faults = customer.authority.faults
    faults.at, faults.lost = frozenset({"renewCertificate"}), Lost.BEFORE
    assert customer.get(UNKNOWN).status == 200


def test_answers_come_late_and_in_pieces(customer: Customer) -> None:
    customer.authority.faults.delay = 0.05
    customer.authority.faults.pause = 0.001
    heard = customer.get(UNKNOWN)
    assert heard["Status"] == "FAIL"


@pytest.mark.parametrize("what", [ServerCertificate.WRONG_NAME, ServerCertificate.EXPIRED])
def test_w08_another_server_certificate(customer: Customer, what: ServerCertificate) -> None:
    with customer.authority.faults.during(server_certificate=what), pytest.raises(ssl.SSLCertVerificationError):
        customer.get(UNKNOWN)
    assert customer.get(UNKNOWN).status == 200


# --- in place of an answer


@pytest.mark.parametrize(
    ("damage", "status", "content"),
    [
        (Damage.HTML, 502, b"<h1>Bad Gateway"),
        (Damage.EMPTY, 200, b""),
        (Damage.NO_CONTENT, 204, b""),
        (Damage.REDIRECT, 307, b""),
        (Damage.NOT_XML, 200, b"not XML"),
        (Damage.DOCTYPE, 200, b"<!DOCTYPE x>"),
        (Damage.ENTITIES, 200, b"file:///"),
        (Damage.DEEP, 200, b"<d><d><d>"),
        (Damage.SOAP_12, 200, b"2003/05/soap-envelope"),
        (Damage.WRONG_CHARSET, 200, "Päätös".encode("latin-1")),
    ],
)
def test_w01_something_else_comes(customer: Customer, damage: Damage, status: int, content: bytes) -> None:
    with customer.authority.faults.during(damage=damage):
        heard = customer.get(UNKNOWN)
    assert heard.status == status
    assert content in heard.body
    assert ("location" in heard.headers) is (damage is Damage.REDIRECT)
    assert customer.get(UNKNOWN)["Status"] == "FAIL"


def test_w01_half_an_answer_with_a_length_that_fits(customer: Customer) -> None:
    with customer.authority.faults.during(damage=Damage.TRUNCATED):
        heard = customer.get(UNKNOWN)
    with pytest.raises(etree.XMLSyntaxError):
        etree.fromstring(heard.body)


def test_w01_a_gzip_of_200_mb(customer: Customer) -> None:
    with customer.authority.faults.during(damage=Damage.GZIP_BOMB):
        heard = customer.get(UNKNOWN)
    assert heard.headers["content-encoding"] == "gzip"
    assert len(heard.body) < 1 << 20
    unpacking = zlib.decompressobj(31)
    for _ in range(20):
        assert unpacking.decompress(unpacking.unconsumed_tail or heard.body, 1 << 20) == b" " * (1 << 20)
    assert heard.body[-4:] == struct.pack("<I", 200 << 20), "the size it claims"


@pytest.mark.parametrize(("damage", "is_chunked"), [(Damage.ENDLESS, True), (Damage.HUGE, False)])
def test_w05_more_than_anybody_wants(customer: Customer, damage: Damage, is_chunked: bool) -> None:
    where = customer.authority.environment
    customer.authority.faults.damage = damage
    connection = http.client.HTTPSConnection(where.url.removeprefix("https://"), context=customer._context)
    try:
        headers = {"Content-Type": "text/xml", "SOAPAction": "getCertificate"}
        connection.request("POST", where.path, body=b"<x/>", headers=headers)
        with connection.getresponse() as found:
            assert found.status == 500, "no valid message is told so"
            found.read()
    finally:
        connection.close()
    body = b"".join(_some(customer, 3 << 20, is_chunked=is_chunked))
    assert len(body) == 3 << 20
    assert body.startswith(b"<SOAP-ENV:Envelope")


def _some(customer: Customer, size: int, *, is_chunked: bool) -> Iterator[bytes]:
    from support.vero_customer import enveloped, payload

    where = customer.authority.environment
    connection = http.client.HTTPSConnection(where.url.removeprefix("https://"), context=customer._context)
    message = payload("GetCertificateRequest", ("Environment", "TEST"), ("CustomerId", ID), ("RetrievalId", UNKNOWN))
    try:
        headers = {"Content-Type": "text/xml", "SOAPAction": "getCertificate"}
        connection.request("POST", where.path, body=enveloped(message), headers=headers)
        with connection.getresponse() as found:
            assert ("Transfer-Encoding" in found.headers) is is_chunked
            if not is_chunked:
                assert int(found.headers["Content-Length"]) > 200 << 20
            yield found.read(size)
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("wanted", "status", "content"),
    [
        (SoapFault(), 500, b"<faultcode>SOAP-ENV:Server<"),
        (SoapFault(code="x:Odd", words="what?", status=200), 200, b"<faultcode>x:Odd</faultcode>"),
        (SoapFault(code="Receiver", is_12=True), 500, b"<env:Value>env:Receiver</env:Value>"),
    ],
)
def test_w02_a_soap_fault(customer: Customer, wanted: SoapFault, status: int, content: bytes) -> None:
    mine = codes(customer)
    with customer.authority.faults.during(soap_fault=wanted):
        heard = customer.sign_new(mine, key("first"))
    assert heard.status == status
    assert content in heard.body
    assert customer.sign_new(mine, key("first"))["Status"] == "OK", "nothing was carried out"


def test_w09_busy(customer: Customer) -> None:
    with customer.authority.faults.during(retry_after="7"):
        heard = customer.get(UNKNOWN)
    assert (heard.status, heard.headers["retry-after"]) == (503, "7")


def test_w07_the_servers_date_is_off(customer: Customer) -> None:
    right = parsedate_to_datetime(customer.get(UNKNOWN).headers["date"])
    with customer.authority.faults.during(date_off=timedelta(minutes=-10)):
        off = parsedate_to_datetime(customer.get(UNKNOWN).headers["date"])
    assert right == START
    assert off == START - timedelta(minutes=10)


def test_another_status_with_a_right_answer(customer: Customer) -> None:
    with customer.authority.faults.during(status=500):
        heard = customer.get(UNKNOWN)
    assert (heard.status, heard["Status"]) == (500, "FAIL")


# --- signatures


def signer(payload: bytes) -> x509.Certificate:
    found = etree.fromstring(payload).findtext(f".//{{{DS}}}X509Certificate")
    assert found is not None
    return x509.load_der_x509_certificate(base64.b64decode(found))


@pytest.mark.parametrize("spoilt", Spoilt)
def test_a_spoilt_signature_does_not_hold(customer: Customer, spoilt: Spoilt, tmp_path: Path) -> None:
    with customer.authority.faults.during(spoilt=spoilt):
        heard = customer.get(UNKNOWN)
    assert heard["Status"] == ("OK" if spoilt in (Spoilt.TAMPERED, Spoilt.WRAPPED) else "FAIL")
    signatures = heard.payload.count(b"<ds:SignatureValue>")
    if spoilt is Spoilt.MISSING:
        assert signatures == 0
    elif spoilt is Spoilt.TWICE:
        assert signatures == 2
    elif spoilt is Spoilt.KEY_ONLY:
        assert b"X509Certificate" not in heard.payload
    elif spoilt is Spoilt.WRAPPED:
        root = etree.fromstring(heard.payload)
        assert root[0].tag == "Result"
        assert root[1].tag == root.tag
    else:
        _judge_signer(spoilt, signer(heard.payload))
    if spoilt is not Spoilt.WRONG_AUTHORITY:
        assert not holds(heard.payload, tmp_path)
    assert holds(customer.get(UNKNOWN).payload, tmp_path)


def _judge_signer(spoilt: Spoilt, found: x509.Certificate) -> None:
    services = throw_away.certificate(Authority.SERVICES)
    if spoilt is Spoilt.STRANGER:
        assert found.issuer == services.subject
        with pytest.raises(InvalidSignature):
            found.verify_directly_issued_by(services)
    elif spoilt is Spoilt.WRONG_AUTHORITY:
        found.verify_directly_issued_by(throw_away.certificate(Authority.DATA_PROVIDERS))
    elif spoilt is Spoilt.EXPIRED:
        found.verify_directly_issued_by(services)
        assert found.not_valid_after_utc < START
    else:
        assert spoilt is Spoilt.TAMPERED


# --- contents


def test_w03_w04_contents_that_are_wrong_and_well_signed(customer: Customer, tmp_path: Path) -> None:
    faults = customer.authority.faults
    found = {}
    for wrong in Wrong:
        with faults.during(wrong=wrong):
            found[wrong] = customer.sign_new(codes(customer), key("first"))
        assert holds(found[wrong].payload, tmp_path)
    assert b"GetCertificateResponse" in found[Wrong.OTHER_OPERATION].payload
    assert found[Wrong.UNKNOWN_ELEMENT]["Novelty"] == "new"
    assert found[Wrong.UNKNOWN_STATUS]["Status"] == "PENDING"
    nothing = found[Wrong.NOTHING_IN_IT]
    assert (nothing["Status"], nothing["RetrievalId"]) == ("OK", "")


def test_w03_the_answer_before_comes_again(customer: Customer) -> None:
    first = customer.sign_new(codes(customer), key("first"))["RetrievalId"]
    with customer.authority.faults.during(wrong=Wrong.REPLAYED):
        assert customer.sign_new(codes(customer), key("second"))["RetrievalId"] == first


def test_a_fail_with_codes_of_ones_own(customer: Customer, tmp_path: Path) -> None:
    mine = codes(customer)
    with customer.authority.faults.during(fail_with=(("PKI020", "one"), ("PKI021", "two & more"))):
        heard = customer.sign_new(mine, key("first"))
    assert (heard["Status"], heard.payload.count(b"<ErrorInfo>")) == ("FAIL", 2)
    assert holds(heard.payload, tmp_path)
    assert customer.sign_new(mine, key("first"))["Status"] == "OK"


def test_a_certificate_that_is_never_ready(customer: Customer) -> None:
    retrieval = customer.sign_new(codes(customer), key("first"))["RetrievalId"]
    with customer.authority.faults.during(never_ready=True):
        assert {customer.get(retrieval).code for _ in range(3)} == {"PKI920"}
    assert customer.get(retrieval)["Status"] == "OK"


def fetched(customer: Customer, forged: Forged) -> bytes:
    with customer.authority.faults.during(forged=forged):
        retrieval = customer.sign_new(codes(customer), key("first"))["RetrievalId"]
    customer.get(retrieval)
    return base64.b64decode(customer.get(retrieval)["Certificate"])


@pytest.mark.parametrize("forged", [each for each in Forged if each not in (Forged.JUNK, Forged.PEM)])
def test_c03_a_forged_certificate(customer: Customer, forged: Forged) -> None:
    found = x509.load_der_x509_certificate(fetched(customer, forged))
    wrong = {
        Forged.OTHER_KEY: found.public_key() != key("first").public_key(),
        Forged.OTHER_CUSTOMER: ID not in found.subject.rfc4514_string(),
        Forged.WRONG_AUTHORITY: found.issuer == throw_away.certificate(Authority.SERVICES).subject,
        Forged.STRANGER: not _is_issued_here(found),
        Forged.EXPIRED: found.not_valid_after_utc < START,
        Forged.NOT_YET: found.not_valid_before_utc > START,
        Forged.SHORT: START < found.not_valid_after_utc < START + timedelta(days=31),
        Forged.AN_AUTHORITY: found.extensions.get_extension_for_class(x509.BasicConstraints).value.ca,
    }
    expected = {forged, Forged.STRANGER} if forged is Forged.WRONG_AUTHORITY else {forged}
    assert {each for each, is_wrong in wrong.items() if is_wrong} == expected


def _is_issued_here(certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(throw_away.certificate(Authority.DATA_PROVIDERS))
    except (ValueError, InvalidSignature):
        return False
    return True


def test_c03_no_certificate_and_one_in_pem(customer: Customer) -> None:
    with pytest.raises(ValueError, match="asn1"):
        x509.load_der_x509_certificate(fetched(customer, Forged.JUNK))
    assert x509.load_pem_x509_certificate(fetched(customer, Forged.PEM)).subject


def test_clear_sets_everything_right() -> None:
    faults = Faults(damage=Damage.HTML, delay=3, at=frozenset({"x"}))
    faults.clear()
    assert faults == Faults()
