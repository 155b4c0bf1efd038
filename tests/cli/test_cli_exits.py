"""Exit codes: each error class has one, the worst of many wins, and no filing counts as done before it is sent."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

import pytest

from govfile import errors
from govfile.cli import exits
from govfile.cli.exits import Exit
from govfile.filing.states import Proof, State
from govfile.filing.submission import Event, Evidence, Submission


def _error(kind: type[errors.GovfileError]) -> errors.GovfileError:
    made = kind.__new__(kind)
    errors.GovfileError.__init__(made, "x")
    return made


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (errors.ConfigurationError, 2),
        (errors.MissingExtra, 2),
        (errors.InvalidName, 2),
        (errors.InvalidContent, 2),
        (errors.Rejected, 3),
        (errors.NotAuthorised, 3),
        (errors.OutcomeUnknown, 4),
        (errors.CredentialError, 5),
        (errors.AuthenticationRefused, 5),
        (errors.ConnectionFailed, 6),
        (errors.TimedOut, 6),
        (errors.TlsFailed, 6),
        (errors.PeerIdentityError, 6),
        (errors.TransferRefused, 6),
        (errors.TransferAborted, 6),
        (errors.DuplicateName, 2),
        (errors.DuplicateContent, 7),
        (errors.LedgerError, 8),
        (errors.LedgerBusy, 8),
        (errors.LedgerDamaged, 8),
        (errors.LedgerTooNew, 8),
        (errors.ImpossibleStep, 8),
        (errors.ProtocolError, 9),
        (errors.TrustError, 9),
    ],
)
def test_every_error_has_its_exit_code(kind: type[errors.GovfileError], code: int) -> None:
    assert exits.of_error(_error(kind)) == code


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (State.PREPARED, Exit.TRANSPORT),
        (State.SENDING, Exit.UNKNOWN),
        (State.UNKNOWN, Exit.UNKNOWN),
        (State.SENT, Exit.DONE),
        (State.DELIVERED, Exit.DONE),
        (State.RECEIVED, Exit.DONE),
        (State.ANSWERED, Exit.DONE),
        (State.REJECTED, Exit.REJECTED),
    ],
)
def test_a_filing_is_done_only_when_it_was_handed_over(state: State, code: Exit) -> None:
    filing = Submission(
        id="1", authority="skat", environment="test", sender="10101010", service="Udlaan", name="a", size=1,
        sha256="0" * 64, filed_by="x", state=state,
        history=(Event(at=datetime(2026, 1, 1, tzinfo=UTC), state=state, evidence=Evidence(proof=Proof.NOTED)),),
    )  # fmt: skip
    assert exits.of_submission(filing) is code


def test_the_worst_of_many_wins_in_the_documented_order() -> None:
    assert set(exits.SEVERITY) == set(Exit)
    for worse, better in itertools.combinations(exits.SEVERITY, 2):
        assert exits.worst([better, worse, better]) is worse
    assert exits.worst([]) is Exit.DONE


def test_every_code_is_explained_in_the_help() -> None:
    assert set(exits.MEANINGS) == set(Exit)
    assert all(f"{code.value:>4}  {meaning}" in exits.epilog() for code, meaning in exits.MEANINGS.items())
