"""Each refusal of the gateway, as a foreign client meets it."""

from __future__ import annotations

import contextlib
import ftplib
import io
import socket
import ssl
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from govfile.sandbox.clock import SandboxClock
from govfile.sandbox.skat import CertificateKind, Gate, Settings, SkatSandbox
from govfile.transports.ftps_policy import TlsVersion
from support.ftp_servers import free_ports
from support.ftps_client import Client, context, eventually, log_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DAY = timedelta(days=1)


@pytest.fixture
def sandbox() -> Iterator[SkatSandbox]:
    with SkatSandbox() as found:
        yield found


def refused(client: Client, command: str) -> str:
    with pytest.raises((ftplib.error_perm, ftplib.error_temp)) as refusal:
        client.sendcmd(command)
    return str(refusal.value)[:3]


# --- at the door


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("who", ["nobody", "stranger", "expired", "not yet valid"])
def test_f05_certificates_that_do_not_verify_end_the_handshake(
    sandbox: SkatSandbox, tmp_path: Path, who: str, version: ssl.TLSVersion
) -> None:
    now = datetime.now(UTC)
    identity = {
        "nobody": None,
        "stranger": sandbox.stranger(),
        "expired": sandbox.expired(),
        "not yet valid": sandbox.register(valid=(now + DAY, now + 9 * DAY)),
    }[who]
    tls = context(identity, sandbox.trust_pem(), tmp_path, version=version)
    with Client(context=tls, timeout=10) as client:
        client.connect("localhost", sandbox.port)
        with pytest.raises((ssl.SSLError, OSError, EOFError)):
            client.login("any", "thing")
    assert not any(command.startswith("PASS") for command in sandbox.commands)
    assert eventually(lambda: any("TLS handshake failed" in finding for finding in sandbox.findings))


@pytest.mark.parametrize("kind", list(CertificateKind))
def test_every_kind_of_certificate_logs_in_under_its_own_name_only(
    sandbox: SkatSandbox, tmp_path: Path, kind: CertificateKind
) -> None:
    identity = sandbox.register(kind, cvr="30808460")
    log_in(sandbox, tmp_path, identity).close()
    shape = {"O": "UI", "E": "UI"}.get(kind.value, kind.value)
    assert identity.username.startswith(f"CVR_30808460_{shape}_")
    for username in (sandbox.username, identity.username.lower(), identity.username + "0", "anonymous"):
        with pytest.raises(ftplib.error_perm, match="530"):
            log_in(sandbox, tmp_path, identity, username=username)


def test_f06_a_wrong_password_is_530(sandbox: SkatSandbox, tmp_path: Path) -> None:
    with pytest.raises(ftplib.error_perm, match="530"):
        log_in(sandbox, tmp_path, password="Forkert1234")
    assert sandbox.findings == (f"530: wrong password for {sandbox.username}",)


@pytest.mark.parametrize("gate", list(Gate))
def test_an_unregistered_certificate_is_refused_with_a_finding_that_explains(tmp_path: Path, gate: Gate) -> None:
    with SkatSandbox(settings=Settings(unregistered=gate)) as sandbox:
        log_in(sandbox, tmp_path).close()
        with pytest.raises((ftplib.error_perm, OSError, EOFError)) as refusal:
            log_in(sandbox, tmp_path, sandbox.unregistered())
        assert isinstance(refusal.value, ftplib.error_perm) is (gate is Gate.LOGIN)
        assert eventually(lambda: any("register it in the certificate portal" in found for found in sandbox.findings))


def test_a_renewed_certificate_of_the_same_subject_logs_in(sandbox: SkatSandbox, tmp_path: Path) -> None:
    renewed = sandbox.renew(sandbox.identity)
    assert renewed.issued.certificate != sandbox.identity.issued.certificate
    with log_in(sandbox, tmp_path, renewed) as client:
        assert "Udlaan" in client.nlst()


