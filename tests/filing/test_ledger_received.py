"""What was taken from the authority is not taken twice; what leaves the ledger as a table is only text."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from govfile.errors import ConfigurationError
from govfile.filing.ledger import Received
from govfile.filing.ledger.export import safe_cell
from govfile.filing.states import Proof, State
from govfile.filing.submission import Evidence
from support.filing import claim, sha256

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from govfile import Ledger

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
FILE = Received(
    authority="skat",
    environment="test",
    login="CVR_10101010_UID_1234567890",
    remote_name="status_Udlaan_a1.zip_1.xml",
    size=412,
    modified=NOON,
    sha256=sha256("status"),
    saved_as="/srv/in/status.xml",
    at=NOON + timedelta(minutes=1),
    submission_id="0" * 32,
    what="status",
)


def listed(received: Received, **changes: Any) -> dict[str, Any]:
    names = ("authority", "environment", "login", "remote_name", "size", "modified")
    return {**{name: getattr(received, name) for name in names}, **changes}


def test_a_file_is_remembered_once_and_comes_back_whole(ledger: Ledger) -> None:
    assert not ledger.was_received(**listed(FILE))
    assert ledger.remember_received(FILE)
    assert not ledger.remember_received(FILE)
    assert ledger.was_received(**listed(FILE))
    assert list(ledger.received()) == [FILE]


@pytest.mark.parametrize(
    ("changes", "known"),
    [
        ({}, True),
        ({"modified": None}, True),
        ({"size": None}, True),
        ({"size": None, "modified": NOON + timedelta(seconds=1)}, False),
        ({"modified": NOON + timedelta(seconds=1)}, False),
        ({"size": 413}, False),
        ({"size": 2**64 - 1}, False),
        ({"remote_name": "STATUS_Udlaan_a1.zip_1.xml"}, False),
        ({"login": "CVR_10101010_UID_9999999999"}, False),
        ({"environment": "production"}, False),
    ],
)
def test_a_listed_file_is_known_by_name_size_and_time(ledger: Ledger, changes: dict[str, Any], known: bool) -> None:
    ledger.remember_received(FILE)
    assert ledger.was_received(**listed(FILE, **changes)) is known


def test_a_replaced_answer_stands_beside_the_first(ledger: Ledger) -> None:
    replaced = attrs.evolve(FILE, sha256=sha256("other"), modified=None, submission_id=None, what="unsolicited")
    assert ledger.remember_received(FILE, durable=False)
    assert ledger.remember_received(replaced)
    assert list(ledger.received()) == [FILE, replaced]
    assert list(ledger.received(what="unsolicited", login=FILE.login)) == [replaced]
    assert list(ledger.received(submission_id="0" * 32, since=NOON, limit=5)) == [FILE]
    assert list(ledger.received(until=NOON)) == []


def test_f16_a_name_that_no_database_holds_is_spelt_out_and_still_known(ledger: Ledger) -> None:
    hostile = attrs.evolve(FILE, remote_name="a\0b\udcff\r\n'; DROP TABLE govfile_received; --")
    ledger.remember_received(hostile)
    assert ledger.was_received(**listed(hostile))
    assert [found.remote_name for found in ledger.received()] == [
        "a\\x00b\\udcff\r\n'; DROP TABLE govfile_received; --"
    ]
    assert ledger.verify() == []
    assert ledger.find(authority="skat", environment="test", sender="10101010", name="\0\udcff") is None


def fill(ledger: Ledger) -> None:
    submission, _ = ledger.claim(claim("a.zip", key='=HYPERLINK("http://localhost")', again='it\'s, "meant"'))
    ledger.start(submission.id)
    ledger.record(submission.id, Evidence(proof=Proof.CONFIRMED, detail="226 Transfer complete"))
    ledger.claim(claim("-b.zip", is_dry_run=True))


def test_jsonl_holds_everything_one_object_a_line(ledger: Ledger) -> None:
    fill(ledger)
    stream = io.StringIO()
    assert ledger.export(stream) == 2
    first, second = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert (first["name"], first["state"], first["history"][2]["detail"]) == ("a.zip", "sent", "226 Transfer complete")
    assert (second["name"], second["is_dry_run"], second["verdict"]) == ("-b.zip", True, None)
    assert datetime.fromisoformat(first["created"]) == next(iter(ledger.search())).created


def test_g03_no_cell_of_the_csv_starts_a_formula(ledger: Ledger, tmp_path: Path) -> None:
    fill(ledger)
    with (tmp_path / "filings.csv").open("w", newline="") as stream:
        ledger.export(stream, format="csv")
    with (tmp_path / "filings.csv").open(newline="") as stream:
        first, second = csv.DictReader(stream)
    assert first["key"] == '\'=HYPERLINK("http://localhost")'
    assert first["again"] == 'it\'s, "meant"'
    assert (second["name"], second["state"]) == ("'-b.zip", "prepared")
    assert first["evidence"] == "server confirmed every byte: 226 Transfer complete"


@pytest.mark.parametrize(
    "text",
    [
        *("=1", "+1", "-1", "@x", "\t=1", "\r=1", "  =1", "|x", "\uff1d1", "%0A=1", "\n=1"),
        *("\0=1", "\x0b=1", "\x1f=1", "\ufeff=1", "\u200b@x", "\u3000\uff1d1", " \0 -1"),
    ],
)
def test_g03_whatever_a_spreadsheet_takes_for_a_formula_becomes_text(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize("value", ["a=1", "10101010", "", "it's"])
def test_harmless_cells_stay_as_they_are(value: str) -> None:
    assert safe_cell(value) == value
    assert (safe_cell(None), safe_cell(7), safe_cell(False)) == ("", "7", "False")


def test_an_unknown_export_is_refused(ledger: Ledger) -> None:
    with pytest.raises(ConfigurationError, match="no export as 'xls'"):
        ledger.export(io.StringIO(), format="xls")  # type: ignore[arg-type]


class Sink(io.TextIOBase):
    """Takes any amount of text and keeps none."""

    def write(self, text: str) -> int:
        return len(text)


def test_l06_memory_does_not_grow_with_the_number_of_records(open_ledger: Callable[..., Ledger]) -> None:
    ledger = open_ledger()
    peaks = []
    for upto in (1000, 4000):
        have = sum(1 for _ in ledger.search())
        for start in range(have, upto, 1000):
            ledger.claim_many([claim(f"{number}.zip") for number in range(start, start + 1000)])
        tracemalloc.start()
        assert ledger.export(Sink()) == upto  # type: ignore[arg-type]
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.3 * peaks[0]


def test_a_search_goes_on_while_others_claim(ledger: Ledger) -> None:
    ledger.claim_many([claim(f"{number}.zip") for number in range(600)])
    seen = []
    for submission in ledger.search(state=State.PREPARED):
        seen.append(submission.name)
        if len(seen) <= 3:
            ledger.claim(claim(f"late {len(seen)}.zip"))
    assert len(seen) == len(set(seen)) == 603
