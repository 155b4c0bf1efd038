"""`govfile doctor onss`: each step broken alone is named, with its own remedy, and nothing else is blamed."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from govfile.cli.doctor.checks import MADE
from govfile.cli.doctor.onss import REMEDIES, Examination
from govfile.cli.doctor.steps import Mark, examine
from govfile.cli.output import Output
from govfile.cli.session import Session
from govfile.sandbox.onss import CertificateKind
from support.cli import Result, run
from support.onss_desk import OnssDesk, onss_desk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ALL = list(REMEDIES)


@pytest.fixture
def onss(tmp_path: Path) -> Iterator[OnssDesk]:
    with onss_desk(tmp_path) as found:
        yield found


def _doctor(onss: OnssDesk) -> Result:
    return run("doctor", "onss", "--config", onss.config, "--json")


def _results(found: Result) -> dict[str, str]:
    return {check["step"]: check["result"] for check in found.kind("check")}


def _check(found: Result, step: str) -> dict[str, str]:
    (check,) = [check for check in found.kind("check") if check["step"] == step]
    return check


def test_a_sound_set_up_passes_every_step_and_files_nothing(onss: OnssDesk) -> None:
    found = _doctor(onss)
    assert found.code == 0, found.out
    assert list(_results(found)) == ALL
    assert {step for step, result in _results(found).items() if result != "ok"} == {"ledger"}  # there is none yet
    assert not onss.authority.declared
    assert not any(request.startswith(("open", "write")) for request in onss.authority.requests)


def test_it_is_found_beside_the_other_belgian_commands_too(onss: OnssDesk) -> None:
    beside = run("onss", "doctor", "--config", onss.config, "--json")
    assert (beside.code, _results(beside)) == (0, _results(_doctor(onss)))


def _letters_in_sender(onss: OnssDesk) -> None:
    onss.change('"101420"', '"10142O"')


def _loose_key(onss: OnssDesk) -> None:
    onss.papers.ssh_key.chmod(0o644)


def _no_key(onss: OnssDesk) -> None:
    onss.papers.ssh_key.unlink()


def _no_passphrase(onss: OnssDesk) -> None:
    onss.change('{ file = "passphrase.txt" }', '{ env = "GOVFILE_TEST_UNSET" }')


def _wrong_passphrase(onss: OnssDesk) -> None:
    onss.papers.passphrase.write_text("not the passphrase, 1")


def _expired(onss: OnssDesk) -> None:
    now = datetime.now(UTC)
    valid = (now - timedelta(days=900), now - timedelta(days=3))
    onss.sign_with(onss.authority.register(user="SOMEONEELSE1", valid=valid))


def _authentication(onss: OnssDesk) -> None:
    onss.sign_with(onss.authority.register(user="SOMEONEELSE1", kind=CertificateKind.EID_AUTHENTICATION))


def _no_credential(onss: OnssDesk) -> None:
    onss.change('credential = "signer.p12"\n', "")
    onss.change('passphrase = { file = "passphrase.txt" }\n', "")


def _no_such_host(onss: OnssDesk) -> None:
    onss.change('host = "127.0.0.1"', 'host = "channel.invalid"')


def _closed_port(onss: OnssDesk) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free = taken.getsockname()[1]
    onss.change(f"port = {onss.authority.port}", f"port = {free}")


def _other_host_key(onss: OnssDesk) -> None:
    onss.authority.faults.other_host_key = True


def _no_pin(onss: OnssDesk) -> None:
    onss.change("host_keys", "# host_keys")


def _login_refused(onss: OnssDesk) -> None:
    onss.authority.faults.refuse_login = True


def _no_upload_folder(onss: OnssDesk) -> None:
    onss.authority.faults.missing_folders = frozenset({"IN"})


def _no_answers(onss: OnssDesk) -> None:
    onss.authority.faults.missing_folders = frozenset({"OUT"})


def _damaged_ledger(onss: OnssDesk) -> None:
    (onss.folder / "filings.db").write_bytes(b"this is no database at all" * 200)


def _answers_folder_is_a_file(onss: OnssDesk) -> None:
    (onss.folder / "answers").write_text("")


BROKEN: list[tuple[Callable[[OnssDesk], None], str, int, str]] = [
    (_letters_in_sender, "sender", 2, "leading zeros"),
    (_loose_key, "ssh key", 5, "chmod 600"),
    (_no_key, "ssh key", 5, "check ssh_key"),
    (_no_passphrase, "passphrase", 2, "env, file or keyring"),
    (_wrong_passphrase, "certificate", 5, "govfile cert inspect"),
    (_no_credential, "certificate", 2, "loaded on the channel"),
    (_expired, "validity", 5, "load the new .cer"),
    (_authentication, "kind", 5, "nonRepudiation"),
    (_no_such_host, "name lookup", 6, "name servers"),
    (_closed_port, "port", 6, "firewall"),
    (_other_host_key, "host key", 6, "pin the new key only when it matches"),
    (_no_pin, "host key", 2, "contact centre"),
    (_login_refused, "login", 5, "govfile cert export --format ssh"),
    (_no_upload_folder, "upload folder", 6, "open this environment"),
    (_no_answers, "answers", 6, "open this environment"),
    (_damaged_ledger, "ledger", 8, "backup"),
    (_answers_folder_is_a_file, "answers folder", 2, "make the folder"),
]


@pytest.mark.parametrize(
    ("breaks", "step", "code", "remedy"), BROKEN, ids=lambda part: getattr(part, "__name__", str(part))
)
def test_what_is_broken_is_named_alone(
    onss: OnssDesk, breaks: Callable[[OnssDesk], None], step: str, code: int, remedy: str
) -> None:
    breaks(onss)
    found = _doctor(onss)
    assert [name for name, result in _results(found).items() if result == "failed"] == [step], found.out
    assert found.code == code
    assert remedy in _check(found, step)["remedy"]
    assert list(_results(found)) == ALL


def test_every_step_that_can_fail_is_broken_here() -> None:
    elsewhere = {"configuration", "algorithms", "clock"}  # the first and the last below; the algorithms only warn
    assert {step for _, step, _, _ in BROKEN} == set(ALL) - elsewhere


def test_a_broken_configuration_leaves_everything_out(onss: OnssDesk) -> None:
    onss.change("host_keys = [", "host_keys = [1, ")
    found = _doctor(onss)
    assert found.code == 2
    assert _results(found) == {"configuration": "failed", **dict.fromkeys(ALL[1:], "skipped")}


def test_a_login_signed_by_sha1_is_warned_of_and_named(onss: OnssDesk) -> None:
    onss.authority.faults.sha1_only = True
    found = _doctor(onss)
    assert found.code == 0
    check = _check(found, "algorithms")
    assert check["result"] == "warning"
    assert "login signed by ssh-rsa" in check["text"]


def test_sha1_is_not_used_where_the_profile_forbids_it(onss: OnssDesk) -> None:
    onss.authority.faults.sha1_only = True
    onss.change("host_keys", 'rsa_signatures = "sha2"\nhost_keys')
    found = _doctor(onss)
    assert found.code == 5
    assert _results(found)["login"] == "failed"


def test_an_unpinned_host_key_is_shown_and_not_stored(onss: OnssDesk) -> None:
    before = {path.name: path.read_bytes() for path in onss.folder.iterdir()}
    _no_pin(onss)
    changed = onss.config.read_bytes()
    check = _check(_doctor(onss), "host key")
    assert onss.authority.host_key_fingerprint in check["text"]
    assert onss.authority.known_hosts.strip() in check["remedy"]
    after = {path.name: path.read_bytes() for path in onss.folder.iterdir()}
    assert after == {**before, onss.config.name: changed}


def test_a_channel_made_just_now_is_not_yet_synchronised(tmp_path: Path) -> None:
    with onss_desk(tmp_path, is_synchronised=False) as onss:
        refused = _check(_doctor(onss), "login")
        now = datetime.now(UTC).isoformat(timespec="seconds")
        onss.change('ssh_key = "ssh_key"', f'ssh_key = "ssh_key"\nchannel_created_at = {now}')
        not_yet = _check(_doctor(onss), "login")
    assert "may not be known yet" not in refused["text"]
    assert "may not be known yet" in not_yet["text"]
    assert "every half hour" in not_yet["remedy"]


def test_a_key_that_is_not_rsa_is_warned_of(onss: OnssDesk) -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    onss.papers.ssh_key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    check = _check(_doctor(onss), "ssh key")
    assert check["result"] == "warning"
    assert "only RSA keys" in check["remedy"]


def test_an_old_user_name_is_warned_of_and_used(onss: OnssDesk) -> None:
    onss.authority.register(user="OLD_NAME_1")
    onss.change('"EXPDEMOENTREPRISE"', '"OLD_NAME_1"')
    check = _check(_doctor(onss), "sender")
    assert check["result"] == "warning"
    assert "stay in use" in check["remedy"]


def test_a_clock_before_this_version_is_wrong(onss: OnssDesk) -> None:
    session = Session(out=Output(), config=onss.config)
    examination = Examination(session, clock=lambda: MADE - timedelta(days=1))
    (clock,) = [step for step in examination.steps() if step.name == "clock"]
    (finding,) = [finding for finding in examine([examination.steps()[0], clock]) if finding.step == "clock"]
    assert finding.mark is Mark.FAILED
    assert "before this version" in finding.text


def test_the_date_in_belgium_is_told(onss: OnssDesk) -> None:
    late = datetime(2026, 6, 30, 22, 30, tzinfo=UTC)
    examination = Examination(Session(out=Output(), config=onss.config), clock=lambda: late)
    assert "2026-07-01 00:30" in examination.clock().text
