"""Tokens on disk: for the next process, with the key alone, and never believed when they were touched."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from govfile.certificates.secret import Secret
from govfile.errors import ConfigurationError
from govfile.sosi.cache import TokenCache
from govfile.sosi.cache_store import TokenStore
from govfile.sosi.card import IdCard
from govfile.sosi.card_source import CardSource
from support.fake_sts import CPR, FakeSts
from support.xml_messages import NOW

if TYPE_CHECKING:
    from pathlib import Path

KEY = ("card", "somebody")
CARD = IdCard.user(it_system="Example Lab", role="7170", cpr=CPR, given_name="Test", surname="Person")


@pytest.fixture
def store(tmp_path: Path) -> TokenStore:
    return TokenStore(tmp_path / "tokens", TokenStore.new_key())


def test_a_stored_card_serves_the_next_process_and_is_verified_again(store: TokenStore) -> None:
    fake = FakeSts()
    first = CardSource(fake.client(), CARD, cache=TokenCache(clock=fake.clock, store=store))()
    second = CardSource(fake.client(), CARD, cache=TokenCache(clock=fake.clock, store=store))()
    assert second == first
    assert second.is_verified
    assert len(fake.asked) == 1


def test_a_spent_or_refused_stored_card_is_not_served(store: TokenStore) -> None:
    fake = FakeSts()
    source = CardSource(fake.client(), CARD, cache=TokenCache(clock=fake.clock, store=store))
    refused = source()
    source.renew(refused)
    assert len(fake.asked) == 2
    fake.clock = lambda: NOW + timedelta(hours=23, minutes=50)
    CardSource(fake.client(), CARD, cache=TokenCache(clock=fake.clock, store=store))()
    assert len(fake.asked) == 3


def test_nothing_can_be_read_without_the_key(store: TokenStore, tmp_path: Path) -> None:
    store.write(("user", CPR), b"<secret/>")
    (file,) = (tmp_path / "tokens").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "tokens").stat().st_mode & 0o777 == 0o700
    content = file.read_bytes()
    assert b"secret" not in content
    assert CPR not in file.name
    assert TokenStore(tmp_path / "tokens", TokenStore.new_key()).read(("user", CPR)) is None
    assert store.read(("user", CPR)) == b"<secret/>"


def test_whatever_was_changed_is_a_miss(store: TokenStore, tmp_path: Path) -> None:
    store.write(KEY, b"<token/>")
    (file,) = (tmp_path / "tokens").iterdir()
    whole = file.read_bytes()
    for position in range(len(whole)):
        file.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        assert store.read(KEY) is None
    for length in range(len(whole)):
        file.write_bytes(whole[:length])
        assert store.read(KEY) is None
    file.write_bytes(whole)
    assert store.read(KEY) == b"<token/>"


def test_a_file_moved_to_anothers_place_is_a_miss(store: TokenStore, tmp_path: Path) -> None:
    store.write(("nurse",), b"<nurse/>")
    (mine,) = (tmp_path / "tokens").iterdir()
    store.write(("physician",), b"<physician/>")
    (other,) = set((tmp_path / "tokens").iterdir()) - {mine}
    mine.write_bytes(other.read_bytes())
    assert store.read(("nurse",)) is None


def test_a_link_is_not_followed_and_what_is_no_file_is_a_miss(store: TokenStore, tmp_path: Path) -> None:
    store.write(KEY, b"<token/>")
    (file,) = (tmp_path / "tokens").iterdir()
    moved = tmp_path / "elsewhere"
    file.rename(moved)
    file.symlink_to(moved)
    assert store.read(KEY) is None
    store.write(KEY, b"<new/>")
    assert not file.is_symlink()
    assert store.read(KEY) == b"<new/>"


def test_what_is_too_old_to_be_good_is_removed(store: TokenStore, tmp_path: Path) -> None:
    store.write(("old",), b"<old/>")
    (old,) = (tmp_path / "tokens").iterdir()
    os.utime(old, (0, 0))
    store.write(("new",), b"<new/>")
    (tmp_path / "tokens" / "of-another").write_text("kept")
    os.utime(tmp_path / "tokens" / "of-another", (0, 0))
    TokenStore(tmp_path / "tokens", TokenStore.new_key())
    assert store.read(("old",)) is None
    assert store.read(("new",)) == b"<new/>"
    assert (tmp_path / "tokens" / "of-another").exists()


def test_what_a_killed_process_left_unfinished_is_removed(
    store: TokenStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise OSError("gone")

    with monkeypatch.context() as here:
        here.setattr("pathlib.Path.replace", killed)
        here.setattr("pathlib.Path.unlink", killed)
        store.write(KEY, b"<token/>")
    (draft,) = (tmp_path / "tokens").iterdir()
    TokenStore(tmp_path / "tokens", TokenStore.new_key())
    assert draft.exists(), "another process may be about to finish it"
    os.utime(draft, (0, 0))
    TokenStore(tmp_path / "tokens", TokenStore.new_key())
    assert not draft.exists()


def test_what_was_never_stored_is_no_reason_to_warn(store: TokenStore, caplog: pytest.LogCaptureFixture) -> None:
    assert store.read(KEY) is None
    assert caplog.records == []


def test_a_folder_that_is_gone_costs_a_call_and_nothing_else(store: TokenStore, tmp_path: Path) -> None:
    (tmp_path / "tokens").rmdir()
    fake = FakeSts()
    cache = TokenCache(clock=fake.clock, store=store)
    assert CardSource(fake.client(), CARD, cache=cache)().is_verified
    store.remove(KEY)


@pytest.mark.parametrize("text", ["", "short", "c2hvcnQ=", "é" * 44])
def test_a_key_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigurationError, match="32 bytes") as caught:
        TokenStore(tmp_path / "tokens", Secret(text))
    assert text not in str(caught.value) or not text


def test_a_folder_that_everybody_may_write_to_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "tokens"
    place.mkdir()
    place.chmod(0o777)
    with pytest.raises(ConfigurationError, match="everybody"):
        TokenStore(place, TokenStore.new_key())
