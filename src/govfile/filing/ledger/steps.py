"""A submission's next step, written over the row as it was last known, or else as it is read."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import attrs

from govfile.errors import ImpossibleStep, LedgerError
from govfile.filing.ledger.memory import Held
from govfile.filing.ledger.owners import Owner
from govfile.filing.ledger.reader import read
from govfile.filing.ledger.rows import COLUMNS, to_row
from govfile.filing.states import Proof, State
from govfile.filing.submission import Evidence

if TYPE_CHECKING:
    from datetime import datetime

    from govfile.filing.ledger.database import Session
    from govfile.filing.states import Verdict
    from govfile.filing.submission import Answer, Submission

#: What is said of a submission that waits: a person's word, or the note that a file asks to cancel it.
_WORDS = frozenset({Proof.WITHDRAWN, Proof.NOTED})


@attrs.frozen(kw_only=True)
class News:
    """What is added to a record at once."""

    evidence: Evidence
    at: datetime
    verdict: Verdict | None = None
    answers: tuple[Answer, ...] = ()


def start_one(
    session: Session, submission_id: str, owner: str, at: datetime, seen: int | None = None
) -> Submission | None:
    """The submission as `owner` sends it; None when it is not PREPARED, somebody was quicker, or a person has said
    something else since the revision `seen`.
    """
    held = session.memory.recall(submission_id)
    if held is not None and _may_start(held.submission, seen):
        started = held.submission.after(Evidence(proof=Proof.STARTED), at)
        if replace(session, held.submission, started, held.guard, owner, held.crc):
            return started
    submission, guard, its_owner = read(session, submission_id)
    if its_owner == owner:
        return submission
    if not _may_start(submission, seen):
        return None
    started = submission.after(Evidence(proof=Proof.STARTED), at)
    return started if replace(session, submission, started, guard, owner) else None


def _may_start(submission: Submission, seen: int | None) -> bool:
    """Whether it waits to be sent: whoever withdrew it, or asked to cancel it, was told that it is not sent."""
    if submission.state is not State.PREPARED:
        return False
    unseen = () if seen is None else submission.history[seen:]  # a revision for each event
    return not any(event.evidence.proof in _WORDS for event in unseen)


def record_one(session: Session, submission_id: str, news: News, here: Owner) -> Submission | None:
    """The submission with its news; None when another process has changed it meanwhile."""
    held = session.memory.recall(submission_id)
    if held is not None:
        with contextlib.suppress(LedgerError):  # others may know more by now: then what is read decides
            after = _told(held.submission, held.owner, news, here)
            is_new = after is not held.submission
            if is_new and replace(session, held.submission, after, held.guard, held.owner, held.crc):
                return after
    submission, guard, owner = read(session, submission_id)
    after = _told(submission, owner, news, here)
    return after if after is submission or replace(session, submission, after, guard, owner) else None


def _told(submission: Submission, owner: str, news: News, here: Owner) -> Submission:
    """The submission with its news; itself when there are none."""
    fresh = [answer for answer in news.answers if not _has_answer(submission, answer)]
    if _is_known(submission, news.evidence) and not fresh and news.verdict in (None, submission.verdict):
        return submission
    _check_owner(submission, news.evidence, owner, here)
    after = submission.after(news.evidence, news.at, verdict=news.verdict)
    return attrs.evolve(after, answers=(*after.answers, *fresh)) if fresh else after


def replace(
    session: Session, before: Submission, after: Submission, guard: str, owner: str, crc: int | None = None
) -> bool:
    """Write `after` over `before`, unless another process has changed it since; `crc` where `before` was not read."""
    values = dict(zip(COLUMNS, to_row(after, guard, owner), strict=True))
    values |= {"was": before.revision, "was_crc": crc}
    statement = session.statements.record if crc is None else session.statements.record_unread
    if session.change(statement, values) != 1:
        return False
    session.memory.keep(Held(after, guard, owner, values["crc"]))
    return True


def _is_known(submission: Submission, evidence: Evidence) -> bool:
    if not evidence.source_sha256:
        return False
    mark = (evidence.proof, evidence.code, evidence.source, evidence.source_sha256)
    return any(
        mark == (known.proof, known.code, known.source, known.source_sha256)
        for known in (event.evidence for event in submission.history)
    )


def _has_answer(submission: Submission, answer: Answer) -> bool:
    return any((known.remote_name, known.sha256) == (answer.remote_name, answer.sha256) for known in submission.answers)


def _check_owner(submission: Submission, evidence: Evidence, owner: str, here: Owner) -> None:
    """Nobody but the sending process may say that nothing left: another would let it be sent a second time. And nobody
    may say that a process has ended which is seen to run, or let a set be sent again whose process may still run.
    """
    if submission.state is not State.SENDING or not owner:
        return
    its = Owner.parse(owner)
    if evidence.proof is Proof.NOTHING_LEFT and not its.is_same_process(here):
        raise ImpossibleStep(f"{submission.name} is being sent by another process", advice="leave it to that process")
    if evidence.proof is Proof.NOT_TRIGGERED and not (its.is_same_process(here) or its.is_provably_dead(here)):
        raise ImpossibleStep(f"{submission.name} may be on its way still", advice="leave it to its process")
    if evidence.proof is Proof.INTERRUPTED and its.is_seen_alive(here):
        raise ImpossibleStep(f"{submission.name} is being sent by a process that runs", advice="wait for its end")
