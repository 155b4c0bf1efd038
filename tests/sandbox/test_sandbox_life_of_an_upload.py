"""What becomes of an upload, by the sandbox's clock: statuses, answers, names for ever, roles, the purge."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from govfile.sandbox.clock import SandboxClock
from govfile.sandbox.skat import CertificateKind, NameScope, Schedule, Settings, SkatSandbox, Spelling
from govfile.sandbox.skat.status import danish
from support.ftps_client import log_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.ftps_client import Client

START = datetime(2026, 1, 5, 8, 0, 5, tzinfo=UTC)
NAME = "10101010_2025_a1.zip"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def sandbox() -> Iterator[SkatSandbox]:
    with SkatSandbox(clock=SandboxClock(START), schedule=Schedule.lifelike()) as found:
        yield found


@pytest.fixture
def client(sandbox: SkatSandbox, tmp_path: Path) -> Iterator[Client]:
    with log_in(sandbox, tmp_path) as found:
        yield found


def statuses(sandbox: SkatSandbox) -> str:
    """The numbers of the status files in `out`, e.g. "12"."""
    found = [re.fullmatch(r"status_.*_(\d)\.xml", name) for name in sandbox.out(sandbox.identity)]
    return "".join(sorted(match[1] for match in found if match))


def test_statuses_come_by_the_clock(sandbox: SkatSandbox, client: Client) -> None:
    client.upload(f"Udlaan/{NAME}", sandbox.example("Udlaan"))
    assert (statuses(sandbox), client.nlst("Udlaan")) == ("", [NAME])
    sandbox.clock.advance(15)
    assert (statuses(sandbox), client.nlst("Udlaan")) == ("1", [])
    sandbox.clock.advance(4 * HOUR)
    assert statuses(sandbox) == "12"
    sandbox.clock.advance(DAY)
    assert statuses(sandbox) == "123"
    assert "Udlaan_SvarFil_10101010_2025_a1.xml" in sandbox.out(sandbox.identity)


def test_the_status_file_is_the_one_the_authority_prints(sandbox: SkatSandbox, client: Client) -> None:
    client.upload(f"Udlaan/{NAME}", sandbox.example("Udlaan"))
    sandbox.clock.advance(15)
    millis = int(START.timestamp() * 1000)
    folder = "/CVR_10101010/UI_00000000-0000-4000-8000-000000000001"
    assert client.download(f"out/status_Udlaan_{NAME}_1.xml").decode() == (
        '<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n'
        "<status><file>\n"
        f"  <filename>{folder}/Udlaan/{NAME}</filename>\n"
        f"  <FTPTransaktionsId>{NAME}</FTPTransaktionsId>\n"
        f"  <SKATTransactionId>ci{millis}_31616756_1</SKATTransactionId>\n"
        "  <timestamp>20260105090020</timestamp>\n"
        "  <status.code>File delivered to requested Backend System</status.code>\n"
        "  <service>Udlaan</service>\n"
        "</file></status>\n"
    )


def test_the_other_printed_forms_are_there_on_request(tmp_path: Path) -> None:
    habits = Settings(spelling=Spelling.TRANSAKTION, stray_space=True)
    with SkatSandbox(settings=habits) as sandbox, log_in(sandbox, tmp_path) as client:
        client.upload(f"Udlaan/{NAME}", sandbox.example("Udlaan"))
        sandbox.clock.advance(1)
        told = client.download(f"out/status_Udlaan_{NAME}_1.xml").decode()
        assert "<filename>/ CVR_10101010/UI_" in told
        assert "<SKATTransaktionsId>ci" in told


@pytest.mark.parametrize(
    ("utc", "local"),
    [
        ("2026-01-05 08:00", "2026-01-05 09:00"),
        ("2026-07-05 08:00", "2026-07-05 10:00"),
        ("2026-03-29 00:59", "2026-03-29 01:59"),
        ("2026-03-29 01:00", "2026-03-29 03:00"),
        ("2026-10-25 00:59", "2026-10-25 02:59"),
        ("2026-10-25 01:00", "2026-10-25 02:00"),
        ("2020-12-31 23:30", "2021-01-01 00:30"),
    ],
)
def test_time_stamps_are_danish(utc: str, local: str) -> None:
    assert danish(datetime.fromisoformat(utc).replace(tzinfo=UTC)) == datetime.fromisoformat(local)


# --- names


@pytest.mark.parametrize("content", [0, 1], ids=["the same content", "other content"])
def test_f10_a_name_is_used_up_for_ever(sandbox: SkatSandbox, client: Client, content: int) -> None:
    assert client.upload(f"Udlaan/{NAME}", sandbox.example("Udlaan")).startswith("226")
    sandbox.clock.advance(400 * DAY)
    assert client.upload(f"Udlaan/{NAME}", sandbox.example("Udlaan", seed=content)).startswith("226")
    assert len(sandbox.filed) == 1
    sandbox.clock.advance(15)
    assert statuses(sandbox) == "0"
    assert b"FILENAME_CANNOT_BE_REUSED_FOR_TRANSACTION" in client.download(f"out/status_Udlaan_{NAME}_0.xml")


def test_the_name_of_a_refused_file_is_used_up_too(sandbox: SkatSandbox, client: Client) -> None:
    client.upload("CPS/run7.txt", sandbox.example("CPS"))
    client.upload("CPS/run7.txt", sandbox.example("CPS"), ascii_type=True)
    assert [arrival.code for arrival in sandbox.arrived] == [
        "FILE_NOT_UPLOADED_IN_ASCII_MODE",
        "FILENAME_CANNOT_BE_REUSED_FOR_TRANSACTION",
    ]


@pytest.mark.parametrize(
    ("scope", "own_other_service", "colleague"),
    [(NameScope.COMPANY, False, False), (NameScope.CERTIFICATE, False, True), (NameScope.SERVICE, True, True)],
)
def test_the_scope_of_names_can_be_chosen(
    tmp_path: Path, scope: NameScope, own_other_service: bool, colleague: bool
) -> None:
    with SkatSandbox(settings=Settings(name_scope=scope)) as sandbox, log_in(sandbox, tmp_path) as client:
        client.upload(f"Udlaan/{NAME}", sandbox.example("Udlaan"))
        client.upload(f"Indlaan/{NAME}", sandbox.example("Indlaan"))
        assert sandbox.arrived[-1].is_filed is own_other_service
        with log_in(sandbox, tmp_path, sandbox.register()) as other:
            other.upload(f"Udlaan/{NAME}", sandbox.example("Udlaan"))
        assert sandbox.arrived[-1].is_filed is colleague
        with log_in(sandbox, tmp_path, sandbox.register(cvr="30808460")) as stranger:
            stranger.upload(f"Udlaan/{NAME}", sandbox.example("Udlaan"))
        assert sandbox.arrived[-1].is_filed


@pytest.mark.parametrize("sensitive", [True, False])
def test_case_in_names_can_be_ignored(tmp_path: Path, sensitive: bool) -> None:
    habits = Settings(case_sensitive_names=sensitive)
    with SkatSandbox(settings=habits) as sandbox, log_in(sandbox, tmp_path) as client:
        for name in ("run.zip", "Run.zip"):
            client.upload(f"Udlaan/{name}", sandbox.example("Udlaan"))
        assert len(sandbox.filed) == (2 if sensitive else 1)


# --- answers


def test_a_validation_is_never_filed(sandbox: SkatSandbox, client: Client) -> None:
    client.upload(f"Udlaan/val_{NAME}", sandbox.example("Udlaan"))
    sandbox.clock.advance(2 * DAY)
    assert (sandbox.filed, [arrival.name for arrival in sandbox.validated]) == ((), [f"val_{NAME}"])
    assert b"VALIDERET" in client.download("out/Udlaan_SvarFil_val_10101010_2025_a1.xml")


def test_a_departure_declaration_is_answered_twice(sandbox: SkatSandbox, client: Client) -> None:
    service = "Manifest.AfgangsdeklarationOpret"
    client.upload(f"{service}/afgang.xml", sandbox.example(service))
    sandbox.clock.advance(26 * HOUR)
    assert {"IED42_afgang.xml"} == {name for name in sandbox.out(sandbox.identity) if not name.startswith("status_")}
    sandbox.clock.advance(2 * HOUR)
    told = client.download(f"out/status_{service}_afgang.xml_3.xml").decode()
    assert re.findall("<response>\n    <filename>(.*)</filename>", told) == [
        "IED42_afgang.xml",
        "Kvittering_afgang.xml",
    ]
    assert told.count("<file>") == 2


def test_a_classic_upload_gets_lists_in_its_own_record_structure(tmp_path: Path) -> None:
    habits = Settings(advice_lists=True)
    with SkatSandbox(settings=habits) as sandbox, log_in(sandbox, tmp_path) as client:
        client.upload("CPS/run7.txt", sandbox.example("CPS"), ascii_type=True)
        sandbox.clock.advance(1)
        for name in ("CPS_Fejlliste_run7.txt", "CPS_Advisliste_run7.txt"):
            first, last, rest = client.download(f"out/{name}").split(b"\r\n")
            assert (first[:4], len(first), last[:4], len(last), rest) == (b"0001", 868, b"9998", 868, b"")


def test_fatca_answers_bear_the_names_of_2016(sandbox: SkatSandbox, client: Client) -> None:
    client.upload("UFO/10101010_r1.xml", sandbox.example("FATCA"))
    sandbox.clock.advance(2 * DAY)
    names = sorted(name for name in sandbox.out(sandbox.identity) if "10101010_r1.xml_" not in name)
    assert names[:2] == ["UFO_KvitteringsFil_UFO_10101010_r1.xml", "UFO_SvarFil_UFO_10101010_r1.xml"]
    assert len(names) == 4
    assert all(re.fullmatch(r"status_UFO_\d{17}_3\.xml", name) for name in names[2:])


def test_f15_what_nobody_asked_for_is_announced_by_a_time_stamp(sandbox: SkatSandbox, client: Client) -> None:
    status = sandbox.put_unsolicited(sandbox.identity, "Oversigt_2025.xml", b"<oversigt/>")
    assert status == "status_UFO_20260105090005000_3.xml"
    assert sorted(client.nlst("out")) == ["Oversigt_2025.xml", status]
    assert b"<filename>Oversigt_2025.xml</filename>" in client.download(f"out/{status}")


@pytest.mark.parametrize("days", [30, 60])
def test_files_leave_out_after_their_time(tmp_path: Path, days: int) -> None:
    habits, clock = Settings(retention=days * DAY), SandboxClock(START)
    with SkatSandbox(settings=habits, clock=clock) as sandbox, log_in(sandbox, tmp_path) as client:
        sandbox.put(sandbox.identity, "fejl.txt", b"0001\r\n")
        clock.advance(days * DAY - HOUR)
        assert client.nlst("out") == ["fejl.txt"]
        clock.advance(HOUR)
        assert client.nlst("out") == []


# --- the back end away


def test_six_hours_without_a_back_end_bring_no_status_0(sandbox: SkatSandbox, client: Client) -> None:
    sandbox.faults.away_until = START + 7 * HOUR
    client.upload(f"Udlaan/{NAME}", sandbox.example("Udlaan"))
    client.upload("CPS/binary.txt", sandbox.example("CPS"))
    sandbox.clock.advance(6 * HOUR + timedelta(minutes=59))
    assert (statuses(sandbox), client.nlst("Udlaan")) == ("0", [NAME])  # the gateway itself still refuses
    sandbox.clock.advance(timedelta(minutes=1))
    assert statuses(sandbox) == "012"
    sandbox.clock.advance(DAY)
    assert statuses(sandbox) == "0123"
    assert b"20260105160005" in client.download(f"out/status_Udlaan_{NAME}_1.xml")


# --- roles


def test_f20_roles_are_copied_every_hour(sandbox: SkatSandbox, tmp_path: Path) -> None:
    clerk = sandbox.register(services=["CPS"])
    due = sandbox.grant(clerk, "Udlaan")
    assert due == datetime(2026, 1, 5, 9, tzinfo=UTC)
    with log_in(sandbox, tmp_path, clerk) as client:
        assert client.nlst() == ["CPS", "out"]
        sandbox.clock.advance(due - sandbox.clock() - timedelta(seconds=1))
        assert client.nlst() == ["CPS", "out"]
        sandbox.clock.advance(1)
        assert client.nlst() == ["CPS", "Udlaan", "out"]
        sandbox.revoke(clerk, "CPS")
        assert client.nlst() == ["CPS", "Udlaan", "out"]
        sandbox.clock.advance(HOUR)
        assert client.nlst() == ["Udlaan", "out"]


def test_f20_a_role_given_or_taken_twice_changes_nothing_more(sandbox: SkatSandbox, client: Client) -> None:
    sandbox.grant(sandbox.identity, "Udlaan")
    assert "Udlaan" in client.nlst()
    sandbox.revoke(sandbox.identity, "Udlaan")
    sandbox.grant(sandbox.identity, "Udlaan")  # before the next copy: nothing of it was ever seen
    sandbox.clock.advance(HOUR)
    assert "Udlaan" in client.nlst()
    sandbox.revoke(sandbox.identity, "Udlaan")
    sandbox.clock.advance(HOUR)
    sandbox.revoke(sandbox.identity, "Udlaan")
    assert "Udlaan" not in client.nlst()


def test_f20_a_role_withdrawn_during_an_upload_does_not_change_where_it_went(
    sandbox: SkatSandbox, client: Client
) -> None:
    client.voidcmd("TYPE I")
    with client.transfercmd(f"STOR Udlaan/{NAME}") as data:
        data.sendall(sandbox.example("Udlaan"))
        sandbox.revoke(sandbox.identity, "Udlaan")
        sandbox.clock.advance(HOUR)
        data.unwrap()  # type: ignore[attr-defined]
    client.voidresp()
    assert [(arrival.service, arrival.name) for arrival in sandbox.filed] == [("Udlaan", NAME)]
    assert "Udlaan" not in client.nlst()


# --- the gateway before 2020


def test_both_gateways_run_side_by_side_on_their_published_ports(tmp_path: Path) -> None:
    habits = Settings(port=6381)
    old = Settings.retired_gateway(port=6371)
    with SkatSandbox(settings=habits, retired_settings=old) as sandbox:
        assert (sandbox.port, sandbox.environment.policy.data_ports) == (6381, (36000, 39999))
        assert (sandbox.retired.port, sandbox.retired.environment.policy.data_ports) == (6371, (35000, 35100))
        assert sandbox.environment.name != sandbox.retired.environment.name
        with log_in(sandbox, tmp_path) as new, log_in(sandbox, tmp_path, at=sandbox.retired) as before:
            assert 36000 <= new.makepasv()[1] <= 39999
            assert 35000 <= before.makepasv()[1] <= 35100
            new.upload(f"Udlaan/{NAME}", sandbox.example("Udlaan"))
            before.upload(f"{sandbox.identity.certificate_folder}/Udlaan/{NAME}", sandbox.example("Udlaan"))
        assert (len(sandbox.filed), len(sandbox.retired.filed)) == (1, 1)


def test_the_retired_gateway_showed_all_folders_shared_files_and_gave_the_new_password(tmp_path: Path) -> None:
    with SkatSandbox(retired=True) as sandbox:
        uid = sandbox.register(CertificateKind.OCES2_COMPANY, services=[])
        sandbox.retired.put(sandbox.identity, "fejl.txt", b"0001\r\n")
        with log_in(sandbox, tmp_path, uid, at=sandbox.retired, username="mail@example.dk", password="any") as client:
            assert set(client.nlst()) == {uid.certificate_folder, sandbox.identity.certificate_folder}
            client.cwd(uid.certificate_folder)
            assert {"Udlaan", "CPS", "out", "NyFTPSLoginInfo"} <= set(client.nlst())
            assert client.nlst("out") == ["fejl.txt"]
            where = "NyFTPSLoginInfo"
            assert client.nlst(where) == ["Ny_FTPS_Login_Info.txt"]
            text = client.download(f"{where}/Ny_FTPS_Login_Info.txt").decode()
        found = dict(line.split(": ") for line in text.splitlines())
        with log_in(sandbox, tmp_path, uid, username=found["Brugernavn"], password=found["Adgangskode"]) as client:
            assert client.nlst() == ["out"]
