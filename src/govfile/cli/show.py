"""Submissions as lines and records, the same in every command."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from govfile.cli.escape import printable
from govfile.cli.output import moment, submission_fields
from govfile.errors import ConfigurationError
from govfile.filing.states import State

if TYPE_CHECKING:
    from collections.abc import Iterable

    from govfile.cli.output import Output
    from govfile.filing.submission import Submission

_COLUMNS = ("created", "name", "service", "state", "verdict", "answers", "id")


def word_for(submission: Submission) -> str:
    """State and verdict in a word or two, with the authority's code where it refused."""
    text = submission.state.value
    if submission.verdict is not None:
        text += f", {submission.verdict.value}"
    if submission.rejection is not None:
        text += f" [{printable(submission.rejection.code or 'no code')}]"
    return text


def line(out: Output, submission: Submission, *, about: object = None) -> None:
    """One submission as a line or a record."""
    where = "" if about is None else f"{printable(about)} -> "
    dry = " (dry run)" if submission.is_dry_run else ""
    out.say(f"{where}{printable(submission.name)}: {word_for(submission)}{dry}")
    fields = submission_fields(submission)
    out.record("submission", **fields, **({} if about is None else {"about": str(about)}))


def rows(out: Output, submissions: Iterable[Submission]) -> int:
    """Submissions as a table (plain columns where nobody watches) or as records; returns how many.

    With JSON they are printed as they come, in bounded memory.
    """
    count = 0
    cells: list[tuple[object, ...]] = []
    for found in submissions:
        count += 1
        if out.as_json:
            out.record("submission", **submission_fields(found))
        else:
            cells.append(_row(found))
        if out.closed:
            break
    if cells:
        out.table(_COLUMNS, cells)
    return count


def _row(found: Submission) -> tuple[object, ...]:
    verdict = found.verdict.value if found.verdict else ""
    created = moment(found.history[0].at) if found.history else ""
    return created, found.name, found.service, found.state.value, verdict, len(found.answers), found.id


def whole(out: Output, submission: Submission) -> None:
    """One submission with its history and its answers."""
    line(out, submission)
    for label, value in (
        ("id", submission.id),
        ("service", submission.service),
        ("sender", submission.sender),
        ("filed by", submission.filed_by),
        ("environment", submission.environment),
        ("source", submission.source_path or ""),
        ("sha256", submission.sha256 or "not known"),
        ("again", submission.again or ""),
        ("full record", submission.archived or ""),
    ):
        if value:
            out.say(f"  {label + ':':<13}{printable(value)}")
    for name in submission.set_names:
        out.say(f"  file:        {printable(name)}")
    history(out, submission)
    for answer in submission.answers:
        out.say(f"  answer:      {printable(answer.path)} ({answer.size} bytes)")


def history(out: Output, submission: Submission) -> None:
    """What is known and since when, one event a row or record."""
    out.table(
        ("UTC", "state", "evidence"),
        [(moment(event.at, precise=True), event.state.value, event.evidence) for event in submission.history],
    )
    for event in submission.history:
        out.record(
            "event",
            submission=submission.id,
            at=event.at,
            state=event.state,
            proof=event.evidence.proof.name.lower(),
            detail=event.evidence.detail,
            code=event.evidence.code,
            source=event.evidence.source,
            saved_as=event.evidence.saved_as,
        )


def parse_moment(text: str | None, option: str) -> datetime | None:
    """A date or time as ISO 8601 writes it; without an offset it is UTC, as everything printed here."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigurationError(
            f"{option} {printable(text)} is no date or time", advice="e.g. 2026-01-31 or 2026-01-31T12:00+01:00"
        ) from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def counts(submissions: Iterable[Submission]) -> str:
    """How many are in which state, in the order of the way, e.g. `3 sent, 1 answered`."""
    found = [submission.state for submission in submissions]
    return ", ".join(f"{found.count(state)} {state.value}" for state in State if state in found) or "none"
