"""Our sets, found for answers: by name in the ledger first, and over all recent ones when an answer names none."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from govfile.filing.states import Proof
from govfile.onss.declaration import read_marks
from govfile.onss.matching import Match, Register, Sent
from govfile.onss.names import BatchName

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from govfile.filing.ledger import Ledger
    from govfile.filing.scope import Scope
    from govfile.filing.submission import Submission
    from govfile.onss.acrf import AcrfForm
    from govfile.onss.forms import FileReference
    from govfile.onss.notification import NotificationForm

#: Notifications that name no file are looked for among what was claimed in this time.
LOOK_BACK = timedelta(days=120)


class Finder:
    """Finds submissions for one collection."""

    def __init__(self, ledger: Ledger, scope: Scope, *, clock: Callable[[], datetime]) -> None:
        self._ledger = ledger
        self._scope = scope
        self._clock = clock
        self._register = Register(())
        self._is_full = False

    def acknowledged(self, form: AcrfForm) -> Match:
        """The set an acknowledgement's form is about."""
        self._look_up(form.file)
        match = self._register.acknowledged(form)
        if match.id is None and form.file is not None and self._may_be_short(form.file):
            self._fill()
            match = self._register.acknowledged(form)
        return match

    def notified(self, form: NotificationForm) -> Match:
        """The set a notification's form is about."""
        self._look_up(form.file)
        match = self._register.notified(form)
        names_another = form.file is not None and form.file.name is not None and not self._may_be_short(form.file)
        if match.id is None and not names_another:
            self._fill()
            match = self._register.notified(form)
        return match

    def learn(self, submission: Submission) -> None:
        """What an acknowledgement has just told of a set, its ticket above all."""
        self._add(submission)

    def is_ours(self, file: FileReference | None) -> bool:
        """Whether an answer names a file of this sender in this environment, known to the ledger or not."""
        return file is not None and file.name is not None and file.name.sender == self._scope.sender

    def _look_up(self, file: FileReference | None) -> None:
        name = file.name if file else None
        if name is None or name.sender != self._scope.sender or name.parts is None:
            return
        found = self._ledger.find(**self._scope.where(), name=str(name.go()))
        if found is not None and found.sha256 is not None:
            self._add(found)

    def _may_be_short(self, file: FileReference) -> bool:
        """A name without the number of parts cannot be looked up."""
        return file.name is not None and file.name.parts is None and file.name.sender == self._scope.sender

    def _fill(self) -> None:
        if self._is_full:
            return
        self._is_full = True
        scope = self._scope
        recent = self._ledger.search(
            authority=scope.authority,
            environment=scope.environment,
            sender=scope.sender,
            since=self._clock() - LOOK_BACK,
        )
        for submission in recent:
            if submission.sha256 is not None:
                self._add(submission)

    def _add(self, submission: Submission) -> None:
        name = BatchName.recognise(submission.name)
        if name is None:
            return
        parts = self._ledger.parts(submission.id)
        marks = read_marks([part.marks for part in parts])
        self._register.add(Sent(id=submission.id, name=name, ticket=ticket_of(submission), marks=marks))


def ticket_of(submission: Submission) -> str:
    """The ticket that social security gave a set, "" while there is none."""
    taken = (event.evidence for event in submission.history if event.evidence.proof is Proof.TAKEN)
    return next((evidence.code for evidence in taken if evidence.code), "")
