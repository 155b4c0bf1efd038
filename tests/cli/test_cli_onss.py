"""`govfile onss`: declare, collect, follow; what comes back decides the exit code."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from govfile.sandbox.onss import Anomaly, Drop, Schedule, Spoilt, When
from support import pki
from support.cli import Result, run, spawn
from support.onss_desk import OnssDesk, onss_desk
from support.softhsm import PIN, SoftHsm

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def onss(tmp_path: Path) -> Iterator[OnssDesk]:
    with onss_desk(tmp_path) as found:
        yield found


def _run(onss: OnssDesk, *arguments: object) -> Result:
    return run("onss", *arguments, "--config", onss.config, "--json")


def _filed(found: Result) -> list[dict[str, object]]:
    assert found.code == 0, found.out + found.err
    return found.kind("submission")


def test_a_declaration_goes_as_three_files_and_comes_back_accepted(onss: OnssDesk) -> None:
    (filed,) = _filed(_run(onss, "submit", onss.write(), "--purpose", "DMFA"))
    assert isinstance(filed["remote_names"], list)
    assert [name[:2] for name in filed["remote_names"]] == ["FI", "FS", "GO"]
    assert filed["state"] == "sent"
    (final,) = _filed(_run(onss, "watch", "--timeout", 20))
    assert (final["id"], final["state"], final["verdict"]) == (filed["id"], "answered", "accepted")
    assert len(onss.authority.filed) == 1


def test_the_second_run_sends_nothing(onss: OnssDesk) -> None:
    declaration = onss.write()
    first = _run(onss, "submit", declaration, "--purpose", "DMFA")
    again = _run(onss, "submit", declaration, "--purpose", "DMFA")
    assert again.code == 7, again.out
    assert again.kind("error")[0]["submission"] == first.kind("submission")[0]["id"]
    assert first.kind("summary")[0]["filed"] == 1
    assert again.kind("summary")[0]["filed"] == 0
    assert len(onss.authority.declared) == 1


def test_many_files_are_reported_each_and_a_bad_one_stops_no_other(onss: OnssDesk) -> None:
    good = [onss.write(seed=seed) for seed in (1, 2, 3)]
    bad = onss.folder / "bad.xml"
    bad.write_bytes(b"<Dimona/>")
    found = _run(onss, "submit", *good[:1], bad, *good[1:], onss.folder / "missing.xml", "--purpose", "DMFA")
    assert found.code == 2
    assert {record["about"] for record in found.kind("error")} == {str(bad), str(onss.folder / "missing.xml")}
    assert {record["about"] for record in found.kind("submission")} == {str(path) for path in good}
    assert found.kind("summary")[0] == {
        "schema": 1, "kind": "summary", "filed": 3, "before": 0, "failed": 2, "untried": 0, "exit": 2,
    }  # fmt: skip
    assert _declared(onss, 3)


def test_parts_go_under_one_trigger(onss: OnssDesk) -> None:
    parts = [onss.write(seed=seed) for seed in (1, 2, 3)]
    (filed,) = _filed(_run(onss, "submit", *parts, "--purpose", "DMFA", "--parts"))
    assert isinstance(filed["remote_names"], list)
    assert [name[:2] + name[-2:] for name in filed["remote_names"]] == [
        "FI.1",
        "FI.2",
        "FI.3",
        "FS.1",
        "FS.2",
        "FS.3",
        "GO.3",
    ]
    assert _declared(onss, 1)


def test_too_many_parts_are_a_usage_error(onss: OnssDesk) -> None:
    parts = [onss.write(seed=seed) for seed in range(10)]
    assert _run(onss, "submit", *parts, "--purpose", "DMFA", "--parts").code == 2
    assert not onss.authority.declared


def test_a_refusal_is_told_with_its_codes_and_our_advice(onss: OnssDesk) -> None:
    onss.sign_with(onss.authority.register(user="SOMEONEELSE1", sender="112768"))
    _filed(_run(onss, "submit", onss.write(), "--purpose", "DMFA"))
    found = _collect_until(onss, "code")
    assert found.code == 3
    (code,) = found.kind("code")
    assert (code["code"], code["group"]) == ("ACRF-153", "signature")
    assert "certificate" in code["advice"]
    assert not onss.authority.filed


def test_anomalies_of_an_accepted_declaration_are_told(onss: OnssDesk) -> None:
    onss.authority.replies.anomalies = (Anomaly(),)
    _filed(_run(onss, "submit", onss.write(), "--purpose", "DMFA"))
    found = _collect_until(onss, "code")
    assert found.code == 0
    assert found.kind("code")[0]["code"] == "00011-155"
    assert found.kind("submission")[-1]["verdict"] == "accepted with remarks"


def test_an_answer_with_a_spoilt_signature_moves_nothing_and_says_so(onss: OnssDesk) -> None:
    onss.authority.faults.spoilt = Spoilt.OTHER_CONTENT
    _filed(_run(onss, "submit", onss.write(), "--purpose", "DMFA"))
    found = _collect_until(onss, "doubt")
    assert "signature does not hold" in found.kind("doubt")[0]["problem"]
    assert found.kind("unread")
    assert _run(onss, "status").kind("submission")[0]["state"] == "sent"


def test_answers_are_believed_under_the_authorities_of_the_profile_only(onss: OnssDesk) -> None:
    onss.change('ssh_key = "ssh_key"', 'ssh_key = "ssh_key"\ntrust = "institutions-ca.pem"')
    _filed(_run(onss, "submit", onss.write(), "--purpose", "DMFA"))
    assert _run(onss, "watch", "--timeout", 20).code == 0
    onss.change('"institutions-ca.pem"', '"signer.pem"')
    _filed(_run(onss, "submit", onss.write(seed=2), "--purpose", "DMFA"))
    assert "not trusted" in _collect_until(onss, "doubt").kind("doubt")[0]["problem"]


def test_an_unsure_trigger_is_unknown_and_settled_by_what_comes_back(onss: OnssDesk) -> None:
    onss.authority.faults.drop = Drop(only="close", on="GO", when=When.AFTER)
    lost = _run(onss, "submit", onss.write(), "--purpose", "DMFA")
    assert lost.code == 4, lost.out
    assert _run(onss, "status").code == 4
    assert _run(onss, "watch", "--timeout", 20).code == 0
    assert len(onss.authority.declared) == 1


def test_what_never_got_its_trigger_is_finished_by_resume(onss: OnssDesk) -> None:
    onss.authority.faults.drop = Drop(only="open", on="FS", when=When.BEFORE)
    lost = _run(onss, "submit", onss.write(), "--purpose", "DMFA")
    assert lost.code == 6, lost.out
    assert not onss.authority.declared
    resumed = _run(onss, "resume")
    assert [one["state"] for one in _filed(resumed)] == ["sent"]
    assert _run(onss, "watch", "--timeout", 20).code == 0
    assert len(onss.authority.filed) == 1


def test_a_person_settles_what_nobody_could_know(onss: OnssDesk) -> None:
    onss.authority.faults.drop = Drop(only="open", on="GO", when=When.BEFORE)
    lost = _run(onss, "submit", onss.write(), "--purpose", "DMFA")
    assert lost.code == 4, lost.out
    (name,) = [one["name"] for one in _run(onss, "status").kind("submission")]
    fi = name.replace("GO.", "FI.", 1) + ".1"
    settled = _run(onss, "settle", fi, "--never-arrived", "--reason", "the contact centre has no such file")
    assert [one["state"] for one in _filed(settled)] == ["prepared"]
    assert _run(onss, "settle", name, "--arrived", "--reason", "again").code == 2
    assert _filed(_run(onss, "resume"))
    assert _declared(onss, 1)


def test_with_a_wrong_login_nothing_is_claimed(onss: OnssDesk) -> None:
    onss.authority.faults.refuse_login = True
    found = _run(onss, "submit", onss.write(seed=1), onss.write(seed=2), "--purpose", "DMFA")
    assert found.code == 5
    assert found.kind("summary")[0]["untried"] == 1
    assert not run("ledger", "list", "--config", onss.config, "--json").kind("submission")


def test_a_channel_that_is_not_known_yet_says_when(tmp_path: Path) -> None:
    with onss_desk(tmp_path, is_synchronised=False) as onss:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        onss.change('ssh_key = "ssh_key"', f'ssh_key = "ssh_key"\nchannel_created_at = {now}')
        found = _run(onss, "submit", onss.write(), "--purpose", "DMFA")
    assert found.code == 5
    (error,) = found.kind("error")
    assert error["type"] == "ChannelNotYetSynchronised"
    assert "every half hour" in error["advice"]


def test_a_waiting_answer_is_no_failure(tmp_path: Path) -> None:
    with onss_desk(tmp_path, schedule=Schedule.lifelike()) as onss:
        _filed(_run(onss, "submit", onss.write(), "--purpose", "DMFA"))
        assert _run(onss, "watch", "--timeout", 0.3).code == 10


def test_unsigned_files_are_sent_where_that_is_asked(onss: OnssDesk) -> None:
    (filed,) = _filed(_run(onss, "submit", onss.write(), "--purpose", "DMFA", "--unsigned"))
    assert isinstance(filed["remote_names"], list)
    assert [name[:2] for name in filed["remote_names"]] == ["FI", "GO"]


def test_rebuild_burns_what_the_folders_show(onss: OnssDesk) -> None:
    _filed(_run(onss, "submit", onss.write(), "--purpose", "DMFA"))
    _collect_until(onss, "answer")
    (onss.folder / "filings.db").unlink()
    found = _run(onss, "rebuild")
    assert found.code == 0
    assert found.kind("summary")[0]["burnt"] >= 1


@pytest.mark.servers
def test_declarations_are_signed_by_a_key_in_a_token(
    onss: OnssDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a process of its own: SoftHSM reads its settings once in a process."""
    monkeypatch.setenv("SOFTHSM2_CONF", "")
    token = tmp_path / "token"
    token.mkdir()
    hsm = SoftHsm.create(token)
    key = pki.rsa_key(21)
    certificate = onss.authority.certify(key.public_key())
    hsm.add_token("card")
    hsm.add_key("card", pki.Identity(key=key, certificate=certificate), label="signature", key_id=b"\x01")
    onss.authority.add_certificate(onss.authority.user, certificate)
    (onss.folder / "card.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    onss.change('passphrase = { file = "passphrase.txt" }\n', "")
    onss.change(
        'credential = "signer.p12"',
        f'credential = {{pkcs11 = "{hsm.module}", token = "card", key = "signature", pin = {{env = "TOKEN_PIN"}}, '
        'certificate = "card.pem"}',
    )
    environment = {"TOKEN_PIN": PIN}
    config = ("--config", onss.config, "--json")
    for command in (("doctor", "onss"), ("onss", "submit", onss.write(), "--purpose", "DMFA")):
        found = spawn(*command, *config, env=environment)
        assert found.code == 0, found.out + found.err
    watched = spawn("onss", "watch", "--timeout", 20, *config, env=environment)
    assert watched.code == 0, watched.out + watched.err
    assert len(onss.authority.filed) == 1


def _declared(onss: OnssDesk, count: int) -> bool:
    """Whether so many sets were picked up, and no more; that takes the transfer point a moment."""
    for _ in range(100):
        if len(onss.authority.declared) >= count:
            break
        time.sleep(0.02)
    return len(onss.authority.declared) == count


def _collect_until(onss: OnssDesk, kind: str) -> Result:
    for _ in range(100):
        found = _run(onss, "collect")
        if found.kind(kind):
            return found
        time.sleep(0.05)
    raise AssertionError(f"no record of the kind {kind} came")
