"""Ids and codes that cannot be right are refused before anything is sent; what they were is not shown."""

from __future__ import annotations

import pytest

from govfile import Secret
from govfile.errors import InvalidName
from govfile.vero import CustomerId, RetrievalId
from govfile.vero.ids import TransferCodes, check_customer_name


@pytest.mark.parametrize(
    ("text", "is_business_id", "is_right"),
    [
        ("0123456-7", True, False),
        ("1234567-1", True, True),
        ("0737546-2", True, True),
        ("0737546-3", True, False),
        ("1000001-1", True, False),
        ("UNIT-TEST-COMPANY", False, False),
        ("x" * 30, False, False),
    ],
)
def test_customer_ids_that_may_be_right(text: str, is_business_id: bool, is_right: bool) -> None:
    found = CustomerId.parse(text)
    assert (str(found), found.is_business_id, found.has_right_check_digit) == (text, is_business_id, is_right)
    assert CustomerId.parse(found) is found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("12345671", "1234567-1"),
        ("1234567 1", "1234567-1"),
        ("FI12345671", "1234567-1"),
        ("123456-7", "0123456-7"),
        ("x" * 31, "31 characters"),
        ("", "empty"),
        (" 1234567-1", "spaces around"),
        ("1234567-1\n", "spaces around"),
        ("12345\t67-1", "cannot be printed"),
        ("a\x00b", "cannot be printed"),
    ],
)
def test_customer_ids_in_a_wrong_form(text: str, words: str) -> None:
    with pytest.raises(InvalidName, match=words):
        CustomerId.parse(text)


@pytest.mark.parametrize("sign", ["-", "A", "+", "Y", "F"])
def test_a_personal_identity_code_is_refused_and_not_repeated(sign: str) -> None:
    with pytest.raises(InvalidName) as refused:
        CustomerId.parse(f"131052{sign}308T")
    assert "131052" not in str(refused.value)


def test_no_digit_sum_of_ten_gives_a_check_digit() -> None:
    """A remainder of one has no check digit, so such numbers are never given out."""
    numbers = [f"{number:07d}" for number in range(2_000_000, 2_000_200)]
    fitting = {
        number: [d for d in "0123456789" if CustomerId(f"{number}-{d}").has_right_check_digit] for number in numbers
    }
    assert {len(found) for found in fitting.values()} == {0, 1}


@pytest.mark.parametrize(
    ("transfer_id", "password", "words"),
    [
        ("9" * 33, "good", "33 characters"),
        ("1", "P" * 17, "17 characters"),
        ("12 34", "good", "holds a space"),
        ("1", "pass word", "holds a space"),
        ("", "good", "is empty"),
        ("1", "", "is empty"),
        (" 1", "good", "spaces around"),
        ("1", "bad\x07bell", "cannot be printed"),
    ],
)
def test_codes_that_cannot_be_right(transfer_id: str, password: str, words: str) -> None:
    with pytest.raises(InvalidName, match=words) as refused:
        TransferCodes.parse(transfer_id, Secret(password))
    for text in (transfer_id, password):
        assert len(text.strip()) < 3 or text not in str(refused.value)


def test_codes_do_not_show_themselves() -> None:
    codes = TransferCodes.parse("31415926535", "Xy7Ka9Qw3Ert55")
    assert "31415926535" not in repr(codes)
    assert "Xy7Ka9Qw3Ert55" not in repr(codes)
    assert codes.blotted("id 31415926535, password Xy7Ka9Qw3Ert55.") == "id …, password …."
    assert codes.are_in("<a>31415926535</a>")
    assert not codes.are_in("nothing of it")


def test_other_identifiers() -> None:
    assert str(RetrievalId.parse("a" * 32)) == "a" * 32
    with pytest.raises(InvalidName, match="33 characters"):
        RetrievalId.parse("a" * 33)
    assert check_customer_name(None) is None
    assert check_customer_name("Ä" * 100) == "Ä" * 100
    with pytest.raises(InvalidName, match="101 characters"):
        check_customer_name("Ä" * 101)
    with pytest.raises(InvalidName, match="int, not text"):
        CustomerId.parse(1234567)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text", ["…a&b<c>1234…", "…a&amp;b&lt;c&gt;1234…", "…a&#38;b&#x3c;c&gt;1234…", "\0".join("…a&b<c>1234…")]
)
def test_codes_are_found_however_xml_writes_them(text: str) -> None:
    codes = TransferCodes.parse("12345678901", "a&b<c>1234")
    assert codes.are_in(text)
    assert not codes.are_in(text.replace("c", "d"))
