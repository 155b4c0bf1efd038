"""Messages by a shipped description, and payloads cut out of envelopes as bytes."""

from __future__ import annotations

from importlib.resources import files

import pytest

from govfile.errors import InvalidContent, ProtocolError
from govfile.xml.contract import Contract
from govfile.xml.parse import Limits
from govfile.xml.payload import SOAP_11, SOAP_12, enveloped, payload_of

NS = "http://certificates.vero.fi/2017/10/certificateservices"


@pytest.fixture(scope="module")
def contract() -> Contract:
    place = files("govfile.vero") / "contract" / "certificate-services.wsdl"
    return Contract(place, binding="CertificateServicesSoap", prefix="p")


def test_written_in_canonical_form_and_left_out_where_none(contract: Contract) -> None:
    values = {"Environment": "TEST", "CustomerId": 'a<b>&"c', "CustomerName": None, "RetrievalId": "r"}
    assert (
        contract.build("getCertificate", values)
        == (
            f'<p:GetCertificateRequest xmlns:p="{NS}"><Environment>TEST</Environment>'
            '<CustomerId>a&lt;b&gt;&amp;"c</CustomerId><RetrievalId>r</RetrievalId></p:GetCertificateRequest>'
        ).encode()
    )


@pytest.mark.parametrize(
    "values",
    [
        {"Environment": "TEST", "CustomerId": "x"},
        {"Environment": "TEST", "CustomerId": "x", "RetrievalId": "r", "Novelty": "secret-value-1"},
        {"Environment": "TEST", "CustomerId": "bell\x07", "RetrievalId": "secret-value-1"},
    ],
)
def test_values_that_the_description_does_not_take(contract: Contract, values: dict[str, str]) -> None:
    with pytest.raises(InvalidContent) as refused:
        contract.build("getCertificate", values)
    seen: BaseException | None = refused.value
    while seen is not None:
        assert "secret-value-1" not in f"{seen} {seen.args}"
        seen = seen.__cause__


def test_read_into_plain_values(contract: Contract) -> None:
    reason = "<ErrorInfo><ErrorCode>A</ErrorCode><ErrorMessage>b</ErrorMessage></ErrorInfo>"
    said = f"<Result><Status>FAIL</Status>{reason}</Result>"
    found = contract.read(
        "getCertificate", f'<x:GetCertificateResponse xmlns:x="{NS}">{said}</x:GetCertificateResponse>'.encode()
    )
    assert found.values["Result"] == {"Status": "FAIL", "ErrorInfo": [{"ErrorCode": "A", "ErrorMessage": "b"}]}
    assert found.values["Certificate"] is None
    assert found.unknown == ()


def test_threads_share_one_description(contract: Contract) -> None:
    from concurrent.futures import ThreadPoolExecutor

    values = {"Environment": "TEST", "CustomerId": "x", "RetrievalId": "r"}
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: contract.build("getCertificate", values), range(64)))
    assert len(found) == 1


# --- payloads


@pytest.mark.parametrize("soap", [SOAP_11, SOAP_12])
def test_the_bytes_of_a_payload_stay_as_they_are(soap: str) -> None:
    inside = b"<m:a xmlns:m='urn:m' >\n <b c = \"1\"/><!-- kept --> &#13;</m:a>"
    whole = b'<S:Envelope xmlns:S="%b"><S:Header/><S:Body> %b </S:Body></S:Envelope>' % (soap.encode(), inside)
    found = payload_of(whole)
    assert (found.name, found.forms) == ("{urn:m}a", (inside,))


def test_namespaces_it_inherits_are_declared_in_the_first_form_only() -> None:
    body = b'<S:Body xmlns:n="urn:n"><m:a xmlns:n="urn:own"/></S:Body>'
    found = payload_of(b'<S:Envelope xmlns:S="%b" xmlns:m="urn:m">%b</S:Envelope>' % (SOAP_11.encode(), body))
    assert found.forms == (b'<m:a xmlns:m="urn:m" xmlns:n="urn:own"/>', b'<m:a xmlns:n="urn:own"/>')


def test_what_is_put_into_an_envelope_comes_out_of_it() -> None:
    message = b'<a xmlns="urn:a"><b/></a>'
    assert payload_of(enveloped(message)).forms[-1] == message


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<a/><b/>",
        b"text",
        b"</S:Body><S:Body><a/>",
    ],
)
def test_not_exactly_one_message(body: bytes) -> None:
    whole = b'<S:Envelope xmlns:S="%b"><S:Body>%b</S:Body></S:Envelope>' % (SOAP_11.encode(), body)
    with pytest.raises(ProtocolError):
        payload_of(whole)


def test_no_envelope_and_too_much_of_one() -> None:
    with pytest.raises(ProtocolError, match="no SOAP envelope"):
        payload_of(b"<Envelope><Body><a/></Body></Envelope>")
    with pytest.raises(ProtocolError, match="more than"):
        payload_of(enveloped(b"<a>" + b"x" * 1000 + b"</a>"), limits=Limits(size=500))
