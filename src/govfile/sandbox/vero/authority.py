"""`VeroSandbox`: the certificate service, the test bench and the register it opens, as one object to start and stop."""

from __future__ import annotations

import functools
import secrets
import uuid
from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING

import attrs
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from govfile.certificates.credential import Credential
from govfile.certificates.secret import Secret
from govfile.certificates.trust import Trust
from govfile.errors import ConfigurationError
from govfile.sandbox import pki
from govfile.sandbox.clock import SandboxClock
from govfile.sandbox.listening import Listening
from govfile.sandbox.vero import counter, documents, issuing, register, throw_away
from govfile.sandbox.vero.bench import Bench
from govfile.sandbox.vero.faults import Faults
from govfile.sandbox.vero.issuing import Holder
from govfile.sandbox.vero.office import Invitation, Office
from govfile.sandbox.vero.replies import Replies
from govfile.sandbox.vero.settings import Code, Settings
from govfile.sandbox.vero.throw_away import Authority, Key
from govfile.sandbox.web import WebServer
from govfile.sandbox.web_tls import Tls
from govfile.vero.environments import Environment, Patience, Pin, Pins, Register

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from cryptography import x509

    from govfile.sandbox.vero.bench import Papers
    from govfile.sandbox.vero.door import Call, Door
    from govfile.sandbox.vero.office import Issued
    from govfile.sandbox.vero.register import Record

_REMEMBERED = 10_000
_QUICK = Patience(
    first=timedelta(milliseconds=20),
    usual=timedelta(milliseconds=50),
    slow=timedelta(milliseconds=200),
    give_up=timedelta(seconds=30),
)


class Doors:
    """The two servers: one lets everybody in, the other asks for a certificate."""

    def __init__(self, services: WebServer, register: WebServer) -> None:
        self.services = services
        self.register = register

    def start(self) -> None:
        """Listen. Raises `ConfigurationError` when a port is taken."""
        self.services.start()
        try:
            self.register.start()
        except BaseException:
            self.services.stop()
            raise

    def stop(self) -> None:
        """End all conversations and free the ports."""
        self.services.stop()
        self.register.stop()


