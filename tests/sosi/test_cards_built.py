"""Cards as they are written and signed: order, values, canonical form, times, what is taken from the certificate."""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from govfile.certificates.secret import Secret
from govfile.certificates.signer import SignatureAlgorithm
from govfile.errors import ConfigurationError, CredentialError, InvalidContent
from govfile.sosi import CardType, CareProvider, CertificateHash, DgwsVersion, IdCard, SignedCard, StsTrust, cards
from govfile.xml.canonical import canonicalize
from support import fake_sts, pki
from support import xml_messages as messages
from support.xml_messages import DS, NOW, SAML, WSSE, credential_of

if TYPE_CHECKING:
    from govfile.certificates.credential import Credential

CVR = fake_sts.CVR
CPR = fake_sts.CPR
LAB = CareProvider.cvr(CVR, "Example Laboratory")
EVERYTHING = IdCard.user(
    it_system="Example Lab",
    role="7170",
    care_provider=LAB,
    cpr=CPR,
    given_name="Test",
    surname="Person",
    issuer="ExampleLab",
    email="test@example.dk",
    authorisation_code="AAAA1",
    occupation="Overlæge",
    id="card-1",
)
SYSTEM = IdCard.system(it_system="Example Lab", care_provider=LAB, id="card-1")
SIGNATURE = re.compile(rb"<ds:Signature.*</ds:Signature>")


def user_card(card: IdCard = EVERYTHING, **options: Any) -> SignedCard:
    return cards.build(card, fake_sts.employee(), at=NOW, **options)


def pinned(credential: Credential, **more: Any) -> StsTrust:
    return StsTrust(pinned=(credential.certificate,), **more)


def attributes(card: bytes) -> list[tuple[str, list[tuple[str, str | None]]]]:
    root = etree.fromstring(card)
    statements = root.findall(f"{{{SAML}}}AttributeStatement")
    return [(str(each.get("id")), [(str(found.get("Name")), found[0].text) for found in each]) for each in statements]


def test_a_users_card_has_every_part_in_the_published_order() -> None:
    card = user_card()
    root = etree.fromstring(card.xml)
    assert [etree.QName(child).localname for child in root] == [
        "Issuer",
        "Subject",
        "Conditions",
        "AttributeStatement",
        "AttributeStatement",
        "AttributeStatement",
        "Signature",
    ]
    assert dict(root.items()) == {"IssueInstant": "2026-06-01T11:55:00Z", "Version": "2.0", "id": "IDCard"}
    fingerprint = hashlib.sha256(fake_sts.employee().certificate.public_bytes(Encoding.DER)).digest()
    assert attributes(card.xml) == [
        (
            "IDCardData",
            [
                ("sosi:IDCardID", "card-1"),
                ("sosi:IDCardVersion", "1.0.1"),
                ("sosi:IDCardType", "user"),
                ("sosi:AuthenticationLevel", "4"),
                ("sosi:OCESCertHash", base64.b64encode(fingerprint).decode()),
            ],
        ),
        (
            "UserLog",
            [
                ("medcom:UserCivilRegistrationNumber", CPR),
                ("medcom:UserGivenName", "Test"),
                ("medcom:UserSurName", "Person"),
                ("medcom:UserEmailAddress", "test@example.dk"),
                ("medcom:UserRole", "7170"),
                ("medcom:UserAuthorizationCode", "AAAA1"),
                ("medcom:UserOccupation", "Overlæge"),
            ],
        ),
        (
            "SystemLog",
            [
                ("medcom:ITSystemName", "Example Lab"),
                ("medcom:CareProviderID", CVR),
                ("medcom:CareProviderName", "Example Laboratory"),
            ],
        ),
    ]
    confirmation = root.find(f".//{{{SAML}}}SubjectConfirmation")
    assert confirmation is not None
    assert [etree.QName(found).localname for found in confirmation.iter()][1:] == [
        "ConfirmationMethod",
        "SubjectConfirmationData",
        "KeyInfo",
        "KeyName",
    ]
    assert root.findtext(f".//{{{DS}}}KeyName") == "OCESSignature"


