"""File names: each fault earns its own code, and every row of the published grammar is read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from govfile.sandbox.onss import Circuit, NameScope, Settings
from govfile.sandbox.onss.names import read, sequence
from support.onss_sender import connected, noon, standing_still

if TYPE_CHECKING:
    from pathlib import Path

NOON = datetime(2026, 10, 12, 12, tzinfo=UTC)


def codes(name: str, folder: str = "IN", *, now: datetime = NOON, settings: Settings | None = None) -> tuple[str, ...]:
    return read(name, folder=folder, sender="101420", now=now, settings=settings or Settings())[1]


@pytest.mark.parametrize(
    ("name", "folder", "expected"),
    [
        ("XX.DMFA.101420.20261012.00001.R.1.1", "IN", ["129"]),
        ("fi.DMFA.101420.20261012.00001.R.1.1", "IN", ["129"]),
        ("FI.DMFA.101420.20261012.00001.R.1.1.part", "IN", ["131"]),
        ("FI.DMFA.101420.20261012.00001.R.1.1.xml", "IN", ["131"]),
        ("FI.DMFA.101420.20261012.00001.R.1", "IN", ["131"]),
        ("FI.dmfa.101420.20261012.00001.R.1.1", "IN", ["131"]),
        ("FI.DMFA.10142.20261012.00001.R.1.1", "IN", ["131"]),
        ("FS.DMFAX.101420.20261012.00001.R.1.1", "IN", ["132"]),
        ("GO.DMFA.101420.20261012.00001.R.1.1", "IN", ["107"]),
        ("TD.DMFA.101420.20261012.00001", "IN", ["107"]),
        ("FI.DMFA.101421.20261012.00001.R.1.1", "IN", ["108"]),
        ("FI.DMFA.101420.2026101.00001.R.1.1", "IN", ["109"]),
        ("FI.DMFA.101420.20261312.00001.R.1.1", "IN", ["110"]),
        ("FI.DMFA.101420.2026101a.00001.R.1.1", "IN", ["110"]),
        ("FI.DMFA.101420.٢٠٢٦١٠١٢.00001.R.1.1", "IN", ["110"]),
        ("FI.DMFA.101420.20261013.00001.R.1.1", "IN", ["111"]),
        ("FI.DMFA.101420.20251001.00001.R.1.1", "IN", ["126"]),
        ("FI.DMFA.101420.20261012.0001.R.1.1", "IN", ["112"]),
        ("FI.ATDO.101420.20261012.000001.R.1.1", "IN", ["112"]),
        ("FI.DMFA.101420.20261012.00000.R.1.1", "IN", ["127"]),
        ("FI.DMFA.101420.20261012.0000a.R.1.1", "IN", ["367"]),
        ("FI.DMFA.101420.20261012.00001.P.1.1", "IN", ["117"]),
        ("FI.DMFA.101420.20261012.00001.R.1.1", "INTEST", ["118"]),
        ("FI.DMFA.101420.20261012.00001.T.1.1", "IN", ["119"]),
        ("FI.DMFA.101420.20261012.00001.S.1.1", "INTEST", ["257"]),
        ("FI.DMFA.101420.20261012.00001.R.10.1", "IN", ["114"]),
        ("FI.DMFA.101420.20261012.00001.R.A.A", "IN", ["115", "123"]),
        ("FI.DMFA.101420.20261012.00001.R.0.1", "IN", ["116", "123"]),
        ("GO.DMFA.101420.20261012.00001.R.0", "IN", ["116"]),
        ("FI.DMFA.101420.20261012.00001.R.2.3", "IN", ["123"]),
        ("FS.DMFA.101420.20261012.00001.R.2.0", "IN", ["124"]),
        ("FI.DMFA.101421.20261013.00000.T.1.1", "IN", ["108", "111", "127", "119"]),
    ],
)
def test_each_fault_of_a_name_has_its_code(name: str, folder: str, expected: list[str]) -> None:
    assert list(codes(name, folder)) == expected


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("FI.DMFA.101420.20261012.00001.R.1.1", "IN"),
        ("FS.DMFA.101420.20261012.ZZZZZ.R.4.4", "IN"),
        ("GO.DMFA.101420.20261012.0000A.R.9", "IN"),
        ("TD.DMFA.101420.20261011.00001.R.1", "IN"),
        ("FI.WECH.101420.20261012.00001.R", "IN"),
        ("GO.AOAT.101420.20261012.00901.R", "IN"),
        ("FI.ACRF.101420.20261012.00001.R", "IN"),
        ("FI.DIMN.101420.20261012.00001.T.1.1", "INTEST"),
        ("FI.DIMN.101420.20261012.00001.S.1.1", "INTEST-S"),
    ],
)
def test_sound_names_are_read(name: str, folder: str) -> None:
    assert codes(name, folder) == ()


def test_the_date_is_that_of_belgium() -> None:
    before_midnight = datetime(2026, 10, 12, 21, 59, tzinfo=UTC)  # 23:59 there
    name = "FI.DMFA.101420.20261013.00001.R.1.1"
    assert codes(name, now=before_midnight) == ("111",)
    assert codes(name, now=before_midnight + timedelta(minutes=1)) == ()


def test_what_the_authority_leaves_open_can_be_set() -> None:
    assert codes("FI.WECH.101420.20261012.00001.R", settings=Settings(short_names=False)) == ("131",)
    assert codes("GO.DMFA.101420.20261012.00001.R.4", settings=Settings(most_parts=3)) == ("128",)
    old = "FI.DMFA.101420.20261001.00001.R.1.1"
    assert codes(old, settings=Settings(oldest=timedelta(days=10))) == ("126",)


def test_sequence_numbers_go_from_digits_to_letters() -> None:
    assert [sequence(number) for number in (1, 99_999, 100_000, 100_010, 100_036)] == [
        "00001",
        "99999",
        "A0000",
        "A000A",
        "A0010",
    ]
    made = [sequence(number) for number in range(99_000, 103_000)]
    assert len(set(made)) == len(made)


def test_a_file_with_a_wrong_name_is_refused_and_taken_away(tmp_path: Path) -> None:
    with standing_still() as authority, connected(authority, tmp_path) as sender:
        sender.put("IN/FI.DMFA.101420.20261012.00001.R.1.1.part", b"x")
        assert sender.codes("FI.DMFA.101420.20261012.00001.R.1.1.part") == ["131"]
        assert authority.folder("IN") == {}
        assert authority.declared == ()


def test_a_file_in_the_wrong_folder_is_answered_in_the_folder_beside_it(tmp_path: Path) -> None:
    with standing_still() as authority, connected(authority, tmp_path) as sender:
        name = f"GO.DMFA.101420.{sender.day()}.00001.T.1"
        sender.put(f"IN/{name}")
        assert sender.codes(name) == ["119"]
        assert authority.folder("OUTTEST") == {}


def test_a_name_counts_once_for_ever(tmp_path: Path) -> None:
    with standing_still() as authority, connected(authority, tmp_path) as sender:
        stem = sender.stem()
        sender.declare(authority.example("DMFA"), stem=stem)
        sender.wait()
        sender.declare(authority.example("DMFA", seed=1), stem=stem)
        sender.wait()
        assert [each.codes for each in authority.declared] == [(), ("133",)]
        assert [len(authority.filed), len(authority.tested)] == [1, 0]


@pytest.mark.parametrize(("scope", "expected"), [(NameScope.PURPOSE, ()), (NameScope.DAY, ("133",))])
def test_the_scope_of_a_sequence_number_can_be_set(tmp_path: Path, scope: NameScope, expected: tuple[str, ...]) -> None:
    with standing_still(settings=Settings(name_scope=scope)) as authority, connected(authority, tmp_path) as sender:
        rest = f"101420.{sender.day()}.00001.R"
        sender.declare(authority.example("DMFA"), stem=f"DMFA.{rest}")
        sender.wait()
        sender.declare(authority.example("DIMN"), stem=f"DIMN.{rest}")
        sender.wait()
        assert authority.declared[1].codes == expected


@pytest.mark.parametrize("frees", [False, True])
def test_a_refused_name_is_burnt_unless_set_otherwise(tmp_path: Path, frees: bool) -> None:
    settings = Settings(frees_refused_names=frees)
    with standing_still(settings=settings) as authority, connected(authority, tmp_path) as sender:
        stem = sender.stem()
        sender.declare(b"no xml", stem=stem)
        sender.wait()
        sender.declare(authority.example("DMFA"), stem=stem)
        sender.wait()
        assert [each.codes for each in authority.declared] == [("102",), () if frees else ("133",)]


def test_environments_have_folders_of_their_own(tmp_path: Path) -> None:
    with standing_still() as authority, connected(authority, tmp_path) as sender:
        stems = {letter: sender.declare(authority.example("DMFA"), letter=letter) for letter in "RTS"}
        for letter, name in stems.items():
            assert sender.codes(name, letter) == []
        assert [each.circuit for each in authority.filed] == [Circuit.REAL]
        assert [each.circuit for each in authority.tested] == [Circuit.CIRCUIT_TEST, Circuit.DECLARATION_TEST]


def test_the_clock_of_the_sandbox_dates_the_answers(tmp_path: Path) -> None:
    late = noon().replace(hour=23, minute=30)
    with standing_still(at=late) as authority, connected(authority, tmp_path) as sender:
        sender.declare(authority.example("DMFA"))
        sender.wait()
        day = (late + timedelta(days=1)).strftime("%Y%m%d")
        assert set(sender.answers()) == {f"FO.{purpose}.999999.{day}.00001.R" for purpose in ("ACRF", "NOTI")}
