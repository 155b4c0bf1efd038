"""S-04, S-12: the line is cut at every SSH packet of a declaration, each way; the document is declared once at most."""

from __future__ import annotations

import collections
import hashlib
from typing import TYPE_CHECKING

import attrs
import pytest

from govfile import Ledger, State, Submission, Verdict, onss
from govfile.errors import ConnectionFailed, DuplicateContent, GovfileError, OutcomeUnknown
from govfile.sandbox.onss import OnssSandbox
from support.sshd import CutWire

if TYPE_CHECKING:
    from pathlib import Path

    from govfile.sandbox.onss import Account

pytestmark = [pytest.mark.slow, pytest.mark.servers]


@attrs.frozen(kw_only=True)
class Attempt:
    """One declaration of a sender of its own, over a wire that may be cut."""

    authority: OnssSandbox
    wire: CutWire
    account: Account
    folder: Path

    @classmethod
    def make(cls, authority: OnssSandbox, wire: CutWire, folder: Path, number: int) -> Attempt:
        """The `number`-th attempt."""
        account = authority.register(sender=f"{300000 + number}", user=f"Sender{number:06}")
        made = cls(authority=authority, wire=wire, account=account, folder=folder / f"{number}")
        made.folder.mkdir()
        made.document.write_bytes(authority.example("DMFA", seed=number))
        return made

    @property
    def document(self) -> Path:
        """What is declared."""
        return self.folder / "dmfa.xml"

    @property
    def times(self) -> int:
        """How often the transfer point was told to process the document."""
        digest = hashlib.sha256(self.document.read_bytes()).hexdigest()
        return sum(part.sha256 == digest for one in self.authority.declared for part in one.parts)

    def channel(self, ledger: Ledger) -> onss.Channel:
        """A channel over the wire."""
        return onss.Channel(
            attrs.evolve(self.authority.environment, port=self.wire.port),
            self.account.credential,
            sender=self.account.sender,
            user=self.account.user,
            ssh_key=self.account.ssh_key,
            ledger=ledger,
        )

    def submit(self, channel: onss.Channel) -> Submission | GovfileError:
        """What is said of it."""
        try:
            return channel.submit(self.document, purpose="DMFA")
        except GovfileError as error:
            return error


@pytest.mark.parametrize("moves_at_once", [False, True])
@pytest.mark.parametrize("way", ["sent", "received"])
def test_s04_s12_cut_at_every_packet_a_declaration_is_never_lost_and_never_sent_twice(
    tmp_path: Path, way: str, moves_at_once: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    ends: collections.Counter[str] = collections.Counter()
    with OnssSandbox() as authority, CutWire(authority.port) as wire:
        authority.faults.moves_at_once = moves_at_once
        whole = Attempt.make(authority, wire, tmp_path, 0)
        with Ledger.open(whole.folder / "filings.db") as ledger, whole.channel(ledger) as channel:
            whole.submit(channel)
        packets = wire.counts[way]
        for number in range(packets):
            attempt = Attempt.make(authority, wire, tmp_path, number + 1)
            with Ledger.open(attempt.folder / "filings.db") as ledger, attempt.channel(ledger) as channel:
                ends[cut(attempt, ledger, channel, (way, number))] += 1
    with capsys.disabled():
        print(f"\n{packets} packets {way}, ends: {dict(ends)}")
    assert {"never claimed", "prepared", "unknown, arrived" if way == "received" else "unknown, not arrived"} <= set(
        ends
    )


def cut(attempt: Attempt, ledger: Ledger, channel: onss.Channel, where: tuple[str, int]) -> str:
    """Submit over a line that breaks there, then pick up the pieces; says how it ended."""
    attempt.wire.cut = where
    said = attempt.submit(channel)
    attempt.wire.cut = None
    left = next(ledger.search(), None)
    if left is None or left.state is State.PREPARED:
        assert isinstance(said, ConnectionFailed), where
        assert attempt.times == 0, where
        answered(attempt, channel, channel.submit(attempt.document, purpose="DMFA"), where)
        return "never claimed" if left is None else "prepared"
    assert isinstance(attempt.submit(channel), DuplicateContent), where
    if left.state is State.SENT:
        assert said == left, where
        answered(attempt, channel, left, where)
        return "sent"
    assert left.state is State.UNKNOWN, where
    assert isinstance(said, OutcomeUnknown), where
    channel.resume()
    if channel.wait(left, into=attempt.folder / "answers", timeout=1.0).state is State.UNKNOWN:
        assert attempt.times == 0, where
        return "unknown, not arrived"
    answered(attempt, channel, left, where)
    return "unknown, arrived"


def answered(attempt: Attempt, channel: onss.Channel, filed: Submission, where: tuple[str, int]) -> None:
    """It is accepted in the end, and was declared once."""
    final = channel.wait(filed, into=attempt.folder / "answers", timeout=20)
    assert (final.state, final.verdict) == (State.ANSWERED, Verdict.ACCEPTED), where
    assert attempt.times == 1, where
