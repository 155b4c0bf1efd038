"""Starting, stopping, several at once, and nothing left behind; the command's papers; what is shipped."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12
from cryptography.x509.oid import NameOID

from govfile.errors import ConfigurationError, MissingExtra
from govfile.sandbox.skat import CertificateKind, SandboxClock, Settings, SkatSandbox, serve
from govfile.sandbox.skat.command import write_papers
from support.ftps_client import Client, context, eventually, log_in
from support.left_behind import open_files, threads
from support.programs import lacking


def test_nothing_is_left_when_it_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    before = open_files()
    sandbox = SkatSandbox(retired=True)
    with sandbox:
        ports = [sandbox.port, sandbox.retired.port]
        assert len(threads()) == 2
        client = log_in(sandbox, tmp_path)
        client.upload("Udlaan/a.zip", sandbox.example("Udlaan"))
        client.upload("BHOL/large.txt", bytes(9_000_000))  # beyond what is kept in memory
    client.close()
    assert threads() == []
    assert open_files() - before == set()
    assert list(tmp_path.iterdir()) == []
    for port in ports:
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_it_starts_again_and_remembers_what_was_filed(tmp_path: Path) -> None:
    sandbox = SkatSandbox()
    for _ in range(2):
        with sandbox, log_in(sandbox, tmp_path) as client:
            client.upload("Udlaan/a.zip", sandbox.example("Udlaan"))
    assert [arrival.code for arrival in sandbox.arrived] == [None, "FILENAME_CANNOT_BE_REUSED_FOR_TRANSACTION"]
    sandbox.stop()


def test_it_cannot_run_twice_at_once_and_says_so() -> None:
    with SkatSandbox() as sandbox, pytest.raises(ConfigurationError, match="running already"):
        sandbox.start()


def test_before_the_start_it_has_no_port() -> None:
    with pytest.raises(ConfigurationError, match="not running"):
        _ = SkatSandbox().environment
    with pytest.raises(ConfigurationError, match="no retired gateway"):
        _ = SkatSandbox().retired


def test_a_port_that_is_taken_is_an_error_and_leaves_nothing_running() -> None:
    with SkatSandbox() as first:
        with pytest.raises(ConfigurationError, match=f"port {first.port}: Address already in use"):
            SkatSandbox(retired_settings=Settings.retired_gateway(port=first.port)).start()
        assert len(threads()) == 1


def test_several_run_at_once_and_know_nothing_of_each_other(tmp_path: Path) -> None:
    with SkatSandbox() as one, SkatSandbox() as two:
        assert one.environment.name != two.environment.name
        for sandbox in (one, two):
            with log_in(sandbox, tmp_path) as client:
                client.upload("Udlaan/a.zip", sandbox.example("Udlaan"))
        assert (len(one.filed), len(two.filed)) == (1, 1)


def test_it_listens_on_ipv6_where_asked(tmp_path: Path) -> None:
    if not socket.has_ipv6 or not Path("/proc/net/if_inet6").exists():
        lacking("this machine has no IPv6")
    with SkatSandbox(settings=Settings(host="::1")) as sandbox:
        assert sandbox.environment.host == "::1"
        client = Client(context=context(sandbox.identity, sandbox.trust_pem(), tmp_path), timeout=10)
        with client:
            client.connect("::1", sandbox.port)
            client.login(sandbox.username, sandbox.password.reveal())
            client.prot_p()
            client.upload("Udlaan/a.zip", sandbox.example("Udlaan"))
        assert "EPSV" in sandbox.commands
        assert len(sandbox.filed) == 1


def test_the_clock_goes_forward_only() -> None:
    clock = SandboxClock(datetime(2026, 1, 5, tzinfo=UTC))
    clock.sleep(3600)
    assert clock.advance(timedelta(days=1)) == clock() == datetime(2026, 1, 6, 1, tzinfo=UTC)
    with pytest.raises(ConfigurationError, match="forward"):
        clock.advance(-1)
    with pytest.raises(ConfigurationError, match="aware"):
        SandboxClock(datetime(2026, 1, 5))  # noqa: DTZ001 - that is the mistake


def test_many_clients_at_once(tmp_path: Path) -> None:
    with SkatSandbox() as sandbox:

        def file_some(number: int) -> None:
            with log_in(sandbox, tmp_path) as client:
                for part in range(5):
                    client.upload(f"Udlaan/run_{number}_{part}.zip", sandbox.example("Udlaan", seed=number * 5 + part))

        workers = [threading.Thread(target=file_some, args=(number,)) for number in range(6)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert len({arrival.sha256 for arrival in sandbox.filed}) == 30


def test_it_outlives_more_connections_than_it_has_file_handles_for() -> None:
    program = """
