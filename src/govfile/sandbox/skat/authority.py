"""`SkatSandbox`: the gateway, its back end and its papers, as one object to start and stop."""

from __future__ import annotations

import uuid
from collections import deque
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import attrs

from govfile.certificates.secret import Secret
from govfile.certificates.trust import Trust
from govfile.errors import ConfigurationError, MissingExtra
from govfile.sandbox import pki
from govfile.sandbox.clock import SandboxClock
from govfile.sandbox.listening import Listening
from govfile.sandbox.skat import documents, services
from govfile.sandbox.skat.backend import Arrival, BackEnd
from govfile.sandbox.skat.faults import Faults
from govfile.sandbox.skat.identities import CertificateKind, Identity, Registration, Registry, login_of, subject
from govfile.sandbox.skat.settings import Schedule, Settings
from govfile.skat.environments import Environment, Patience
from govfile.transports.ftps_policy import FtpsPolicy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from govfile.certificates.credential import Credential
    from govfile.sandbox.skat.server import Door

_REMEMBERED = 100_000
_CVR = "10101010"
_QUICK = Patience(first=timedelta(milliseconds=20), usual=timedelta(milliseconds=50), slow=timedelta(milliseconds=200))
_DAY = timedelta(days=1)


class Host(Listening["Door"]):
    """One gateway on loopback: its `faults`, its memory, and where to find it."""

    def __init__(
        self, *, name: str, settings: Settings, schedule: Schedule, registry: Registry, clock: SandboxClock
    ) -> None:
        super().__init__(name)
        self.faults = Faults()
        self._settings = settings
        self._registry = registry
        self._back_end = BackEnd(clock=clock, settings=settings, schedule=schedule, faults=self.faults)
        self._commands: deque[str] = deque(maxlen=_REMEMBERED)
        self._findings: deque[str] = deque(maxlen=_REMEMBERED)

    def _server(self) -> Door:
        door = _door()(settings=self._settings, faults=self.faults, registry=self._registry, back_end=self._back_end)
        door.commands, door.findings = self._commands, self._findings
        return door

    # --- where it is

    @property
    def port(self) -> int:
        """The control port."""
        return self._open.port

    @property
    def environment(self) -> Environment:
        """Where and how to reach it, with its throw-away trust anchor and quick patience."""
        policy = FtpsPolicy(
            tls_start=self._settings.tls_start,
            data_ports=self._settings.data_ports,
            trust=Trust(system=False, anchors=(pki.authority(pki.Issuer.SERVERS).certificate,)),
        )
        return Environment(
            name=self._name, host=self._settings.host_name, port=self.port, is_test=None, policy=policy, patience=_QUICK
        )

    # --- what happened

    @property
    def arrived(self) -> tuple[Arrival, ...]:
        """Every complete upload, with what became of it."""
        return tuple(self._back_end.arrivals)

    @property
    def filed(self) -> tuple[Arrival, ...]:
        """What was really filed: taken by the gateway, sound, and not for validation only."""
        return tuple(arrival for arrival in self.arrived if arrival.is_filed)

    @property
    def validated(self) -> tuple[Arrival, ...]:
        """What was sent to be looked at only (`val_`) and taken."""
        return tuple(arrival for arrival in self.arrived if arrival.is_validation and not arrival.code)

    @property
    def commands(self) -> tuple[str, ...]:
        """The FTP commands heard so far (the last 100 000), passwords masked."""
        return tuple(self._commands)

    @property
    def findings(self) -> tuple[str, ...]:
        """Why somebody was refused, in words a real gateway would keep to itself."""
        return tuple(self._findings)

    # --- what the back end does by itself

    def out(self, identity: Identity) -> dict[str, bytes]:
        """The files in `identity`'s `out` now, by name."""
        return {name: found.content for name, found in self._back_end.outbox(identity).items()}

    def put(self, identity: Identity, name: str, content: bytes) -> None:
        """Lay any file in `identity`'s `out`."""
        self._back_end.put(identity, name, content)

    def put_unsolicited(self, identity: Identity, name: str, content: bytes, *, service: str = "UFO") -> str:
        """Have the back end send a file nobody asked for; returns the name of the status 3 that announces it."""
        return self._back_end.put_unsolicited(identity, service, name, content)


