"""`Gateway`: file documents with the Danish FTPS gateway, once, and follow them to their answers."""

from __future__ import annotations

import functools
import io
import secrets
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from govfile.certificates.secret import check_secret
from govfile.errors import AlreadyFiled, ConfigurationError, GovfileError, LedgerError
from govfile.filing.client import FilingClient, one_at_a_time
from govfile.filing.conversation import Door
from govfile.filing.fetching import Fetcher
from govfile.filing.recording import Recorder
from govfile.filing.recovery import Resumed, check_login, interrupted
from govfile.filing.saving import Folder
from govfile.filing.scope import Scope
from govfile.filing.states import State
from govfile.filing.submission import Submission
from govfile.skat.batch import Batch
from govfile.skat.collecting import ANSWER_LIMIT, Collection, Collector
from govfile.skat.filing import Filing, Preparer, Unsent, continued
from govfile.skat.matching import Matcher
from govfile.skat.rebuilding import meet, rebuild
from govfile.skat.recovery import resume
from govfile.skat.sending import Sender
from govfile.skat.services import Services
from govfile.skat.session import Session, connect
from govfile.skat.survey import Survey
from govfile.skat.username import Login, check_environment
from govfile.transports.base import join

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator

    from govfile.certificates.credential import Credential
    from govfile.certificates.secret import Secret
    from govfile.filing.ledger import Ledger
    from govfile.filing.source import Document
    from govfile.filing.waiting import Dice
    from govfile.skat.environments import Environment
    from govfile.skat.filing import Prepared
    from govfile.skat.sending import Progress
    from govfile.skat.services import ServiceProfile
    from govfile.transports.base import FileTransport


#: Where the retired gateway laid new passwords in 2019 and 2020 (notice on ICS and Manifest, 2019).
LOGIN_INFORMATION = "NyFTPSLoginInfo/Ny_FTPS_Login_Info.txt"


def _now() -> datetime:
    return datetime.now(UTC)