@pytest.mark.parametrize(
    ("settings", "offered"),
    [
        (Settings(), ssl.TLSVersion.TLSv1_1),
        (Settings(floor=TlsVersion.TLS_1_3), ssl.TLSVersion.TLSv1_2),
        (Settings(ceiling=TlsVersion.TLS_1_2), ssl.TLSVersion.TLSv1_3),
    ],
    ids=["1.1 is switched off", "1.2 below the floor", "1.3 above the ceiling"],
)
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated:DeprecationWarning")
def test_f04_tls_versions_outside_the_bounds_are_refused(
    tmp_path: Path, settings: Settings, offered: ssl.TLSVersion
) -> None:
    with SkatSandbox(settings=settings) as sandbox, pytest.raises((ssl.SSLError, OSError)):
        log_in(sandbox, tmp_path, version=offered)


def test_nothing_is_said_in_clear_text(sandbox: SkatSandbox) -> None:
    with ftplib.FTP(timeout=10) as client:
        client.connect("localhost", sandbox.port)
        for command in (f"USER {sandbox.username}", "PASS x"):
            with pytest.raises(ftplib.error_perm, match="534"):
                client.sendcmd(command)


def test_commands_in_clear_text_behind_auth_are_never_heard(sandbox: SkatSandbox, tmp_path: Path) -> None:
    with Client(context=context(sandbox.identity, sandbox.trust_pem(), tmp_path), timeout=10) as client:
        client.connect("localhost", sandbox.port)
        assert client.sock is not None
        client.sock.sendall(f"AUTH TLS\r\nNOOP\r\nUSER {sandbox.username}\r\nPBSZ 0".encode())
        assert client.getresp().startswith("234")
        client.sock = client.context.wrap_socket(client.sock, server_hostname="localhost")
        client.file = client.sock.makefile("r", encoding="utf-8")
        client.login(sandbox.username, sandbox.password.reveal(), secure=False)
        client.prot_p()
        assert "Udlaan" in client.nlst()
    assert sandbox.commands[:2] == ("AUTH TLS", f"USER {sandbox.username}")
    assert "NOOP" not in sandbox.commands


def test_f13_the_data_channel_cannot_be_clear_text(sandbox: SkatSandbox, tmp_path: Path) -> None:
    with log_in(sandbox, tmp_path) as client:
        assert refused(client, "PROT C") == "534"
    clear = Client(context=context(sandbox.identity, sandbox.trust_pem(), tmp_path), timeout=10)
    with clear as client:
        client.connect("localhost", sandbox.port)
        client.login(sandbox.username, sandbox.password.reveal())
        assert refused(client, "PASV") == "550"


# --- inside

REFUSED_COMMANDS = [
    ("MKD nyt", "502"),
    ("XMKD nyt", "502"),
    ("RMD out", "502"),
    ("RNFR out/fejl.txt", "502"),
    ("RNTO Udlaan/a.zip", "502"),
    ("APPE Udlaan/a.zip", "502"),
    ("REST 10", "502"),
    ("STOU a.zip", "502"),
    ("SITE CHMOD 777 out", "502"),
    ("SITE HELP", "502"),
    ("MFMT 20260101000000 out/fejl.txt", "502"),
    ("PORT 127,0,0,1,200,1", "502"),
    ("EPRT |1|127.0.0.1|50001|", "502"),
    ("NOOP " + "x" * 5000, "500"),
    ("CWD ../../CVR_30808460", "550"),
    ("CWD Findes.Ikke", "550"),
    ("CWD out/fejl.txt", "550"),
    ("DELE Udlaan/a.zip", "550"),
    ("DELE Udlaan", "550"),
    ("DELE out", "550"),
    ("DELE out/findes-ikke.txt", "550"),
    ("MLST out/findes-ikke.txt", "550"),
    ("MLST Findes.Ikke", "550"),
]


@pytest.mark.parametrize(("command", "code"), REFUSED_COMMANDS, ids=[command[:40] for command, _ in REFUSED_COMMANDS])
def test_commands_and_paths_that_are_refused(sandbox: SkatSandbox, tmp_path: Path, command: str, code: str) -> None:
    sandbox.put(sandbox.identity, "fejl.txt", b"0001\r\n")
    with log_in(sandbox, tmp_path) as client:
        assert refused(client, command) == code
        assert client.sendcmd("NOOP").startswith("200")
        assert client.nlst("out") == ["fejl.txt"]