class SkatSandbox(Host):
    """The Danish FTPS gateway on localhost, for one `with` block or from `start()` to `stop()`.

    `environment`, `credential` and `password` are what `skat.Gateway` takes; `example(kind)` makes something to file.
    `settings` and `schedule` choose its habits and pace, `faults` breaks it while it runs, `clock` moves its time.
    `retired=True` runs the gateway before 2020 beside it, on the attribute `retired`. Its own keys, certificates and
    passwords live in memory for as long as the process. Raises `MissingExtra` without the extra `sandbox`.
    """

    def __init__(
        self,
        *,
        settings: Settings | None = None,
        schedule: Schedule | None = None,
        clock: SandboxClock | None = None,
        retired: bool = False,
        retired_settings: Settings | None = None,
        name: str | None = None,
    ) -> None:
        _door()
        self.clock = clock or SandboxClock()
        self._people = Registry()
        self._made = 0
        schedule = schedule or Schedule()
        name = name or f"sandbox-{uuid.uuid4().hex[:8]}"  # it remembers nothing, so no ledger may mix two of them up
        super().__init__(
            name=name, settings=settings or Settings(), schedule=schedule, registry=self._people, clock=self.clock
        )
        self._old: Host | None = None
        if retired or retired_settings is not None:
            self._old = Host(
                name=f"{name}-retired",
                settings=retired_settings or Settings.retired_gateway(),
                schedule=schedule,
                registry=self._people,
                clock=self.clock,
            )
        self.identity = self.register()

    # --- life

    def start(self) -> None:
        """Listen on loopback. A sandbox that was stopped may be started again and remembers what was filed."""
        super().start()
        if self._old is not None:
            try:
                self._old.start()
            except BaseException:
                super().stop()
                raise

    def stop(self) -> None:
        """End every conversation and free the ports; may be called twice."""
        super().stop()
        if self._old is not None:
            self._old.stop()

    @property
    def retired(self) -> Host:
        """The gateway before 2020, where one was asked for."""
        if self._old is None:
            raise ConfigurationError("there is no retired gateway here", advice="SkatSandbox(retired=True)")
        return self._old

    # --- the first identity

    @property
    def credential(self) -> Credential:
        """The first identity's key and certificate: OCES3, of an organisation, registered with every role."""
        return self.identity.credential

    @property
    def username(self) -> str:
        """The first identity's user name, as the certificate dictates it."""
        return self.identity.username

    @property
    def password(self) -> Secret:
        """The first identity's password."""
        return self.identity.password

    @property
    def passphrase(self) -> Secret:
        """What opens `pkcs12()`."""
        return self.identity.passphrase

    def pkcs12(self) -> bytes:
        """The first identity's PKCS#12 file."""
        return self.identity.pkcs12()

    @staticmethod
    def trust_pem() -> bytes:
        """The authority that issued the server's certificate, as PEM."""
        return pki.pem(pki.authority(pki.Issuer.SERVERS).certificate)

    # --- more identities

    def register(
        self,
        kind: CertificateKind = CertificateKind.OCES3_ORGANISATION,
        *,
        cvr: str = _CVR,
        services: Iterable[str] = services.ALL,
        on_se_number: bool = False,
        valid: tuple[datetime, datetime] | None = None,
    ) -> Identity:
        """One more certificate, registered, its roles for `services` copied already.

        `on_se_number` registers the company's duty on an SE number: such a sender sees no folders.
        """
        identity = self._issue(kind, cvr=cvr, valid=valid)
        self._people.add(identity, services, on_se_number=on_se_number)
        return identity

    def renew(self, identity: Identity) -> Identity:
        """A new certificate and key for the same subject: user name, password and folders stay."""
        issued = pki.client(identity.issued.certificate.subject, identity.kind.issuer, use=f"renewed {self._made}")
        self._made += 1
        return attrs.evolve(identity, issued=issued)

    def unregistered(
        self,
        kind: CertificateKind = CertificateKind.OCES3_ORGANISATION,
        *,
        cvr: str = _CVR,
        valid: tuple[datetime, datetime] | None = None,
    ) -> Identity:
        """A good certificate that nobody registered."""
        return self._issue(kind, cvr=cvr, valid=valid)

    def expired(self) -> Identity:
        """A registered certificate whose three years are over."""
        now = datetime.now(UTC)
        return self.register(valid=(now - 1100 * _DAY, now - 5 * _DAY))

    def stranger(self) -> Identity:
        """The first identity's subject, signed by an issuer the gateway does not know."""
        issued = pki.client(self.identity.issued.certificate.subject, pki.Issuer.STRANGER, use="stranger")
        return attrs.evolve(self.identity, issued=issued)

    def _issue(self, kind: CertificateKind, *, cvr: str, valid: tuple[datetime, datetime] | None) -> Identity:
        self._made += 1
        number = self._made
        is_old = kind.issuer is pki.Issuer.OCES2
        identifier = f"{1234567890 + number}" if is_old else f"00000000-0000-4000-8000-{number:012x}"
        name = subject(kind, cvr=cvr, identifier=identifier, company="Prøvefirmaet ApS")
        issued = pki.client(name, kind.issuer, use=f"identity {number}", valid=valid)
        username = login_of(issued.certificate)
        assert username is not None
        return Identity(
            kind=kind,
            cvr=cvr,
            username=username,
            password=Secret(f"kodeord-{uuid.uuid4().hex[:12]}"),
            passphrase=Secret(f"adgang-{uuid.uuid4().hex[:12]}"),
            issued=issued,
        )

    # --- roles

    def grant(self, identity: Identity, service: str) -> datetime:
        """Give a role; returns when the hourly copy makes its folder visible."""
        return self._registration(identity).grant(service, self.clock())

    def revoke(self, identity: Identity, service: str) -> datetime:
        """Take a role away; returns when the hourly copy makes its folder vanish."""
        return self._registration(identity).revoke(service, self.clock())

    def _registration(self, identity: Identity) -> Registration:
        found = self._people.get(identity.username)
        if found is None:
            raise ConfigurationError(f"{identity.username} is not registered")
        return found

    # --- documents

    @staticmethod
    def example(kind: str, *, seed: int = 0, size: int = 3) -> bytes:
        """A document for the service `kind`; see `govfile.sandbox.skat.documents`."""
        return documents.example(kind, seed=seed, size=size)

    @staticmethod
    def example_name(kind: str, *, seed: int = 0) -> str:
        """A file name that fits `example(kind, seed=seed)`."""
        return documents.file_name(kind, seed=seed)


def _door() -> type[Door]:
    """The server's class, imported late: it brings pyftpdlib and OpenSSL."""
    try:
        from govfile.sandbox.skat.server import Door
    except ModuleNotFoundError as missing:
        if missing.name in ("pyftpdlib", "asyncore", "asynchat"):
            raise MissingExtra("pyftpdlib", "sandbox", purpose="the sandbox") from missing
        raise
    return Door
