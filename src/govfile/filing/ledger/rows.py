"""A submission as one row of plain values with a checksum over all of them, and back."""

from __future__ import annotations

import json
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from govfile.errors import ConfigurationError, LedgerDamaged, LedgerTooNew
from govfile.filing.states import Proof, State, Verdict
from govfile.filing.submission import Answer, Event, Evidence, Submission

if TYPE_CHECKING:
    from collections.abc import Sequence

    from govfile.filing.claim import Claim

#: The columns of `govfile_submission` in the order rows are written and read, without the sequence number.
COLUMNS: tuple[str, ...] = (
    "id",
    "authority",
    "environment",
    "sender",
    "service",
    "name",
    "folded",
    "size",
    "sha256",
    "guard",
    "filed_by",
    "certificate",
    "is_dry_run",
    "key",
    "again",
    "source_path",
    "state",
    "verdict",
    "created",
    "revision",
    "history",
    "answers",
    "owner",
    "set_names",
    "archived",
    "crc",
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

#: Every submission's first evidence. It is not written out: the row itself is the claim.
CLAIMED = Evidence(proof=Proof.CLAIMED)

_encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode


def micros(moment: datetime) -> int:
    """Microseconds since 1970, UTC. Naive datetimes are refused: they would shift by the local zone."""
    if moment.tzinfo is None:
        raise ConfigurationError("a time without its zone", advice="give an aware datetime, e.g. datetime.now(UTC)")
    return (moment - _EPOCH) // _MICROSECOND


def moment(value: int) -> datetime:
    """The aware UTC datetime of `micros`."""
    return _EPOCH + timedelta(microseconds=value)


def fold(name: str) -> str:
    """The form under which names are compared: whether an authority tells case apart is not known, so we never do."""
    return name.casefold()


def fits(values: Sequence[Any], crc: Any) -> bool:
    """Whether the checksum is that of the values; values of a kind we never write do not fit."""
    try:
        return bool(checksum(values) == crc)
    except TypeError:
        return False


def sealed(values: Sequence[Any]) -> tuple[Any, ...]:
    """A submission's values with their checksum; without the columns that came later it is that of schema 1."""
    return (*values, checksum(_sealed_part(values)))


def _sealed_part(values: Sequence[Any]) -> Sequence[Any]:
    if values[-1] is not None:
        return values
    return values[:-1] if values[-2] is not None else values[:-2]


def checksum(values: Sequence[Any]) -> int:
    """CRC-32 over a row's values (texts, whole numbers, None); finds flipped bits, not ill will."""
    return zlib.crc32(_encode(values).encode("ascii"))


def new_row(claim: Claim, identifier: str, guard: str, created: int) -> tuple[Any, ...]:
    """The row of a fresh claim."""
    values = (
        identifier,
        claim.authority,
        claim.environment,
        claim.sender,
        claim.service,
        claim.name,
        fold(claim.name),
        claim.size,
        claim.sha256,
        guard,
        claim.filed_by,
        claim.certificate,
        int(claim.is_dry_run),
        claim.key,
        claim.again,
        claim.source_path,
        "prepared",
        None,
        created,
        1,
        "",
        "",
        "",
        _write_names(claim.set_names),
        None,
    )
    return sealed(values)


def new_submission(claim: Claim, identifier: str, at: datetime) -> Submission:
    """What `new_row` holds, without reading it back."""
    return Submission(
        id=identifier,
        authority=claim.authority,
        environment=claim.environment,
        sender=claim.sender,
        service=claim.service,
        name=claim.name,
        size=claim.size,
        sha256=claim.sha256,
        filed_by=claim.filed_by,
        certificate=claim.certificate,
        is_dry_run=claim.is_dry_run,
        key=claim.key,
        again=claim.again,
        source_path=claim.source_path,
        set_names=claim.set_names,
        history=(Event(at=at, state=State.PREPARED, evidence=CLAIMED),),
        revision=1,
    )


def to_row(submission: Submission, guard: str, owner: str) -> tuple[Any, ...]:
    """Any submission as a row."""
    values = (
        submission.id,
        submission.authority,
        submission.environment,
        submission.sender,
        submission.service,
        submission.name,
        fold(submission.name),
        submission.size,
        submission.sha256,
        guard,
        submission.filed_by,
        submission.certificate,
        int(submission.is_dry_run),
        submission.key,
        submission.again,
        submission.source_path,
        submission.state.value,
        submission.verdict.value if submission.verdict else None,
        micros(submission.created),
        submission.revision,
        _write_history(submission.history),
        _write_answers(submission.answers),
        owner,
        _write_names(submission.set_names),
        submission.archived,
    )
    return sealed(values)


def from_row(row: Sequence[Any]) -> tuple[Submission, str, str]:
    """The submission a row holds, its guard and its owner.

    Raises `LedgerDamaged` when the checksum does not fit, `LedgerTooNew` when it speaks of states that this version
    does not know.
    """
    values: dict[str, Any] = dict(zip(COLUMNS, row, strict=True))
    if not fits(_sealed_part(row[:-1]), values["crc"]):
        raise LedgerDamaged(
            f"the ledger's record of {values['name']!r} (id {values['id']!r}) does not fit its checksum",
            certain="nothing was changed; what the record says cannot be believed",
            advice="run `govfile ledger verify`, restore the ledger from a backup and rebuild from the authority",
        )
    try:
        return _submission(values), values["guard"], values["owner"]
    except (KeyError, ValueError, TypeError) as error:
        raise LedgerTooNew(
            f"the ledger's record {values['id']} says something this version does not understand: {error}",
            advice="install the newest govfile",
        ) from error


def _submission(values: dict[str, Any]) -> Submission:
    created = moment(values["created"])
    return Submission(
        id=values["id"],
        authority=values["authority"],
        environment=values["environment"],
        sender=values["sender"],
        service=values["service"],
        name=values["name"],
        size=values["size"],
        sha256=values["sha256"],
        filed_by=values["filed_by"],
        certificate=values["certificate"],
        is_dry_run=bool(values["is_dry_run"]),
        key=values["key"],
        again=values["again"],
        source_path=values["source_path"],
        set_names=tuple(json.loads(values["set_names"])) if values["set_names"] is not None else (),
        state=State(values["state"]),
        verdict=Verdict(values["verdict"]) if values["verdict"] is not None else None,
        history=(Event(at=created, state=State.PREPARED, evidence=CLAIMED), *_read_history(values["history"])),
        answers=_read_answers(values["answers"]),
        archived=values["archived"],
        revision=values["revision"],
    )


def _write_names(names: Sequence[str]) -> str | None:
    return _encode(list(names)) if names else None


def _write_history(history: Sequence[Event]) -> str:
    if len(history) == 1:
        return ""
    return _encode([_event_fields(event) for event in history[1:]])


def _event_fields(event: Event) -> list[Any]:
    proof = event.evidence
    return [
        micros(event.at),
        event.state.value,
        proof.proof.name,
        proof.detail,
        proof.code,
        proof.source,
        proof.source_sha256,
        proof.saved_as,
    ]


def _read_history(text: str) -> tuple[Event, ...]:
    return tuple(
        Event(
            at=moment(at),
            state=State(state),
            evidence=Evidence(
                proof=Proof[proof], detail=detail, code=code, source=source, source_sha256=digest, saved_as=saved
            ),
        )
        for at, state, proof, detail, code, source, digest, saved in (json.loads(text) if text else ())
    )


def _write_answers(answers: Sequence[Answer]) -> str:
    if not answers:
        return ""
    return _encode(
        [[str(a.path), a.remote_name, a.size, a.sha256, micros(a.received_at)] for a in answers],
    )


def _read_answers(text: str) -> tuple[Answer, ...]:
    return tuple(
        Answer(path=Path(path), remote_name=name, size=size, sha256=digest, received_at=moment(at))
        for path, name, size, digest, at in (json.loads(text) if text else ())
    )
