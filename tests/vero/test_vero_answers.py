"""W-01 to W-05, and what makes an answer believed: the signature, its maker, its place, and nothing else."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

import attrs
import pytest

from govfile.certificates.trust import Trust
from govfile.errors import GovfileError, ProtocolError, Rejected, TrustError
from govfile.vero.messages import ErrorInfo, Operation
from govfile.xml.algorithms import Canonicalization
from support import pki
from support.vero_desk import NOON, NS, VeroDesk, answer, envelope, issuing_authority, reply, result, signer

if TYPE_CHECKING:
    from collections.abc import Callable

    from govfile.transports.base import Reply
    from govfile.vero.messages import Answer

FAULT = (
    b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><faultcode>s:Odd.Code</faultcode>'
    b"<faultstring>words of theirs</faultstring></s:Fault></s:Body></s:Envelope>"
)
GET = "GetCertificateResponse"


@cache
def not_there(form: Canonicalization = Canonicalization.INCLUSIVE) -> bytes:
    return answer(GET, result("PKI020"), form=form)


def read(desk: VeroDesk, answered: Reply | bytes, operation: Operation = Operation.GET) -> Answer:
    """What the client makes of an answer."""
    found = reply(answered) if isinstance(answered, bytes) else answered
    return desk.client._desk.read(operation, found)


# --- what is believed


@pytest.mark.parametrize("form", [Canonicalization.INCLUSIVE, Canonicalization.EXCLUSIVE])
@pytest.mark.parametrize("declared", ["", ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'])
@pytest.mark.parametrize("outside", [b"", b' xmlns:out="urn:of-the-envelope"'])
def test_an_answer_signed_before_the_envelope(
    desk: VeroDesk, form: Canonicalization, declared: str, outside: bytes
) -> None:
    """Also with namespaces that the envelope declares and the signer never saw."""
    whole = answer(GET, result("PKI020", "PKI021"), form=form, declared=declared)
    whole = whole.replace(b"<SOAP-ENV:Envelope", b"<SOAP-ENV:Envelope" + outside)
    found = read(desk, whole)
    assert not found.is_ok
    assert found.reasons == (ErrorInfo("PKI020", "about PKI020"), ErrorInfo("PKI021", "about PKI021"))
    assert "about" not in repr(found)


def test_namespaces_that_the_service_moved_to_the_envelope(desk: VeroDesk) -> None:
    """The signer had them on the message; the envelope's writer put them above."""
    whole = answer(GET, result("PKI020"), declared=' xmlns:up="urn:moved"')
    moved = whole.replace(b' xmlns:up="urn:moved"', b"").replace(
        b"<SOAP-ENV:Envelope", b'<SOAP-ENV:Envelope xmlns:up="urn:moved"'
    )
    assert read(desk, moved).codes == ("PKI020",)


def test_carriage_returns_in_base64(desk: VeroDesk) -> None:
    def broken(match: re.Match[bytes]) -> bytes:
        text = match[2]
        lines = [text[start : start + 76] for start in range(0, len(text), 76)]
        return match[1] + b"&#13;\n".join(lines) + b"&#13;\n" + match[3]

    pattern = rb"(<ds:(?:SignatureValue|X509Certificate)>)([^<]*)(</)"
    whole = re.sub(pattern, broken, not_there())
    assert whole.count(b"&#13;") > 10
    assert read(desk, whole).codes == ("PKI020",)


def test_a_receipt_says_its_retrieval_id(desk: VeroDesk) -> None:
    for operation, name in ((Operation.SIGN_NEW, "SignNew"), (Operation.RENEW, "Renew")):
        whole = answer(f"{name}CertificateResponse", f"<RetrievalId>abc123</RetrievalId>{result()}")
        assert read(desk, whole, operation).retrieval_id == "abc123"


def test_the_time_of_a_signers_certificate_counts(desk: VeroDesk) -> None:
    desk.clock.now = NOON + timedelta(days=9 * 730)
    with pytest.raises(TrustError, match="valid from"):
        read(desk, not_there())


# --- what is not


def tampered(whole: bytes) -> bytes:
    return whole.replace(b"PKI020", b"PKI021")


def unsigned(whole: bytes) -> bytes:
    return re.sub(rb"<ds:Signature .*</ds:Signature>", b"", whole)


def signed_twice(whole: bytes) -> bytes:
    found = re.search(rb"<ds:Signature .*</ds:Signature>", whole)
    assert found is not None
    return whole.replace(found[0], found[0] * 2)


