"""`govfile ledger`: the record, for people and for programs."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from govfile.filing.claim import Claim
from govfile.filing.ledger import Ledger
from govfile.filing.states import Proof
from govfile.filing.submission import Evidence
from support.cli import command, run, spawn
from support.small_disks import small_disk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def _claim(name: str, service: str = "Udlaan") -> Claim:
    digest = name.encode().hex().ljust(64, "0")[:64]
    return Claim(
        authority="skat",
        environment="test",
        sender="10101010",
        service=service,
        name=name,
        size=7,
        sha256=digest,
        filed_by="CVR_10101010_UID_1",
    )


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A profile whose ledger holds three filings, one hour apart: refused, sent and prepared."""
    moments: Iterator[datetime] = (START + timedelta(hours=number) for number in range(100))
    with Ledger.open(tmp_path / "filings.db", clock=lambda: next(moments)) as ledger:
        for name, service in (("refused.zip", "Udlaan"), ("sent.zip", "Udlaan"), ("waiting.zip", "Indlaan")):
            filed, _ = ledger.claim(_claim(name, service))
            if name != "waiting.zip":
                ledger.start(filed.id)
                ledger.record(filed.id, Evidence(proof=Proof.CONFIRMED, detail="226 Transfer complete."))
            if name == "refused.zip":
                refusal = Evidence(proof=Proof.REFUSED, code="SOME_CODE", detail="\x1b[31m=cmd|'/c calc'!A1")
                ledger.record(filed.id, refusal)
    file = tmp_path / "govfile.toml"
    file.write_text('[profiles.default]\nenvironment = "test"\nledger = "filings.db"\n')
    file.chmod(0o600)
    return file


def test_list_filters_and_prints_one_record_a_line(config: Path) -> None:
    everything = run("ledger", "list", "--config", config, "--json")
    assert everything.code == 0, everything.err
    assert [record["name"] for record in everything.records] == ["refused.zip", "sent.zip", "waiting.zip"]
    assert {record["schema"] for record in everything.records} == {1}
    assert everything.records[0]["code"] == "SOME_CODE"
    for options, names in (
        (["--state", "sent"], ["sent.zip"]),
        (["--service", "Indlaan"], ["waiting.zip"]),
        (["--sender", "19552101"], []),
        (["--environment", "production"], []),
        (["--limit", "1"], ["refused.zip"]),
        (["--since", everything.records[1]["created"]], ["sent.zip", "waiting.zip"]),
        (["--until", everything.records[1]["created"].replace("+00:00", "")], ["refused.zip"]),
    ):
        found = run("ledger", "list", "--config", config, "--json", *options)
        assert [record["name"] for record in found.records] == names, options


def test_list_for_people_is_a_plain_table_where_nobody_watches(config: Path) -> None:
    found = run("ledger", "list", "--config", config)
    assert found.out.splitlines()[0].startswith("created")
    assert found.out.splitlines()[-1] == "3 filings"
    assert "\x1b" not in found.out


def test_g02_show_prints_the_history_with_the_authoritys_words_escaped(config: Path) -> None:
    found = run("ledger", "show", "refused.zip", "--config", config)
    assert found.code == 0
    assert "refused by the authority [SOME_CODE]: \\x1b[31m=cmd" in found.out
    assert "\x1b" not in found.out
    events = run("ledger", "show", "refused.zip", "--config", config, "--json").kind("event")
    assert [event["proof"] for event in events] == ["claimed", "started", "confirmed", "refused"]
    by_id = run("ledger", "show", events[0]["submission"], "--config", config, "--json")
    assert by_id.kind("submission")[0]["name"] == "refused.zip"


def test_show_says_what_is_not_there(config: Path) -> None:
    found = run("ledger", "show", "other.zip", "--config", config)
    assert (found.code, found.out) == (2, "")
    assert "knows no filing other.zip" in found.err


