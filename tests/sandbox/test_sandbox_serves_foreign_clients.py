"""The sandbox is judged by clients that know nothing of it: ftplib, curl, lftp and openssl."""

from __future__ import annotations

import hashlib
import ssl
import subprocess
from typing import TYPE_CHECKING

import pytest

from govfile.sandbox.skat import Layout, Settings, SkatSandbox
from govfile.sandbox.skat.command import write_papers
from govfile.transports.ftps_policy import TlsStart, TlsVersion
from support.ftps_client import log_in
from support.programs import require

if TYPE_CHECKING:
    from pathlib import Path

NAME = "19552101_2025_a1.zip"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("resumes", [False, True])
def test_ftplib_files_a_report_and_reads_its_statuses(tmp_path: Path, version: ssl.TLSVersion, resumes: bool) -> None:
    with SkatSandbox() as sandbox, log_in(sandbox, tmp_path, version=version, resumes=resumes) as client:
        report = sandbox.example("Udlaan")
        assert client.upload(f"Udlaan/{NAME}", report).startswith("226")
        (arrival,) = sandbox.filed
        assert (arrival.service, arrival.name, arrival.size) == ("Udlaan", NAME, len(report))
        assert arrival.sha256 == hashlib.sha256(report).hexdigest()
        assert arrival.transfer_type == "binary"
        assert arrival.tls_version == version.name.replace("_", ".")
        assert arrival.tls_resumed is resumes
        sandbox.clock.advance(1)
        names = client.names("out")
        assert [f"status_Udlaan_{NAME}_{number}.xml" in names for number in (0, 1, 2, 3)] == [False, True, True, True]
        assert client.download(f"out/status_Udlaan_{NAME}_1.xml").startswith(b'<?xml version="1.0"')


@pytest.mark.parametrize("command", ["STOR Udlaan/a.zip", "RETR out/stor.txt"])
def test_an_aborted_transfer_is_answered_by_426_and_226(tmp_path: Path, command: str) -> None:
    with SkatSandbox() as sandbox, log_in(sandbox, tmp_path) as client:
        sandbox.put(sandbox.identity, "stor.txt", bytes(50_000_000))
        client.voidcmd("TYPE I")
        with client.transfercmd(command) as data:
            if command.startswith("STOR"):
                data.sendall(bytes(20_000_000))  # more than waits in buffers: some of it has arrived
            else:
                data.recv(10)
            client.putcmd("ABOR")
            assert client.getmultiline().startswith("426")
            assert client.getmultiline().startswith("226")
        assert client.sendcmd("NOOP").startswith("200")
        assert sandbox.arrived == ()


def test_a_second_login_begins_in_ascii_as_the_first_did(tmp_path: Path) -> None:
    with SkatSandbox() as sandbox, log_in(sandbox, tmp_path) as client:
        client.voidcmd("TYPE I")
        client.login(sandbox.username, sandbox.password.reveal(), secure=False)
        client.prot_p()
        with client.transfercmd("STOR CPS/a.txt") as data:
            data.sendall(sandbox.example("CPS"))
            data.unwrap()  # type: ignore[attr-defined]
        client.voidresp()
        assert [(arrival.transfer_type, arrival.code) for arrival in sandbox.arrived] == [("ascii", None)]


def test_ftplib_speaks_tls_from_the_first_byte_where_asked(tmp_path: Path) -> None:
    with (
        SkatSandbox(settings=Settings(tls_start=TlsStart.IMPLICIT)) as sandbox,
        log_in(sandbox, tmp_path, implicit=True) as client,
    ):
        assert "Udlaan" in client.nlst()
        assert sandbox.environment.policy.tls_start is TlsStart.IMPLICIT


@pytest.mark.parametrize("layout", list(Layout))
def test_each_layout_is_walked_with_cwd(tmp_path: Path, layout: Layout) -> None:
    with SkatSandbox(settings=Settings(layout=layout)) as sandbox, log_in(sandbox, tmp_path) as client:
        way = [sandbox.identity.company_folder, sandbox.identity.certificate_folder]
        for folder in way[list(Layout).index(layout) :]:
            assert client.nlst() == [folder]
            client.cwd(folder)
        assert {"Udlaan", "out"} <= set(client.nlst())
        client.cwd("Udlaan")
        client.upload(NAME, sandbox.example("Udlaan"))
        client.cwd("../out")
        sandbox.clock.advance(1)
        assert len(client.nlst()) == 4
        assert len(sandbox.filed) == 1


