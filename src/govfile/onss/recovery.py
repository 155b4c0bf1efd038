"""After a crash: what was not triggered is sent, with the same bytes; what may have been triggered is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from govfile.errors import ConfigurationError, GovfileError, InvalidContent, OutcomeUnknown
from govfile.filing.giving_up import GivingUp
from govfile.filing.recovery import Resumed, check_login
from govfile.filing.source import Source
from govfile.filing.states import Proof, State
from govfile.filing.submission import Evidence
from govfile.onss.sending import HOW_TO_RESOLVE, Held

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from govfile.filing.ledger import Ledger
    from govfile.filing.scope import Scope
    from govfile.filing.submission import Submission
    from govfile.onss.sending import Sender
    from govfile.transports.base import Content

#: The code in the history of a set that was asked to be cancelled.
CANCELLED = "TD"


@attrs.frozen(kw_only=True)
class Recovery:
    """Finishes what earlier runs of one user left."""

    ledger: Ledger
    scope: Scope
    user: str
    sender: Sender

    def resume(self) -> Iterator[Resumed]:
        """Every set that was left unfinished, as it is afterwards."""
        for submission in self.ledger.interrupted(**self.scope.where()):
            left = self.interrupted(submission)
            if left.state is State.UNKNOWN:
                yield Resumed(submission=left, error=unknown(left))
        prepared = self.ledger.search(
            state=State.PREPARED,
            authority=self.scope.authority,
            environment=self.scope.environment,
            sender=self.scope.sender,
        )
        giving_up = GivingUp()
        for identifier in [found.id for found in prepared]:
            submission = self.ledger.get(identifier)
            if submission.state is State.PREPARED and not (submission.is_withdrawn or was_cancelled(submission)):
                yield self._finish(submission, giving_up)

    def interrupted(self, submission: Submission) -> Submission:
        """What a process that is provably dead was sending: ready again, unless its trigger may have left."""
        if submission.was_triggered:
            evidence = Evidence(proof=Proof.INTERRUPTED, detail="its process ended while the trigger was sent")
        else:
            evidence = Evidence(proof=Proof.NOT_TRIGGERED, detail="its process ended before the trigger was sent")
        return self.ledger.record(submission.id, evidence, durable=True)

    def if_abandoned(self, submission: Submission) -> Submission:
        """A submission as it is, once it is known whether the process that was sending it still runs."""
        if submission.state is not State.SENDING:
            return submission
        dead = any(found.id == submission.id for found in self.ledger.interrupted(**self.scope.where()))
        return self.interrupted(self.ledger.get(submission.id)) if dead else submission

    def files_of(self, submission: Submission, sources: Iterable[Source] = ()) -> dict[str, Content]:
        """What a PREPARED set is made of, by remote name: the `sources` at hand, or the files they came from, and the
        signatures kept for it.

        Raises `InvalidContent` when a source is gone or has changed, `CredentialError` when another user claimed it,
        `ConfigurationError` when it was asked to be cancelled.
        """
        check_login(submission, self.user)
        if was_cancelled(submission):
            raise ConfigurationError(
                f"{submission.name} was cancelled before it was triggered",
                certain="nothing was sent",
                advice="submit the document once more with again=",
            )
        at_hand = {source.sha256: source for source in sources}
        files: dict[str, Content] = {}
        for part in self.ledger.parts(submission.id):
            source = at_hand.get(part.sha256) or _from_file(part.source_path, part.sha256, part.name)
            files[part.name] = source
        for name, content in self.ledger.kept(submission.id).items():
            files[name] = Held(content)
        lacking = set(submission.remote_names[:-1]) - set(files)
        if lacking:
            raise InvalidContent(
                f"the ledger has lost the signatures of {submission.name}",
                certain="nothing was triggered",
                advice="run `govfile ledger verify`, withdraw the set, then submit the document once more with again=",
            )
        return files

    def _finish(self, submission: Submission, giving_up: GivingUp) -> Resumed:
        try:
            files = self.files_of(submission)
        except GovfileError as error:
            return Resumed(submission=submission, error=error)
        if giving_up.reason is not None:
            return Resumed(submission=submission, error=giving_up.reason)
        try:
            sent = self.sender.send(submission, files)
        except GovfileError as error:
            giving_up.note(error)
            return Resumed(submission=self.ledger.get(submission.id), error=error)
        giving_up.note(None)
        return Resumed(submission=sent)


def was_cancelled(submission: Submission) -> bool:
    """Whether a file that asks to cancel it was sent."""
    return any(event.evidence.code == CANCELLED and event.evidence.proof is Proof.NOTED for event in submission.history)


def unknown(submission: Submission) -> OutcomeUnknown:
    """The error for a set whose trigger may have arrived."""
    return OutcomeUnknown(
        f"the trigger of {submission.name} was being sent when its process ended",
        evidence=submission.history[-1].evidence.detail,
        how_to_resolve=HOW_TO_RESOLVE,
        submission=submission,
        operation="resume",
    )


def _from_file(path: str | None, sha256: str, name: str) -> Source:
    if path is None:
        raise InvalidContent(
            f"the document of {name} was not a file, so it cannot be found again",
            certain="nothing was triggered; its name stays claimed",
            advice="submit the same content again: the same set is gone on with",
        )
    source = Source.of(path)
    if source.sha256 != sha256:
        raise InvalidContent(
            f"the file behind {name} has changed since it was claimed",
            certain="nothing was triggered; the name stays bound to the earlier content",
            advice="put the earlier file back, or submit the new one",
        )
    return source
