"""Opening a SQLite ledger: made whole or not at all, refused untouched when it cannot be believed."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import random
import re
import sqlite3
import stat
from pathlib import Path

import pytest

from govfile import Ledger
from govfile.errors import ConfigurationError, DuplicateContent, LedgerDamaged, LedgerError, LedgerTooNew
from govfile.filing.ledger import opening
from govfile.filing.states import Proof, State
from govfile.filing.submission import Evidence, Submission
from support.filing import SCOPE, claim, set_draft

SCHEMA_1 = Path(__file__).with_name("ledger_schema_1.sql")
SCHEMA_2 = Path(__file__).with_name("ledger_schema_2.sql")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "filings.db"


def fill(path: Path, count: int = 40) -> list[Submission]:
    with Ledger.open(path) as ledger:
        ledger.claim_many([claim(f"{number}.zip") for number in range(count)])
        for submission in list(ledger.search(limit=5)):
            ledger.start(submission.id)
            ledger.record(submission.id, Evidence(proof=Proof.CONFIRMED, detail="226 Transfer complete"))
        return list(ledger.search())


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_new_ledger_says_so_and_an_old_one_does_not(path: Path) -> None:
    with Ledger.open(path) as ledger:
        assert ledger.is_new
        assert not ledger.knows_sender(**SCOPE)
        ledger.claim(claim())
    with Ledger.open(path, create=False) as ledger:
        assert not ledger.is_new
        assert ledger.knows_sender(**SCOPE)
        assert not ledger.knows_sender(**{**SCOPE, "sender": "30808460"})


def test_l07_a_ledger_that_is_gone_is_not_quietly_replaced_unless_asked_to(path: Path) -> None:
    fill(path)
    path.unlink()
    with pytest.raises(LedgerError, match="there is no ledger at"):
        Ledger.open(path, create=False)
    with Ledger.open(path) as ledger:
        assert ledger.is_new


def test_l07_names_found_at_the_authority_are_burnt(path: Path) -> None:
    with Ledger.open(path) as ledger:
        names = ["a.zip", "b.zip", "B.ZIP", "a.zip"]
        burnt = ledger.burn(**SCOPE, service="Udlaan", names=names, found="out")
        assert burnt == 2
        assert ledger.burn(**SCOPE, service="Udlaan", names=names, found="out") == 0
        assert ledger.burn(**SCOPE, service="Udlaan", names=[], found="out") == 0
        with pytest.raises(Exception, match="found in use at the authority") as refused:
            ledger.claim(claim("a.zip"))
        found = refused.value.submission  # type: ignore[attr-defined]
        assert (found.size, found.sha256, found.state) == (None, None, State.SENT)
        assert found.history[-1].evidence.detail == "found in out"
        assert ledger.start(found.id) is None
        assert ledger.verify() == []


def test_a_new_ledger_is_for_its_owner_only(path: Path) -> None:
    before = os.umask(0)
    try:
        with Ledger.open(path) as ledger:
            ledger.claim(claim())
            modes = {stat.S_IMODE(found.stat().st_mode) for found in path.parent.iterdir()}
    finally:
        os.umask(before)
    assert modes == {0o600}


def test_no_workshop_is_left_behind_and_those_of_crashes_are_cleared_away(path: Path) -> None:
    crashed = path.parent / ".filings.db.new-crashed"
    crashed.mkdir()
    (crashed / "filings.db").write_bytes(b"half")
    Ledger.open(path).close()
    assert [found.name for found in path.parent.iterdir()] == ["filings.db"]


@pytest.mark.parametrize("how", ["path", "text", "relative", "url", "odd"])
def test_a_place_is_a_path_or_a_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    monkeypatch.chdir(tmp_path)
    name = "a?b#c%20 æ'.db" if how == "odd" else "filings.db"
    absolute = tmp_path / name
    places: dict[str, str | Path] = {"path": absolute, "relative": name, "url": f"sqlite:///{absolute}"}
    place = places.get(how, str(absolute))
    with Ledger.open(place) as ledger:
        ledger.claim(claim())
    with Ledger.open(absolute, create=False) as ledger:
        assert len(list(ledger.search())) == 1


@pytest.mark.parametrize("place", ["", ":memory:", b"bytes.db", "mysql://root@localhost/filings"])
def test_what_is_no_place_for_a_ledger_is_refused(place: str) -> None:
    with pytest.raises(ConfigurationError):
        Ledger.open(place)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"not a database, but long enough to be one" * 100, "no SQLite database"),
        (b"SQLite format 3\0", "its start is damaged"),
        (b"\0" * 8192, "no SQLite database"),
    ],
)
def test_l02_a_file_that_is_no_ledger_is_refused_and_left_as_it_is(path: Path, content: bytes, words: str) -> None:
    path.write_bytes(content)
    with pytest.raises(LedgerDamaged, match=words):
        Ledger.open(path)
    assert path.read_bytes() == content
    assert list(path.parent.iterdir()) == [path]


def test_l02_another_programs_database_is_refused_and_left_as_it_is(path: Path) -> None:
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE mail (text)")
    other.commit()
    other.close()
    before = digest(path)
    with pytest.raises(LedgerDamaged, match="not a ledger of govfile"):
        Ledger.open(path)
    assert digest(path) == before


@pytest.mark.parametrize("share", [0.05, 0.3, 0.5, 0.9, 0.999])
def test_l02_a_truncated_ledger_is_refused_and_left_as_it_is(path: Path, share: float) -> None:
    fill(path, 200)
    os.truncate(path, int(path.stat().st_size * share))
    before = digest(path)
    with pytest.raises(LedgerDamaged):
        Ledger.open(path)
    assert digest(path) == before


def test_l02_no_flipped_bit_lets_a_document_be_filed_twice(path: Path) -> None:
    whole = fill(path)
    content = path.read_bytes()
    randomness = random.Random(20260302)
    refused = noticed = harmless = 0
    for _ in range(250):
        damaged = bytearray(content)
        damaged[randomness.randrange(len(content))] ^= 1 << randomness.randrange(8)
        path.write_bytes(damaged)
        try:
            ledger = Ledger.open(path)
        except (LedgerDamaged, LedgerTooNew):
            refused += 1
            continue
        with ledger:
            try:
                again = [ledger.claim(claim(submission.name)) for submission in whole]
            except LedgerError as error:  # damaged, or, by the header's byte that forbids writing, read-only
                noticed += 1
                sound = ledger.verify() == []
                assert not (sound and isinstance(error, LedgerDamaged))  # noqa: PT017 - not every turn raises
            else:
                harmless += 1
                assert again == [(submission, False) for submission in whole]
    print(f"{refused} refused when opened, {noticed} noticed when read, {harmless} in unused bytes")
    assert refused > 0
    assert noticed > 0


def test_l02_a_flipped_bit_in_a_big_ledger_is_noticed_when_its_record_is_read(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "CHECKED_WHEN_OPENED", 0)
    fill(path)
    content = bytearray(path.read_bytes())
    found = content.index(b"226 Transfer complete")
    content[found] ^= 1
    path.write_bytes(content)
    with Ledger.open(path) as ledger:
        with pytest.raises(LedgerDamaged, match="does not fit its checksum"):
            list(ledger.search())
        assert len(ledger.verify()) == 1


def test_l02_a_record_changed_behind_our_back_is_found_by_verify(path: Path) -> None:
    submissions = fill(path)
    other = sqlite3.connect(path)
    other.execute("UPDATE govfile_submission SET state = 'prepared' WHERE id = ?", (submissions[0].id,))
    other.commit()
    other.close()
    with Ledger.open(path) as ledger:
        assert [finding.submission_id for finding in ledger.verify()] == [submissions[0].id]
        assert "checksum" in str(ledger.verify()[0])
        with pytest.raises(LedgerDamaged):
            ledger.start(submissions[0].id)


def test_a_damaged_index_of_names_does_not_hide_that_a_document_was_filed(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "CHECKED_WHEN_OPENED", 0)
    whole = fill(path, 3)
    content = path.read_bytes()
    # The name stands in the record twice (name and folded) and once more in the index of names.
    places = [match.start() for match in re.finditer(re.escape(b"101010100.zip"), content)]
    assert len(places) == 1, "the index holds sender and folded name side by side"
    path.write_bytes(content[: places[0] + 8] + b"X" + content[places[0] + 9 :])
    with Ledger.open(path) as ledger:
        assert ledger.verify() != []
        try:
            found, is_new = ledger.claim(claim("0.zip"))
        except (LedgerDamaged, DuplicateContent):
            return
        assert (found.id, is_new) == (whole[0].id, False)


@pytest.mark.parametrize("kind", ["symlink", "dangling", "folder", "pipe"])
def test_l08_a_path_that_somebody_could_turn_elsewhere_is_refused(path: Path, kind: str) -> None:
    target = path.with_name("elsewhere.db")
    if kind == "symlink":
        Ledger.open(target).close()
    if kind in ("symlink", "dangling"):
        path.symlink_to(target)
    elif kind == "folder":
        path.mkdir()
    else:
        os.mkfifo(path)
    with pytest.raises(ConfigurationError, match=r"symbolic link|not a regular file"):
        Ledger.open(path)
    assert target.exists() == (kind == "symlink")


def test_l08_a_folder_or_file_that_everybody_may_write_is_refused(path: Path) -> None:
    path.parent.chmod(0o777)
    with pytest.raises(ConfigurationError, match="everybody may write to"):
        Ledger.open(path)
    path.parent.chmod(0o1777)
    Ledger.open(path).close()
    path.chmod(0o666)
    with pytest.raises(ConfigurationError, match="everybody may write to the ledger"):
        Ledger.open(path)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match=r"nowhere cannot be used"):
        Ledger.open(tmp_path / "nowhere" / "filings.db")


def _as_schema(path: Path, script: Path) -> None:
    old = sqlite3.connect(path)
    old.executescript(script.read_text())
    old.execute("PRAGMA application_id = 1735812716")
    old.execute("PRAGMA journal_mode = WAL")
    old.close()
    path.chmod(0o600)


def test_l05_a_ledger_of_schema_1_is_migrated_and_a_copy_kept(path: Path) -> None:
    _as_schema(path, SCHEMA_1)
    with Ledger.open(path) as ledger:
        first, second = ledger.search()
        assert (first.name, first.state, len(first.history)) == ("10101010_2025_a1.zip", State.SENT, 3)
        assert (second.name, second.state) == ("10101010_2025_a2.zip", State.PREPARED)
        assert not ledger.was_received(
            authority="skat", environment="test", login="CVR_10101010_UID_1", remote_name="status.xml", size=1
        )
        assert ledger.start(second.id) is not None
        assert ledger.verify() == []
    (copy,) = path.parent.glob("filings.db.schema1-*")
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    kept = sqlite3.connect(copy)
    assert kept.execute("SELECT value FROM govfile_about").fetchall() == [("1",)]
    assert kept.execute("SELECT count(*) FROM govfile_submission").fetchall() == [(2,)]
    kept.close()


def test_l05_a_ledger_of_schema_2_is_migrated_and_knows_sets(path: Path) -> None:
    _as_schema(path, SCHEMA_2)
    with Ledger.open(path) as ledger:
        first, second = ledger.search()
        assert (first.state, first.answers[0].remote_name) == (State.ANSWERED, "Udlaan_SvarFil_10101010_2025_a1.xml")
        assert first.remote_names == ("10101010_2025_a1.zip",)
        assert (second.state, ledger.parts(second.id), ledger.kept(second.id)) == (State.PREPARED, (), {})
        assert len(list(ledger.received())) == 1
        made, is_ours = ledger.claim_set(set_draft(b"<a/>"))
        assert is_ours
        assert made.remote_names == ("FI.00001", "FS.00001", "GO.00001")
        assert ledger.verify() == []
    (copy,) = path.parent.glob("filings.db.schema2-*")
    kept = sqlite3.connect(copy)
    assert kept.execute("SELECT value FROM govfile_about").fetchall() == [("2",)]
    kept.close()


@pytest.mark.parametrize("script", [SCHEMA_1, SCHEMA_2], ids=lambda path: path.stem)
def test_l05_a_migrated_ledger_has_the_schema_of_a_new_one(path: Path, script: Path) -> None:
    """The order of columns apart: SQLite adds new ones at the end."""
    _as_schema(path, script)
    fresh = path.with_name("fresh.db")
    for place in (path, fresh):
        Ledger.open(place).close()
    schemas = []
    for place in (path, fresh):
        connection = sqlite3.connect(place)
        rows = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name").fetchall()
        columns = {
            row[1]: sorted(column[1:] for column in connection.execute(f"PRAGMA table_info({row[1]})"))
            for row in rows
            if row[0] == "table"
        }
        others = [(*row[:3], re.sub(r"\s+", " ", row[3] or "")) for row in rows if row[0] != "table"]
        schemas.append((columns, others))
        connection.close()
    assert schemas[0] == schemas[1]


def test_l05_a_ledger_of_the_future_is_refused_and_left_as_it_is(path: Path) -> None:
    Ledger.open(path).close()
    newer = sqlite3.connect(path)
    newer.execute("UPDATE govfile_about SET value = '99'")
    newer.commit()
    newer.close()
    before = digest(path)
    with pytest.raises(LedgerTooNew, match="schema 99"):
        Ledger.open(path)
    assert digest(path) == before
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("value", ["", "two", "0", "-1"])
def test_a_ledger_that_does_not_know_its_version_is_refused(path: Path, value: str) -> None:
    Ledger.open(path).close()
    other = sqlite3.connect(path)
    other.execute("UPDATE govfile_about SET value = ?", (value,))
    other.commit()
    other.close()
    with pytest.raises(LedgerDamaged, match="which version"):
        Ledger.open(path)


def _open_and_claim(place: str, number: int, results: multiprocessing.Queue[tuple[bool, bool]]) -> None:
    with Ledger.open(place) as ledger:
        results.put((ledger.is_new, ledger.claim(claim("one.zip"))[1]))


def test_many_creators_agree_on_one_ledger(path: Path) -> None:
    context = multiprocessing.get_context("fork")
    results: multiprocessing.Queue[tuple[bool, bool]] = context.Queue()
    children = [context.Process(target=_open_and_claim, args=(str(path), number, results)) for number in range(12)]
    for child in children:
        child.start()
    found = [results.get(timeout=60) for _ in children]
    for child in children:
        child.join()
    assert [is_new for is_new, _ in found].count(True) == 1
    assert [won for _, won in found].count(True) == 1
