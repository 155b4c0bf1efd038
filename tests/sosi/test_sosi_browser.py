"""Tokens in URLs and log-in forms: the bytes arrive as they were."""

from __future__ import annotations

import base64
import gzip
import re
import zlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from govfile.errors import InvalidContent
from govfile.sosi.browser import from_url_value, log_in_form, response, to_url_value
from govfile.sosi.card import IdCard
from govfile.xml.unsigned import read_unsigned
from support.fake_sts import CPR, FakeSts
from support.html_forms import Form
from support.xml_messages import NOW, SAML

if TYPE_CHECKING:
    from govfile.sosi.tokens import OiosamlAssertion

PROVIDER = "https://sp.example.dk/saml/consumer?a=1&b=2"


@pytest.fixture(scope="module")
def assertion() -> OiosamlAssertion:
    client = FakeSts().client()
    card = client.issue(IdCard.user(it_system="Example Lab", role="7170", cpr=CPR))
    return client.to_oiosaml(card, audience="https://sp.example.dk")


def test_a_token_in_a_url_is_gzip_in_base64url_without_padding() -> None:
    value = to_url_value(b"<token>" * 50)
    assert re.fullmatch(r"[A-Za-z0-9_-]+", value)
    assert gzip.decompress(base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))) == b"<token>" * 50
    assert to_url_value(b"<token>" * 50) == value


@given(st.binary(max_size=300))
def test_a_token_comes_out_of_a_url_as_it_went_in(xml: bytes) -> None:
    assert from_url_value(to_url_value(xml)) == xml


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "!!!!",
        "å",
        base64.urlsafe_b64encode(b"<a/>").decode(),
        base64.urlsafe_b64encode(zlib.compress(b"<a/>")).decode(),
        to_url_value(b"<a/>")[:-6],
        base64.urlsafe_b64encode(gzip.compress(b"<a/>", mtime=0) + b"more").decode().rstrip("="),
        to_url_value(b" " * (1024 * 1024 + 1)),
    ],
)
def test_what_is_no_token_in_a_url_is_refused(text: str) -> None:
    with pytest.raises(InvalidContent):
        from_url_value(text)


def test_the_form_posts_the_assertions_bytes_in_a_response(assertion: OiosamlAssertion) -> None:
    page = log_in_form(assertion, action=PROVIDER, issuer="ExampleLab", relay_state='"><script>', at=NOW)
    form = Form(page)
    assert (form.action, form.method) == (PROVIDER, "post")
    assert form.fields["RelayState"] == '"><script>'
    message = base64.b64decode(form.fields["SAMLResponse"], validate=True)
    assert message.count(assertion.xml) == 1
    root = read_unsigned(message)
    assert root.name == "{urn:oasis:names:tc:SAML:2.0:protocol}Response"
    assert root.element.attributes["Destination"] == PROVIDER
    assert root.element.attributes["IssueInstant"] == "2026-06-01T12:00:00Z"
    assert [child.name.rpartition("}")[2] for child in root.children] == ["Issuer", "Status", "Assertion"]
    assert page.count("<script>") == 1


def test_an_unsolicited_response_answers_nothing_unless_it_is_said(assertion: OiosamlAssertion) -> None:
    alone = read_unsigned(response(assertion, issuer="A & B")).element
    assert "InResponseTo" not in alone.attributes
    assert alone.children[0].text == "A & B"
    solicited = read_unsigned(response(assertion, issuer="x", in_response_to='_1"')).element
    assert solicited.attributes["InResponseTo"] == '_1"'
    assert re.fullmatch(r"_[0-9a-f-]{36}", solicited.attributes["ID"])


@pytest.mark.parametrize(
    "action", ["http://sp.example.dk/", "javascript:alert(1)", "", "//sp.example.dk", "https://", "https://[::1"]
)
def test_a_log_in_goes_to_https_alone(assertion: OiosamlAssertion, action: str) -> None:
    with pytest.raises(InvalidContent):
        log_in_form(assertion, action=action, issuer="x")


def test_a_log_in_may_go_to_this_machine(assertion: OiosamlAssertion) -> None:
    assert Form(log_in_form(assertion, action="http://127.0.0.1:8080/acs", issuer="x")).fields.keys() == {
        "SAMLResponse"
    }


@pytest.mark.parametrize("issuer", ["", "a\x00", "x" * 300])
def test_an_issuer_that_cannot_be_written_is_refused(assertion: OiosamlAssertion, issuer: str) -> None:
    with pytest.raises(InvalidContent):
        response(assertion, issuer=issuer)


def test_an_assertion_shows_no_person(assertion: OiosamlAssertion) -> None:
    assert CPR not in repr(assertion)
    assert assertion.assertion is not None
    assert CPR not in repr(assertion.assertion)
    assert SAML.encode() in assertion.xml