class VeroSandbox(Listening[Doors]):
    """The Finnish certificate service on localhost, for one `with` block or from `start()` to `stop()`.

    `environment` is what `vero.CertificateService` and `vero.IncomesRegister` take, `invite` sends somebody transfer
    codes, `credential_for` gives a certificate without asking for it. `settings` choose its habits, `faults` break it
    while it runs, `clock` moves its time. Its keys are known to everybody.
    """

    def __init__(
        self, *, settings: Settings | None = None, clock: SandboxClock | None = None, name: str | None = None
    ) -> None:
        # a new sandbox remembers nothing, so no key store and no ledger may mix it up with another
        super().__init__(name or f"sandbox-{uuid.uuid4().hex[:8]}")
        self.clock = clock or SandboxClock()
        self.faults = Faults()
        self._settings = settings or Settings()
        self._calls: deque[Call] = deque(maxlen=_REMEMBERED)
        self._findings: deque[str] = deque(maxlen=_REMEMBERED)
        self._office = Office(clock=self.clock, settings=self._settings, faults=self.faults)
        self._bench = Bench(self.clock)
        shared = {"clock": self.clock, "faults": self.faults, "calls": self._calls, "findings": self._findings}
        signs = functools.partial(Replies, clock=self.clock, settings=self._settings)
        self._counter = counter.Counter(
            self._office, self._bench, replies=signs(signer="govfile sandbox Certificate Service"), **shared
        )
        self._register = register.Register(
            self._settings, replies=signs(signer="govfile sandbox Incomes Register Service Interface"), **shared
        )

    def _server(self) -> Doors:
        settings = self._settings
        return Doors(
            self._door(self._counter, settings.port, self._services_tls),
            self._door(self._register, settings.register_port, self._register_tls),
        )

    def _door(self, door: Door, port: int, tls: Callable[[], Tls]) -> WebServer:
        return WebServer(door.handle, tls=tls, host=self._settings.host, port=port, most=16 << 20, clock=self.clock)

    def _services_tls(self) -> Tls:
        return Tls(certificate=self.faults.server_certificate)

    def _register_tls(self) -> Tls:
        known = throw_away.certificate(Authority.DATA_PROVIDERS)
        clients = (issuing.stranger().certificate if self.faults.refuses_clients else known,)
        return Tls(certificate=self.faults.server_certificate, clients=clients)

    # --- where it is

    @property
    def environment(self) -> Environment:
        """Where and how to reach it, with its throw-away anchors, its codes and quick patience."""
        servers = Trust(system=False, anchors=(pki.authority(pki.Issuer.SERVERS).certificate,))
        issuers = throw_away.certificate(Authority.DATA_PROVIDERS)
        signers = throw_away.certificate(Authority.SERVICES)
        return Environment(
            name=self._name,
            element=self._settings.element,
            url=self._open.services.url,
            path=counter.PATH,
            pins=Pins(answers=(_pin(signers),), issued=(_pin(issuers),)),
            answer_signers=Trust(system=False, anchors=(signers,)),
            issuers=Trust(system=False, anchors=(issuers,)),
            issuer_name=_common_name(issuers),
            tls=servers,
            patience=_QUICK,
            opens_before=self._settings.opens_before,
            not_ready=frozenset({Code.NOT_READY.value}),
            refusals=frozenset(code.value for code in Code if code is not Code.NOT_READY),
            register=Register(
                url=self._open.register.url,
                path=register.PATH,
                is_production=self._settings.element == "PRODUCTION",
                trust=servers,
                patience=_QUICK,
            ),
        )

    @property
    def bench_environment(self) -> Environment:
        """The test bench: canned answers to the codes of `bench` and the keys of `bench_key`."""
        return attrs.evolve(
            self.environment,
            name=f"{self._name}-bench",
            element="TEST",
            path=counter.BENCH_PATH,
            opens_before=None,
            repeats=True,
            register=None,
        )

    @property
    def bench(self) -> Papers:
        """The bench's customer and codes."""
        return self._bench.papers

    @staticmethod
    def bench_key(*, renewal: bool = False) -> bytes:
        """One of the bench's two keys as PKCS#8 in PEM, not encrypted: everybody knows it."""
        return _pem(Key.BENCH_RENEWAL if renewal else Key.BENCH_NEW)

    @staticmethod
    def trust_pem() -> bytes:
        """The authority that issued the servers' certificates, as PEM."""
        return pki.pem(pki.authority(pki.Issuer.SERVERS).certificate)

    @staticmethod
    def authorities_pem() -> bytes:
        """All four certification authorities, root first, as PEM: what `Environment.trusting` takes."""
        return pki.pem(*(throw_away.certificate(which) for which in Authority))

    # --- customers

    def invite(
        self,
        customer_id: str,
        *,
        transfer_id: str | None = None,
        transfer_password: str | None = None,
        customer_name: str | None = None,
    ) -> tuple[str, Secret]:
        """Send transfer codes to a customer, good once and for 14 days; returns them.

        Without a `customer_name` the one in the request is believed. Raises `ConfigurationError` for a transfer id
        that was sent before.
        """
        transfer_id = transfer_id or "".join(secrets.choice("0123456789") for _ in range(32))
        transfer_password = transfer_password or secrets.token_hex(8)
        self._office.invite(
            Invitation(
                holder=Holder(customer_id=customer_id, name=customer_name or ""),
                transfer_id=transfer_id,
                transfer_password=transfer_password,
                sent=self.clock(),
            )
        )
        return transfer_id, Secret(transfer_password)

    def credential_for(
        self, customer_id: str, *, customer_name: str = "Ab Example Oy", issued: datetime | None = None
    ) -> Credential:
        """A certificate for the customer with its key, issued at `issued` (now) without any order.

        All of these have the same key, which everybody knows.
        """
        at = issued or self.clock()
        key = throw_away.key(Key.CUSTOMER)
        holder = Holder(customer_id=customer_id, name=customer_name)
        certificate = issuing.customer_certificate(key.public_key(), holder, at=at, years=self._settings.years)
        chain = (throw_away.certificate(Authority.DATA_PROVIDERS),)
        return Credential.from_pem(_pem(Key.CUSTOMER) + pki.pem(certificate, *chain), at=at, allow_expired=True)

    # --- what happened

    @property
    def issued(self) -> tuple[Issued, ...]:
        """Every certificate that was ordered, oldest first."""
        return self._office.issued

    @property
    def requests(self) -> tuple[Call, ...]:
        """The calls that came in (the last 10 000), with what they said; the texts are not in their repr."""
        return tuple(self._calls)

    @property
    def findings(self) -> tuple[str, ...]:
        """Why somebody was refused, in words a real authority would keep to itself."""
        servers = (self._running.services, self._running.register) if self._running is not None else ()
        return (*self._findings, *(why for server in servers for why in server.findings))

    @property
    def records(self) -> tuple[Record, ...]:
        """The records that the register took, oldest first."""
        return self._register.records

    # --- documents

    @staticmethod
    def example(kind: str, *, seed: int = 0, size: int = 3, **changes: str) -> bytes:
        """A document to send; see `govfile.sandbox.vero.documents`."""
        return documents.example(kind, seed=seed, size=size, **changes)


def _pem(which: Key) -> bytes:
    return throw_away.key(which).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _pin(certificate: x509.Certificate) -> Pin:
    return Pin(name=_common_name(certificate), sha256=certificate.fingerprint(hashes.SHA256()).hex())


def _common_name(certificate: x509.Certificate) -> str:
    name = issuing.holder_of(certificate)
    if not name:
        raise ConfigurationError("the certificate has no common name")
    return name
