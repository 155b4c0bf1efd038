"""Killing a program at every system call that leaves a trace, with strace.

First the program runs once to its end while its calls are written down; then once for each of them, killed by SIGKILL
on entering it. strace counts the calls of each name and thread apart, so a point is a name and a number, the same for
every thread.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from support.programs import lacking, require

if TYPE_CHECKING:
    from collections.abc import Sequence

#: What changes a file, a folder or the other end of a connection.
TRACED = (
    "write,pwrite64,writev,pwritev,sendto,sendmsg,fsync,fdatasync,ftruncate,fallocate,link,linkat,rename,renameat,"
    "renameat2,unlink,unlinkat,mkdir,mkdirat,rmdir,chmod,fchmod,fchmodat"
)

_CALL = re.compile(r"^(?P<thread>\d+) +(?P<name>\w+)\((?P<rest>.*)$")


@attrs.frozen
class Call:
    """One system call: its name, which one of that name it is (from 1), and its line as strace wrote it."""

    name: str
    number: int
    line: str

    def __str__(self) -> str:
        return f"{self.name} {self.number}"


def _environment() -> dict[str, str]:
    """This interpreter's path, so that the real binary (no shim) finds the same packages; no bytecode is written."""
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry),
        "PYTHONDONTWRITEBYTECODE": "1",
        "LC_ALL": "C.UTF-8",
    }


def _interpreter() -> str:
    return str(Path(sys.executable).resolve())


def _strace(options: Sequence[str], arguments: Sequence[str], timeout: float) -> subprocess.CompletedProcess[bytes]:
    command = [require("strace"), "-f", *options, _interpreter(), *arguments]
    return subprocess.run(command, env=_environment(), capture_output=True, timeout=timeout, check=False)


def trace(arguments: Sequence[str], log: Path, *, timeout: float = 120) -> tuple[list[Call], str]:
    """Run Python with `arguments` to its end; its calls (descriptors with their paths) and its standard output."""
    subprocess.run([_interpreter(), "-c", ""], env=_environment(), check=True)  # a first start may set something up
    done = _strace(["--seccomp-bpf", "-y", "-e", f"trace={TRACED}", "-o", str(log)], arguments, timeout)
    if done.returncode != 0:
        if b"ptrace" in done.stderr or b"PTRACE" in done.stderr:
            lacking(f"strace may not trace here: {done.stderr.decode(errors='replace').strip()}")
        raise AssertionError(done.stderr.decode(errors="replace"))
    counts: Counter[tuple[str, str]] = Counter()
    calls = []
    for line in log.read_text(errors="replace").splitlines():
        found = _CALL.match(line)
        if found is not None:
            counts[found["thread"], found["name"]] += 1
            calls.append(Call(found["name"], counts[found["thread"], found["name"]], found["rest"]))
    return calls, done.stdout.decode()


def assert_most_were_killed(killed: Sequence[bool]) -> None:
    """What was promised holds at every point; that nearly all were reached shows that the points are real.

    Not all: a busy machine may make a call less than the run that was traced (a signal, a lock that is free at once).
    """
    print(f"killed at {sum(killed)} of {len(killed)} points")
    assert sum(killed) >= 0.9 * len(killed)


def run_and_kill(arguments: Sequence[str], call: Call, *, timeout: float = 120) -> tuple[bool, str]:
    """Run Python with `arguments`, killed on entering `call`; whether that happened, and its standard output."""
    # Without --seccomp-bpf, under which strace 6 delivers no injected signal.
    injection = f"inject={call.name}:signal=SIGKILL:when={call.number}"
    done = _strace(["-e", f"trace={call.name}", "-e", injection, "-o", os.devnull], arguments, timeout)
    was_killed = done.returncode in (-9, 137)
    if not was_killed and done.returncode != 0:
        raise AssertionError(done.stderr.decode(errors="replace"))
    return was_killed, done.stdout.decode()
