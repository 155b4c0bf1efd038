"""Every fault can be asked for, and does what its description says; seen by a foreign client."""

from __future__ import annotations

import contextlib
import ftplib
import socket
import ssl
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from xml.parsers import expat

import attrs
import pytest

from govfile.sandbox.clock import SandboxClock
from govfile.sandbox.skat import Broken, Damage, Faults, LinkLoss, ServerCertificate, Settings, SkatSandbox
from support.ftps_client import eventually, log_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.ftps_client import Client

NAME = "10101010_2025_a1.zip"
PATH = f"Udlaan/{NAME}"
START = datetime(2026, 1, 5, 8, 0, 5, tzinfo=UTC)


@pytest.fixture
def sandbox() -> Iterator[SkatSandbox]:
    with SkatSandbox() as found:
        yield found


@pytest.fixture
def client(sandbox: SkatSandbox, tmp_path: Path) -> Iterator[Client]:
    with contextlib.closing(log_in(sandbox, tmp_path)) as found:
        yield found


def out_after(sandbox: SkatSandbox, client: Client, seconds: float = 5) -> dict[str, bytes]:
    client.upload(PATH, sandbox.example("Udlaan"))
    sandbox.clock.advance(seconds)
    return sandbox.out(sandbox.identity)


def file_once(sandbox: SkatSandbox, folder: Path, *, timeout: float) -> None:
    with contextlib.closing(log_in(sandbox, folder, timeout=timeout)) as found:
        found.upload(PATH, sandbox.example("Udlaan"))


# --- the conversation


@pytest.mark.parametrize("what", [found for found in ServerCertificate if found is not ServerCertificate.GOOD])
def test_f03_the_server_shows_a_wrong_certificate(
    sandbox: SkatSandbox, tmp_path: Path, what: ServerCertificate
) -> None:
    with sandbox.faults.during(server_certificate=what), pytest.raises(ssl.SSLCertVerificationError):
        log_in(sandbox, tmp_path)
    log_in(sandbox, tmp_path).close()


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ("450 Try later.", "STOR"),
        ("553 Not that name.", "STOR"),
        ("425 Cannot open a data connection.", "PASV"),
        ("421 Service not available.", "TYPE"),
        ("552 No room.", "226"),
        ("550 Refused after the data.", "226"),
    ],
)
@pytest.mark.parametrize("kept", [True, False])
def test_f11_any_reply_can_be_laid_up_for_any_command(
    sandbox: SkatSandbox, client: Client, words: str, command: str, kept: bool
) -> None:
    sandbox.faults.replies[command] = [words]
    sandbox.faults.keep_refused = kept
    with pytest.raises(ftplib.Error, match=words[:3]):
        client.upload(PATH, sandbox.example("Udlaan"))
    assert len(sandbox.arrived) == (1 if kept and command == "226" else 0)
    if not words.startswith("421"):
        client.upload("Udlaan/b.zip", sandbox.example("Udlaan", seed=1))


def test_f13_auth_tls_can_be_refused(sandbox: SkatSandbox, tmp_path: Path) -> None:
    sandbox.faults.replies["AUTH"] = ["502 Not here."]
    with pytest.raises(ftplib.error_perm, match="502 Not here"):
        log_in(sandbox, tmp_path)
    assert sandbox.commands == ("AUTH TLS",)


def test_f06_logins_can_be_refused(sandbox: SkatSandbox, tmp_path: Path) -> None:
    with sandbox.faults.during(refuse_login="Account locked."), pytest.raises(ftplib.error_perm, match="530 Account"):
        log_in(sandbox, tmp_path)


@pytest.mark.parametrize("where", ["220", "TLS", "USER", "STOR", "226"])
def test_f02_the_server_falls_silent(sandbox: SkatSandbox, tmp_path: Path, where: str) -> None:
    sandbox.faults.silent_at = frozenset({where})
    with pytest.raises(TimeoutError):
        file_once(sandbox, tmp_path, timeout=0.3)
    assert len(sandbox.filed) == (1 if where == "226" else 0)


