"""Each fault of the Belgian sandbox at work, seen by a client that is not ours."""

from __future__ import annotations

import base64
import io
import logging
import time
import zipfile
from datetime import timedelta
from typing import TYPE_CHECKING

import paramiko
import pytest

from govfile.sandbox.onss import Damage, Drop, Faults, OnssSandbox, Spoilt, Trick, When
from govfile.sandbox.onss.xml import NotXml, read
from support.onss_sender import Sender, acknowledged, connected, standing_still

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOST = (EOFError, OSError, paramiko.SSHException)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """paramiko logs a traceback of each broken line."""
    logger = logging.getLogger("paramiko")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    yield
    logger.setLevel(before)


@pytest.fixture
def sender(tmp_path: Path) -> Iterator[Sender]:
    with standing_still() as authority, connected(authority, tmp_path) as sender:
        yield sender


def one_set(sender: Sender, **options: str) -> tuple[str, dict[str, bytes]]:
    """A GO's name and the files of its set in the order in which they are sent."""
    stem = sender.stem(**options)
    content = sender.authority.example("DMFA")
    return f"GO.{stem}.1", {
        f"IN/FI.{stem}.1.1": content,
        f"IN/FS.{stem}.1.1": base64.b64encode(sender.sign(content)),
        f"IN/GO.{stem}.1": b"",
    }


# --- the connection


def test_refused_logins(tmp_path: Path) -> None:
    with OnssSandbox() as authority:
        with (
            authority.faults.during(refuse_login=True),
            pytest.raises(paramiko.AuthenticationException),
            connected(authority, tmp_path),
        ):
            pass
        with connected(authority, tmp_path) as sender:
            assert "IN" in sender.sftp.listdir(".")


@pytest.mark.parametrize("when", list(When))
def test_s04_dropped_at_every_request_of_a_set(tmp_path: Path, when: When) -> None:
    """Whatever the request, either the GO's file exists and the set counts once, or nothing is filed."""
    outcomes = []
    for request in range(1, 40):
        with standing_still() as authority, connected(authority, tmp_path) as sender:
            _, files = one_set(sender)
            authority.faults.drop = Drop(request=request, when=when)
            try:
                for path, content in files.items():
                    sender.put(path, content)
            except LOST:
                outcomes.append(went_on(sender))
                continue
            assert authority.faults.drop is not None
            break
    else:
        pytest.fail("the connection dropped at every request")
    assert outcomes == sorted(outcomes), "filed at first and not filed later"
    assert set(outcomes) == {0, 1}


def went_on(sender: Sender) -> int:
    """How many sets count once the line is gone."""
    deadline = time.monotonic() + 10
    while sender.transport.is_active() and time.monotonic() < deadline:
        time.sleep(0.005)
    time.sleep(0.02)
    sender.wait()
    return len(sender.authority.declared)


def test_a_drop_counts_only_what_it_is_asked_to(sender: Sender) -> None:
    name, files = one_set(sender)
    sender.authority.faults.drop = Drop(only="close", on="GO", when=When.BEFORE)
    *before, go = files
    for path in before:
        sender.put(path, files[path])
    with pytest.raises(LOST):
        sender.put(go)
    assert went_on(sender) == 1, "an opened GO is there, closed or not"
    assert sender.codes(name) == []


def test_open_files_vanish_with_the_line_on_request(sender: Sender) -> None:
    _, files = one_set(sender)
    sender.authority.faults.loses_open_files = True
    sender.authority.faults.drop = Drop(only="close", on="GO")
    *before, go = files
    for path in before:
        sender.put(path, files[path])
    with pytest.raises(LOST):
        sender.put(go)
    assert went_on(sender) == 0
    assert [name[:2] for name in sender.authority.folder("IN")] == ["FI", "FS"]


@pytest.mark.parametrize("limit", [0, 100, 1000, 2000, 3000, 4000, 6000, 8000])
@pytest.mark.parametrize("way", ["cut_after_received", "cut_after_sent"])
def test_the_line_breaks_after_so_many_bytes(tmp_path: Path, way: str, limit: int) -> None:
    with standing_still() as authority:
        setattr(authority.faults, way, limit)
        with pytest.raises(LOST), connected(authority, tmp_path) as sender:  # noqa: PT012
            for number in range(200):
                sender.put(f"IN/x{number}", b"x" * 100)
        setattr(authority.faults, way, None)
        with connected(authority, tmp_path) as sender:
            assert sender.codes(sender.declare(authority.example("DMFA"))) == []


def test_every_line_can_be_cut_from_outside(sender: Sender) -> None:
    sender.authority.drop_connections()
    assert went_on(sender) == 0
    with pytest.raises(LOST):
        sender.sftp.listdir("IN")


