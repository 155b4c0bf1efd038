"""`govfile keys`: what there is, whether it is sound, and credentials that come and go."""

from __future__ import annotations

import io
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import attrs
import pytest
import typer
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from govfile import Credential, Secret
from support.cli import Result, run
from support.keystores import begin
from support.vero_counter import CUSTOMER, VeroCounter, vero_counter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VeroCounter]:
    with vero_counter(tmp_path_factory.mktemp("sandbox")) as found:
        yield found


@pytest.fixture
def keys(sandbox: VeroCounter, tmp_path: Path) -> VeroCounter:
    """The same sandbox, and a folder of one's own."""
    (tmp_path / "keys-passphrase.txt").write_text("a passphrase for the keys")
    (tmp_path / "govfile.toml").write_text(sandbox.config.read_text())
    for name in ("servers-ca.pem", "authorities.pem"):
        (tmp_path / name).write_bytes((sandbox.folder / name).read_bytes())
    papers = attrs.evolve(
        sandbox.papers, config=tmp_path / "govfile.toml", keys_passphrase=tmp_path / "keys-passphrase.txt"
    )
    return VeroCounter(authority=sandbox.authority, folder=tmp_path, papers=papers)


def _run(keys: VeroCounter, *arguments: object) -> Result:
    return run("keys", *arguments, "--config", keys.config, "--json")


def test_every_slot_is_listed_with_what_is_in_use_and_what_waits(keys: VeroCounter) -> None:
    keys.holding("1111111-1", left=20.5)
    keys.holding("2222222-2", left=-2.5)
    found = _run(keys, "list")
    assert found.code == 0
    assert {(one["holder"], one["generation"], one["days"]) for one in found.kind("slot")} == {
        ("1111111-1", 1, 20),
        ("2222222-2", 1, -3),
    }
    text = run("keys", "list", "--config", keys.config).out
    assert "1111111-1" in text
    assert text.endswith("2 slots\n")


def test_a_slot_that_cannot_be_read_hides_no_other(keys: VeroCounter) -> None:
    keys.holding("1111111-1")
    broken = keys.holding("2222222-2")
    (broken.folder.parent / "pointer.json").write_text("{")
    found = _run(keys, "list")
    assert found.code == 5
    assert [one["holder"] for one in found.kind("slot")] == ["1111111-1"]
    assert found.kind("error")[0]["about"].endswith("2222222-2")


def test_a_slot_is_shown_by_its_holder_or_in_full(keys: VeroCounter) -> None:
    keys.holding(left=100)
    keys.holding(left=200)
    for name in (CUSTOMER, keys.slot()):
        found = _run(keys, "show", name)
        assert found.code == 0
        assert [(one["generation"], one["is_current"]) for one in found.kind("generation")] == [(1, False), (2, True)]
    assert _run(keys, "show", "9999999-9").code == 2
    credential = keys.keys.credential(keys.slot())
    keys.keys.adopt(type(keys.slot())("vero", "production", CUSTOMER), credential)
    several = _run(keys, "show", CUSTOMER)
    assert several.code == 2
    assert "give one in full" in several.kind("error")[0]["advice"]


def test_what_waits_is_shown_without_what_only_the_program_needs(keys: VeroCounter) -> None:
    keys.holding(left=-5)
    pending = begin(keys.keys, keys.slot())
    keys.keys.note(pending, step="asking", retrieval_id="", spent="0a1b", kept="PGh0bWw+", kept_status="502")
    found = _run(keys, "show", CUSTOMER)
    assert found.kind("pending")[0]["notes"] == {"step": "asking"}
    text = run("keys", "show", CUSTOMER, "--config", keys.config).out
    assert "generation 1 (in use, expired)" in text
    assert "generation 2 (pending since " in text
    assert _run(keys, "list").kind("slot")[0]["pending"] == 2
    assert _run(keys, "watch").kind("expiry")[0]["is_pending"]
    only = begin(keys.keys, keys.slot("2222222-2"))
    assert _run(keys, "show", only.slot).kind("generation") == []
    assert "nothing is in use" in run("keys", "show", only.slot, "--config", keys.config).out
    assert len(_run(keys, "watch").kind("expiry")) == 1


def test_a_folder_of_nobody_is_told_beside_the_slots(keys: VeroCounter) -> None:
    keys.holding()
    stray = keys.folder / "keys" / "vero.somebody"
    stray.mkdir()
    (stray / "pointer.json").write_text("{")
    found = _run(keys, "list")
    assert (found.code, len(found.kind("slot"))) == (5, 1)
    assert "vero.somebody" in found.err


@pytest.mark.parametrize(
    ("typed", "code"), [(["for the file alone"] * 2, 0), (["for the file alone", "another"], 2), ([""], 2)]
)
def test_the_passphrase_of_a_file_is_asked_for_twice(
    keys: VeroCounter, monkeypatch: pytest.MonkeyPatch, typed: list[str], code: int
) -> None:
    keys.holding()
    answers = list(typed)
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(typer, "prompt", lambda *_, **options: answers.pop(0) if options["hide_input"] else "seen")
    file = keys.folder / "out.p12"
    assert _run(keys, "export", CUSTOMER, file).code == code
    assert file.exists() is (code == 0)
    if code == 0:
        assert Credential.from_pkcs12(file, Secret("for the file alone")).subject.common_name == CUSTOMER