@pytest.mark.parametrize(
    "path", ["a.zip", "out/a.zip", "Findes.Ikke/a.zip", "Udlaan/under/a.zip", "../x/Udlaan/a.zip", "Udlaan"]
)
def test_uploads_go_only_into_a_service_folder(sandbox: SkatSandbox, tmp_path: Path, path: str) -> None:
    with log_in(sandbox, tmp_path) as client, pytest.raises(ftplib.error_perm, match="550"):
        client.upload(path, b"PK")
    assert sandbox.arrived == ()


@pytest.mark.parametrize("path", ["Udlaan/a.zip", "out/findes-ikke.txt", "out", "Udlaan", "../out/fejl.txt/x"])
def test_downloads_come_only_from_out(tmp_path: Path, path: str) -> None:
    still = SandboxClock(datetime(2026, 1, 5, tzinfo=UTC))
    with SkatSandbox(clock=still) as sandbox, log_in(sandbox, tmp_path) as client:
        client.upload("Udlaan/a.zip", sandbox.example("Udlaan"))
        assert client.nlst("Udlaan") == ["a.zip"]
        with pytest.raises(ftplib.error_perm, match="550"):
            client.download(path)


def test_answers_may_be_deleted(sandbox: SkatSandbox, tmp_path: Path) -> None:
    sandbox.put(sandbox.identity, "fejl.txt", b"0001\r\n")
    with log_in(sandbox, tmp_path) as client:
        client.delete("out/fejl.txt")
        assert client.nlst("out") == []


def test_out_is_never_shared_between_certificates(sandbox: SkatSandbox, tmp_path: Path) -> None:
    colleague = sandbox.register()
    assert colleague.cvr == sandbox.identity.cvr
    sandbox.put(sandbox.identity, "fejl.txt", b"0001\r\n")
    with log_in(sandbox, tmp_path, colleague) as client:
        assert client.nlst("out") == []
        with pytest.raises(ftplib.error_perm, match="550"):
            client.download("out/fejl.txt")


def test_f20_only_folders_with_a_role_are_there(sandbox: SkatSandbox, tmp_path: Path) -> None:
    clerk = sandbox.register(services=["CPS"])
    with log_in(sandbox, tmp_path, clerk) as client:
        assert client.nlst() == ["CPS", "out"]
        with pytest.raises(ftplib.error_perm, match="550"):
            client.upload("Udlaan/a.zip", sandbox.example("Udlaan"))


def test_a_company_registered_on_an_se_number_sees_no_folders(sandbox: SkatSandbox, tmp_path: Path) -> None:
    sender = sandbox.register(cvr="30808460", on_se_number=True)
    with log_in(sandbox, tmp_path, sender) as client:
        assert client.nlst() == ["out"]
    assert any("agent" in finding for finding in sandbox.findings)


def test_f07_a_data_connection_that_does_not_resume_is_refused_where_asked(tmp_path: Path) -> None:
    with SkatSandbox(settings=Settings(session_reuse_required=True)) as sandbox:
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            fresh = log_in(sandbox, tmp_path, version=version)
            with contextlib.closing(fresh), pytest.raises(ftplib.all_errors):
                fresh.upload("Udlaan/a.zip", sandbox.example("Udlaan"))
            assert sandbox.arrived == ()
            with log_in(sandbox, tmp_path, version=version, resumes=True) as client:
                assert client.nlst("out") == []


@pytest.mark.parametrize("demanded", [True, False])
def test_the_client_certificate_is_demanded_on_data_connections_where_asked(tmp_path: Path, demanded: bool) -> None:
    with (
        SkatSandbox(settings=Settings(data_certificate=demanded)) as sandbox,
        contextlib.closing(log_in(sandbox, tmp_path)) as client,
    ):
        client.context = context(None, sandbox.trust_pem(), tmp_path)  # for the data connections from now on
        if demanded:
            with pytest.raises((ftplib.Error, OSError, EOFError)):
                client.upload("Udlaan/a.zip", sandbox.example("Udlaan"))
        else:
            client.upload("Udlaan/a.zip", sandbox.example("Udlaan"))
        assert len(sandbox.filed) == (0 if demanded else 1)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("who", ["nobody", "unregistered", "colleague", "stranger"])
