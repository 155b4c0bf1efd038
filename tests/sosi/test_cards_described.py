"""What a card may say: checked when the value is made, with errors that name the field and never show its value."""

from __future__ import annotations

from typing import Any

import pytest

from govfile.certificates.secret import Secret
from govfile.errors import ConfigurationError, InvalidContent
from govfile.sosi import CardType, CareProvider, DgwsVersion, IdCard, NameFormat
from govfile.sosi._text import LONGEST

CPR = "0101001234"


def user(**changes: Any) -> IdCard:
    return IdCard.user(**{"it_system": "Example Lab", "role": "7170", **changes})


def test_a_user_and_a_system() -> None:
    card = user(cpr="010100-1234", given_name="Test", surname="Person")
    assert (card.type, card.cpr, card.level, card.version) == (CardType.USER, CPR, None, DgwsVersion.V1_0_1)
    assert IdCard.system(it_system="Example Lab").type is CardType.SYSTEM


@pytest.mark.parametrize(
    ("system", "issuer"),
    [
        ("Example Lab", "ExampleLab"),
        ("3M System 2", "_3MSystem2"),
        ("Lægesystem", "Lægesystem"),
        ("a:b <c>", "abc"),
        ("-x", "_-x"),
        ("1" * LONGEST, "_" + "1" * (LONGEST - 1)),
    ],
)
def test_the_issuer_is_made_from_the_systems_name(system: str, issuer: str) -> None:
    assert IdCard.system(it_system=system).issuer == issuer


@pytest.mark.parametrize(
    "issuer", ["Example Lab", "1st", "a:b", "-a", ".a", "a\u00d7b", "²a", "a²b", "a;b", "ab\n", "a" * (LONGEST + 1)]
)
def test_an_issuer_that_is_no_xml_name_is_refused(issuer: str) -> None:
    with pytest.raises(InvalidContent, match="the issuer"):
        user(issuer=issuer)


def test_no_issuer_can_be_made_of_signs_alone() -> None:
    with pytest.raises(InvalidContent, match="no letters or digits"):
        user(it_system="// ::")


FIELDS = {
    "it_system": "the system's name",
    "role": "the user's role",
    "given_name": "the user's given name",
    "surname": "the user's surname",
    "email": "the user's e-mail address",
    "authorisation_code": "the user's authorisation code",
    "occupation": "the user's occupation",
    "alternative_identifier": "the alternative identifier",
    "id": "the card's id",
}


@pytest.mark.parametrize(
    "value", ["", "  ", "\u00a0", "x" * (LONGEST + 1), "a\x00b", "a\tb", "a\nb", "a\x85b", "\ud800", "\uffff"]
)
@pytest.mark.parametrize("field", FIELDS)
def test_bad_text_is_refused_by_the_fields_name(field: str, value: str) -> None:
    with pytest.raises(InvalidContent, match=FIELDS[field]) as caught:
        user(**{field: value})
    assert "xxx" not in str(caught.value)


@pytest.mark.parametrize("field", FIELDS)
def test_the_longest_text_is_taken(field: str) -> None:
    changes = {field: "x" * LONGEST}
    assert getattr(user(**changes), field) == "x" * LONGEST


@pytest.mark.parametrize(
    "cpr", ["", "010100123", "01010012345", "010100 1234", "\u0660101001234", "abcdefghij", "0101001234\n"]
)
def test_a_cpr_number_has_ten_digits(cpr: str) -> None:
    with pytest.raises(InvalidContent, match="ten digits") as caught:
        user(cpr=cpr)
    assert not cpr.strip() or cpr.strip() not in str(caught.value)


def test_role_and_system_name_are_needed() -> None:
    with pytest.raises(InvalidContent, match="role is missing"):
        IdCard(type=CardType.USER, it_system="Example Lab")
    with pytest.raises(InvalidContent, match="system's name is missing"):
        IdCard.system(it_system="")


@pytest.mark.parametrize("field", ["cpr", "role", "given_name", "email", "occupation", "authorisation_code"])
def test_a_systems_card_says_nothing_of_a_user(field: str) -> None:
    changes: dict[str, Any] = {field: CPR}
    with pytest.raises(InvalidContent, match="system's card"):
        IdCard(type=CardType.SYSTEM, it_system="Example Lab", **changes)


@pytest.mark.parametrize(
    ("kind", "level", "is_right"),
    [
        ("user", 4, True),
        ("user", 3, False),
        ("system", 3, True),
        ("system", 4, False),
        ("user", 1, True),
        ("system", 1, True),
        ("user", 5, False),
        ("user", 0, False),
        ("system", "3", False),
    ],
)
def test_t10_the_level_must_fit_the_kind(kind: str, level: Any, is_right: bool) -> None:
    def make() -> IdCard:
        return user(level=level) if kind == "user" else IdCard.system(it_system="Example Lab", level=level)

    if is_right:
        assert make().level == level
        return
    with pytest.raises(InvalidContent, match="cannot have level"):
        make()


def test_user_name_and_password_belong_to_level_2() -> None:
    both = {"username": "anna", "password": Secret("pw-5f2c")}
    assert user(level=2, **both).username == "anna"
    for wrong in ({"level": 2}, {"level": 2, "username": "anna"}, {"level": 2, "password": Secret("x")}):
        with pytest.raises(InvalidContent, match="needs a user name and a password"):
            user(**wrong)
    for level in (None, 1, 4):
        with pytest.raises(InvalidContent, match="level 2 only"):
            user(level=level, **both)


def test_a_password_that_is_not_secret_is_refused_unseen() -> None:
    with pytest.raises(ConfigurationError, match="the password is given as str") as refused:
        user(level=2, username="anna", password="pw-5f2c")
    assert "pw-5f2c" not in str(refused.value)


def test_nothing_personal_is_printed() -> None:
    card = user(
        cpr=CPR,
        given_name="Givenname",
        surname="Familyname",
        email="someone@example.dk",
        authorisation_code="CODE5",
        alternative_identifier="other-name",
        occupation="Occupation",
    )
    for text in (repr(card), str(card)):
        assert not any(word in text for word in (CPR, "Givenname", "Familyname", "someone", "CODE5", "other-name"))
    with pytest.raises(InvalidContent) as caught:
        user(cpr=CPR, given_name="Givenname\n")
    assert CPR not in str(caught.value)
    assert "Givenname" not in str(caught.value)


@pytest.mark.parametrize(
    ("made", "wire"),
    [
        (CareProvider.cvr("20301823", "Lab"), "medcom:cvrnumber"),
        (CareProvider.ynumber("123456", "Practice"), "medcom:ynumber"),
        (CareProvider.pnumber("1000000000", "Place"), "medcom:pnumber"),
        (CareProvider.sks("1301", "Hospital"), "medcom:skscode"),
    ],
)
def test_a_care_provider_is_named_in_four_ways(made: CareProvider, wire: str) -> None:
    assert made.format.value == wire


@pytest.mark.parametrize("number", ["", "2030182", "203018233", "2030182a", "20301823 ", "DK20301823", "\u06620301823"])
def test_a_cvr_number_has_eight_digits(number: str) -> None:
    with pytest.raises(InvalidContent, match="care provider"):
        CareProvider.cvr(number, "Lab")


def test_a_care_provider_needs_a_name_and_a_fitting_format() -> None:
    with pytest.raises(InvalidContent, match="name is missing"):
        CareProvider.ynumber("123456", " ")
    with pytest.raises(InvalidContent, match="cannot be named by medcom:cprnumber"):
        CareProvider(CPR, "Lab", NameFormat.CPR)