def test_export_writes_json_lines_and_csv_safe_for_a_spreadsheet(config: Path, tmp_path: Path) -> None:
    lines = run("ledger", "export", "--config", config)
    assert [json.loads(line)["name"] for line in lines.out.splitlines()] == ["refused.zip", "sent.zip", "waiting.zip"]
    to_file = run("ledger", "export", tmp_path / "all.csv", "--csv", "--config", config)
    assert to_file.code == 0, to_file.err
    text = (tmp_path / "all.csv").read_text()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["name"] for row in rows] == ["refused.zip", "sent.zip", "waiting.zip"]
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values() if cell)
    again = run("ledger", "export", tmp_path / "all.csv", "--csv", "--config", config)
    assert again.code == 2
    assert (tmp_path / "all.csv").read_text() == text


def test_half_an_export_is_not_left_behind(config: Path, tmp_path: Path) -> None:
    place = tmp_path / "filings.db"
    place.write_bytes(place.read_bytes().replace(b"waiting.zip", b"waitinG.zip"))
    damaged = run("ledger", "export", tmp_path / "all.jsonl", "--config", config)
    assert damaged.code == 8
    assert not (tmp_path / "all.jsonl").exists()


def test_an_export_to_a_full_disk_says_so_and_leaves_nothing(config: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", 4096) as full:
        (full / "rest").write_bytes(b"x" * 4096)
        found = run("ledger", "export", full / "all.jsonl", "--config", config)
        assert [file.name for file in full.iterdir()] == ["rest"]
    assert found.code == 2
    assert "No space left" in found.err
    assert "make room" in found.err


def test_csv_is_kept_from_where_json_was_asked_for(config: Path) -> None:
    found = run("ledger", "export", "--csv", "--json", "--config", config)
    assert (found.code, [record["kind"] for record in found.records]) == (2, ["error"])


def test_verify_is_quiet_about_a_sound_ledger_and_exits_8_for_a_damaged_one(config: Path, tmp_path: Path) -> None:
    sound = run("ledger", "verify", "--config", config)
    assert (sound.code, sound.out) == (0, "the ledger is sound\n")
    place = tmp_path / "filings.db"
    content = place.read_bytes()
    assert content.count(b"waiting.zip")
    place.write_bytes(content.replace(b"waiting.zip", b"waitinG.zip"))
    damaged = run("ledger", "verify", "--config", config)
    assert damaged.code == 8
    place.write_bytes(b"not a ledger at all" * 1000)
    foreign = run("ledger", "verify", "--config", config)
    assert foreign.code == 8
    assert "Traceback" not in foreign.err


def test_a_missing_ledger_is_not_made_by_looking(config: Path, tmp_path: Path) -> None:
    (tmp_path / "filings.db").rename(tmp_path / "elsewhere.db")
    found = run("ledger", "list", "--config", config)
    assert found.code == 8
    assert "there is no ledger" in found.err
    assert not (tmp_path / "filings.db").exists()


def test_a_wrong_time_is_a_usage_error(config: Path) -> None:
    found = run("ledger", "list", "--config", config, "--since", "yesterday")
    assert found.code == 2
    assert "--since yesterday is no date or time" in found.err


def test_the_configuration_may_come_from_the_environment(config: Path, tmp_path: Path) -> None:
    found = spawn("ledger", "list", "--json", cwd=tmp_path, env={"GOVFILE_CONFIG": str(config)})
    assert (found.code, len(found.records)) == (0, 3)


def test_a_reader_that_goes_away_is_no_error(config: Path, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as gone:
        ended = subprocess.run(
            command("ledger", "list", "--config", config), stdout=gone, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_l06_archive_moves_what_is_finished_and_says_where_it_is(config: Path, tmp_path: Path) -> None:
    into = tmp_path / "2026.jsonl"
    done = run("ledger", "archive", into, "--before", "2027-01-01", "--config", config, "--json")
    assert (done.code, done.records) == (0, [{"schema": 1, "kind": "archive", "path": str(into), "filings": 1}])
    assert [json.loads(line)["name"] for line in into.read_text().splitlines()] == ["refused.zip"]
    assert str(into) in run("ledger", "show", "refused.zip", "--config", config).out.replace("\n", "")
    assert run("ledger", "verify", "--config", config).code == 0
    again = run("ledger", "archive", into, "--before", "2027-01-01", "--config", config)
    assert again.code == 2
    nothing = run("ledger", "archive", tmp_path / "none.jsonl", "--before", "2027-01-01", "--config", config)
    assert (nothing.code, nothing.out) == (0, "nothing to archive\n")
    assert not (tmp_path / "none.jsonl").exists()
