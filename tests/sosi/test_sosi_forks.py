"""A server that forks its workers after a client was made."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

FORKING = """
import os, signal, threading, warnings
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from govfile.sosi.cache import TokenCache
from govfile.sosi.echo import Replays

now = datetime(2026, 1, 1, tzinfo=UTC)
cache, replays = TokenCache(clock=lambda: now), Replays()
token = SimpleNamespace(xml=b"", expires=now + timedelta(hours=1))
kept = cache.get(("kept",), lambda: token)
asked, answered = threading.Event(), threading.Event()

def ask():
    asked.set()
    answered.wait()
    return token

waiting = threading.Thread(target=cache.get, args=(("wanted",), ask))
waiting.start()
asked.wait()
warnings.simplefilter("ignore")

def work():
    signal.alarm(30)
    replays.check("id", token.expires, now)
    same = cache.get(("kept",), ask) is kept and cache.get(("wanted",), lambda: token) is token
    os._exit(0 if same else 1)

with cache._lock, replays._lock:  # as another thread may hold them
    child = os.fork()
    if child == 0:
        work()
_, status = os.waitpid(child, 0)
answered.set()
waiting.join()
raise SystemExit(os.waitstatus_to_exitcode(status))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_g07_a_forked_child_waits_neither_for_its_parents_call_nor_for_its_locks() -> None:
    assert subprocess.run([sys.executable, "-c", FORKING], check=False, timeout=60).returncode == 0
