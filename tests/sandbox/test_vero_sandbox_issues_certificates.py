"""The life of a certificate: codes spent once, a wait, the window, the renewal; and the test bench."""

from __future__ import annotations

import functools
import http.client
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from govfile.sandbox.vero import Code, SandboxClock, Settings, VeroSandbox, throw_away
from govfile.sandbox.vero.issuing import Holder, customer_certificate
from support.programs import require
from support.vero_customer import ID, NAME, Customer, enveloped, key, request, signed, text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

START = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
CODES = ("12345678901234567890123456789012", "abcdef0123456789")


@pytest.fixture
def customer() -> Iterator[Customer]:
    """A customer of a sandbox whose clock stands still."""
    with VeroSandbox(clock=SandboxClock(START)) as authority, Customer(authority) as found:
        yield found


def invite(customer: Customer, customer_id: str = ID) -> None:
    customer.authority.invite(customer_id, transfer_id=CODES[0], transfer_password=CODES[1], customer_name=NAME)


def test_codes_a_wait_and_a_certificate(customer: Customer) -> None:
    invite(customer)
    heard = customer.sign_new(CODES, key("first"))
    assert (heard.status, heard["Status"]) == (200, "OK")
    retrieval = heard["RetrievalId"]
    assert 1 <= len(retrieval) <= 32
    assert customer.get(retrieval).code == Code.NOT_READY.value
    certificate = customer.get(retrieval).certificate
    assert certificate.public_key() == key("first").public_key()
    assert customer.get(retrieval).certificate == certificate, "it can be fetched again"
    (issued,) = customer.authority.issued
    assert (issued.certificate, issued.by, issued.customer_id) == (certificate, "signNewCertificate", ID)


def test_the_certificates_profile_is_the_published_one(customer: Customer) -> None:
    found = customer.enrolled()
    subject = [(attribute.oid, attribute.value) for attribute in found.subject]
    assert [oid for oid, _ in subject] == [
        NameOID.COMMON_NAME,
        NameOID.SERIAL_NUMBER,
        NameOID.ORGANIZATION_NAME,
        NameOID.COUNTRY_NAME,
    ]
    assert [value for _, value in subject][::2] == [ID, NAME]
    number = subject[1][1]
    assert isinstance(number, str)
    assert len(number) == 32
    assert number == f"{int(number, 16):032X}"
    assert found.not_valid_before_utc == START
    assert found.not_valid_after_utc == START.replace(year=2028)
    extensions = found.extensions
    assert extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
    assert list(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    usage = extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert (usage.value.digital_signature, usage.value.key_encipherment) == (True, True)
    assert not any(isinstance(each.value, x509.SubjectAlternativeName) for each in extensions)
    assert found.issuer == throw_away.certificate(throw_away.Authority.DATA_PROVIDERS).subject


@pytest.mark.parametrize(
    ("start", "end"),
    [(datetime(2028, 2, 29, tzinfo=UTC), (2030, 2, 28)), (datetime(2027, 12, 31, tzinfo=UTC), (2029, 12, 31))],
)
def test_two_years_to_the_second_and_a_name_of_thirty_characters(start: datetime, end: tuple[int, int, int]) -> None:
    holder = Holder(customer_id=ID, name="An Example Company With A Very Long Name Oy")
    found = customer_certificate(key("first").public_key(), holder, at=start + timedelta(microseconds=5))
    assert found.not_valid_before_utc == start
    assert found.not_valid_after_utc == datetime(*end, tzinfo=UTC)
    (name,) = found.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    assert name.value == holder.name[:30]


def test_codes_are_spent_once(customer: Customer) -> None:
    invite(customer)
    assert customer.sign_new(CODES, key("first"))["Status"] == "OK"
    again = customer.sign_new(CODES, key("second"))
    assert (again["Status"], again.code, again["RetrievalId"]) == ("FAIL", Code.USED_CODES.value, "")


def test_two_at_once_spend_codes_once(customer: Customer) -> None:
    invite(customer)

    def spend(use: str) -> str:
        with Customer(customer.authority) as mine:
            return mine.sign_new(CODES, key(use))["Status"]

    with ThreadPoolExecutor(4) as workers:
        assert sorted(workers.map(spend, ["first", "second"] * 2)) == ["FAIL", "FAIL", "FAIL", "OK"]


@pytest.mark.parametrize(
    ("days", "code"), [(14, ""), (14.001, Code.LAPSED_CODES.value)], ids=["on the last day", "after it"]
)
def test_codes_last_a_fortnight(customer: Customer, days: float, code: str) -> None:
    invite(customer)
    customer.authority.clock.advance(timedelta(days=days))
    assert customer.sign_new(CODES, key("first")).code == code


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"TransferPassword": "wrong"}, Code.UNKNOWN_CODES),
        ({"TransferId": "1"}, Code.UNKNOWN_CODES),
        ({"CustomerId": "7654321-9"}, Code.UNKNOWN_CODES),
        ({"Environment": "PRODUCTION"}, Code.WRONG_ENVIRONMENT),
        ({"CertificateRequest": text(b"no request")}, Code.UNREADABLE_REQUEST),
    ],
)
def test_a_refused_request_spends_nothing(customer: Customer, changes: dict[str, str], code: Code) -> None:
    invite(customer)
    refused = customer.sign_new(CODES, key("first"), bench=False, **changes)
    assert (refused.status, refused["Status"], refused.code) == (200, "FAIL", code.value)
    assert customer.sign_new(CODES, key("first"))["Status"] == "OK"


