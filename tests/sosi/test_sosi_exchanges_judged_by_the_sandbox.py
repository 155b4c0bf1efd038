"""Every exchange against a strict service that shares no code with the client."""

from __future__ import annotations

import http.client
import ssl
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from govfile.errors import GovfileError, ProtocolError, Rejected, Retry, TrustError
from govfile.sandbox.sosi import (
    Audience,
    Authorisation,
    Encryption,
    Settings,
    SigningAlgorithm,
    SosiSandbox,
    Spoilt,
    Wrapping,
)
from govfile.sandbox.sosi.place import NATIONAL_ROLE
from govfile.sosi.browser import log_in_form
from govfile.sosi.card import IdCard
from govfile.sosi.card_source import CardSource
from govfile.sosi.care_provider import CareProvider
from support import pki
from support.html_forms import Form
from support.sosi_client import CPR, CVR, EXCHANGES, FMK, PROVIDER, USER, WARD, client, refused
from support.xml_messages import credential_of

if TYPE_CHECKING:
    from govfile.sosi.signed_card import SignedCard
    from govfile.sosi.sts import SecurityTokenService


@pytest.mark.parametrize("name", EXCHANGES)
def test_every_exchange_is_granted_by_a_strict_service(
    sts: SecurityTokenService, authority: SosiSandbox, card: SignedCard, name: str
) -> None:
    found: Any = EXCHANGES[name](sts, authority, card)
    assert found.expires > authority.clock()
    assert authority.answered[-1].refusal is None


def test_every_exchange_is_granted_by_a_service_that_wants_every_envelope_signed_and_signs_by_sha256() -> None:
    settings = Settings(envelopes_signed=True, signs_with=SigningAlgorithm.RSA_SHA256, requester_sha1=False)
    with SosiSandbox(settings=settings) as box:
        endpoints = box.environment.endpoints
        signed = attrs.evolve(endpoints.identity_token, signs_request=True)
        with client(box, endpoints=attrs.evolve(endpoints, identity_token=signed)) as sts:
            assert not sts.environment.required_trust().allow_sha1
            card = sts.issue(USER)
            for ask in EXCHANGES.values():
                ask(sts, box, card)
        assert all(answered.refusal is None for answered in box.answered)


def test_what_is_asked_for_is_what_comes(sts: SecurityTokenService, authority: SosiSandbox, card: SignedCard) -> None:
    assert (card.level, card.cpr, card.authorisation_code) == (4, CPR, "8B7X2")
    back = sts.from_oiosaml(authority.oiosaml_assertion(), it_system="Example Lab", role="7170", surname="Other")
    assert (back.cpr, back.it_system, back.surname) == (CPR, "Example Lab", "Other")
    named = sts.from_bootstrap_token(
        authority.bootstrap_token(), it_system="Example Lab", role="7170", alternative_identifier="test@example.dk"
    )
    assert named.cpr == CPR
    token = sts.citizen_token(authority.citizen_bootstrap_token(), cpr=CPR, audience=FMK)
    assert token.holder == authority.credential.certificate
    assert str(token.audience) == FMK


def test_a_system_whose_name_is_written_with_blanks_around_it_is_the_same(
    sts: SecurityTokenService, authority: SosiSandbox
) -> None:
    provider = CareProvider.ynumber(" 123456 ", "Example Laboratory")
    found = sts.issue(attrs.evolve(USER, it_system=" Example Lab ", care_provider=provider))
    assert sts.identity_token(found, audience=FMK).id
    assert sts.from_bootstrap_token(authority.bootstrap_token(), it_system="Example Lab ").is_verified


def test_a_systems_card_is_signed(authority: SosiSandbox) -> None:
    with client(authority, authority.system_credential) as sts:
        assert sts.issue(IdCard.system(it_system="Example Lab")).level == 3


def test_a_national_role_is_found(authority: SosiSandbox) -> None:
    helper = authority.register(cpr="0303001234", given_name="An", surname="Other", national_roles=[NATIONAL_ROLE])
    with client(authority, helper.credential) as sts:
        card = sts.from_bootstrap_token(authority.bootstrap_token(helper), it_system="Example Lab", role=NATIONAL_ROLE)
    assert card.role == NATIONAL_ROLE


