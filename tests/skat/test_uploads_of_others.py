"""Names that other programs, other logins or a forgotten past have used too: their receipts move nothing of ours."""

from __future__ import annotations

import shutil
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from govfile import Ledger
from govfile.errors import ConnectionFailed, InvalidContent
from govfile.filing.states import State
from govfile.transports.faulty import FaultPlan, FaultyTransport, Step
from support.skat_world import CVR, ERROR, HOME, OTHER_UUID, REUSED, STATUS, UUID, World, records

if TYPE_CHECKING:
    from pathlib import Path

    from govfile.filing.submission import Submission

NAME = "data.txt"


@pytest.fixture
def filed(world: World) -> Submission:
    return world.gateway().submit(records("new"), service="AKSA", name=NAME)


@pytest.mark.parametrize(
    ("path", "is_ours"),
    [
        (f"{HOME}/AKSA/{NAME}", True),
        (f"/ CVR_{CVR}/UI_{UUID}/AKSA/{NAME}", True),
        (f"/AKSA/{NAME}", True),
        ("", True),
        (f"/CVR_{CVR}/UI_{OTHER_UUID}/AKSA/{NAME}", False),
        (f"/CVR_{CVR}/UID_9876543210/AKSA/{NAME}", False),
        (f"/CVR_12345678/UI_{UUID}/AKSA/{NAME}", False),
    ],
)
def test_a_status_of_another_logins_upload_moves_nothing(
    world: World, filed: Submission, path: str, is_ours: bool
) -> None:
    content = STATUS.format(path=path, name=NAME, number=1, words="OK", service="AKSA", more="")
    world.server.put_out(f"status_AKSA_{NAME}_1.xml", content.encode())
    gateway = world.gateway()
    collection = gateway.collect(world.into)
    assert gateway.status(filed).state is (State.DELIVERED if is_ours else State.SENT)
    assert len(collection.unsolicited) == (0 if is_ours else 1)


def test_l07_a_ledger_older_than_its_last_filings_takes_no_old_receipt_for_a_new_document(world: World) -> None:
    """A backup is put back; the next document goes out under a name that it does not know to be used up."""
    world.gateway().submit(records("first of all"), service="AKSA", name="first.txt")
    place = world.folder / "filings.db"
    world.ledger.close()
    backup = world.folder / "backup.db"
    shutil.copy(place, backup)

    world.ledger = Ledger.open(place, clock=world.clock)
    world.gateway().submit(records("yesterday's"), service="AKSA", name=NAME)
    world.server.run()
    gateway = world.gateway()
    gateway.collect(world.into)
    assert gateway.status(NAME).state is State.ANSWERED
    world.ledger.close()

    shutil.copy(backup, place)
    world.ledger = Ledger.open(place, clock=world.clock)
    world.clock.advance(days=1)
    gateway = world.gateway()
    filed = gateway.submit(records("today's"), service="AKSA", name=NAME)
    collection = gateway.collect(world.folder / "more")
    assert gateway.status(filed).state is State.SENT, "nothing in `out` is about this document"
    assert len(collection.unsolicited) == 4
    path, error = f"{HOME}/AKSA/{NAME}", ERROR.format(code=REUSED)
    refusal = STATUS.format(path=path, name=NAME, number=0, words="ERROR", service="AKSA", more=error)
    world.server.put_out(f"status_AKSA_{NAME}_0.xml", refusal.replace("20260105", "20260106").encode())
    gateway.collect(world.folder / "more")
    assert gateway.status(filed).state is State.REJECTED
    assert gateway.status("first.txt").state is State.ANSWERED


def test_a_clock_that_is_some_hours_wrong_loses_no_receipt(world: World) -> None:
    world.clock.advance(hours=11)
    filed = world.gateway().submit(records("new"), service="AKSA", name=NAME)
    world.clock.advance(hours=-11)
    world.server.run()
    gateway = world.gateway()
    gateway.collect(world.into)
    assert gateway.status(filed).state is State.ANSWERED


def test_f01_resuming_a_thousand_documents_does_not_try_a_lost_gateway_a_thousand_times(
    world: World, tmp_path: Path
) -> None:
    world.gateway().submit(records("first of all"), service="AKSA", name="first.txt")
    documents = [tmp_path / f"report-{number}.txt" for number in range(10)]
    for number, document in enumerate(documents):
        document.write_bytes(records(f"report {number}"))
    world.wrap = lambda inner: FaultyTransport(inner, FaultPlan.at(Step.CONNECT))
    assert all(
        isinstance(outcome, ConnectionFailed) for _, outcome in world.gateway().submit_many(documents, service="AKSA")
    )
    documents[5].unlink()
    world.opened.clear()
    resumed = world.gateway().resume()
    assert len(world.opened) == 3
    assert Counter(type(one.error) for one in resumed) == {ConnectionFailed: 9, InvalidContent: 1}
    world.wrap = lambda inner: inner
    assert [one.submission.state for one in world.gateway().resume()].count(State.SENT) == 9