def test_keys_of_another_kind_or_size_are_refused(customer: Customer) -> None:
    invite(customer)
    curve = ec.generate_private_key(ec.SECP256R1())
    for other in (key("long", 3072), curve):
        made = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(other, hashes.SHA256())
        asked = text(made.public_bytes(Encoding.DER))
        refused = customer.sign_new(CODES, key("first"), CertificateRequest=asked)
        assert refused.code == Code.WRONG_KEY_SIZE.value


def test_other_sizes_are_a_setting() -> None:
    settings = Settings(key_sizes=frozenset({3072}))
    with VeroSandbox(settings=settings) as authority, Customer(authority) as customer:
        invite(customer)
        assert customer.sign_new(CODES, key("first")).code == Code.WRONG_KEY_SIZE.value
        assert customer.sign_new(CODES, key("long", 3072))["Status"] == "OK"


def test_the_requests_own_signature_is_verified(customer: Customer) -> None:
    invite(customer)
    broken = bytearray(request(key("first")))
    broken[-1] ^= 1
    assert customer.sign_new(CODES, key("first"), CertificateRequest=text(bytes(broken))).code == (
        Code.UNPROVEN_KEY.value
    )


def test_a_request_made_with_openssl_without_a_subject(customer: Customer, tmp_path: Path) -> None:
    invite(customer)
    private, asked = tmp_path / "key.pem", tmp_path / "csr.der"
    command = [require("openssl"), "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", private, "-subj", "/"]
    subprocess.run([*map(str, command), "-outform", "DER", "-out", str(asked)], check=True, capture_output=True)
    heard = customer.sign_new(CODES, key("first"), CertificateRequest=text(asked.read_bytes()))
    customer.get(heard["RetrievalId"])
    certificate = customer.get(heard["RetrievalId"]).certificate
    made = load_pem_private_key(private.read_bytes(), None)
    assert certificate.public_key() == made.public_key()
    assert certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == ID


def test_the_wait_is_by_polls_and_by_the_clock() -> None:
    settings = Settings(polls_before_ready=2, ready_after=timedelta(seconds=40))
    clock = SandboxClock(START)
    with VeroSandbox(settings=settings, clock=clock) as authority, Customer(authority) as customer:
        invite(customer)
        retrieval = customer.sign_new(CODES, key("first"))["RetrievalId"]
        assert {customer.get(retrieval).code for _ in range(4)} == {Code.NOT_READY.value}
        clock.advance(39)
        assert customer.get(retrieval).code == Code.NOT_READY.value
        clock.advance(1)
        assert customer.get(retrieval)["Status"] == "OK"


def test_a_certificate_is_given_only_to_its_customer(customer: Customer) -> None:
    invite(customer)
    retrieval = customer.sign_new(CODES, key("first"))["RetrievalId"]
    assert customer.get(retrieval, CustomerId="7654321-9").code == Code.UNKNOWN_RETRIEVAL.value
    assert customer.get("0" * 32).code == Code.UNKNOWN_RETRIEVAL.value


# --- renewal


