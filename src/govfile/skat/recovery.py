"""After a crash: what was only claimed is sent, what was being sent is marked as unknown and never sent again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from govfile.errors import GovfileError
from govfile.filing.recovery import Resumed as Resumed
from govfile.filing.recovery import interrupted, same_source
from govfile.filing.states import State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from govfile.filing.ledger import Ledger
    from govfile.filing.scope import Scope
    from govfile.filing.submission import Submission
    from govfile.skat.sending import Sender
    from govfile.skat.services import Services


def resume(ledger: Ledger, scope: Scope, sender: Sender, services: Services) -> Iterator[Resumed]:
    """Finish what can be finished. Interrupted ones become UNKNOWN and are never sent again; prepared ones are sent
    when their source is still there, unchanged, and was claimed by this login.
    """
    for submission in ledger.interrupted(**scope.where()):
        yield interrupted(ledger, submission)
    prepared = ledger.search(
        state=State.PREPARED, authority=scope.authority, environment=scope.environment, sender=scope.sender
    )
    for identifier in [found.id for found in prepared]:
        submission = ledger.get(identifier)
        if submission.state is State.PREPARED:
            yield _finish(submission, sender, services)


def _finish(submission: Submission, sender: Sender, services: Services) -> Resumed:
    try:
        profile = services.get(submission.service)
        source = same_source(submission, sender.session.login.username)
        return Resumed(submission=sender.send(submission, source, profile))
    except GovfileError as error:
        return Resumed(submission=sender.ledger.get(submission.id), error=error)
