"""Answers of the token service: what is taken, and what is not although it is signed by the right one."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import attrs
import pytest

from govfile.certificates.signer import SignatureAlgorithm
from govfile.certificates.trust import Trust
from govfile.errors import ProtocolError, TrustError
from govfile.sosi.audience import Audience
from govfile.sosi.card import CardType, IdCard
from govfile.sosi.environments import Endpoints
from support.fake_sts import (
    CPR,
    CPR_NAME,
    Asked,
    FakeSts,
    assertion,
    signed_card,
    signer,
    system,
    trust,
    user_card,
    written,
)
from support.xml_messages import NOW, SAML

if TYPE_CHECKING:
    from govfile.certificates.credential import Credential
    from govfile.sosi.signed_card import SignedCard

FMK = "https://fmk"


@pytest.fixture
def sts() -> FakeSts:
    return FakeSts()


@pytest.fixture(scope="module")
def card() -> SignedCard:
    return FakeSts().client().issue(user_card())


def test_a_card_comes_back_signed_by_the_service_with_what_was_asked(sts: FakeSts) -> None:
    found = sts.client().issue(user_card())
    assert (found.issuer, found.level, found.type, found.cpr) == ("TEST-STS", 4, CardType.USER, CPR)
    assert found.is_verified
    assert found.names_certificate
    assert found.signer == signer().certificate
    assert sts.asked[0].path == "/sts/services/NewSecurityTokenService"
    assert sts.asked[0].headers["SOAPAction"] == '"Issue"'


def test_a_systems_card_has_level_3(sts: FakeSts) -> None:
    found = sts.client(system()).issue(IdCard.system(it_system="Example Lab"))
    assert (found.level, found.type) == (3, CardType.SYSTEM)


def test_the_legacy_service_is_asked_at_its_own_address(sts: FakeSts) -> None:
    sts.client().issue(user_card(), legacy=True)
    assert sts.asked[0].path == "/sts/services/SecurityTokenService"


def test_the_service_may_add_a_cpr_number_that_was_left_out() -> None:
    def with_cpr(asked: Asked) -> bytes:
        sent = asked.trust_request.children[2].children[0].original
        added = (
            b'<saml:AttributeStatement id="UserLog"><saml:Attribute Name="medcom:UserCivilRegistrationNumber">'
            b"<saml:AttributeValue>" + CPR.encode() + b"</saml:AttributeValue></saml:Attribute>"
        )
        return signed_card(sent.replace(b'<saml:AttributeStatement id="UserLog">', added))

    assert FakeSts(token=with_cpr).client().issue(user_card(cpr=None)).cpr == CPR


@pytest.mark.parametrize(
    ("what", "old", "new"),
    [
        ("person", CPR.encode(), b"0202001234"),
        ("care provider", b">20301823<", b">10101010<"),
        ("system", b">Example Lab<", b">Other Lab<"),
    ],
)
def test_t09_a_card_about_somebody_else_is_refused(what: str, old: bytes, new: bytes) -> None:
    def about_another(asked: Asked) -> bytes:
        return signed_card(asked.trust_request.children[2].children[0].original.replace(old, new))

    with pytest.raises(TrustError, match=f"the {what} differs") as caught:
        FakeSts(token=about_another).client().issue(user_card())
    assert new.decode().strip("<>") not in str(caught.value)


def test_t09_an_earlier_card_of_the_same_person_is_refused(card: SignedCard) -> None:
    with pytest.raises(TrustError, match="the id differs"):
        FakeSts(token=lambda _: card.xml).client().issue(user_card())


@pytest.mark.parametrize(
    ("fields", "said"),
    [({"context": "www.other.dk"}, "another context"), ({"status": "urn:invalid"}, "does not call it valid")],
)
def test_w03_a_card_in_a_frame_of_something_else_is_refused(fields: dict[str, str], said: str) -> None:
    with pytest.raises(ProtocolError, match=said):
        FakeSts(fields=fields).client().issue(user_card())


def test_t03_a_card_signed_by_another_company_is_refused(sts: FakeSts) -> None:
    other = signer("SOSI Test Federation", cvr="10101010")
    sts.token = lambda asked: signed_card(asked.trust_request.children[2].children[0].original, by=other)
    with pytest.raises(TrustError, match="not that of the signer"):
        sts.client().issue(user_card())


# --- exchanges ------------------------------------------------------------------------------------------------------


def test_an_identity_token_says_for_whom_it_is_and_until_when(sts: FakeSts, card: SignedCard) -> None:
    token = sts.client().identity_token(card, audience="HTTPS://FMK/")
    assert token.audience == Audience.parse(FMK)
    assert token.expires == NOW + timedelta(minutes=5)
    assert token.value(CPR_NAME) == CPR
    assert token.certificate == signer().certificate
    assert CPR not in repr(token)


@pytest.mark.parametrize(
    ("fields", "kind", "said"),
    [
        ({"relates_to": "urn:uuid:of-another"}, ProtocolError, "another message"),
        ({"context": "urn:uuid:of-another"}, ProtocolError, "another context"),
        ({"action": "http://docs.oasis-open.org/ws-sx/ws-trust/200512/RST/Cancel"}, ProtocolError, "another kind"),
        ({"audience": "https://fsk"}, TrustError, "another service"),
        ({"audience": ""}, TrustError, "another service"),
        ({"created": written(NOW - timedelta(minutes=6))}, TrustError, "an old one, or the clocks differ"),
        ({"created": written(NOW + timedelta(minutes=6))}, TrustError, "an old one, or the clocks differ"),
        ({"created": "yesterday"}, ProtocolError, "the time of the answer is not a time"),
        ({"ends": written(NOW - timedelta(hours=1))}, TrustError, "which is not now"),
        ({"begins": written(NOW + timedelta(hours=1))}, TrustError, "which is not now"),
    ],
)
@pytest.mark.parametrize("is_signed", [True, False], ids=["signed", "unsigned"])
def test_t08_t09_w03_an_answer_to_something_else_is_refused(
    card: SignedCard, fields: dict[str, str], kind: type[Exception], said: str, is_signed: bool
) -> None:
    fake = FakeSts(fields=fields, signs=signer() if is_signed else None)
    with pytest.raises(kind, match=said):
        fake.client().identity_token(card, audience=FMK)
    assert len(fake.asked) == 1


def test_w07_an_old_time_stamp_says_what_the_clocks_say(card: SignedCard) -> None:
    fake = FakeSts(fields={"created": written(NOW - timedelta(minutes=10))})
    with pytest.raises(TrustError, match="10 minutes ahead of it") as caught:
        fake.client().to_oiosaml(card, audience=FMK)
    assert caught.value.operation == "to_oiosaml"
    assert caught.value.endpoint == "sts.test:8443"


@pytest.mark.parametrize("audience", ["https://fsk", "", "https://fmk/x", "http://fmk", "https://fmk:8443"])
def test_t08_a_token_for_another_audience_is_refused(card: SignedCard, audience: str) -> None:
    fake = FakeSts(token=lambda _: assertion(audience=audience))
    with pytest.raises(TrustError, match=r"for another service|names no audience"):
        fake.client().identity_token(card, audience=FMK)


@pytest.mark.parametrize("written_as", ["https://fmk", "HTTPS://FMK", "https://fmk/"])
def test_t08_audiences_are_compared_in_their_normal_form(card: SignedCard, written_as: str) -> None:
    fake = FakeSts(token=lambda _: assertion(audience=written_as), fields={"audience": written_as})
    assert str(fake.client().identity_token(card, audience=FMK).audience) == FMK


def test_t09_the_answer_to_an_earlier_call_is_refused(card: SignedCard) -> None:
    first = FakeSts()
    kept: list[bytes] = []

    def keep(content: bytes) -> bytes:
        kept.append(content)
        return content

    first.spoil = keep
    first.client().identity_token(card, audience=FMK)
    second = FakeSts(spoil=lambda _: kept[0])
    with pytest.raises(ProtocolError, match="an earlier call"):
        second.client().identity_token(card, audience=FMK)


def test_t09_the_same_token_twice_is_refused_where_nobody_signed_the_answer(card: SignedCard) -> None:
    client = FakeSts(signs=None).client()
    client.identity_token(card, audience=FMK)
    with pytest.raises(TrustError, match="handed out before"):
        client.identity_token(card, audience=FMK)


def test_t09_nor_is_the_same_assertion_taken_twice_there(card: SignedCard) -> None:
    unsigned = attrs.evolve(Endpoints().to_oiosaml, demands_signature=False)
    client = FakeSts(signs=None).client(endpoints=Endpoints(to_oiosaml=unsigned))
    client.to_oiosaml(card, audience=FMK)
    with pytest.raises(TrustError, match="handed out before"):
        client.to_oiosaml(card, audience=FMK)


@pytest.mark.parametrize("field", ["action", "status"])
def test_what_stands_in_the_place_of_a_word_is_shown_without_persons(card: SignedCard, field: str) -> None:
    client = FakeSts(signs=None, fields={field: f"of {CPR}"}).client()
    with pytest.raises(ProtocolError) as caught:
        client.issue(user_card()) if field == "status" else client.identity_token(card, audience=FMK)
    assert caught.value.excerpt == "of **********"


@pytest.mark.parametrize(
    ("what", "name_id", "attributes"),
    [
        ("person", CPR, {CPR_NAME: "0202001234"}),
        ("person", "0202001234", {"urn:oid:2.5.4.3": "Test Person"}),
        ("person", f"{CPR_NAME}:020200-1234", {"urn:oid:2.5.4.3": "Test Person"}),
        ("care provider", CPR, {CPR_NAME: CPR, "dk:gov:saml:attribute:CvrNumberIdentifier": "10101010"}),
        ("system", CPR, {CPR_NAME: CPR, "dk:healthcare:saml:attribute:ITSystemName": "Other Lab"}),
    ],
)
@pytest.mark.parametrize("is_signed", [True, False], ids=["signed", "unsigned"])
def test_t09_a_token_about_somebody_else_is_refused(
    card: SignedCard, what: str, name_id: str, attributes: dict[str, str], is_signed: bool
) -> None:
    def about_another(asked: Asked) -> bytes:
        return assertion(audience=asked.audience, attributes=attributes, name_id=name_id)

    fake = FakeSts(token=about_another, signs=signer() if is_signed else None)
    with pytest.raises(TrustError, match=f"the {what} differs") as caught:
        fake.client().identity_token(card, audience=FMK)
    assert "0202001234" not in str(caught.value)


@pytest.mark.parametrize(
    ("name_id", "attributes"),
    [
        ("somebody@example.dk", {"urn:oid:2.5.4.3": "Test Person"}),
        ("somebody@example.dk", {CPR_NAME: "010100-1234"}),
        (f"{CPR_NAME}:{CPR}", {"dk:healthcare:saml:attribute:ITSystemName": "Example Lab"}),
    ],
)
def test_what_a_token_does_not_say_or_writes_otherwise_is_not_held_against_it(
    card: SignedCard, name_id: str, attributes: dict[str, str]
) -> None:
    fake = FakeSts(token=lambda asked: assertion(audience=asked.audience, attributes=attributes, name_id=name_id))
    assert fake.client().identity_token(card, audience=FMK).cpr in (None, CPR)


def test_a_card_without_a_cpr_number_takes_a_token_with_one(sts: FakeSts) -> None:
    nameless = sts.client().issue(user_card(cpr=None))
    assert nameless.cpr is None
    assert sts.client().identity_token(nameless, audience=FMK).cpr == CPR


def test_an_alternative_identifier_of_ten_digits_is_no_person(sts: FakeSts) -> None:
    sts.token = lambda asked: signed_card(asked.trust_request.children[2].children[0].original, keeps_name=True)
    named = sts.client().issue(user_card(alternative_identifier="9999999999"), legacy=True)
    sts.token = lambda asked: assertion(audience=asked.audience, attributes={"a": "b"}, name_id="9999999999")
    assert sts.client().identity_token(named, audience=FMK).name_id == "9999999999"


def test_t07_a_token_that_has_run_out_is_refused(card: SignedCard) -> None:
    old = NOW - timedelta(hours=1)
    fake = FakeSts(token=lambda asked: assertion(audience=asked.audience, at=old))
    with pytest.raises(TrustError, match="held until"):
        fake.client().identity_token(card, audience=FMK)


def test_a_token_that_names_the_key_of_the_envelopes_signer_is_verified_with_it(card: SignedCard) -> None:
    from govfile.xml.key_info import KeyInfo
    from govfile.xml.signing import Reference, sign
    from govfile.xml.splicing import Place

    def by_name(asked: Asked) -> bytes:
        signed = assertion(audience=asked.audience)
        begin, end = signed.index(b"<ds:Signature"), signed.index(b"</ds:Signature>") + len(b"</ds:Signature>")
        place = Place(path=(f"{{{SAML}}}Assertion",), after=f"{{{SAML}}}Issuer")
        name = KeyInfo.name("OCES2,CVR:33257872-FID:1,1")
        references = [Reference(id="_token", is_enveloped=True)]
        return sign(signed[:begin] + signed[end:], signer(), references, place, key_info=name)

    token = FakeSts(token=by_name).client().identity_token(card, audience=FMK)
    assert token.certificate == signer().certificate
    with pytest.raises(TrustError, match="carries no certificate"):
        FakeSts(token=by_name, signs=None).client().identity_token(card, audience=FMK)
    pinned = trust(anchors=trust().anchors, pinned=(signer().certificate,))
    FakeSts(token=by_name, signs=None).client(trust=pinned).identity_token(card, audience=FMK)


def test_t04_sha1_is_refused_where_it_is_not_allowed_and_the_error_says_how_to(card: SignedCard) -> None:
    def by_sha1(asked: Asked) -> bytes:
        return assertion(audience=asked.audience, algorithm=SignatureAlgorithm.RSA_SHA1_WHERE_DEMANDED)

    with pytest.raises(TrustError, match="rsa-sha1") as caught:
        FakeSts(token=by_sha1).client().identity_token(card, audience=FMK)
    assert "allow_sha1=True" in caught.value.advice
    assert FakeSts(token=by_sha1).client(trust=trust(allow_sha1=True)).identity_token(card, audience=FMK).id


def test_t13_while_a_signer_is_replaced_both_count(card: SignedCard) -> None:
    old, new = signer("Old STS", cvr="19552101"), signer("New STS", cvr="30808460")
    both = trust(anchors=Trust(system=False), pinned=(old.certificate, new.certificate))
    for one in (old, new):

        def by_one(asked: Asked, one: Credential = one) -> bytes:
            return assertion(audience=asked.audience, by=one)

        fake = FakeSts(signs=one, token=by_one)
        assert fake.client(trust=both).identity_token(card, audience=FMK).certificate == one.certificate
    with pytest.raises(TrustError):
        FakeSts(signs=signer()).client(trust=both).identity_token(card, audience=FMK)


def test_an_encrypted_assertion_where_one_in_the_clear_belongs_is_refused(card: SignedCard) -> None:
    encrypted = f'<saml:EncryptedAssertion xmlns:saml="{SAML}"><a/></saml:EncryptedAssertion>'.encode()
    with pytest.raises(ProtocolError, match="in the clear belongs"):
        FakeSts(token=lambda _: encrypted).client().identity_token(card, audience=FMK)


def test_two_tokens_in_one_answer_are_refused(card: SignedCard) -> None:
    def two(asked: Asked) -> bytes:
        return assertion(audience=asked.audience) + assertion(audience=asked.audience, token_id="_second")

    with pytest.raises((TrustError, ProtocolError), match="one"):
        FakeSts(token=two).client().identity_token(card, audience=FMK)
