"""Collecting: answers taken whole, kept together, believed when their signature holds, matched, and then removed."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from govfile import State, Verdict, onss
from govfile.certificates.trust import Trust
from govfile.errors import ConfigurationError, GovfileError
from govfile.filing.states import Proof
from govfile.transports.faulty import Fault, FaultPlan, FaultyTransport, Step
from support.onss_world import NOTI, acrf, credential, declaration, notified, signature

if TYPE_CHECKING:
    from govfile import Submission
    from support.onss_world import World


@pytest.fixture
def filed(world: World) -> Submission:
    with world.channel() as channel:
        return channel.submit(world.write(1, forms=3), purpose="DMFA")


def collected(world: World, **how: Any) -> onss.Collection:
    settings = how.pop("channel", {})
    with world.channel(**settings) as channel:
        return channel.collect(world.into, **how)


class TestAcknowledgements:
    def test_a_positive_one_means_received(self, world: World, filed: Submission) -> None:
        world.server.acknowledge(filed.name)
        found = collected(world)
        (one,) = found.submissions
        assert (one.state, one.verdict) == (State.RECEIVED, None)
        assert one.history[-1].evidence.code == "03804UE9XCMQZ"
        assert [answer.path.name for answer in found.answers] == ["FO.ACRF.999999.20260105.00001.R"]
        assert found.answers[0].path.read_text() == acrf(filed.name)

    def test_a_negative_one_means_rejected_with_every_code_and_advice(self, world: World, filed: Submission) -> None:
        world.server.acknowledge(filed.name, "125", "153")
        (one,) = collected(world).submissions
        assert one.state is State.REJECTED
        assert one.rejection is not None
        assert one.rejection.code == "ACRF-125, ACRF-153"
        assert "certificate" in one.rejection.detail
        with pytest.raises(GovfileError, match="ACRF-125"):
            one.raise_for_rejection()

    @pytest.mark.parametrize("prefix", ["GO", "FI", "FS"])
    def test_any_file_of_the_set_may_be_named(self, world: World, filed: Submission, prefix: str) -> None:
        name = next(name for name in filed.remote_names if name.startswith(prefix))
        world.server.acknowledge(name)
        assert collected(world).submissions[0].state is State.RECEIVED

    def test_the_short_form_of_a_name_is_ours_too(self, world: World, filed: Submission) -> None:
        world.server.acknowledge(filed.name.removesuffix(".1"))
        assert collected(world).submissions[0].state is State.RECEIVED

    def test_s13_one_for_somebody_else_is_handed_over_kept_and_left_there(
        self, world: World, filed: Submission
    ) -> None:
        name = world.server.acknowledge("GO.DMFA.305001.20260105.00001.R.1", "125")
        found = collected(world, delete=True)
        assert found.submissions == ()
        assert [answer.remote_name for answer in found.unsolicited] == [name]
        assert found.removed == ()
        assert name in world.server.lying("OUT")
        assert world.ledger.get(filed.id).state is State.SENT

    def test_s13_the_same_twice_and_a_refusal_of_the_name_behind_a_receipt_change_nothing(
        self, world: World, filed: Submission
    ) -> None:
        for codes in ((), (), ("133",)):
            world.server.acknowledge(filed.name, *codes)
            collected(world)
        assert world.ledger.get(filed.id).state is State.RECEIVED

    def test_one_in_the_wrong_folder_is_not_looked_for(self, world: World, filed: Submission) -> None:
        world.server.acknowledge(filed.name, folder="OUTTEST")
        assert collected(world).replies == ()


class TestNotifications:
    def verdict(self, world: World, *forms: str, **how: Any) -> Verdict | None:
        world.server.notify(*forms, **how)
        (one,) = collected(world).submissions
        assert one.state is State.ANSWERED
        return one.verdict

    @pytest.mark.parametrize(
        ("results", "verdict"),
        [
            ((1, 1, 1), Verdict.ACCEPTED),
            ((1, 0, 1), Verdict.MIXED),
            ((0, 0, 0), Verdict.REJECTED),
            ((1, 2, 1), Verdict.PROVISIONAL),
            ((1, 3, 0), Verdict.PROVISIONAL),
            ((4,), Verdict.PROVISIONAL),
            ((9,), Verdict.UNREAD),
        ],
    )
    def test_forms_make_one_verdict(
        self, world: World, filed: Submission, results: tuple[int, ...], verdict: Verdict
    ) -> None:
        forms = [notified(1, form, result=result, name=filed.name) for form, result in enumerate(results)]
        assert self.verdict(world, *forms) is verdict

    def test_anomalies_of_an_accepted_form_are_remarks_and_listed(self, world: World, filed: Submission) -> None:
        anomaly = "<AnomalyReport><ErrorID>00011-155</ErrorID><AnomalyClass>W</AnomalyClass></AnomalyReport>"
        world.server.notify(notified(name=filed.name, anomalies=anomaly))
        found = collected(world)
        assert found.submissions[0].verdict is Verdict.ACCEPTED_WITH_REMARKS
        assert found.replies[0].notification is not None
        assert found.replies[0].notification.forms[0].anomalies[0].error_id == "00011-155"

    @pytest.mark.parametrize(
        ("say", "evidence"),
        [
            ({"name": "GO"}, "FILE_NAME"),
            ({"ticket": "03804UE9XCMQZ", "has_reference": False}, "TICKET"),
            ({}, "OWN_REFERENCE"),
            ({"has_reference": False}, "FORM_STAMP"),
        ],
    )
    def test_the_four_ways_to_tell_whose_it_is(
        self, world: World, filed: Submission, say: dict[str, Any], evidence: str
    ) -> None:
        with world.channel() as channel:
            channel.submit(world.write(2), purpose="DMFA")
        world.server.acknowledge(filed.name)
        collected(world)
        say = {**say, "name": filed.name} if "name" in say else say
        world.server.notify(notified(1, **say))
        found = collected(world)
        assert [one.id for one in found.submissions] == [filed.id]
        assert found.replies[0].matches[0].evidence is not None
        assert found.replies[0].matches[0].evidence.name == evidence

    def test_several_messages_make_one_verdict(self, world: World, filed: Submission) -> None:
        assert self.verdict(world, notified(1, 0, name=filed.name)) is Verdict.ACCEPTED
        assert self.verdict(world, notified(1, 1, name=filed.name, result=0)) is Verdict.MIXED

    def test_a_final_word_replaces_a_provisional_one_and_never_the_other_way(
        self, world: World, filed: Submission
    ) -> None:
        assert self.verdict(world, notified(name=filed.name, result=3)) is Verdict.PROVISIONAL
        assert self.verdict(world, notified(name=filed.name, result=1)) is Verdict.ACCEPTED
        assert self.verdict(world, notified(name=filed.name, result=2)) is Verdict.ACCEPTED
        assert self.verdict(world, notified(name=filed.name, result=1, type_form="PA")) is Verdict.ACCEPTED

    def test_forms_that_cannot_be_told_apart_never_hide_a_refusal(self, world: World, filed: Submission) -> None:
        same = [notified(1, 0, name=filed.name, result=result) for result in (0, 1)]
        assert self.verdict(world, *same) is Verdict.MIXED
        assert self.verdict(world, notified(1, 0, name=filed.name)) is Verdict.MIXED

    def test_one_message_about_two_sets_answers_both(self, world: World, filed: Submission) -> None:
        with world.channel() as channel:
            other = channel.submit(world.write(2), purpose="DMFA")
        world.server.notify(notified(1, name=filed.name), notified(2, name=other.name, result=0))
        verdicts = {one.id: one.verdict for one in collected(world).submissions}
        assert verdicts == {filed.id: Verdict.ACCEPTED, other.id: Verdict.REJECTED}

    def test_a_form_for_somebody_else_keeps_the_message_there(self, world: World, filed: Submission) -> None:
        name = world.server.notify(notified(name=filed.name), notified(7, name="GO.DMFA.305001.20260105.00001.R.1"))
        found = collected(world, delete=True)
        assert found.submissions[0].verdict is Verdict.ACCEPTED
        assert name in world.server.lying("OUT")

    @pytest.mark.parametrize("signs_expanded", [False, True])
    def test_a_compressed_one_is_kept_as_it_came_and_as_it_is_read(
        self, world: World, filed: Submission, signs_expanded: bool
    ) -> None:
        plain = NOTI.format(forms=notified(name=filed.name)).encode()
        packed = gzip.compress(plain)
        world.server.answer("NOTI", packed, prefix="CO", fs=signature(plain if signs_expanded else packed))
        found = collected(world)
        assert found.submissions[0].verdict is Verdict.ACCEPTED
        (reply,) = found.replies
        assert reply.answer.path.read_bytes() == packed
        assert reply.unpacked is not None
        assert reply.unpacked.read_bytes() == plain

    def test_g04_a_bomb_is_kept_and_not_believed(self, world: World, filed: Submission) -> None:
        packed = gzip.compress(b"<a>" + b" " * (10 * 1024 * 1024) + b"</a>")
        world.server.answer("NOTI", packed, prefix="CO")
        found = collected(world)
        assert [answer.size for answer in found.unread] == [len(packed)]
        assert "unpacks to more than" in found.replies[0].problem
        assert world.ledger.get(filed.id).state is State.SENT


class TestSignatures:
    def test_the_three_files_are_kept_together(self, world: World, filed: Submission) -> None:
        world.server.acknowledge(filed.name)
        found = collected(world)
        assert {path.name[:2] for path in found.replies[0].files} == {"FO", "FS", "GO"}
        assert {path.name for path in world.into.iterdir()} == {path.name for path in found.replies[0].files}
        assert found.replies[0].signature is not None
        assert found.replies[0].signature.report is not None
        assert found.replies[0].signature.report.is_sound

    @pytest.mark.parametrize("fs", [signature(b"other bytes"), b"no signature", b"AAAA"], ids=["other", "none", "bad"])
    def test_an_answer_whose_signature_does_not_hold_is_kept_and_not_believed(
        self, world: World, filed: Submission, fs: bytes
    ) -> None:
        world.server.acknowledge(filed.name, fs=fs)
        found = collected(world, delete=True)
        assert [answer.path.exists() for answer in found.unread] == [True]
        assert "signature" in found.replies[0].problem
        assert found.removed == ()
        assert world.ledger.get(filed.id).state is State.SENT
        assert collected(world).replies == (), "it is not fetched again"

    def test_it_is_believed_where_that_is_asked_for(self, world: World, filed: Submission) -> None:
        world.server.acknowledge(filed.name, fs=signature(b"other bytes"))
        found = collected(world, channel={"believes_any_signature": True})
        assert found.submissions[0].state is State.RECEIVED
        assert found.replies[0].signature is not None

    def test_an_answer_without_a_signature_is_believed_and_says_so(self, world: World, filed: Submission) -> None:
        world.server.acknowledge(filed.name, fs=None)
        found = collected(world)
        assert found.submissions[0].state is State.RECEIVED
        assert found.replies[0].signature is None

    def test_with_trust_a_stranger_is_not_believed(self, world: World, filed: Submission) -> None:
        world.server.acknowledge(filed.name)
        anchors = Trust.only(credential().certificate.public_bytes(Encoding.PEM))
        found = collected(world, channel={"trust": anchors})
        assert "not trusted" in found.replies[0].problem
        assert world.ledger.get(filed.id).state is State.SENT


class TestWhatLiesThere:
    def test_an_answer_without_its_trigger_is_left_until_that_comes(self, world: World, filed: Submission) -> None:
        name = world.server.acknowledge(filed.name, go=False)
        found = collected(world)
        assert (found.replies, found.untouched) == ((), (name, "FS" + name[2:]))
        world.server.store(f"/OUT/GO{name[2:]}", b"")
        assert collected(world).submissions[0].state is State.RECEIVED

    @pytest.mark.parametrize(
        "name", ["x", "../x", "FO.ACRF", "readme.txt", "GO.NOTI.999999.20260105.00009.R", "FO.\x1b[2J"]
    )
    def test_s11_what_no_rule_knows_is_not_touched(self, world: World, filed: Submission, name: str) -> None:
        world.server.files[f"/OUT/{name.replace('../', '')}"] = world.server.files[f"/IN/{filed.name}"]
        found = collected(world, delete=True)
        assert found.untouched == (name.replace("../", ""),)
        assert not world.into.exists() or list(world.into.iterdir()) == []

    def test_unasked_messages_are_handed_over_and_removed_when_asked(self, world: World, filed: Submission) -> None:
        name = world.server.answer("DMNO", "<DmfAUpdateNotification/>")
        found = collected(world, delete=True)
        assert [answer.path.read_bytes() for answer in found.unsolicited] == [b"<DmfAUpdateNotification/>"]
        assert found.removed == (name, "FS" + name[2:], "GO" + name[2:]), "the trigger last"

    def test_nothing_is_removed_unless_asked_and_nothing_is_fetched_twice(
        self, world: World, filed: Submission
    ) -> None:
        world.server.acknowledge(filed.name)
        assert len(collected(world).replies) == 1
        again = collected(world)
        assert (again.replies, again.removed, again.submissions) == ((), (), ())
        assert len(world.server.lying("OUT")) == 3

    def test_what_was_acknowledged_is_removed_once_it_is_saved(self, world: World, filed: Submission) -> None:
        world.server.acknowledge(filed.name)
        assert len(collected(world, delete=True).removed) == 3
        assert world.server.lying("OUT") == {}

    def test_a_content_that_was_replaced_keeps_its_trigger(self, world: World, filed: Submission) -> None:
        name = world.server.acknowledge(filed.name, fs=None)

        class Replacing(FaultyTransport):
            def get(self, path: str, *arguments: Any, **keywords: Any) -> Any:
                received = super().get(path, *arguments, **keywords)
                if "/GO." in path:
                    world.clock.advance(seconds=1)
                    world.server.store(f"/OUT/{name}", acrf(filed.name, "108").encode())
                return received

        world.wrap = lambda inner: Replacing(inner, FaultPlan())
        assert collected(world, delete=True).removed == ()
        world.wrap = lambda inner: inner
        assert len(collected(world, delete=True).replies) == 1
        assert world.ledger.get(filed.id).state is State.REJECTED

    @pytest.mark.parametrize("raw", [b"", b"<ACRF>", b"<!DOCTYPE a><ACRF/>", b"\xff\xfe<", b"<Other/>", b"<ACRF/>"])
    def test_s13_what_cannot_be_read_is_kept_and_moves_nothing(
        self, world: World, filed: Submission, raw: bytes
    ) -> None:
        world.server.answer("ACRF", raw)
        found = collected(world, delete=True)
        assert len(found.unread) == 1
        assert found.removed == ()
        assert world.ledger.get(filed.id).state is State.SENT

    def test_what_is_still_being_written_is_looked_at_again_later(self, world: World, filed: Submission) -> None:
        name = world.server.acknowledge(filed.name)
        whole = world.server.lying("OUT")[name]
        world.server.store(f"/OUT/{name}", whole[:100])
        world.clock.while_asleep = lambda: world.server.store(f"/OUT/{name}", whole)
        found = collected(world)
        assert (found.replies, [skipped.remote_name for skipped in found.skipped]) == ((), [name])
        assert collected(world).submissions[0].state is State.RECEIVED

    def test_s17_sets_the_ledger_does_not_know_burn_their_numbers(self, world: World, filed: Submission) -> None:
        world.server.acknowledge("GO.DIMN.101420.20260105.00002.R.1")
        found = collected(world)
        assert len(found.unsolicited) == 1
        with world.channel() as channel:
            assert channel.submit(declaration(5), purpose="DMFA").name.split(".")[4] == "00003"


@pytest.mark.parametrize("step", [Step.CONNECT, Step.LIST_LOST, Step.GET_LOST, Step.GET_GONE, Step.REMOVE_REFUSED])
@pytest.mark.parametrize("nth", [1, 2, 3, 4, 5])
def test_s15_a_break_at_any_step_loses_and_doubles_nothing(
    world: World, filed: Submission, step: Step, nth: int
) -> None:
    world.server.acknowledge(filed.name)
    world.server.notify(notified(name=filed.name))
    plans = iter([FaultPlan(faults=(Fault(step=step, nth=nth),))])
    world.wrap = lambda inner: FaultyTransport(inner, next(plans, FaultPlan()))
    try:
        collected(world, delete=True)
    except GovfileError:
        assert len(world.server.lying("OUT")) == 6, "nothing is removed before all of it is recorded"
    collected(world, delete=True)
    after = world.ledger.get(filed.id)
    assert (after.state, after.verdict, len(after.answers)) == (State.ANSWERED, Verdict.ACCEPTED, 1)
    proofs = [event.evidence.proof for event in after.history]
    assert (proofs.count(Proof.TAKEN), proofs.count(Proof.ANSWERED)) == (1, 1)
    assert not [path for path in world.into.iterdir() if path.name.startswith(".govfile-")]
    assert world.ledger.verify() == []


class TestWaiting:
    def test_it_looks_at_the_environments_pace_until_the_notification_is_here(
        self, world: World, filed: Submission
    ) -> None:
        naps = 0

        def meanwhile() -> None:
            nonlocal naps
            naps += 1
            if naps == 2:
                world.server.acknowledge(filed.name)
            if naps == 4:
                world.server.notify(notified(name=filed.name))

        world.clock.while_asleep = meanwhile
        with world.channel() as channel:
            final = channel.wait(filed, into=world.into)
        assert (final.state, final.verdict) == (State.ANSWERED, Verdict.ACCEPTED)
        assert 55 <= world.clock.slept[0] <= 70

    def test_it_returns_on_refusals_and_when_time_is_up(self, world: World, filed: Submission) -> None:
        with world.channel() as channel:
            assert channel.wait(filed, into=world.into, timeout=600).state is State.SENT
            assert not channel.is_silent(filed)
            world.clock.advance(hours=7)
            assert channel.is_silent(channel.status(filed))
            assert [one.id for one in channel.collect(world.into).silent] == [filed.id]
            world.server.acknowledge(filed.name, "125")
            assert channel.wait(filed, into=world.into, timeout=600).state is State.REJECTED

    def test_a_submission_of_another_channel_is_refused(self, world: World, filed: Submission) -> None:
        with world.channel(onss.CIRCUIT_TEST) as other:
            with pytest.raises(ConfigurationError, match="not through this channel"):
                other.wait(filed, into=world.into)
            with pytest.raises(ConfigurationError, match="not through this channel"):
                other.settle(filed, arrived=True, reason="x")


def test_two_hosts_with_clocks_a_day_apart_agree_in_the_end(world: World, filed: Submission) -> None:
    world.clock.now = datetime(2026, 1, 4, 9, tzinfo=UTC)
    with world.channel() as behind:
        other = behind.submit(declaration(2), purpose="DMFA")
        assert other.name.split(".")[3] == "20260104"
        world.server.acknowledge(filed.name)
        world.server.acknowledge(other.name)
        assert {one.state for one in behind.collect(world.into).submissions} == {State.RECEIVED}
        world.clock.now += timedelta(days=2)
        assert behind.collect(world.into).replies == ()
