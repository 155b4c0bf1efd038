"""One document on its way to an authority: who sent what, under which name, and everything known of it since."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from govfile.errors import ImpossibleStep, Rejected
from govfile.filing.states import Proof, State, Verdict, step, weigh

if TYPE_CHECKING:
    from datetime import datetime, timedelta
    from pathlib import Path


@attrs.frozen(kw_only=True)
class Evidence:
    """What is known, and from where.

    `proof` says what it shows, `detail` in words (no personal data), `code` the authority's own code where it gave one.
    `source` is the remote name of the raw file it was read from, `source_sha256` that file's digest (64 hex digits),
    `saved_as` the local path its raw bytes were kept under.
    """

    proof: Proof
    detail: str = ""
    code: str = ""
    source: str = ""
    source_sha256: str = ""
    saved_as: str = ""

    def __str__(self) -> str:
        text = self.proof.value
        if self.code:
            text += f" [{self.code}]"
        if self.detail:
            text += f": {self.detail}"
        if self.source:
            text += f" ({self.source})"
        return text


@attrs.frozen(kw_only=True)
class Event:
    """One line of a submission's history: when (aware UTC) this side learnt what, and the state after it."""

    at: datetime
    state: State
    evidence: Evidence


@attrs.frozen(kw_only=True)
class Answer:
    """A file the authority sent in answer: where it was saved, its remote name, size in bytes and SHA-256."""

    path: Path
    remote_name: str
    size: int
    sha256: str
    received_at: datetime


@attrs.frozen(kw_only=True)
class Submission:
    """One document and all that is known of it. A value: calls that learn more return a new one.

    `id` is ours and unique; `name` is the remote name, unique for ever in its scope. `service` is what it was filed for
    (for onss the purpose). `sender` is the filing company (for skat its CVR number), `filed_by` the login that filed,
    `certificate` the SHA-256 fingerprint it proved itself with. `size` in bytes and `sha256` (64 hex digits) are of the
    source, None for a name that was found in use. `is_dry_run`: sent to be checked only. `key` and `again` are the
    caller's. `history` is oldest first, `state` where it ends; `revision` counts the changes of the record.
    `set_names` are the remote names where several files carry the document; there `name` is that of the last one, the
    trigger, and for several sources `size` is their sum and `sha256` that of their SHA-256 digests, put together.
    `archived` is the file with the full record of an old submission: then `history` has no details and `answers` is
    empty.
    """

    id: str
    authority: str
    environment: str
    sender: str
    service: str
    name: str
    size: int | None
    sha256: str | None
    filed_by: str
    certificate: str = ""
    is_dry_run: bool = False
    key: str | None = None
    again: str | None = None
    source_path: str | None = None
    set_names: tuple[str, ...] = ()
    state: State = State.PREPARED
    verdict: Verdict | None = None
    history: tuple[Event, ...] = ()
    answers: tuple[Answer, ...] = ()
    revision: int = 0
    archived: str | None = None

    @property
    def remote_names(self) -> tuple[str, ...]:
        """The names of the files that carry this document, in the order they are sent."""
        return self.set_names or (self.name,)

    @property
    def was_triggered(self) -> bool:
        """Whether the trigger of a set may have left since sending last started."""
        for event in reversed(self.history):
            if event.evidence.proof in (Proof.TRIGGERING, Proof.STARTED):
                return event.evidence.proof is Proof.TRIGGERING
        return False

    @property
    def was_started(self) -> bool:
        """Whether sending ever started: files of ours may lie at the other side."""
        return any(event.evidence.proof is Proof.STARTED for event in self.history)

    @property
    def created(self) -> datetime:
        """When the name was claimed (aware UTC)."""
        return self.history[0].at

    @property
    def is_withdrawn(self) -> bool:
        """Whether a person took it back before anything was sent: it waits for nobody, and its name stays claimed."""
        return self.state is State.PREPARED and self.history[-1].evidence.proof is Proof.WITHDRAWN

    @property
    def rejection(self) -> Evidence | None:
        """The refusal, when the state is REJECTED."""
        if self.state is not State.REJECTED:
            return None
        refusals = (Proof.REFUSED, Proof.NAME_REUSED)
        return next((event.evidence for event in self.history if event.evidence.proof in refusals), None)

    def silent_for(self, now: datetime) -> timedelta:
        """How long nothing has been heard; silence is an age, never a failure."""
        return now - self.history[-1].at

    def raise_for_rejection(self) -> None:
        """Raise `Rejected` when the authority refused this document; otherwise do nothing."""
        refusal = self.rejection
        if refusal is not None:
            raise Rejected(
                f"{self.authority} refused {self.name}: {refusal.code or refusal.detail or 'no reason given'}",
                certain=f"the name {self.name} is burnt",
                advice=refusal.detail,
                code=refusal.code,
                text=refusal.detail,
                operation="submit",
                submission=self,
            )

    def after(self, evidence: Evidence, at: datetime, *, verdict: Verdict | None = None) -> Submission:
        """This submission with one more piece of evidence.

        Raises `ImpossibleStep` for a step of our own that does not exist; word from the authority never raises.
        """
        if evidence.proof is Proof.NOT_TRIGGERED and self.state is State.SENDING and self.was_triggered:
            raise ImpossibleStep(
                f"the trigger of {self.name} may have left", advice="report this as a defect of govfile"
            )
        if evidence.proof.is_own_step:
            state = step(self.state if self.history else None, evidence.proof)
        else:
            state = weigh(self.state, (event.evidence.proof for event in self.history), evidence.proof)
        event = Event(at=at, state=state, evidence=evidence)
        return attrs.evolve(
            self,
            state=state,
            verdict=verdict or self.verdict,
            history=(*self.history, event),
            revision=self.revision + 1,
        )
