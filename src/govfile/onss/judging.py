"""What an answer proves of which submissions, written into the ledger."""

from __future__ import annotations

import logging
from collections import defaultdict
from typing import TYPE_CHECKING

import attrs

from govfile.errors import ImpossibleStep
from govfile.filing.fetching import evidence
from govfile.filing.states import Proof, State, Verdict
from govfile.filing.submission import Evidence
from govfile.onss import verdicts
from govfile.onss.declaration import read_marks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from govfile.filing.ledger import Ledger
    from govfile.filing.submission import Submission
    from govfile.onss.acrf import AcrfForm
    from govfile.onss.forms import FileReference
    from govfile.onss.matching import Marks, Match
    from govfile.onss.names import BatchName
    from govfile.onss.notification import NotificationForm
    from govfile.onss.register import Finder
    from govfile.onss.replies import Reply

logger = logging.getLogger("govfile.onss")

#: What may yet be sent (again) keeps its signatures; otherwise they were dropped when the trigger was confirmed, or
#: are now, where it never was.
_MAY_BE_SENT = frozenset({State.PREPARED, State.SENDING, State.UNKNOWN})
_DOUBTS = frozenset({Proof.LINK_LOST, Proof.INTERRUPTED})


@attrs.define(kw_only=True)
class Judge:
    """Records for one collection. `changed` are the submissions that learnt something; `strangers` the names of sets of
    this sender that the ledger does not know. `durable`: what is recorded is on the disk before the next step.
    """

    ledger: Ledger
    finder: Finder
    clock: Callable[[], datetime]
    durable: bool = False
    changed: dict[str, Submission] = attrs.field(factory=dict)
    strangers: list[BatchName] = attrs.field(factory=list)
    marks: dict[str, Marks] = attrs.field(factory=dict)

    def judge(self, reply: Reply) -> Reply:
        """The reply with its matches; whatever it proves is recorded then."""
        if reply.acrf is not None:
            matches = tuple(map(self.finder.acknowledged, reply.acrf.forms))
            self._meet_strangers(matches, [form.file for form in reply.acrf.forms])
            if not reply.problem:
                self._acknowledge(reply, reply.acrf.forms, matches)
            return attrs.evolve(reply, matches=matches)
        if reply.notification is not None:
            matches = tuple(self._certain(self.finder.notified(form), form) for form in reply.notification.forms)
            self._meet_strangers(matches, [form.file for form in reply.notification.forms])
            if not reply.problem:
                self._notify(reply, reply.notification.forms, matches)
            return attrs.evolve(reply, matches=matches)
        return reply

    def record(self, submission_id: str, evidence: Evidence, **more: object) -> Submission:
        """Record what the authority said, or what was seen at its side."""
        recorded = self.ledger.record(
            submission_id,
            evidence,
            at=self.clock(),
            durable=self.durable,
            **more,  # type: ignore[arg-type]
        )
        self.changed[submission_id] = recorded
        if recorded.state not in _MAY_BE_SENT and any(event.evidence.proof in _DOUBTS for event in recorded.history):
            self.ledger.drop_kept([submission_id])
        return recorded

    def _acknowledge(self, reply: Reply, forms: Iterable[AcrfForm], matches: Iterable[Match]) -> None:
        for form, match in zip(forms, matches, strict=True):
            if match.id is None:
                continue
            codes = form.reception.error_ids if form.reception else ()
            code = form.ticket if form.proof is Proof.TAKEN else ", ".join(codes)
            proven = evidence(form.proof, reply.answer, form.in_words(), code[:200])
            doubt = self._doubt(self.ledger.get(match.id)) if form.proof is Proof.NAME_REUSED else None
            self.finder.learn(self.record(match.id, proven, verdict=doubt))

    def _notify(self, reply: Reply, forms: Iterable[NotificationForm], matches: Iterable[Match]) -> None:
        said: dict[str, list[tuple[str, Verdict]]] = defaultdict(list)
        shown: set[str] = set()
        seen: set[tuple[str, str]] = set()
        for position, (form, match) in enumerate(zip(forms, matches, strict=True)):
            if match.id is None:
                continue
            key = verdicts.form_key(form, position, reply.answer.sha256)
            if (match.id, key) in seen:  # two forms of one stamp: both count
                key = verdicts.numbered_key(key, position)
            seen.add((match.id, key))
            said[match.id].append((key, form.verdict))
            if self._shown_ours(match.id, form):
                shown.add(match.id)
        for identifier, of_forms in said.items():
            verdict = verdicts.joined(self.ledger.get(identifier), of_forms)
            words = verdicts.in_words(of_forms) + ("" if identifier in shown else verdicts.BY_NAME_ALONE)
            proven = evidence(Proof.ANSWERED, reply.answer, words)
            self.record(identifier, proven, verdict=verdict, answers=(reply.answer,))

    def _certain(self, match: Match, form: NotificationForm) -> Match:
        """The match; none where the form is another's of the same name, or may well be.

        Two machines with ledgers from one backup give out one number, and both see what is said of either set. A name
        that was sent once and refused as used before was used by somebody else.
        """
        if match.id is None:
            return match
        shown = self._shown_ours(match.id, form)
        if shown or (shown is None and not self._is_reused(self.ledger.get(match.id))):
            return match
        logger.warning("%s was used by somebody else too: look at who sends under this sender number", match.id)
        return attrs.evolve(match, id=None, remark="somebody else used the name too, and nothing shows that it is ours")

    def _shown_ours(self, identifier: str, form: NotificationForm) -> bool | None:
        """Whether the form answers a form of that set: by its stamp or our reference; None where nothing tells.

        Stamps are told apart by the second, since not every institution repeats what is behind it.
        """
        marks = self.marks.get(identifier)
        if marks is None:
            marks = self.marks[identifier] = read_marks([part.marks for part in self.ledger.parts(identifier)])
        if marks.references.intersection(form.own_references):
            return True
        stamp = form.original_form.key if form.original_form else None
        if stamp is None or stamp[0] not in {known[0] for known in marks.stamps}:
            return None
        return (*stamp[:2], stamp[2][:8]) in {(*known[:2], known[2][:8]) for known in marks.stamps}

    @staticmethod
    def _is_reused(submission: Submission) -> bool:
        """Whether its name was refused as used before, though it was sent but once."""
        proofs = [event.evidence.proof for event in submission.history]
        return Proof.NAME_REUSED in proofs and proofs.count(Proof.TRIGGERING) <= 1

    def _doubt(self, submission: Submission) -> Verdict | None:
        """A verdict that an answer gave by its name alone counts no more once the name is shown to be another's too."""
        told = [event.evidence for event in submission.history if event.evidence.proof is Proof.ANSWERED]
        if told and all(evidence.detail.endswith(verdicts.BY_NAME_ALONE) for evidence in told):
            proofs = [event.evidence.proof for event in submission.history]
            return Verdict.UNREAD if proofs.count(Proof.TRIGGERING) <= 1 else None
        return None

    def _meet_strangers(self, matches: Iterable[Match], files: Iterable[FileReference | None]) -> None:
        for match, file in zip(matches, files, strict=True):
            if match.id is None and file is not None and file.name is not None and self.finder.is_ours(file):
                self.strangers.append(file.name)


def seen_in_folder(judge: Judge, submission: Submission) -> None:
    """Record that a set's trigger lies in the folder it was sent to."""
    try:
        judge.record(submission.id, Evidence(proof=Proof.SEEN, detail="its trigger lies in its folder"))
    except ImpossibleStep:
        logger.debug("%s moved on meanwhile", submission.id)
