"""How far a document got, what the authority thinks of it, and the table that moves one on evidence.

The words are the same for every authority; each authority's package says which of its messages is which evidence.
"""

from __future__ import annotations

import enum
from types import MappingProxyType
from typing import TYPE_CHECKING

from govfile.errors import ImpossibleStep

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class State(enum.Enum):
    """How far the document got.

    `PREPARED` claimed, nothing left; `SENDING` on its way; `SENT` the server confirmed every byte; `DELIVERED` handed
    to the back end; `RECEIVED` the back end took it; `ANSWERED` its answer is here; `REJECTED` refused, name burnt;
    `UNKNOWN` may or may not have arrived, until evidence settles it.
    """

    PREPARED = "prepared"
    SENDING = "sending"
    UNKNOWN = "unknown"
    SENT = "sent"
    DELIVERED = "delivered"
    RECEIVED = "received"
    ANSWERED = "answered"
    REJECTED = "rejected"

    def has_reached(self, other: State) -> bool:
        """Whether this lies at or beyond `other` on the way to an answer; REJECTED and UNKNOWN are off it."""
        if self is other:
            return True
        if self not in _WAY or other not in _WAY:
            return False
        return _WAY.index(self) >= _WAY.index(other)

    @property
    def is_final(self) -> bool:
        """Whether nothing more is expected: ANSWERED or REJECTED."""
        return self in (State.ANSWERED, State.REJECTED)


#: What has left, or may have, and of which something is still to come.
UNDER_WAY = (State.SENDING, State.UNKNOWN, State.SENT, State.DELIVERED, State.RECEIVED)

_WAY = (State.PREPARED, State.SENDING, State.SENT, State.DELIVERED, State.RECEIVED, State.ANSWERED)


class Verdict(enum.Enum):
    """What the authority thinks of the document, once ANSWERED. A technical receipt is never a verdict."""

    ACCEPTED = "accepted"
    ACCEPTED_WITH_REMARKS = "accepted with remarks"
    MIXED = "mixed"
    PROVISIONAL = "provisional"
    REJECTED = "rejected"
    UNREAD = "unread"


class Proof(enum.Enum):
    """What a piece of evidence shows. The first group is our own steps, the second comes from the authority."""

    CLAIMED = "name and content claimed"
    STARTED = "sending started"
    NOTHING_LEFT = "refused or lost before anything was handed over"
    CONFIRMED = "server confirmed every byte"
    LINK_LOST = "link lost before the confirmation"
    TRIGGERING = "everything but the trigger is there; the trigger goes next"
    NOT_TRIGGERED = "the process ended before the trigger was sent"
    INTERRUPTED = "the process ended while sending"
    SETTLED_ARRIVED = "settled by a person: it arrived"
    SETTLED_NEVER_ARRIVED = "settled by a person: it never arrived"
    WITHDRAWN = "withdrawn by a person before anything was sent"

    SEEN = "seen in the remote folder"
    HANDED_OVER = "delivered to the back end"
    TAKEN = "accepted by the back end"
    ANNOUNCED = "an answer is announced"
    ANSWERED = "the answer is here"
    REFUSED = "refused by the authority"
    NAME_REUSED = "refused because the name was used before"
    NOTED = "kept, moves nothing"

    @property
    def is_own_step(self) -> bool:
        """Whether it is something this program did or saw, rather than word from the authority."""
        return self in STEPS


_P = Proof
_S = State

#: Our own steps: proof → the states it may be taken from, and where it leads. Any other use is a defect.
STEPS: Mapping[Proof, Mapping[State | None, State]] = MappingProxyType(
    {
        _P.CLAIMED: {None: _S.PREPARED},
        _P.STARTED: {_S.PREPARED: _S.SENDING},
        _P.NOTHING_LEFT: {_S.SENDING: _S.PREPARED},
        _P.TRIGGERING: {_S.SENDING: _S.SENDING},
        _P.NOT_TRIGGERED: {_S.SENDING: _S.PREPARED},
        _P.CONFIRMED: {_S.SENDING: _S.SENT, _S.UNKNOWN: _S.SENT},
        _P.LINK_LOST: {_S.SENDING: _S.UNKNOWN},
        _P.INTERRUPTED: {_S.SENDING: _S.UNKNOWN},
        _P.SETTLED_ARRIVED: {_S.UNKNOWN: _S.SENT},
        _P.SETTLED_NEVER_ARRIVED: {_S.UNKNOWN: _S.PREPARED},
        _P.WITHDRAWN: {_S.PREPARED: _S.PREPARED},
    }
)

#: The steps that close a transfer. Word from the authority may overtake them (another process collects while this one
#: still sends); then they are kept and move nothing.
_OVERTAKEN = frozenset({_P.NOTHING_LEFT, _P.CONFIRMED, _P.LINK_LOST, _P.INTERRUPTED, _P.NOT_TRIGGERED})

#: Word from the authority: proof → the furthest state it proves. It only ever moves a submission forward.
EVIDENCE: Mapping[Proof, State | None] = MappingProxyType(
    {
        _P.SEEN: _S.SENT,
        _P.HANDED_OVER: _S.DELIVERED,
        _P.TAKEN: _S.RECEIVED,
        _P.ANNOUNCED: _S.RECEIVED,
        _P.ANSWERED: _S.ANSWERED,
        _P.REFUSED: _S.REJECTED,
        _P.NAME_REUSED: _S.REJECTED,
        _P.NOTED: None,
    }
)

_PROVE_ARRIVAL = frozenset({_P.HANDED_OVER, _P.TAKEN, _P.ANNOUNCED, _P.ANSWERED})


def step(state: State | None, proof: Proof) -> State:
    """The state after one of our own steps.

    Raises `ImpossibleStep` where the table has no such step.
    """
    after = STEPS[proof].get(state)
    if after is not None:
        return after
    if state is not None and proof in _OVERTAKEN and state not in (State.PREPARED, State.SENDING):
        return state
    came_from = "nothing" if state is None else state.name
    raise ImpossibleStep(f"no step {proof.name} from {came_from}", advice="report this as a defect of govfile")


def weigh(state: State, earlier: Iterable[Proof], proof: Proof) -> State:
    """The state after word from the authority, whatever the order it comes in; never raises.

    `earlier` is every proof in the history so far. A refusal stands over everything, except that "name used before"
    says nothing against a document of that name which is shown to have been delivered.
    """
    proven = EVIDENCE[proof]
    if proven is None:
        return state
    seen = set(earlier)
    if proof is Proof.NAME_REUSED:
        return state if seen & _PROVE_ARRIVAL and state is not State.REJECTED else State.REJECTED
    if proof is Proof.REFUSED:
        return State.REJECTED
    if state is State.REJECTED:
        overturned = proof in _PROVE_ARRIVAL and Proof.NAME_REUSED in seen and Proof.REFUSED not in seen
        return proven if overturned else state
    if state is State.UNKNOWN or state not in _WAY:
        return proven
    return max(state, proven, key=_WAY.index)
