"""C-04, C-10: disks that are full, read-only or somebody else's, and files that are half written or too open."""

from __future__ import annotations

import contextlib
import fcntl
import json
import multiprocessing
import os
import time
from typing import TYPE_CHECKING, Any

import pytest

from govfile.certificates.keystore import files
from govfile.errors import CredentialError, KeyStoreBusy, KeyStoreError, KeyStoreTooNew, Retry
from support.keystores import SLOT, answer, begin, enrolled, expected, open_store
from support.programs import lacking
from support.small_disks import make_read_only, small_disk

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.servers
def test_c04_on_a_read_only_disk_the_credential_still_works(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 1 << 20) as disk:
        credential = enrolled(open_store(disk / "keys"))
        make_read_only(disk)
        store = open_store(disk / "keys")
        assert store.credential(SLOT) == credential
        assert store.verify() == []
        with pytest.raises(KeyStoreError, match="Read-only file system") as refused:
            begin(store)
    assert str(disk) in refused.value.what
    assert "stays in use" in refused.value.certain


@pytest.mark.servers
def test_c04_on_a_full_disk_the_credential_still_works_and_the_next_try_succeeds(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 1 << 20) as disk:
        store = open_store(disk / "keys")
        credential = enrolled(store)
        ballast = disk / "ballast"
        fill(ballast)
        with pytest.raises(KeyStoreError, match="No space left") as refused:
            begin(store)
        assert "free space" in refused.value.advice
        assert store.credential(SLOT) == credential
        assert store.pending(SLOT) is None
        assert store.verify() == [], "nothing half-made is left"
        ballast.unlink()
        pending = begin(store)
        renewed = store.complete(pending, answer(pending), expected=expected())
        assert store.credential(SLOT) == renewed


@pytest.mark.servers
def test_c04_a_disk_that_fills_up_before_the_switch_keeps_old_and_key(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 1 << 20) as disk:
        store = open_store(disk / "keys")
        credential = enrolled(store)
        pending = begin(store)
        ballast = disk / "ballast"
        fill(ballast)
        with pytest.raises(KeyStoreError, match="No space left"):
            store.complete(pending, answer(pending), expected=expected())
        assert store.credential(SLOT) == credential
        assert store.pending(SLOT) == pending
        ballast.unlink()
        store.complete(pending, answer(pending), expected=expected())
        assert store.verify() == []


def fill(ballast: Path) -> None:
    """Leave no free block on the disk."""
    with contextlib.suppress(OSError), ballast.open("wb", 0) as file:
        while file.write(b"x" * 4096):
            pass


def _as_nobody(folder: Any, said: Any) -> None:
    os.setuid(65534)
    try:
        begin(open_store(folder))
    except KeyStoreError as error:
        said.put((error.what, error.advice))
    else:
        said.put(("begun", ""))


def _hold(folder: Any, said: Any) -> None:
    with open_store(folder).locked(SLOT):
        said.put("held")
        time.sleep(60)


def test_c05_a_lock_ends_with_the_process_that_holds_it_and_not_before(tmp_path: Path) -> None:
    store = open_store(tmp_path, patience=0.3)
    pending = begin(store)
    context = multiprocessing.get_context("spawn")
    said = context.Queue()
    child = context.Process(target=_hold, args=(tmp_path, said))
    child.start()
    try:
        assert said.get(timeout=60) == "held"
        with pytest.raises(KeyStoreBusy) as refused:
            store.note(pending, sent="yes")
        assert refused.value.retry is Retry.SAME_REQUEST
        assert store.pending(SLOT) == pending, "looking needs no lock"
    finally:
        child.kill()
        child.join()
    assert store.note(pending, sent="yes").notes == {"sent": "yes"}


@pytest.mark.servers
def test_c04_a_store_of_another_user_is_refused_with_path_and_cause(tmp_path: Path) -> None:
    if os.getuid() != 0:
        lacking("only root can become another user")
    store = open_store(tmp_path / "keys")
    enrolled(store)
    context = multiprocessing.get_context("fork")
    said = context.Queue()
    child = context.Process(target=_as_nobody, args=(tmp_path / "keys", said))
    child.start()
    what, advice = said.get(timeout=20)
    child.join()
    assert "Permission denied" in what
    assert str(tmp_path) in what
    assert "owner" in advice


def test_c04_a_file_system_without_locks_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(tmp_path)
    credential = enrolled(store)

    def flock(descriptor: int, how: int) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(KeyStoreError, match="cannot be locked: No locks available") as refused:
        begin(store)
    assert "NFS" in refused.value.advice
    assert store.credential(SLOT) == credential


@pytest.mark.parametrize(
    "content", [b"", b"{", b'{"schema": 1}', b"[]", b"\xff\xfe", b"[" * 100_000, b'{"schema": true}']
)
def test_a_half_written_pointer_is_told_and_found_out_anew(tmp_path: Path, content: bytes) -> None:
    store = open_store(tmp_path)
    credential = enrolled(store)
    pending = begin(store)
    pointer = tmp_path / SLOT.folder / "pointer.json"
    pointer.write_bytes(content)
    with pytest.raises(KeyStoreError, match="is damaged"):
        store.credential(SLOT)
    with pytest.raises(KeyStoreError, match="is damaged"):
        begin(store)
    assert store.slots() == (SLOT,), "it is not forgotten either"
    assert any(found.is_repairable for found in store.verify())
    store.repair()
    assert store.credential(SLOT) == credential
    assert store.pending(SLOT) == pending
    assert store.verify() == []


