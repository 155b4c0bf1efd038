"""C-06: hooks that fail, hang, flood or print secrets; the renewal stands."""

from __future__ import annotations

import sys
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from govfile import Secret
from govfile.certificates.deploy import Command, HookFailure, Renewed, redacted
from govfile.certificates.renewal import Outcome, Renewer
from support.keystores import NOON, PASSPHRASE, SLOT, YEAR, Clock, FakeAuthority, enrolled, open_store

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from govfile.certificates.deploy import Hook
    from govfile.certificates.renewal import Result

pytestmark = pytest.mark.outside


def renewed_with(folder: Path, hooks: Sequence[Hook]) -> Result:
    clock = Clock()
    store = open_store(folder / "keys", clock)
    first = enrolled(store)
    clock.now = NOON + 2 * YEAR - timedelta(days=30)
    summary = Renewer(store, {"vero": FakeAuthority(store, clock)}, hooks=hooks, clock=clock).run()
    (result,) = summary.results
    assert result.outcome is Outcome.RENEWED
    assert store.credential(SLOT) != first, "whatever the hooks did"
    assert store.verify() == []
    assert summary.exit_status == int(bool(result.hook_failures))
    return result


def python(code: str, *, timeout: float = 30.0, secrets: tuple[Secret, ...] = ()) -> Command:
    return Command((sys.executable, "-c", code), timeout=timeout, secrets=secrets)


def test_c06_a_callable_gets_the_new_credential(tmp_path: Path) -> None:
    seen: list[Renewed] = []
    assert renewed_with(tmp_path, [seen.append]).hook_failures == ()
    assert seen[0].slot == SLOT
    assert seen[0].generation.number == 2
    assert seen[0].credential.fingerprint == seen[0].generation.fingerprint


def test_c06_a_callable_that_raises_is_told_without_its_text_and_the_next_one_runs(tmp_path: Path) -> None:
    seen: list[Renewed] = []

    def restart(renewed: Renewed) -> None:
        raise RuntimeError(PASSPHRASE)

    result = renewed_with(tmp_path, [restart, seen.append])
    (failure,) = result.hook_failures
    assert failure.why == "raised RuntimeError"
    assert "restart" in failure.hook
    assert len(seen) == 1
    assert PASSPHRASE not in str(result)


def test_c06_a_command_learns_what_it_needs_and_no_passphrase(tmp_path: Path) -> None:
    code = f"""
import os, pathlib
told = {{name: value for name, value in os.environ.items() if name.startswith("GOVFILE_")}}
assert "BEGIN CERTIFICATE" in pathlib.Path(told["GOVFILE_CERTIFICATE"]).read_text()
assert "BEGIN ENCRYPTED" in pathlib.Path(told["GOVFILE_KEY"]).read_text()
assert pathlib.Path(told["GOVFILE_CHAIN"]).exists()
pathlib.Path({str(tmp_path / "told")!r}).write_text(repr(told))
"""
    assert renewed_with(tmp_path, [python(code)]).hook_failures == ()
    told = (tmp_path / "told").read_text()
    assert "'GOVFILE_SLOT': 'vero/TEST/0123456-7'" in told
    assert PASSPHRASE not in told


def test_c06_a_failing_command_prints_secrets_in_vain(tmp_path: Path) -> None:
    token = "Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MA=="
    code = f"""
print("password: hunter2!")
print({PASSPHRASE!r})
print("-----BEGIN PRIVATE KEY-----\\nMIIE\\n-----END PRIVATE KEY-----")
print("{token}")
print("nginx: test failed", flush=True)
raise SystemExit(3)
"""
    (failure,) = renewed_with(tmp_path, [python(code, secrets=(Secret(PASSPHRASE),))]).hook_failures
    assert failure.why == "ended with 3"
    assert failure.output.endswith("nginx: test failed")
    for secret in ("hunter2", PASSPHRASE, "MIIE", token):
        assert secret not in failure.output


def test_c06_a_command_that_hangs_is_killed_with_what_it_started(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    code = f"""
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time, pathlib; time.sleep(3); pathlib.Path({str(mark)!r}).touch()"])
time.sleep(60)
"""
    began = time.monotonic()
    (failure,) = renewed_with(tmp_path, [python(code, timeout=1.5)]).hook_failures
    assert time.monotonic() - began < 30
    assert failure.why == "was killed after 1.5 s"
    time.sleep(3.5)
    assert not mark.exists()


def test_c06_a_flood_of_output_is_bounded(tmp_path: Path) -> None:
    code = "import sys\nfor _ in range(400): sys.stdout.write('spam ' * 20000)\nprint('the end')\nsys.exit(1)"
    (failure,) = renewed_with(tmp_path, [python(code)]).hook_failures
    assert failure.output.endswith("the end")
    assert len(failure.output) <= 500


@pytest.mark.parametrize("arguments", [("/no/such/program",), (), ("a\0b",)])
def test_c06_a_command_that_cannot_be_started_is_told(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (failure,) = renewed_with(tmp_path, [Command(arguments)]).hook_failures
    assert isinstance(failure, HookFailure)
    assert failure.why.startswith("cannot be started")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("reloaded nginx", "reloaded nginx"),
        ("SALASANA=abc done", "SALASANA=… done"),
        ("api_token: abc", "api_token: …"),
        ("cut off\n-----END PRIVATE KEY-----\nafter", "…\nafter"),
        ("-----BEGIN PRIVATE KEY-----\nMIIE and no end", "…"),
        ("\x1b[31mred", "?[31mred"),
    ],
)
def test_c06_what_looks_like_a_secret_is_blotted_out(text: str, shown: str) -> None:
    assert redacted(text) == shown