@pytest.mark.parametrize(
    ("before_the_end", "code"),
    [
        (timedelta(days=60, seconds=1), Code.TOO_EARLY),
        (timedelta(days=60), None),
        (timedelta(seconds=1), None),
        (timedelta(), Code.EXPIRED_CERTIFICATE),
    ],
)
def test_c01_the_window_is_sixty_days_long(customer: Customer, before_the_end: timedelta, code: Code | None) -> None:
    old = customer.enrolled()
    customer.authority.clock.advance(old.not_valid_after_utc - before_the_end - START)
    heard = customer.renew(key("second"), key("first"), old)
    assert heard.code == (code.value if code else "")
    assert bool(heard["RetrievalId"]) is (code is None)


def due(customer: Customer) -> x509.Certificate:
    """A certificate that may be renewed now."""
    old = customer.enrolled()
    customer.authority.clock.advance(timedelta(days=700))
    return old


def test_the_successor_has_the_new_key_and_the_old_name(customer: Customer) -> None:
    old = due(customer)
    retrieval = customer.renew(key("second"), key("first"), old)["RetrievalId"]
    customer.get(retrieval)
    new = customer.get(retrieval).certificate
    assert new.public_key() == key("second").public_key()
    for oid in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME):
        assert new.subject.get_attributes_for_oid(oid) == old.subject.get_attributes_for_oid(oid)
    assert new.not_valid_before_utc == START + timedelta(days=700)


def test_a_renewal_needs_a_new_key(customer: Customer) -> None:
    old = due(customer)
    assert customer.renew(key("first"), key("first"), old).code == Code.SAME_KEY.value


def test_a_second_renewal_is_refused_where_that_is_set() -> None:
    settings = Settings(renews_once=True)
    with VeroSandbox(settings=settings, clock=SandboxClock(START)) as authority, Customer(authority) as customer:
        old = due(customer)
        assert customer.renew(key("second"), key("first"), old)["Status"] == "OK"
        assert customer.renew(key("third"), key("first"), old).code == Code.RENEWED_ALREADY.value


def test_who_may_not_renew(customer: Customer) -> None:
    old = due(customer)
    foreign = _self_signed()
    cases = {
        customer.renewal(key("second"), CustomerId="7654321-9"): Code.WRONG_CUSTOMER,
        customer.renewal(key("second"), Environment="PRODUCTION"): Code.WRONG_ENVIRONMENT,
    }
    for message, code in cases.items():
        assert customer.call("renewCertificate", signed(message, key("first"), old)).code == code.value
    assert customer.renew(key("second"), key("other"), old).code == Code.BAD_SIGNATURE.value, "another key's signature"
    assert customer.renew(key("second"), key("other"), foreign).code == Code.FOREIGN_CERTIFICATE.value


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<Environment>TEST", "<Environment> TEST"),
        ('URI=""', 'URI="#x"'),
        ("xmldsig-more#rsa-sha256", "xmldsig-more#rsa-sha512"),
        ("2001/04/xmlenc#sha256", "2000/09/xmldsig#sha1"),
        ("#enveloped-signature", "#base64"),
        ("<ds:SignatureValue>", "<ds:SignatureValue>AAAA"),
        ("<ds:Reference", '<ds:Reference URI=""/><ds:Reference'),
        ("<ds:X509Certificate>", "<ds:X509Certificate>AAAA"),
    ],
)
def test_a_signature_that_does_not_hold_is_refused(customer: Customer, before: str, after: str) -> None:
    old = due(customer)
    message = signed(customer.renewal(key("second")), key("first"), old)
    assert message.count(before) >= 1
    heard = customer.call("renewCertificate", message.replace(before, after))
    assert heard.code == Code.BAD_SIGNATURE.value or "Environment" in heard.fault
    assert not heard["RetrievalId"]


def test_a_message_written_anew_after_it_was_signed_is_refused(customer: Customer) -> None:
    old = due(customer)
    message = signed(customer.renewal(key("second")), key("first"), old)
    assert customer.call("renewCertificate", message.replace("c:", "d:").replace("xmlns:c", "xmlns:d")).code == (
        Code.BAD_SIGNATURE.value
    )
    assert customer.call("renewCertificate", message)["Status"] == "OK"


