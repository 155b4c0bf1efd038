"""`govfile skat` against a real gateway on loopback: each outcome has its exit code, and nothing is filed twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from govfile.filing.ledger import Ledger
from govfile.sandbox.skat import CertificateKind, LinkLoss
from support.cli import Result, run
from support.sandboxed import Desk, desk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def skat(tmp_path: Path) -> Iterator[Desk]:
    with desk(tmp_path) as found:
        yield found


def _skat(skat: Desk, *arguments: object) -> Result:
    return run("skat", *arguments, "--config", skat.config, "--json")


def _submit(skat: Desk, *files: object, service: str = "Udlaan") -> Result:
    return _skat(skat, "submit", *files, "--service", service)


def _summary(found: Result) -> dict[str, object]:
    (summary,) = found.kind("summary")
    assert summary["exit"] == found.code
    return {key: value for key, value in summary.items() if key not in ("schema", "kind", "exit")}


def _counts(filed: int = 0, before: int = 0, failed: int = 0, untried: int = 0) -> dict[str, object]:
    return {"filed": filed, "before": before, "failed": failed, "untried": untried}


def test_one_bad_file_never_stops_the_others(skat: Desk) -> None:
    good = [skat.write(seed=seed) for seed in (1, 2, 3)]
    (skat.folder / "10101010_2025_aaaa.zip").write_bytes(b"no zip at all")
    (skat.folder / "10101010_2025_bbbb.zip").write_bytes(b"")
    found = _submit(skat, skat.folder / "none.zip", skat.folder / "1*.zip", skat.folder / "*.xyz", skat.folder)
    assert found.code == 2
    assert _summary(found) == _counts(filed=3, failed=5)
    assert {error["type"] for error in found.kind("error")} == {"InvalidContent"}
    assert sorted(arrival.name for arrival in skat.authority.filed) == sorted(path.name for path in good)
    assert {one["about"]: one["state"] for one in found.kind("submission")} == {str(path): "sent" for path in good}


@pytest.mark.parametrize("connections", [1, 2])
def test_a_file_named_twice_is_filed_and_counted_once(skat: Desk, connections: int) -> None:
    path = skat.write(seed=1)
    found = _submit(skat, path, skat.folder / "*.zip", "--connections", connections)
    assert (found.code, _summary(found)) == (0, _counts(filed=1, before=1))
    assert len(skat.authority.arrived) == 1


@pytest.mark.parametrize("connections", [1, 2])
def test_one_file_goes_under_the_name_that_was_given(skat: Desk, connections: int) -> None:
    name = "10101010_2025_named.zip"
    assert _submit(skat, skat.write(seed=1), "--name", name, "--connections", connections).code == 0
    assert [arrival.name for arrival in skat.authority.arrived] == [name]


def test_the_same_command_again_sends_nothing(skat: Desk) -> None:
    for seed in (1, 2):
        skat.write(seed=seed)
    assert _submit(skat, skat.folder / "*.zip").code == 0
    heard = len(skat.authority.arrived)
    again = _submit(skat, skat.folder / "*.zip")
    assert (again.code, _summary(again)) == (0, _counts(before=2))
    assert len(skat.authority.arrived) == heard == 2


def test_f17_parallel_connections_file_each_once(skat: Desk) -> None:
    for seed in range(12):
        skat.write(seed=seed)
    (skat.folder / "10101010_2025_zzzz.zip").write_bytes(b"no zip at all")
    found = run(
        "skat", "submit", skat.folder / "*.zip", "--service", "Udlaan", "--connections", 3, "--config", skat.config,
        "--json",
    )  # fmt: skip
    assert found.code == 2
    assert _summary(found) == _counts(filed=12, failed=1)
    assert len(skat.authority.filed) == len({arrival.name for arrival in skat.authority.filed}) == 12


def test_names_keys_reasons_and_dry_runs_are_passed_on(skat: Desk) -> None:
    path = skat.write(seed=1)
    tried = _skat(skat, "submit", path, "--service", "Udlaan", "--dry-run")
    assert tried.code == 0
    assert tried.kind("submission")[0]["is_dry_run"] is True
    assert (len(skat.authority.validated), len(skat.authority.filed)) == (1, 0)
    first = _skat(skat, "submit", path, "--service", "Udlaan", "--name", "10101010_2025_x1.zip")
    twice = _skat(skat, "submit", path, "--service", "Udlaan", "--name", "10101010_2025_x2.zip")
    meant = _skat(skat, "submit", path, "--service", "Udlaan", "--name", "10101010_2025_x2.zip", "--again", "lost it")
    keyed = _skat(skat, "submit", path, "--service", "Udlaan", "--name", "10101010_2025_x3.zip", "--key", "q3")
    assert [one.code for one in (first, twice, meant, keyed)] == [0, 7, 0, 0]
    assert twice.kind("error")[0]["submission"] == first.kind("submission")[0]["id"]
    assert meant.kind("submission")[0]["again"] == "lost it"
    assert keyed.kind("submission")[0]["key"] == "q3"
    several = _skat(skat, "submit", path, path, "--service", "Udlaan", "--name", "10101010_2025_x4.zip")
    assert several.code == 2
    assert sorted(arrival.name[-6:] for arrival in skat.authority.filed) == ["x1.zip", "x2.zip", "x3.zip"]


def test_f09_a_lost_link_exits_with_4_and_nothing_is_sent_again(skat: Desk) -> None:
    path = skat.write(seed=1)
    with skat.authority.faults.during(link_loss=LinkLoss.AFTER_DATA_KEPT):
        lost = _submit(skat, path)
    assert lost.code == 4
    assert lost.kind("error")[0]["type"] == "OutcomeUnknown"
    heard = len(skat.authority.arrived)
    again = _submit(skat, path)
    assert (again.code, _summary(again)) == (4, _counts(before=1))
    assert _skat(skat, "status", path.name).code == 4
    assert len(skat.authority.arrived) == heard == 1
    settled = _skat(skat, "watch", "--timeout", 20)
    assert settled.code == 0
    assert settled.kind("submission")[-1]["state"] == "answered"


def test_the_worst_of_a_mixture_is_the_exit_code(skat: Desk) -> None:
    first, second = skat.write(seed=1), skat.write(seed=2)
    (skat.folder / "bad.zip").write_bytes(b"no zip")
    with skat.authority.faults.during(link_loss=LinkLoss.AFTER_DATA_LOST):
        assert _submit(skat, first).code == 4
    found = _submit(skat, first, second, skat.folder / "bad.zip")
    assert (found.code, _summary(found)) == (4, _counts(filed=1, before=1, failed=1))


def test_f06_a_refused_login_is_tried_once_and_the_rest_is_left(skat: Desk) -> None:
    paths = [skat.write(seed=seed) for seed in (1, 2, 3)]
    skat.papers.password.write_text("not the password, 2")
    found = _submit(skat, *paths)
    assert (found.code, _summary(found)) == (5, _counts(failed=1, untried=2))
    assert found.kind("error")[0]["type"] == "AuthenticationRefused"
    assert [one["about"] for one in found.kind("untried")] == [str(path) for path in paths[1:]]
    assert sum(command.startswith("PASS") for command in skat.authority.commands) == 1


def test_f01_a_gateway_out_of_reach_exits_with_6_and_resume_sends_later(skat: Desk) -> None:
    paths = [skat.write(seed=seed) for seed in range(5)]
    assert _submit(skat, paths[0]).code == 0  # so that the ledger knows the company
    port = skat.authority.port
    skat.authority.stop()
    found = _submit(skat, *paths[1:])
    assert (found.code, _summary(found)) == (6, _counts(failed=3, untried=1))
    skat.authority.start()
    skat.change(f"port = {port}", f"port = {skat.authority.port}")
    resumed = _skat(skat, "resume")
    assert (resumed.code, _summary(resumed)) == (0, {"resumed": 3})
    assert len(skat.authority.filed) == 4
    assert len({arrival.name for arrival in skat.authority.filed}) == 4


def test_f20_a_service_that_is_not_visible_exits_with_3_and_lists_what_is(skat: Desk) -> None:
    skat.use(skat.authority.register(CertificateKind.OCES2_COMPANY, services=["Indlaan"]))
    found = _submit(skat, skat.write(seed=1), skat.write(seed=2))
    assert (found.code, _summary(found)) == (3, _counts(failed=1, untried=1))
    assert "visible: Indlaan" in found.kind("error")[0]["what"]
    assert [one["name"] for one in _skat(skat, "services").kind("service")] == ["Indlaan"]


def test_l02_a_damaged_ledger_exits_with_8_before_anything_is_sent(skat: Desk) -> None:
    (skat.folder / "filings.db").write_bytes(b"no ledger" * 1000)
    found = _submit(skat, skat.write(seed=1))
    assert found.code == 8
    assert not skat.authority.commands
    assert (skat.folder / "filings.db").read_bytes() == b"no ledger" * 1000


def test_a_refusal_is_code_3_when_it_is_collected_and_ever_after(skat: Desk) -> None:
    path = skat.write(seed=1)
    with skat.authority.faults.during(refuse_with="[bold red]SOME_CODE[/]"):
        assert _submit(skat, path).code == 0
        watched = _skat(skat, "watch", "--timeout", 20)
    assert watched.code == 3
    assert watched.kind("submission")[0]["code"] == "[bold red]SOME_CODE[/]"
    plain = run("skat", "status", path.name, "--config", skat.config)
    assert plain.code == 3
    assert "[[bold red]SOME_CODE[/]]" in plain.out
    again = _submit(skat, path)
    assert (again.code, _summary(again)) == (3, _counts(before=1))


def test_collect_keeps_everything_and_removes_only_when_asked(skat: Desk) -> None:
    path = skat.write(seed=1)
    assert _submit(skat, path).code == 0
    assert _skat(skat, "watch", "--timeout", 20).code == 0
    skat.authority.put(skat.authority.identity, "nobody asked.txt", b"for this")
    found = _skat(skat, "collect")
    assert found.code == 0
    (file,) = found.kind("unsolicited")
    assert file["remote_name"] == "nobody asked.txt"
    assert skat.authority.out(skat.authority.identity)
    nothing = _skat(skat, "collect", "--into", skat.folder / "answers")
    assert _summary(nothing)["unsolicited"] == 0
    skat.authority.put(skat.authority.identity, "another.txt", b"answer")
    deleted = _skat(skat, "collect", "--delete")
    assert _summary(deleted)["removed"] == 1
    left = skat.authority.out(skat.authority.identity)
    assert "nobody asked.txt" in left
    assert "another.txt" not in left
    assert (skat.folder / "answers" / "another.txt").read_bytes() == b"answer"


def test_g02_names_and_texts_of_the_gateway_are_printed_escaped(skat: Desk) -> None:
    skat.authority.put(skat.authority.identity, "x\u202egnp.txt", b"text")
    assert _skat(skat, "rebuild").code == 0  # a ledger
    found = run("skat", "collect", "--config", skat.config)
    assert found.code == 0
    assert "\u202e" not in found.out + found.err


def test_a_missing_ledger_is_an_alarm_and_made_by_filing_alone(skat: Desk) -> None:
    assert _skat(skat, "services").code == 0
    for looking in ("collect", "resume", "status", "watch"):
        assert _skat(skat, looking).code == 8, looking
    assert not (skat.folder / "filings.db").exists()
    assert _submit(skat, skat.write()).code == 0
    assert _skat(skat, "collect").code == 0


def test_watch_gives_up_with_10_and_silence_is_no_failure(skat: Desk) -> None:
    path = skat.write(seed=1)
    assert _submit(skat, path).code == 0
    with skat.authority.faults.during(lose_files=True):
        other = skat.write(seed=2)
        assert _submit(skat, other).code == 0
    found = _skat(skat, "watch", "--timeout", 1.5)
    assert (found.code, _summary(found)) == (10, {"there": 1, "waiting": 1})
    assert found.err == ""
    named = _skat(skat, "watch", path.name, "--until", "delivered", "--timeout", 0)
    assert named.code == 0


def test_what_never_left_is_not_a_success(skat: Desk) -> None:
    path = skat.write(seed=1)
    assert _submit(skat, skat.write(seed=2)).code == 0
    skat.authority.stop()
    assert _submit(skat, path).code == 6
    listed = run("ledger", "list", "--state", "prepared", "--config", skat.config, "--json")
    assert [one["name"] for one in listed.records] == [path.name]


def test_settle_needs_a_side_and_a_reason(skat: Desk) -> None:
    path = skat.write(seed=1)
    with skat.authority.faults.during(link_loss=LinkLoss.AFTER_DATA_LOST):
        assert _submit(skat, path).code == 4
    for options in (
        ["--reason", "service desk"],
        ["--reason", "service desk", "--arrived", "--never-arrived"],
        ["--reason", " ", "--arrived"],
    ):
        assert _skat(skat, "settle", path.name, *options).code == 2
    assert _skat(skat, "settle", "other.zip", "--arrived", "--reason", "x").code == 2
    settled = _skat(skat, "settle", path.name, "--never-arrived", "--reason", "service desk, 4711")
    assert settled.code == 0
    assert settled.kind("submission")[0]["state"] == "prepared"
    assert settled.kind("event")[-1]["detail"] == "service desk, 4711"
    assert _skat(skat, "settle", path.name, "--arrived", "--reason", "again").code == 2
    assert _skat(skat, "resume").code == 0
    assert [arrival.name for arrival in skat.authority.filed] == [path.name]


def test_what_was_never_sent_is_withdrawn_and_not_resumed(skat: Desk) -> None:
    path = skat.write(seed=1)
    assert _submit(skat, path, service="Udlan").code == 3
    (claimed,) = run("ledger", "list", "--config", skat.config, "--json").kind("submission")
    assert [one["id"] for one in _skat(skat, "status").kind("submission")] == [claimed["id"]]
    assert _skat(skat, "withdraw", claimed["id"], "--reason", " ").code == 2
    withdrawn = _skat(skat, "withdraw", claimed["id"], "--reason", "a slip in the service's name")
    assert withdrawn.code == 0
    assert withdrawn.kind("event")[-1]["detail"] == "a slip in the service's name"
    assert _skat(skat, "status").records == [], "it waits for nothing"
    assert [one["id"] for one in _skat(skat, "status", claimed["id"]).kind("submission")] == [claimed["id"]]
    assert _skat(skat, "resume").code == 0
    assert skat.authority.filed == ()


def test_what_is_known_cannot_be_settled_by_hand(skat: Desk) -> None:
    path = skat.write()
    assert _submit(skat, path).code == 0
    refused = _skat(skat, "settle", path.name, "--never-arrived", "--reason", "somebody said so")
    (error,) = refused.kind("error")
    assert (refused.code, error["type"]) == (2, "ConfigurationError")
    assert "is sent; only an unknown outcome is settled by hand" in str(error["what"])
    assert run("ledger", "show", path.name, "--config", skat.config, "--json").kind("submission")[0]["state"] == "sent"


@pytest.mark.parametrize("name", ["x" * 300 + ".zip", "x" * 5000])
def test_a_name_no_file_can_have_is_an_error_of_that_file(skat: Desk, name: str) -> None:
    path = skat.write()
    found = _submit(skat, name, path)
    assert (found.code, _summary(found)) == (2, _counts(filed=1, failed=1))


def test_a_folder_is_named_as_one_without_a_second_error_in_it(skat: Desk) -> None:
    (error,) = _submit(skat, skat.folder).kind("error")
    assert error["what"] == f"{skat.folder} is a folder"


def test_l07_a_lost_ledger_is_rebuilt_from_what_waits_at_the_gateway(skat: Desk) -> None:
    path = skat.write(seed=1)
    assert _submit(skat, path).code == 0
    assert _skat(skat, "watch", "--timeout", 20).code == 0
    (skat.folder / "filings.db").rename(skat.folder / "lost.db")
    rebuilt = _skat(skat, "rebuild")
    assert rebuilt.code == 0
    with Ledger.open(skat.folder / "filings.db") as ledger:
        assert path.name in {one.name for one in ledger.search()}
    assert _submit(skat, path).code == 2
    assert len(skat.authority.filed) == 1
    assert _skat(skat, "status").kind("submission") == []


def test_services_of_ones_own_are_used(skat: Desk) -> None:
    skat.change("[profiles.sandbox.environment]", '[profiles.sandbox.services.Own]\nlike = "Udlaan"\nfolder = "Udlaan"\n\n[profiles.sandbox.environment]')  # fmt: skip  # noqa: E501
    assert _submit(skat, skat.write(seed=1), service="Own").code == 0
    assert [arrival.service for arrival in skat.authority.filed] == ["Udlaan"]


def test_a_service_that_ships_keeps_its_rules_when_a_profile_changes_it(skat: Desk) -> None:
    changed = "[profiles.sandbox.services.Udlaan]\nlargest = 100000\n\n[profiles.sandbox.environment]"
    skat.change("[profiles.sandbox.environment]", changed)
    (skat.folder / "10101010_2025_bad.zip").write_bytes(b"no zip at all")
    assert _submit(skat, skat.folder / "10101010_2025_bad.zip").code == 2
    assert _submit(skat, skat.write(seed=1), "--dry-run").code == 0
    assert [arrival.name.startswith("val_") for arrival in skat.authority.arrived] == [True]


def test_new_content_under_a_used_name_was_not_filed_and_does_not_pass_for_it(skat: Desk) -> None:
    path = skat.write(seed=1)
    assert _submit(skat, path).code == 0
    path.write_bytes(skat.authority.example("Udlaan", seed=2))
    found = _submit(skat, path)
    assert (found.code, [error["type"] for error in found.kind("error")]) == (2, ["DuplicateName"])
    assert len(skat.authority.filed) == 1


def test_f11_a_refusal_after_the_last_byte_is_an_unknown_outcome(skat: Desk) -> None:
    path = skat.write()
    with skat.authority.faults.during(disk_full=True):
        found = _submit(skat, path)
    (error,) = found.kind("error")
    assert (found.code, error["type"], error["code"]) == (4, "Rejected", "552")
    assert "whether the gateway kept" in str(error["certain"])
    assert "do not file it again" in str(error["advice"])
    assert _submit(skat, path).code == 4
