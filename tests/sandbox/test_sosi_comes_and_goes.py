"""Starting, stopping, several at once, nothing left behind; the papers, the examples, the program."""

from __future__ import annotations

import logging
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12
from lxml import etree

from govfile.errors import ConfigurationError
from govfile.sandbox.sosi import SandboxClock, Settings, SosiSandbox, serve
from govfile.sandbox.sosi.command import write_papers
from govfile.sandbox.sosi.examples import KINDS
from support.sosi_caller import Caller, CardText

if TYPE_CHECKING:
    from pathlib import Path


def threads() -> set[threading.Thread]:
    """Those of all sandboxes; another test's may be up."""
    return {found for found in threading.enumerate() if found.name.startswith("govfile-sandbox")}


def test_nothing_is_left_when_it_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    before = threads()
    with SosiSandbox() as sandbox:
        port = sandbox.port
        assert Caller(sandbox).issue().fault is None
        sandbox.faults.drop_after = True
        with pytest.raises(OSError, match=r"."):
            Caller(sandbox).issue()
    assert threads() <= before
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def test_it_starts_at_once() -> None:
    with SosiSandbox():
        pass
    start = time.monotonic()
    with SosiSandbox() as sandbox:
        assert sandbox.port
    assert time.monotonic() - start < 1


def test_a_slow_answer_does_not_hold_up_the_end() -> None:
    with SosiSandbox() as sandbox, ThreadPoolExecutor(1) as pool:
        sandbox.faults.delay = 60
        waiting = pool.submit(Caller(sandbox).issue)
        deadline = time.monotonic() + 30
        while not sandbox.answered and time.monotonic() < deadline:
            time.sleep(0.005)
        start = time.monotonic()
        sandbox.stop()
        assert time.monotonic() - start < 20
        assert isinstance(waiting.exception(timeout=20), OSError)


def test_several_serve_many_at_once() -> None:
    with SosiSandbox() as first, SosiSandbox() as second, ThreadPoolExecutor(8) as pool:
        callers = [Caller(first), Caller(second)] * 10
        answers = list(pool.map(lambda each: each.issue(CardText(it_system=f"System {each.sandbox.port}")), callers))
        assert [each.fault for each in answers] == [None] * 20
        for sandbox in (first, second):
            assert len(sandbox.answered) == 10
            assert all(f"System {sandbox.port}".encode() in each.request for each in sandbox.answered)


def test_it_may_be_started_again_and_remembers() -> None:
    sandbox = SosiSandbox()
    with pytest.raises(ConfigurationError, match="not running"):
        _ = sandbox.base_url
    for _ in range(2):
        with sandbox:
            assert Caller(sandbox).issue().fault is None
    assert len(sandbox.answered) == 2


def test_its_clock_is_moved_by_hand() -> None:
    clock = SandboxClock(datetime.now(UTC).replace(microsecond=0))
    with SosiSandbox(clock=clock) as sandbox:
        clock.advance(timedelta(hours=6))
        start = clock()
        answer = Caller(sandbox).issue(CardText(start=start))
        assert answer.text("//wsu:Created") == start.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_plain_http_where_that_is_wished() -> None:
    with SosiSandbox(settings=Settings(tls=False)) as sandbox:
        assert sandbox.base_url.startswith("http://127.0.0.1:")
        assert sandbox.environment.base_url == sandbox.base_url


def test_only_its_own_services_answer() -> None:
    with SosiSandbox() as sandbox:
        caller = Caller(sandbox)
        assert caller.post("/", "x").status == 404
        assert caller.get(sandbox.settings.paths.new).status == 405
        assert caller.get(sandbox.settings.paths.idws).status == 405
        answer = caller.get(sandbox.settings.paths.dgws)
        assert answer.text("//detail/*[local-name()='FaultCode']") == "illegal_HTTP_method"
        description = caller.get(f"{sandbox.settings.paths.dgws}?WSDL")
        assert description.body == sandbox.wsdl("dgws")
        address = etree.fromstring(description.body).find(".//{http://schemas.xmlsoap.org/wsdl/soap/}address")
        assert address is not None
        assert address.get("location") == sandbox.service_url("dgws")
        with pytest.raises(ConfigurationError, match="no service"):
            sandbox.service_url("nts")


