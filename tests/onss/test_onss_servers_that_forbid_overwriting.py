"""A server may let nobody write a file again: a set that broke off is finished all the same, or a person is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from govfile import Ledger, State, onss
from govfile.errors import ConnectionFailed, TransferRefused
from govfile.sandbox.onss import Drop, OnssSandbox, Settings, When

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.servers


@pytest.fixture
def authority() -> Iterator[OnssSandbox]:
    with OnssSandbox(settings=Settings(may_overwrite=False)) as running:
        yield running


@pytest.fixture
def channel(authority: OnssSandbox, tmp_path: Path) -> Iterator[onss.Channel]:
    with (
        Ledger.open(tmp_path / "filings.db") as ledger,
        onss.Channel(
            authority.environment,
            authority.credential,
            sender=authority.sender,
            user=authority.user,
            ssh_key=authority.ssh_key,
            ledger=ledger,
            clock=authority.clock,
        ) as opened,
    ):
        yield opened


def broken_off(authority: OnssSandbox, channel: onss.Channel, path: Path, drop: Drop) -> None:
    """A submission whose line breaks before its trigger."""
    path.write_bytes(authority.example("DMFA"))
    authority.faults.drop = drop
    with pytest.raises(ConnectionFailed):
        channel.submit(path, purpose="DMFA")


@pytest.mark.parametrize("when", When)
def test_s12_what_lies_there_whole_is_not_written_again(
    authority: OnssSandbox, channel: onss.Channel, tmp_path: Path, when: When
) -> None:
    path = tmp_path / "dmfa.xml"
    broken_off(authority, channel, path, Drop(only="close", on="FS", when=when))
    (resumed,) = channel.resume()
    assert (resumed.submission.state, resumed.error) == (State.SENT, None)
    assert channel.wait(resumed.submission, into=tmp_path / "answers", timeout=20).state is State.ANSWERED
    assert len(authority.filed) == 1


def test_s12_a_part_that_lies_there_is_never_triggered_and_a_person_is_told_what_to_do(
    authority: OnssSandbox, channel: onss.Channel, tmp_path: Path
) -> None:
    path = tmp_path / "dmfa.xml"
    broken_off(authority, channel, path, Drop(only="write", on="FI", when=When.BEFORE))
    attempts: list[Any] = [channel.submit, channel.submit]
    for submit in attempts:
        with pytest.raises(TransferRefused) as refused:
            submit(path, purpose="DMFA")
        assert refused.value.certain == "nothing is filed: the trigger was not sent"
        assert "withdraw" in refused.value.advice
        assert "again=" in refused.value.advice
    assert authority.declared == ()
