"""Collecting: what is removed, who may collect, and the folder things are saved in."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Any, BinaryIO

import pytest

from govfile.errors import ConfigurationError, CredentialError
from govfile.filing.saving import Folder
from govfile.filing.states import State
from govfile.transports.faulty import FaultPlan, FaultyTransport, Step
from govfile.transports.memory import MemoryTransport
from support.ledgers import interrupted_at
from support.programs import lacking
from support.skat_world import HOME, OTHER_UUID, World, old_company, organisation, report

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from govfile.filing.submission import Submission

NAME = "19552101_2025_a1.zip"


@pytest.fixture
def filed(world: World) -> Submission:
    return world.gateway().submit(report(), service="Udlaan", name=NAME)


# --- removing ---


def test_nothing_is_removed_unless_asked(world: World, filed: Submission) -> None:
    world.server.run()
    before = set(world.server.files)
    world.gateway().collect(world.into)
    assert set(world.server.files) == before


def test_what_is_saved_and_recorded_is_removed_on_request(world: World, filed: Submission) -> None:
    world.server.run()
    world.server.put_out("status_Udlaan_x.zip_1.xml", b"")
    found = world.gateway().collect(world.into, delete=True)
    assert len(found.removed) == 4
    left = [path.rpartition("/")[2] for path in world.server.files if "/out/" in path]
    assert left == ["status_Udlaan_x.zip_1.xml"], "what could not be read stays for whoever can"
    assert world.gateway().status(filed).state is State.ANSWERED


def test_g06_an_interrupt_right_after_a_download_leaves_no_half_file(
    world: World, filed: Submission, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.server.status("Udlaan", NAME, 1)
    monkeypatch.setattr(world.ledger, "was_received", interrupted_at(2, world.ledger.was_received))
    with pytest.raises(KeyboardInterrupt):
        world.gateway().collect(world.into)
    assert list(world.into.iterdir()) == []
    world.gateway().collect(world.into)
    assert world.gateway().status(filed).state is State.DELIVERED


def test_the_ledger_says_where_files_lie_whatever_folder_a_program_starts_in(
    world: World, filed: Submission, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(world.folder)
    world.server.answer("Udlaan", NAME)
    world.gateway().collect("answers")
    known = world.ledger.get(filed.id)
    assert [answer.path.parent for answer in known.answers] == [world.into]
    assert known.history[-1].evidence.saved_as == str(known.answers[0].path)


def test_a_file_replaced_before_its_removal_stays(world: World, filed: Submission) -> None:
    remote = world.server.answer("Udlaan", NAME)
    world.server.put_out("list.txt", b"text")  # makes the collection look twice

    def replace() -> None:
        world.server.put_out(remote, b"<svar>a new one</svar>")

    world.clock.while_asleep = replace
    found = world.gateway().collect(world.into, delete=True)
    assert remote not in found.removed
    assert f"{HOME}/out/{remote}" in world.server.files


def test_a_removal_that_is_refused_is_reported(world: World, filed: Submission) -> None:
    world.server.status("Udlaan", NAME, 1)
    world.wrap = lambda inner: FaultyTransport(inner, FaultPlan.at(Step.REMOVE_REFUSED))
    found = world.gateway().collect(world.into, delete=True)
    assert found.removed == ()
    assert "could not be removed" in found.skipped[0].reason


# --- who collects ---


def test_collecting_with_another_certificate_says_so_at_once(world: World, filed: Submission) -> None:
    gateway = world.gateway(organisation(OTHER_UUID))
    opened = len(world.opened)
    with pytest.raises(CredentialError) as refused:
        gateway.collect(world.into)
    assert filed.filed_by in str(refused.value)
    assert gateway.username in str(refused.value)
    assert len(world.opened) == opened
    with pytest.raises(CredentialError):
        gateway.wait(filed, into=world.into, timeout=1)
    found = gateway.collect(world.into, even_if_filed_by_others=True)
    assert found.filed_by_others == ((filed.filed_by, 1),)


def test_a_company_with_two_logins_collects_with_each(world: World, filed: Submission) -> None:
    second = world.gateway(old_company())
    world.server.make_folder("/CVR_10101010/UID_9876543210/Udlaan")
    world.server.home = "/CVR_10101010"
    second.submit(report(2), service="Udlaan", name="19552101_2025_a2.zip")
    assert second.collect(world.into).filed_by_others == ((filed.filed_by, 1),)


def test_a_renewed_certificate_of_the_same_login_collects(world: World, filed: Submission) -> None:
    from support.pki import OCES3_ISSUER, oces3
    from support.skat_world import CVR, UUID, credential

    renewed = credential(oces3(cvr=CVR, uuid=UUID), OCES3_ISSUER)
    assert renewed.fingerprint != filed.certificate
    world.server.run()
    assert world.gateway(renewed).collect(world.into).answers


# --- the local folder ---


def test_a_file_where_the_folder_should_be_is_an_error_that_says_so(world: World) -> None:
    world.into.write_text("a file")
    with pytest.raises(ConfigurationError, match="cannot be written"):
        world.gateway().collect(world.into)
    with pytest.raises(ConfigurationError, match="holds NUL"):
        world.gateway().collect("answers\0")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode:
        lacking("small file systems cannot be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_loses_nothing_and_removes_nothing(world: World, filed: Submission, small_disk: Path) -> None:
    world.server.answer("Udlaan", NAME, content=b"<svar>" + b"x" * 200_000 + b"</svar>")
    gateway = world.gateway()
    with pytest.raises(ConfigurationError, match="No space left"):
        gateway.collect(small_disk, delete=True)
    assert not list(small_disk.glob(".govfile-*"))
    assert gateway.status(filed).state is State.RECEIVED
    gateway.collect(world.into)
    assert gateway.status(filed).state is State.ANSWERED


def test_a_read_only_disk_is_named(world: World, small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(ConfigurationError, match=r"cannot be written: (Read-only file system|no right)"):
        world.gateway().collect(small_disk / "answers")


def test_a_crash_between_saving_and_recording_makes_no_second_copy(world: World, filed: Submission) -> None:
    remote = world.server.answer("Udlaan", NAME)
    world.into.mkdir()
    (world.into / remote).write_bytes(b"<svar>ok</svar>")
    (answer,) = world.gateway().collect(world.into).answers
    assert answer.path == world.into / remote


def test_half_written_files_of_an_old_crash_are_cleared_away(world: World) -> None:
    world.into.mkdir()
    old, fresh, foreign = (world.into / name for name in (".govfile-1.part", ".govfile-2.part", "notes.part"))
    for path in (old, fresh, foreign):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    os.utime(foreign, (0, 0))
    world.gateway().collect(world.into)
    assert [path.exists() for path in (old, fresh, foreign)] == [False, True, True]


def test_g08_saved_files_are_private_whatever_the_umask(world: World, filed: Submission) -> None:
    world.server.answer("Udlaan", NAME)
    before = os.umask(0)
    try:
        world.gateway().collect(world.into)
    finally:
        os.umask(before)
    assert world.into.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in world.into.iterdir()} == {0o600}


def test_without_hard_links_files_are_kept_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("os.link", refuse)
    folder = Folder.of(tmp_path / "fat")
    kept = []
    for content in (b"one", b"two"):
        with folder.writing() as (path, writer):
            writer.write(content)
        kept.append(folder.keep(path, "a.txt", "0" * 64))
    assert [path.name for path in kept] == ["a.txt", "a.2.txt"]
    assert [path.read_bytes() for path in kept] == [b"one", b"two"]


def test_g06_ctrl_c_while_collecting_leaves_no_half_file(world: World, filed: Submission) -> None:
    class Interrupted(MemoryTransport):
        def get(self, path: str, into: BinaryIO, **more: Any) -> Any:
            into.write(b"half")
            raise KeyboardInterrupt

    world.server.run()
    world.wrap = lambda inner: Interrupted(world.server)
    gateway = world.gateway()
    with pytest.raises(KeyboardInterrupt):
        gateway.collect(world.into)
    assert list(world.into.iterdir()) == []
    world.wrap = lambda inner: inner
    gateway.collect(world.into)
    assert gateway.status(filed).state is State.ANSWERED