def signature_first(whole: bytes) -> bytes:
    found = re.search(rb"<ds:Signature .*</ds:Signature>", whole)
    assert found is not None
    return whole.replace(found[0], b"").replace(b"<Result>", found[0] + b"<Result>")


def wrapped(whole: bytes) -> bytes:
    """XSW: a message of the attacker's around the genuine one."""
    genuine = re.search(rb"<ns2:GetCertificateResponse.*</ns2:GetCertificateResponse>", whole)
    assert genuine is not None
    forged = b'<f:GetCertificateResponse xmlns:f="%b">%b<Result><Status>OK</Status></Result></f:GetCertificateResponse>'
    return envelope(forged % (NS.encode(), genuine[0]))


def beside(whole: bytes) -> bytes:
    genuine = re.search(rb"<ns2:GetCertificateResponse.*</ns2:GetCertificateResponse>", whole)
    assert genuine is not None
    return envelope(genuine[0] * 2)


def in_a_header(whole: bytes) -> bytes:
    genuine = re.search(rb"<ns2:GetCertificateResponse.*</ns2:GetCertificateResponse>", whole)
    assert genuine is not None
    forged = b'<f:GetCertificateResponse xmlns:f="%b"><Result><Status>OK</Status></Result></f:GetCertificateResponse>'
    return envelope(forged % NS.encode()).replace(
        b"<SOAP-ENV:Header/>", b"<SOAP-ENV:Header>%b</SOAP-ENV:Header>" % genuine[0]
    )


def without_its_certificate(whole: bytes) -> bytes:
    return re.sub(rb"<ds:KeyInfo>.*</ds:KeyInfo>", b"", whole)


@pytest.mark.parametrize(
    ("damage", "kind"),
    [
        (tampered, TrustError),
        (unsigned, TrustError),
        (signed_twice, TrustError),
        (signature_first, TrustError),
        (wrapped, TrustError),
        (beside, ProtocolError),
        (in_a_header, TrustError),
        (without_its_certificate, TrustError),
    ],
)
def test_a_fail_that_is_not_genuine_is_not_believed_either(
    desk: VeroDesk, damage: Callable[[bytes], bytes], kind: type[GovfileError]
) -> None:
    with pytest.raises(kind):
        read(desk, damage(not_there()))


@pytest.mark.parametrize(
    "algorithm",
    [b"http://www.w3.org/2000/09/xmldsig#rsa-sha1", b"http://www.w3.org/2000/09/xmldsig#hmac-sha1", b"urn:none"],
)
def test_weaker_algorithms_are_refused(desk: VeroDesk, algorithm: bytes) -> None:
    whole = not_there().replace(b"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", algorithm)
    with pytest.raises(TrustError, match="algorithm is not accepted"):
        read(desk, whole)


def test_c03_signers_of_other_authorities_are_refused(desk: VeroDesk) -> None:
    """A customer's certificate signs nothing here, nor does one that the test authorities issued, in production."""
    by_customer = answer(GET, result("PKI020"), by=signer("Customer", issuing_authority))
    with pytest.raises(TrustError, match="does not lead to an anchor"):
        read(desk, by_customer)
    elsewhere = desk.another(answer_signers=Trust.only(issuing_authority().pem))
    with pytest.raises(TrustError, match="does not lead to an anchor"):
        elsewhere._desk.read(Operation.GET, reply(not_there()))


def test_w03_the_answer_to_another_operation(desk: VeroDesk) -> None:
    whole = answer("RenewCertificateResponse", f"<RetrievalId>abc123</RetrievalId>{result()}")
    with pytest.raises(ProtocolError, match="RenewCertificateResponse, not with SignNewCertificateResponse"):
        read(desk, whole, Operation.SIGN_NEW)


# --- W-01: no SOAP at all


@pytest.mark.parametrize(
    ("answered", "words"),
    [
        (reply(b"<html><body>Bad gateway</body></html>", 502, content_type="text/html"), "502"),
        (reply(b"", 200), "200"),
        (reply(b"", 204), "204"),
        (reply(b"no XML", 200), "200"),
        (reply(b"<a/>", 200), "200"),
        (reply(not_there()[:-40]), "well-formed"),
        (reply(not_there().decode().encode("utf-16")), "SOAP"),
    ],
)
def test_w01_what_is_no_answer(desk: VeroDesk, answered: Reply, words: str) -> None:
    with pytest.raises(ProtocolError, match=words):
        read(desk, answered)


