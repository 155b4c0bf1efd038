"""Every exchange against a strict service that shares no code with the client, and every way it can break."""

from __future__ import annotations

import http.client
import ssl
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from govfile.errors import GovfileError, OutcomeUnknown, ProtocolError, Rejected, Retry, TransportError, TrustError
from govfile.sandbox.sosi import (
    Audience,
    Authorisation,
    Encryption,
    Envelope,
    Other,
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
from govfile.sosi.claims import Custody, OnBehalfOf
from govfile.sosi.sts import SecurityTokenService
from support import pki
from support.html_forms import Form
from support.xml_messages import credential_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from govfile.sosi.signed_card import SignedCard

CVR, CPR, WARD = "20301823", "0101001234", "0202101234"
FMK = "https://fmk"
PROVIDER = "HTTPS://SP.Example.dk/"


@pytest.fixture(scope="module")
def authority() -> Iterator[SosiSandbox]:
    with SosiSandbox() as found:
        yield found


@pytest.fixture(scope="module")
def sts(authority: SosiSandbox) -> Iterator[SecurityTokenService]:
    with client(authority) as found:
        yield found


@pytest.fixture(scope="module")
def card(sts: SecurityTokenService) -> SignedCard:
    return sts.issue(USER)


def client(authority: SosiSandbox, credential: Any = None, **changes: Any) -> SecurityTokenService:
    environment = attrs.evolve(authority.environment, **{"attempts": 1, "pause": timedelta(0), **changes})
    return SecurityTokenService(environment, credential or authority.credential, clock=authority.clock)


USER = IdCard.user(
    issuer="ExampleLab",
    it_system="Example Lab",
    care_provider=CareProvider.cvr(CVR, "Example Laboratory"),
    cpr=CPR,
    given_name="Test",
    surname="Person",
    role="7170",
)

EXCHANGES: dict[str, Callable[[SecurityTokenService, SosiSandbox, SignedCard], object]] = {
    "issue": lambda sts, _, __: sts.issue(USER),
    "issue legacy": lambda sts, _, __: sts.issue(USER, legacy=True),
    "identity token": lambda sts, _, card: sts.identity_token(card, audience=FMK),
    "identity token, card in header": lambda sts, _, card: sts.identity_token(card, audience=FMK, card_in_header=True),
    "to_oiosaml, encrypted": lambda sts, _, card: sts.to_oiosaml(card, audience=PROVIDER),
    "to_oiosaml, in the clear": lambda sts, _, card: sts.to_oiosaml(card, audience=FMK),
    "from_oiosaml": lambda sts, box, _: sts.from_oiosaml(box.oiosaml_assertion(), it_system="Example Lab", role="7170"),
    "from_bootstrap_token": lambda sts, box, _: sts.from_bootstrap_token(
        box.bootstrap_token(), it_system="Example Lab", role="7170"
    ),
    "from_bootstrap_token, encrypted": lambda sts, box, _: sts.from_bootstrap_token(
        box.bootstrap_token(is_encrypted=True), it_system="Example Lab", authorisation_code="8B7X2"
    ),
    "citizen_token": lambda sts, box, _: sts.citizen_token(box.citizen_bootstrap_token(), cpr=CPR, audience=FMK),
    "citizen_token, encrypted": lambda sts, box, _: sts.citizen_token(
        box.citizen_bootstrap_token(is_encrypted=True), cpr=CPR, audience=FMK
    ),
    "citizen_token, procuration": lambda sts, box, _: sts.citizen_token(
        box.citizen_bootstrap_token(), cpr=CPR, audience=FMK, on_behalf_of=OnBehalfOf.procuration(WARD)
    ),
    "citizen_token, custody": lambda sts, box, _: sts.citizen_token(
        box.citizen_bootstrap_token(), cpr=CPR, audience=FMK, on_behalf_of=OnBehalfOf.custody(Custody.PARENTAL, WARD)
    ),
    "from_jwt": lambda sts, box, _: sts.from_jwt(box.jwt(), cpr=CPR, audience=FMK),
    "jwt_to_oiosaml": lambda sts, box, _: sts.jwt_to_oiosaml(box.jwt(), cpr=CPR, audience=PROVIDER),
}
#: One of each kind of answer whose token's signature is read here: a card in either dialect, a token, an assertion.
READ_HERE = ("issue", "identity token", "to_oiosaml, in the clear", "from_oiosaml", "citizen_token")
#: One of each kind of answer with addressing headers.
IN_ENVELOPES = ("identity token", "to_oiosaml, encrypted", "from_oiosaml", "citizen_token")


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


def refused(call: Callable[[], object]) -> Rejected:
    with pytest.raises(Rejected) as caught:
        call()
    for personal in (CPR, WARD, "8B7X2", "Person", "25351738"):
        assert personal not in f"{caught.value} {vars(caught.value)}"
    return caught.value


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


# --- what the service spoils ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "spoilt"),
    [
        (name, spoilt)
        for name in READ_HERE
        for spoilt in Spoilt
        if (name, spoilt) != ("identity token", Spoilt.EXPIRED)  # it shows the new certificate of the same key
    ],
)
def test_t02_t03_a_spoilt_signature_is_refused(
    sts: SecurityTokenService, authority: SosiSandbox, card: SignedCard, name: str, spoilt: Spoilt
) -> None:
    with authority.faults.during(spoilt=spoilt):
        try:
            found: Any = EXCHANGES[name](sts, authority, card)
        except (TrustError, ProtocolError):
            return
    # a comment is no part of what is signed: then what is read must be what was meant
    assert spoilt is Spoilt.COMMENTED
    assert b"<!--" in found.xml