@pytest.mark.parametrize("loss", list(LinkLoss))
def test_f09_the_link_is_lost_during_an_upload(sandbox: SkatSandbox, client: Client, loss: LinkLoss) -> None:
    with sandbox.faults.during(link_loss=loss), pytest.raises((EOFError, OSError, ftplib.error_proto)):
        client.upload(PATH, sandbox.example("Udlaan"))
    assert eventually(lambda: len(sandbox.filed) == (1 if loss is LinkLoss.AFTER_DATA_KEPT else 0))


@pytest.mark.parametrize(
    ("broken", "codes"),
    [
        (Broken.FORGOTTEN, [None]),
        (Broken.NAME_BURNT, ["FILENAME_CANNOT_BE_REUSED_FOR_TRANSACTION"]),
        (Broken.TAKEN, [None, "FILENAME_CANNOT_BE_REUSED_FOR_TRANSACTION"]),
    ],
)
@pytest.mark.parametrize("how", ["link", "no TLS shutdown"])
def test_f09_what_becomes_of_a_broken_upload_can_be_chosen(
    tmp_path: Path, broken: Broken, codes: list[str | None], how: str
) -> None:
    with SkatSandbox(settings=Settings(broken_uploads=broken)) as sandbox:
        with contextlib.closing(log_in(sandbox, tmp_path)) as client:
            if how == "link":
                sandbox.faults.link_loss = LinkLoss.DURING_DATA
            client.voidcmd("TYPE I")
            data = client.transfercmd(f"STOR {PATH}")
            data.sendall(sandbox.example("Udlaan"))
            data.shutdown(socket.SHUT_WR)  # below TLS
            with data, pytest.raises((ftplib.Error, OSError, EOFError)):
                client.voidresp()
        sandbox.faults.clear()
        with log_in(sandbox, tmp_path) as client:
            client.upload(PATH, sandbox.example("Udlaan"))
        assert [arrival.code for arrival in sandbox.arrived] == codes


@pytest.mark.parametrize("content", [b"", b"PK" * 500], ids=["empty", "a zip"])
def test_f11_the_disk_is_full(sandbox: SkatSandbox, client: Client, content: bytes) -> None:
    with sandbox.faults.during(disk_full=True), pytest.raises(ftplib.error_perm, match="552"):
        client.upload(PATH, content)
    assert sandbox.arrived == ()
    client.upload(PATH, sandbox.example("Udlaan"))
    assert len(sandbox.filed) == 1
    assert not any("stumbled" in finding for finding in sandbox.findings)


def test_a_quota_ends_uploads_of_many_blocks(tmp_path: Path) -> None:
    with SkatSandbox(settings=Settings(quota=1_000_000)) as sandbox:
        with contextlib.closing(log_in(sandbox, tmp_path)) as client, pytest.raises(ftplib.all_errors):
            client.upload(PATH, bytes(20_000_000))
        assert sandbox.arrived == ()


def test_f12_a_download_is_cut_without_a_tls_shutdown(sandbox: SkatSandbox, client: Client) -> None:
    sandbox.put(sandbox.identity, "fejl.txt", bytes(100_000))
    sandbox.faults.cut_downloads = 1000
    blocks: list[bytes] = []
    with contextlib.suppress(OSError):
        client.retrbinary("RETR out/fejl.txt", blocks.append)
    assert len(b"".join(blocks)) == 1000


def test_f12_data_connections_end_without_a_tls_shutdown(sandbox: SkatSandbox, client: Client) -> None:
    sandbox.put(sandbox.identity, "fejl.txt", bytes(1000))
    sandbox.faults.no_close_notify = True
    client.voidcmd("TYPE I")
    with client.transfercmd("RETR out/fejl.txt") as data:
        data.suppress_ragged_eofs = False  # type: ignore[attr-defined]
        with pytest.raises(ssl.SSLEOFError):
            b"".join(iter(lambda: data.recv(4096), b""))


def test_f08_the_passive_reply_lies(sandbox: SkatSandbox, client: Client) -> None:
    with sandbox.faults.during(passive_address="10.1.2.3", passive_port=40123):
        assert "(10,1,2,3,156,187)" in client.sendcmd("PASV")
        assert "(|||40123|)" in client.sendcmd("EPSV")
    assert "(127,0,0,1," in client.sendcmd("PASV")


