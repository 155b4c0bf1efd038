"""The guard itself: it would find what it looks for."""

from __future__ import annotations

import logging
import socket
import sqlite3
from typing import TYPE_CHECKING

import pytest

from govfile import Secret
from support.leaks import Leaks

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def watching(monkeypatch: pytest.MonkeyPatch) -> Leaks:
    monkeypatch.setattr(Secret, "__init__", Secret.__init__)
    leaks = Leaks()
    leaks.watch()
    return leaks


def test_l09_a_secret_in_a_ledger_is_found(watching: Leaks, tmp_path: Path) -> None:
    secret = Secret("guarded-" + "by-7-dwarfs")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    database = sqlite3.connect(elsewhere / "filings.db")
    database.execute("create table t (text)")
    database.execute("insert into t values (?)", ("harmless",))
    database.commit()
    assert watching.in_folder(tmp_path) == []
    database.execute("insert into t values (?)", (secret.reveal(),))
    database.commit()
    assert watching.in_folder(tmp_path) == ["elsewhere/filings.db"]
    database.execute("pragma secure_delete=on")
    database.execute("delete from t")
    database.commit()
    database.close()
    assert watching.in_folder(tmp_path) == []


def test_l09_a_secret_in_a_log_is_found(watching: Leaks, caplog: pytest.LogCaptureFixture) -> None:
    secret = Secret("sesame-" + "open-4-me")
    logging.getLogger("govfile.test").debug("login with %s", secret)
    assert watching.in_text(caplog.text) == []
    assert watching.in_text(f"login with {secret.reveal()}") == ["se…"]


def test_the_network_beyond_this_machine_is_out_of_reach() -> None:
    with socket.socket() as outside, pytest.raises(pytest.fail.Exception, match="only this machine"):
        outside.connect(("192.0.2.1", 9))
    with pytest.raises(pytest.fail.Exception, match="only this machine"):
        socket.getaddrinfo("authority.org", 443)
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("gateway.invalid", 443)
