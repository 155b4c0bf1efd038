"""What became of each file of one command, said as it happens and summed up at the end."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from govfile.cli import exits, show
from govfile.cli.commands import exit_of, stopped_by
from govfile.cli.escape import printable
from govfile.cli.output import submission_fields
from govfile.filing.states import Proof, State

if TYPE_CHECKING:
    from govfile.cli.exits import Exit
    from govfile.cli.session import Session
    from govfile.errors import GovfileError
    from govfile.filing.ledger import Ledger
    from govfile.filing.submission import Submission

#: Where this command leaves what an earlier one had claimed.
_TOUCHED = (State.SENDING, State.UNKNOWN, State.SENT)


class Tally:
    """What became of each file, printed as it happens, and the summary."""

    def __init__(self, session: Session) -> None:
        self._out = session.out
        self._started = datetime.now(UTC)
        self._seen: set[Path] = set()
        self._told: set[str] = set()
        self._codes: list[Exit] = []
        self._filed = self._before = self._failed = self._untried = 0

    def filed(self, path: Path, submission: Submission, ledger: Ledger) -> None:
        """A file the ledger has a record of: sent now, or before; also by another process at the same time."""
        self._seen.add(path)
        self._codes.append(exits.of_submission(submission))
        sent_now = submission.id not in self._told and self._was_sent_now(submission, ledger)
        self._told.add(submission.id)
        self._filed += sent_now
        self._before += not sent_now
        show.line(self._out, submission, about=path)
        if not sent_now:
            self._out.say("  recorded before; this run sent nothing")

    def _was_sent_now(self, submission: Submission, ledger: Ledger) -> bool:
        started = (event.at for event in submission.history if event.evidence.proof is Proof.STARTED)
        return any(at >= self._started for at in started) and ledger.was_started_here(submission.id)

    def failed(self, about: Path | str, error: GovfileError) -> None:
        """A file that was not filed, or whose outcome is not known."""
        if isinstance(about, Path):
            self._seen.add(about)
        self._failed += 1
        self._codes.append(exits.of_error(error))
        self._out.error(error, about=about)

    def untried(self, paths: list[Path]) -> None:
        """The files nothing was tried for, after an error that every one of them would have met."""
        left = [path for path in paths if path not in self._seen]
        self._untried += len(left)
        for path in left:
            self._out.record("untried", about=path)
        if left:
            self._out.note(f"govfile: {len(left)} more not tried; run the same command again when this is mended")

    def interrupted(self, interrupt: KeyboardInterrupt, ledger: Ledger, paths: list[Path]) -> Exit:
        """Say what is certain after Ctrl-C or SIGTERM: what the ledger has of this run, which was to file `paths`."""
        self._codes.append(exit_of(interrupt))
        self._out.note(f"govfile: {stopped_by(interrupt)}. What is certain of this run is in the ledger:")
        touched = self._touched(ledger, {str(path.absolute()) for path in paths})
        for submission in touched:
            self._out.note(f"  {printable(submission.name)}: {show.word_for(submission)}")
            self._out.record("interrupted", **submission_fields(submission))
        self._out.note(f"  in all: {show.counts(touched)}. Run the same command again: nothing is sent twice.")
        self._count_untold(touched, paths)
        return self.summary()

    def _count_untold(self, touched: list[Submission], paths: list[Path]) -> None:
        """Count the files that the stop left nothing said about; what never left this machine was not tried."""
        moved = {one.source_path: one.state for one in touched if one.state is not State.PREPARED}
        for path in paths:
            if path in self._seen:
                continue
            state = moved.get(str(path.absolute()))
            if state is None:
                self._untried += 1
                self._out.record("untried", about=path)
            elif state in (State.SENDING, State.UNKNOWN, State.REJECTED):
                self._failed += 1
            else:
                self._filed += 1

    def _touched(self, ledger: Ledger, ours: set[str]) -> list[Submission]:
        """What of `ours` was claimed since the start, and what this process moved since."""
        open_ones = (one for state in _TOUCHED for one in ledger.search(state=state))
        moved = (one for one in open_ones if one.history[-1].at >= self._started)
        found = {one.id: one for one in (*ledger.search(since=self._started), *moved)}
        return [one for one in found.values() if one.source_path in ours or ledger.was_started_here(one.id)]

    def summary(self) -> Exit:
        """The last line, and the exit code of the whole command."""
        code = exits.worst(self._codes)
        parts = [
            f"{self._filed} filed",
            f"{self._before} recorded before",
            f"{self._failed} failed",
            f"{self._untried} not tried",
        ]
        self._out.say(", ".join(parts))
        self._out.record(
            "summary",
            filed=self._filed,
            before=self._before,
            failed=self._failed,
            untried=self._untried,
            exit=int(code),
        )
        return code