def test_it_presents_its_certificate_where_that_is_set(authority: SosiSandbox) -> None:
    with client(authority, presents_certificate=True) as sts:
        assert sts.issue(USER).is_verified


# --- what the service refuses ---------------------------------------------------------------------------------------


def test_t11_a_cpr_number_that_is_not_the_certificates(sts: SecurityTokenService) -> None:
    error = refused(lambda: sts.issue(attrs.evolve(USER, cpr=WARD)))
    assert (error.code, error.actor, error.known) == ("FailedAuthentication", "dk:sosi:sts:cvrridcpr", True)


def test_t11_a_role_the_person_does_not_have(sts: SecurityTokenService) -> None:
    error = refused(lambda: sts.issue(attrs.evolve(USER, role="5166")))
    assert (error.code, error.actor) == ("FailedAuthentication", "dk:sosi:sts:autorisation")
    assert error.known


def test_t11_several_authorisations(authority: SosiSandbox) -> None:
    both = [Authorisation(code="1A2B3", education="7170"), Authorisation(code="4C5D6", education="5166")]
    holder = authority.register(cpr="0404001234", authorisations=both, given_name="Two", surname="Fold")
    with client(authority, holder.credential) as sts:
        card = IdCard.user(it_system="Example Lab", role="Helper")
        assert "authorisation_code=" in refused(lambda: sts.issue(card)).advice
        assert sts.issue(attrs.evolve(card, authorisation_code="4C5D6")).authorisation_code == "4C5D6"


def test_t11_a_revoked_certificate(authority: SosiSandbox) -> None:
    holder = authority.register(cpr="0505001234", given_name="Re", surname="Voked")
    authority.revoke(holder.certificate)
    with client(authority, holder.credential) as sts:
        assert refused(lambda: sts.issue(IdCard.user(it_system="Example Lab", role="7170"))).code


def test_t11_a_stranger_to_the_federation(authority: SosiSandbox) -> None:
    subject = pki.oces3(cvr=CVR, letter="E", organisation="Example Laboratory", common_name="Test Person")
    stranger = credential_of(pki.Authority.create().issue(subject, key=pki.rsa_key(8)))
    with client(authority, stranger) as sts:
        assert refused(lambda: sts.issue(USER)).code


def test_t08_an_audience_nobody_registered(sts: SecurityTokenService, card: SignedCard) -> None:
    assert refused(lambda: sts.to_oiosaml(card, audience="https://nobody.example")).retry is Retry.NEVER


def test_a_failed_look_up_is_asked_again(authority: SosiSandbox) -> None:
    with client(authority, attempts=3) as sts, authority.faults.during(lookup_failures=2):
        assert sts.issue(USER).is_verified
    with client(authority, attempts=2) as sts, authority.faults.during(lookup_failures=2):
        assert refused(lambda: sts.issue(USER)).retry is Retry.SAME_REQUEST


def test_w07_a_clock_that_is_ten_minutes_off_is_said(authority: SosiSandbox) -> None:
    for minutes in (10, -10):
        with client(authority) as sts, authority.faults.during(date_off=timedelta(minutes=minutes)):
            with pytest.raises((Rejected, TrustError)) as caught:
                sts.from_jwt(authority.jwt(), cpr=CPR, audience=FMK)
            assert f"10 minutes {'behind' if minutes > 0 else 'ahead of'} it" in caught.value.advice


# --- together -------------------------------------------------------------------------------------------------------


def test_t12_a_hundred_threads_ask_the_service_once(authority: SosiSandbox) -> None:
    with client(authority) as sts:
        source = CardSource(sts, attrs.evolve(USER, surname="Hundred"))
        before = len(authority.answered)
        with ThreadPoolExecutor(100) as pool:
            cards = set(pool.map(lambda _: source(), range(100)))
        assert len(cards) == 1
        assert len(authority.answered) == before + 1


