"""What a command prints: text for people, or JSON, one object a line. Everything from elsewhere is escaped."""

from __future__ import annotations

import contextlib
import enum
import json
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from govfile.cli.escape import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from govfile.errors import GovfileError
    from govfile.filing.submission import Submission

#: Raised when a field changes its meaning or goes away; new fields may come at any time.
SCHEMA = 1


class Output:
    """Standard output and standard error of one command.

    `as_json` prints records and no text on standard output. When that can no longer be written, the printing ends,
    never the work: `closed` says so. A reader that went away (`| head`) is no failure; of any other reason (a full
    disk) `lost` holds the words.
    """

    def __init__(self, *, as_json: bool = False, stdout: IO[str] | None = None, stderr: IO[str] | None = None) -> None:
        self.as_json = as_json
        self.closed = False
        self.lost = ""
        self._stdout = stdout or sys.stdout
        self._stderr = stderr or sys.stderr

    @property
    def is_terminal(self) -> bool:
        """Whether a person watches: standard error is a terminal and JSON was not asked for."""
        return not self.as_json and self._stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"

    def say(self, text: str) -> None:
        """One line for people; nothing with JSON. `text` must be escaped where it comes from elsewhere."""
        if not self.as_json:
            self._write(text)

    def note(self, text: str) -> None:
        """One line on standard error, with JSON too."""
        with contextlib.suppress(OSError):  # there is nowhere left to say so
            self._stderr.write(f"{text}\n")
            self._stderr.flush()

    def record(self, kind: str, **fields: Any) -> None:
        """One JSON object on its own line, `schema` and `kind` first; nothing without JSON."""
        if self.as_json:
            self._write(json.dumps({"schema": SCHEMA, "kind": kind, **fields}, default=_plain))

    def error(self, error: GovfileError, *, about: object = None) -> None:
        """What happened, what is certain, what to do next: on standard error, or as a record of kind `error`."""
        if self.as_json:
            self.record("error", **error_fields(error, about=about))
            return
        head = f"{printable(about)}: " if about is not None else "govfile: "
        self.note(head + printable(error.what))
        for label, text in (("certain", error.certain), ("next", error.advice), ("at", error.endpoint)):
            if text:
                self.note(f"  {label + ':':<9}{printable(text)}")

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Rows under a heading: drawn on a terminal, otherwise plain columns. Cells are escaped here."""
        if self.as_json:
            return
        cells = [[printable("" if cell is None else cell) for cell in row] for row in rows]
        if self._stdout.isatty():
            self._draw(columns, cells)
            return
        widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
        for row in (columns, *cells):
            self.say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())

    def _draw(self, columns: Sequence[str], cells: list[list[str]]) -> None:
        from rich.box import SIMPLE_HEAD
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(box=SIMPLE_HEAD, pad_edge=False)
        for column in columns:
            table.add_column(Text(column), overflow="fold")
        for row in cells:
            table.add_row(*(Text(cell) for cell in row))  # Text, not str: a str would be read as markup
        with self.writing():
            Console(file=self._stdout, highlight=False).print(table)

    @contextlib.contextmanager
    def progress(self, what: str) -> Iterator[Callable[[int, int | None], None] | None]:
        """A progress bar on a terminal: a callback of (bytes done, bytes in all); None where nobody watches."""
        if not self.is_terminal:
            yield None
            return
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
        from rich.text import Text

        label = TextColumn("{task.description}", markup=False)
        bar = Progress(
            label,
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            console=Console(file=self._stderr, highlight=False),
            transient=True,
        )
        with bar:
            task = bar.add_task(Text(printable(what)).plain, total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)

    def _write(self, line: str) -> None:
        if not self.closed:
            with self.writing():
                self._stdout.write(f"{line}\n")
                self._stdout.flush()

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """For what writes to standard output by itself."""
        try:
            yield
        except OSError as error:
            self.closed = True
            if not isinstance(error, BrokenPipeError):
                self.lost = error.strerror or type(error).__name__
            if self._stdout is sys.stdout:  # so that the interpreter's last flush does not complain
                os.dup2(os.open(os.devnull, os.O_WRONLY), self._stdout.fileno())


def error_fields(error: GovfileError, *, about: object = None) -> dict[str, Any]:
    """An error as a record's fields; `submission` is the id of the filing it is about, where there is one."""
    submission = getattr(error, "submission", None)
    return {
        "about": None if about is None else str(about),
        "type": type(error).__name__,
        "what": error.what,
        "certain": error.certain,
        "advice": error.advice,
        "operation": error.operation,
        "endpoint": error.endpoint,
        "retry": error.retry.value,
        "code": str(getattr(error, "code", "")),
        "submission": submission.id if submission is not None else None,
    }


def submission_fields(submission: Submission) -> dict[str, Any]:
    """A submission as a record's fields, without its history."""
    return {
        "id": submission.id,
        "authority": submission.authority,
        "environment": submission.environment,
        "sender": submission.sender,
        "service": submission.service,
        "name": submission.name,
        "remote_names": list(submission.remote_names),
        "state": submission.state,
        "verdict": submission.verdict,
        "is_dry_run": submission.is_dry_run,
        "size": submission.size,
        "sha256": submission.sha256,
        "filed_by": submission.filed_by,
        "key": submission.key,
        "again": submission.again,
        "source_path": submission.source_path,
        "archived": submission.archived,
        "created": submission.history[0].at if submission.history else None,
        "changed": submission.history[-1].at if submission.history else None,
        "code": submission.rejection.code if submission.rejection else "",
        "answers": [
            {"path": answer.path, "remote_name": answer.remote_name, "size": answer.size, "sha256": answer.sha256}
            for answer in submission.answers
        ],
    }


def moment(at: datetime | None, *, precise: bool = False) -> str:
    """A moment for people, in UTC, to the second or, where `precise`, to the millisecond."""
    if at is None:
        return ""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ", timespec="milliseconds" if precise else "seconds")


def _plain(value: object) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no place in a record")
