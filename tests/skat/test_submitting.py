"""Filing one document: what is checked, in which order, and what is recorded however it ends."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from govfile import skat
from govfile.errors import (
    ConfigurationError,
    CredentialError,
    DuplicateContent,
    DuplicateName,
    GovfileError,
    InvalidContent,
    InvalidName,
    NotAuthorised,
    TransferRefused,
)
from govfile.filing.states import State
from govfile.transports.base import TransferType
from govfile.transports.faulty import FaultPlan, FaultyTransport, Step
from support.skat_world import CVR, HOME, UUID, World, authority, organisation, records, report

if TYPE_CHECKING:
    from pathlib import Path

    from govfile.filing.submission import Submission

NAME = "19552101_2025_a1.zip"
XML = b"<Ankomst/>"
MANIFEST = "Manifest.AnkomstdeklarationOpret"


def submissions(world: World) -> list[Submission]:
    return list(world.ledger.search())


def test_a_document_is_sent_under_its_final_name_and_recorded_step_by_step(world: World) -> None:
    with world.gateway() as gateway:
        filed = gateway.submit(report(), service="Udlaan", name=NAME)
    assert world.server.arrivals == [
        (f"{HOME}/Udlaan/{NAME}", hashlib.sha256(report()).hexdigest(), TransferType.BINARY)
    ]
    assert [event.state for event in filed.history] == [State.PREPARED, State.SENDING, State.SENT]
    assert filed.filed_by == f"CVR_{CVR}_UI_{UUID}"
    assert filed.certificate == organisation().fingerprint
    assert "226" in filed.history[-1].evidence.detail
    assert world.ledger.get(filed.id) == filed


def test_an_odd_name_is_noted_once_and_by_name(world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    odd = tmp_path / "report.zip"
    odd.write_bytes(report())
    world.gateway().submit(odd, service="Udlaan")
    notes = [record.getMessage() for record in caplog.records if "does not have the shape" in record.getMessage()]
    assert len(notes) == 1
    assert notes[0].startswith("report.zip does not")


def test_classic_files_cross_as_ascii(world: World) -> None:
    world.gateway().submit(records("a").replace(b"\r\n", b"\n"), service="AKSA", name="run7.txt")
    assert world.server.arrivals[0][1:] == (hashlib.sha256(records("a")).hexdigest(), TransferType.ASCII)


def test_the_same_name_and_content_is_the_same_submission_and_is_sent_once(world: World) -> None:
    gateway = world.gateway()
    filed = gateway.submit(report(), service="Udlaan", name=NAME)
    assert gateway.submit(report(), service="Udlaan", name=NAME, key="other") == filed
    assert world.gateway().submit(report(), service="Udlaan", name=NAME) == filed
    assert world.server.names == [NAME]


def test_other_content_under_the_name_and_the_content_under_other_names_are_refused(world: World) -> None:
    gateway = world.gateway()
    filed = gateway.submit(report(), service="Udlaan", name=NAME)
    with pytest.raises(DuplicateName) as name:
        gateway.submit(report(2), service="Udlaan", name=NAME)
    assert name.value.submission == filed
    with pytest.raises(DuplicateName, match="case"):
        gateway.submit(report(2), service="Udlaan", name=NAME.replace("a1", "A1"))
    with pytest.raises(DuplicateContent) as content:
        gateway.submit(report(), service="Udlaan", name=NAME.replace("a1", "a2"))
    assert content.value.submission == filed
    gateway.submit(report(), service="Udlaan", name=NAME.replace("a1", "a3"), again="the authority asked for it")
    gateway.submit(report(), service="Udlaan", name=NAME.replace("a1", "a4"), key="branch 2")
    assert world.server.names == [NAME, "19552101_2025_a3.zip", "19552101_2025_a4.zip"]


def test_a_nightly_script_that_runs_twice_files_once(world: World) -> None:
    gateway = world.gateway()
    filed = gateway.submit(XML, service=MANIFEST)
    with pytest.raises(DuplicateContent) as refused:
        gateway.submit(XML, service=MANIFEST)
    assert refused.value.submission == filed
    assert len(world.server.arrivals) == 1


def test_an_unsent_document_is_taken_up_again_under_its_first_name(world: World) -> None:
    world.wrap = lambda inner: FaultyTransport(inner, FaultPlan.at(Step.DATA_PORT))
    gateway = world.gateway()
    with pytest.raises(GovfileError, match="36101"):
        gateway.submit(XML, service=MANIFEST)
    (prepared,) = submissions(world)
    assert prepared.state is State.PREPARED
    world.wrap = lambda inner: inner
    filed = gateway.submit(XML, service=MANIFEST)
    assert (filed.id, filed.state) == (prepared.id, State.SENT)
    assert world.server.names == [prepared.name]


@pytest.mark.parametrize("many", [False, True])
@pytest.mark.parametrize("wish", [{"again": "corrected by hand"}, {"dry_run": True}])
def test_a_repeat_that_never_left_is_gone_on_with_and_not_claimed_beside_itself(
    world: World, tmp_path: Path, wish: dict[str, Any], many: bool
) -> None:
    """Otherwise `resume` would send the first claim beside the second one: filed twice for one wish."""
    document = tmp_path / "19552101_2025_a1.zip"
    document.write_bytes(report())
    gateway = world.gateway(profiles=[attrs.evolve(skat.RENTE[0], naming=skat.Naming())])
    gateway.submit(document, service=skat.RENTE[0].name)
    world.wrap = lambda inner: FaultyTransport(inner, FaultPlan.at(Step.DATA_PORT))
    gateway.close()

    def file() -> None:
        if not many:
            gateway.submit(document, service=skat.RENTE[0].name, **wish)
            return
        filing = skat.Filing(document=document, again=wish.get("again"))
        is_dry_run = "dry_run" in wish
        ((_, outcome),) = gateway.submit_many([filing], service=skat.RENTE[0].name, dry_run=is_dry_run)
        if isinstance(outcome, GovfileError):
            raise outcome

    with pytest.raises(GovfileError, match="36101"):
        file()
    world.wrap = lambda inner: inner
    gateway.close()
    file()
    gateway.resume()
    assert [found.state for found in submissions(world)] == [State.SENT] * 2
    assert len(world.server.arrivals) == 2
    file()
    assert len(world.server.arrivals) == 3, "what has left is repeated, as it was asked for"


def test_a_dry_run_is_sent_as_one_and_never_stands_in_the_way(world: World) -> None:
    gateway = world.gateway()
    checked = gateway.submit(report(), service="Udlaan", name=NAME, dry_run=True)
    filed = gateway.submit(report(), service="Udlaan", name=NAME)
    assert world.server.names == [f"val_{NAME}", NAME]
    assert (checked.is_dry_run, filed.is_dry_run) == (True, False)
    with pytest.raises(ConfigurationError, match="no dry run"):
        gateway.submit(XML, service=MANIFEST, dry_run=True)


def test_nothing_is_claimed_or_opened_for_what_can_be_refused_here(world: World, tmp_path: Path) -> None:
    gateway = world.gateway()
    pipe = tmp_path / "pipe"
    import os

    os.mkfifo(pipe)
    wrong: list[tuple[Any, dict[str, Any], type[GovfileError]]] = [
        (tmp_path / "missing.zip", {"name": NAME}, InvalidContent),
        (tmp_path, {"name": NAME}, InvalidContent),
        (pipe, {"name": NAME}, InvalidContent),
        (b"", {"name": NAME}, InvalidContent),
        (b"no zip", {"name": NAME}, InvalidContent),
        (report(), {"name": "a\r\nDELE b.zip"}, InvalidName),
        (report(), {"name": "../a.zip"}, InvalidName),
        (report(), {"name": "blå.zip"}, InvalidName),
        (report(), {"name": "x" * 300 + ".zip"}, InvalidName),
        (report(), {"name": f"val_{NAME}"}, InvalidName),
        (report(), {}, InvalidName),
        (report(), {"name": NAME, "again": " "}, ConfigurationError),
        (report(), {"name": NAME, "service": "no/service"}, ConfigurationError),
    ]
    for document, settings, error in wrong:
        with pytest.raises(error):
            gateway.submit(document, **{"service": "Udlaan", **settings})
    assert submissions(world) == []
    assert world.opened == []


def test_f05_a_certificate_that_is_not_valid_now_is_refused_before_connecting(world: World) -> None:
    from datetime import UTC, datetime

    gateway = world.gateway()
    world.clock.now = datetime(2041, 1, 1, tzinfo=UTC)
    with pytest.raises(CredentialError):
        gateway.submit(report(), service="Udlaan", name=NAME)
    with pytest.raises(CredentialError):
        world.gateway()
    world.clock.now = datetime(2020, 1, 1, tzinfo=UTC)
    with pytest.raises(CredentialError):
        world.gateway()
    assert world.opened == []
    assert authority() is not None


def test_f20_a_service_without_a_folder_is_an_error_that_lists_what_is_visible(world: World) -> None:
    gateway = world.gateway()
    with pytest.raises(NotAuthorised) as refused:
        gateway.submit(report(), service="Indlaan", name=NAME)
    assert "Udlaan" in refused.value.visible
    (prepared,) = submissions(world)
    assert prepared.state is State.PREPARED
    world.server.make_folder(f"{HOME}/Indlaan")
    world.clock.advance(hours=1)
    assert gateway.submit(report(), service="Indlaan", name=NAME).id == prepared.id


def test_f20_a_folder_that_vanished_during_the_conversation_is_a_withdrawn_role(world: World) -> None:
    gateway = world.gateway()
    gateway.submit(report(), service="Udlaan", name=NAME)
    world.server.folders.discard(f"{HOME}/Udlaan")
    with pytest.raises(NotAuthorised) as refused:
        gateway.submit(report(2), service="Udlaan", name="19552101_2025_a2.zip")
    assert "Udlaan" not in refused.value.visible
    assert isinstance(refused.value.__cause__, TransferRefused)
    assert gateway.status("19552101_2025_a2.zip").state is State.PREPARED
