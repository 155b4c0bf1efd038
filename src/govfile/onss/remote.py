"""What the authority's folders show: names in use, and the triggers of sets whose outcome is not known here.

Numbers that were given out are in the ledger. What is not, because the ledger was lost or restored or because others
send under the same number, shows itself in the folder to send into and in what acknowledgements and notifications name.
"""

from __future__ import annotations

import io
import logging
from collections import defaultdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import attrs

from govfile.errors import GovfileError, ProtocolError
from govfile.filing.fetching import was_received
from govfile.filing.lost import not_filed_here
from govfile.filing.states import State
from govfile.onss.acrf import parse_acrf
from govfile.onss.answers import Outbox
from govfile.onss.brussels import today
from govfile.onss.judging import seen_in_folder
from govfile.onss.names import BatchName, Prefix
from govfile.onss.notification import LIMITS, parse_notification
from govfile.onss.packing import unpack
from govfile.onss.sequences import sequence_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import date

    from govfile.filing.ledger import Ledger
    from govfile.filing.scope import Scope
    from govfile.onss.answers import AnswerFiles
    from govfile.onss.declaration import Preparer
    from govfile.onss.judging import Judge
    from govfile.onss.session import Session
    from govfile.transports.base import FileTransport

logger = logging.getLogger("govfile.onss")

_SENT = (Prefix.FI, Prefix.FS, Prefix.GO, Prefix.TD)


@attrs.frozen(kw_only=True)
class Remote:
    """The folders of one environment, as one sender sees them."""

    ledger: Ledger
    session: Session
    scope: Scope
    preparer: Preparer
    clock: Callable[[], datetime]

    def names(self, *, since: date | None = None) -> tuple[str, ...]:
        """The triggers' names of this sender's sets that the folders show, sorted; none dated before `since`."""
        with self.session.conversation() as transport:
            found = {*self._uploaded(transport), *self._answered(transport, since)}
        ours = (name for name in found if since is None or (name.date is not None and name.date >= since))
        return tuple(sorted(str(name.go()) for name in ours))

    def burn(self, names: Iterable[str], *, found: str) -> int:
        """Note names and numbers as used up; how many names were new to the ledger.

        The names all at once: a ledger that knows some of them would look as if it knew the sender.
        """
        numbers: dict[str, list[int]] = defaultdict(list)
        new: dict[str, list[str]] = defaultdict(list)
        for text in names:
            name = BatchName.recognise(text)
            if name is None or self.ledger.find(**self.scope.where(), name=text) is not None:
                continue
            numbers[name.created].append(sequence_number(name.sequence))
            new[name.purpose].append(text)
        for day, used in sorted(numbers.items()):
            self.ledger.burn_numbers(self.preparer.numbered(day), used)
        return self.ledger.burn_all(**self.scope.where(), names=new, found=found)

    def meet(self) -> int:
        """Before the first filing of a program's run: learn which numbers of today are used up.

        How many names are in use that nobody filed with this ledger, where it has never heard of the sender; 0 where
        it has.
        """
        is_known = self.ledger.knows_sender(**self.scope.where())
        since = today(self.clock) - timedelta(days=1) if is_known else None
        in_use = self.names(since=since)
        burnt = self.burn(in_use, found="the folders")
        if burnt and is_known:
            logger.warning("%d sets of this sender are not in the ledger; their numbers are left out", burnt)
        return 0 if is_known else not_filed_here(self.ledger, self.scope, in_use)

    def resolve(self, judge: Judge) -> None:
        """Look for the triggers of unknown sets in the folder they were sent to: one that lies there did arrive."""
        scope = self.scope
        unknown = list(
            self.ledger.search(
                state=State.UNKNOWN, authority=scope.authority, environment=scope.environment, sender=scope.sender
            )
        )
        if not unknown:
            return
        with self.session.conversation() as transport:
            lying = {entry.name for entry in self.session.list_uploads(transport)}
        for submission in unknown:
            if submission.name in lying:
                seen_in_folder(judge, submission)

    # --- names in use -------------------------------------------------------------------------------------------

    def _uploaded(self, transport: FileTransport) -> Iterator[BatchName]:
        for entry in self.session.list_uploads(transport):
            name = BatchName.recognise(entry.name)
            if name is not None and name.prefix in _SENT and name.sender == self.scope.sender:
                yield attrs.evolve(name.go(), parts=name.parts or 1)

    def _answered(self, transport: FileTransport, since: date | None) -> Iterator[BatchName]:
        """Every set is acknowledged, so for the last days acknowledgements will do; they are small."""
        purposes = ("ACRF", "NOTI") if since is None else ("ACRF",)
        for files in Outbox.of(self.session.list_answers(transport)).answers:
            is_old = since is not None and files.name.date is not None and files.name.date < since
            if files.name.purpose in purposes and not is_old and not self._was_read(files):
                yield from self._named_in(transport, files)

    def _was_read(self, files: AnswerFiles) -> bool:
        """Answers that were collected into this ledger have been met."""
        return was_received(self.ledger, self.scope, self.preparer.user, files.content)

    def _named_in(self, transport: FileTransport, files: AnswerFiles) -> Iterator[BatchName]:
        content = io.BytesIO()
        try:
            transport.get(f"{self.session.environment.answers}/{files.content.name}", content, limit=LIMITS.size)
            raw = unpack(content.getvalue()).content if files.is_compressed else content.getvalue()
        except ProtocolError as error:
            logger.info("an answer could not be read: %s", type(error).__name__)
            return
        except GovfileError as error:
            logger.info("an answer could not be fetched: %s", type(error).__name__)
            return
        read = parse_acrf(raw) if files.name.purpose == "ACRF" else parse_notification(raw)
        for form in read.forms:
            name = form.file.name if form.file else None
            if name is not None and name.sender == self.scope.sender and name.environment == self._letter:
                yield attrs.evolve(name.go(), parts=name.parts or 1)

    @property
    def _letter(self) -> str:
        return self.session.environment.letter
