"""Which process sends a document, so that another can tell for certain when that process has ended."""

from __future__ import annotations

import json
import os
import platform
import secrets
from functools import lru_cache
from pathlib import Path

import attrs

_PROC = Path("/proc")


@attrs.frozen(kw_only=True)
class Owner:
    """A process among all there are or were: machine, start of the machine, process id space, process, its start.

    `nonce` sets one start apart from another of the same process. Where the system does not say (`boot` empty), the
    end of a process cannot be proven.
    """

    host: str
    boot: str
    space: str
    pid: int
    started: str
    nonce: str = ""

    def __str__(self) -> str:
        return json.dumps([self.host, self.boot, self.space, self.pid, self.started, self.nonce])

    @classmethod
    def parse(cls, text: str) -> Owner:
        """Read what `str` wrote; raises `ValueError` for anything else."""
        try:
            host, boot, space, pid, started, nonce = json.loads(text)
        except TypeError as error:
            raise ValueError(f"no owner: {text[:80]!r}") from error
        return cls(host=host, boot=boot, space=space, pid=int(pid), started=started, nonce=nonce)

    @classmethod
    def here(cls) -> Owner:
        """This process, with a fresh nonce."""
        host, boot, space, pid, started = _this_process(os.getpid())
        return cls(host=host, boot=boot, space=space, pid=pid, started=started, nonce=secrets.token_hex(8))

    def is_same_process(self, other: Owner) -> bool:
        """Whether both name one process."""
        return attrs.evolve(self, nonce="") == attrs.evolve(other, nonce="")

    def is_seen_alive(self, viewer: Owner) -> bool:
        """Whether the process still runs, as far as `viewer`, a process of this machine, can see it."""
        if self.is_same_process(viewer):
            return True
        place = (self.host, self.boot, self.space)
        return all(place) and place == (viewer.host, viewer.boot, viewer.space) and _may_run(self.pid, self.started)

    def is_provably_dead(self, viewer: Owner) -> bool:
        """Whether the process has ended, as seen from `viewer`, which is a process of this machine.

        True only with proof: the machine has been started anew since, or the process id is free or belongs to a
        later process. Never for another machine or another container, which cannot be seen from here.
        """
        if self.host != viewer.host or not self.boot or not viewer.boot:
            return False
        if self.boot != viewer.boot:
            return True
        if self.space != viewer.space or not self.space:
            return False
        return not _may_run(self.pid, self.started)


@lru_cache(maxsize=4)
def _this_process(pid: int) -> tuple[str, str, str, int, str]:
    machine = _read(Path("/etc/machine-id"))
    boot = _read(_PROC / "sys/kernel/random/boot_id")
    try:
        space = str((_PROC / "self/ns/pid").readlink())
    except OSError:
        space = ""
    stat = _stat(pid)
    return f"{platform.node()}/{machine}", boot, space, pid, stat[1] if stat else ""


def _read(path: Path) -> str:
    try:
        return path.read_text("ascii").strip()
    except (OSError, ValueError):
        return ""


def _stat(pid: int) -> tuple[bool, str] | None:
    """Whether the process still runs, and its start in clock ticks since boot (proc(5), fields 3, 20 and 22)."""
    text = _read_stat(pid)
    if text is None:
        return None
    fields = text.rpartition(")")[2].split()
    has_ended = fields[0] in ("Z", "X") and int(fields[17]) <= 1
    return not has_ended, fields[19]


def _read_stat(pid: int) -> str | None:
    try:
        return (_PROC / str(pid) / "stat").read_text("utf-8", "replace")
    except OSError:
        return None


def _may_run(pid: int, started: str) -> bool:
    found = _stat(pid)
    if found is not None:
        runs, its_start = found
        return runs and its_start == started
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return _stat(pid) is None or _stat(pid) == (True, started)