def test_s10_new_keys_in_the_middle_of_a_file(tmp_path: Path) -> None:
    with standing_still() as authority:
        authority.faults.rekey_after = 50_000
        with connected(authority, tmp_path) as sender:
            hash_before = sender.transport.H
            name = authority.send("DMNO", b"x" * 300_000)
            with sender.sftp.open(f"OUT/{name}") as reader:
                assert reader.read() == b"x" * 300_000
            assert hash_before != sender.transport.H, "no keys were exchanged"
            assert sender.codes(sender.declare(authority.example("DMFA"))) == []


def test_s16_a_banner_before_the_login(tmp_path: Path) -> None:
    with OnssSandbox() as authority:
        authority.faults.banner = "Accès réservé\r\n" * 3
        with connected(authority, tmp_path) as sender:
            handler = sender.transport.auth_handler
            assert handler is not None
            assert str(handler.banner) == str(authority.faults.banner.encode())


def test_slow_replies(sender: Sender) -> None:
    sender.authority.faults.delay = 0.2
    start = time.monotonic()
    sender.sftp.stat("IN")
    assert time.monotonic() - start >= 0.2


def test_replies_that_never_come(sender: Sender) -> None:
    sender.authority.faults.silent_at = frozenset({"scandir"})
    channel = sender.sftp.get_channel()
    assert channel is not None
    channel.settimeout(0.3)
    with pytest.raises(TimeoutError):
        sender.sftp.listdir("IN")


# --- files


def test_s07_attributes_can_be_forbidden_and_sizes_left_out(sender: Sender) -> None:
    _, files = one_set(sender)
    path, content = next(iter(files.items()))
    sender.put(path, content)
    assert sender.sftp.stat(path).st_size == len(content)
    with sender.authority.faults.during(forbids_stat=True):
        with pytest.raises(PermissionError):
            sender.sftp.stat(path)
        assert sender.sftp.listdir("IN") == [path[3:]]
        assert sender.sftp.stat("IN").st_size is not None
    with sender.authority.faults.during(hides_sizes=True):
        assert sender.sftp.stat(path).st_size is None


def test_s07_files_are_moved_at_once_and_count(sender: Sender) -> None:
    name, files = one_set(sender)
    sender.authority.faults.moves_at_once = True
    for path, content in files.items():
        sender.put(path, content)
        with pytest.raises(FileNotFoundError):
            sender.sftp.stat(path)
    assert sender.sftp.listdir("IN") == []
    assert sender.codes(name) == []


@pytest.mark.parametrize(("room", "kept"), [(0, 0), (1000, 1000)])
def test_s09_a_full_disk(sender: Sender, room: int, kept: int) -> None:
    _, files = one_set(sender)
    path, content = next(iter(files.items()))
    sender.authority.faults.disk_full_after = room
    with sender.sftp.open(path, "w") as writer, pytest.raises(OSError, match="No space"):
        writer.write(content)
    assert sender.sftp.stat(path).st_size == kept


def test_s06_a_close_that_fails(sender: Sender) -> None:
    sender.authority.faults.refuse_close = True
    sender.put("IN/FI.x", b"x")  # paramiko says nothing of it
    assert "close FI.x" in sender.authority.requests
    assert sender.authority.folder("IN") == {}


def test_s08_exclusive_creation_is_honoured(sender: Sender) -> None:
    _, files = one_set(sender)
    path = next(iter(files))
    sender.put(path, b"x")
    with pytest.raises(OSError, match="exists"):
        sender.sftp.open(path, "wx")


def test_refused_uploads_and_missing_folders(sender: Sender) -> None:
    with sender.authority.faults.during(refuse_open=True), pytest.raises(PermissionError):
        sender.put("IN/x", b"")
    with sender.authority.faults.during(missing_folders=frozenset({"INTEST-S"})):
        assert "INTEST-S" not in sender.sftp.listdir(".")
        with pytest.raises(FileNotFoundError):
            sender.put("INTEST-S/x", b"")


def test_s11_hostile_names_and_floods_in_listings(sender: Sender) -> None:
    hostile = ("../x", "/etc/passwd", "FO.NOTI\n.R", "con", "a" * 300)
    with sender.authority.faults.during(extra_entries=hostile, flood=1000):
        listed = sender.sftp.listdir_attr("OUT")
    assert len(listed) == 1000 + len(hostile)
    assert {"../x", "/etc/passwd"} <= {each.filename for each in listed}


def test_answers_that_vanish_or_break_while_they_are_read(sender: Sender) -> None:
    name = sender.authority.send("DMNO")
    with sender.authority.faults.during(vanishing=True):
        assert name in sender.sftp.listdir("OUT")
        with pytest.raises(FileNotFoundError):
            sender.sftp.open(f"OUT/{name}")
    with (
        sender.authority.faults.during(cut_downloads=100),
        sender.sftp.open(f"OUT/{name}") as reader,
        pytest.raises(OSError, match="read error"),
    ):
        reader.read()
    with sender.sftp.open(f"OUT/{name}") as reader:
        assert reader.read() == sender.answers()[name]