@pytest.mark.parametrize("what", ["NLST out", "MLSD out", "RETR out/fejl.txt", "STOR Udlaan/a.zip"])
def test_a_data_connection_of_somebody_else_is_refused_and_answered_once(
    sandbox: SkatSandbox, tmp_path: Path, what: str, who: str, version: ssl.TLSVersion
) -> None:
    sandbox.put(sandbox.identity, "fejl.txt", b"0001\r\n")
    somebody = {
        "nobody": None,
        "unregistered": sandbox.unregistered(),
        "colleague": sandbox.register(),
        "stranger": sandbox.stranger(),
    }[who]
    with contextlib.closing(log_in(sandbox, tmp_path, version=version)) as client:
        client.context = context(somebody, sandbox.trust_pem(), tmp_path, version=version)
        client.voidcmd("TYPE I")
        with contextlib.suppress(OSError), client.transfercmd(what) as data:
            data.settimeout(5)
            assert what.startswith("STOR") or data.recv(100) == b""
        with pytest.raises(ftplib.error_perm, match="522"):
            client.voidresp()
        assert client.sendcmd("NOOP").startswith("200")
    assert sandbox.arrived == ()
    assert not any("stumbled" in finding for finding in sandbox.findings)


@pytest.mark.parametrize("what", ["NLST out", "RETR out/fejl.txt", "STOR Udlaan/a.zip"])
@pytest.mark.parametrize(("spoken", "code"), [(b"", "426"), (b"PK in clear text", "522")])
def test_a_data_connection_without_tls_is_answered_once(
    sandbox: SkatSandbox, tmp_path: Path, what: str, spoken: bytes, code: str
) -> None:
    sandbox.put(sandbox.identity, "fejl.txt", b"0001\r\n")
    with log_in(sandbox, tmp_path) as client:
        with socket.create_connection(client.makepasv(), 5) as data:
            assert client.sendcmd(what)[0] == "1"
            data.sendall(spoken)
        with pytest.raises(ftplib.Error, match=code):
            client.voidresp()
        assert client.sendcmd("NOOP").startswith("200")
    assert sandbox.arrived == ()


def test_data_ports_lie_in_the_published_range(sandbox: SkatSandbox, tmp_path: Path) -> None:
    with log_in(sandbox, tmp_path) as client:
        ports = {client.makepasv()[1] for _ in range(20)}
        assert all(36000 <= port <= 39999 for port in ports)
        assert len(ports) > 1
        extended = client.sendcmd("EPSV").rsplit("|", 2)[1]
        assert 36000 <= int(extended) <= 39999


@pytest.mark.parametrize("command", ["PASV", "EPSV"])
def test_no_data_port_beyond_the_range_is_ever_offered(tmp_path: Path, command: str) -> None:
    only = free_ports(1)
    with (
        SkatSandbox(settings=Settings(data_ports=only)) as sandbox,
        log_in(sandbox, tmp_path) as first,
        log_in(sandbox, tmp_path) as second,
    ):
        assert first.makepasv()[1] == only[0]
        assert refused(second, command) == "425"
        first.sendcmd("ABOR")
        second.upload("Udlaan/a.zip", sandbox.example("Udlaan"))
        assert len(sandbox.filed) == 1


@pytest.mark.parametrize(("settings", "command"), [(Settings(pasv=False), "PASV"), (Settings(epsv=False), "EPSV")])
def test_either_passive_command_may_be_missing(tmp_path: Path, settings: Settings, command: str) -> None:
    with SkatSandbox(settings=settings) as sandbox, log_in(sandbox, tmp_path) as client:
        assert refused(client, command) == "502"


def test_an_upload_without_a_tls_shutdown_counts_as_broken_off(sandbox: SkatSandbox, tmp_path: Path) -> None:
    with log_in(sandbox, tmp_path) as client:
        client.voidcmd("TYPE I")
        data = client.transfercmd("STOR Udlaan/a.zip")
        data.sendall(sandbox.example("Udlaan"))
        data.shutdown(socket.SHUT_WR)  # below TLS: the line is cut
        with pytest.raises(ftplib.error_temp, match="426"):
            client.voidresp()
        data.close()
        assert sandbox.arrived == ()
        client.storbinary("STOR Udlaan/a.zip", io.BytesIO(sandbox.example("Udlaan")))
        assert len(sandbox.filed) == 1
