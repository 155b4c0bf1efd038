"""`govfile vero`: codes leave once, keys are never lost, and the exit code says who must look."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from govfile.sandbox.vero.faults import Lost, SoapFault
from support.cli import Result, command, run
from support.vero_counter import CUSTOMER, VeroCounter, vero_counter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def vero(tmp_path: Path) -> Iterator[VeroCounter]:
    with vero_counter(tmp_path) as found:
        yield found


def _run(vero: VeroCounter, *arguments: object) -> Result:
    return run("vero", *arguments, "--config", vero.config, "--json")


def _asked(vero: VeroCounter, operation: str) -> int:
    return sum(call.operation == operation for call in vero.authority.requests)


def test_codes_in_a_file_bring_a_certificate_and_the_second_run_sends_nothing(vero: VeroCounter) -> None:
    codes = vero.codes
    first, again = _run(vero, "enrol", "--codes", codes), _run(vero, "enrol", "--codes", codes)
    assert (first.code, again.code) == (0, 0), first.err + again.err
    assert first.kind("credential")[0]["sha256"] == again.kind("credential")[0]["sha256"]
    assert first.kind("credential")[0]["holder"] == CUSTOMER
    assert _asked(vero, "signNewCertificate") == 1


def test_codes_come_from_standard_input(vero: VeroCounter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(vero.codes.read_text()))
    assert _run(vero, "enrol", "--codes", "-").code == 0


def test_codes_come_one_by_one_from_the_environment_and_a_file(
    vero: VeroCounter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSFER_ID_FOR_TEST", vero.papers.transfer_id)
    found = _run(
        vero,
        "enrol",
        CUSTOMER,
        "--transfer-id-env",
        "TRANSFER_ID_FOR_TEST",
        "--password-file",
        vero.papers.transfer_password,
    )
    assert found.code == 0, found.err


def test_a_person_is_asked_and_what_is_typed_is_not_shown(vero: VeroCounter) -> None:
    ours, theirs = pty.openpty()
    arguments = ["vero", "enrol", "--config", vero.config]
    with subprocess.Popen(
        command(*arguments), stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, start_new_session=True, text=True
    ) as running:
        os.close(theirs)
        seen = _answered(ours, {"Transfer id: ": vero.papers.transfer_id, "Transfer password: ": vero.password})
        assert running.stdout is not None
        out = running.stdout.read()
    os.close(ours)
    assert running.returncode == 0, seen
    assert out.startswith("enrolled: ")
    for code in (vero.papers.transfer_id, vero.password):
        assert code not in seen + out


def _answered(terminal: int, answers: dict[str, str]) -> str:
    """Answer each question of the terminal once it is asked; everything that was seen there."""
    seen, left = "", dict(answers)
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # Linux says so when the last writer is gone
            return seen
        if not piece:
            return seen
        seen += piece.decode()
        for question in [found for found in left if found in seen]:
            os.write(terminal, f"{left.pop(question)}\n".encode())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "nobody is there to be asked"),
        (("--transfer-id", "12345678901"), "transfer password is missing"),
        (("--transfer-id", "1", "--transfer-id-file", "x"), "given in two ways"),
        (("--codes", "x", "--password-file", "y"), "given in two ways"),
        (("--codes", "/nowhere/at/all"), "cannot be read"),
        (("--password-env", "GOVFILE_TEST_UNSET", "--transfer-id", "1"), "GOVFILE_TEST_UNSET is not set"),
    ],
)
def test_codes_that_are_missing_or_doubled_stop_before_anything_is_done(
    vero: VeroCounter, arguments: tuple[str, ...], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    found = _run(vero, "enrol", *arguments)
    assert found.code == 2
    assert words in found.kind("error")[0]["what"]
    assert not vero.authority.requests
    assert not (vero.folder / "keys").exists()


@pytest.mark.parametrize("content", ["", "one", "one two three", "a b" + " " * 5000])
def test_a_file_without_exactly_two_codes_is_refused(vero: VeroCounter, content: str) -> None:
    path = vero.folder / "spoilt.txt"
    path.write_text(content)
    found = _run(vero, "enrol", "--codes", path)
    assert found.code == 2
    assert not vero.authority.requests


def test_no_code_is_told_anywhere_with_debug_on(vero: VeroCounter) -> None:
    with vero.authority.faults.during(fail_with=(("PKI902", f"{vero.papers.transfer_id} {vero.password}"),)):
        found = _run(vero, "enrol", "--codes", vero.codes, "--debug")
    assert found.code == 3
    assert found.kind("error")[0]["code"] == "PKI902"
    for code in (vero.papers.transfer_id, vero.password):
        assert code not in found.out + found.err


def test_a_transfer_id_in_the_command_line_is_taken_with_a_word_of_warning(vero: VeroCounter) -> None:
    found = _run(
        vero, "enrol", "--transfer-id", vero.papers.transfer_id, "--password-file", vero.papers.transfer_password
    )
    assert found.code == 0
    assert "process list" in found.err
    assert vero.papers.transfer_id not in found.err


def test_a_lost_answer_is_unknown_and_is_settled_by_the_authoritys_number(vero: VeroCounter) -> None:
    codes = vero.codes
    with vero.authority.faults.during(lost=Lost.AFTER):
        first = _run(vero, "enrol", "--codes", codes)
    again = _run(vero, "enrol", "--codes", codes)
    assert (first.code, again.code, _run(vero, "status").code) == (4, 4, 4)
    assert _asked(vero, "signNewCertificate") == 1
    assert _run(vero, "settle", "--arrived", "--reason", "support").code == 2, "without its number"
    number = vero.authority.issued[-1].retrieval_id
    settled = _run(vero, "settle", "--arrived", "--retrieval-id", number, "--reason", "support said so")
    assert (settled.code, settled.kind("application")[0]["step"]) == (0, "asked")
    assert _run(vero, "status").code == 5, "what waits is less than that nothing is in use"
    assert _run(vero, "fetch", "--timeout", 10).code == 0
    assert _run(vero, "status").code == 0


def test_a_fault_that_nobody_signs_leaves_it_open_and_says_so_by_the_exit_code(vero: VeroCounter) -> None:
    with vero.authority.faults.during(soap_fault=SoapFault()):
        found = _run(vero, "enrol", "--codes", vero.codes)
    assert (found.code, found.kind("error")[0]["type"]) == (4, "Rejected")
    assert _run(vero, "status").kind("application")[0]["step"] == "asking"


def test_one_that_never_arrived_is_enrolled_by_the_same_codes(vero: VeroCounter) -> None:
    codes = vero.codes
    with vero.authority.faults.during(lost=Lost.BEFORE):
        assert _run(vero, "enrol", "--codes", codes).code == 4
    assert _run(vero, "settle", "--never-arrived", "--reason", "support, ticket 4711").code == 0
    assert _run(vero, "enrol", "--codes", codes).code == 0


@pytest.mark.parametrize(
    "arguments",
    [(), ("--arrived", "--never-arrived", "--reason", "x"), ("--never-arrived",), ("--never-arrived", "--reason", " ")],
)
def test_settling_takes_one_word_and_a_reason(vero: VeroCounter, arguments: tuple[str, ...]) -> None:
    assert _run(vero, "settle", *arguments).code == 2


def test_a_certificate_that_is_not_there_yet_is_fetched_by_a_later_run(vero: VeroCounter) -> None:
    with vero.authority.faults.during(never_ready=True):
        assert _run(vero, "enrol", "--codes", vero.codes, "--timeout", 0.2).code == 10
        assert _run(vero, "fetch").code == 10
    assert _run(vero, "fetch", "--timeout", 10).code == 0
    assert _run(vero, "fetch").code == 5, "nothing waits any more"


def test_what_waits_can_be_given_up(vero: VeroCounter) -> None:
    with vero.authority.faults.during(never_ready=True):
        assert _run(vero, "enrol", "--codes", vero.codes, "--timeout", 0.1).code == 10
    assert _run(vero, "abandon").code == 2, "without a reason"
    assert _run(vero, "abandon", "--reason", "new codes were ordered").code == 0
    assert _run(vero, "status").kind("application") == []
    assert len(list((vero.folder / "keys").glob("*/0001/key.pem"))) == 1, "its key stays"


def test_the_bench_takes_its_own_keys(vero: VeroCounter) -> None:
    bench = vero.authority.bench
    codes = vero.folder / "bench.txt"
    codes.write_text(f"{bench.transfer_id} {bench.transfer_password}")
    vero.change(
        f'name = "{vero.authority.environment.name}"',
        f'name = "{vero.authority.bench_environment.name}"\npath = "{vero.authority.bench_environment.path}"',
    )
    found = _run(vero, "enrol", bench.customer_id, "--codes", codes, "--key", vero.papers.bench_new)
    assert found.code == 0, found.out + found.err


def test_the_certificate_in_use_is_tried_at_the_register(vero: VeroCounter) -> None:
    vero.holding()
    found = _run(vero, "echo", "--text", "hello")
    assert (found.code, found.kind("echo")[0]["text"]) == (0, "hello")
    assert _run(vero, "echo", "--text", "much too long").code == 2


def test_without_the_authoritys_certificates_nothing_is_asked(vero: VeroCounter) -> None:
    vero.change('authorities = "authorities.pem"\n', "")
    found = _run(vero, "enrol", "--codes", vero.codes)
    assert found.code == 2
    assert "authorities =" in found.kind("error")[0]["advice"]
    assert not vero.authority.requests


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("answer_pins = [", "answer_pins = ['00', "),
        ("not_ready = [", "opens_before = 0\nnot_ready = ["),
        ('element = "TEST"', 'element = "REAL"'),
        ("[profiles.sandbox.environment]\n", '[profiles.sandbox.environment]\nbase = "production"\n'),
        ('name = "', 'name = "production" # "'),
        ("answer_pins = ", "answer_pins = [] #"),
    ],
)
def test_a_profile_that_cannot_be_right_is_refused(vero: VeroCounter, old: str, new: str) -> None:
    vero.change(old, new)
    assert _run(vero, "renew").code == 2
    assert not vero.authority.requests


def test_a_profile_says_how_its_keys_are_kept(vero: VeroCounter) -> None:
    vero.change('keys_passphrase = { file = "keys-passphrase.txt" }\n', "")
    assert _run(vero, "enrol", "--codes", vero.codes).code == 2
    vero.change('keys = "keys"\n', 'keys = "keys"\nkeys_passphrase = false\n')
    assert _run(vero, "enrol", "--codes", vero.codes).code == 0
    key = next((vero.folder / "keys").glob("*/0001/key.pem")).read_bytes()
    assert b"BEGIN PRIVATE KEY" in key


def test_another_authoritys_profile_is_refused(vero: VeroCounter) -> None:
    vero.config.write_text('[profiles.default]\nenvironment = "test"\n')
    found = _run(vero, "status")
    assert found.code == 2
    assert "is for skat" in found.kind("error")[0]["what"]
