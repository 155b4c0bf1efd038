"""`Channel`: file declarations with the Belgian social security, once, and follow them to their notifications."""

from __future__ import annotations

import functools
import logging
import secrets
import time
from typing import TYPE_CHECKING

from govfile.certificates.usage import check_signs_documents
from govfile.errors import ConfigurationError, CredentialError
from govfile.filing.client import FilingClient
from govfile.filing.conversation import Door
from govfile.filing.fetching import Fetcher
from govfile.filing.recording import Recorder
from govfile.filing.saving import Folder
from govfile.filing.scope import Scope
from govfile.filing.states import State
from govfile.filing.submission import Submission
from govfile.filing.waiting import silent
from govfile.onss.accounts import check_sender, user_name_warnings
from govfile.onss.batch import Batch
from govfile.onss.brussels import now
from govfile.onss.cancelling import cancel
from govfile.onss.claiming import Claimer
from govfile.onss.collecting import ANSWER_LIMIT, Collection, Collector
from govfile.onss.declaration import Filing, Preparer, parts_of
from govfile.onss.environments import Signing
from govfile.onss.judging import Judge
from govfile.onss.names import BatchName
from govfile.onss.recovery import Recovery
from govfile.onss.register import Finder
from govfile.onss.remote import Remote
from govfile.onss.replies import Reader
from govfile.onss.sending import Sender
from govfile.onss.session import Session, connect

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from govfile.certificates.credential import Credential
    from govfile.certificates.ssh import SshKey
    from govfile.certificates.trust import Trust
    from govfile.errors import GovfileError
    from govfile.filing.ledger import Ledger
    from govfile.filing.recovery import Resumed
    from govfile.filing.source import Document
    from govfile.filing.waiting import Dice
    from govfile.onss.environments import Environment
    from govfile.onss.sending import Progress
    from govfile.transports.base import ExclusiveTransport

logger = logging.getLogger("govfile.onss")


