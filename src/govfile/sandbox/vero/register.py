"""The Incomes Register's door: EchoService, WageReportService and StatusService, for those with a certificate."""

from __future__ import annotations

import threading
import uuid
from typing import TYPE_CHECKING, Any

import attrs

from govfile.sandbox.vero import issuing, records, xml
from govfile.sandbox.vero.door import Denied, Door
from govfile.sandbox.vero.records import Delivery, Rejection
from govfile.sandbox.vero.replies import Answer
from govfile.sandbox.vero.verifying import BadSignature, verify

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography import x509

    from govfile.sandbox.vero.settings import Settings
    from govfile.sandbox.web import Request

PATH = "/20170526"
_SERVICES = {
    f"{PATH}/EchoService.svc": frozenset({records.ECHO}),
    f"{PATH}/WageReportService.svc": frozenset({records.ONE, records.MANY}),
    f"{PATH}/StatusService.svc": frozenset({records.STATUS}),
}
_UNKNOWN, _IN_PROCESS, _VALID, _REJECTED_AT_ONCE, _REJECTED = 0, 2, 3, 4, 5
_REJECT_ALL = "2"


@attrs.frozen(kw_only=True)
class Record:
    """A record that the register took: `final` is the status in which it ends, after `done`."""

    delivery: Delivery
    ir_id: str
    received: datetime
    done: datetime
    final: int
    faulty: tuple[str, ...] = ()

    def status(self, now: datetime) -> int:
        """The `DeliveryDataStatus` by then."""
        return self.final if now >= self.done else _IN_PROCESS


class Register(Door):
    """Checks certificates and signatures, keeps records, tells their status."""

    def __init__(self, settings: Settings, **rest: Any) -> None:
        super().__init__(**rest)
        self._settings = settings
        self._lock = threading.Lock()
        self._records: dict[tuple[str, str, str], Record] = {}

    @property
    def records(self) -> tuple[Record, ...]:
        """All of them, oldest first."""
        with self._lock:
            return tuple(self._records.values())

    def operations(self, path: str) -> frozenset[str]:
        """The operations of a service."""
        return _SERVICES.get(path, frozenset())

    def admit(self, request: Request) -> None:
        """Only those with a certificate of the customers' authority that is valid by the sandbox's clock."""
        why = self._wrong_with(request.certificate)
        if why:
            raise Denied(why)

    def carry_out(self, operation: str, payload: xml.Payload, path: str) -> Answer:  # noqa: ARG002 - the operation says it all
        """Verify the message's signature, and do what it asks."""
        records.check(operation, payload.element)
        signer = self._signer(payload)
        if operation == records.ECHO:
            content = records.echo(payload.element)
        elif operation == records.STATUS:
            content = self._tell(payload, signer)
        else:
            content = self._take(operation, payload, signer)
        return Answer(operation=operation, payload=content, other=records.echo_of("other"))

    def _signer(self, payload: xml.Payload) -> x509.Certificate:
        try:
            signer = verify(payload.alone)
        except BadSignature as error:
            raise xml.Invalid(f"the signature does not hold: {error}") from error
        why = self._wrong_with(signer)
        if why:
            raise xml.Invalid(f"the signer's certificate is refused: {why}")
        return signer

    def _wrong_with(self, certificate: x509.Certificate | None) -> str | None:
        if certificate is None:
            return "there is none"
        if not issuing.is_ours(certificate):
            return "somebody else issued it"
        now = self._clock()
        if not certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc:
            return f"it is valid from {certificate.not_valid_before_utc} to {certificate.not_valid_after_utc}"
        return None

    # --- records

    def _take(self, operation: str, payload: xml.Payload, signer: x509.Certificate) -> str:
        delivery = records.read(payload.element)
        now = self._clock()
        with self._lock:
            why = self._refusal(operation, delivery, signer)
            if why is not None:
                self._find(f"the record {delivery.delivery_id} was rejected: {why.words}")
                return self._told(operation, delivery, _REJECTED_AT_ONCE, now, why=why)
            record = self._new_record(operation, delivery, now)
            self._records[delivery.key] = record
        return self._told(operation, delivery, record.status(now), now, record=record)

    def _refusal(self, operation: str, delivery: Delivery, signer: x509.Certificate) -> Rejection | None:
        if delivery.is_production != (self._settings.element == "PRODUCTION"):
            return Rejection(code="SANDBOX-ENVIRONMENT", words="ProductionEnvironment is of the other environment")
        people = {delivery.creator, delivery.sender}
        if self._settings.checks_creator and people != {issuing.holder_of(signer)}:
            return Rejection(code="SANDBOX-CREATOR", words="creator and sender are not the certificate's holder")
        if delivery.key in self._records:
            return Rejection(code="SANDBOX-DUPLICATE", words="the owner has used this DeliveryId before")
        if operation == records.ONE and len(delivery.reports) != 1:
            return Rejection(code="SANDBOX-REPORTS", words="one report is sent in real time")
        return None

    def _new_record(self, operation: str, delivery: Delivery, now: datetime) -> Record:
        faults = self._faults.touching(operation)
        faulty = tuple(report for report in delivery.reports if report in faults.faulty_reports)
        is_rejected = bool(faulty) and (delivery.faulty_control == _REJECT_ALL or len(faulty) == len(delivery.reports))
        final = faults.final_status if faults.final_status is not None else (_REJECTED if is_rejected else _VALID)
        done = now if operation == records.ONE else now + self._settings.processing
        return Record(delivery=delivery, ir_id=uuid.uuid4().hex, received=now, done=done, final=final, faulty=faulty)

    def _tell(self, payload: xml.Payload, signer: x509.Certificate) -> str:
        asked = records.read_status(payload.element)
        now = self._clock()
        with self._lock:
            record = self._records.get(asked.key)
            if record is None and asked.ir_id:
                record = next((found for found in self._records.values() if found.ir_id == asked.ir_id), None)
        is_allowed = not self._settings.checks_creator or asked.sender == issuing.holder_of(signer)
        if record is None or not is_allowed:
            return records.status(None, _UNKNOWN, now)
        return records.status(record.delivery, record.status(now), now, ir_id=record.ir_id, faulty=record.faulty)

    def _told(
        self,
        operation: str,
        delivery: Delivery,
        status: int,
        now: datetime,
        *,
        record: Record | None = None,
        why: Rejection | None = None,
    ) -> str:
        ir_id = record.ir_id if record is not None else None
        if operation == records.MANY:
            return records.acknowledgement(delivery, status, now, ir_id=ir_id, why=why)
        faulty = record.faulty if record is not None else ()
        return records.status(delivery, status, now, ir_id=ir_id, faulty=faulty, why=why)