@pytest.mark.parametrize("status", [200, 500])
def test_w02_a_fault_keeps_its_code_and_proves_nothing(desk: VeroDesk, status: int) -> None:
    with pytest.raises(Rejected) as refused:
        read(desk, reply(FAULT, status))
    assert refused.value.code == "s:Odd.Code"
    assert refused.value.reasons == (("s:Odd.Code", "words of theirs"),)
    assert "words of theirs" not in str(refused.value)


# --- W-04: the contract drifts


def test_w04_an_unknown_element_is_reported(desk: VeroDesk, caplog: pytest.LogCaptureFixture) -> None:
    whole = answer(GET, f"<Novelty>1</Novelty>{result('PKI020').replace('</Result>', '<Also/></Result>')}")
    found = read(desk, whole)
    assert found.codes == ("PKI020",)
    assert set(found.unknown) == {"Novelty", "Also"}
    assert "Novelty" in caplog.text
    desk.client._desk.is_strict = True
    with pytest.raises(ProtocolError, match="unknown elements"):
        read(desk, whole)


@pytest.mark.parametrize(
    "inner",
    [
        "",
        "<Result><Status>PENDING</Status></Result>",
        "<Result/>",
        result(),
        f"<Certificate></Certificate>{result()}",
    ],
)
def test_w04_what_the_contract_does_not_allow(desk: VeroDesk, inner: str) -> None:
    with pytest.raises(ProtocolError):
        read(desk, answer(GET, inner))


def test_w04_a_receipt_without_an_id(desk: VeroDesk) -> None:
    with pytest.raises(ProtocolError, match="no RetrievalId"):
        read(desk, answer("RenewCertificateResponse", result()), Operation.RENEW)


def test_w04_any_code_is_kept(desk: VeroDesk) -> None:
    codes = ("PKI999", "XYZ-1", "0" * 16, "")
    found = read(desk, answer(GET, result(*codes)))
    assert found.codes == codes


# --- W-05: hostile XML


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: b'<!DOCTYPE x [<!ENTITY a "b">]>' + whole,
        lambda whole: b'<!DOCTYPE x SYSTEM "file:///etc/passwd">' + whole,
        lambda whole: whole.replace(b"<Result>", b"<d>" * 300 + b"</d>" * 300 + b"<Result>"),
        lambda whole: whole + b" " * (1 << 20),
        lambda whole: whole.replace(b"<Result>", b"<?a b?><Result>"),
    ],
    ids=["entities", "external", "deep", "big", "instruction"],
)
def test_w05_hostile_xml_is_refused(desk: VeroDesk, damage: Callable[[bytes], bytes]) -> None:
    with pytest.raises(ProtocolError):
        read(desk, damage(not_there()))


# --- W-07: clocks


@pytest.mark.parametrize("minutes", [-12, 12])
def test_w07_clocks_that_differ_are_mentioned(desk: VeroDesk, minutes: int, caplog: pytest.LogCaptureFixture) -> None:
    date = (NOON - timedelta(minutes=minutes)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    desk.service.next("getCertificate", reply(tampered(not_there()), date=date))
    with pytest.raises(TrustError) as refused:
        desk.client._desk.read(Operation.GET, desk.client._desk.post(Operation.GET, b"<a/>"))
    way = "ahead of" if minutes > 0 else "behind"
    assert f"this computer's is 12 minutes {way} it" in str(refused.value)
    assert f"this computer's is 12 minutes {way} it" in caplog.text


def test_w07_clocks_that_agree_are_not_mentioned(desk: VeroDesk) -> None:
    date = (NOON + timedelta(minutes=4)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    desk.service.next("getCertificate", reply(tampered(not_there()), date=date))
    with pytest.raises(TrustError) as refused:
        desk.client._desk.read(Operation.GET, desk.client._desk.post(Operation.GET, b"<a/>"))
    assert "clock" not in str(refused.value)


def test_an_environment_without_anchors_is_not_opened(desk: VeroDesk) -> None:
    from govfile import vero
    from govfile.errors import ConfigurationError

    for environment in (vero.PRODUCTION, vero.TEST, vero.TEST_BENCH, attrs.evolve(desk.environment, issuers=None)):
        with pytest.raises(ConfigurationError, match="no anchors"):
            vero.CertificateService(environment, desk.keys)
    with pytest.raises(ConfigurationError, match="none of the certificates given"):
        vero.PRODUCTION.trusting(pki.Authority.create().pem)
