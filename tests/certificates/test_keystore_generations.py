"""Keys first, old and new side by side: the life of a credential in the store."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

import govfile
from govfile import Credential, Secret
from govfile.certificates.keystore import KeyStore, SlotId
from govfile.certificates.request import key_of_request, make_request, new_key, subject_name
from govfile.certificates.signer import SignatureAlgorithm, is_signature
from govfile.errors import ConfigurationError, CredentialError, KeyStoreBusy, KeyStoreError
from support.keystores import (
    HOLDER,
    NOON,
    PASSPHRASE,
    SLOT,
    YEAR,
    Clock,
    answer,
    begin,
    enrolled,
    expected,
    fresh_key,
    open_store,
)
from support.pki import oces3, plain, rsa_key

if TYPE_CHECKING:
    from pathlib import Path

    from support.pki import Authority


def test_the_front_door_leads_to_the_store() -> None:
    assert govfile.KeyStore is KeyStore


def test_nothing_is_written_before_the_first_key(tmp_path: Path) -> None:
    store = open_store(tmp_path / "keys")
    assert store.slots() == ()
    assert store.verify() == []
    assert store.current(SLOT) is None
    assert store.pending(SLOT) is None
    assert not (tmp_path / "keys").exists()


def test_key_and_request_are_stored_before_begin_returns(tmp_path: Path) -> None:
    pending = open_store(tmp_path / "keys").begin(
        SLOT, subject_name(HOLDER, organisation="Ab Example Oy", country="FI")
    )
    request = x509.load_der_x509_csr(pending.request)
    key = request.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    assert (key.key_size, request.is_signature_valid) == (2048, True)
    assert request.subject.rfc4514_string() == "C=FI,O=Ab Example Oy,CN=0123456-7"
    stored = open_store(tmp_path / "keys").pending(SLOT)
    assert stored == pending
    assert stored.created == NOON
    place = tmp_path / "keys" / SLOT.folder / "0001"
    assert b"ENCRYPTED PRIVATE KEY" in (place / "key.pem").read_bytes()
    assert (place / "request.der").read_bytes() == pending.request


def test_every_file_is_private_and_nothing_is_a_link(tmp_path: Path) -> None:
    enrolled(open_store(tmp_path / "keys"))
    found = [tmp_path / "keys", *(tmp_path / "keys").rglob("*")]
    assert len(found) > 8
    for path in found:
        assert not path.is_symlink()
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path
        assert path.stat().st_nlink == 1 or path.is_dir()


def test_c07_old_and_new_are_both_usable_to_their_own_last_day(tmp_path: Path) -> None:
    clock = Clock()
    store = open_store(tmp_path, clock)
    first = enrolled(store)
    clock.now = NOON + 2 * YEAR - timedelta(days=30)
    second = enrolled(store, not_before=clock.now, not_after=clock.now + 2 * YEAR)
    assert second.public_key != first.public_key
    assert store.credential(SLOT) == second
    assert [found.is_current for found in store.generations(SLOT)] == [False, True]
    old = store.credential(SLOT, 1)
    assert old == first
    signature = old.signer.sign(b"renew me", SignatureAlgorithm.ECDSA_SHA256)
    assert is_signature(first.public_key, signature, b"renew me", SignatureAlgorithm.ECDSA_SHA256)
    with pytest.raises(CredentialError, match="expired"):
        store.credential(SLOT, 1, at=NOON + 2 * YEAR + timedelta(days=1))


def test_a_pending_request_is_used_up_before_another_one_is_made(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    assert begin(store) == begin(store) == begin(open_store(tmp_path))


def test_notes_survive_and_are_merged(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    pending = store.note(begin(store), sent="2026-03-02")
    store.note(pending, retrieval_id="R-1")
    stored = open_store(tmp_path).pending(SLOT)
    assert stored is not None
    assert stored.notes == {"sent": "2026-03-02", "retrieval_id": "R-1"}


def test_an_abandoned_request_keeps_its_key_and_makes_room(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    first = begin(store)
    store.abandon(first, "the codes had lapsed")
    assert store.pending(SLOT) is None
    assert (tmp_path / SLOT.folder / "0001" / "key.pem").exists()
    second = begin(store)
    assert second.number == 2
    with pytest.raises(KeyStoreError, match="not pending any more"):
        store.complete(first, answer(first), expected=expected())
    with pytest.raises(KeyStoreError, match="not pending any more"):
        store.note(first, sent="now")
    assert store.verify() == []


def test_completing_twice_with_the_same_answer_is_once(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    pending = begin(store)
    certificate = answer(pending)
    first = store.complete(pending, certificate, expected=expected())
    assert store.complete(pending, certificate, expected=expected()) == first
    with pytest.raises(KeyStoreError, match="not pending any more"):
        store.complete(pending, answer(pending), expected=expected())


def test_a_test_key_never_replaces_a_real_one(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    real = SlotId("vero", "PRODUCTION", HOLDER)
    kept = enrolled(store, real)
    enrolled(store, SLOT)
    assert store.credential(real) == kept
    assert store.slots() == (real, SLOT)


@pytest.mark.parametrize("holder", ["../../etc", "a/b", "A", "a", "ä" * 100, ".", "con", "a.b"])
def test_any_holder_gets_a_folder_of_its_own_inside_the_store(tmp_path: Path, holder: str) -> None:
    slot, other = SlotId("vero", "TEST", holder), SlotId("vero", "TEST", holder + "_")
    assert slot.folder.lower() != other.folder.lower()
    store = open_store(tmp_path)
    begin(store, slot) if len(holder) < 65 else None
    assert (tmp_path / slot.folder).parent == tmp_path
    assert "/" not in slot.folder
    assert len(slot.folder) < 200


@pytest.mark.parametrize("wrong", ["", " ", "a\nb", "x" * 201, 7])
def test_slots_need_words(wrong: str) -> None:
    with pytest.raises(ConfigurationError):
        SlotId("vero", "TEST", wrong)


def test_slots_that_differ_only_in_case_are_apart(tmp_path: Path) -> None:
    assert SlotId("vero", "TEST", "a").folder != SlotId("vero", "TEST", "A").folder


def test_adopting_a_credential_from_elsewhere_once(tmp_path: Path, oces3_authority: Authority) -> None:
    store = open_store(tmp_path, lambda: datetime.now(UTC))
    identity = oces3_authority.issue(oces3())
    credential = Credential.from_pem(identity.key_pem() + identity.pem + identity.chain_pem)
    slot = SlotId("skat", "production", "10101010")
    generation = store.adopt(slot, credential)
    assert store.adopt(slot, credential) == generation
    assert store.credential(slot) == credential
    assert store.credential(slot).chain == identity.chain
    assert generation.chain == identity.chain
    assert store.verify() == []


@pytest.fixture
def oces3_authority() -> Authority:
    from support.pki import Authority

    return Authority.create(key=rsa_key(0))


def test_export_as_pkcs12_under_a_passphrase_of_its_own(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    credential = enrolled(store)
    wrapped = store.export_pkcs12(SLOT, Secret("another 1 passphrase"))
    assert Credential.from_pkcs12(wrapped, Secret("another 1 passphrase"), at=NOON) == credential
    with pytest.raises(ConfigurationError, match="passphrase"):
        store.export_pkcs12(SLOT, Secret(""))


def test_asking_for_what_is_not_there(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    with pytest.raises(CredentialError, match="no credential for vero/TEST"):
        store.credential(SLOT)
    begin(store)
    with pytest.raises(CredentialError, match="no generation 1"):
        store.credential(SLOT, 1)


def test_c05_a_slot_is_changed_by_one_at_a_time(tmp_path: Path) -> None:
    store, other = open_store(tmp_path), open_store(tmp_path, patience=0.1)
    pending = begin(store)
    with store.locked(SLOT):
        store.note(pending, held="yes")  # the holder itself may go on
        with pytest.raises(KeyStoreBusy):
            other.note(pending, held="no")
        begin(other, SlotId("vero", "TEST", "another"))
    other.note(pending, held="no")


def test_c05_threads_that_begin_at_once_get_one_request(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    found = []
    threads = [threading.Thread(target=lambda: found.append(begin(store))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert len({pending.request for pending in found}) == 1


def test_a_store_without_a_passphrase_is_possible_when_said(tmp_path: Path) -> None:
    store = open_store(tmp_path, passphrase=None)
    credential = enrolled(store)
    assert b"BEGIN PRIVATE KEY" in (store.generations(SLOT)[0].key_file).read_bytes()
    assert open_store(tmp_path, passphrase=None).credential(SLOT) == credential
    with pytest.raises(CredentialError):
        open_store(tmp_path).credential(SLOT)
    with pytest.raises(ConfigurationError, match="empty"):
        KeyStore(tmp_path, Secret(""))


def test_c10_a_wrong_passphrase_is_noticed_before_a_key_is_written(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    enrolled(store)
    before = sorted(path.name for path in tmp_path.rglob("*"))
    mistyped = open_store(tmp_path, passphrase="the 1 passphrase of the stork")
    for call in (lambda: begin(mistyped), lambda: mistyped.credential(SLOT), mistyped.repair):
        with pytest.raises(CredentialError, match="cannot be opened") as refused:
            call()
        assert PASSPHRASE not in str(refused.value)
    assert sorted(path.name for path in tmp_path.rglob("*")) == before
    assert mistyped.current(SLOT) is not None, "looking needs no passphrase"


def test_new_keys_and_requests() -> None:
    assert new_key(3072).key_size == 3072
    for bits in (1024, 2049, 16384):
        with pytest.raises(ConfigurationError, match="RSA key"):
            new_key(bits)
    key = fresh_key()
    request = make_request(key, plain("x"))
    assert key_of_request(request) == key.public_key()
    with pytest.raises(CredentialError):
        key_of_request(request[:-1])
    with pytest.raises(CredentialError):
        key_of_request(request[:-4] + bytes(4))
    with pytest.raises(ConfigurationError):
        subject_name("x" * 65)
    with pytest.raises(ConfigurationError):
        subject_name("x", country="FIN")