def test_a_lost_pointer_is_found_out_at_once(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    credential, pending = enrolled(store), begin(store)
    (tmp_path / SLOT.folder / "pointer.json").unlink()
    assert (store.credential(SLOT), store.pending(SLOT)) == (credential, pending)


def test_a_damaged_certificate_gives_way_to_the_one_before(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    first = enrolled(store)
    enrolled(store)
    (tmp_path / SLOT.folder / "0002" / "certificate.pem").write_bytes(b"-----BEGIN CERTI")
    with pytest.raises(KeyStoreError, match="is damaged"):
        store.credential(SLOT)
    assert store.repair()
    assert store.credential(SLOT) == first


def made_newer(path: Path) -> str:
    newer = json.dumps({**json.loads(path.read_text()), "schema": 2})
    path.write_text(newer)
    return newer


def test_a_store_of_a_newer_version_is_not_opened(tmp_path: Path) -> None:
    enrolled(open_store(tmp_path))
    made_newer(tmp_path / "store.json")
    with pytest.raises(KeyStoreTooNew, match="newer version"):
        open_store(tmp_path)


def test_a_slot_of_a_newer_version_is_told_and_left_alone(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    enrolled(store)
    pointer = tmp_path / SLOT.folder / "pointer.json"
    newer = made_newer(pointer)
    with pytest.raises(KeyStoreTooNew, match="newer version"):
        begin(store)
    with pytest.raises(KeyStoreTooNew, match="newer version"):
        store.credential(SLOT)
    assert [found.is_repairable for found in store.verify()] == [False]
    assert store.repair() == []
    assert pointer.read_text() == newer


def test_c10_a_key_that_others_may_read_is_refused_until_repaired(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    credential = enrolled(store)
    key = tmp_path / SLOT.folder / "0001" / "key.pem"
    key.chmod(0o640)
    with pytest.raises(CredentialError, match="others than its owner"):
        store.credential(SLOT)
    assert [found.what for found in store.verify()] == [
        "others than its owner may read or write the key",
        "generation 1, in use, is not sound",
    ]
    store.repair()
    assert key.stat().st_mode & 0o777 == 0o600
    assert store.credential(SLOT) == credential


def test_c10_a_key_reencrypted_outside_is_told(tmp_path: Path) -> None:
    store = open_store(tmp_path / "keys")
    enrolled(store)
    other = open_store(tmp_path / "other", passphrase="another 1 passphrase")
    enrolled(other)
    key = tmp_path / "keys" / SLOT.folder / "0001" / "key.pem"
    files.write(key, (tmp_path / "other" / SLOT.folder / "0001" / "key.pem").read_bytes())
    with pytest.raises(CredentialError, match="cannot be opened"):
        store.credential(SLOT)
    assert any("cannot be opened" in found.what for found in store.verify())


def test_c10_where_the_stores_own_file_is_lost_its_keys_decide_on_the_passphrase(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    credential = enrolled(store)
    (tmp_path / "store.json").unlink()
    with pytest.raises(CredentialError, match="cannot be opened"):
        begin(open_store(tmp_path, passphrase="another 1 passphrase"))
    assert not (tmp_path / "store.json").exists()
    restored = open_store(tmp_path)
    begin(restored)
    assert restored.credential(SLOT) == credential
    assert restored.verify() == []


def test_links_and_folders_open_to_everybody_are_refused(tmp_path: Path) -> None:
    store = open_store(tmp_path / "keys")
    enrolled(store)
    certificate = tmp_path / "keys" / SLOT.folder / "0001" / "certificate.pem"
    certificate.rename(tmp_path / "moved.pem")
    certificate.symlink_to(tmp_path / "moved.pem")
    with pytest.raises(KeyStoreError, match="cannot be read"):
        store.credential(SLOT)
    assert any("link" in found.what for found in store.verify())
    (tmp_path / "link").symlink_to(tmp_path / "keys")
    with pytest.raises(KeyStoreError, match="not a folder"):
        open_store(tmp_path / "link")
    (tmp_path / "keys").chmod(0o777)
    with pytest.raises(KeyStoreError, match="everybody may write"):
        open_store(tmp_path / "keys")


def test_what_a_dead_process_left_goes_and_foreign_folders_are_told(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    enrolled(store)
    shelf = tmp_path / SLOT.folder
    (shelf / ".new-0002-abc").mkdir()
    (shelf / ".new-0002-abc" / "key.pem").write_bytes(b"x")
    (shelf / ".new-pointer.json-abc").write_bytes(b"x")
    (tmp_path / ".new-store.json-abc").write_bytes(b"x")
    assert len(store.verify()) == 3
    assert len(store.repair()) == 3
    assert store.verify() == []
    shelf.rename(tmp_path / "renamed")
    assert [found.path.name for found in store.strays()] == ["renamed"]
    assert store.slots() == ()
    assert "must be called" in str(store.verify()[0])


def test_large_and_special_files_are_not_read(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    enrolled(store)
    pointer = tmp_path / SLOT.folder / "pointer.json"
    pointer.write_bytes(b" " * (files.LIMIT + 1))
    with pytest.raises(KeyStoreError, match="larger than"):
        store.current(SLOT)
    pointer.unlink()
    os.mkfifo(pointer)
    with pytest.raises(KeyStoreError, match="not a file"):
        store.current(SLOT)
