"""The table of steps: evidence in any order leads to one state; impossible steps of our own are refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some

from govfile.errors import ImpossibleStep, Rejected
from govfile.filing.ledger.rows import from_row, new_submission, to_row
from govfile.filing.states import EVIDENCE, STEPS, Proof, State, Verdict, step
from govfile.filing.submission import Evidence, Submission
from support.filing import claim

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
WORD = sorted(EVIDENCE, key=lambda proof: proof.name)
BEFORE: list[list[Proof]] = [
    [],
    [Proof.STARTED],
    [Proof.STARTED, Proof.CONFIRMED],
    [Proof.STARTED, Proof.LINK_LOST],
    [Proof.STARTED, Proof.INTERRUPTED],
    [Proof.STARTED, Proof.NOTHING_LEFT],
    [Proof.STARTED, Proof.LINK_LOST, Proof.SETTLED_ARRIVED],
    [Proof.STARTED, Proof.LINK_LOST, Proof.SETTLED_NEVER_ARRIVED],
]


def told(*proofs: Proof) -> Submission:
    submission = new_submission(claim(), "0" * 32, AT)
    for proof in proofs:
        submission = submission.after(Evidence(proof=proof), AT)
    return submission


@given(before=some.sampled_from(BEFORE), word=some.lists(some.sampled_from(WORD), max_size=8), data=some.data())
def test_word_from_the_authority_in_any_order_leads_to_the_same_state(
    before: list[Proof], word: list[Proof], data: some.DataObject
) -> None:
    shuffled = data.draw(some.permutations(word))
    assert told(*before, *word).state is told(*before, *shuffled).state


@given(
    word=some.lists(some.sampled_from(WORD), max_size=6),
    ending=some.sampled_from([Proof.CONFIRMED, Proof.LINK_LOST, Proof.INTERRUPTED]),
    data=some.data(),
)
def test_word_that_overtakes_the_end_of_a_transfer_changes_nothing_in_the_end(
    word: list[Proof], ending: Proof, data: some.DataObject
) -> None:
    cut = data.draw(some.integers(0, len(word)))
    overtaken = told(Proof.STARTED, *word[:cut], ending, *word[cut:])
    assert overtaken.state is told(Proof.STARTED, ending, *word).state


@given(word=some.lists(some.sampled_from([proof for proof in WORD if proof is not Proof.REFUSED]), max_size=8))
def test_a_state_on_the_way_never_goes_back(word: list[Proof]) -> None:
    states = [event.state for event in told(Proof.STARTED, Proof.CONFIRMED, *word).history]
    for earlier, later in pairwise(states):
        if State.REJECTED not in (earlier, later):
            assert later.has_reached(earlier)


@given(word=some.lists(some.sampled_from(WORD), max_size=8))
def test_what_was_refused_is_never_answered(word: list[Proof]) -> None:
    if Proof.REFUSED in word:
        assert told(Proof.STARTED, *word).state is State.REJECTED


@given(word=some.lists(some.sampled_from(WORD), max_size=8))
def test_any_history_survives_the_ledger(word: list[Proof]) -> None:
    submission = told(Proof.STARTED, Proof.CONFIRMED, *word)
    assert from_row(to_row(submission, "", "")) == (submission, "", "")


@pytest.mark.parametrize("proof", list(STEPS))
@pytest.mark.parametrize("state", [None, *State])
def test_every_step_of_our_own_is_in_the_table_or_overtaken_or_refused(state: State | None, proof: Proof) -> None:
    closing = {Proof.NOTHING_LEFT, Proof.NOT_TRIGGERED, Proof.CONFIRMED, Proof.LINK_LOST, Proof.INTERRUPTED}
    if state in STEPS[proof]:
        assert step(state, proof) is STEPS[proof][state]
    elif proof in closing and state not in (None, State.PREPARED, State.SENDING):
        assert step(state, proof) is state
    else:
        with pytest.raises(ImpossibleStep, match=proof.name):
            step(state, proof)


def test_a_transfer_taken_for_interrupted_that_was_confirmed_after_all_is_sent() -> None:
    assert told(Proof.STARTED, Proof.INTERRUPTED, Proof.CONFIRMED).state is State.SENT


def test_name_used_before_says_nothing_against_a_document_that_arrived() -> None:
    assert told(Proof.STARTED, Proof.LINK_LOST, Proof.NAME_REUSED).state is State.REJECTED
    assert told(Proof.STARTED, Proof.LINK_LOST, Proof.NAME_REUSED, Proof.HANDED_OVER).state is State.DELIVERED
    assert told(Proof.STARTED, Proof.LINK_LOST, Proof.HANDED_OVER, Proof.NAME_REUSED).state is State.DELIVERED


def test_a_refusal_can_be_raised_with_its_code() -> None:
    refused = told(Proof.STARTED, Proof.CONFIRMED).after(
        Evidence(proof=Proof.REFUSED, code="RECORD_LENGTH_INCORRECT", detail="fix it"), AT
    )
    with pytest.raises(Rejected) as raised:
        refused.raise_for_rejection()
    assert (raised.value.code, raised.value.submission) == ("RECORD_LENGTH_INCORRECT", refused)
    told(Proof.STARTED).raise_for_rejection()


def test_silence_is_an_age() -> None:
    assert told(Proof.STARTED).silent_for(AT + timedelta(hours=7)) == timedelta(hours=7)


def test_states_know_how_far_they_are() -> None:
    assert State.ANSWERED.has_reached(State.SENT)
    assert not State.SENT.has_reached(State.DELIVERED)
    assert not State.REJECTED.has_reached(State.SENT)
    assert not State.UNKNOWN.has_reached(State.PREPARED)
    assert State.UNKNOWN.has_reached(State.UNKNOWN)
    assert [state for state in State if state.is_final] == [State.ANSWERED, State.REJECTED]


def test_a_verdict_is_apart_from_the_state() -> None:
    answered = told(Proof.STARTED).after(Evidence(proof=Proof.ANSWERED), AT, verdict=Verdict.PROVISIONAL)
    replaced = answered.after(Evidence(proof=Proof.ANSWERED), AT, verdict=Verdict.REJECTED)
    assert (answered.state, answered.verdict) == (State.ANSWERED, Verdict.PROVISIONAL)
    assert (replaced.state, replaced.verdict) == (State.ANSWERED, Verdict.REJECTED)
    assert replaced.after(Evidence(proof=Proof.NOTED), AT).verdict is Verdict.REJECTED