def test_many_threads_share_one_client(sts: SecurityTokenService, card: SignedCard) -> None:
    with ThreadPoolExecutor(8) as pool:
        tokens = list(pool.map(lambda _: sts.identity_token(card, audience=FMK), range(24)))
    assert len({token.id for token in tokens}) == 24


@pytest.mark.parametrize("encryption", Encryption)
def test_the_provider_reads_what_was_encrypted_for_it(
    sts: SecurityTokenService, authority: SosiSandbox, card: SignedCard, encryption: Encryption
) -> None:
    subject = pki.plain("Service provider")
    provider = credential_of(pki.Authority.create().issue(subject, key=pki.rsa_key(9)))
    authority.add_audience(
        Audience(
            audience="https://reads.example",
            public_key=provider.certificate,
            recipient_url="https://reads.example/acs",
            encryption=encryption,
            includes_bootstrap=True,
        )
    )
    sealed = sts.to_oiosaml(card, audience="https://reads.example")
    assert sealed.is_encrypted
    found = sealed.decrypt(provider, trust=authority.trust, at=authority.clock())
    assert not found.is_encrypted
    assert found.assertion is not None
    assert found.assertion.value("dk:gov:saml:attribute:CprNumberIdentifier") == CPR
    assert CPR not in repr(found)
    with pytest.raises(TrustError):
        sealed.decrypt(authority.credential, trust=authority.trust, at=authority.clock())
    with pytest.raises(TrustError):
        sealed.decrypt(provider, trust=authority.trust, at=authority.clock() + timedelta(days=1))
    with pytest.raises(TrustError, match="another service"):
        attrs.evolve(sealed, audience=card_audience()).decrypt(provider, trust=authority.trust, at=authority.clock())


def card_audience() -> Any:
    from govfile.sosi.audience import Audience as Wanted

    return Wanted.parse("https://another.example")


def test_t01_t02_a_forged_assertion_within_the_encryption_is_refused_by_its_reader(
    sts: SecurityTokenService, authority: SosiSandbox, card: SignedCard
) -> None:
    provider = credential_of(pki.Authority.create().issue(pki.plain("Service provider"), key=pki.rsa_key(9)))
    authority.add_audience(
        Audience(audience="https://sealed.example", public_key=provider.certificate, recipient_url="https://x.example")
    )
    faults: list[dict[str, Any]] = [{"spoilt": found} for found in Spoilt if found is not Spoilt.COMMENTED]
    for fault in [*faults, *({"wrapped": found} for found in Wrapping)]:
        with authority.faults.during(**fault):
            try:
                sealed = sts.to_oiosaml(card, audience="https://sealed.example")
            except GovfileError:
                continue
        with pytest.raises((TrustError, ProtocolError)):
            sealed.decrypt(provider, trust=authority.trust, at=authority.clock())


def test_an_assertion_in_the_clear_may_hold_the_card_it_was_made_from(
    sts: SecurityTokenService, authority: SosiSandbox, card: SignedCard
) -> None:
    authority.add_audience(
        Audience(audience="https://holds.example", recipient_url="https://x.example", includes_bootstrap=True)
    )
    found = sts.to_oiosaml(card, audience="https://holds.example")
    assert found.assertion is not None
    assert found.xml.count(b"IDCardData") == 1


def test_a_log_in_form_lets_its_user_in(sts: SecurityTokenService, authority: SosiSandbox, card: SignedCard) -> None:
    assertion = sts.to_oiosaml(card, audience=PROVIDER)
    consumer = authority.service_url("consumer")
    form = Form(log_in_form(assertion, action=consumer, issuer="ExampleLab", relay_state="x", at=authority.clock()))
    before = len(authority.logins)
    assert post(authority, form) == 200
    assert len(authority.logins) == before + 1


def post(authority: SosiSandbox, form: Form) -> int:
    """What a browser does with the form; the status that comes back."""
    where = urllib.parse.urlsplit(form.action)
    context = ssl.create_default_context(cadata=authority.tls_pem().decode())
    connection = http.client.HTTPSConnection(where.hostname or "", where.port, context=context, timeout=30)
    try:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", where.path, urllib.parse.urlencode(form.fields), headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()