def test_f19_replies_may_be_as_long_and_as_odd_as_one_likes(sandbox: SkatSandbox, client: Client) -> None:
    sandbox.faults.replies["NOOP"] = ["200 " + "x" * 1_000_000]
    with pytest.raises(ftplib.Error, match="got more than"):
        client.sendcmd("NOOP")


def test_replies_can_be_slow(sandbox: SkatSandbox, client: Client) -> None:
    sandbox.faults.reply_delay = 0.1
    started = time.monotonic()
    client.sendcmd("NOOP")
    assert time.monotonic() - started >= 0.1


# --- folders and listings


def test_f20_roles_can_be_gone(sandbox: SkatSandbox, client: Client) -> None:
    with sandbox.faults.during(roles_gone=True):
        assert client.nlst() == ["out"]
    assert "Udlaan" in client.nlst()


def test_f16_listings_show_hostile_names(sandbox: SkatSandbox, client: Client) -> None:
    hostile = ("../x", "/etc/passwd", "a\x1b[31m.xml", "status_..\\_1.xml", "æøå.txt", "x" * 300)
    sandbox.faults.extra_entries = hostile
    assert sorted(client.nlst("out")) == sorted(hostile)
    assert sorted(client.names("out")) == sorted(hostile)
    for name in hostile:
        with pytest.raises(ftplib.error_perm, match="550"):
            client.download(f"out/{name}")


def test_f16_a_listing_has_100_000_entries(sandbox: SkatSandbox, client: Client) -> None:
    sandbox.faults.flood = 100_000
    assert len(client.names("out")) == 100_000


def test_f16_a_listing_says_anything(sandbox: SkatSandbox, client: Client) -> None:
    sandbox.faults.raw_listing = b"total 1\r\n\r\nnot a listing\r\n"
    lines: list[str] = []
    client.retrlines("LIST out", lines.append)
    assert lines == ["total 1", "", "not a listing"]


def test_f16_files_vanish_between_list_and_get(sandbox: SkatSandbox, client: Client) -> None:
    sandbox.put(sandbox.identity, "fejl.txt", b"0001\r\n")
    with sandbox.faults.during(vanishing=True):
        assert client.nlst("out") == ["fejl.txt"]
        with pytest.raises(ftplib.error_perm, match="550"):
            client.download("out/fejl.txt")


# --- the back end


def test_f15_statuses_are_missing(sandbox: SkatSandbox, client: Client) -> None:
    sandbox.faults.missing = frozenset({1, 3})
    assert sorted(out_after(sandbox, client)) == [f"Udlaan_SvarFil_{NAME[:-4]}.xml", f"status_Udlaan_{NAME}_2.xml"]


def test_f15_statuses_are_late(sandbox: SkatSandbox, client: Client) -> None:
    sandbox.faults.statuses_late = timedelta(days=2)
    assert list(out_after(sandbox, client)) == [f"Udlaan_SvarFil_{NAME[:-4]}.xml"]
    sandbox.clock.advance(timedelta(days=2))
    assert len(sandbox.out(sandbox.identity)) == 4


def test_a_back_end_that_is_back_early_hands_over_what_waits(sandbox: SkatSandbox, client: Client) -> None:
    with sandbox.faults.during(away_until=sandbox.clock() + timedelta(days=1)):
        assert out_after(sandbox, client) == {}
    assert len(sandbox.out(sandbox.identity)) == 4


def test_f15_statuses_come_in_the_wrong_order(tmp_path: Path) -> None:
    clock = SandboxClock(START)
    with SkatSandbox(clock=clock) as sandbox, log_in(sandbox, tmp_path) as client:
        sandbox.faults.reversed_statuses = True
        client.upload(PATH, sandbox.example("Udlaan"))
        seen = []
        for _ in range(12):
            clock.advance(0.01)
            seen.append("".join(sorted(name[-5] for name in sandbox.out(sandbox.identity) if name[:6] == "status")))
        assert list(dict.fromkeys(seen)) == ["", "3", "23", "123"]