@pytest.mark.parametrize("kind", KINDS)
def test_examples_are_accepted(kind: str) -> None:
    with SosiSandbox() as sandbox:
        example, caller, paths = sandbox.example(kind), Caller(sandbox), sandbox.settings.paths
        if kind.endswith("request"):
            path = paths.dgws if kind.startswith("dgws") else paths.new
            assert caller.post(path, example).fault is None
        elif kind.endswith("card"):
            assert etree.fromstring(example).get("id") == "IDCard"
        else:
            assert etree.fromstring(example).tag == "{urn:example}Ping"
        with pytest.raises(ConfigurationError, match="no example"):
            sandbox.example("cake")


def test_the_papers_are_private_and_lead_to_the_sandbox(tmp_path: Path) -> None:
    with SosiSandbox() as sandbox:
        papers = write_papers(sandbox, tmp_path / "papers")
        for path in (tmp_path / "papers").iterdir():
            assert path.stat().st_mode & 0o777 == 0o600
        key = load_pkcs12(papers.system.read_bytes(), papers.system_passphrase.read_bytes())
        assert key.cert is not None
        assert key.cert.certificate == sandbox.system.certificate
        profile = tomllib.loads(papers.config.read_text())["profiles"]["sandbox"]
        assert profile["environment"]["url"] == sandbox.base_url
        assert profile["environment"]["allow_sha1"] is True
        assert all((papers.config.parent / profile["environment"][name]).is_file() for name in ("tls", "federation"))
        write_papers(sandbox, tmp_path / "papers")
        papers.config.write_text("mine")
        with pytest.raises(ConfigurationError, match="no sandbox wrote"):
            write_papers(sandbox, tmp_path / "papers")


def test_who_looks_at_the_log_learns_why_he_was_refused_and_no_personal_number(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, logger="govfile.sandbox")
    with SosiSandbox() as sandbox:
        caller = Caller(sandbox)
        assert caller.issue(CardText(signature_id="name")).fault is not None
        assert caller.issue(CardText(cpr="1111111118")).fault is not None
        for service in ("dgws", "idws"):
            caller.post(getattr(sandbox.settings.paths, service), b"<a/>")
    said = [record.getMessage() for record in caplog.records if "refused" in record.getMessage()]
    assert said == [
        "new refused: InvalidRequest from http://www.sosists.dk/sts: the signature's id is not OCESSignature",
        "new refused: FailedAuthentication from dk:sosi:sts:cvrridcpr: see its words",
        "dgws refused: syntax_error: no SOAP envelope",
        "idws refused: syntax_error: no SOAP envelope",
    ]


def test_serving_ends_when_told_and_says_no_personal_number(tmp_path: Path) -> None:
    lines: list[str] = []
    until = threading.Event()
    before = threads()

    def say(line: str) -> None:
        lines.append(line)
        if line.startswith("Ctrl-C"):
            until.set()

    serve(into=tmp_path, sha256=True, plain=True, say=say, until=until)
    assert any("http://127.0.0.1:" in line for line in lines)
    assert not any("0101001234" in line for line in lines)
    assert "allow_sha1 = false" in (tmp_path / "govfile.toml").read_text()
    assert threads() <= before


def test_the_program_runs_until_it_is_interrupted(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "govfile", "sandbox", "sosi", "--into", str(tmp_path / "papers")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as running:
        try:
            assert running.stdout is not None
            said = []
            for line in running.stdout:
                said.append(line)
                if line.startswith("Ctrl-C"):
                    break
            found = re.search(r"listens on https://127\.0\.0\.1:(\d+)", "".join(said))
            assert found is not None
            socket.create_connection(("127.0.0.1", int(found[1])), timeout=10).close()
            running.send_signal(signal.SIGINT)
            rest, _ = running.communicate(timeout=60)
            assert "Ended." in rest
        finally:
            running.kill()
