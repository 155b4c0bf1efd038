"""The ledger as JSON Lines or CSV."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

from govfile.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from typing import TextIO

    from govfile.filing.submission import Answer, Event, Submission

#: What a spreadsheet may take for the start of a formula (the last four are full-width forms of = + - @).
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "\uff1d", "\uff0b", "\uff0d", "\uff20")

#: What spreadsheets pass over, or do not show: controls, spaces of several widths, a byte-order mark.
_UNSEEN = "".join(map(chr, range(0x21))) + "\x7f\x85\u00a0\u200b\u2060\u3000\ufeff"

_FIELDS = (
    "id",
    "authority",
    "environment",
    "sender",
    "service",
    "name",
    "size",
    "sha256",
    "filed_by",
    "certificate",
    "is_dry_run",
    "key",
    "again",
    "source_path",
)
_CSV_FIELDS = (*_FIELDS, "state", "verdict", "created", "changed", "evidence", "answers")


def write_rows(submissions: Iterable[Submission], stream: TextIO, form: str) -> int:
    """Write each submission as it comes; the number written. Raises `ConfigurationError` for an unknown form."""
    if form == "jsonl":
        return _write_jsonl(submissions, stream)
    if form == "csv":
        return _write_csv(submissions, stream)
    raise ConfigurationError(f"there is no export as {form!r}", advice='use "jsonl" or "csv"')


def as_dict(submission: Submission) -> dict[str, Any]:
    """All of a submission in values that JSON holds; times as ISO 8601 in UTC."""
    return {
        **{name: getattr(submission, name) for name in _FIELDS},
        "state": submission.state.value,
        "verdict": submission.verdict.value if submission.verdict else None,
        "created": _time(submission.created),
        "remote_names": list(submission.remote_names),
        "history": [_event(event) for event in submission.history],
        "answers": [_answer(answer) for answer in submission.answers],
        "revision": submission.revision,
        "archived": submission.archived,
    }


def safe_cell(value: object) -> str:
    """A CSV cell that stays text: an apostrophe goes before whatever could start a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.lstrip(_UNSEEN).startswith(_DANGEROUS) or text.startswith(_DANGEROUS) else text


def _write_jsonl(submissions: Iterable[Submission], stream: TextIO) -> int:
    count = 0
    for submission in submissions:
        stream.write(json.dumps(as_dict(submission), ensure_ascii=True) + "\n")
        count += 1
    return count


def _write_csv(submissions: Iterable[Submission], stream: TextIO) -> int:
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(_CSV_FIELDS)
    count = 0
    for submission in submissions:
        last = submission.history[-1]
        flat = {
            **as_dict(submission),
            "changed": _time(last.at),
            "evidence": str(last.evidence),
            "answers": "; ".join(answer.remote_name for answer in submission.answers),
        }
        writer.writerow([safe_cell(flat[name]) for name in _CSV_FIELDS])
        count += 1
    return count


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _event(event: Event) -> dict[str, str]:
    evidence = event.evidence
    return {
        "at": _time(event.at),
        "state": event.state.value,
        "proof": evidence.proof.name,
        "detail": evidence.detail,
        "code": evidence.code,
        "source": evidence.source,
        "source_sha256": evidence.source_sha256,
        "saved_as": evidence.saved_as,
    }


def _answer(answer: Answer) -> dict[str, Any]:
    return {
        "path": str(answer.path),
        "remote_name": answer.remote_name,
        "size": answer.size,
        "sha256": answer.sha256,
        "received_at": _time(answer.received_at),
    }