def test_a_systems_card_has_no_user_and_level_3() -> None:
    card = cards.build(SYSTEM, fake_sts.system(), at=NOW)
    assert [name for name, _ in attributes(card.xml)] == ["IDCardData", "SystemLog"]
    assert (card.level, card.type, card.name_id, card.name_id_format) == (3, CardType.SYSTEM, CVR, "medcom:cvrnumber")
    assert (card.cpr, card.role) == (None, None)


def test_the_signature_follows_the_cards_profile() -> None:
    signature = etree.fromstring(user_card().xml)[-1]
    assert dict(signature.items()) == {"id": "OCESSignature"}
    reference = signature.find(f"{{{DS}}}SignedInfo/{{{DS}}}Reference")
    assert reference is not None
    assert reference.get("URI") == "#IDCard"
    assert [found.get("Algorithm") for found in reference.iter(f"{{{DS}}}Transform")] == [
        f"{DS}enveloped-signature",
        "http://www.w3.org/2001/10/xml-exc-c14n#",
    ]
    certificates = [found.text or "" for found in signature.iter(f"{{{DS}}}X509Certificate")]
    assert [base64.b64decode(text) for text in certificates] == [
        fake_sts.employee().certificate.public_bytes(Encoding.DER)
    ]
    assert not re.search(rb"\s", SIGNATURE.findall(user_card().xml)[0].replace(b" ", b""))


def test_optional_attributes_are_left_out_not_empty() -> None:
    bare = IdCard.user(it_system="Example Lab", role="text", given_name="Test", surname="Person")
    card = user_card(attrs.evolve(bare, certificate_hash=CertificateHash.LEFT_OUT))
    assert [name for name, _ in attributes(card.xml)[1][1]] == [
        "medcom:UserGivenName",
        "medcom:UserSurName",
        "medcom:UserRole",
    ]
    assert "sosi:OCESCertHash" not in dict(attributes(card.xml)[0][1])
    assert (card.certificate_hash, card.cpr, card.name_id, card.name_id_format) == (None, None, "", "medcom:cprnumber")
    assert cards.verify_card(card.xml, trust=pinned(fake_sts.employee()), at=NOW).name_id == ""


def test_the_certificate_can_be_named_by_sha1() -> None:
    card = user_card(attrs.evolve(EVERYTHING, certificate_hash=CertificateHash.SHA1))
    fingerprint = hashlib.sha1(fake_sts.employee().certificate.public_bytes(Encoding.DER)).digest()
    assert card.certificate_hash == base64.b64encode(fingerprint).decode()


def test_an_alternative_identifier_names_the_subject() -> None:
    card = user_card(attrs.evolve(EVERYTHING, alternative_identifier="initials@lab"))
    assert (card.name_id, card.name_id_format, card.cpr) == ("initials@lab", "medcom:other", CPR)
    assert not card.names_certificate


# --- times ------------------------------------------------------------------------------------------------------


def test_a_card_begins_five_minutes_ago_and_holds_for_a_day() -> None:
    card = user_card()
    assert card.issued == card.valid_from == NOW - timedelta(minutes=5)
    assert card.expires - card.valid_from == timedelta(hours=24)
    assert card.is_valid_at(NOW)
    assert card.is_valid_at(card.valid_from)
    assert not card.is_valid_at(card.expires)


def test_version_1_0_has_danish_times() -> None:
    card = user_card(attrs.evolve(EVERYTHING, version=DgwsVersion.V1_0))
    assert b'NotBefore="2026-06-01T13:55:00" NotOnOrAfter="2026-06-02T13:55:00"' in card.xml
    assert card.valid_from == NOW - timedelta(minutes=5)
    verified = cards.verify_card(card.xml, trust=pinned(fake_sts.employee()), at=NOW)
    assert (verified.valid_from, verified.expires, verified.issued) == (card.valid_from, card.expires, card.issued)