def test_f15_statuses_come_twice(tmp_path: Path) -> None:
    clock = SandboxClock(START)
    with SkatSandbox(clock=clock) as sandbox, log_in(sandbox, tmp_path) as client:
        sandbox.faults.repeat_statuses = True
        client.upload(PATH, sandbox.example("Udlaan"))
        clock.advance(0.06)
        client.delete(f"out/status_Udlaan_{NAME}_1.xml")
        clock.advance(0.06)
        assert f"status_Udlaan_{NAME}_1.xml" in client.nlst("out")


@pytest.mark.parametrize("damage", list(Damage))
def test_f15_statuses_are_damaged(sandbox: SkatSandbox, client: Client, damage: Damage) -> None:
    sandbox.faults.damage = damage
    status = out_after(sandbox, client)[f"status_Udlaan_{NAME}_1.xml"]
    match damage:
        case Damage.EMPTY:
            assert status == b""
        case Damage.TRUNCATED | Damage.NOT_XML:
            with pytest.raises(expat.ExpatError):
                expat.ParserCreate().Parse(status, True)
        case Damage.OVERSIZED:
            assert len(status) > 32_000_000
        case Damage.DOCTYPE:
            assert b"<!DOCTYPE status>" in status
        case Damage.ENTITIES:
            assert b"file:///etc/hostname" in status
            assert b"<service>Udlaan&a9;&local;</service>" in status
        case Damage.UNKNOWN_ELEMENTS:
            expat.ParserCreate().Parse(status, True)
            assert b"<afstemning>" in status


def test_any_code_can_be_refused_with(sandbox: SkatSandbox, client: Client) -> None:
    sandbox.faults.refuse_with = "SOMETHING_NEW"
    out = out_after(sandbox, client)
    assert list(out) == [f"status_Udlaan_{NAME}_0.xml"]
    assert b"<error.code>SOMETHING_NEW</error.code>" in out[f"status_Udlaan_{NAME}_0.xml"]
    assert sandbox.filed == ()


def test_confirmed_files_can_be_lost(sandbox: SkatSandbox, client: Client) -> None:
    sandbox.faults.lose_files = True
    assert out_after(sandbox, client, 10**6) == {}
    assert (len(sandbox.arrived), sandbox.filed) == (1, ())


def test_an_answer_is_replaced(tmp_path: Path) -> None:
    clock = SandboxClock(START)
    with SkatSandbox(clock=clock) as sandbox, log_in(sandbox, tmp_path) as client:
        sandbox.faults.replace_answers = True
        name = f"Udlaan_SvarFil_{NAME[:-4]}.xml"
        first = out_after(sandbox, client, 0.12)[name]
        clock.advance(1)
        second = sandbox.out(sandbox.identity)[name]
        assert second.startswith(first)
        assert len(second) > len(first)


def test_f15_an_answer_is_half_written_for_a_while(tmp_path: Path) -> None:
    clock = SandboxClock(START)
    with SkatSandbox(clock=clock) as sandbox, log_in(sandbox, tmp_path) as client:
        sandbox.faults.growing = timedelta(seconds=10)
        name = f"Udlaan_SvarFil_{NAME[:-4]}.xml"
        whole = out_after(sandbox, client, 1)[name]
        half = client.download(f"out/{name}")
        assert whole.startswith(half)
        assert (len(half), dict(client.mlsd("out"))[name]["size"]) == (len(whole) // 2, str(len(whole) // 2))
        clock.advance(10)
        assert client.download(f"out/{name}") == whole


# --- the switches themselves


def test_clearing_sets_every_switch_back() -> None:
    faults = Faults(replies={"STOR": ["450 x"]}, flood=3, damage=Damage.EMPTY, roles_gone=True)
    faults.clear()
    assert faults == Faults()


def test_every_switch_is_described() -> None:
    described = Faults.__doc__ or ""
    assert [field.name for field in attrs.fields(Faults) if f"`{field.name}`" not in described] == []
