"""L-06: ten years of names. What is old and final moves to a file; names and digests stay, and refuse for ever."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from govfile import Ledger
from govfile.errors import ConfigurationError, DuplicateContent, DuplicateName, LedgerDamaged, LedgerError, Rejected
from govfile.filing.ledger import archive as archiving
from govfile.filing.ledger import places
from govfile.filing.ledger.export import as_dict
from govfile.filing.states import Proof, State, Verdict
from govfile.filing.submission import Answer, Evidence
from support.filing import SCOPE, claim, sha256
from support.killing import Call, assert_most_were_killed, run_and_kill, trace

if TYPE_CHECKING:
    from collections.abc import Callable

    from govfile.filing.submission import Submission

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LATER = NOON + timedelta(days=400)


def finished(ledger: Ledger, name: str, proof: Proof = Proof.ANSWERED, at: datetime = NOON) -> Submission:
    """A filing with all a record can hold."""
    made, _ = ledger.claim(claim(name, source_path=f"/srv/out/{name}"))
    ledger.start(made.id)
    ledger.record(made.id, Evidence(proof=Proof.CONFIRMED, detail="226 Transfer complete"), at=at)
    source = Evidence(
        proof=proof,
        detail="the list of accounts is empty" if proof is Proof.REFUSED else "",
        code="ERR_7" if proof is Proof.REFUSED else "",
        source=f"status_{name}_1.xml",
        source_sha256=sha256(name),
        saved_as=f"/srv/in/status_{name}_1.xml",
    )
    answer = Answer(
        path=Path("/srv/in/answer.xml"), remote_name="answer.xml", size=12, sha256=sha256("answer"), received_at=at
    )
    verdict = Verdict.REJECTED if proof is Proof.REFUSED else Verdict.MIXED
    return ledger.record(made.id, source, at=at, verdict=verdict, answers=[answer])


@pytest.fixture
def old(open_ledger: Callable[..., Ledger]) -> Ledger:
    return open_ledger(clock=lambda: NOON - timedelta(days=1))


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_l06_full_records_move_to_the_file_and_names_and_digests_stay(old: Ledger, tmp_path: Path) -> None:
    answered, refused = finished(old, "a.zip"), finished(old, "b.zip", Proof.REFUSED)
    into = tmp_path / "archive.jsonl"
    assert old.archive(LATER, into) == 2
    assert lines(into) == [json.loads(json.dumps(as_dict(full))) for full in (answered, refused)]
    assert into.stat().st_mode & 0o777 == 0o600
    slim = old.get(answered.id)
    assert slim.archived == str(into)
    assert (slim.name, slim.sha256, slim.size, slim.state, slim.verdict) == (
        "a.zip",
        answered.sha256,
        answered.size,
        State.ANSWERED,
        Verdict.MIXED,
    )
    assert (slim.answers, slim.source_path, slim.certificate) == ((), None, "")
    assert [event.at for event in slim.history] == [event.at for event in answered.history]
    assert not any(event.evidence.detail or event.evidence.saved_as for event in slim.history)
    assert old.verify() == []
    assert old.find(**SCOPE, name="a.zip") == slim


def test_l06_archived_names_and_contents_are_refused_for_ever(
    old: Ledger, open_ledger: Callable[..., Ledger], tmp_path: Path
) -> None:
    filed = finished(old, "a.zip")
    old.archive(LATER, tmp_path / "archive.jsonl")
    ledger = open_ledger()
    with pytest.raises(DuplicateName):
        ledger.claim(claim("A.zip", "other content"))
    with pytest.raises(DuplicateContent) as refused:
        ledger.claim(claim("new.zip", "content of a.zip"))
    assert refused.value.submission == ledger.get(filed.id)
    again, is_ours = ledger.claim(claim("a.zip"))
    assert (again.id, is_ours) == (filed.id, False)
    assert ledger.start(filed.id) is None


def test_l06_an_archived_refusal_still_says_why(old: Ledger, tmp_path: Path) -> None:
    refused = finished(old, "b.zip", Proof.REFUSED)
    old.archive(LATER, tmp_path / "archive.jsonl")
    with pytest.raises(Rejected, match="ERR_7") as why:
        old.get(refused.id).raise_for_rejection()
    assert why.value.text == "the list of accounts is empty"


def test_l06_what_is_young_or_not_final_stays_whole(old: Ledger, tmp_path: Path) -> None:
    heard_lately = finished(old, "late.zip", at=LATER)
    sent, _ = old.claim(claim("sent.zip"))
    old.start(sent.id)
    into = tmp_path / "archive.jsonl"
    assert old.archive(LATER, into) == 0
    assert not into.exists(), "no file for nothing"
    assert old.get(heard_lately.id) == heard_lately


def test_l06_late_word_is_still_recorded(old: Ledger, open_ledger: Callable[..., Ledger], tmp_path: Path) -> None:
    filed = finished(old, "a.zip")
    other = open_ledger()
    held = other.get(filed.id)
    old.archive(LATER, tmp_path / "archive.jsonl")
    for ledger in (old, other):
        after = ledger.record(filed.id, Evidence(proof=Proof.TAKEN, source="status_2.xml", source_sha256=sha256("2")))
        assert (after.state, after.archived) == (State.ANSWERED, str(tmp_path / "archive.jsonl"))
    assert len(after.history) == len(held.history) + 1, "the same file counts once"
    assert old.verify() == []
    assert old.archive(LATER + timedelta(days=999), tmp_path / "second.jsonl") == 0


def test_l06_a_file_is_never_replaced(old: Ledger, tmp_path: Path) -> None:
    filed = finished(old, "a.zip")
    into = tmp_path / "archive.jsonl"
    into.write_text("somebody's")
    with pytest.raises(ConfigurationError, match="already"):
        old.archive(LATER, into)
    assert into.read_text() == "somebody's"
    assert old.get(filed.id) == filed


def test_l06_a_folder_that_is_not_there_changes_nothing(old: Ledger, tmp_path: Path) -> None:
    filed = finished(old, "a.zip")
    with pytest.raises(LedgerError, match="folder"):
        old.archive(LATER, tmp_path / "missing" / "archive.jsonl")
    assert old.get(filed.id) == filed


def test_l06_what_changed_since_it_was_written_out_stays_whole(
    old: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed, same = finished(old, "a.zip"), finished(old, "b.zip")
    real = archiving._written

    def written(into: Path) -> Any:
        old.record(changed.id, Evidence(proof=Proof.NOTED, detail="a late word"))
        return real(into)

    monkeypatch.setattr(archiving, "_written", written)
    assert old.archive(LATER, tmp_path / "archive.jsonl") == 1
    assert old.get(changed.id).archived is None
    assert old.get(same.id).archived is not None
    assert old.verify() == []


def test_l06_rows_stay_whole_when_the_file_cannot_be_read_back(
    old: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filed = finished(old, "a.zip")
    into = tmp_path / "archive.jsonl"
    real = places.create

    def spoilt(path: Path, build: Callable[[Path], None], *, what: str) -> bool:
        made = real(path, build, what=what)
        path.write_text(path.read_text()[:100])
        return made

    monkeypatch.setattr(places, "create", spoilt)
    with pytest.raises(LedgerDamaged, match="line 1"):
        old.archive(LATER, into)
    assert old.get(filed.id) == filed


def _killed_and_checked(folder: Path, model: Path, call: Call) -> bool:
    shutil.copytree(model, folder)
    place, into = folder / "filings.db", folder / "archive.jsonl"
    was_killed, _ = run_and_kill(["-m", "support.archive_steps", str(place), str(into)], call)
    with Ledger.open(place, create=False) as ledger:
        assert ledger.verify() == []
        full = {record["id"] for record in lines(into)} if into.exists() else set()
        for submission in ledger.search():
            assert submission.archived is None or submission.id in full
        assert len(list(ledger.search(state=State.ANSWERED))) == 5
        left = sum(submission.archived is None for submission in ledger.search())
        assert ledger.archive(datetime(2100, 1, 1, tzinfo=UTC), folder / "rest.jsonl") == left
        assert all(submission.archived for submission in ledger.search())
    shutil.rmtree(folder)
    return was_killed


@pytest.mark.slow
def test_l06_killed_at_any_call_no_record_is_in_neither_place(tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.mkdir()
    with Ledger.open(model / "filings.db", clock=lambda: NOON) as ledger:
        for number in range(5):
            finished(ledger, f"{number}.zip")
    shutil.copytree(model, tmp_path / "traced")
    places = [str(tmp_path / "traced" / name) for name in ("filings.db", "archive.jsonl")]
    calls, output = trace(["-m", "support.archive_steps", *places], tmp_path / "calls")
    assert output == "opened\n5\n"
    with ThreadPoolExecutor(2) as pool:
        folders = [tmp_path / f"{call.name}-{call.number}" for call in calls]
        killed = list(
            pool.map(lambda given: _killed_and_checked(given[0], model, given[1]), zip(folders, calls, strict=True))
        )
    assert_most_were_killed(killed)
