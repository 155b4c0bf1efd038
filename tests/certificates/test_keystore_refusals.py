"""C-03, C-08: a certificate is put in use only when it is the one that was asked for, and never one step back."""

from __future__ import annotations

import shutil
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509

from govfile import Credential
from govfile.certificates.trust import Trust
from govfile.errors import CredentialError, GovfileError, TrustError
from support.keystores import (
    HOLDER,
    NOON,
    SLOT,
    YEAR,
    Clock,
    answer,
    authority,
    begin,
    enrolled,
    expected,
    fresh_key,
    issue,
    open_store,
)
from support.pki import Authority, ec_key, plain

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from govfile.certificates.keystore import KeyStore, Pending

DATES: dict[str, Any] = {"not_before": NOON, "not_after": NOON + 2 * YEAR}


def _stranger(subject: str = "Test Issuing CA v1") -> Authority:
    return Authority.create(plain(subject), key=ec_key(7), not_before=NOON - 10 * YEAR, not_after=NOON + 30 * YEAR)


def _public(pending: Pending) -> Any:
    return x509.load_der_x509_csr(pending.request).public_key()


WRONG: dict[str, tuple[type[GovfileError], str, Callable[[Pending], x509.Certificate], dict[str, Any]]] = {
    "another key": (
        CredentialError,
        "another key",
        lambda pending: issue(fresh_key().public_key(), HOLDER, authority(), **DATES),
        {},
    ),
    "another holder": (CredentialError, "another holder", lambda pending: answer(pending, common_name="7654321-0"), {}),
    "an authority's": (
        CredentialError,
        "certificate authority",
        lambda pending: issue(_public(pending), HOLDER, authority(), ca=True, **DATES),
        {},
    ),
    "an impostor of the same name": (TrustError, "does not lead", lambda pending: answer(pending, by=_stranger()), {}),
    "another authority": (TrustError, "another authority", lambda pending: answer(pending, by=_stranger("CA 2")), {}),
    "another environment": (TrustError, "does not lead", answer, {"trust": Trust.only(_stranger("Real CA").pem)}),
    "expired": (
        CredentialError,
        "has expired",
        lambda pending: answer(pending, not_before=NOON - YEAR, not_after=NOON - timedelta(days=1)),
        {},
    ),
    "not valid yet": (CredentialError, "not valid yet", lambda p: answer(p, not_before=NOON + timedelta(hours=1)), {}),
    "too short": (
        CredentialError,
        "less than the 700 days",
        lambda pending: answer(pending, not_after=NOON + timedelta(days=699)),
        {"least_life": timedelta(days=700)},
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_c03_a_wrong_certificate_is_refused_and_the_pointer_stays(tmp_path: Path, wrong: str) -> None:
    kind, message, make, changes = WRONG[wrong]
    store = open_store(tmp_path)
    kept = enrolled(store, not_after=NOON + timedelta(days=200))
    pending = begin(store)
    pointer = (tmp_path / SLOT.folder / "pointer.json").read_bytes()
    with pytest.raises(kind, match=message) as refused:
        store.complete(pending, make(pending), expected=expected(**changes))
    assert "stays in use" in refused.value.certain
    assert (tmp_path / SLOT.folder / "pointer.json").read_bytes() == pointer
    assert store.credential(SLOT) == kept
    assert store.pending(SLOT) == pending
    right = store.complete(pending, answer(pending), expected=expected())
    assert store.credential(SLOT) == right


def test_c03_an_intermediate_in_the_chain_leads_up(tmp_path: Path) -> None:
    middle_key = fresh_key()
    middle = issue(middle_key.public_key(), "Middle CA", authority(), ca=True, **DATES)
    store = open_store(tmp_path)
    pending = begin(store)
    below = Authority.create(plain("Middle CA"), key=middle_key)
    certificate = answer(pending, by=below)
    with pytest.raises(TrustError):
        store.complete(pending, certificate, expected=expected(issuer="Middle CA"))
    credential = store.complete(pending, certificate, [middle], expected=expected(issuer="Middle CA"))
    assert credential.chain == (middle,)


def test_c03_a_little_skew_is_forgiven(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    pending = begin(store)
    credential = store.complete(pending, answer(pending, not_before=NOON + timedelta(minutes=4)), expected=expected())
    assert store.current(SLOT) is not None
    assert credential.valid_from > NOON


def _shorter(store: KeyStore) -> Any:
    pending = begin(store)
    return pending, answer(pending, not_after=NOON + YEAR)


def test_c08_never_back_to_one_that_expires_earlier_unless_forced(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    kept = enrolled(store)
    pending, certificate = _shorter(store)
    with pytest.raises(CredentialError, match="expires before the one in use"):
        store.complete(pending, certificate, expected=expected())
    assert store.credential(SLOT) == kept
    forced = store.complete(pending, certificate, expected=expected(), force=True)
    assert store.credential(SLOT) == forced
    assert store.repair() == [], "what was forced stays"
    assert store.credential(SLOT) == forced


def test_c08_adopting_an_earlier_one_is_refused_unless_forced(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    enrolled(store)
    key = fresh_key()
    from govfile.certificates.signer import SoftwareSigner

    short = issue(key.public_key(), HOLDER, authority(), not_before=NOON, not_after=NOON + YEAR)
    credential = Credential.from_signer(SoftwareSigner(key), short, at=NOON)
    with pytest.raises(CredentialError, match="expires before"):
        store.adopt(SLOT, credential)
    assert store.adopt(SLOT, credential, force=True).is_current


def test_c08_last_months_pointer_is_moved_forward_again(tmp_path: Path) -> None:
    clock = Clock()
    store = open_store(tmp_path, clock)
    enrolled(store)
    pointer = tmp_path / SLOT.folder / "pointer.json"
    backup = pointer.read_bytes()
    clock.now = NOON + 2 * YEAR - timedelta(days=30)
    second = enrolled(store, not_before=clock.now, not_after=clock.now + 2 * YEAR)
    pointer.write_bytes(backup)
    assert [found.is_repairable for found in store.verify()] == [True]
    assert len(store.repair()) == 1
    assert store.credential(SLOT) == second
    assert store.verify() == []


def test_c08_a_whole_store_from_last_month_still_has_its_credential(tmp_path: Path) -> None:
    store = open_store(tmp_path / "keys")
    first = enrolled(store)
    shutil.copytree(tmp_path / "keys", tmp_path / "backup")
    enrolled(store, not_after=NOON + 3 * YEAR)
    restored = open_store(tmp_path / "backup")
    assert restored.verify() == []
    assert restored.credential(SLOT) == first
    assert begin(restored).number == 2


def test_c08_a_newer_generation_copied_by_hand_is_taken_up(tmp_path: Path) -> None:
    here, there = open_store(tmp_path / "here"), open_store(tmp_path / "there")
    enrolled(here)
    enrolled(there)
    newer = enrolled(there, not_after=NOON + 3 * YEAR)
    shutil.copytree(tmp_path / "there" / SLOT.folder / "0002", tmp_path / "here" / SLOT.folder / "0002")
    here.repair()
    assert here.credential(SLOT) == newer


def test_c08_a_newer_certificate_without_its_key_is_not(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    kept = enrolled(store)
    begin(store)
    certificate = issue(fresh_key().public_key(), HOLDER, authority(), not_before=NOON, not_after=NOON + 3 * YEAR)
    from govfile.certificates.keystore.shelf import pem

    for name, data in (("certificate.pem", pem(certificate)), ("chain.pem", b"")):
        (tmp_path / SLOT.folder / "0002" / name).write_bytes(data)
    assert any("does not belong" in found.what for found in store.verify())
    store.repair()
    assert store.credential(SLOT) == kept
