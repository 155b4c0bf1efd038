"""What the token service would refuse is refused before anything is sent."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from govfile.certificates.credential import Credential
from govfile.errors import ConfigurationError, CredentialError, GovfileError, InvalidContent, TrustError
from govfile.sosi.card import IdCard
from govfile.sosi.cards import build
from govfile.sosi.claims import OnBehalfOf
from govfile.sosi.environments import PRODTEST, PRODUCTION, TEST1, TEST2, TRAINING, Endpoint, Environment
from govfile.sosi.sts import SecurityTokenService
from support import pki
from support.fake_sts import CPR, CPR_NAME, CVR, FakeSts, assertion, employee, signed_card, signer, system
from support.sosi_tokens import JWT, UID, bootstrap_token, jwt, oiosaml_assertion
from support.xml_messages import NOW, SAML, authority

if TYPE_CHECKING:
    from collections.abc import Callable

    from govfile.sosi.signed_card import SignedCard

CARD = IdCard.user(it_system="Example Lab", role="7170", cpr=CPR, given_name="Test", surname="Person")


@pytest.fixture
def sts() -> FakeSts:
    return FakeSts()


@pytest.fixture(scope="module")
def card() -> SignedCard:
    return FakeSts().client().issue(CARD)


@pytest.fixture(scope="module")
def system_card() -> SignedCard:
    return FakeSts().client(system()).issue(IdCard.system(it_system="Example Lab"))


def not_sent(
    sts: FakeSts, call: Callable[[SecurityTokenService], object], *, who: Credential | None = None
) -> GovfileError:
    with pytest.raises(GovfileError) as caught:
        call(sts.client(who))
    assert sts.asked == []
    assert CPR not in str(caught.value)
    return caught.value


def test_t10_a_systems_card_is_no_identity(sts: FakeSts, system_card: SignedCard) -> None:
    error = not_sent(sts, lambda client: client.identity_token(system_card, audience="https://fmk"))
    assert isinstance(error, InvalidContent)
    assert "only a user's ID card" in str(error)


@pytest.mark.parametrize(
    ("who", "wanted"),
    [(system(), CARD), (employee(), IdCard.system(it_system="Example Lab"))],
    ids=["user card by a system", "system card by a user"],
)
def test_t10_a_card_of_the_wrong_kind_for_the_certificate(sts: FakeSts, who: Credential, wanted: IdCard) -> None:
    assert isinstance(not_sent(sts, lambda client: client.issue(wanted), who=who), CredentialError)


def test_t10_a_card_of_a_low_level(sts: FakeSts) -> None:
    low = IdCard.user(it_system="Example Lab", role="7170", level=1)
    assert isinstance(not_sent(sts, lambda client: client.issue(low)), GovfileError)


def test_a_card_that_is_signed_by_its_owner_alone_is_not_exchanged(sts: FakeSts) -> None:
    ours = build(CARD, employee(), at=NOW)
    for call in (
        lambda client: client.identity_token(ours, audience="https://fmk"),
        lambda client: client.to_oiosaml(ours, audience="https://sp.example.dk"),
    ):
        assert "issue(card)" in not_sent(sts, call).advice


def test_a_card_that_the_service_signed_is_not_signed_again(sts: FakeSts, card: SignedCard) -> None:
    assert "already" in str(not_sent(sts, lambda client: client.issue(card)))


def test_a_card_of_the_old_service_cannot_become_an_oiosaml_assertion(sts: FakeSts) -> None:
    fake = FakeSts(
        token=lambda asked: signed_card(asked.trust_request.children[2].children[0].original, keeps_name=True)
    )
    old = fake.client().issue(CARD, legacy=True)
    error = not_sent(sts, lambda client: client.to_oiosaml(old, audience="https://sp.example.dk"))
    assert "NewSecurityTokenService" in str(error)


def test_t12_a_card_that_has_run_out(card: SignedCard) -> None:
    late = FakeSts(clock=lambda: NOW + timedelta(hours=24))
    error = not_sent(late, lambda client: client.identity_token(card, audience="https://fmk"))
    assert "the ID card ran out at 2026-06-02 11:55:00 UTC" in str(error)


def test_both_code_and_role_for_a_bootstrap_token(sts: FakeSts) -> None:
    token = bootstrap_token()
    error = not_sent(
        sts,
        lambda client: client.from_bootstrap_token(token, it_system="Lab", role="7170", authorisation_code="8B7X2"),
    )
    assert "not both" in str(error)


@pytest.mark.parametrize("seconds", [2, 0, -60])
def test_a_bootstrap_token_with_two_seconds_left(sts: FakeSts, seconds: int) -> None:
    token = bootstrap_token(at=NOW - timedelta(seconds=30 - seconds))
    error = not_sent(sts, lambda client: client.from_bootstrap_token(token, it_system="Example Lab"))
    assert "the bootstrap token r" in str(error)
    assert "get a new one" in error.advice


def test_a_bootstrap_token_bound_to_another_key(sts: FakeSts) -> None:
    token = bootstrap_token(holder=system().certificate)
    error = not_sent(sts, lambda client: client.citizen_token(token, cpr=CPR, audience="https://minlog2"))
    assert isinstance(error, CredentialError)
    assert "bound to another certificate" in str(error)


def test_a_bootstrap_token_of_another_person(sts: FakeSts) -> None:
    by_name = assertion(audience="https://x", attributes={"a": "b"}, name_id=f"{CPR_NAME}:{CPR}")
    for token in (bootstrap_token(holder=employee().certificate), by_name):

        def ask(client: SecurityTokenService, token: bytes = token) -> object:
            return client.citizen_token(token, cpr="020200-1234", audience="https://minlog2")

        error = not_sent(sts, ask)
        assert isinstance(error, InvalidContent)
        assert "another person" in str(error)


@pytest.mark.parametrize("token_id", ["body", "messageID", "ts"])
def test_a_token_with_an_id_of_the_envelope(sts: FakeSts, token_id: str) -> None:
    token = oiosaml_assertion(token_id=token_id)
    error = not_sent(sts, lambda client: client.from_oiosaml(token, it_system="Example Lab"))
    assert isinstance(error, InvalidContent)
    assert "does not fit into a request" in str(error)


def test_an_encrypted_bootstrap_token_is_passed_on_unread(sts: FakeSts) -> None:
    encrypted = f'<saml:EncryptedAssertion xmlns:saml="{SAML}"><x>y</x></saml:EncryptedAssertion>'.encode()
    sts.client().citizen_token(encrypted, cpr=CPR, audience="https://minlog2")
    assert sts.asked[0].body.count(encrypted) == 1


@pytest.mark.parametrize(
    ("token", "said"),
    [
        (b"", "cannot be used"),
        (b"not xml", "cannot be used"),
        (b"<a/>", "no SAML 2.0 assertion"),
        (f'<saml:Assertion xmlns:saml="{SAML}"/>'.encode(), "no element Subject"),
        (f'<!DOCTYPE a><saml:Assertion xmlns:saml="{SAML}"/>'.encode(), "document type"),
        (b"<saml:Assertion/>", "cannot be used"),
        ("<a/>", "must be bytes"),
        (b"<a>" * 300, "cannot be used"),
    ],
)
def test_w05_what_is_no_token(sts: FakeSts, token: bytes, said: str) -> None:
    error = not_sent(sts, lambda client: client.from_bootstrap_token(token, it_system="Example Lab"))
    assert isinstance(error, InvalidContent)
    assert said in str(error)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"attributes": {"dk:gov:saml:attribute:CvrNumberIdentifier": CVR}}, "only assertions made with an employee's"),
        ({"attributes": {"https://data.gov.dk/model/core/specVersion": "OIO-SAML-3.0"}}, "from_bootstrap_token"),
        ({"at": NOW - timedelta(hours=1)}, "the OIOSAML assertion ran out"),
    ],
)
def test_an_oiosaml_assertion_that_no_card_can_be_made_of(sts: FakeSts, changes: dict[str, object], said: str) -> None:
    token = oiosaml_assertion(**changes)  # type: ignore[arg-type]
    error = not_sent(sts, lambda client: client.from_oiosaml(token, it_system="Example Lab"))
    assert said in str(error)


def test_an_encrypted_oiosaml_assertion_cannot_become_a_card(sts: FakeSts) -> None:
    token = f'<saml:EncryptedAssertion xmlns:saml="{SAML}"/>'.encode()
    assert "is encrypted" in str(not_sent(sts, lambda client: client.from_oiosaml(token, it_system="Example Lab")))


@pytest.mark.parametrize("audience", ["", "sp.example.dk", "https://a b"])
def test_t08_an_audience_that_cannot_be_normalised(sts: FakeSts, card: SignedCard, audience: str) -> None:
    assert isinstance(not_sent(sts, lambda client: client.identity_token(card, audience=audience)), InvalidContent)
    assert isinstance(not_sent(sts, lambda client: client.to_oiosaml(card, audience=audience)), InvalidContent)


@pytest.mark.parametrize("it_system", ["", " ", "a\x00b", "a\nb", "x" * 300])
def test_a_system_name_that_cannot_be_written(sts: FakeSts, it_system: str) -> None:
    token = bootstrap_token()
    assert isinstance(
        not_sent(sts, lambda client: client.from_bootstrap_token(token, it_system=it_system)), InvalidContent
    )
    assert isinstance(
        not_sent(sts, lambda client: client.from_oiosaml(oiosaml_assertion(), it_system=it_system)), InvalidContent
    )


@pytest.mark.parametrize("cpr", ["", "1", "01010012345", "abcdefghij", "010100 1234"])
def test_a_cpr_number_without_ten_digits(sts: FakeSts, cpr: str) -> None:
    token = bootstrap_token()
    error = not_sent(sts, lambda client: client.citizen_token(token, cpr=cpr, audience="https://fmk"))
    assert isinstance(error, InvalidContent)
    with pytest.raises(InvalidContent):
        OnBehalfOf.procuration(cpr)


@pytest.mark.parametrize(
    ("token", "said"),
    [
        ("", "no JWT"),
        ("a.b", "no JWT"),
        ("a.b.c.d", "no JWT"),
        (b"\xff", "no JWT"),
        ("e30.e30.x", "not signed"),
        (jwt({}, header={"alg": "none"}), "not signed"),
        (jwt({}, header={"alg": "None"}), "not signed"),
        (jwt({}, signature=""), "not signed"),
        (jwt({"exp": "soon"}), "as a number"),
        (jwt({"exp": 10**30}), "no calendar"),
        (jwt({"exp": int((NOW + timedelta(seconds=2)).timestamp())}), "the JWT runs out in 2 seconds"),
        (jwt({"exp": int((NOW - timedelta(seconds=2)).timestamp())}), "the JWT ran out"),
    ],
)
def test_a_jwt_that_would_be_refused(sts: FakeSts, token: str | bytes, said: str) -> None:
    error = not_sent(sts, lambda client: client.from_jwt(token, cpr=CPR, audience="https://fmk"))
    assert isinstance(error, InvalidContent)
    assert said in str(error)


def test_a_jwt_without_an_end_is_left_to_the_service(sts: FakeSts) -> None:
    sts.client().from_jwt(jwt({"sub": "x"}), cpr=CPR, audience="https://fmk")
    assert len(sts.asked) == 1


def test_an_expired_certificate(sts: FakeSts) -> None:
    who = authority().issue(pki.oces3(cvr=CVR, letter="E"), not_before=NOW - timedelta(days=9), not_after=NOW)
    credential = Credential.from_pem(who.pem + who.key_pem(), at=NOW - timedelta(days=1))
    sts.clock = lambda: NOW + timedelta(seconds=1)
    for call in (
        lambda client: client.issue(CARD),
        lambda client: client.from_jwt(JWT, cpr=CPR, audience="https://fmk"),
        lambda client: client.from_oiosaml(oiosaml_assertion(), it_system="Example Lab"),
    ):
        assert isinstance(not_sent(sts, call, who=credential), CredentialError)


def test_nobody_is_believed_where_nobody_is_named() -> None:
    for environment in (TEST1, TEST2, TRAINING, PRODTEST, PRODUCTION):
        assert environment.trust is None
        with pytest.raises(ConfigurationError, match="whose signatures count"):
            SecurityTokenService(environment, employee())


def of_a_known_authority(*, is_test: bool) -> Credential:
    issuer = pki.OCES3_TEST_ISSUER if is_test else pki.OCES3_ISSUER
    who = pki.Authority.create(issuer, not_before=NOW - timedelta(days=9)).issue(
        pki.oces3(cvr=CVR, letter="E"), not_before=NOW - timedelta(days=1), not_after=NOW + timedelta(days=1)
    )
    return Credential.from_pem(who.pem + who.key_pem(), at=NOW)


@pytest.mark.parametrize("is_test", [True, False])
def test_a_credential_of_the_other_kind_of_environment(sts: FakeSts, is_test: bool) -> None:
    with pytest.raises(ConfigurationError, match="cannot be used with the environment fake"):
        sts.client(of_a_known_authority(is_test=is_test), is_test=not is_test)
    for environment in (is_test, None):
        sts.client(of_a_known_authority(is_test=is_test), is_test=environment).close()


@pytest.mark.parametrize(
    "changes",
    [
        {"base_url": "ftp://sts.test"},
        {"base_url": "sts.test"},
        {"base_url": "https://[::1"},
        {"base_url": "https://sts.test:secret"},
        {"base_url": "https://sts.test:99999"},
        {"base_url": "https://user:secret@sts.test"},
        {"base_url": "https://sts.test/?x=1"},
        {"attempts": 0},
        {"skew": timedelta(hours=1)},
    ],
)
def test_an_environment_that_cannot_be(changes: dict[str, object]) -> None:
    fields = {"name": "x", "base_url": "https://sts.test", "is_test": True, **changes}
    with pytest.raises(ConfigurationError) as caught:
        Environment(**fields)  # type: ignore[arg-type]
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "changes", [{"path": "sts"}, {"path": "/a b"}, {"path": "/a?x"}, {"path": "/a", "action": 'x"'}]
)
def test_an_endpoint_that_cannot_be(changes: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError):
        Endpoint(**changes)  # type: ignore[arg-type]


def test_tokens_bound_to_another_key_are_refused_when_they_come(sts: FakeSts) -> None:
    confirmation = bootstrap_token(holder=system().certificate)
    begin, end = confirmation.index(b"<saml:SubjectConfirmation "), confirmation.index(b"</saml:Subject>")
    piece = confirmation[begin:end].decode()
    sts.token = lambda asked: assertion(audience=asked.audience, confirmation=piece)
    with pytest.raises(TrustError, match="bound to another certificate than ours"):
        sts.client().from_jwt(JWT, cpr=CPR, audience="https://fmk")


def test_a_citizens_token_for_whoever_has_it_is_refused(sts: FakeSts) -> None:
    bearer = '<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"/>'
    for confirmation in ("", bearer):
        sts.token = lambda asked, how=confirmation: assertion(audience=asked.audience, confirmation=how)
        with pytest.raises(TrustError, match="bound to no key"):
            sts.client().from_jwt(JWT, cpr=CPR, audience="https://fmk")


def test_a_right_that_was_not_given_is_noticed(sts: FakeSts) -> None:
    with pytest.raises(TrustError, match="in whose place"):
        sts.client().from_jwt(JWT, cpr=CPR, audience="https://fmk", on_behalf_of=OnBehalfOf.procuration("0202001234"))


@pytest.mark.parametrize(
    ("written", "is_taken"),
    [
        ("<a Scope='urn:dk:gov:saml:cprNumberIdentifier:0202001234'/>", True),
        ("<a Scope='x:0303001234'/><a Scope='x:0202001234'/>", True),
        ("<a of='nobody that can be told'/>", True),
        ("<a Scope='urn:dk:gov:saml:cprNumberIdentifier:0303001234'/>", False),
    ],
)
def test_t09_a_right_to_act_for_somebody_else_is_noticed(sts: FakeSts, written: str, is_taken: bool) -> None:
    place = OnBehalfOf.procuration("0202001234")
    said = {place.attribute: base64.b64encode(written.encode()).decode()}
    sts.token = lambda asked: assertion(audience=asked.audience, attributes=said)
    if is_taken:
        assert sts.client().from_jwt(JWT, cpr=CPR, audience="https://fmk", on_behalf_of=place).id
        return
    with pytest.raises(TrustError, match="the person in whose place it is differs") as caught:
        sts.client().from_jwt(JWT, cpr=CPR, audience="https://fmk", on_behalf_of=place)
    assert "001234" not in str(caught.value)


def test_a_card_for_another_person_than_the_assertions_is_refused(sts: FakeSts) -> None:
    other = build(IdCard.user(it_system="Example Lab", role="7170", cpr="0202001234"), employee(), at=NOW)
    sts.token = lambda _: signed_card(other.xml)
    with pytest.raises(TrustError, match="the person differs"):
        sts.client().from_oiosaml(oiosaml_assertion(), it_system="Example Lab")
    with pytest.raises(TrustError, match="the system"):
        sts.client().from_oiosaml(oiosaml_assertion({UID: "CVR:20301823-RID:1"}), it_system="Another Lab")


def test_the_client_closes_what_it_opened_and_shows_no_person(sts: FakeSts) -> None:
    with sts.client() as client:
        client.issue(CARD)
        assert "Test Person" not in repr(client)
    assert sts.is_closed
    client.close()
    assert signer() is signer()
