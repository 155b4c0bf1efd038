"""Collecting: everything is kept, matched by the authority's own rules, and never stops for a bad file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from govfile.filing.states import Proof, State, Verdict
from govfile.transports.faulty import FaultPlan, FaultyTransport, Step
from support.skat_world import HOME, REUSED, World, records, report

if TYPE_CHECKING:
    from govfile.filing.submission import Submission

NAME = "19552101_2025_a1.zip"


@pytest.fixture
def filed(world: World) -> Submission:
    return world.gateway().submit(report(), service="Udlaan", name=NAME)


def test_statuses_and_answer_move_the_submission_to_its_end(world: World, filed: Submission) -> None:
    world.server.run()
    found = world.gateway().collect(world.into)
    (final,) = found.submissions
    assert (final.id, final.state, final.verdict) == (filed.id, State.ANSWERED, Verdict.UNREAD)
    assert [event.evidence.proof for event in final.history[3:]] == [
        Proof.HANDED_OVER,
        Proof.TAKEN,
        Proof.ANNOUNCED,
        Proof.ANSWERED,
    ]
    (answer,) = final.answers
    assert answer.path.read_bytes() == b"<svar>ok</svar>"
    assert found.answers == (answer,)
    assert found.statuses == 3
    for event in final.history[3:]:
        assert Path(event.evidence.saved_as).is_file()
    assert not list(world.into.glob(".govfile-*"))
    assert {path.stat().st_mode & 0o777 for path in world.into.iterdir()} == {0o600}


def test_f15_any_order_and_repetition_give_the_same_end(world: World, filed: Submission) -> None:
    gateway = world.gateway()
    for number in (2, 1, 2):
        world.clock.advance(minutes=1)
        world.server.status("Udlaan", NAME, number)
        gateway.collect(world.into)
    assert gateway.status(filed).state is State.RECEIVED
    before = gateway.status(filed)
    world.clock.advance(minutes=1)
    world.server.status("Udlaan", NAME, 2)  # the same bytes once more
    assert gateway.collect(world.into).statuses == 1
    assert gateway.status(filed) == before
    assert gateway.collect(world.into).statuses == 0


def announce(world: World, name: str, *answers: str) -> None:
    named = "".join(f"<filename>{answer}</filename>" for answer in answers)
    world.server.status("Udlaan", name, 3, more=f"<response>{named}</response>")


def test_f15_an_answer_that_lay_there_before_the_status_3_that_announces_it_belongs_to_its_upload(
    world: World, filed: Submission
) -> None:
    gateway = world.gateway()
    world.server.put_out("FEJLLISTE.TXT", b"0001 a list under a name of its own")
    (early,) = gateway.collect(world.into).unsolicited
    world.clock.advance(minutes=1)
    announce(world, NAME, "FEJLLISTE.TXT")
    found = gateway.collect(world.into)
    assert found.answers == (early,)
    final = gateway.status(filed)
    assert (final.state, final.verdict, final.answers) == (State.ANSWERED, Verdict.UNREAD, (early,))
    world.clock.advance(minutes=1)
    announce(world, NAME, "FEJLLISTE.TXT")  # once more
    assert gateway.collect(world.into).answers == ()
    assert gateway.status(filed) == final


def test_f14_a_name_that_cannot_be_written_on_the_wire_stops_no_collection(world: World, filed: Submission) -> None:
    world.server.put_out("a\ud800b.txt", b"?")
    world.server.run()
    found = world.gateway().collect(world.into)
    assert [(skipped.remote_name, "cannot be asked for" in skipped.reason) for skipped in found.skipped] == [
        ("a\ud800b.txt", True)
    ]
    assert world.gateway().status(filed).state is State.ANSWERED


def test_f16_what_two_uploads_announce_or_came_before_the_filing_is_given_to_none(world: World) -> None:
    gateway = world.gateway()
    world.server.put_out("old.txt", b"of an earlier upload")
    gateway.collect(world.into)
    world.clock.advance(minutes=1)
    names = [NAME, NAME.replace("a1", "a2")]
    for seed, name in enumerate(names):
        gateway.submit(report(seed), service="Udlaan", name=name)
    world.server.put_out("both.txt", b"of one of them")
    gateway.collect(world.into)
    for name in names:
        announce(world, name, "old.txt", "both.txt")
    assert gateway.collect(world.into).answers == ()
    assert {gateway.status(name).state for name in names} == {State.RECEIVED}


def test_a_refusal_carries_code_and_advice(world: World, filed: Submission) -> None:
    from govfile.errors import Rejected

    world.server.refuse("Udlaan", NAME, "RECORD_LENGTH_INCORRECT")
    (refused,) = world.gateway().collect(world.into).submissions
    assert refused.state is State.REJECTED
    with pytest.raises(Rejected) as error:
        refused.raise_for_rejection()
    assert error.value.code == "RECORD_LENGTH_INCORRECT"
    assert "new name" in str(error.value)


def test_f10_name_reused_says_nothing_against_what_was_delivered(world: World, filed: Submission) -> None:
    world.server.refuse("Udlaan", NAME, REUSED)
    gateway = world.gateway()
    gateway.collect(world.into)
    assert gateway.status(filed).state is State.REJECTED
    world.server.status("Udlaan", NAME, 1)
    gateway.collect(world.into)
    assert gateway.status(filed).state is State.DELIVERED


def test_f09_a_status_settles_an_unknown_outcome(world: World) -> None:
    world.ledger.burn(
        authority="skat", environment="local", sender="10101010", service="x", names=["x"], found="elsewhere"
    )
    world.wrap = lambda inner: FaultyTransport(inner, FaultPlan.at(Step.BEFORE_REPLY))
    gateway = world.gateway()
    with pytest.raises(Exception, match="not known whether"):
        gateway.submit(report(), service="Udlaan", name=NAME)
    world.wrap = lambda inner: inner
    world.server.run()
    gateway.collect(world.into)
    assert gateway.status(NAME).state is State.ANSWERED
    assert world.server.names == [NAME]


# --- matching ---


def test_underscores_do_not_mislead_and_the_content_decides(world: World) -> None:
    gateway = world.gateway()
    one = gateway.submit(b"one", service="A", name="b_c.txt")
    two = gateway.submit(b"two", service="A_b", name="c.txt")
    world.server.put_out(
        "status_A_b_c.txt_1.xml",
        f"<status><file><filename>{HOME}/A_b/c.txt</filename>".encode()
        + b"<FTPTransaktionsId>c.txt</FTPTransaktionsId></file></status>",
    )
    gateway.collect(world.into)
    assert gateway.status(one).state is State.SENT
    assert gateway.status(two).state is State.DELIVERED


def test_a_status_whose_content_contradicts_its_name_is_nobodys(world: World, filed: Submission) -> None:
    world.server.status("Udlaan", "other.zip", 1)
    content = world.server.files.pop(f"{HOME}/out/status_Udlaan_other.zip_1.xml").data
    world.server.put_out(f"status_Udlaan_{NAME}_1.xml", content)
    found = world.gateway().collect(world.into)
    assert (found.submissions, len(found.unsolicited)) == ((), 1)
    assert world.gateway().status(filed).state is State.SENT


def test_a_status_under_an_odd_name_is_matched_by_the_path_in_it(world: World, filed: Submission) -> None:
    world.server.status("Udlaan", NAME, 2)
    content = world.server.files.pop(f"{HOME}/out/status_Udlaan_{NAME}_2.xml").data
    world.server.put_out("status_Backend.Service_20260105_2.xml", content)
    world.gateway().collect(world.into)
    assert world.gateway().status(filed).state is State.RECEIVED


@pytest.mark.parametrize(
    "remote_name",
    [
        "UFO_KvitteringsFil_UFO_19552101_2025_a1.xml",
        f"UFO_SvarFil_UFO_{NAME}",
        f"Udlaan_{NAME}.fejl.txt",
        f"{NAME}",
    ],
)
def test_unannounced_answers_are_known_by_the_name_in_theirs(world: World, filed: Submission, remote_name: str) -> None:
    world.server.put_out(remote_name, b"<svar/>")
    world.gateway().collect(world.into)
    assert world.gateway().status(filed).state is State.ANSWERED


@pytest.mark.parametrize(
    "remote_name", ["svar_2025_a1.xml", "svar_x19552101_2025_a1.xml", "svar_val_19552101_2025_a1.xml", "nyt.xml"]
)
def test_answers_that_only_look_alike_are_unsolicited(world: World, filed: Submission, remote_name: str) -> None:
    world.server.put_out(remote_name, b"<svar/>")
    found = world.gateway().collect(world.into)
    assert [saved.remote_name for saved in found.unsolicited] == [remote_name]
    assert world.gateway().status(filed).state is State.SENT


def test_an_announced_answer_may_be_called_anything_and_come_in_another_run(world: World, filed: Submission) -> None:
    more = "<response><filename>/out/FEJL0042.txt</filename><filename>ADVIS0042.txt</filename></response>"
    world.server.status("Udlaan", NAME, 3, more=more)
    world.gateway().collect(world.into)
    assert world.gateway().status(filed).state is State.RECEIVED
    world.server.put_out("FEJL0042.txt", records("005"))
    world.gateway().collect(world.into)
    world.server.put_out("ADVIS0042.txt", records("advis"))
    world.gateway().collect(world.into)
    final = world.gateway().status(filed)
    assert final.state is State.ANSWERED
    assert [answer.remote_name for answer in final.answers] == ["FEJL0042.txt", "ADVIS0042.txt"]


def test_an_answer_two_uploads_could_own_is_left_to_a_person(world: World) -> None:
    gateway = world.gateway()
    for extension in ("txt", "xml"):
        gateway.submit(extension.encode(), service="A", name=f"report7.{extension}")
    world.server.put_out("svar_report7.csv", b"x")
    world.server.put_out("svar_report7.xml", b"<x/>")
    found = gateway.collect(world.into)
    assert [saved.remote_name for saved in found.unsolicited] == ["svar_report7.csv"]
    assert gateway.status("report7.xml").state is State.ANSWERED
    assert gateway.status("report7.txt").state is State.SENT


def test_files_nobody_asked_for_are_saved_and_listed(world: World) -> None:
    world.server.status("UFO", "20160819120000123", 3)
    world.server.put_out("nyhedsbrev.pdf", b"%PDF-1.4")
    found = world.gateway().collect(world.into)
    assert {saved.remote_name for saved in found.unsolicited} == {
        "status_UFO_20160819120000123_3.xml",
        "nyhedsbrev.pdf",
    }
    assert all(saved.path.is_file() for saved in found.unsolicited)
    assert world.gateway().collect(world.into).unsolicited == ()


def test_a_replaced_answer_never_overwrites_the_old_one(world: World, filed: Submission) -> None:
    gateway = world.gateway()
    world.server.answer("Udlaan", NAME, content=b"<svar>wrong</svar>")
    gateway.collect(world.into)
    world.clock.advance(days=1)
    world.server.answer("Udlaan", NAME, announced=False, content=b"<svar>right</svar>")
    gateway.collect(world.into)
    first, second = gateway.status(filed).answers
    assert (first.path.read_bytes(), second.path.read_bytes()) == (b"<svar>wrong</svar>", b"<svar>right</svar>")
    assert second.path.name == "Udlaan_SvarFil_19552101_2025_a1.2.xml"