import contextlib, resource, socket, time
from govfile.sandbox import SkatSandbox
resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))
with SkatSandbox() as sandbox:
    held = []
    with contextlib.suppress(OSError):
        while True:
            held.append(socket.socket())
    held.pop().close()  # the one handle left to the server
    for each in held[:10]:
        each.connect(("127.0.0.1", sandbox.port))
    end = time.monotonic() + 10
    while not sandbox.findings and time.monotonic() < end:
        time.sleep(0.01)
    for each in held:
        each.close()
    with socket.create_connection(("127.0.0.1", sandbox.port), 5) as probe:
        print(probe.recv(3).decode(), *sandbox.findings[:1])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.startswith("220 a connection could not be accepted: [Errno 24]")
    assert done.stderr == ""


def test_passwords_are_kept_out_of_the_record(tmp_path: Path) -> None:
    with SkatSandbox() as sandbox, log_in(sandbox, tmp_path):
        assert "PASS ***" in sandbox.commands
        assert sandbox.password.reveal() not in repr(sandbox.commands) + repr(sandbox.identity) + repr(sandbox)


@pytest.mark.parametrize("kind", list(CertificateKind))
def test_certificates_have_the_shapes_of_the_real_ones(kind: CertificateKind) -> None:
    identity = SkatSandbox().register(kind, cvr="30808460")
    certificate = identity.issued.certificate
    sizes = [len(list(rdn)) for rdn in certificate.subject.rdns]
    serial = str(certificate.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)[0].value)
    if kind.name.startswith("OCES2"):
        assert sizes == [1, 1, 2]
        assert re.fullmatch(rf"CVR:30808460-{kind.value}:\d+", serial)
        assert isinstance(certificate.signature_algorithm_parameters, padding.PKCS1v15)
    else:
        assert sizes == [1] * 5
        assert re.fullmatch(rf"UI:DK-{kind.value}:G:[0-9a-f-]{{36}}", serial)
        assert isinstance(certificate.signature_algorithm_parameters, padding.PSS)


def test_the_credential_is_read_from_its_own_pkcs12_file() -> None:
    sandbox = SkatSandbox()
    credential = sandbox.credential
    assert credential.certificate == sandbox.identity.issued.certificate
    assert credential.subject.cvr == sandbox.identity.cvr
    held = load_pkcs12(sandbox.pkcs12(), sandbox.passphrase.reveal().encode())
    assert held.cert is not None
    assert held.cert.certificate == credential.certificate


def test_examples_of_unknown_kinds_are_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"Findes\.Ikke"):
        SkatSandbox.example("Findes.Ikke")


def test_the_command_writes_papers_for_their_owner_only(tmp_path: Path) -> None:
    with SkatSandbox() as sandbox:
        papers = write_papers(sandbox, tmp_path / "papers")
        assert {path.stat().st_mode & 0o777 for path in (tmp_path / "papers").iterdir()} == {0o600}
        assert f"port = {sandbox.port}" in papers.config.read_text()
        write_papers(sandbox, tmp_path / "papers")
        (tmp_path / "file").write_text("x")
        with pytest.raises(ConfigurationError, match="cannot be written") as refusal:
            write_papers(sandbox, tmp_path / "file")
        assert "--into" in str(refusal.value.advice)


@pytest.mark.parametrize("name", ["company.p12", "govfile.toml", "password.txt"])
def test_papers_that_are_not_the_sandboxs_own_are_never_overwritten(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"the company's own")
    with SkatSandbox() as sandbox, pytest.raises(ConfigurationError, match=f"holds {name}, which no sandbox wrote"):
        write_papers(sandbox, tmp_path)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [(name, b"the company's own")]


def test_the_command_serves_until_it_is_told_to_end(tmp_path: Path) -> None:
    said: list[str] = []
    end = threading.Event()
    worker = threading.Thread(target=serve, kwargs={"into": tmp_path / "p", "say": said.append, "until": end})
    worker.start()
    assert eventually(lambda: len(said) == 6)
    port = re.search(r"localhost:(\d+)", said[0])
    assert port is not None
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", int(port[1]))) == 0
    end.set()
    worker.join(10)
    assert not worker.is_alive()
    assert threads() == []


def test_g09_without_the_extra_it_says_which_one_is_missing(tmp_path: Path) -> None:
    (tmp_path / "pyftpdlib.py").write_text("raise ModuleNotFoundError('hidden', name='pyftpdlib')\n")
    program = "from govfile.sandbox import SkatSandbox\nSkatSandbox()"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert MissingExtra.__name__ in done.stderr
    assert "pip install 'govfile[sandbox]'" in done.stderr


def test_g10_it_runs_with_every_warning_an_error() -> None:
    program = "from govfile.sandbox import SkatSandbox\nwith SkatSandbox() as found: print(found.port)"
    subprocess.run([sys.executable, "-X", "dev", "-W", "error", "-c", program], check=True, capture_output=True)
