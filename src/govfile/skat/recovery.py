"""After a crash: what was only claimed is sent, what was being sent is marked as unknown and never sent again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from govfile.errors import GovfileError
from govfile.filing.giving_up import GivingUp
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
    when their source is still there, unchanged, and was claimed by this login, and nobody withdrew them.
    """
    for submission in ledger.interrupted(**scope.where()):
        yield interrupted(ledger, submission)
    prepared = ledger.search(
        state=State.PREPARED, authority=scope.authority, environment=scope.environment, sender=scope.sender
    )
    giving_up = GivingUp()
    for identifier in [found.id for found in prepared]:
        submission = ledger.get(identifier)
        if submission.state is State.PREPARED and not submission.is_withdrawn:
            yield _finish(submission, sender, services, giving_up)


def _finish(submission: Submission, sender: Sender, services: Services, giving_up: GivingUp) -> Resumed:
    """Send it, unless sending the others has shown that it is no use."""
    try:
        profile = services.get(submission.service)
        source = same_source(submission, sender.session.login.username)
    except GovfileError as error:
        return Resumed(submission=submission, error=error)
    if giving_up.reason is not None:
        return Resumed(submission=submission, error=giving_up.reason)
    try:
        sent = sender.send(submission, source, profile)
    except GovfileError as error:
        giving_up.note(error)
        return Resumed(submission=sender.ledger.get(submission.id), error=error)
    giving_up.note(None)
    return Resumed(submission=sent)
