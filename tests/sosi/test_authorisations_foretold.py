"""The rules by which the service looks up a user's authorisation, every row of them."""

from __future__ import annotations

import pytest

from govfile.sosi import EDUCATION_CODES, Authorisation, AuthorisationOutcome, match_authorisation

PHYSICIAN = Authorisation(code="AAAA1", education_code="7170")
NURSE = Authorisation(code="BBBB2", education_code="5166")
SECOND_NURSE = Authorisation(code="CCCC3", education_code="5166")
NOT_FOUND, AMBIGUOUS = AuthorisationOutcome.NOT_FOUND, AuthorisationOutcome.AMBIGUOUS
ENRICHED, NOTHING_VERIFIED = AuthorisationOutcome.ENRICHED, AuthorisationOutcome.NOTHING_VERIFIED


@pytest.mark.parametrize(
    ("register", "code", "role", "outcome"),
    [
        # nothing fits
        ([PHYSICIAN], "ZZZZ9", "other", NOT_FOUND),
        ([], "AAAA1", None, NOT_FOUND),
        ([PHYSICIAN], None, "5166", NOT_FOUND),
        ([], "", "7170", NOT_FOUND),
        ([PHYSICIAN], "AAAA1", "5166", NOT_FOUND),
        ([NURSE], "AAAA1", "5166", NOT_FOUND),
        ([], None, None, NOTHING_VERIFIED),
        ([], "", "other", NOTHING_VERIFIED),
        ([], None, "71700", NOTHING_VERIFIED),
        ([], None, "\u0667\u0661\u0667\u0660", NOTHING_VERIFIED),
        # one fits
        ([PHYSICIAN], None, None, ENRICHED),
        ([PHYSICIAN], "", "other", ENRICHED),
        ([PHYSICIAN], "AAAA1", "7170", ENRICHED),
        ([PHYSICIAN, NURSE], None, "7170", ENRICHED),
        ([PHYSICIAN, NURSE], "AAAA1", None, ENRICHED),
        ([NURSE, SECOND_NURSE], "CCCC3", "5166", ENRICHED),
        ([PHYSICIAN], None, "717", ENRICHED),
        # several fit
        ([PHYSICIAN, NURSE], None, None, AMBIGUOUS),
        ([PHYSICIAN, NURSE], "", "no education code", AMBIGUOUS),
        ([NURSE, SECOND_NURSE], None, "5166", AMBIGUOUS),
    ],
)
def test_every_row(
    register: list[Authorisation], code: str | None, role: str | None, outcome: AuthorisationOutcome
) -> None:
    match = match_authorisation(register, role=role, authorisation_code=code)
    assert match.outcome is outcome
    assert match.is_refused == (outcome in {NOT_FOUND, AMBIGUOUS})
    assert len(match.found) == {ENRICHED: 1, AMBIGUOUS: 2}.get(outcome, 0)


def test_the_entry_that_fits_is_the_one_returned() -> None:
    assert match_authorisation([PHYSICIAN, NURSE], role="5166").found == (NURSE,)


def test_codes_are_compared_as_they_are() -> None:
    assert match_authorisation([PHYSICIAN], authorisation_code="aaaa1").outcome is NOT_FOUND


def test_education_codes_are_four_digits() -> None:
    assert all(len(code) == 4 and code.isdecimal() for code in EDUCATION_CODES)
    assert EDUCATION_CODES["7170"] == "physician"
    assert len(EDUCATION_CODES) == 15