class Channel(FilingClient):
    """One technical user of one sender, in one environment. Use it as a context manager.

    `credential` signs declarations; None where none is to be signed. `sender` is the six-digit number, `user` the
    technical user name, `ssh_key` its login key. `ledger` remembers what was filed, over all runs.
    `channel_created_at` (aware) is when the channel was made, so that a refused login can be told from one that is not
    known yet. With `trust`, the signers of answers must lead up to one of its anchors; answers whose signature does
    not hold are kept and not believed, unless `believes_any_signature`. `transport` makes a connection where the real
    one is not wanted. `clock` gives aware UTC datetimes, `sleep` takes seconds, `dice` spreads the looks of clients.

    Raises `ConfigurationError` for a sender number that is none, and `CredentialError` for a certificate that is not
    valid now or not for signatures (ACRF-153 foreseen): before any connection.
    """

    def __init__(
        self,
        environment: Environment,
        credential: Credential | None = None,
        *,
        sender: str,
        user: str,
        ssh_key: SshKey,
        ledger: Ledger,
        channel_created_at: datetime | None = None,
        trust: Trust | None = None,
        believes_any_signature: bool = False,
        transport: Callable[[], ExclusiveTransport] | None = None,
        clock: Callable[[], datetime] = now,
        sleep: Callable[[float], None] = time.sleep,
        dice: Dice | None = None,
    ) -> None:
        self.environment = environment
        self.sender = check_sender(sender)
        self.user = user
        for warning in user_name_warnings(user):
            logger.warning("%s", warning)
        self._credential = credential
        self._trust = trust
        self._is_strict = not believes_any_signature
        super().__init__(
            ledger=ledger,
            scope=Scope(authority="onss", environment=environment.name, sender=sender),
            patience=environment.patience,
            clock=clock,
            sleep=sleep,
            dice=dice or secrets.SystemRandom(),
        )
        self._recorder = Recorder(ledger)
        self._open = transport or functools.partial(connect, environment, user, ssh_key)
        self._new_session = functools.partial(
            Session, environment=environment, door=Door(), clock=clock, created=channel_created_at
        )
        self._session = self._new_session(self._open)
        self._sender = Sender(ledger, self._session, self._recorder)
        self._preparer = Preparer(
            environment=environment, scope=self._scope, user=user, credential=credential, clock=clock
        )
        self._recovery = Recovery(ledger=ledger, scope=self._scope, user=user, sender=self._sender)
        self._remote = Remote(
            ledger=ledger, session=self._session, scope=self._scope, preparer=self._preparer, clock=clock
        )
        self._check_credential()

    def __repr__(self) -> str:
        return f"<Channel {self.environment.name} of {self.sender} as {self.user}>"

    # --- filing ---------------------------------------------------------------------------------------------------

    def submit(
        self,
        declaration: Document | Sequence[Document],
        *,
        purpose: str,
        key: str | None = None,
        again: str | None = None,
        sign: bool | None = None,
        progress: Progress | None = None,
    ) -> Submission:
        """File one declaration, or the parts of one set, and return what is known once the trigger is confirmed.

        `purpose` are the four letters of the name (DMFA, DIMN, …). The number is the ledger's next one. `sign` None
        follows the environment. A declaration that was claimed before and not triggered is gone on with, with the same
        bytes. `key` sets filings of the same content apart, `again` says why it is filed once more. `progress` is
        called with (bytes done, bytes in all).

        Raises `InvalidContent`, `InvalidName`, `ConfigurationError`, `CredentialError` before anything is claimed;
        `DuplicateContent` when any part was filed before, for whatever purpose; `DuplicateName` when a file of that
        name, not ours, lies there; `TransportError` when nothing was filed (it stays PREPARED: call again, or
        `resume`); `OutcomeUnknown`, with `.submission`, when the trigger may have arrived.
        """
        filing = Filing(parts=parts_of(declaration), purpose=purpose, key=key, again=again, sign=sign)
        with self._my_turn():
            self._check_credential()
            prepared = self._preparer.prepare(filing)
            self._meet(stops=again is None)
            claimer = Claimer(ledger=self._ledger, scope=self._scope, preparer=self._preparer)
            submission = self._recovery.if_abandoned(claimer.claim(prepared))
            if submission.state is not State.PREPARED:
                return submission
            sources = [found.source for found in prepared.declarations]
            return self._sender.send(submission, self._recovery.files_of(submission, sources), progress)

    def submit_many(
        self, filings: Iterable[Filing], *, connections: int = 1
    ) -> Iterator[tuple[Filing, Submission | GovfileError]]:
        """File many sets, many on the way at once over each connection; gives each with its submission or its error.

        A set that fails never stops the others, and no trigger leaves before its own set is confirmed. When the
        channel cannot be reached the rest fails with that error; what was claimed stays PREPARED for `resume`.
        `connections` (1 to 16) are SFTP sessions; a server that lets in fewer gets all of it over those.
        """
        with self._my_turn():
            self._check_credential()
            self._meet(stops=True)
        sender = self._sender if connections == 1 else self._sender_over(connections)
        batch = Batch(
            ledger=self._ledger,
            preparer=self._preparer,
            recovery=self._recovery,
            sender=sender,
            claimer=Claimer(ledger=self._ledger, scope=self._scope, preparer=self._preparer),
        )
        try:
            for some in batch.groups(filings):
                with self._my_turn():
                    done = batch.send(some)
                yield from done
        finally:
            if sender is not self._sender:
                sender.session.close()

    def cancel(self, submission: Submission) -> Submission:
        """Experimental: ask, by a TD file, to cancel a set. What that does, and until when, is not published.

        The submission stays as it is, with a note, until the authority speaks (ACRF-277 is known to say that a request
        was cancelled); one that was not triggered yet is not triggered any more. Raises `ConfigurationError` for one
        that was never sent or that the authority took already, `TransportError` when nothing was sent.
        """
        with self._my_turn():
            self._check_ours(submission)
            return cancel(self._if_abandoned(self._ledger.get(submission.id)), self._sender)

    # --- following ------------------------------------------------------------------------------------------------

    def collect(
        self, into: str | os.PathLike[str], *, delete: bool = False, answer_limit: int = ANSWER_LIMIT
    ) -> Collection:
        """Fetch every new answer that is whole into the folder `into`, and record what it proves.

        Content, signature and trigger of an answer are kept as they came, under safe names, never over older ones; a
        compressed one also unpacked. With `delete`, answers to our own sets, and messages about nobody's set, are
        removed at the authority once they are saved and recorded; those about sets of others stay. The folder to send
        into is looked at too, for the triggers of sets whose outcome is unknown.
        """
        with self._my_turn():
            finder = Finder(self._ledger, self._scope, clock=self._clock)
            judge = Judge(ledger=self._ledger, finder=finder, clock=self._clock, durable=delete)
            self._remote.resolve(judge)
            collector = Collector(
                ledger=self._ledger,
                session=self._session,
                fetcher=Fetcher(Folder.of(into), self._ledger, self._scope, self.user, self._clock, is_durable=delete),
                reader=Reader(trust=self._trust, at=self._clock(), is_strict=self._is_strict),
                judge=judge,
                sleep=self._sleep,
                second_look=self.environment.patience.second_look,
                delete=delete,
                answer_limit=answer_limit,
            )
            try:
                return collector.collect(
                    silent=silent(self._ledger, self._scope, self._clock(), self.environment.patience)
                )
            finally:
                strangers = {str(name.go()) for name in judge.strangers if name.parts is not None}
                self._remote.burn(strangers, found="answers")

    def _look(self, into: str | os.PathLike[str]) -> None:
        self.collect(into)

    def status(self, submission: Submission | str) -> Submission:
        """A submission, or the one that any of its files' names (FI, FS, GO, TD) names, as the ledger has it now.

        Asks nobody. Raises `ConfigurationError` when this sender filed nothing under that name here.
        """
        if isinstance(submission, Submission):
            return self._ledger.get(submission.id)
        name = BatchName.recognise(submission)
        found = self._ledger.find(name=str(name.go()) if name else submission, **self._scope.where())
        if found is None:
            raise ConfigurationError(
                f"nothing was filed as {submission!r} by {self.sender} in {self.environment.name}",
                advice="check the name, the environment and the ledger",
            )
        return found

    # --- after a crash --------------------------------------------------------------------------------------------

    def resume(self) -> tuple[Resumed, ...]:
        """Finish what a crash or a lost link left behind, and say what became of each.

        What was not triggered is sent, with the same bytes, when its files are still there and unchanged. What may have
        been triggered is UNKNOWN and never sent again; its trigger is looked for.
        """
        with self._my_turn():
            self._check_credential()
            resumed = tuple(self._recovery.resume())
            finder = Finder(self._ledger, self._scope, clock=self._clock)
            judge = Judge(ledger=self._ledger, finder=finder, clock=self._clock)
            self._remote.resolve(judge)
            return resumed

    def names(self) -> tuple[str, ...]:
        """The names (GO) of this sender's sets that the folders show to be in use: those lying in the folder to send
        into, and those that answers name.
        """
        with self._my_turn():
            return self._remote.names()

    def rebuild(self) -> int:
        """Burn in the ledger every name and number that the folders show to be used up; returns how many were new.

        Runs by itself before the first filing of a run: for all names with a ledger that does not know the sender,
        else for those of today.
        """
        with self._my_turn():
            return self._remote.burn(self._remote.names(), found="the folders")

    # --- inside ---------------------------------------------------------------------------------------------------

    def _sender_over(self, connections: int) -> Sender:
        from govfile.transports.sftp import SeveralSessions

        session = self._new_session(lambda: SeveralSessions(self._open, connections))
        return Sender(self._ledger, session, self._recorder)

    def _meet(self, *, stops: bool) -> None:
        """Learn what is in use; with `stops`, stop once where a ledger seems to have been lost."""
        in_use = self._names_in_use(self._remote.meet)
        if stops and in_use:
            raise self._lost_ledger(in_use, "the folders show")

    def _check_credential(self) -> None:
        if self._credential is None or self.environment.signing is Signing.NEVER:
            return
        try:
            self._credential.check(self._clock())
            check_signs_documents(self._credential.certificate)
        except CredentialError as error:
            error.certain = (
                error.certain or "nothing was sent; the authority would refuse the signature (ACRF-153, 125)"
            )
            raise

    def _hang_up(self) -> None:
        self._session.close()

    def _catch_up(self) -> None:
        self._recorder.catch_up()

    def _if_abandoned(self, submission: Submission) -> Submission:
        return self._recovery.if_abandoned(submission)