@pytest.mark.parametrize("wrapping", Wrapping)
@pytest.mark.parametrize("name", READ_HERE)
def test_t01_a_wrapped_token_is_refused(
    sts: SecurityTokenService, authority: SosiSandbox, card: SignedCard, name: str, wrapping: Wrapping
) -> None:
    with authority.faults.during(wrapped=wrapping), pytest.raises((TrustError, ProtocolError)):
        EXCHANGES[name](sts, authority, card)


@pytest.mark.parametrize("envelope", Envelope)
@pytest.mark.parametrize("name", IN_ENVELOPES)
def test_t02_a_spoilt_envelope_is_refused(
    sts: SecurityTokenService, authority: SosiSandbox, card: SignedCard, name: str, envelope: Envelope
) -> None:
    with authority.faults.during(envelope=envelope):
        if name.startswith("identity token") and envelope is Envelope.UNSIGNED:
            EXCHANGES[name](sts, authority, card)  # its answers need no signature beside the token's
            return
        with pytest.raises((TrustError, ProtocolError)):
            EXCHANGES[name](sts, authority, card)


@pytest.mark.parametrize("other", [Other.ID, Other.CVR, Other.CPR, Other.TYPE, Other.LEVEL, Other.VERSION])
def test_t09_a_card_about_something_else_is_refused(
    sts: SecurityTokenService, authority: SosiSandbox, other: Other
) -> None:
    with authority.faults.during(other=other), pytest.raises((TrustError, ProtocolError)):
        sts.issue(USER)


@pytest.mark.parametrize("other", [Other.AUDIENCE, Other.CONTEXT, Other.RELATION])
@pytest.mark.parametrize("name", IN_ENVELOPES)
def test_t08_t09_an_answer_to_something_else_is_refused(
    sts: SecurityTokenService, authority: SosiSandbox, card: SignedCard, name: str, other: Other
) -> None:
    with authority.faults.during(other=other), pytest.raises((TrustError, ProtocolError)):
        EXCHANGES[name](sts, authority, card)


@pytest.mark.parametrize("name", ["issue", *IN_ENVELOPES])
def test_t09_a_replayed_answer_is_refused(
    sts: SecurityTokenService, authority: SosiSandbox, card: SignedCard, name: str
) -> None:
    EXCHANGES[name](sts, authority, card)
    with authority.faults.during(replay=True), pytest.raises((TrustError, ProtocolError)):
        EXCHANGES[name](sts, authority, card)


@pytest.mark.parametrize("name", ["issue", *IN_ENVELOPES])
def test_t07_a_stale_answer_is_refused(
    sts: SecurityTokenService, authority: SosiSandbox, card: SignedCard, name: str
) -> None:
    with authority.faults.during(stale=timedelta(days=2)), pytest.raises((TrustError, ProtocolError)):
        EXCHANGES[name](sts, authority, card)


@pytest.mark.parametrize(
    ("fault", "kinds"),
    [
        ({"page": True}, (ProtocolError,)),
        ({"page": True, "status": 502}, (ProtocolError,)),
        ({"empty": True}, (ProtocolError,)),
        ({"doctype": True}, (ProtocolError,)),
        ({"redirect": "https://elsewhere.test/"}, (ProtocolError,)),
        ({"flood": 6 * 1024 * 1024}, (ProtocolError, OutcomeUnknown)),
        ({"drop_before": True}, (OutcomeUnknown, TransportError)),
        ({"drop_after": True}, (OutcomeUnknown,)),
        ({"cut_after": 500}, (OutcomeUnknown,)),
        ({"soap12": True}, (ProtocolError, TrustError)),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_w01_w05_w06_a_line_that_breaks_or_bends(
    authority: SosiSandbox, fault: dict[str, Any], kinds: tuple[type[GovfileError], ...]
) -> None:
    with client(authority) as sts, authority.faults.during(**fault):
        with pytest.raises(kinds) as caught:
            sts.issue(USER)
        assert caught.value.operation == "issue"
        assert CPR not in f"{caught.value} {vars(caught.value)}"


def test_w06_a_lost_answer_is_asked_for_again(authority: SosiSandbox) -> None:
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        authority.faults.clear()

    environment = attrs.evolve(authority.environment, attempts=2)
    with SecurityTokenService(environment, authority.credential, clock=authority.clock, sleep=sleep) as sts:
        authority.faults.drop_after = True
        assert sts.issue(USER).is_verified
    assert slept == [1.0]


@pytest.mark.parametrize("status", [200, 500])
def test_w02_a_fault_is_told_with_either_status(authority: SosiSandbox, status: int) -> None:
    words = ("InvalidRequest", "dk:sosi:sts:nbo", "IT System must be specified")
    with client(authority) as sts, authority.faults.during(refuse=words, status=status):
        error = refused(lambda: sts.issue(USER))
    assert (error.code, error.actor, error.text) == words


def test_an_answer_in_parts_is_read(authority: SosiSandbox, card: SignedCard) -> None:
    with client(authority) as sts, authority.faults.during(mtom=True):
        assert sts.issue(USER).is_verified
        assert sts.to_oiosaml(card, audience=PROVIDER).is_encrypted


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
