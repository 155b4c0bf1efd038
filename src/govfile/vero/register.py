"""`IncomesRegister`: what a certificate opens. Echo as its proof, records sent once, and what became of them."""

from __future__ import annotations

import logging
import secrets
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

import attrs

from govfile.errors import ConfigurationError, InvalidContent, ProtocolError
from govfile.filing import recovery
from govfile.filing.claim import Claim
from govfile.filing.source import Source
from govfile.filing.states import State
from govfile.filing.submission import Submission
from govfile.filing.waiting import Waiter
from govfile.vero import register_desk
from govfile.vero.delivery import Subject, delivery
from govfile.vero.record import WAGE_REPORTS, Party, check_delivery_id, ledger_name, read_record
from govfile.vero.register_desk import RegisterDesk
from govfile.vero.sending import Sender

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from govfile.certificates.credential import Credential
    from govfile.filing.ledger import Ledger
    from govfile.filing.source import Document
    from govfile.filing.waiting import Dice
    from govfile.transports.base import MessageTransport
    from govfile.vero.delivery import Delivery
    from govfile.vero.environments import Environment
    from govfile.vero.record import Record

logger = logging.getLogger("govfile.vero")

AUTHORITY = "vero"
SERVICE = "wage-reports"
_LONGEST_ECHO = 10


def _now() -> datetime:
    return datetime.now(UTC)


