"""Many sets at once: claimed together, their files on the way together, each trigger only behind its own set.

For every group of sets: one transaction claims them, one starts them, all declarations and signatures are sent, one
transaction records which triggers go next, and those triggers are sent.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import attrs

from govfile.errors import DuplicateContent, GovfileError
from govfile.filing.ledger.owners import Owner
from govfile.filing.states import Proof, State
from govfile.filing.submission import Evidence
from govfile.onss.claiming import refusal
from govfile.onss.sending import EMPTY, Held, check_receipt
from govfile.transports.base import PutReceipt
from govfile.transports.sftp.several import put_all
from govfile.transports.sftp.values import Upload

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from govfile.filing.ledger import Ledger
    from govfile.filing.submission import Submission
    from govfile.onss.claiming import Claimer
    from govfile.onss.declaration import Filing, Prepared, Preparer
    from govfile.onss.recovery import Recovery
    from govfile.onss.sending import Sender
    from govfile.transports.base import Content, FileTransport

    Outcome = Submission | GovfileError

#: Sets in one group: what is lost of them at once, when the machine dies, is resumed one by one.
SETS_AT_ONCE = 128

_CONFIRMED = "every file confirmed; then the trigger was confirmed"


@attrs.define
class _Job:
    """One set of a group, and how far it has come."""

    filing: Filing
    prepared: Prepared | None = None
    submission: Submission | None = None
    files: Mapping[str, Content] = attrs.field(factory=dict)
    has_started: bool = False
    is_triggered: bool = False
    is_confirmed: bool = False
    outcome: Outcome | None = None


@attrs.define(kw_only=True)
class Batch:
    """Sends groups of sets over one conversation."""

    ledger: Ledger
    preparer: Preparer
    recovery: Recovery
    sender: Sender
    claimer: Claimer

    def groups(self, filings: Iterable[Filing]) -> Iterator[tuple[Filing, ...]]:
        """The filings, so many at a time."""
        waiting = iter(filings)
        while some := tuple(itertools.islice(waiting, SETS_AT_ONCE)):
            yield some

    def send(self, filings: Iterable[Filing]) -> list[tuple[Filing, Outcome]]:
        """One group, each with what became of it, in the order given."""
        jobs = [_Job(filing) for filing in filings]
        self._claim(jobs)
        for job in _open(jobs):
            self._make_ready(job)
        try:
            with self.sender.session.conversation() as transport:
                self._start(jobs)
                self._send_files(transport, jobs)
                self._trigger(transport, jobs)
        except GovfileError as error:
            self._break_off(jobs, error)
        except BaseException as error:
            self._break_off(jobs, error)
            raise
        return [(job.filing, _outcome(job)) for job in jobs]

    # --- before anything leaves ---------------------------------------------------------------------------------

    def _claim(self, jobs: Iterable[_Job]) -> None:
        new = []
        taken: set[str] = set()
        for job in jobs:
            try:
                job.prepared = self.preparer.prepare(job.filing)
                found = self.claimer.earlier(job.prepared)
                if found is None:
                    new.append((job, *self.preparer.signed_draft(job.prepared)))
                else:
                    self._assign(job, found, taken)
            except GovfileError as error:
                job.outcome = error
        made = self.ledger.claim_sets([draft for _, draft, _ in new])
        for (job, _, signatures), outcome in zip(new, made, strict=True):
            assert job.prepared is not None
            if isinstance(outcome, DuplicateContent):
                self._assign(job, self.claimer.judge(job.prepared, outcome), taken)
            else:
                self._assign(job, outcome[0], taken)
                contents: list[Content] = [found.source for found in job.prepared.declarations]
                contents += map(Held, signatures)
                job.files = dict(zip(outcome[0].remote_names[:-1], contents, strict=True))

    @staticmethod
    def _assign(job: _Job, found: Submission | DuplicateContent, taken: set[str]) -> None:
        """One set is sent once, also when it is asked for twice in one group."""
        if isinstance(found, DuplicateContent):
            job.outcome = found
        elif found.id in taken:
            job.outcome = refusal(found, found.sha256 or "")
        else:
            taken.add(found.id)
            job.submission = found

    def _make_ready(self, job: _Job) -> None:
        assert job.submission is not None
        assert job.prepared is not None
        if job.files:  # claimed a moment ago
            return
        try:
            job.submission = self.recovery.if_abandoned(job.submission)
            if job.submission.state is not State.PREPARED:
                job.outcome = job.submission
                return
            sources = [found.source for found in job.prepared.declarations]
            job.files = self.recovery.files_of(job.submission, sources)
        except GovfileError as error:
            job.outcome = error

    def _start(self, jobs: Sequence[_Job]) -> None:
        ready, owner = _open(jobs), Owner.here()
        try:
            started = self.ledger.start_many([_its(job) for job in ready], by=owner)
            for job, submission in zip(ready, started, strict=True):
                job.has_started = submission is not None
                if submission is None:
                    job.outcome = self.ledger.get(_its(job).id)
        except BaseException:
            for job in ready:
                job.has_started = False
                self.sender.recorder.take_back(_its(job), owner)
            raise

    # --- the way ------------------------------------------------------------------------------------------------

    def _send_files(self, transport: FileTransport, jobs: Sequence[_Job]) -> None:
        wanted = [(job, name) for job in _open(jobs) for name in _its(job).remote_names[:-1]]
        uploads = [
            Upload(path=self.sender.path(name), content=job.files[name], rewrite=_its(job).was_started)
            for job, name in wanted
        ]
        failures: dict[int, GovfileError] = {}
        for (job, name), found in zip(wanted, put_all(transport, uploads, lambda _: None), strict=True):
            failure = _failure(found, job.files[name])
            if failure is not None:
                failures.setdefault(id(job), failure)
        for job in _open(jobs):
            if id(job) in failures:
                job.outcome = self._ended(job, failures[id(job)])

    def _trigger(self, transport: FileTransport, jobs: Sequence[_Job]) -> None:
        ready = _open(jobs)
        if not ready:
            return
        going = Evidence(proof=Proof.TRIGGERING)
        recorded = self.ledger.record_many([(_its(job).id, going) for job in ready], durable=True)
        for job, submission in zip(ready, recorded, strict=True):
            job.submission = submission
        paths = {self.sender.path(_its(job).name): job for job in ready}

        def committing(upload: Upload) -> None:
            paths[upload.path].is_triggered = True

        uploads = [Upload(path=path, content=EMPTY) for path in paths]
        told = put_all(transport, uploads, committing)
        for job, found in zip(ready, told, strict=True):
            job.is_confirmed = isinstance(found, PutReceipt)
        for job, found in zip(ready, told, strict=True):
            if not isinstance(found, PutReceipt):
                job.outcome = self._ended(job, found)
        self._conclude(_open(jobs))

    def _conclude(self, confirmed: Sequence[_Job]) -> None:
        evidence = Evidence(proof=Proof.CONFIRMED, detail=_CONFIRMED)
        done = self.ledger.record_many([(_its(job).id, evidence) for job in confirmed])
        for job, submission in zip(confirmed, done, strict=True):
            job.outcome = submission
        self.ledger.drop_kept([submission.id for submission in done])

    # --- the end ------------------------------------------------------------------------------------------------

    def _break_off(self, jobs: Iterable[_Job], error: BaseException) -> None:
        """Each as far as it came, also where the ledger cannot be asked now."""
        for job in _open(jobs):
            if job.has_started:
                job.outcome = self._ended(job, error)
            else:
                job.outcome = error if isinstance(error, GovfileError) else _its(job)

    def _ended(self, job: _Job, error: BaseException) -> Outcome:
        """What became of a set that `error` stopped, as the sending of a single one says it."""
        try:
            if job.is_confirmed:
                return self.sender.confirmed(_its(job), _CONFIRMED)
            return self.sender.ended(_its(job), error, is_triggered=job.is_triggered)
        except GovfileError as told:
            return told
        except BaseException as told:
            if told is not error:
                raise
            return _its(job)


def _open(jobs: Iterable[_Job]) -> list[_Job]:
    """Those that may go on."""
    return [job for job in jobs if job.outcome is None and job.submission is not None]


def _its(job: _Job) -> Submission:
    assert job.submission is not None
    return job.submission


def _outcome(job: _Job) -> Outcome:
    assert job.outcome is not None
    return job.outcome


def _failure(found: PutReceipt | GovfileError, content: Content) -> GovfileError | None:
    if isinstance(found, GovfileError):
        return found
    try:
        check_receipt(found, content)
    except GovfileError as error:
        return error
    return None