@pytest.mark.parametrize(
    ("life", "back_dating"),
    [
        (timedelta(hours=24, seconds=1), timedelta(minutes=5)),
        (timedelta(minutes=5), timedelta(minutes=5)),
        (timedelta(hours=1), timedelta(seconds=-1)),
        (timedelta(), timedelta()),
    ],
)
def test_t07_times_that_make_no_card_are_refused(life: timedelta, back_dating: timedelta) -> None:
    with pytest.raises(ConfigurationError):
        user_card(life=life, back_dating=back_dating)


def test_t07_a_card_that_would_be_over_at_once_is_refused() -> None:
    repeated = datetime(2026, 10, 25, 1, 50, tzinfo=UTC)
    card = attrs.evolve(EVERYTHING, version=DgwsVersion.V1_0)
    with pytest.raises(ConfigurationError, match=r"version 1\.0"):
        cards.build(card, fake_sts.employee(), at=repeated, life=timedelta(hours=1))
    assert cards.build(card, fake_sts.employee(), at=repeated).is_valid_at(repeated)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises((ConfigurationError, CredentialError)):
        cards.build(EVERYTHING, fake_sts.employee(), at=NOW.replace(tzinfo=None))


# --- ids and randomness -----------------------------------------------------------------------------------------


def test_ids_are_sixteen_random_bytes() -> None:
    anonymous = attrs.evolve(EVERYTHING, id=None)
    asked: list[int] = []

    def randomness(count: int) -> bytes:
        asked.append(count)
        return bytes(range(count))

    assert user_card(anonymous, randomness=randomness).id == base64.b64encode(bytes(range(16))).decode()
    assert asked == [16]
    assert len({user_card(anonymous).id for _ in range(20)}) == 20


def test_the_same_card_is_written_alike_twice() -> None:
    assert user_card() == user_card()
    assert hash(user_card()) == hash(user_card())


# --- levels without a signature ---------------------------------------------------------------------------------


def test_a_card_of_level_1_confirms_nothing() -> None:
    card = cards.write(attrs.evolve(EVERYTHING, level=1), at=NOW)
    assert card.level == 1
    assert b"SubjectConfirmation" not in card.xml
    assert b"Signature" not in card.xml
    assert b"OCESCertHash" not in card.xml


def test_a_card_of_level_2_holds_user_name_and_password_and_prints_neither() -> None:
    wanted = attrs.evolve(EVERYTHING, level=2, username="anna", password=Secret("p<w>&5f2c"))
    card = cards.write(wanted, at=NOW)
    token = etree.fromstring(card.xml).find(f".//{{{WSSE}}}UsernameToken")
    assert token is not None
    assert [found.text for found in token] == ["anna", "p<w>&5f2c"]
    assert "5f2c" not in repr(card) + repr(wanted)


@pytest.mark.parametrize("level", [None, 4])
def test_signed_levels_are_not_written_without_a_signature(level: int | None) -> None:
    with pytest.raises(InvalidContent, match="level 1 and 2"):
        cards.write(attrs.evolve(EVERYTHING, level=level), at=NOW)


def test_unsigned_levels_are_not_signed() -> None:
    with pytest.raises(InvalidContent, match="not signed"):
        user_card(attrs.evolve(EVERYTHING, level=1))


def test_what_a_certificate_would_have_filled_in_must_be_there_without_one() -> None:
    left_out: tuple[dict[str, Any], ...] = ({"care_provider": None}, {"given_name": None}, {"surname": None})
    for changes in left_out:
        with pytest.raises(InvalidContent, match="missing"):
            cards.write(attrs.evolve(EVERYTHING, level=1, **changes), at=NOW)


# --- who signs --------------------------------------------------------------------------------------------------


def issued(subject: Any, **dates: Any) -> Credential:
    return credential_of(messages.authority().issue(subject, **dates))