class IncomesRegister:
    """The register's web services, for the holder of a certificate. A context manager.

    `environment` must have its anchors, since every answer is verified. `credential` opens the TLS connection and signs
    every message. `ledger` remembers what was sent, over all runs; echo needs none. `clock` gives aware UTC datetimes,
    `sleep` takes seconds, `randomness` spreads the looks of many clients. `transport` makes a connection where the
    real one is not wanted. `is_strict` refuses answers that hold elements nobody described.

    Raises `CredentialError` for a certificate that is not valid now.
    """

    def __init__(
        self,
        environment: Environment,
        credential: Credential,
        *,
        ledger: Ledger | None = None,
        clock: Callable[[], datetime] = _now,
        sleep: Callable[[float], None] = time.sleep,
        randomness: Dice | None = None,
        transport: Callable[[], MessageTransport] | None = None,
        is_strict: bool = False,
    ) -> None:
        environment.anchors()
        credential.check(clock())
        self.environment = environment
        self._credential = credential
        self._ledger = ledger
        self._clock = clock
        self._sleep = sleep
        self._dice = randomness or secrets.SystemRandom()
        self._desk = RegisterDesk(environment, credential, clock, transport or self._connect, is_strict=is_strict)
        self._register = self._desk.register

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<IncomesRegister {self.environment.name}>"

    def close(self) -> None:
        """End the connections. The ledger stays open: it is yours."""
        self._desk.close()

    def echo(self, data: str = "govfile") -> str:
        """What the register sends back for 1 to 10 characters: proof that the certificate is accepted.

        Raises `InvalidContent` for other data, `ProtocolError` when something else comes back, else as any exchange:
        `TransportError`, `CredentialError`, `Rejected`, `TrustError`.
        """
        if not 0 < len(data) <= _LONGEST_ECHO or not data.isprintable() or data != data.strip():
            raise InvalidContent(f"an echo takes 1 to {_LONGEST_ECHO} printable characters")
        message = self._desk.build(register_desk.ECHO, {"Data": data})
        found = self._desk.read(register_desk.ECHO, self._desk.post(register_desk.ECHO, message))
        came = found.values.get("Data")
        if came != data:
            raise ProtocolError("the register's echo is not what was sent")
        return data

    # --- records ----------------------------------------------------------------------------------------------------

    def send_wage_reports(self, xml: Document, *, again: str | None = None) -> Submission:
        """Send a prepared record of wage reports, once, and return what is known once the register acknowledged it.

        `xml` is a `WageReportsRequestToIR`, as bytes, a path or a binary file; a signature is put in where it has
        none, and every other byte stays. Its DeliveryId is what makes it one: the same record again returns the
        recorded submission and sends nothing. `again` says why the same content is meant twice.

        Raises `InvalidContent` for a record whose head cannot be right, or that is for another environment;
        `DuplicateName` when the DeliveryId is taken by other content; `TransportError` when nothing left (call again);
        `Rejected` when the register answered with a fault, and `OutcomeUnknown` when it may have arrived: both with
        `.submission`, and `delivery_status` settles them.
        """
        ledger = self._book()
        source = Source.of(xml)
        record = read_record(source)
        self._check(record)
        claim = Claim(
            authority=AUTHORITY,
            environment=self.environment.name,
            sender=str(record.owner),
            service=SERVICE,
            name=record.name,
            size=source.size,
            sha256=source.sha256,
            filed_by=str(record.creator),
            certificate=self._credential.fingerprint,
            again=again,
            source_path=None if source.path is None else str(source.path),
        )
        submission, _ = ledger.claim(claim)
        sender = Sender(ledger, self._desk)
        submission = sender.if_abandoned(submission)
        if submission.state is not State.PREPARED or submission.is_withdrawn:
            return submission
        return sender.send(submission, record)

    def delivery_status(
        self, delivery_id: str | Submission, *, owner: Party | None = None, creator: Party | None = None
    ) -> Delivery:
        """What the register says of a record now; what it proves goes into the ledger.

        Of a record that never left here it proves nothing: another program used its DeliveryId.

        `owner` and `creator` are looked up in the ledger, where they are Business IDs. The register asks for five
        minutes between looks. Raises `ConfigurationError` when they are not known, else as any exchange.
        """
        submission = self._find(delivery_id, owner)
        name = submission.name.partition("/")[2] if submission is not None else check_delivery_id(str(delivery_id))
        owner = owner or (Party.recognise(submission.sender) if submission else None)
        creator = creator or (Party.recognise(submission.filed_by) if submission else None) or owner
        if owner is None or creator is None:
            raise ConfigurationError(
                f"the ledger does not tell the owner of {name}", advice="give owner=vero.Party(type, code)"
            )
        data_type = int(submission.name.partition("/")[0]) if submission else WAGE_REPORTS
        production = self._register.is_production
        values = {
            "Timestamp": self._clock().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "DeliveryDataType": data_type,
            "DeliveryId": name,
            "ProductionEnvironment": str(production).lower(),
            "DeliveryDataOwner": owner.values(),
            "DeliveryDataCreator": creator.values(),
            "DeliveryDataSender": creator.values(),
        }
        message = self._desk.build(register_desk.STATUS, values)
        found = self._desk.read(register_desk.STATUS, self._desk.post(register_desk.STATUS, message))
        subject = Subject(delivery_id=name, data_type=data_type, owner=owner, is_production=production)
        told = delivery(subject, found.values, "StatusResponse", found.unknown)
        if submission is None:
            return told
        return attrs.evolve(told, submission=Sender(self._book(), self._desk).learn(submission, told))

    def wait(
        self, submission: Submission, *, until: State = State.ANSWERED, timeout: float | None = None
    ) -> Submission:
        """Ask for the status again and again, at the register's pace, until the record has reached `until`.

        Returns it as it is then; also when it was refused, never sent, or when `timeout` (seconds; None: the
        environment's patience) is over. Silence never raises.
        """
        ledger = self._book()
        return Waiter(
            look=lambda: self._look(submission),
            current=lambda: ledger.get(submission.id),
            patience=self._register.patience,
            clock=self._clock,
            sleep=self._sleep,
            dice=self._dice,
        ).wait(until, timeout)

    def settle(self, submission: Submission, *, arrived: bool, reason: str) -> Submission:
        """Settle an UNKNOWN record by hand, when a person has found out whether it arrived; `reason` is recorded.

        When it never arrived it is PREPARED again and may be sent. Raises `ImpossibleStep` in any other state.
        """
        ledger = self._book()
        known = Sender(ledger, self._desk).if_abandoned(ledger.get(submission.id))
        return recovery.settle(ledger, known, arrived=arrived, reason=reason)

    # --- inside -----------------------------------------------------------------------------------------------------

    def _connect(self) -> MessageTransport:
        from govfile.transports.https import HttpsTransport

        where = self._register
        return HttpsTransport(
            where.url, trust=where.trust, credential=self._credential, policy=where.policy, timeouts=where.timeouts
        )

    def _book(self) -> Ledger:
        if self._ledger is None:
            raise ConfigurationError("records are sent with a ledger", advice="give ledger=Ledger.open(…)")
        return self._ledger

    def _check(self, record: Record) -> None:
        if record.is_production != self._register.is_production:
            meant = "production" if record.is_production else "a test environment"
            raise InvalidContent(
                f"the record says it is for {meant}, and this is {self.environment.name}",
                certain="nothing was sent",
                advice="look at ProductionEnvironment in the record, and at the environment",
            )
        if record.sender != record.creator:
            logger.warning("the record %s names another sender than its creator", record.name)

    def _find(self, what: str | Submission, owner: Party | None) -> Submission | None:
        """The submission that is meant; None where the ledger knows none, or there is no ledger."""
        if isinstance(what, Submission):
            if (what.authority, what.environment) != (AUTHORITY, self.environment.name):
                raise ConfigurationError(f"{what.name} was not sent to {self.environment.name}")
            return self._book().get(what.id)
        if self._ledger is None:
            return None
        name, environment = ledger_name(what), self.environment.name
        if owner is not None:
            return self._ledger.find(authority=AUTHORITY, environment=environment, sender=str(owner), name=name)
        records = self._ledger.search(authority=AUTHORITY, environment=environment, service=SERVICE)
        found = [one for one in records if one.name == name]
        if len(found) > 1:
            raise ConfigurationError(f"several owners have a record {what}", advice="say which: owner=vero.Party(…)")
        return found[0] if found else None

    def _look(self, submission: Submission) -> None:
        self.delivery_status(submission)