class Terminal(io.StringIO):
    """Somebody sits there."""

    def isatty(self) -> bool:
        return True


def test_what_is_wrong_is_found_mended_and_then_gone(keys: VeroCounter) -> None:
    found = keys.holding()
    assert _run(keys, "verify").code == 0
    found.key_file.chmod(0o644)
    (found.folder.parent / ".new-left").write_bytes(b"")
    verified = _run(keys, "verify")
    assert (verified.code, len(verified.kind("finding"))) == (5, 3)  # the mode, what it makes unsound, what was left
    assert all(finding["is_repairable"] for finding in verified.kind("finding"))
    mended = _run(keys, "repair")
    assert (mended.code, mended.kind("summary")[0]["mended"]) == (0, 2)
    assert _run(keys, "verify").code == 0
    assert found.key_file.stat().st_mode & 0o777 == 0o600


def test_a_wrong_passphrase_is_found_unless_no_key_is_opened(keys: VeroCounter) -> None:
    keys.holding()
    keys.papers.keys_passphrase.write_text("another passphrase")
    assert _run(keys, "verify").code == 5
    assert _run(keys, "verify", "--no-keys").code == 0


def test_what_only_a_person_can_mend_is_left_and_told(keys: VeroCounter) -> None:
    found = keys.holding()
    found.key_file.write_bytes(b"no key")
    found.key_file.chmod(0o600)
    mended = _run(keys, "repair")
    assert (mended.code, mended.kind("summary")[0]["left"]) == (5, 2)


def test_a_credential_goes_out_as_pkcs12_and_comes_back(keys: VeroCounter) -> None:
    held = keys.holding(left=100)
    secret, file = keys.folder / "p12.txt", keys.folder / "out.p12"
    secret.write_text("for the file alone")
    assert _run(keys, "export", CUSTOMER, file).code == 2, "without a passphrase"
    written = _run(keys, "export", CUSTOMER, file, "--passphrase-file", secret)
    assert written.code == 0, written.out
    assert file.stat().st_mode & 0o777 == 0o600
    assert Credential.from_pkcs12(file, Secret("for the file alone")).fingerprint == held.fingerprint
    assert _run(keys, "export", CUSTOMER, file, "--passphrase-file", secret).code == 2, "it is there"
    for _ in range(2):
        found = _run(keys, "import", "skat/production/30808460", file, "--passphrase-file", secret)
        assert (found.code, found.kind("credential")[0]["generation"]) == (0, 1)
    assert _run(keys, "export", CUSTOMER, keys.folder / "none.p12", "--generation", 7).code == 2


def test_a_pem_key_with_its_certificate_beside_it_comes_in(keys: VeroCounter) -> None:
    issued = keys.authority.clock() - timedelta(days=600)
    credential = keys.authority.credential_for(CUSTOMER, issued=issued)
    (keys.folder / "old.key").write_bytes(
        credential.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    (keys.folder / "old.cer").write_bytes(credential.certificate.public_bytes(Encoding.DER))
    arguments = ("import", keys.slot(), keys.folder / "old.key", "--certificate", keys.folder / "old.cer")
    found = _run(keys, *arguments)
    assert found.code == 0, found.out
    assert found.kind("credential")[0]["sha256"] == credential.fingerprint
    keys.holding(left=700)
    assert _run(keys, *arguments).code == 5, "never one step back"
    assert _run(keys, *arguments, "--force").code == 0


def test_a_certificate_of_somebody_else_is_taken_with_a_word_of_warning(keys: VeroCounter) -> None:
    file = keys.folder / "out.p12"
    file.write_bytes(_pkcs12(keys))
    (keys.folder / "p12.txt").write_text("for the file alone")
    arguments = ("import", "vero/production/7654321-0", file, "--passphrase-file", keys.folder / "p12.txt")
    found = _run(keys, *arguments)
    assert found.code == 0
    assert f"is for {CUSTOMER}, not for 7654321-0" in found.err


def _pkcs12(keys: VeroCounter) -> bytes:
    keys.holding(left=100)
    return keys.keys.export_pkcs12(keys.slot(), Secret("for the file alone"))


@pytest.mark.parametrize("slot", ["vero", "vero/production", "vero//1234567-1", "/a/b"])
def test_what_is_no_slot_is_refused(keys: VeroCounter, slot: str) -> None:
    found = _run(keys, "import", slot, keys.config)
    assert found.code == 2
    assert not (keys.folder / "keys").exists()


@pytest.mark.parametrize("arguments", [("list",), ("show", "x"), ("verify",), ("repair",), ("watch",)])
def test_a_key_store_that_is_not_there_is_never_made_by_looking(keys: VeroCounter, arguments: tuple[str, ...]) -> None:
    found = _run(keys, *arguments)
    assert found.code == 5
    assert not (keys.folder / "keys").exists()


def test_any_authoritys_profile_may_have_a_key_store(keys: VeroCounter) -> None:
    keys.holding()
    keys.config.write_text(
        '[profiles.default]\nenvironment = "test"\nkeys = "keys"\nkeys_passphrase = {file = "keys-passphrase.txt"}\n'
    )
    assert _run(keys, "list").code == 0
    keys.config.write_text('[profiles.default]\nenvironment = "test"\n')
    assert _run(keys, "list").code == 2