def test_every_kind_of_listing_tells_the_same(tmp_path: Path) -> None:
    with SkatSandbox() as sandbox, log_in(sandbox, tmp_path) as client:
        sandbox.put(sandbox.identity, "fejl.txt", b"0001\r\n")
        lines: list[str] = []
        client.retrlines("LIST out", lines.append)
        ((name, facts),) = client.mlsd("out")
        assert client.nlst("out") == ["fejl.txt"]
        assert lines[0].split()[-1] == "fejl.txt"
        assert lines[0].split()[4] == facts["size"] == "6"
        assert (name, facts["type"]) == ("fejl.txt", "file")
        client.voidcmd("TYPE I")
        assert client.size("out/fejl.txt") == 6


def test_without_mlsd_clients_list_with_nlst(tmp_path: Path) -> None:
    with SkatSandbox(settings=Settings(mlsd=False)) as sandbox, log_in(sandbox, tmp_path) as client:
        with pytest.raises(Exception, match="502"):
            client.names("out")
        assert "MLST" not in client.sendcmd("FEAT")
        assert "Udlaan" in client.nlst()


@pytest.mark.servers
@pytest.mark.parametrize("ceiling", list(TlsVersion))
def test_curl_files_and_fetches(tmp_path: Path, ceiling: TlsVersion) -> None:
    curl = require("curl")
    with SkatSandbox(settings=Settings(ceiling=ceiling, session_reuse_required=True)) as sandbox:
        papers = write_papers(sandbox, tmp_path / "papers")
        report = tmp_path / NAME
        report.write_bytes(sandbox.example("Udlaan"))
        secrets = tmp_path / "curl.config"
        secrets.write_text(f'user = "{sandbox.username}:{sandbox.password.reveal()}"\n')
        usual = [
            curl,
            "-sS",
            "--ssl-reqd",
            "--cacert",
            str(papers.trust),
            "--cert",
            str(papers.pem),
            "-K",
            str(secrets),
        ]
        where = f"ftp://localhost:{sandbox.port}"
        subprocess.run([*usual, "-T", report, f"{where}/Udlaan/"], check=True, timeout=20)
        assert [arrival.sha256 for arrival in sandbox.filed] == [hashlib.sha256(report.read_bytes()).hexdigest()]
        assert sandbox.filed[0].tls_resumed
        sandbox.clock.advance(1)
        listing = subprocess.run([*usual, "-l", f"{where}/out/"], check=True, timeout=20, capture_output=True).stdout
        assert f"status_Udlaan_{NAME}_3.xml" in listing.decode().split()
        status = subprocess.run(
            [*usual, f"{where}/out/status_Udlaan_{NAME}_2.xml"], check=True, timeout=20, capture_output=True
        ).stdout
        assert b"<status.code>OK</status.code>" in status


@pytest.mark.servers
def test_lftp_files_and_fetches(tmp_path: Path) -> None:
    lftp = require("lftp")
    with SkatSandbox() as sandbox:
        papers = write_papers(sandbox, tmp_path / "papers")
        (tmp_path / NAME).write_bytes(sandbox.example("Udlaan"))
        sandbox.put(sandbox.identity, "fejl.txt", b"0001\r\n")
        script = tmp_path / "lftp.script"
        script.write_text(
            f"set ssl:ca-file {papers.trust}\nset ssl:cert-file {papers.pem}\nset ssl:key-file {papers.pem}\n"
            "set ftp:ssl-force true\nset ftp:ssl-protect-data true\nset net:max-retries 1\nset net:timeout 10\n"
            f"open -p {sandbox.port} -u {sandbox.username},{sandbox.password.reveal()} localhost\n"
            f"cd Udlaan\nput {tmp_path / NAME}\ncd ../out\nget fejl.txt -o {tmp_path / 'fejl.txt'}\nrm fejl.txt\n"
        )
        subprocess.run([lftp, "--norc", "-f", script], check=True, timeout=30)
        assert [arrival.name for arrival in sandbox.filed] == [NAME]
        assert (tmp_path / "fejl.txt").read_bytes() == b"0001\r\n"
        assert "fejl.txt" not in sandbox.out(sandbox.identity)


@pytest.mark.servers
def test_openssl_sees_a_chain_it_can_verify(tmp_path: Path) -> None:
    openssl = require("openssl")
    with SkatSandbox() as sandbox:
        papers = write_papers(sandbox, tmp_path / "papers")
        seen = subprocess.run(
            [
                *(openssl, "s_client", "-starttls", "ftp", "-connect", f"127.0.0.1:{sandbox.port}", "-quiet"),
                *("-CAfile", papers.trust, "-verify_hostname", "localhost", "-cert", papers.pem, "-key", papers.pem),
            ],
            input=b"QUIT\r\n",
            capture_output=True,
            timeout=20,
            check=False,
        )
        assert b"verify return:1" in seen.stderr
        assert b"verify error" not in seen.stderr