# --- the transfer point


def test_it_can_be_away(sender: Sender) -> None:
    sender.authority.faults.away_until = sender.authority.clock() + timedelta(hours=6)
    sender.declare(sender.authority.example("DMFA"))
    sender.wait(5 * 3600)
    assert sender.authority.declared == ()
    sender.wait(2 * 3600)
    assert len(sender.authority.filed) == 1
    assert len(sender.answers()) == 2


@pytest.mark.parametrize(("switch", "left"), [("no_acrf", ["FO.NOTI"]), ("no_noti", ["FO.ACRF"])])
def test_answers_can_fail_to_come(sender: Sender, switch: str, left: list[str]) -> None:
    setattr(sender.authority.faults, switch, True)
    sender.declare(sender.authority.example("DMFA"))
    sender.wait()
    assert [name[:7] for name in sender.answers()] == left


def test_an_answers_go_can_be_missing_or_late(sender: Sender) -> None:
    with sender.authority.faults.during(no_go=True):
        sender.authority.send("DMNO")
    with sender.authority.faults.during(go_late=timedelta(minutes=5)):
        sender.authority.send("DMPI")
    assert sender.answers("GO") == {}
    sender.wait(301)
    assert [name[:7] for name in sender.answers("GO")] == ["GO.DMPI"]


def test_an_answer_can_be_half_written_for_a_while(sender: Sender) -> None:
    with sender.authority.faults.during(growing=timedelta(minutes=1)):
        name = sender.authority.send("DMNO")
    whole = len(sender.answers()[name])
    assert sender.sftp.stat(f"OUT/{name}").st_size == whole // 2
    with sender.sftp.open(f"OUT/{name}") as reader:
        assert len(reader.read()) == whole // 2
    sender.wait(61)
    assert sender.sftp.stat(f"OUT/{name}").st_size == whole


@pytest.mark.parametrize("damage", list(Damage))
def test_answers_can_be_damaged(sender: Sender, damage: Damage) -> None:
    name = sender.authority.send("DMNO")
    whole = sender.answers()[name]
    with sender.authority.faults.during(damage=damage):
        name = sender.authority.send("DMNO")
    content = sender.answers()[name]
    assert content != whole
    match damage:
        case Damage.OVERSIZED:
            assert len(content) > 32 << 20
        case Damage.UNKNOWN_ELEMENTS:
            assert read(content, {"utf-8"}).children[0].children[0].name == "Unheard"
        case _:
            with pytest.raises(NotXml):
                read(content, {"utf-8"})


@pytest.mark.parametrize("spoilt", list(Spoilt))
def test_signatures_of_answers_can_be_spoilt(sender: Sender, spoilt: Spoilt) -> None:
    name = sender.authority.send("DMNO").replace("FO", "FS")
    sound = len(sender.answers("FS")[name])
    with sender.authority.faults.during(spoilt=spoilt):
        name = sender.authority.send("DMNO").replace("FO", "FS")
    match spoilt:
        case Spoilt.MISSING:
            assert name not in sender.answers("FS")
        case Spoilt.GARBAGE:
            assert len(sender.answers("FS")[name]) < 20
        case _:
            assert abs(len(sender.answers("FS")[name]) - sound) < 50


@pytest.mark.parametrize("trick", list(Trick))
def test_compressed_answers_can_be_traps(sender: Sender, trick: Trick) -> None:
    with sender.authority.faults.during(trick=trick):
        name = sender.authority.send("DMNO")
    assert name.startswith("CO.")
    with zipfile.ZipFile(io.BytesIO(sender.answers("CO")[name])) as archive:
        members = archive.infolist()
    match trick:
        case Trick.BOMB:
            assert members[0].file_size == 256 << 20
            assert len(sender.answers("CO")[name]) < 4 << 20
        case Trick.TWO_ENTRIES:
            assert len(members) == 2
        case Trick.CLIMBING_NAME:
            assert members[0].filename.startswith("../")


def test_answers_can_come_twice_and_strangers_before_them(sender: Sender) -> None:
    with sender.authority.faults.during(repeat=True, strangers=True):
        name = sender.declare(sender.authority.example("DMFA"))
        sender.wait()
        subjects = [acknowledged(each)[0] for each in sender.answers("FO.ACRF").values()]
    assert subjects.count(name) == 2
    assert len(subjects) == 4
    assert len(sender.answers("FO.NOTI")) == 2


def test_all_faults_can_be_cleared_at_once(sender: Sender) -> None:
    faults = sender.authority.faults
    faults.refuse_login, faults.delay, faults.damage = True, 9.0, Damage.EMPTY
    faults.clear()
    assert faults == Faults()
