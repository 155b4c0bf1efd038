"""Validity, expiry, equality and what a credential does not give away."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime, timedelta, timezone

import attrs
import pytest

from govfile import ConfigurationError, Credential, CredentialError
from govfile.certificates.credential import WARNING_DAYS
from govfile.certificates.signer import SignatureAlgorithm, SoftwareSigner
from govfile.certificates.subject import Kind
from support import pki

_FROM = datetime(2026, 1, 1, tzinfo=UTC)
_UNTIL = datetime(2028, 12, 31, 23, 59, 59, tzinfo=UTC)
_SECOND = timedelta(seconds=1)


@pytest.fixture
def dated(authority: pki.Authority) -> pki.Identity:
    return authority.issue(not_before=_FROM, not_after=_UNTIL)


def _load(identity: pki.Identity, at: datetime | None = None, *, allow_expired: bool = False) -> Credential:
    return Credential.from_pem(
        identity.key_pem() + identity.pem + identity.chain_pem, at=at, allow_expired=allow_expired
    )


def test_what_it_tells(dated: pki.Identity) -> None:
    credential = _load(dated, _FROM)
    assert (credential.valid_from, credential.expires) == (_FROM, _UNTIL)
    assert credential.kind is Kind.OCES3_ORGANISATION
    assert credential.subject.cvr == "10101010"
    assert credential.is_test is True
    assert credential.public_key == dated.key.public_key()
    assert len(credential.fingerprint) == 64
    assert credential.fingerprint == credential.fingerprint.lower()


@pytest.mark.parametrize("at", [_FROM, _FROM + timedelta(days=500), _UNTIL])
def test_it_loads_within_its_days_both_ends_included(dated: pki.Identity, at: datetime) -> None:
    assert _load(dated, at).certificate == dated.certificate


def test_f05_an_expired_certificate_is_refused_here(dated: pki.Identity) -> None:
    with pytest.raises(CredentialError, match="expired on 2028-12-31 23:59 UTC") as refused:
        _load(dated, _UNTIL + _SECOND)
    assert "2029-01-01 00:00 UTC" in refused.value.advice


def test_f05_a_certificate_that_is_not_yet_valid_is_refused_here(dated: pki.Identity) -> None:
    for allow_expired in (False, True):
        with pytest.raises(CredentialError, match="not valid before 2026-01-01"):
            _load(dated, _FROM - _SECOND, allow_expired=allow_expired)


def test_f05_without_a_time_the_clock_of_this_computer_decides(authority: pki.Authority) -> None:
    with pytest.raises(CredentialError, match="expired"):
        _load(authority.expired())
    with pytest.raises(CredentialError, match="not valid before"):
        _load(authority.not_yet_valid())


def test_an_expired_one_loads_where_that_is_wanted(dated: pki.Identity) -> None:
    credential = _load(dated, _UNTIL + timedelta(days=400), allow_expired=True)
    with pytest.raises(CredentialError, match="expired"):
        credential.check(_UNTIL + _SECOND)
    credential.check(_UNTIL)


def test_times_in_other_zones_are_understood_and_naive_ones_refused(dated: pki.Identity) -> None:
    credential = _load(dated, _FROM)
    credential.check((_UNTIL - _SECOND).astimezone(timezone(timedelta(hours=2))))
    with pytest.raises(ConfigurationError, match="no time zone"):
        credential.check(datetime(2027, 1, 1))  # noqa: DTZ001 - the mistake under test


@pytest.mark.parametrize(
    ("left", "warning"),
    [
        (timedelta(days=400), None),
        (timedelta(days=60, seconds=1), None),
        (timedelta(days=60), 60),
        (timedelta(days=30), 30),
        (timedelta(days=29), 30),
        (timedelta(days=7), 7),
        (timedelta(0), 7),
        (-_SECOND, 0),
    ],
)
def test_the_warning_before_the_end(dated: pki.Identity, left: timedelta, warning: int | None) -> None:
    assert _load(dated, _FROM).expires_within(_UNTIL - left) == warning


def test_warnings_come_sixty_thirty_and_seven_days_ahead() -> None:
    assert sorted(WARNING_DAYS, reverse=True) == [60, 30, 7]


def test_a_personal_certificate_does_not_load(root: pki.Authority) -> None:
    with pytest.raises(CredentialError, match="personal certificate"):
        _load(root.issue(pki.oces2_personal()))


def test_a_certificate_of_no_known_form_loads(root: pki.Authority) -> None:
    credential = _load(root.issue(pki.plain("somebody")))
    assert (credential.kind, credential.is_test) == (Kind.OTHER, None)


def test_equality_is_that_of_certificate_and_key(authority: pki.Authority, other: pki.Identity) -> None:
    identity, renewed = authority.issue(), authority.issue()
    assert _load(identity) == Credential.from_pkcs12(identity.pkcs12())
    assert hash(_load(identity)) == hash(Credential.from_pkcs12(identity.pkcs12()))
    assert _load(identity) != _load(renewed)
    assert _load(identity) != _load(other)
    assert _load(identity) != identity.certificate


def test_it_does_not_change_and_copies_are_itself(company: pki.Identity) -> None:
    credential = _load(company)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        credential.chain = ()  # type: ignore[misc]
    assert copy.copy(credential) is credential
    assert copy.deepcopy({"who": credential})["who"] is credential


def test_neither_it_nor_its_signer_pickles(company: pki.Identity) -> None:
    credential = _load(company)
    for kept in (credential, credential.signer):
        with pytest.raises(TypeError, match="load it again in the other process"):
            pickle.dumps(kept)
    with pytest.raises(TypeError, match="pickled or copied"):
        copy.deepcopy(credential.signer)


def test_the_repr_shows_the_company_and_neither_person_nor_key(root: pki.Authority) -> None:
    credential = _load(root.issue(pki.oces2(what="RID", number="60134540", common_name="Test Testesen")))
    assert repr(credential).startswith("<Credential OCES2_EMPLOYEE 10101010 60134540, ")
    shown = repr(credential) + repr(credential.signer) + str(credential.signer)
    assert "Testesen" not in shown
    assert str(credential.private_key.private_numbers())[:40] not in shown
    assert "0x" not in shown


def test_from_a_signer_of_ones_own(company: pki.Identity, other: pki.Identity) -> None:
    signer = SoftwareSigner(company.key)
    for certificate in (company.certificate, company.pem):
        credential = Credential.from_signer(signer, certificate, company.chain_pem)
        assert (credential.certificate, credential.chain) == (company.certificate, company.chain)
    assert Credential.from_signer(signer, company.certificate).chain == ()
    with pytest.raises(CredentialError, match="does not fit"):
        Credential.from_signer(signer, other.certificate)


class _Remote:
    """A signer behind somebody's own service."""

    def __init__(self, inner: SoftwareSigner) -> None:
        self.public_key = inner.public_key
        self.sign = inner.sign
        self.sign_digest = inner.sign_digest


def test_a_key_that_lives_elsewhere_cannot_be_had(company: pki.Identity) -> None:
    credential = Credential.from_signer(_Remote(SoftwareSigner(company.key)), company.certificate)
    with pytest.raises(CredentialError, match="cannot leave its token"):
        _ = credential.private_key
    assert credential.public_key == company.key.public_key()
    credential.close()


def test_closing_a_credential_in_memory_changes_nothing(company: pki.Identity) -> None:
    credential = _load(company)
    credential.close()
    assert credential.signer.sign(b"x", SignatureAlgorithm.RSA_SHA256)
