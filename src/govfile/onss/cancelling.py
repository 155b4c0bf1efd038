"""Experimental: asking, by a TD file, to cancel a set.

The manual says that it cancels the processing of the set of the same name; until when, and what comes of it, is not
published.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from govfile.errors import ConfigurationError
from govfile.filing.states import Proof, State
from govfile.filing.submission import Evidence
from govfile.onss.names import BatchName
from govfile.onss.recovery import CANCELLED
from govfile.onss.sending import EMPTY

if TYPE_CHECKING:
    from govfile.filing.submission import Submission
    from govfile.onss.sending import Sender

logger = logging.getLogger("govfile.onss")


def cancel(submission: Submission, sender: Sender) -> Submission:
    """Send the file that asks to cancel, once the ledger has a note of it; the submission with that note.

    Raises `ConfigurationError` for one that was never sent or that the authority took already.
    """
    is_there = submission.state in (State.SENT, State.UNKNOWN, State.DELIVERED)
    if not is_there and not (submission.state is State.PREPARED and submission.was_started):
        raise ConfigurationError(
            f"{submission.name} is {submission.state.value}: there is nothing to cancel", certain="nothing was sent"
        )
    name = BatchName.parse(submission.name).td()
    logger.warning("asking to cancel %s: what this does is not published", submission.id)
    note = Evidence(proof=Proof.NOTED, detail=f"{name} asks to cancel it", code=CANCELLED)

    def committing() -> None:
        sender.ledger.record(submission.id, note, durable=True)

    with sender.session.conversation() as transport:
        transport.put(sender.path(str(name)), EMPTY, committing=committing)
    return sender.ledger.get(submission.id)