@pytest.mark.parametrize(
    ("subject", "card"),
    [
        (pki.oces3(cvr=CVR, letter="E", common_name="Test Person"), EVERYTHING),
        (pki.oces2(cvr=CVR, what="RID", common_name="Test Person"), EVERYTHING),
        (pki.oces3(cvr=CVR, letter="O"), SYSTEM),
        (pki.oces2(cvr=CVR, what="UID"), SYSTEM),
        (pki.oces2(cvr=CVR, what="FID"), SYSTEM),
    ],
)
def test_t10_each_kind_of_certificate_signs_its_kind_of_card(subject: Any, card: IdCard) -> None:
    signer = issued(subject)
    at = datetime.now(UTC)
    built = cards.build(card, signer, at=at)
    assert built.level == (4 if card is EVERYTHING else 3)
    assert cards.verify_card(built.xml, trust=pinned(signer), at=at) == built
    other = SYSTEM if card is EVERYTHING else EVERYTHING
    with pytest.raises(CredentialError, match="cannot sign"):
        cards.build(other, signer, at=at)


def test_a_certificate_that_names_no_company_signs_nothing() -> None:
    with pytest.raises(CredentialError, match="neither an employee's nor a system's"):
        cards.build(EVERYTHING, issued(pki.plain("Someone")))


def test_an_expired_and_a_future_certificate_sign_nothing() -> None:
    subject = pki.oces3(cvr=CVR, letter="E")
    for identity in (messages.authority().expired(subject), messages.authority().not_yet_valid(subject)):
        with pytest.raises(CredentialError, match=r"expired|not valid before"):
            cards.build(EVERYTHING, credential_of(identity))


def test_the_care_providers_cvr_must_be_the_certificates() -> None:
    card = attrs.evolve(EVERYTHING, care_provider=CareProvider.cvr("10101010", "Another"))
    with pytest.raises(InvalidContent, match=rf"10101010 is not the certificate's, {CVR}"):
        user_card(card)
    assert user_card(attrs.evolve(card, care_provider=CareProvider.sks("1301", "Hospital"))).care_provider.id == "1301"


def test_what_is_left_out_comes_from_the_certificate() -> None:
    card = user_card(IdCard.user(it_system="Example Lab", role="7170"))
    assert (card.given_name, card.surname) == ("Test", "Person")
    assert card.care_provider == LAB


def test_sha1_has_to_be_named() -> None:
    old = user_card(algorithm=SignatureAlgorithm.RSA_SHA1_WHERE_DEMANDED)
    assert b"rsa-sha1" in old.xml
    assert b"rsa-sha256" in user_card().xml


def test_an_ec_key_does_not_sign_as_rsa() -> None:
    subject = pki.oces3(cvr=CVR, letter="E")
    with pytest.raises(CredentialError, match="rsa-sha256"):
        cards.build(EVERYTHING, credential_of(messages.authority().issue(subject, key=pki.ec_key())))


# --- the canonical form -----------------------------------------------------------------------------------------

TEXT = st.text(
    st.characters(blacklist_categories=("Cc", "Cs"), blacklist_characters="\ufffe\uffff"), min_size=1, max_size=40
).filter(lambda text: not text.isspace())


@settings(max_examples=60, deadline=None)
@given(st.fixed_dictionaries(dict.fromkeys(("it_system", "role", "given_name", "surname", "email", "id"), TEXT)), TEXT)
def test_t05_every_text_survives_and_the_bytes_are_canonical(texts: dict[str, Any], provider: str) -> None:
    card = attrs.evolve(EVERYTHING, **texts, care_provider=CareProvider.ynumber(provider, provider))
    built = user_card(card)
    verified = cards.verify_card(built.xml, trust=pinned(fake_sts.employee()), at=NOW)
    for name, text in texts.items():
        assert getattr(verified, name) == text
    assert verified.care_provider == CareProvider.ynumber(provider, provider)
    for field in attrs.fields(SignedCard):
        if field.name != "is_verified":
            assert getattr(verified, field.name) == getattr(built, field.name)
    without = SIGNATURE.sub(b"", built.xml)
    written = without.replace(f' xmlns:ds="{DS}" xmlns:medcom='.encode(), b" xmlns:medcom=", 1)
    written = re.sub(rb' xmlns:(medcom|sosi)="[^"]*"', b"", written)
    assert canonicalize(without) == written
