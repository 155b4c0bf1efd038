"""Claiming a filing: a new set, or an earlier one of the same wish that never left."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import attrs

from govfile.errors import DuplicateContent
from govfile.filing.states import State
from govfile.onss.recovery import was_cancelled

if TYPE_CHECKING:
    from govfile.filing.ledger import Ledger
    from govfile.filing.scope import Scope
    from govfile.filing.submission import Submission
    from govfile.onss.declaration import Prepared, Preparer


@attrs.define(kw_only=True)
class Claimer:
    """Claims for one call. Make a new one for each.

    No guard holds repeats (`again=`) to one, since they are meant to repeat. One that an earlier call claimed and that
    never left is gone on with, and so is the filing to be repeated when it never left itself: a second claim would be
    sent beside the first, which `resume` sends.
    """

    ledger: Ledger
    scope: Scope
    preparer: Preparer
    _unsent: dict[tuple[object, ...], list[Submission]] | None = attrs.field(default=None, init=False)

    def earlier(self, prepared: Prepared) -> Submission | DuplicateContent | None:
        """What stands in the way of a claim, or is to be gone on with, before anything is signed; None: claim."""
        if prepared.filing.again is not None:
            waiting = self._repeats().get(self.preparer.wish(prepared))
            return waiting.pop(0) if waiting else self._unrepeatable(prepared)
        for found in prepared.declarations:
            sha256 = found.source.sha256
            earlier = self.ledger.find_content(**self.scope.where(), sha256=sha256, key=prepared.filing.key)
            if earlier is not None:
                return self.judge(prepared, refusal(earlier, found.source.sha256))
        return None

    def _unrepeatable(self, prepared: Prepared) -> Submission | DuplicateContent | None:
        """What was to be repeated, where it waits to be sent for the first time; the refusal, where it is another set
        with some of these parts.
        """
        for found in prepared.declarations:
            sha256 = found.source.sha256
            earlier = self.ledger.find_content(**self.scope.where(), sha256=sha256, key=prepared.filing.key)
            if earlier is not None and _waits(earlier):
                refused = refusal(earlier, sha256)
                refused.advice = "it was not sent yet: let resume() send it, or withdraw it before it is repeated"
                return self.judge(prepared, refused)
        return None

    def claim(self, prepared: Prepared) -> Submission:
        """The submission, new or gone on with; raises `DuplicateContent`."""
        found = self.earlier(prepared)
        if found is None:
            try:
                return self.ledger.claim_set(self.preparer.draft(prepared))[0]
            except DuplicateContent as refused:
                found = self.judge(prepared, refused)
        if isinstance(found, DuplicateContent):
            raise found
        return found

    def judge(self, prepared: Prepared, refused: DuplicateContent) -> Submission | DuplicateContent:
        """The earlier submission, when it is the very same set and was not sent yet; else the refusal."""
        earlier = refused.submission
        if earlier is None or earlier.sha256 != prepared.sha256 or earlier.service != prepared.purpose.code:
            return refused
        return earlier if earlier.state in (State.PREPARED, State.SENDING) else refused

    def _repeats(self) -> dict[tuple[object, ...], list[Submission]]:
        if self._unsent is None:
            self._unsent = defaultdict(list)
            scope = self.scope
            prepared = self.ledger.search(
                state=State.PREPARED, authority=scope.authority, environment=scope.environment, sender=scope.sender
            )
            for found in prepared:
                if found.again is not None:
                    wish = (found.service, found.sha256, found.filed_by, found.key, found.again)
                    self._unsent[wish].append(found)
        return self._unsent


def _waits(submission: Submission) -> bool:
    """Whether `resume` would send it."""
    is_unsent = submission.state is State.PREPARED
    return is_unsent and not submission.is_withdrawn and not was_cancelled(submission)


def refusal(earlier: Submission, sha256: str) -> DuplicateContent:
    """What to say of a content that was filed before, or that is being filed."""
    return DuplicateContent(
        f"the content {sha256[:8]}… was filed on {earlier.created:%Y-%m-%d} to {earlier.service} as {earlier.name} "
        f"({earlier.state.value})",
        submission=earlier,
        certain="this call sent nothing",
        advice="if it is meant to be filed again, say why with again=, or set the filings apart with key=",
        operation="submit",
    )
