"""Many documents at once: claimed in batches, sent by workers that each hold a conversation of their own."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING

import attrs

from govfile.errors import AlreadyFiled, GovfileError
from govfile.filing.giving_up import GivingUp
from govfile.filing.recovery import check_login
from govfile.filing.states import State
from govfile.skat.filing import Filing, Prepared, Unsent, continued

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from govfile.filing.ledger import Ledger
    from govfile.filing.submission import Submission
    from govfile.skat.sending import Sender

#: Claims in one durable transaction.
CLAIMS_AT_ONCE = 100

#: Bytes of documents held in memory before more are read; twice as many at most.
HELD_AT_ONCE = 64 * 1024 * 1024


@attrs.frozen
class _Job:
    filing: Filing
    prepared: Prepared
    submission: Submission


@attrs.define(kw_only=True)
class Batch:
    """Sends a stream of documents.

    `prepare` checks one locally, `as_known` looks whether a process that was sending one still runs, `unsent` are
    repeats to go on with, `senders` hold a conversation each.
    """

    ledger: Ledger
    prepare: Callable[[Filing], Prepared]
    as_known: Callable[[Submission], Submission]
    unsent: Unsent
    senders: Sequence[Sender]
    _is_stopping: bool = attrs.field(default=False, init=False)
    _giving_up: GivingUp = attrs.field(factory=GivingUp, init=False)

    def run(self, filings: Iterable[Filing]) -> Iterator[tuple[Filing, Submission | GovfileError]]:
        """Each filing with what became of it, as it is known. Closing the iterator early lets the transfers under way
        end and leaves the rest prepared.
        """
        jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        results: queue.SimpleQueue[tuple[_Job, Submission | BaseException]] = queue.SimpleQueue()
        workers = [
            threading.Thread(
                target=self._work, args=(sender, jobs, results), name=f"govfile-skat-{number}", daemon=True
            )
            for number, sender in enumerate(self.senders, start=1)
        ]
        under_way = held = 0
        waiting = iter(filings)
        try:
            for worker in workers:
                worker.start()
            while some := self._read(waiting):
                for filing, job in self._claim(some):
                    if isinstance(job, _Job):
                        jobs.put(job)
                        under_way += 1
                        held += job.prepared.source.held
                    else:
                        yield filing, job
                while under_way > CLAIMS_AT_ONCE or held > HELD_AT_ONCE or (under_way and not results.empty()):
                    job, outcome = results.get()
                    under_way -= 1
                    held -= job.prepared.source.held
                    yield job.filing, _raised_if_foreign(outcome)
            while under_way:
                job, outcome = results.get()
                under_way -= 1
                yield job.filing, _raised_if_foreign(outcome)
        finally:
            self._is_stopping = True
            for _ in workers:
                jobs.put(None)
            for worker in workers:
                if worker.is_alive():
                    worker.join()

    def _read(self, waiting: Iterator[Filing]) -> list[tuple[Filing, Prepared | GovfileError]]:
        """Prepare as many as are claimed at once and fit in memory; a document that fails does so alone."""
        some: list[tuple[Filing, Prepared | GovfileError]] = []
        held = 0
        for filing in waiting:
            try:
                prepared = self.prepare(filing)
            except GovfileError as error:
                some.append((filing, error))
            else:
                some.append((filing, prepared))
                held += prepared.source.held
            if len(some) >= CLAIMS_AT_ONCE or held >= HELD_AT_ONCE:
                break
        return some

    def _claim(
        self, some: list[tuple[Filing, Prepared | GovfileError]]
    ) -> Iterator[tuple[Filing, _Job | Submission | GovfileError]]:
        ready: list[tuple[Filing, Prepared]] = []
        for filing, prepared in some:
            if isinstance(prepared, GovfileError):
                yield filing, prepared
                continue
            earlier = self.unsent.take(prepared)
            if earlier is None:
                ready.append((filing, prepared))
            else:
                yield filing, _Job(filing, prepared, earlier)
        outcomes = self.ledger.claim_many([prepared.claim for _, prepared in ready])
        for (filing, prepared), outcome in zip(ready, outcomes, strict=True):
            yield filing, self._job(filing, prepared, outcome)

    def _job(
        self, filing: Filing, prepared: Prepared, outcome: tuple[Submission, bool] | AlreadyFiled
    ) -> _Job | Submission | GovfileError:
        try:
            submission = continued(prepared, outcome) if isinstance(outcome, AlreadyFiled) else outcome[0]
            submission = self.as_known(submission)
            if submission.state is not State.PREPARED:
                return submission
            check_login(submission, prepared.claim.filed_by)
        except GovfileError as error:
            return error
        return _Job(filing, prepared, submission)

    def _work(
        self,
        sender: Sender,
        jobs: queue.SimpleQueue[_Job | None],
        results: queue.SimpleQueue[tuple[_Job, Submission | BaseException]],
    ) -> None:
        try:
            while (job := jobs.get()) is not None:
                if self._is_stopping:
                    continue
                results.put((job, self._send(sender, job)))
        finally:
            sender.session.close()

    def _send(self, sender: Sender, job: _Job) -> Submission | BaseException:
        if self._giving_up.reason is not None:
            return self._giving_up.reason
        try:
            sent = sender.send(job.submission, job.prepared.source, job.prepared.profile)
        except GovfileError as error:
            self._giving_up.note(error)
            return error
        except BaseException as error:  # noqa: BLE001 handed to the thread that asked, which raises it
            self._is_stopping = True
            return error
        self._giving_up.note(None)
        return sent


def _raised_if_foreign(outcome: Submission | BaseException) -> Submission | GovfileError:
    if isinstance(outcome, BaseException) and not isinstance(outcome, GovfileError):
        raise outcome
    return outcome