class Gateway(FilingClient):
    """One company's login at one gateway. Use it as a context manager.

    `password` is the one the authority issued for this certificate and environment. `username` is built from the
    certificate unless given. `ledger` remembers what was filed, over all runs. `profiles` are your own services, or
    your variants of those that ship. `transport` makes a connection where the real one is not wanted. `clock` gives
    aware UTC datetimes, `sleep` takes seconds, `randomness` gives n random bytes, `dice` spreads the looks of clients.

    Raises `ConfigurationError` for a user name or environment that contradicts the certificate, and `CredentialError`
    for a certificate that is not valid now: both before any connection.
    """

    def __init__(
        self,
        environment: Environment,
        credential: Credential,
        *,
        password: Secret,
        ledger: Ledger,
        username: str | None = None,
        profiles: Iterable[ServiceProfile] = (),
        transport: Callable[[], FileTransport] | None = None,
        clock: Callable[[], datetime] = _now,
        sleep: Callable[[float], None] = time.sleep,
        randomness: Callable[[int], bytes] = secrets.token_bytes,
        dice: Dice | None = None,
    ) -> None:
        check_environment(credential, environment)
        check_secret(password, "password")
        self.environment = environment
        self._login = Login.of(credential.subject, username)
        super().__init__(
            ledger=ledger,
            scope=Scope(authority="skat", environment=environment.name, sender=self._login.sender),
            patience=environment.patience,
            clock=clock,
            sleep=sleep,
            dice=dice or secrets.SystemRandom(),
        )
        self._credential = credential
        self._services = Services.of(profiles)
        self._open = transport or functools.partial(connect, environment, self._login.username, password, credential)
        self._preparer = Preparer(
            scope=self._scope,
            login=self._login,
            fingerprint=credential.fingerprint,
            clock=clock,
            randomness=randomness,
        )
        self._recorder = Recorder(ledger)
        self._door = Door()
        self._sender = self._new_sender()
        credential.check(clock())

    def __repr__(self) -> str:
        return f"<Gateway {self.environment.name} as {self.username}>"

    @property
    def username(self) -> str:
        """The user name this certificate logs in with."""
        return self._login.username

    @one_at_a_time
    def services(self) -> tuple[str, ...]:
        """The services this certificate may use now, as the gateway shows them."""
        return tuple(sorted(self._sender.session.look().services))

    @one_at_a_time
    def submit(
        self,
        document: Document,
        *,
        service: str,
        name: str | None = None,
        dry_run: bool = False,
        key: str | None = None,
        again: str | None = None,
        progress: Progress | None = None,
    ) -> Submission:
        """File one document and return what is known of it once the gateway has confirmed every byte.

        `name` is the remote name, used up for ever; without it one is made, or the file's own name taken where names
        carry a meaning. The same name and content again return the submission as it is recorded, and nothing is sent
        twice. `dry_run` asks for a check only (services that have it). `key` sets filings of the same content apart,
        `again` says why the same content is filed once more. `progress` is called with (bytes done, bytes in all).

        Raises `InvalidContent`, `InvalidName`, `ConfigurationError`, `CredentialError` before anything is claimed;
        `DuplicateName`, `DuplicateContent`; `NotAuthorised` for a service that is not visible; `TransportError` when it
        certainly was not handed over (what was claimed stays PREPARED: call again, or `resume`); `OutcomeUnknown`, with
        `.submission`, when it may have arrived; `Rejected` when the server refused it after the last byte.
        """
        prepared = self._prepare(Filing(document=document, name=name, key=key, again=again), service, dry_run=dry_run)
        self._check_not_lost(prepared, self._meet(self._sender))
        submission = self._if_abandoned(self._claimed(prepared))
        if submission.state is not State.PREPARED:
            return submission
        check_login(submission, self.username)
        try:
            return self._sender.send(submission, prepared.source, prepared.profile, progress)
        except GovfileError as error:
            self._keep_for_good(error)
            raise

    def submit_many(
        self, documents: Iterable[Document | Filing], *, service: str, dry_run: bool = False, connections: int = 1
    ) -> Iterator[tuple[Document, Submission | GovfileError]]:
        """File many documents, over `connections` at once; gives each with its submission or its error, as they end.

        A document that fails never stops the others. When the gateway cannot be reached or refuses the login, the rest
        fails with that error; what was claimed stays PREPARED for `resume`. Give `Filing` values for names and keys.
        """
        if not 1 <= connections <= 16:
            raise ConfigurationError(f"{connections} connections: give a number from 1 to 16")
        with self._my_turn():
            self._credential.check(self._clock())
        senders = [self._new_sender() for _ in range(connections)]
        in_use = 0

        def prepare(filing: Filing) -> Prepared:
            nonlocal in_use
            prepared = self._prepare(filing, service, dry_run=dry_run)
            in_use = in_use or self._meet(senders[0])  # which has nothing to send yet
            self._check_not_lost(prepared, in_use)  # what stops one document of the batch stops all of them
            return prepared

        batch = Batch(
            ledger=self._ledger,
            prepare=prepare,
            as_known=self._if_abandoned,
            unsent=Unsent(self._ledger, self._scope),
            senders=senders,
        )
        filings = (item if isinstance(item, Filing) else Filing(document=item) for item in documents)
        for filing, outcome in batch.run(filings):
            yield filing.document, outcome

    def _prepare(self, filing: Filing, service: str, *, dry_run: bool) -> Prepared:
        self._credential.check(self._clock())
        return self._preparer.prepare(filing, self._services.get(service), is_dry_run=dry_run)

    def _claimed(self, prepared: Prepared) -> Submission:
        unsent = Unsent(self._ledger, self._scope).take(prepared)
        if unsent is not None:
            return unsent
        try:
            return self._ledger.claim(prepared.claim, durable=False)[0]  # the start makes it durable
        except AlreadyFiled as refused:
            return continued(prepared, refused)

    def _keep_for_good(self, error: GovfileError) -> None:
        """What an error leaves behind, a claim above all, is on the disk before it is told."""
        try:
            self._ledger.sync()
        except LedgerError as failure:
            error.add_note(f"The ledger could not make this durable: {failure.what}")

    def _meet(self, sender: Sender) -> int:
        """How many names are in use that nobody filed with this ledger, where it has never heard of this company."""
        return self._names_in_use(lambda: meet(self._ledger, self._scope, sender.session, self._services))

    def _check_not_lost(self, prepared: Prepared, in_use: int) -> None:
        """Stop once, before the first fresh name is made, where a ledger seems to have been lost."""
        if in_use and prepared.name_was_made and prepared.claim.again is None:
            raise self._lost_ledger(in_use, "the gateway shows")

    def _if_abandoned(self, submission: Submission) -> Submission:
        """A submission whose process has provably ended while it was sending is unknown, and says so."""
        if submission.state is not State.SENDING:
            return submission
        dead = any(found.id == submission.id for found in self._ledger.interrupted(**self._scope.where()))
        return interrupted(self._ledger, submission).submission if dead else submission

    @one_at_a_time
    def collect(
        self,
        into: str | os.PathLike[str],
        *,
        delete: bool = False,
        answer_limit: int = ANSWER_LIMIT,
        even_if_filed_by_others: bool = False,
    ) -> Collection:
        """Fetch what is new in `out` into the folder `into`, and record what it proves.

        Files are kept as they came, under safe names, never over older ones. With `delete` they are removed at the
        gateway once they are saved and recorded. Files beyond `answer_limit` bytes are skipped.

        Raises `CredentialError` at once when this login waits for nothing, but another login of the same company does:
        answers lie only with the login that filed. `even_if_filed_by_others` collects all the same.
        """
        survey = Survey.take(
            self._ledger, self._scope, self.username, now=self._clock(), patience=self.environment.patience
        )
        if not even_if_filed_by_others:
            survey.check_login(self.username)
        matcher = Matcher(
            self._ledger, self._scope, folder_of=lambda name: self._services.get(name).folder, clock=self._clock
        )
        collector = Collector(
            ledger=self._ledger,
            session=self._sender.session,
            matcher=matcher,
            fetcher=Fetcher(Folder.of(into), self._ledger, self._scope, self.username, self._clock, is_durable=delete),
            clock=self._clock,
            sleep=self._sleep,
            second_look=self.environment.patience.second_look,
            delete=delete,
            answer_limit=answer_limit,
        )
        return collector.collect(silent=survey.silent, filed_by_others=survey.others)

    def wait(
        self,
        submission: Submission,
        *,
        until: State = State.ANSWERED,
        into: str | os.PathLike[str],
        timeout: float | None = None,
    ) -> Submission:
        """See `FilingClient.wait`; answers lie only with the login that filed."""
        self._check_ours(submission)
        check_login(submission, self.username)
        return super().wait(submission, until=until, into=into, timeout=timeout)

    def _look(self, into: str | os.PathLike[str]) -> None:
        self.collect(into, even_if_filed_by_others=True)

    def status(self, submission: Submission | str) -> Submission:
        """A submission, or the one filed under a name, as the ledger has it now; asks nobody.

        Raises `ConfigurationError` when this company filed nothing under that name.
        """
        if isinstance(submission, Submission):
            return self._ledger.get(submission.id)
        found = self._ledger.find(name=submission, **self._scope.where())
        if found is None:
            raise ConfigurationError(
                f"nothing was filed as {submission!r} by {self._login.sender} in {self.environment.name}",
                advice="check the name, the environment and the ledger",
            )
        return found

    @one_at_a_time
    def resume(self) -> tuple[Resumed, ...]:
        """Finish what a crash or a lost link left behind, and say what became of each.

        What was being sent is UNKNOWN from now on and is never sent again; what was only claimed is sent, when its file
        is still there and unchanged.
        """
        self._credential.check(self._clock())
        return tuple(resume(self._ledger, self._scope, self._sender, self._services))

    @one_at_a_time
    def rebuild(self) -> int:
        """Burn in the ledger every name that the files in `out` show to be used up; returns how many were new.

        Runs by itself before the first filing with a ledger that does not know the company.
        """
        return rebuild(self._ledger, self._scope, self._sender.session, self._services)

    @one_at_a_time
    def login_information(self, *, limit: int = 64 * 1024) -> bytes:
        """The file with new login data that the retired gateway left for each company certificate, as raw bytes.

        It holds a password: do not log it. Raises `TransferRefused` where there is none.
        """
        content = io.BytesIO()
        with self._sender.session.conversation() as transport:
            home = self._sender.session.layout(transport).home
            transport.get(join(home, LOGIN_INFORMATION), content, limit=limit)
        return content.getvalue()

    def _new_sender(self) -> Sender:
        session = Session(self._open, self._login, door=self._door, clock=self._clock)
        return Sender(ledger=self._ledger, session=session, recorder=self._recorder)

    def _hang_up(self) -> None:
        self._sender.session.close()

    def _catch_up(self) -> None:
        self._recorder.catch_up()
