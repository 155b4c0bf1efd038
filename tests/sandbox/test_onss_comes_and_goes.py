"""Starting, stopping, several at once, nothing left behind; accounts and the half-hours; the command's papers."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import paramiko
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

from govfile import onss
from govfile.certificates.ssh import SshKey
from govfile.errors import ConfigurationError, MissingExtra
from govfile.sandbox.onss import CertificateKind, OnssSandbox, SandboxClock, Settings, serve
from govfile.sandbox.onss.accounts import next_synchronisation
from govfile.sandbox.onss.command import write_papers
from support.left_behind import open_files, threads
from support.onss_sender import connected, noon, standing_still

if TYPE_CHECKING:
    from pathlib import Path


def test_nothing_is_left_when_it_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    before = open_files()
    with OnssSandbox() as authority:
        port = authority.port
        assert len(threads()) == 1
        with connected(authority, tmp_path) as sender:
            sender.put("IN/x", b"x" * 100_000)
            authority.faults.cut_after_received = 10_000
        with pytest.raises((OSError, EOFError, paramiko.SSHException)), connected(authority, tmp_path) as sender:
            sender.put("IN/y", b"y" * 100_000)
    assert threads() == []
    for _ in range(100):  # paramiko's own thread takes its time
        if not open_files() - before:
            break
        time.sleep(0.02)
    assert open_files() - before == set()
    assert list(tmp_path.iterdir()) == []
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_it_stops_at_once_in_the_middle_of_things(tmp_path: Path) -> None:
    authority = OnssSandbox()
    authority.start()
    with connected(authority, tmp_path) as sender:
        authority.faults.silent_at = frozenset({"stat"})
        channel = sender.sftp.get_channel()
        assert channel is not None
        channel.settimeout(0.2)
        with pytest.raises(TimeoutError):
            sender.sftp.stat("IN")
        start = time.monotonic()
        authority.stop()
        assert time.monotonic() - start < 5
    authority.stop()
    assert threads() == []


def test_it_starts_again_and_remembers_what_was_declared(tmp_path: Path) -> None:
    authority = OnssSandbox(clock=SandboxClock(noon()))
    stem = ""
    for _ in range(2):
        with authority, connected(authority, tmp_path) as sender:
            stem = stem or sender.stem()
            sender.declare(authority.example("DMFA"), stem=stem)
            sender.wait()
    assert [each.codes for each in authority.declared] == [(), ("133",)]


def test_it_cannot_run_twice_at_once_nor_on_a_port_that_is_taken() -> None:
    with OnssSandbox() as authority:
        with pytest.raises(ConfigurationError, match="running already"):
            authority.start()
        with pytest.raises(ConfigurationError, match=f"port {authority.port}"):
            OnssSandbox(settings=Settings(port=authority.port)).start()
        assert len(threads()) == 1
    with pytest.raises(ConfigurationError, match="not running"):
        _ = authority.environment


def test_several_run_at_once_and_know_nothing_of_each_other(tmp_path: Path) -> None:
    with standing_still() as one, standing_still() as two:
        assert one.environment.name != two.environment.name
        for authority in (one, two):
            with connected(authority, tmp_path) as sender:
                sender.declare(authority.example("DMFA"), stem=f"DMFA.101420.{sender.day()}.00001.R")
                sender.wait()
        assert (len(one.filed), len(two.filed)) == (1, 1)


def test_it_starts_quickly() -> None:
    with OnssSandbox():
        pass  # keys of this process are made
    start = time.monotonic()
    with OnssSandbox():
        assert time.monotonic() - start < 1


def test_many_clients_at_once(tmp_path: Path) -> None:
    with standing_still() as authority:
        errors: list[BaseException] = []

        def send(number: int) -> None:
            try:
                with connected(authority, tmp_path) as sender:
                    for part in range(5):
                        stem = f"DMFA.101420.{sender.day()}.{number}{part:04}.T"
                        sender.declare(authority.example("DMFA", seed=part), letter="T", stem=stem, signatures=[None])
            except BaseException as error:  # noqa: BLE001 - told to the test
                errors.append(error)

        workers = [threading.Thread(target=send, args=(number,)) for number in range(1, 7)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        authority.clock.advance(60)
        assert errors == []
        assert len(authority.tested) == 30


# --- who may come in


def test_the_environments_are_the_clients_own_on_loopback() -> None:
    with OnssSandbox() as authority:
        for found, like in (
            (authority.environment, onss.environments.PRODUCTION),
            (authority.circuit_test, onss.environments.CIRCUIT_TEST),
            (authority.declaration_test, onss.environments.DECLARATION_TEST),
        ):
            assert (found.letter, found.upload, found.answers) == (like.letter, like.upload, like.answers)
            assert (found.host, found.port) == ("127.0.0.1", authority.port)
            assert found.host_keys is not None
            assert authority.host_key_fingerprint in found.host_keys.fingerprints
        assert authority.host_key_fingerprint.startswith("SHA256:")


def test_the_half_hours() -> None:
    at = noon()
    for minutes, until in ((0, 23), (22, 1), (23, 30), (24, 29), (52, 1), (53, 30)):
        now = at + timedelta(minutes=minutes)
        assert next_synchronisation(now) - now == timedelta(minutes=until)


def test_s03_a_new_channel_works_after_the_next_half_hour(tmp_path: Path) -> None:
    clock = SandboxClock(noon())
    with OnssSandbox(clock=clock, is_synchronised=False) as authority:
        assert authority.account.works_from - authority.account.created == timedelta(minutes=23)
        with pytest.raises(paramiko.AuthenticationException), connected(authority, tmp_path):
            pass
        assert "synchronisation" in authority.findings[-1]
        clock.advance(timedelta(minutes=23))
        with connected(authority, tmp_path) as sender:
            assert sender.sftp.listdir("OUT") == []


def test_a_new_key_counts_after_the_next_half_hour(tmp_path: Path) -> None:
    with standing_still() as authority:
        other = authority.register(user="other001")
        key = SshKey.from_bytes(other.ssh_private_pem)
        since = authority.replace_ssh_key(authority.user, key)
        with connected(authority, tmp_path):
            pass
        authority.clock.advance(since - authority.clock())
        with pytest.raises(paramiko.AuthenticationException), connected(authority, tmp_path):
            pass


@pytest.mark.parametrize("user", ["expdemoentreprise", "EXPDEMOENTREPRISE2", "root", ""])
def test_only_the_exact_user_name_gets_in(tmp_path: Path, user: str) -> None:
    import attrs

    with OnssSandbox() as authority:
        account = attrs.evolve(authority.account, user=user)
        with pytest.raises(paramiko.SSHException), connected(authority, tmp_path, account):
            pass
        with connected(authority, tmp_path):
            pass


def test_user_names_exist_once() -> None:
    with pytest.raises(ConfigurationError, match="taken"):
        OnssSandbox().register(user="EXPDEMOENTREPRISE")
    with pytest.raises(ConfigurationError, match="no user"):
        OnssSandbox().replace_ssh_key("nobody", OnssSandbox().ssh_key)


@pytest.mark.parametrize(
    ("kind", "usages", "size"),
    [
        (CertificateKind.PERSONAL_SIGN, (True, True), 2048),
        (CertificateKind.EID_SIGNATURE, (False, True), 384),
        (CertificateKind.EID_AUTHENTICATION, (True, False), 384),
    ],
)
def test_certificates_have_the_shapes_of_the_real_ones(
    kind: CertificateKind, usages: tuple[bool, bool], size: int
) -> None:
    account = OnssSandbox().register(user="shape001", kind=kind)
    certificate = account.credential.certificate
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.digital_signature, usage.content_commitment) == usages
    assert account.issued.key.key_size == size
    assert "govfile sandbox" in certificate.issuer.rfc4514_string()


def test_the_credential_is_read_from_its_own_pkcs12_file() -> None:
    account = OnssSandbox().account
    held = load_pkcs12(account.pkcs12(), account.passphrase.reveal().encode())
    assert held.cert is not None
    assert held.cert.certificate == account.credential.certificate


def test_nothing_secret_is_shown() -> None:
    authority = OnssSandbox()
    shown = repr(authority.account) + repr(authority) + repr(vars(authority))
    assert authority.account.passphrase.reveal() not in shown
    assert "PRIVATE KEY" not in shown


# --- the command


def test_the_command_writes_papers_for_their_owner_only(tmp_path: Path) -> None:
    with OnssSandbox() as authority:
        papers = write_papers(authority, tmp_path / "papers")
        assert {path.stat().st_mode & 0o777 for path in (tmp_path / "papers").iterdir()} == {0o600}
        assert f"port = {authority.port}" in papers.config.read_text()
        assert SshKey.from_file(papers.ssh_key).fingerprint == authority.ssh_key.fingerprint
        write_papers(authority, tmp_path / "papers")
        (tmp_path / "file").write_text("x")
        with pytest.raises(ConfigurationError, match="cannot be written"):
            write_papers(authority, tmp_path / "file")


def test_the_command_serves_until_it_is_told_to_end(tmp_path: Path) -> None:
    said: list[str] = []
    end = threading.Event()
    worker = threading.Thread(target=serve, kwargs={"into": tmp_path / "p", "say": said.append, "until": end})
    worker.start()
    for _ in range(500):
        if len(said) == 8:
            break
        time.sleep(0.02)
    port = re.search(r"127\.0\.0\.1:(\d+)", said[0])
    assert port is not None
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", int(port[1]))) == 0
    end.set()
    worker.join(10)
    assert not worker.is_alive()
    assert threads() == []


def test_g09_without_the_extra_it_says_which_one_is_missing(tmp_path: Path) -> None:
    (tmp_path / "asyncssh.py").write_text("raise ModuleNotFoundError('hidden', name='asyncssh')\n")
    program = "from govfile.sandbox import OnssSandbox\nOnssSandbox()"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert MissingExtra.__name__ in done.stderr
    assert "pip install 'govfile[sandbox]'" in done.stderr


def test_importing_the_sandbox_loads_no_server() -> None:
    program = "import sys, govfile.sandbox.onss; assert 'asyncssh' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
