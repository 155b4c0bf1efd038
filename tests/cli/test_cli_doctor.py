"""`govfile doctor skat`: each step broken alone is named, with its own remedy, and nothing else is blamed."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from govfile.cli.doctor.checks import MADE
from govfile.cli.doctor.skat import REMEDIES, Examination
from govfile.cli.doctor.steps import Mark, examine
from govfile.cli.output import Output
from govfile.cli.session import Session
from govfile.sandbox.skat import CertificateKind, Gate, ServerCertificate, Settings
from govfile.skat import environments
from support.cli import Result, run
from support.sandboxed import Desk, desk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ALL = list(REMEDIES)


@pytest.fixture
def skat(tmp_path: Path) -> Iterator[Desk]:
    with desk(tmp_path) as found:
        yield found


def _doctor(skat: Desk) -> Result:
    return run("doctor", "skat", "--config", skat.config, "--json")


def _results(found: Result) -> dict[str, str]:
    return {check["step"]: check["result"] for check in found.kind("check")}


def test_a_sound_set_up_passes_every_step_and_files_nothing(skat: Desk) -> None:
    found = _doctor(skat)
    assert found.code == 0, found.out
    assert list(_results(found)) == ALL
    assert {step for step, result in _results(found).items() if result != "ok"} == {"ledger"}  # there is none yet
    assert found.kind("summary")[0]["failed"] == 0
    assert not skat.authority.arrived
    assert sum(command.startswith("PASS") for command in skat.authority.commands) == 1


def _no_password(skat: Desk) -> None:
    skat.papers.password.unlink()


def _no_passphrase(skat: Desk) -> None:
    skat.change('{ file = "passphrase.txt" }', '{ env = "GOVFILE_TEST_UNSET" }')


def _wrong_passphrase(skat: Desk) -> None:
    skat.papers.passphrase.write_text("not the passphrase, 1")


def _no_certificate(skat: Desk) -> None:
    skat.papers.pkcs12.unlink()


def _expired(skat: Desk) -> None:
    skat.use(skat.authority.expired())


def _not_yet(skat: Desk) -> None:
    now = datetime.now(UTC)
    skat.use(skat.authority.register(valid=(now + timedelta(days=3), now + timedelta(days=900))))


def _other_user(skat: Desk) -> None:
    skat.change('authority = "skat"', 'username = "CVR_10101010_UID_99"')


def _production(skat: Desk) -> None:
    skat.change(
        "[profiles.sandbox.environment]",
        "[profiles.sandbox.environment]\naccepts_unknown_issuers = false\nis_test = false",
    )


def _no_such_host(skat: Desk) -> None:
    skat.change('"localhost"', '"gateway.invalid"')


def _closed_port(skat: Desk) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free = taken.getsockname()[1]
    skat.change(f"port = {skat.authority.port}", f"port = {free}")


def _foreign_server(skat: Desk) -> None:
    skat.authority.faults.server_certificate = ServerCertificate.WRONG_NAME


def _unregistered(skat: Desk) -> None:
    skat.use(skat.authority.unregistered())


def _wrong_password(skat: Desk) -> None:
    skat.papers.password.write_text("not the password, 1")


def _closed_data_port(skat: Desk) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        skat.authority.faults.passive_port = taken.getsockname()[1]


def _no_roles(skat: Desk) -> None:
    skat.authority.faults.roles_gone = True


def _se_number(skat: Desk) -> None:
    skat.use(skat.authority.register(CertificateKind.OCES2_COMPANY, on_se_number=True))


def _damaged_ledger(skat: Desk) -> None:
    (skat.folder / "filings.db").write_bytes(b"no ledger" * 1000)


def _no_folder_for_the_ledger(skat: Desk) -> None:
    skat.change('ledger = "filings.db"', 'ledger = "no/filings.db"')


def _answers_below_a_file(skat: Desk) -> None:
    (skat.folder / "file").write_text("in the way")
    skat.change('into = "answers"', 'into = "file/answers"')


def _answers_are_a_file(skat: Desk) -> None:
    (skat.folder / "answers").write_text("in the way")


@pytest.mark.parametrize(
    ("spoil", "step", "code", "said", "remedy"),
    [
        (_no_password, "password", 2, "password.txt cannot be read", "the authority issues it"),
        (_no_passphrase, "passphrase", 2, "GOVFILE_TEST_UNSET is not set", "env, file or keyring"),
        (_wrong_passphrase, "certificate", 5, "passphrase", "govfile cert inspect"),
        (_no_certificate, "certificate", 5, "company.p12", "govfile cert inspect"),
        (_expired, "validity", 5, "expired on", "renew it in MitID Erhverv"),
        (_not_yet, "validity", 5, "not valid before", "clock"),
        (_other_user, "user name", 2, "contradicts the certificate", "leave username out"),
        (_production, "environment", 2, "issuer is not known", "choose the environment"),
        (_no_such_host, "name lookup", 6, "gateway.invalid is not found", "name servers"),
        (_closed_port, "control port", 6, "Connection refused", "firewall"),
        (_foreign_server, "server identity", 6, "", "never switch it off"),
        (_unregistered, "login", 5, "", "exactly this user name"),
        (_wrong_password, "login", 5, "", "accounts lock"),
        (_closed_data_port, "data port", 6, "", "whole range of data ports"),
        (_no_roles, "folders", 3, "no service is visible", "copied to the gateway hourly"),
        (_se_number, "folders", 3, "no service is visible", "file as its agent"),
        (_damaged_ledger, "ledger", 8, "", "never delete it"),
        (_no_folder_for_the_ledger, "ledger", 8, "folder", "create the folder"),
        (_answers_below_a_file, "answers folder", 2, "is no folder", "make the folder"),
        (_answers_are_a_file, "answers folder", 2, "is no folder", "make the folder"),
    ],
)
def test_one_broken_step_is_named_alone_with_its_remedy(
    skat: Desk, spoil: Callable[[Desk], None], step: str, code: int, said: str, remedy: str
) -> None:
    spoil(skat)
    found = _doctor(skat)
    failed = [check for check in found.kind("check") if check["result"] == "failed"]
    assert [check["step"] for check in failed] == [step], found.out
    assert found.code == code
    assert said in failed[0]["text"]
    assert remedy in failed[0]["remedy"]
    for check in found.kind("check"):
        assert check["result"] != "skipped" or check["text"] == f"needs {step}"
    assert not skat.authority.arrived
    assert sum(command.startswith("PASS") for command in skat.authority.commands) <= 1


def test_a_certificate_refused_in_the_handshake_is_a_matter_of_registration(tmp_path: Path) -> None:
    with desk(tmp_path, settings=Settings(unregistered=Gate.TLS)) as skat:
        skat.use(skat.authority.unregistered())
        found = _doctor(skat)
    failed = [check for check in found.kind("check") if check["result"] == "failed"]
    assert [check["step"] for check in failed] == ["registration"], found.out
    assert "govfile cert export" in failed[0]["remedy"]
    assert found.code == 5


@pytest.mark.parametrize("shown", [kind for kind in ServerCertificate if kind is not ServerCertificate.GOOD])
def test_f03_a_wrong_server_certificate_is_the_servers_identity_and_no_login_is_sent(
    skat: Desk, shown: ServerCertificate
) -> None:
    skat.authority.faults.server_certificate = shown
    found = _doctor(skat)
    assert [step for step, result in _results(found).items() if result == "failed"] == ["server identity"]
    assert found.code == 6
    assert not [command for command in skat.authority.commands if command.startswith(("USER", "PASS"))]


def test_a_broken_configuration_leaves_everything_else_out(skat: Desk) -> None:
    skat.change("[profiles.sandbox]", "[profiles.sandbox]\ncolour = 1")
    found = _doctor(skat)
    assert _results(found) == {"configuration": "failed", **dict.fromkeys(ALL[1:], "skipped")}
    assert found.code == 2


def test_a_missing_out_folder_is_no_fault(tmp_path: Path) -> None:
    with desk(tmp_path, settings=Settings(out_from_start=False)) as skat:
        found = _doctor(skat)
    assert found.code == 0
    assert _results(found)["out"] == "ok"


def test_a_certificate_near_its_end_is_a_warning(skat: Desk) -> None:
    now = datetime.now(UTC)
    skat.use(skat.authority.register(valid=(now - timedelta(days=1000), now + timedelta(days=20))))
    found = _doctor(skat)
    assert found.code == 0
    assert _results(found)["validity"] == "warning"


def test_a_secret_file_that_everyone_can_read_is_a_warning(skat: Desk) -> None:
    skat.papers.password.chmod(0o644)
    found = _doctor(skat)
    (check,) = [check for check in found.kind("check") if check["step"] == "password"]
    assert (check["result"], found.code) == ("warning", 0)
    assert check["remedy"].startswith("chmod 600")


@pytest.mark.parametrize(
    ("now", "said"),
    [(MADE - timedelta(days=1), "before this version was made"), (None, "seconds ahead of this clock")],
)
def test_a_clock_that_is_behind_is_noticed(skat: Desk, now: datetime | None, said: str) -> None:
    if now is None:  # the gateway has a file from what is, by our clock, tomorrow
        skat.authority.put(skat.authority.identity, "answer.txt", b"an answer")
        now = datetime.now(UTC) - timedelta(days=1)
    moment = now
    session = Session(out=Output(), config=skat.config)
    examination = Examination(session, lambda: moment)
    findings = {finding.step: finding for finding in examine(examination.steps())}
    examination.close()
    assert findings["clock"].mark is Mark.FAILED
    assert said in findings["clock"].text
    assert "time server" in findings["clock"].remedy


def test_a_test_certificate_is_kept_from_production(skat: Desk) -> None:
    """The environments' own rule: is_test decides, before anything is sent."""
    assert environments.PRODUCTION.is_test is False
    assert environments.TEST.is_test is True


def test_for_people_each_finding_has_its_remedy_below(skat: Desk) -> None:
    skat.papers.password.unlink()
    found = run("doctor", "skat", "--config", skat.config)
    lines = found.out.splitlines()
    (at,) = [number for number, line in enumerate(lines) if line.startswith("  failed  password: ")]
    assert lines[at + 1].startswith("          -> ")
    assert "1 of 19 checks failed" in lines[-1]
