"""`CertificateService`: enrol, renew and fetch certificates, so that no key and no one-time code is ever lost."""

from __future__ import annotations

import logging
import secrets
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from govfile.certificates.keystore import SlotId
from govfile.certificates.request import USUAL_BITS
from govfile.errors import ConfigurationError, CredentialError
from govfile.vero.application import Application
from govfile.vero.clerk import Clerk
from govfile.vero.desk import Desk
from govfile.vero.ids import CustomerId, RetrievalId, TransferCodes, check_customer_name

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta
    from types import TracebackType

    from govfile.certificates.credential import Credential
    from govfile.certificates.keystore import Generation, KeyStore, Pending
    from govfile.certificates.renewal import RenewalWindow
    from govfile.certificates.secret import Secret
    from govfile.certificates.signer import PrivateKey
    from govfile.filing.waiting import Dice
    from govfile.transports.base import MessageTransport
    from govfile.vero.environments import Environment

logger = logging.getLogger("govfile.vero")

AUTHORITY = "vero"
Customer = str | CustomerId


def _now() -> datetime:
    return datetime.now(UTC)


class CertificateService:
    """The certificate service of one environment, and the key store its certificates live in. A context manager.

    `environment` must have its anchors (`Environment.trusting`). `clock` gives aware UTC datetimes, `sleep` takes
    seconds, `randomness` spreads the looks of many clients. `transport` makes a connection where the real one is not
    wanted. `bits` is the size of new RSA keys; the service is said to take 2048 alone. `is_strict` refuses answers
    that hold elements nobody described; else they are reported in the log.

    It is also what a `Renewer` of the same key store asks: `Renewer(keys, {"vero": service})`. Every method raises
    `KeyStoreError` when the store cannot be read or written, and `KeyStoreBusy` when another process works on the same
    holder.
    """

    def __init__(
        self,
        environment: Environment,
        keystore: KeyStore,
        *,
        clock: Callable[[], datetime] = _now,
        sleep: Callable[[float], None] = time.sleep,
        randomness: Dice | None = None,
        transport: Callable[[], MessageTransport] | None = None,
        bits: int = USUAL_BITS,
        is_strict: bool = False,
    ) -> None:
        environment.anchors()
        self.environment = environment
        self.keystore = keystore
        self._clock = clock
        self._desk = Desk(environment, clock, transport or self._connect, is_strict=is_strict)
        self._clerk = Clerk(
            desk=self._desk,
            store=keystore,
            clock=clock,
            sleep=sleep,
            dice=randomness or secrets.SystemRandom(),
            bits=bits,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<CertificateService {self.environment.name}>"

    def close(self) -> None:
        """End the connections. The key store stays as it is: it is yours."""
        self._desk.close()

    # --- a first certificate ----------------------------------------------------------------------------------------

    def enrol(
        self,
        customer_id: Customer,
        *,
        transfer_id: str | Secret,
        transfer_password: str | Secret,
        customer_name: str | None = None,
        key: PrivateKey | None = None,
        timeout: float | None = None,
    ) -> Credential:
        """A new certificate by the one-time codes that the authority sent; its credential, in use from now on.

        A key is made (or `key` taken, as for the test bench) and is on the disk with its request before the codes
        leave, once. Then the certificate is looked for, for `timeout` seconds (None: the environment's patience). A
        request that the service took before is gone on with, and the codes are not used; codes that brought the
        credential in use return it. One may also enrol anew while another certificate is in use.

        Raises `InvalidName` for codes and ids that cannot be right, `TransportError` when nothing left (call again),
        `Rejected` when the service says no, `OutcomeUnknown` when the codes may be spent (they are not sent again by
        themselves: `settle`), `NotReady` when the certificate is not there in time (`fetch`, `resume`), and
        `CredentialError` or `TrustError` for a certificate that must not be used.
        """
        slot = self._slot_of(customer_id)
        codes = TransferCodes.parse(transfer_id, transfer_password)
        name = check_customer_name(customer_name)
        with self.keystore.locked(slot):
            finished = self.keystore.finish(slot) or self._clerk.enrolled_by(slot, codes)
            if finished is not None:
                return finished
            return self._clerk.fetch(self._clerk.ask_for_new(slot, name, codes, key), timeout)

    # --- its successors ---------------------------------------------------------------------------------------------

    def renew(
        self,
        customer_id: Customer,
        *,
        customer_name: str | None = None,
        key: PrivateKey | None = None,
        timeout: float | None = None,
    ) -> Credential:
        """A successor with a new key, asked for with the certificate in use; its credential, in use from now on.

        The one before stays in the store and is valid to its own last day. Raises `CredentialError` outside the
        window: too early, or expired, when only a new enrolment helps; else as `enrol`.
        """
        slot = self._slot_of(customer_id)
        name = check_customer_name(customer_name)
        with self.keystore.locked(slot):
            finished = self.keystore.finish(slot)
            if finished is not None:
                return finished
            return self._clerk.fetch(self._clerk.ask_for_successor(slot, name, key), timeout)

    def renewal_window(self, customer_id: Customer) -> RenewalWindow:
        """When the certificate in use can be renewed, seen from now; raises `CredentialError` when there is none."""
        slot = self._slot_of(customer_id)
        current = self.keystore.current(slot)
        if current is None:
            raise CredentialError(f"nothing is enrolled for {slot}", advice="enrol first")
        return self.window(slot, current, self._clock())

    # --- going on ---------------------------------------------------------------------------------------------------

    def fetch(
        self, customer_id: Customer, *, retrieval_id: str | RetrievalId | None = None, timeout: float | None = 0
    ) -> Credential:
        """The certificate of a request that the service took, also days after it was made; its credential.

        Looks once, unless `timeout` (seconds; None: the environment's patience) gives time for more. With a
        `retrieval_id` for a request whose outcome is unknown, that is settled first. Raises `CredentialError` when
        nothing waits, else as `enrol`.
        """
        slot = self._slot_of(customer_id)
        with self.keystore.locked(slot):
            finished = self.keystore.finish(slot)
            if finished is not None:
                return finished
            pending = self._clerk.waiting(slot)
            if retrieval_id is not None:
                pending = self._clerk.settle(slot, RetrievalId.parse(retrieval_id), "its RetrievalId was given")
            return self._clerk.fetch(pending, timeout)

    def resume(self, customer_id: Customer, *, timeout: float | None = None) -> Credential:
        """Go on with what an earlier run, or a process that ended, left behind, as far as that is safe.

        A renewal that never left, or that was refused, is asked for again; a request that the service took is fetched;
        one whose outcome is unknown is never sent again, and raises `OutcomeUnknown`. An enrolment that never left
        needs its codes: `CredentialError`, call `enrol`. Raises `NotReady` as `enrol` does.
        """
        slot = self._slot_of(customer_id)
        with self.keystore.locked(slot):
            finished = self.keystore.finish(slot)
            if finished is not None:
                return finished
            return self._clerk.fetch(self._clerk.ask_again(slot), timeout)

    def settle(
        self, customer_id: Customer, *, arrived: bool, reason: str, retrieval_id: str | RetrievalId | None = None
    ) -> Application:
        """Settle a request whose outcome is unknown, when a person has found out; `reason` is for the log.

        It `arrived` and has this `retrieval_id`: `fetch` and `resume` go on. It never arrived: `enrol` with the same
        codes, or `renew`, ask again. What a person settled may be settled again. Raises `CredentialError` where no
        outcome is unknown.
        """
        slot = self._slot_of(customer_id)
        with self.keystore.locked(slot):
            if arrived and retrieval_id is None:
                raise ConfigurationError(
                    "a request that arrived is gone on with by its RetrievalId", advice="ask the authority for it"
                )
            known = RetrievalId.parse(retrieval_id) if arrived and retrieval_id is not None else None
            return Application.of(self._clerk.settle(slot, known, reason))

    def abandon(self, customer_id: Customer, reason: str) -> None:
        """Give up the request that waits, for good; its key stays on the disk, out of use."""
        slot = self._slot_of(customer_id)
        with self.keystore.locked(slot):
            self.keystore.abandon(self._clerk.waiting(slot), reason)

    # --- what there is ----------------------------------------------------------------------------------------------

    def credential(self, customer_id: Customer) -> Credential:
        """The credential in use; raises `CredentialError` when there is none, or it is not valid now."""
        return self.keystore.credential(self._slot_of(customer_id), at=self._clock())

    def generations(self, customer_id: Customer) -> tuple[Credential, ...]:
        """Every credential there ever was for this holder, the oldest first, those that have expired included."""
        slot = self._slot_of(customer_id)
        found = self.keystore.generations(slot)
        now = self._clock()
        return tuple(self.keystore.credential(slot, one.number, at=now, allow_expired=True) for one in found)

    def application(self, customer_id: Customer) -> Application | None:
        """The request that waits, and how far it has come; None where nothing waits."""
        pending = self.keystore.pending(self._slot_of(customer_id))
        return None if pending is None else Application.of(pending)

    def slot(self, customer_id: Customer) -> SlotId:
        """The key store's slot for a holder in this environment; raises `InvalidName`."""
        return SlotId(AUTHORITY, self.environment.name, CustomerId.parse(customer_id).text)

    def slots(self) -> tuple[SlotId, ...]:
        """The slots of this environment that hold something: what to give to `Renewer.run`."""
        found = self.keystore.slots()
        return tuple(slot for slot in found if (slot.authority, slot.environment) == (AUTHORITY, self.environment.name))

    # --- what the renewer asks --------------------------------------------------------------------------------------

    def window(self, slot: SlotId, current: Generation, at: datetime, /) -> RenewalWindow:
        """When the certificate in use can be renewed: in its last 60 days, on the test bench always."""
        self._check_slot(slot)
        return self._clerk.window(current, at)

    def ask(self, slot: SlotId, pending: Pending | None, /) -> None:
        """Have the service take a request for a successor, unless it has taken one; nothing is waited for.

        `pending` is what an earlier run left behind. Raises as `renew` and `resume`.
        """
        self._check_slot(slot)
        with self.keystore.locked(slot):
            clerk = self._clerk
            clerk.taken(clerk.ask_for_successor(slot, None, None) if pending is None else clerk.ask_again(slot))

    def pause(self, pending: Pending, looks: int, waited: timedelta, /) -> timedelta | None:
        """How long until the next look, by the environment's patience; None when that is over in this run."""
        return self._clerk.pause(pending, looks, waited)

    def look(self, slot: SlotId, pending: Pending, /) -> Credential | None:
        """Look once; None while the certificate is not there, until the request is overdue. Raises as `fetch`."""
        self._check_slot(slot)
        with self.keystore.locked(slot):
            return self._clerk.look(pending)

    def server_time(self) -> datetime | None:
        """The time (aware UTC) by the service's clock, None when it cannot be had."""
        return self._desk.server_time()

    # --- inside -----------------------------------------------------------------------------------------------------

    def _connect(self) -> MessageTransport:
        from govfile.transports.https import HttpsTransport

        where = self.environment
        return HttpsTransport(where.url, trust=where.tls, policy=where.policy, timeouts=where.timeouts)

    def _slot_of(self, customer_id: Customer) -> SlotId:
        customer = CustomerId.parse(customer_id)
        if not self.environment.is_test and not customer.has_right_check_digit:
            logger.warning("the customer id %s is no Business ID with a right check digit", customer)
        return self.slot(customer)

    def _check_slot(self, slot: SlotId) -> None:
        if (slot.authority, slot.environment) != (AUTHORITY, self.environment.name):
            raise ConfigurationError(
                f"{slot} does not belong to {AUTHORITY}/{self.environment.name}",
                certain="nothing was sent",
                advice="run the renewer over service.slots(), once for each environment",
            )
