"""Collecting: everything is kept, matched by the authority's own rules, and never stops for a bad file."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import pytest

from govfile.errors import ConfigurationError, ConnectionFailed, CredentialError
from govfile.filing.states import Proof, State, Verdict
from govfile.skat.saving import Folder, safe_name
from govfile.transports.base import RemoteFile
from govfile.transports.faulty import Fault, FaultPlan, FaultyTransport, Step
from govfile.transports.memory import MemoryTransport
from support.programs import lacking
from support.skat_world import HOME, OTHER_UUID, REUSED, World, old_company, organisation, records, report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from govfile.filing.submission import Submission

NAME = "19552101_2025_a1.zip"


@pytest.fixture
def filed(world: World) -> Submission:
    return world.gateway().submit(report(), service="Udlaan", name=NAME)


def test_statuses_and_answer_move_the_submission_to_its_end(world: World, filed: Submission) -> None:
    world.server.run()
    found = world.gateway().collect(world.into)
    (final,) = found.submissions
    assert (final.id, final.state, final.verdict) == (filed.id, State.ANSWERED, Verdict.UNREAD)
    assert [event.evidence.proof for event in final.history[3:]] == [
        Proof.HANDED_OVER,
        Proof.TAKEN,
        Proof.ANNOUNCED,
        Proof.ANSWERED,
    ]
    (answer,) = final.answers
    assert answer.path.read_bytes() == b"<svar>ok</svar>"
    assert found.answers == (answer,)
    assert found.statuses == 3
    for event in final.history[3:]:
        assert Path(event.evidence.saved_as).is_file()
    assert not list(world.into.glob(".govfile-*"))
    assert {path.stat().st_mode & 0o777 for path in world.into.iterdir()} == {0o600}


def test_f15_any_order_and_repetition_give_the_same_end(world: World, filed: Submission) -> None:
    gateway = world.gateway()
    for number in (2, 1, 2):
        world.clock.advance(minutes=1)
        world.server.status("Udlaan", NAME, number)
        gateway.collect(world.into)
    assert gateway.status(filed).state is State.RECEIVED
    before = gateway.status(filed)
    world.clock.advance(minutes=1)
    world.server.status("Udlaan", NAME, 2)  # the same bytes once more
    assert gateway.collect(world.into).statuses == 1
    assert gateway.status(filed) == before
    assert gateway.collect(world.into).statuses == 0


def test_a_refusal_carries_code_and_advice(world: World, filed: Submission) -> None:
    from govfile.errors import Rejected

    world.server.refuse("Udlaan", NAME, "RECORD_LENGTH_INCORRECT")
    (refused,) = world.gateway().collect(world.into).submissions
    assert refused.state is State.REJECTED
    with pytest.raises(Rejected) as error:
        refused.raise_for_rejection()
    assert error.value.code == "RECORD_LENGTH_INCORRECT"
    assert "new name" in str(error.value)


def test_f10_name_reused_says_nothing_against_what_was_delivered(world: World, filed: Submission) -> None:
    world.server.refuse("Udlaan", NAME, REUSED)
    gateway = world.gateway()
    gateway.collect(world.into)
    assert gateway.status(filed).state is State.REJECTED
    world.server.status("Udlaan", NAME, 1)
    gateway.collect(world.into)
    assert gateway.status(filed).state is State.DELIVERED


def test_f09_a_status_settles_an_unknown_outcome(world: World) -> None:
    world.ledger.burn(
        authority="skat", environment="local", sender="10101010", service="x", names=["x"], found="elsewhere"
    )
    world.wrap = lambda inner: FaultyTransport(inner, FaultPlan.at(Step.BEFORE_REPLY))
    gateway = world.gateway()
    with pytest.raises(Exception, match="not known whether"):
        gateway.submit(report(), service="Udlaan", name=NAME)
    world.wrap = lambda inner: inner
    world.server.run()
    gateway.collect(world.into)
    assert gateway.status(NAME).state is State.ANSWERED
    assert world.server.names == [NAME]


# --- matching -----------------------------------------------------------------------------------------------------


def test_underscores_do_not_mislead_and_the_content_decides(world: World) -> None:
    gateway = world.gateway()
    one = gateway.submit(b"one", service="A", name="b_c.txt")
    two = gateway.submit(b"two", service="A_b", name="c.txt")
    world.server.put_out(
        "status_A_b_c.txt_1.xml",
        f"<status><file><filename>{HOME}/A_b/c.txt</filename>".encode()
        + b"<FTPTransaktionsId>c.txt</FTPTransaktionsId></file></status>",
    )
    gateway.collect(world.into)
    assert gateway.status(one).state is State.SENT
    assert gateway.status(two).state is State.DELIVERED


def test_a_status_whose_content_contradicts_its_name_is_nobodys(world: World, filed: Submission) -> None:
    world.server.status("Udlaan", "other.zip", 1)
    content = world.server.files.pop(f"{HOME}/out/status_Udlaan_other.zip_1.xml").data
    world.server.put_out(f"status_Udlaan_{NAME}_1.xml", content)
    found = world.gateway().collect(world.into)
    assert (found.submissions, len(found.unsolicited)) == ((), 1)
    assert world.gateway().status(filed).state is State.SENT


def test_a_status_under_an_odd_name_is_matched_by_the_path_in_it(world: World, filed: Submission) -> None:
    world.server.status("Udlaan", NAME, 2)
    content = world.server.files.pop(f"{HOME}/out/status_Udlaan_{NAME}_2.xml").data
    world.server.put_out("status_Backend.Service_20260105_2.xml", content)
    world.gateway().collect(world.into)
    assert world.gateway().status(filed).state is State.RECEIVED


@pytest.mark.parametrize(
    "remote_name",
    [
        "UFO_KvitteringsFil_UFO_19552101_2025_a1.xml",
        f"UFO_SvarFil_UFO_{NAME}",
        f"Udlaan_{NAME}.fejl.txt",
        f"{NAME}",
    ],
)
def test_unannounced_answers_are_known_by_the_name_in_theirs(world: World, filed: Submission, remote_name: str) -> None:
    world.server.put_out(remote_name, b"<svar/>")
    world.gateway().collect(world.into)
    assert world.gateway().status(filed).state is State.ANSWERED


@pytest.mark.parametrize(
    "remote_name", ["svar_2025_a1.xml", "svar_x19552101_2025_a1.xml", "svar_val_19552101_2025_a1.xml", "nyt.xml"]
)
def test_answers_that_only_look_alike_are_unsolicited(world: World, filed: Submission, remote_name: str) -> None:
    world.server.put_out(remote_name, b"<svar/>")
    found = world.gateway().collect(world.into)
    assert [saved.remote_name for saved in found.unsolicited] == [remote_name]
    assert world.gateway().status(filed).state is State.SENT


def test_an_announced_answer_may_be_called_anything_and_come_in_another_run(world: World, filed: Submission) -> None:
    more = "<response><filename>/out/FEJL0042.txt</filename><filename>ADVIS0042.txt</filename></response>"
    world.server.status("Udlaan", NAME, 3, more=more)
    world.gateway().collect(world.into)
    assert world.gateway().status(filed).state is State.RECEIVED
    world.server.put_out("FEJL0042.txt", records("005"))
    world.gateway().collect(world.into)
    world.server.put_out("ADVIS0042.txt", records("advis"))
    world.gateway().collect(world.into)
    final = world.gateway().status(filed)
    assert final.state is State.ANSWERED
    assert [answer.remote_name for answer in final.answers] == ["FEJL0042.txt", "ADVIS0042.txt"]


def test_an_answer_two_uploads_could_own_is_left_to_a_person(world: World) -> None:
    gateway = world.gateway()
    for extension in ("txt", "xml"):
        gateway.submit(extension.encode(), service="A", name=f"report7.{extension}")
    world.server.put_out("svar_report7.csv", b"x")
    world.server.put_out("svar_report7.xml", b"<x/>")
    found = gateway.collect(world.into)
    assert [saved.remote_name for saved in found.unsolicited] == ["svar_report7.csv"]
    assert gateway.status("report7.xml").state is State.ANSWERED
    assert gateway.status("report7.txt").state is State.SENT


def test_files_nobody_asked_for_are_saved_and_listed(world: World) -> None:
    world.server.status("UFO", "20160819120000123", 3)
    world.server.put_out("nyhedsbrev.pdf", b"%PDF-1.4")
    found = world.gateway().collect(world.into)
    assert {saved.remote_name for saved in found.unsolicited} == {
        "status_UFO_20160819120000123_3.xml",
        "nyhedsbrev.pdf",
    }
    assert all(saved.path.is_file() for saved in found.unsolicited)
    assert world.gateway().collect(world.into).unsolicited == ()


def test_a_replaced_answer_never_overwrites_the_old_one(world: World, filed: Submission) -> None:
    gateway = world.gateway()
    world.server.answer("Udlaan", NAME, content=b"<svar>wrong</svar>")
    gateway.collect(world.into)
    world.clock.advance(days=1)
    world.server.answer("Udlaan", NAME, announced=False, content=b"<svar>right</svar>")
    gateway.collect(world.into)
    first, second = gateway.status(filed).answers
    assert (first.path.read_bytes(), second.path.read_bytes()) == (b"<svar>wrong</svar>", b"<svar>right</svar>")
    assert second.path.name == "Udlaan_SvarFil_19552101_2025_a1.2.xml"


# --- bad files ----------------------------------------------------------------------------------------------------

UNREADABLE = {
    "empty": b"",
    "truncated": b"<status><file><FTPTransaktionsId>1955",
    "garbage": bytes(range(256)),
    "hostile": b'<!DOCTYPE s [<!ENTITY a SYSTEM "file:///etc/passwd">]><status>&a;</status>',
    "a web page": b"<html><body>503</body></html>",
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_f15_a_status_that_cannot_be_read_is_kept_and_moves_nothing(world: World, filed: Submission, kind: str) -> None:
    world.server.put_out(f"status_Udlaan_{NAME}_1.xml", UNREADABLE[kind])
    world.server.put_out("status_Udlaan_unknown.zip_0.xml", UNREADABLE[kind])
    world.server.status("Udlaan", NAME, 2)
    gateway = world.gateway()
    found = gateway.collect(world.into)
    assert len(found.unread) == 2
    assert all(saved.path.read_bytes() == UNREADABLE[kind] for saved in found.unread)
    state = gateway.status(filed)
    assert state.state is State.RECEIVED
    assert Proof.NOTED in [event.evidence.proof for event in state.history]
    assert Proof.HANDED_OVER not in [event.evidence.proof for event in state.history]
    world.clock.advance(minutes=5)
    world.server.status("Udlaan", NAME, 1)  # the authority mends it
    gateway.collect(world.into)
    assert Proof.HANDED_OVER in [event.evidence.proof for event in gateway.status(filed).history]


def test_an_oversized_status_is_skipped_with_a_report(world: World) -> None:
    world.server.put_out(f"status_Udlaan_{NAME}_1.xml", bytes(1024 * 1024 + 1))
    (skipped,) = world.gateway().collect(world.into).skipped
    assert "more than the 1048576" in skipped.reason


def test_an_oversized_answer_is_skipped_with_a_report_listed_size_or_not(world: World) -> None:
    world.server.put_out("big.bin", bytes(2000))
    (skipped,) = world.gateway().collect(world.into, answer_limit=1000).skipped
    assert "2000 bytes" in skipped.reason
    world.wrap = lambda inner: Bare(world.server)
    (skipped,) = world.gateway().collect(world.into, answer_limit=1000).skipped
    assert "longer than" in skipped.reason
    assert list(world.into.iterdir()) == []


class Bare(MemoryTransport):
    """A server whose listing gives names only."""

    def list(self, folder: str) -> list[RemoteFile]:
        return [RemoteFile(name=found.name) for found in super().list(folder)]


def test_a_listing_without_sizes_brings_each_file_once(world: World, filed: Submission) -> None:
    world.server.run()
    world.server.put_out("list.txt", b"some text")
    world.wrap = lambda inner: Bare(world.server)
    gateway = world.gateway()
    found = gateway.collect(world.into)
    assert (found.statuses, len(found.answers), len(found.unsolicited)) == (3, 1, 1)
    again = gateway.collect(world.into)
    assert (again.statuses, again.answers, again.unsolicited, again.skipped) == (0, (), (), ())


def test_a_file_that_still_grows_is_left_for_the_next_time(world: World, filed: Submission) -> None:
    remote = f"Udlaan_{NAME}.fejl.txt"
    world.server.put_out(remote, b"half of it")

    def grow() -> None:
        world.server.put_out(remote, b"half of it and the rest")

    world.clock.while_asleep = grow
    gateway = world.gateway()
    (skipped,) = gateway.collect(world.into).skipped
    assert "still being written" in skipped.reason
    assert gateway.status(filed).state is State.SENT
    world.clock.while_asleep = lambda: None
    (answer,) = gateway.collect(world.into).answers
    assert answer.path.read_bytes() == b"half of it and the rest"


def test_half_written_xml_is_not_taken_for_an_answer(world: World, filed: Submission) -> None:
    remote = world.server.answer("Udlaan", NAME, content=b"<svar><linje>")
    world.clock.while_asleep = lambda: world.server.put_out(remote, b"<svar><linje/></svar>")
    gateway = world.gateway()
    assert len(gateway.collect(world.into).skipped) == 1
    assert gateway.status(filed).state is State.RECEIVED
    gateway.collect(world.into)
    assert gateway.status(filed).answers[0].path.read_bytes() == b"<svar><linje/></svar>"


def test_f16_a_file_that_vanishes_is_reported_and_stops_nothing(world: World, filed: Submission) -> None:
    world.server.run()
    world.wrap = lambda inner: FaultyTransport(inner, FaultPlan(faults=(Fault(step=Step.GET_GONE, nth=2),)))
    gateway = world.gateway()
    found = gateway.collect(world.into)
    assert [skipped.remote_name for skipped in found.skipped] == [f"status_Udlaan_{NAME}_2.xml"]
    assert gateway.status(filed).state is State.ANSWERED


def test_f16_a_link_lost_half_way_keeps_what_was_fetched(world: World, filed: Submission) -> None:
    world.server.run()
    world.wrap = lambda inner: FaultyTransport(inner, FaultPlan(faults=(Fault(step=Step.GET_LOST, nth=3),)))
    gateway = world.gateway()
    with pytest.raises(ConnectionFailed):
        gateway.collect(world.into)
    assert gateway.status(filed).state is State.RECEIVED
    assert not list(world.into.glob(".govfile-*"))
    found = gateway.collect(world.into)
    assert (found.statuses, gateway.status(filed).state) == (1, State.ANSWERED)


@pytest.mark.slow
def test_f16_a_listing_of_100_000_old_entries_is_bounded(world: World, filed: Submission) -> None:
    import time

    class Crowded(MemoryTransport):
        def list(self, folder: str) -> list[RemoteFile]:
            crowd = [RemoteFile(name=f"x{number}", is_folder=True) for number in range(100_000)]
            return super().list(folder) + (crowd if folder.endswith("/out") else [])

    world.wrap = lambda inner: Crowded(world.server)
    world.server.run()
    started = time.process_time()
    assert world.gateway().collect(world.into).statuses == 3
    assert time.process_time() - started < 10


@pytest.mark.parametrize(
    "remote_name",
    [
        "../../etc/passwd",
        "/etc/passwd",
        "..",
        ".hidden",
        "con.xml",
        "NUL",
        "a\nb.xml",
        "\x1b[31m.xml",
        "a\\b.xml",
        "å" * 300,
        "x" * 300 + ".xml",
        "trailing.",
        "a:b",
        "-rf",
        "",
    ],
)
def test_s11_remote_names_never_decide_a_local_path(tmp_path: Path, remote_name: str) -> None:
    local = safe_name(remote_name)
    assert local
    assert not local.startswith(".")
    assert Path(local).name == local
    assert local.isascii()
    assert len(local) < 220
    assert (tmp_path / local).resolve().parent == tmp_path.resolve()


def test_s11_two_remote_names_never_become_one_local_name() -> None:
    names = ["a:b.xml", "a?b.xml", "a_b.xml", "å.xml", "ø.xml", "A.xml"]
    assert len({safe_name(name) for name in names}) == len(names)
    assert safe_name("status_Udlaan_a.zip_1.xml") == "status_Udlaan_a.zip_1.xml"


def test_s11_a_link_in_the_folder_is_not_followed(world: World, tmp_path: Path) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("mine")
    world.into.mkdir()
    (world.into / "list.txt").symlink_to(outside)
    world.server.put_out("list.txt", b"theirs")
    (saved,) = world.gateway().collect(world.into).unsolicited
    assert outside.read_text() == "mine"
    assert saved.path.name == "list.2.txt"


# --- removing -----------------------------------------------------------------------------------------------------


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


# --- who collects -------------------------------------------------------------------------------------------------


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


# --- the local folder ---------------------------------------------------------------------------------------------


def test_a_file_where_the_folder_should_be_is_an_error_that_says_so(world: World) -> None:
    world.into.write_text("a file")
    with pytest.raises(ConfigurationError, match="cannot be written"):
        world.gateway().collect(world.into)


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
