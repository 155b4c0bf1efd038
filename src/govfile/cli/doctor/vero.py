"""The checks of a set-up for the Finnish certificate service, in the order in which a renewal would meet the faults."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import attrs

from govfile import errors
from govfile.cli.doctor.checks import REMEDIES as SHARED
from govfile.cli.doctor.checks import Checks, readable_by
from govfile.cli.doctor.steps import Found

if TYPE_CHECKING:
    from govfile.certificates.keystore import KeyStore, SlotId
    from govfile.cli.doctor.checks import Plan
    from govfile.transports.base import Timeouts
    from govfile.vero import CertificateService
    from govfile.vero.environments import Environment

_CLOCKS_APART = timedelta(minutes=5)

#: In the order of the checks.
REMEDIES = {
    "configuration": SHARED["configuration"],
    "authorities": "download the authorities' certificates into one PEM file, and name it: authorities",
    "passphrase": "refer to the passphrase of the keys by env, file or keyring: keys_passphrase",
    "key store": "see govfile keys verify; then govfile keys repair, or restore a backup",
    "customers": "enrol with the codes of the authority: govfile vero enrol; or bring a key along: govfile keys import",
    "validity": "renew what is due: govfile vero renew --all",
    "pending": "look for the certificates: govfile vero fetch; settle what is unknown: govfile vero settle",
    "name lookup": SHARED["name lookup"],
    "port": "have the firewall let this machine open connections to this host and port",
    "service": "check tls and proxy; where the service is down, wait for it",
    "register": "renew or enrol; a certificate of the test bench opens no register",
    "clock": SHARED["clock"],
}


@attrs.frozen(kw_only=True)
class _Conversation:
    timeouts: Timeouts


@attrs.frozen(kw_only=True)
class _Place:
    """The certificate service, as the shared checks look at it."""

    name: str
    host: str
    port: int
    policy: _Conversation


class Examination(Checks):
    """The checks of a profile; nothing is asked for, and no code is spent."""

    remedies = REMEDIES

    def close(self) -> None:
        """End the conversations, where there were any."""
        if "_service" in self.__dict__:
            self._service.close()

    def plan(self) -> Plan:
        """Which checks there are, in their order."""
        return [
            ("configuration", self.configuration, ()),
            ("authorities", self.authorities, ("configuration",)),
            ("passphrase", self.passphrase, ("configuration",)),
            ("key store", self.key_store, ("passphrase",)),
            ("customers", self.customers, ("key store", "authorities")),
            ("validity", self.validity, ("customers",)),
            ("pending", self.pending, ("customers",)),
            ("name lookup", self.name_lookup, ("configuration",)),
            ("port", self.control_port, ("name lookup",)),
            ("service", self.service, ("port", "customers")),
            ("register", self.register, ("validity",)),
            ("clock", self.clock, ("service",)),
        ]

    # --- what lies on this machine ------------------------------------------------------------------------------

    @property
    def _environment(self) -> Environment:
        return self._session.vero_environment

    @property
    def _place(self) -> _Place:
        parts = urlsplit(self._environment.url)
        port = parts.port or (80 if parts.scheme == "http" else 443)
        return _Place(
            name=self._environment.name,
            host=parts.hostname or "",
            port=port,
            policy=_Conversation(timeouts=self._environment.timeouts),
        )

    def authorities(self) -> Found:
        """It is known whose answers and whose certificates are believed."""
        from govfile.cli.vero.service import check_anchors

        check_anchors(self._session)
        answers, issued = self._environment.anchors()
        return Found(f"{len(answers.anchors)} for answers, {len(issued.anchors)} for certificates")

    def passphrase(self) -> Found:
        """The reference to the passphrase of the keys leads to one."""
        profile = self._session.profile
        if profile.table.values.get("keys_passphrase") is False:
            return Found("none: the keys lie in clear text", "encrypt them: a new store, govfile keys import")
        from govfile.cli.keystore.place import passphrase

        passphrase(profile)
        return readable_by(profile.places.secret(profile.table, "keys_passphrase"))

    @cached_property
    def _store(self) -> KeyStore:
        return self._session.open_keys()

    def key_store(self) -> Found:
        """Every key opens under the passphrase and belongs to its certificate."""
        found = self._store.verify()
        if found:
            raise errors.KeyStoreError(f"{len(found)} findings in {self._store.path}, the first: {found[0]}")
        return Found(f"{self._store.path}: {len(self._store.slots())} slots, all sound")

    @cached_property
    def _service(self) -> CertificateService:
        from govfile.cli.vero.service import over

        return over(self._session, self._store)

    @cached_property
    def _slots(self) -> tuple[SlotId, ...]:
        return self._service.slots()

    def customers(self) -> Found:
        """There is somebody of this environment, and the profile's customer is among them."""
        wanted = self._session.profile.table.get("customer", str)
        if wanted is not None and self._service.slot(wanted) not in self._slots:
            raise errors.CredentialError(f"nothing is enrolled for {wanted} in {self._environment.name}")
        if not self._slots:
            raise errors.CredentialError(f"nobody is enrolled in {self._environment.name}")
        return Found(f"{len(self._slots)} in {self._environment.name}")

    def validity(self) -> Found:
        """What is in use is valid now; what can be renewed is said."""
        now = self._clock()
        used = [found for slot in self._slots if (found := self._store.current(slot)) is not None]
        ended = [found.slot.holder for found in used if not found.valid_from <= now <= found.expires]
        if ended:
            raise errors.CredentialError(f"not valid now: {', '.join(ended)}")
        if not used:
            return Found("nothing is in use yet")
        due = [found.slot.holder for found in used if self._service.window(found.slot, found, now).is_open]
        first = min(found.expires for found in used)
        text = f"the first ends {first:%Y-%m-%d}, in {(first - now).days} days"
        return Found(text, f"renew now: {', '.join(due)}" if due else "")

    def pending(self) -> Found:
        """Nothing waits, or what waits is known to be under way."""
        from govfile.vero import Step as HowFar

        waiting = {slot.holder: found for slot in self._slots if (found := self._service.application(slot.holder))}
        unknown = [holder for holder, found in waiting.items() if found.step is HowFar.ASKING]
        if unknown:
            raise errors.OutcomeUnknown(
                f"it is not known whether the service took the request of {', '.join(unknown)}",
                evidence="the key store's notes",
                how_to_resolve="ask the authority's support",
            )
        told = [f"{holder}: {found.step.value}" for holder, found in waiting.items()]
        return Found("; ".join(told), "resume or abandon it") if told else Found("nothing waits")

    # --- what the other side says -------------------------------------------------------------------------------

    def service(self) -> Found:
        """The service's certificate is believed, and it answers. Nothing is asked for."""
        self._theirs = self._service.server_time()
        if self._theirs is None:
            raise errors.ConnectionFailed(f"{self._environment.url} gave no answer that tells the time")
        return Found(f"{self._environment.url} answers")

    def register(self) -> Found:
        """The Incomes Register sends back what the certificate in use signs."""
        from govfile.vero import IncomesRegister

        holder = self._session.profile.table.get("customer", str) or self._slots[0].holder
        if self._environment.register is None:
            return Found("this environment has none")
        if self._store.current(self._service.slot(holder)) is None:
            return Found("nothing is in use yet")
        with IncomesRegister(self._environment, self._service.credential(holder)) as register:
            register.echo()
        return Found(f"the certificate of {holder} works there")

    def clock(self) -> Found:
        """This computer's clock and the service's agree."""
        found = super().clock()
        assert self._theirs is not None
        apart = abs(self._theirs - self._clock())
        if apart > _CLOCKS_APART:
            raise errors.ConfigurationError(
                f"this computer's clock and the service's are {int(apart.total_seconds())} seconds apart"
            )
        return Found(f"{found.text}; the service's clock agrees")
