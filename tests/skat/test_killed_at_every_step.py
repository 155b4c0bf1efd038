"""L-01, I1, I3: a program that files one document is killed at each of its system calls that leaves a trace.

The calls (writes, syncs, renames, links, sends, …) are found by tracing one filing that succeeds; then the program is
run once more for each of them and killed as it makes that call. Afterwards the ledger opens, either nothing was
claimed or the submission is there to be resumed, and the gateway has the document once or not at all.
"""

from __future__ import annotations

import collections
import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import attrs
import pytest

from govfile import Ledger, State
from govfile.sandbox.skat import SkatSandbox
from govfile.skat import Gateway
from support import file_once
from support.killing import Call, run_and_kill, trace

if TYPE_CHECKING:
    from pathlib import Path

    from govfile import Submission
    from govfile.sandbox.skat import Identity

SERVICE = "Udlaan"


@attrs.frozen(kw_only=True)
class Run:
    """One run of the program in a folder of its own."""

    authority: SkatSandbox
    identity: Identity
    folder: Path
    name: str

    @property
    def ledger(self) -> Path:
        return self.folder / "filings.db"

    def program(self) -> list[str]:
        """The command line, with everything it needs written down."""
        document = self.folder / "report.zip"
        document.write_bytes(self.authority.example(SERVICE))
        for what in ("passphrase", "password"):
            (self.folder / what).write_text(getattr(self.identity, what).reveal())
        (self.folder / "company.p12").write_bytes(self.identity.pkcs12())
        environment = self.authority.environment
        wish = {
            "environment": environment.name,
            "host": environment.host,
            "port": str(environment.port),
            "trust": self.authority.trust_pem().decode(),
            "pkcs12": str(self.folder / "company.p12"),
            "passphrase": str(self.folder / "passphrase"),
            "password": str(self.folder / "password"),
            "ledger": str(self.ledger),
            "document": str(document),
            "service": SERVICE,
            "name": self.name,
        }
        (self.folder / "wish.json").write_text(json.dumps(wish))
        return [file_once.__file__, str(self.folder / "wish.json")]

    def arrivals(self) -> int:
        """How often the gateway took a document of this name."""
        return sum(arrival.name == self.name for arrival in self.authority.arrived)


@pytest.mark.slow
@pytest.mark.servers
def test_l01_killed_at_every_call_a_filing_is_never_lost_and_never_sent_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with SkatSandbox() as authority:
        points = points_of(run(authority, tmp_path, "whole"))
        with ThreadPoolExecutor(max_workers=3) as pool:
            ends = collections.Counter(pool.map(lambda point: killed(authority, tmp_path, point), points))
    with capsys.disabled():
        print(f"\n{len(points)} points of death, ends: {dict(ends)}")
    assert len(points) > 30
    assert ends["not reached"] <= 0.1 * sum(ends.values())
    assert set(ends) - {"not reached"} == {
        "never claimed",
        "resumed",
        "unknown, arrived",
        "unknown, not arrived",
        "sent",
    }


def run(authority: SkatSandbox, tmp_path: Path, label: str) -> Run:
    folder = tmp_path / label
    folder.mkdir()
    name = f"10101010_2025_{label.replace('-', '_')}.zip"
    return Run(authority=authority, identity=authority.register(), folder=folder, name=name)


def points_of(whole: Run) -> list[Call]:
    """The calls of a filing that succeeds; those of its side thread fall on the main one's."""
    calls, _ = trace(whole.program(), whole.folder / "calls")
    assert whole.arrivals() == 1
    return list({str(call): call for call in calls}.values())


def killed(authority: SkatSandbox, tmp_path: Path, point: Call) -> str:
    """Kill the program at `point`, pick up the pieces, and say how it ended."""
    dead = run(authority, tmp_path, str(point).replace(" ", "-"))
    was_killed, _ = run_and_kill(dead.program(), point)
    assert dead.arrivals() <= 1
    with (
        Ledger.open(dead.ledger) as ledger,
        Gateway(
            authority.environment, dead.identity.credential, password=dead.identity.password, ledger=ledger
        ) as gateway,
    ):
        assert ledger.verify() == []
        before = ledger.find(
            authority="skat", environment=authority.environment.name, sender="10101010", name=dead.name
        )
        gateway.resume()
        if before is None:
            assert dead.arrivals() == 0, f"{point}: something left that was never recorded"
            end = "never claimed"
        else:
            end = settled(gateway, dead, gateway.status(before), before)
        end = ending(gateway, dead, end)
    return end if was_killed else "not reached"


def settled(gateway: Gateway, dead: Run, now: Submission, before: Submission) -> str:
    """Resumed when nothing had left; else nothing is sent until the gateway's own word."""
    if before.state is State.PREPARED:
        assert dead.arrivals() == 1
        assert now.state is not State.UNKNOWN
        return "resumed"
    if before.state is State.SENT:
        return "sent"
    assert before.state is State.SENDING
    assert now.state is State.UNKNOWN
    return "unknown, arrived" if dead.arrivals() else "unknown, not arrived"


def ending(gateway: Gateway, dead: Run, end: str) -> str:
    """Filing it again sends it only where it was never claimed; a status settles what arrived."""
    filed = gateway.submit(dead.folder / "report.zip", service=SERVICE, name=dead.name)
    assert dead.arrivals() == (0 if end == "unknown, not arrived" else 1)
    final = gateway.wait(filed, into=dead.folder / "answers", timeout=1.0 if end == "unknown, not arrived" else 20.0)
    assert final.state is (State.UNKNOWN if end == "unknown, not arrived" else State.ANSWERED)
    assert dead.arrivals() <= 1
    return end
