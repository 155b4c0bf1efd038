"""Starting, stopping, several at once, nothing left behind; what the client is given; the command's papers."""

from __future__ import annotations

import re
import socket
import ssl
import subprocess
import sys
import threading
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

import attrs
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from govfile import vero
from govfile.certificates.trust import Trust
from govfile.errors import ConfigurationError
from govfile.sandbox.vero import SandboxClock, Settings, VeroSandbox, serve, throw_away
from govfile.sandbox.vero.command import write_papers
from support.left_behind import open_files, threads
from support.vero_customer import ID, Customer, enveloped, key, papers, signed

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography import x509


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


def test_nothing_is_left_when_it_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = open_files()
    with VeroSandbox() as authority:
        where = authority.environment
        with Customer(authority) as customer:
            customer.enrolled()
    assert threads() == []
    assert open_files() - before == set()
    assert list(tmp_path.iterdir()) == []
    assert where.register is not None
    for url in (where.url, where.register.url):
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port_of(url))) != 0


def test_it_stops_at_once_in_the_middle_of_an_answer() -> None:
    authority = VeroSandbox()
    authority.start()
    authority.faults.delay = 600
    failed: list[BaseException] = []

    def ask() -> None:
        try:
            with Customer(authority) as customer:
                customer.get("0" * 32)
        except Exception as error:  # noqa: BLE001 - told to the test
            failed.append(error)

    worker = threading.Thread(target=ask)
    worker.start()
    for _ in range(500):
        if authority.requests:
            break
        time.sleep(0.01)
    start = time.monotonic()
    authority.stop()
    assert time.monotonic() - start < 30
    worker.join(10)
    assert len(failed) == 1
    authority.stop()
    assert threads() == []


def test_it_starts_again_and_remembers() -> None:
    authority = VeroSandbox()
    for step in range(2):
        with authority, Customer(authority) as customer:
            if not step:
                code, password = authority.invite(ID)
                retrieval = customer.sign_new((code, password.reveal()), key("first"))["RetrievalId"]
                assert customer.get(retrieval).code == "PKI920"
            else:
                assert customer.get(retrieval).certificate == authority.issued[0].certificate


def test_it_cannot_run_twice_at_once_nor_on_a_port_that_is_taken() -> None:
    with VeroSandbox() as authority:
        with pytest.raises(ConfigurationError, match="running already"):
            authority.start()
        where = authority.environment
        assert where.register is not None
        ports = port_of(where.url), port_of(where.register.url)
        for settings in (Settings(port=ports[0]), Settings(register_port=ports[1])):
            with pytest.raises(ConfigurationError, match="port"):
                VeroSandbox(settings=settings).start()
        assert len(threads()) == 2
    with pytest.raises(ConfigurationError, match="not running"):
        _ = authority.environment


def test_several_run_at_once_and_know_nothing_of_each_other() -> None:
    with VeroSandbox() as one, VeroSandbox() as two:
        assert one.environment.name != two.environment.name
        code, password = one.invite(ID)
        with Customer(one) as here, Customer(two) as there:
            assert there.sign_new((code, password.reveal()), key("first")).code == "PKI902"
            assert here.sign_new((code, password.reveal()), key("first"))["Status"] == "OK"


def test_it_starts_quickly() -> None:
    with VeroSandbox():
        pass  # the servers' keys of this process are made
    start = time.process_time()  # what it costs, however busy the machine is
    with VeroSandbox():
        assert time.process_time() - start < 0.3


def test_many_customers_at_once() -> None:
    numbers = [f"{number:07}-1" for number in range(12)]
    with VeroSandbox() as authority:

        def enrol(number: str) -> x509.Certificate:
            with Customer(authority, customer_id=number) as customer:
                return customer.enrolled()

        with ThreadPoolExecutor(6) as workers:
            found = list(workers.map(enrol, numbers))
        assert sorted(issued.customer_id for issued in authority.issued) == numbers
    names = [certificate.subject.rfc4514_string() for certificate in found]
    assert all(f"CN={number}" in name for number, name in zip(numbers, names, strict=True))


# --- what the client is given


def test_the_environment_is_the_clients_own_on_loopback() -> None:
    with VeroSandbox() as authority:
        found, like = authority.environment, vero.TEST
        assert (found.element, found.path, found.opens_before) == (like.element, like.path, like.opens_before)
        assert found.is_test
        assert found.url.startswith("https://127.0.0.1:")
        assert found.register is not None
        assert like.register is not None
        assert found.register.path == like.register.path
        assert not found.register.is_production
        bench = authority.bench_environment
        assert (bench.path, bench.repeats, bench.register) == (vero.TEST_BENCH.path, True, None)


def test_its_anchors_are_found_by_their_pins_too() -> None:
    with VeroSandbox() as authority:
        bare = attrs.evolve(authority.environment, answer_signers=None, issuers=None)
        assert bare.trusting(authority.authorities_pem()).anchors() == authority.environment.anchors()
        answers, issuers = bare.trusting(authority.authorities_pem()).anchors()
    assert isinstance(answers, Trust)
    assert answers != issuers


