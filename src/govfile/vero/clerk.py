"""What is done for one holder, step by step, under the lock of its slot in the key store."""

from __future__ import annotations

import logging
import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import attrs
from cryptography.hazmat.primitives.asymmetric import rsa

from govfile.certificates.renewal import RenewalWindow
from govfile.certificates.request import USUAL_BITS, key_of_request, subject_name
from govfile.certificates.subject import Subject
from govfile.errors import ConfigurationError, CredentialError, NotReady
from govfile.vero.application import Application, Journal, Kind, Step
from govfile.vero.asking import Asker, refused
from govfile.vero.fetching import Fetcher
from govfile.vero.ids import CustomerId
from govfile.vero.pace import Pace, pause_before

if TYPE_CHECKING:
    from collections.abc import Callable

    from govfile.certificates.credential import Credential
    from govfile.certificates.keystore import Generation, KeyStore, Pending, SlotId
    from govfile.certificates.signer import PrivateKey
    from govfile.filing.waiting import Dice
    from govfile.vero.desk import Desk
    from govfile.vero.ids import RetrievalId, TransferCodes

logger = logging.getLogger("govfile.vero")

_COUNTRY = "FI"
#: The last days of a window, in which a renewal should not wait for another night.
_URGENT = timedelta(days=7)


@attrs.define(kw_only=True)
class Clerk:
    """Works at one desk for one key store; each call is for one slot, whose lock the caller holds."""

    desk: Desk
    store: KeyStore
    clock: Callable[[], datetime]
    sleep: Callable[[float], None]
    dice: Dice = attrs.field(factory=secrets.SystemRandom)
    bits: int
    _journal: Journal = attrs.field(init=False)
    _asker: Asker = attrs.field(init=False)
    _fetcher: Fetcher = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._journal = Journal(self.store)
        self._asker = Asker(self.desk, self._journal, self.clock)
        self._fetcher = Fetcher(self.desk, self.store, self._journal, self.clock)

    def ask_for_new(self, slot: SlotId, name: str | None, codes: TransferCodes, key: PrivateKey | None) -> Pending:
        """The request that the service took for these codes, or had taken before."""
        pending = self._begin(slot, name, key)
        step = Application.of(pending).step
        if step is Step.ASKING:
            return self._asker.look_again(pending)
        return pending if step is Step.ASKED else self._asker.enrol(pending, CustomerId(slot.holder), name, codes)

    def enrolled_by(self, slot: SlotId, codes: TransferCodes) -> Credential | None:
        """The credential in use, where these very codes brought it: a program that runs twice enrols once."""
        is_again = not self.desk.environment.repeats
        if is_again and self._journal.is_enrolled_by(slot, codes.fingerprint(slot.holder)):
            return self.store.credential(slot, at=self.clock())
        return None

    def ask_for_successor(self, slot: SlotId, name: str | None, key: PrivateKey | None) -> Pending:
        """The renewal that the service took, or had taken before; the one in use signs it."""
        waiting = self.store.pending(slot)
        if waiting is not None and Application.of(waiting).step in (Step.ASKING, Step.ASKED):
            return waiting
        signed_by = self._due(slot)
        return self._asker.renew(self._begin(slot, name, key), CustomerId(slot.holder), name, signed_by)

    def ask_again(self, slot: SlotId) -> Pending:
        """What waits; a renewal that never left, or was refused, is asked for. An enrolment needs its codes.

        An enrolment that came to nothing does not stand in the way of a renewal that is due: its key is used for that.
        """
        waiting = self.waiting(slot)
        application = Application.of(waiting)
        if application.step in (Step.ASKING, Step.ASKED):
            return waiting
        if application.kind is Kind.RENEW or self._is_due(slot):
            signed_by = self._due(slot)
            return self._asker.renew(waiting, CustomerId(slot.holder), application.customer_name, signed_by)
        if application.step is Step.REFUSED:
            raise refused(waiting, Kind.ENROL, tuple((code, "") for code in application.codes))
        raise CredentialError(
            f"the enrolment of {slot} never left, and its codes are not kept",
            certain="nothing was sent",
            advice="enrol with the codes: the key that waits is used",
        )

    def taken(self, pending: Pending) -> Pending:
        """A request that the service is known to have taken; raises `OutcomeUnknown`, and `CredentialError`."""
        if Application.of(pending).step is Step.ASKING:
            pending = self._asker.look_again(pending)
        step = Application.of(pending).step
        if step is not Step.ASKED:
            raise CredentialError(
                f"the request of {pending.slot} was not taken by the service: {step.value}",
                advice="resume it, or enrol with the codes",
            )
        return pending

    def fetch(self, pending: Pending, timeout: float | None) -> Credential:
        """The credential of a request that the service took; raises as `taken` and `Fetcher.fetch`."""
        pending = self.taken(pending)
        application = Application.of(pending)
        pace = Pace(
            self.desk.environment.patience,
            application.asked or application.created,
            clock=self.clock,
            sleep=self.sleep,
            dice=self.dice,
            timeout=timeout,
        )
        return self._fetcher.fetch(pending, pace)

    def look(self, pending: Pending) -> Credential | None:
        """The credential by one look; None while its certificate is not there, until the request is overdue."""
        try:
            return self._fetcher.look(self.taken(pending))
        except NotReady:
            if self._is_overdue(pending):
                raise
            return None

    def pause(self, pending: Pending, looks: int, waited: timedelta) -> timedelta | None:
        """How long until the next look; None when that goes beyond the environment's patience."""
        application, patience = Application.of(pending), self.desk.environment.patience
        age = self.clock() - (application.asked or application.created)
        pause = pause_before(looks, patience, age, self.dice, self.desk.pause)
        return pause if waited + pause <= patience.give_up else None

    def settle(self, slot: SlotId, retrieval_id: RetrievalId | None, reason: str) -> Pending:
        """Settle what is unknown: by its RetrievalId, or, with None, as never arrived."""
        pending = self.waiting(slot)
        application = Application.of(pending)
        if application.step is not Step.ASKING and not self._journal.is_settled(pending):
            raise CredentialError(
                f"the outcome of the request of {slot} is known: {application.step.value}",
                advice="resume it, or abandon it",
            )
        logger.info("the request of %s is settled (%s): %s", slot, "arrived" if retrieval_id else "never", reason)
        if retrieval_id is not None:
            return self._journal.asked(pending, retrieval_id.text, by_hand=True)
        return self._journal.ready(pending, application.kind, application.customer_name)

    def waiting(self, slot: SlotId) -> Pending:
        """The request that waits; raises `CredentialError` when there is none."""
        pending = self.store.pending(slot)
        if pending is None:
            raise CredentialError(f"no request of {slot} waits for its certificate", advice="enrol, or renew")
        return pending

    def window(self, current: Generation, at: datetime) -> RenewalWindow:
        """When a certificate can be renewed, seen at `at`."""
        if at.tzinfo is None:
            raise ConfigurationError("a renewal window needs times with a time zone", advice="give aware datetimes")
        opens_before = self.desk.environment.opens_before
        opens = current.valid_from if opens_before is None else current.expires - opens_before
        urgent = max(opens, current.expires - _URGENT)
        return RenewalWindow(opens=opens, closes=current.expires, urgent_from=urgent, at=at.astimezone(UTC))

    # --- inside ---------------------------------------------------------------------------------------------------

    def _begin(self, slot: SlotId, name: str | None, key: PrivateKey | None) -> Pending:
        """A key and its request on the disk: those that wait already, unless another key is wanted."""
        if key is not None:
            _check_key(key)
        waiting = self.store.pending(slot)
        if waiting is not None and key is not None and key_of_request(waiting.request) != key.public_key():
            if Application.of(waiting).step not in (Step.READY, Step.REFUSED):
                return waiting
            self.store.abandon(waiting, "another key was given")
        current = self.store.current(slot)
        organisation = name or (_organisation(current) if current else "")
        subject = subject_name(slot.holder, organisation=organisation, country=_COUNTRY)
        return self.store.begin(slot, subject, key=key, bits=self.bits)

    def _is_overdue(self, pending: Pending) -> bool:
        """Whether the service has had the request for so long that somebody should look."""
        asked = Application.of(pending).asked
        return asked is not None and self.clock() - asked > self.desk.environment.overdue

    def _is_due(self, slot: SlotId) -> bool:
        current = self.store.current(slot)
        return current is not None and self.window(current, self.clock()).is_open

    def _due(self, slot: SlotId) -> Credential:
        """The credential that signs a renewal, when it is time for one."""
        now, current = self.clock(), self.store.current(slot)
        if current is None:
            raise CredentialError(f"nothing is enrolled for {slot}", certain="nothing was sent", advice="enrol first")
        window = self.window(current, now)
        if window.has_passed:
            raise CredentialError(
                f"the certificate of {slot} expired on {current.expires:%Y-%m-%d %H:%M} UTC and cannot be renewed",
                certain="nothing was sent",
                advice="order a new certificate and enrol with its codes; "
                f"this computer's clock says {now:%Y-%m-%d %H:%M} UTC",
            )
        if not window.is_open:
            raise CredentialError(
                f"the certificate of {slot} can be renewed from {window.opens:%Y-%m-%d %H:%M} UTC on",
                certain="nothing was sent",
                advice=f"renew then; this computer's clock says {now:%Y-%m-%d %H:%M} UTC",
            )
        return self.store.credential(slot, at=now)


def _check_key(key: PrivateKey) -> None:
    """A refused request may cost one-time codes, so what is unlikely to pass is stopped here."""
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ConfigurationError(
            "the service is not known to take other keys than RSA", certain="nothing was sent", advice="give an RSA key"
        )
    if key.key_size != USUAL_BITS:
        logger.warning("a key of %d bits is given; the service is said to take %d alone", key.key_size, USUAL_BITS)


def _organisation(current: Generation) -> str:
    return Subject.of(current.certificate).organisation or ""
