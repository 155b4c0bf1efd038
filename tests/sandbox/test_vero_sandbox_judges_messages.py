"""What is no valid message is told so by a SOAP fault, and nothing is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from govfile.sandbox.vero import VeroSandbox
from support.vero_customer import DS, SERVICE, SOAP, Customer, enveloped, key, payload, request, text

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGN, RENEW, GET = "signNewCertificate", "renewCertificate", "getCertificate"
VALUES = {
    "Environment": "TEST",
    "CustomerId": "0123456-7",
    "CustomerName": "Ab Example Oy",
    "TransferId": "1",
    "TransferPassword": "one-time-pass",
    "CertificateRequest": "AAAA",
}


@pytest.fixture(scope="module")
def customer() -> Iterator[Customer]:
    """A customer nobody invited: a valid message is answered FAIL, another one by a fault."""
    with VeroSandbox() as authority, Customer(authority) as found:
        yield found


def new(**changes: str | None) -> str:
    values = [(name, value) for name, value in (VALUES | changes).items() if value is not None]
    return payload("SignNewCertificateRequest", *values)


def is_valid(customer: Customer, message: str, operation: str = SIGN) -> bool:
    heard = customer.call(operation, message)
    if heard.status == 200:
        assert heard["Status"] == "FAIL"
        return True
    assert heard.status == 500
    assert heard.fault
    return False


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"CustomerName": None},
        {"CustomerId": "1" * 30, "CustomerName": "n" * 100, "TransferId": "t" * 32, "TransferPassword": "p" * 16},
        {"CustomerName": "Åkerman &amp; Söner"},
        {"CustomerName": "a line\nend is a space"},
        {"CertificateRequest": "AA\n AA\r\n"},
        {"CertificateRequest": text(b"x" * 10_240)},
        {"Environment": "PRODUCTION"},
        {"CustomerId": "<!-- comment -->1"},
    ],
)
def test_valid_messages(customer: Customer, changes: dict[str, str | None]) -> None:
    assert is_valid(customer, new(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"Environment": "Test"},
        {"Environment": None},
        {"CustomerId": ""},
        {"CustomerId": "1" * 31},
        {"CustomerId": None},
        {"CustomerName": ""},
        {"CustomerName": "n" * 101},
        {"TransferId": "t" * 33},
        {"TransferPassword": "p" * 17},
        {"TransferPassword": None},
        {"CertificateRequest": ""},
        {"CertificateRequest": None},
        {"CertificateRequest": "A?=="},
        {"CertificateRequest": "-----BEGIN CERTIFICATE REQUEST-----AAAA-----END CERTIFICATE REQUEST-----"},
        {"CertificateRequest": text(b"x" * 10_241)},
        {"CustomerId": "<b>1</b>"},
    ],
)
def test_values_out_of_bounds(customer: Customer, changes: dict[str, str | None]) -> None:
    assert not is_valid(customer, new(**changes))


@pytest.mark.parametrize(
    "message",
    [
        new().replace("<Environment>", "<c:Environment>").replace("</Environment>", "</c:Environment>"),
        new().replace("c:Sign", "Sign").replace("xmlns:c", "xmlns"),
        new().replace("<CustomerId>0123456-7</CustomerId>", "").replace("<Env", "<CustomerId>1</CustomerId><Env"),
        new().replace("</CertificateRequest>", "</CertificateRequest><More/>"),
        new().replace("<CustomerId>", '<CustomerId kind="x">'),
        new().replace("<Environment>", "text<Environment>"),
        new().replace(SERVICE, SERVICE.replace("2017", "2018")),
        new().replace("SignNewCertificateRequest", "RenewCertificateRequest"),
        new() + new(),
        "",
        "only text",
    ],
    ids=[
        "children with a namespace",
        "a default namespace",
        "another order",
        "one more element",
        "an attribute",
        "text between elements",
        "another contract",
        "another operation",
        "two at once",
        "none",
        "text",
    ],
)
def test_messages_of_another_shape(customer: Customer, message: str) -> None:
    assert not is_valid(customer, message)


def test_a_message_may_use_the_envelopes_prefix(customer: Customer) -> None:
    where = customer.authority.environment
    body = enveloped(new().replace(f' xmlns:c="{SERVICE}"', "")).replace(
        b"<e:Envelope", b"<e:Envelope xmlns:c='%b'" % SERVICE.encode()
    )
    heard = customer.post(where.url + where.path, f'"{SIGN}"', body)
    assert (heard.status, heard["Status"]) == (200, "FAIL")


def test_a_renewal_must_be_signed(customer: Customer) -> None:
    message = customer.renewal(key("first"))
    assert not is_valid(customer, message, RENEW)
    end = message.rindex("</")
    signature = f'<ds:Signature xmlns:ds="{DS}"/>'
    assert is_valid(customer, message[:end] + signature + message[end:], RENEW), "its value is judged later"
    start = message.index("<Environment")
    assert not is_valid(customer, message[:start] + signature + message[start:], RENEW)


@pytest.mark.parametrize("action", [SIGN, f'"{SIGN}"'])
def test_the_action_with_and_without_quotes(customer: Customer, action: str) -> None:
    where = customer.authority.environment
    assert customer.post(where.url + where.path, action, enveloped(new())).status == 200


@pytest.mark.parametrize("action", ["", GET, "SignNewCertificate", "''"])
def test_another_action(customer: Customer, action: str) -> None:
    where = customer.authority.environment
    assert customer.post(where.url + where.path, action, enveloped(new())).status == 500


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not XML",
        b"<x/>",
        enveloped(new()).replace(SOAP.encode(), b"http://www.w3.org/2003/05/soap-envelope"),
        b"<!DOCTYPE x>" + enveloped(new()),
        b'<!DOCTYPE x [<!ENTITY a "b">]>' + enveloped(new(CustomerName="&a;")),
        enveloped(new()).replace(b"<e:Header/>", b"<e:Header/><e:Header/>"),
        enveloped(new()).replace(b"<e:Body>", b"<e:Body/><e:Body>"),
        enveloped("<d>" * 400 + "</d>" * 400),
    ],
)
def test_what_is_no_soap_message(customer: Customer, body: bytes) -> None:
    where = customer.authority.environment
    heard = customer.post(where.url + where.path, SIGN, body)
    assert heard.status == 500
    assert heard.fault


def test_another_media_type(customer: Customer) -> None:
    where = customer.authority.environment
    heard = customer.post(where.url + where.path, SIGN, enveloped(new()), Content_Type="application/json")
    assert heard.status == 415


def test_findings_say_why_and_hold_no_codes(customer: Customer) -> None:
    is_valid(customer, new(Environment="Test"))
    assert "Environment is PRODUCTION or TEST" in customer.authority.findings[-1]
    shown = repr(customer.authority.requests) + repr(customer.authority.findings)
    assert VALUES["TransferPassword"] not in shown
    assert text(request(key("first")))[:40] not in shown