def test_a_production_sandbox_is_another_environment() -> None:
    with VeroSandbox(settings=Settings(element="PRODUCTION")) as authority, Customer(authority) as customer:
        assert authority.environment.register is not None
        assert authority.environment.register.is_production
        code, password = authority.invite(ID)
        codes = code, password.reveal()
        assert customer.sign_new(codes, key("first")).code == "PKI901"
        assert customer.sign_new(codes, key("first"), Environment="PRODUCTION")["Status"] == "OK"


def test_codes_are_made_where_none_are_given() -> None:
    authority = VeroSandbox()
    code, password = authority.invite(ID)
    assert re.fullmatch(r"\d{32}", code)
    assert len(password.reveal()) == 16
    assert authority.invite(ID)[0] != code
    with pytest.raises(ConfigurationError, match="sent already"):
        authority.invite(ID, transfer_id=code)


def test_a_credential_without_any_order() -> None:
    authority = VeroSandbox()
    found = authority.credential_for(ID, customer_name="Ab Example Oy")
    assert found.certificate.issuer == throw_away.certificate(throw_away.Authority.DATA_PROVIDERS).subject
    assert ID in found.certificate.subject.rfc4514_string()
    old = authority.credential_for(ID, issued=authority.clock() - timedelta(days=1000))
    assert old.expires < authority.clock()
    assert authority.issued == ()


def test_nothing_secret_is_shown() -> None:
    with VeroSandbox() as authority, Customer(authority) as customer:
        code, password = authority.invite(ID)
        customer.sign_new((code, password.reveal()), key("first"))
        shown = repr(authority) + repr(vars(authority)) + repr(authority.requests) + repr(authority.issued)
        shown += repr(authority.findings) + repr(authority.bench)
    for secret in (password.reveal(), code, authority.bench.transfer_password, "PRIVATE KEY"):
        assert secret not in shown


def test_the_clock_is_the_servers_date(tmp_path: Path) -> None:
    clock = SandboxClock()
    with VeroSandbox(clock=clock) as authority, Customer(authority) as customer:
        clock.advance(timedelta(days=3650))
        assert f" {clock().year} " in customer.get("0" * 32).headers["date"]
        place, certificate = papers(authority, tmp_path)
        with Customer(authority, shows=place) as payroll:
            message = signed(authority.example("Echo"), throw_away.key(throw_away.Key.CUSTOMER), certificate)
            assert payroll.service("EchoService", "SendEcho", message)["Data"] == "hello"


# --- the command


def test_the_command_writes_papers_for_their_owner_only(tmp_path: Path) -> None:
    with VeroSandbox() as authority, Customer(authority) as customer:
        found = write_papers(authority, tmp_path / "papers")
        assert {path.stat().st_mode & 0o777 for path in (tmp_path / "papers").iterdir()} == {0o600}
        profile = tomllib.loads(found.config.read_text())["profiles"]["sandbox"]
        assert profile["environment"]["url"] == authority.environment.url
        codes = (found.transfer_id, found.transfer_password.read_text())
        assert customer.sign_new(codes, key("first"))["Status"] == "OK"
        load_pem_private_key(found.bench_new.read_bytes(), None)
        assert Trust.only(found.authorities).anchors
        assert found.transfer_id not in repr(found)
        write_papers(authority, tmp_path / "papers")
        (tmp_path / "file").write_text("x")
        with pytest.raises(ConfigurationError, match="cannot be written"):
            write_papers(authority, tmp_path / "file")


@pytest.mark.parametrize("lifelike", [False, True])
def test_the_command_serves_until_it_is_told_to_end(tmp_path: Path, lifelike: bool) -> None:
    said: list[str] = []
    end = threading.Event()
    options = {"into": tmp_path / "p", "say": said.append, "until": end, "lifelike": lifelike}
    worker = threading.Thread(target=serve, kwargs=options)
    worker.start()
    for _ in range(500):
        if len(said) == 7:
            break
        time.sleep(0.02)
    port = re.search(r"https://127\.0\.0\.1:(\d+)/2017/10/CertificateServices", said[0])
    assert port is not None
    context = ssl.create_default_context(cafile=tmp_path / "p" / "servers-ca.pem")
    with (
        socket.create_connection(("127.0.0.1", int(port[1])), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as connection,
    ):
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert connection.recv(12) == b"HTTP/1.1 404"
    end.set()
    worker.join(10)
    assert not worker.is_alive()
    assert threads() == []


def test_importing_the_sandbox_loads_no_parser() -> None:
    program = "import sys, govfile.sandbox, govfile.sandbox.vero; assert not {'lxml', 'zeep'} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_the_helper_speaks_soap() -> None:
    assert enveloped("<x/>").endswith(b"<e:Body><x/></e:Body></e:Envelope>")
