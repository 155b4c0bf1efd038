"""The envelope of an exchange: all of it signed, of today, by somebody the federation knows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from govfile.sandbox.sosi import CertificateKind, Settings, SigningAlgorithm, SosiSandbox
from support.sosi_asking import (
    BAD_ENVELOPE,
    OVER,
    SYSTEM,
    bst,
    citizen,
    from_oiosaml,
)
from support.sosi_caller import Caller, CardText, exchange_request, signed

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def sts() -> Iterator[Caller]:
    with SosiSandbox() as sandbox:
        yield Caller(sandbox)


@pytest.fixture(scope="module")
def card(sts: Caller) -> str:
    return sts.card()


@pytest.mark.parametrize(
    "other",
    [
        {"unsigned": ""},
        {"parts": "messageID action ts"},
        {"parts": "action ts body"},
        {"parts": "messageID action body"},
    ],
)
def test_the_envelope_must_be_signed_as_a_whole(sts: Caller, other: dict[str, Any]) -> None:
    fault = bst(sts, **other).fault
    assert fault == ("InvalidRequest", "dk:sosi:sts:bst2sosi", BAD_ENVELOPE)
    assert citizen(sts, **other).fault == ("InvalidRequest", "dk:sosi:sts:its", BAD_ENVELOPE)


def test_an_address_that_is_there_must_be_signed(sts: Caller) -> None:
    sandbox = sts.sandbox
    where = "//*[local-name()='Security']/*[local-name()='Signature']"
    request = exchange_request(sandbox.bootstrap_token().decode(), "https://x", claims=SYSTEM)
    added = request.replace("<wsse:Security ", '<wsa:To wsu:Id="to">https://sts</wsa:To><wsse:Security ', 1)
    path = sandbox.settings.paths.bst_to_sosi
    fault = sts.post(path, signed(added, sandbox.employee.issued, at=where)).fault
    assert fault is not None
    assert fault[2] == BAD_ENVELOPE
    request = exchange_request(
        sandbox.bootstrap_token().decode(), "https://x", claims=SYSTEM, parts="messageID action ts body to"
    )
    added = request.replace("<wsse:Security ", '<wsa:To wsu:Id="to">https://sts</wsa:To><wsse:Security ', 1)
    assert sts.post(path, signed(added, sandbox.employee.issued, at=where)).fault is None


def test_an_altered_envelope_is_refused_even_where_none_is_demanded(sts: Caller, card: str) -> None:
    where = "//*[local-name()='Security']/*[local-name()='Signature']"
    whole = signed(exchange_request(card, "https://fmk"), sts.sandbox.employee.issued, at=where)
    altered = whole.replace("https://fmk<", "https://fsk<")
    fault = sts.post(sts.sandbox.settings.paths.its, altered).fault
    assert fault == ("InvalidRequest", "dk:sosi:sts:its", BAD_ENVELOPE)


def test_old_messages_and_callers_the_federation_does_not_know_are_refused(sts: Caller) -> None:
    old = (datetime.now(UTC) - timedelta(minutes=6)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert bst(sts, created=old).fault == OVER
    stranger = attrs.evolve(sts.sandbox.employee.issued, certificate=sts.sandbox.employee.issued.issuer)
    fault = bst(sts, by=stranger).fault
    assert fault is not None


def test_settings_make_the_sts_stricter_and_sign_better(card: str) -> None:
    settings = Settings(envelopes_signed=True, requester_sha1=False, signs_with=SigningAlgorithm.RSA_SHA256)
    with SosiSandbox(settings=settings) as sandbox:
        sts, path = Caller(sandbox), sandbox.settings.paths.its
        fresh = sts.issue()
        assert str(fresh.text("//saml:Assertion//ds:SignatureMethod/@Algorithm")).endswith("rsa-sha256")
        fault = sts.exchange(path, card, "https://fmk", unsigned="").fault
        assert fault == ("InvalidRequest", "dk:sosi:sts:its", BAD_ENVELOPE)
        assert sts.exchange(path, card, "https://fmk", sha="sha1").fault is not None
        assert sts.issue(CardText(sha="sha1")).fault is not None
        assert sandbox.trust.allow_sha1 is False
        assert sts.exchange(path, card, "https://fmk").fault is None


def test_systems_may_exchange_citizens_tokens(sts: Caller) -> None:
    system = sts.sandbox.system
    token = sts.sandbox.citizen_bootstrap_token(bound_to=system.certificate)
    assert citizen(sts, token, by=system.issued).fault is None


def test_old_certificates_exchange_too(sts: Caller) -> None:
    person = sts.sandbox.register(CertificateKind.MOCES2, cpr="1010001234", given_name="Olga", surname="Old")
    answer = from_oiosaml(sts, sts.sandbox.oiosaml_assertion(person))
    assert answer.fault is None
    assert answer.attribute("medcom:UserRole") == "urn:dk:healthcare:no-role"
