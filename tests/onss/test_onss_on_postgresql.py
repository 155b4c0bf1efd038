"""S-17: several machines, one PostgreSQL ledger, one sender: whoever is first files, and nothing is declared twice."""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING

import pytest

from govfile import Ledger, State, Verdict, onss
from govfile.errors import DuplicateContent
from govfile.filing.submission import Submission
from govfile.sandbox.onss import OnssSandbox
from support import postgres

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.servers

MACHINES = 4
DOCUMENTS = 10


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with postgres.running() as server:
        server.create("channels")
        yield server.url("channels")


def channel(authority: OnssSandbox, ledger: Ledger) -> onss.Channel:
    return onss.Channel(
        authority.environment,
        authority.credential,
        sender=authority.sender,
        user=authority.user,
        ssh_key=authority.ssh_key,
        ledger=ledger,
        clock=authority.clock,
    )


def one_by_one(channel: onss.Channel, filings: list[onss.Filing]) -> Iterator[object]:
    for filing in filings:
        try:
            yield channel.submit(filing.parts, purpose=filing.purpose)
        except DuplicateContent as known:
            yield known


def all_at_once(channel: onss.Channel, filings: list[onss.Filing]) -> Iterator[object]:
    for _, outcome in channel.submit_many(filings):
        yield outcome


@pytest.mark.parametrize("submit", [one_by_one, all_at_once])
def test_s17_what_four_machines_submit_at_once_is_declared_once(
    url: str, tmp_path: Path, submit: Callable[[onss.Channel, list[onss.Filing]], Iterator[object]]
) -> None:
    with OnssSandbox() as authority:
        documents = [authority.example("DMFA", seed=seed) for seed in range(DOCUMENTS)]
        together = threading.Barrier(MACHINES)
        outcomes: list[list[object]] = [[] for _ in range(MACHINES)]
        errors: list[BaseException] = []

        def machine(number: int) -> None:
            mine = [onss.Filing(parts=(document,), purpose="DMFA") for document in documents]
            random.Random(number).shuffle(mine)
            try:
                with Ledger.open(url) as ledger, channel(authority, ledger) as opened:
                    together.wait(60)
                    outcomes[number].extend(submit(opened, mine))
            except BaseException as error:  # noqa: BLE001 told to the test
                errors.append(error)

        threads = [threading.Thread(target=machine, args=(number,)) for number in range(MACHINES)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        assert errors == []
        said = [outcome for some in outcomes for outcome in some]
        assert len(said) == MACHINES * DOCUMENTS
        assert {type(outcome) for outcome in said} <= {Submission, DuplicateContent}

        with Ledger.open(url) as ledger, channel(authority, ledger) as opened:
            opened.resume()
            filed = list(ledger.search(authority="onss", environment=authority.environment.name))
            assert len({submission.name for submission in filed}) == len(filed) == DOCUMENTS
            for submission in filed:
                final = opened.wait(submission, into=tmp_path / "answers", timeout=60)
                assert (final.state, final.verdict) == (State.ANSWERED, Verdict.ACCEPTED)
            assert ledger.verify() == []
        assert len(authority.filed) == DOCUMENTS
        assert [declared.codes for declared in authority.declared] == [()] * DOCUMENTS
