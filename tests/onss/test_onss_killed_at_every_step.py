"""S-12, L-01: a program that declares one document is killed at each of its system calls that leaves a trace.

The calls are found by tracing one declaration that succeeds; then the program is run once more for each of them and
killed as it makes that call. Afterwards the ledger is sound, what was not triggered is resumed with the same bytes, and
the transfer point has the document once or not at all.
"""

from __future__ import annotations

import collections
import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import attrs
import pytest

from govfile import Ledger, State, Verdict, onss
from govfile.errors import DuplicateContent
from govfile.sandbox.onss import OnssSandbox
from support import declare_once
from support.killing import Call, run_and_kill, trace

if TYPE_CHECKING:
    from pathlib import Path

    from govfile import Submission
    from govfile.sandbox.onss import Account


@attrs.frozen(kw_only=True)
class Run:
    """One run of the program, for a sender of its own, in a folder of its own."""

    authority: OnssSandbox
    account: Account
    folder: Path
    document: Path

    @classmethod
    def make(cls, authority: OnssSandbox, folder: Path, number: int) -> Run:
        """The `number`-th run."""
        folder.mkdir()
        document = folder / "dmfa.xml"
        document.write_bytes(authority.example("DMFA", seed=number))
        account = authority.register(sender=f"{200000 + number}", user=f"Sender{number:06}")
        return cls(authority=authority, account=account, folder=folder, document=document)

    @property
    def ledger(self) -> Path:
        """Where its ledger is."""
        return self.folder / "filings.db"

    @property
    def times(self) -> int:
        """How often the transfer point was told to process the document."""
        digest = hashlib.sha256(self.document.read_bytes()).hexdigest()
        return sum(part.sha256 == digest for one in self.authority.declared for part in one.parts)

    def program(self) -> list[str]:
        """The command line, with everything it needs written down."""
        secrets = {
            "passphrase": self.account.passphrase.reveal().encode(),
            "pkcs12": self.account.pkcs12(),
            "ssh_key": self.account.ssh_private_pem,
        }
        for name, content in secrets.items():
            (self.folder / name).write_bytes(content)
            (self.folder / name).chmod(0o600)
        environment = self.authority.environment
        wish = {
            **{name: str(self.folder / name) for name in secrets},
            "environment": environment.name,
            "host": environment.host,
            "port": str(environment.port),
            "host_key": self.authority.host_key_fingerprint,
            "sender": self.account.sender,
            "user": self.account.user,
            "ledger": str(self.ledger),
            "document": str(self.document),
        }
        (self.folder / "wish.json").write_text(json.dumps(wish))
        return [declare_once.__file__, str(self.folder / "wish.json")]

    def channel(self, ledger: Ledger) -> onss.Channel:
        """A channel of the same sender in this process."""
        return onss.Channel(
            self.authority.environment,
            self.account.credential,
            sender=self.account.sender,
            user=self.account.user,
            ssh_key=self.account.ssh_key,
            ledger=ledger,
        )


@pytest.mark.slow
@pytest.mark.servers
def test_l01_s12_killed_at_every_call_a_declaration_is_never_lost_and_never_sent_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with OnssSandbox() as authority:
        whole = Run.make(authority, tmp_path / "whole", 0)
        calls, _ = trace(whole.program(), whole.folder / "calls")
        assert whole.times == 1
        points = list({str(call): call for call in calls}.values())
        runs = [Run.make(authority, tmp_path / f"{number}", number) for number in range(1, len(points) + 1)]
        with ThreadPoolExecutor(max_workers=3) as pool:
            ends = collections.Counter(pool.map(killed, runs, points))
    with capsys.disabled():
        print(f"\n{len(points)} points of death, ends: {dict(ends)}")
    assert len(points) > 30
    assert ends["not reached"] <= 0.1 * len(points)
    assert set(ends) >= {"never claimed", "resumed", "unknown, arrived", "unknown, not arrived", "sent"}


def killed(dead: Run, point: Call) -> str:
    """Kill the program at `point`, pick up the pieces, and say how it ended."""
    was_killed, _ = run_and_kill(dead.program(), point)
    assert dead.times <= 1, point
    with Ledger.open(dead.ledger) as ledger:
        assert ledger.verify() == [], point
        left = list(ledger.search())
        with dead.channel(ledger) as channel:
            channel.resume()
            end = picked_up(dead, channel, left, point)
        assert ledger.verify() == [], point
    return end if was_killed else "not reached"


def picked_up(dead: Run, channel: onss.Channel, left: list[Submission], point: Call) -> str:
    """What came of it: filed by now, where nothing was triggered; else left alone until the authority speaks."""
    if not left:
        assert dead.times == 0, f"{point}: something was triggered that was never recorded"
        filed = channel.submit(dead.document, purpose="DMFA")
        answered(dead, channel, filed, point)
        return "never claimed"
    (before,) = left
    with pytest.raises(DuplicateContent):
        channel.submit(dead.document, purpose="DMFA")
    now = channel.status(before)
    if before.state is State.SENDING and before.was_triggered:
        return unknown(dead, channel, now, point)
    assert now.state.has_reached(State.SENT), point
    answered(dead, channel, now, point)
    return "sent" if before.state is State.SENT else "resumed"


def unknown(dead: Run, channel: onss.Channel, now: Submission, point: Call) -> str:
    """An acknowledgement settles what arrived; what did not stays unknown until a person settles it."""
    assert now.state in (State.UNKNOWN, State.SENT), point
    final = channel.wait(now, into=dead.folder / "answers", timeout=20.0 if dead.times else 0.5)
    if final.state is not State.UNKNOWN:
        answered(dead, channel, final, point)
        return "unknown, arrived"
    assert dead.times == 0, point
    channel.settle(final, arrived=False, reason="the contact centre has not got it")
    answered(dead, channel, channel.submit(dead.document, purpose="DMFA"), point)
    return "unknown, not arrived"


def answered(dead: Run, channel: onss.Channel, filed: Submission, point: Call) -> None:
    """It is accepted in the end, and was declared once."""
    final = channel.wait(filed, into=dead.folder / "answers", timeout=20.0)
    assert (final.state, final.verdict) == (State.ANSWERED, Verdict.ACCEPTED), point
    assert dead.times == 1, point