def test_a_renewal_signed_with_xmlsec1_and_sent_with_curl(customer: Customer, tmp_path: Path) -> None:
    old = due(customer)
    template = customer.renewal(key("second")).replace("</c:", TEMPLATE + "</c:")
    place, private, certificate = (tmp_path / name for name in ("message.xml", "key.pem", "cert.pem"))
    place.write_text(template)
    private.write_bytes(key("first").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    certificate.write_bytes(old.public_bytes(Encoding.PEM))
    command = [require("xmlsec1"), "--sign", "--privkey-pem", f"{private},{certificate}", str(place)]
    made = subprocess.run(command, check=True, capture_output=True).stdout.decode().removeprefix(DECLARATION)
    sent, anchors = tmp_path / "sent.xml", tmp_path / "ca.pem"
    sent.write_bytes(enveloped(made.strip()))
    anchors.write_bytes(customer.authority.trust_pem())
    where = customer.authority.environment
    command = [require("curl"), "-sS", "--noproxy", "*", "--cacert", str(anchors), "--data-binary", f"@{sent}"]
    headers = ["-H", "Content-Type: text/xml; charset=utf-8", "-H", 'SOAPAction: "renewCertificate"']
    done = subprocess.run([*command, *headers, where.url + where.path], check=True, capture_output=True)
    assert b"<Status>OK</Status>" in done.stdout
    assert len(customer.authority.issued) == 2


# --- the test bench


def test_the_bench_gives_the_same_to_the_same(customer: Customer) -> None:
    bench = customer.authority.bench
    codes = (bench.transfer_id, bench.transfer_password)
    first = customer.sign_new(codes, key("first"), bench=True)["RetrievalId"]
    assert customer.sign_new(codes, key("second"), bench=True)["RetrievalId"] == first
    old = customer.get(first, bench=True).certificate
    private = load_pem_private_key(customer.authority.bench_key(), None)
    assert old.public_key() == private.public_key()
    by = throw_away.key(throw_away.Key.BENCH_NEW)
    second = customer.renew(key("first"), by, old, bench=True)["RetrievalId"]
    assert customer.renew(key("second"), by, old, bench=True)["RetrievalId"] == second
    new = customer.get(second, bench=True).certificate
    assert new.public_key() == load_pem_private_key(customer.authority.bench_key(renewal=True), None).public_key()
    assert customer.get(second, bench=True).certificate == new
    assert customer.authority.issued == (), "nothing real was issued"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"TransferPassword": "x"}, Code.UNKNOWN_CODES),
        ({"CustomerId": "7654321-9"}, Code.WRONG_CUSTOMER),
        ({"Environment": "PRODUCTION"}, Code.WRONG_ENVIRONMENT),
    ],
)
def test_the_bench_knows_only_its_own_codes(customer: Customer, changes: dict[str, str], code: Code) -> None:
    bench = customer.authority.bench
    codes = (bench.transfer_id, bench.transfer_password)
    assert customer.sign_new(codes, key("first"), bench=True, **changes).code == code.value


def test_the_bench_believes_only_its_own_key(customer: Customer) -> None:
    old = customer.enrolled()
    assert customer.renew(key("second"), key("first"), old, bench=True).code == Code.FOREIGN_CERTIFICATE.value
    message = customer.renewal(key("second")).replace("</c:", f"{BROKEN_SIGNATURE}</c:")
    assert customer.call("renewCertificate", message, bench=True).code == Code.BAD_SIGNATURE.value
    assert customer.get("3" * 32, bench=True).code == Code.UNKNOWN_RETRIEVAL.value


def test_nobody_answers_elsewhere(customer: Customer) -> None:
    where = customer.authority.environment
    for path in ("/", "/2017/10/certificateservices", "/DEV/"):
        assert customer.post(where.url + path, "getCertificate", b"<x/>").status == 404
    connection = http.client.HTTPSConnection(where.url.removeprefix("https://"), context=customer._context)
    try:
        connection.request("GET", where.path)
        with connection.getresponse() as found:
            assert (found.status, found.headers["Allow"]) == (405, "POST")
    finally:
        connection.close()


DECLARATION = '<?xml version="1.0"?>\n'
BROKEN_SIGNATURE = '<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"/>'
TEMPLATE = """<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo>\
<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>\
<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/>\
<ds:Reference URI=""><ds:Transforms>\
<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/></ds:Transforms>\
<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue/></ds:Reference>\
</ds:SignedInfo><ds:SignatureValue/><ds:KeyInfo><ds:X509Data><ds:X509Certificate/></ds:X509Data></ds:KeyInfo>\
</ds:Signature>"""


@functools.cache
def _self_signed() -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, ID)])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key("other").public_key())
    builder = builder.serial_number(1).not_valid_before(START).not_valid_after(START + timedelta(days=9999))
    return builder.sign(key("other"), hashes.SHA256())
