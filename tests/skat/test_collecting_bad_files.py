"""Collecting: files that are empty, cut off, hostile, growing or gone stop nothing and prove nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from govfile.errors import ConnectionFailed
from govfile.filing.saving import safe_name
from govfile.filing.states import Proof, State
from govfile.transports.base import RemoteFile
from govfile.transports.faulty import Fault, FaultPlan, FaultyTransport, Step
from govfile.transports.memory import MemoryTransport
from support.skat_world import World, report

if TYPE_CHECKING:
    from govfile.filing.submission import Submission

NAME = "19552101_2025_a1.zip"


@pytest.fixture
def filed(world: World) -> Submission:
    return world.gateway().submit(report(), service="Udlaan", name=NAME)


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


@pytest.mark.parametrize("name", ["a\r\nDELE b", "a\x00b", "../Udlaan/x.zip", "..", ""])
def test_f16_a_listed_name_that_cannot_be_a_file_is_skipped_and_stops_nothing(
    world: World, filed: Submission, name: str
) -> None:
    class Hostile(MemoryTransport):
        def list(self, folder: str) -> list[RemoteFile]:
            return [*super().list(folder), *([RemoteFile(name=name, size=1)] if folder.endswith("/out") else [])]

    world.server.run()
    world.wrap = lambda inner: Hostile(world.server)
    gateway = world.gateway()
    found = gateway.collect(world.into)
    assert [skipped.remote_name for skipped in found.skipped] == [name]
    assert gateway.status(filed).state is State.ANSWERED


def test_names_outside_ascii_are_kept_and_remembered(world: World) -> None:
    world.server.put_out("b\xe6r\u2028.xml", b"<x/>")
    (saved,) = world.gateway().collect(world.into).unsolicited
    assert saved.remote_name == "b\xe6r\u2028.xml"
    assert world.gateway().collect(world.into).unsolicited == ()
