"""`OnssSandbox`: the transfer point, its SFTP server and its papers, as one object to start and stop."""

from __future__ import annotations

import itertools
import uuid
from typing import TYPE_CHECKING

import attrs

from govfile.certificates.credential import Credential
from govfile.certificates.secret import Secret
from govfile.errors import ConfigurationError, MissingExtra
from govfile.sandbox import pki
from govfile.sandbox.clock import SandboxClock
from govfile.sandbox.listening import Listening
from govfile.sandbox.onss import documents, papers, place
from govfile.sandbox.onss.accounts import Channel, Channels, next_synchronisation
from govfile.sandbox.onss.faults import Faults
from govfile.sandbox.onss.forms import SENT
from govfile.sandbox.onss.papers import CertificateKind
from govfile.sandbox.onss.replies import Replies
from govfile.sandbox.onss.settings import Circuit, Schedule, Settings
from govfile.sandbox.onss.transfer import Declared, TransferPoint

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Iterable
    from datetime import datetime

    from cryptography import x509

    from govfile.certificates.ssh import SshKey
    from govfile.onss.environments import Environment
    from govfile.sandbox.onss.door import Door

_SENDER, _USER = "101420", "EXPDEMOENTREPRISE"


@attrs.frozen(kw_only=True)
class Account:
    """A technical user with all that it needs. `works_from` is the synchronisation that lets it in."""

    sender: str
    user: str
    ssh_key: SshKey
    ssh_private_pem: bytes = attrs.field(repr=False)
    issued: pki.Issued
    passphrase: Secret
    created: datetime
    works_from: datetime

    @property
    def credential(self) -> Credential:
        """The signing certificate and its key."""
        return Credential.from_pkcs12(self.pkcs12(), self.passphrase, allow_expired=True)

    def pkcs12(self) -> bytes:
        """The same as a PKCS#12 file under `passphrase`."""
        return self.issued.pkcs12(self.passphrase.reveal())


class OnssSandbox(Listening["Door"]):
    """The Belgian social-security channel on localhost, for one `with` block or from `start()` to `stop()`.

    `environment` (also `circuit_test` and `declaration_test`), `credential`, `ssh_key`, `sender` and `user` are what
    `onss.Channel` takes; `example(kind)` makes something to declare. `settings` and `schedule` choose its habits and
    pace, `replies` what it answers, `faults` break it while it runs, `clock` moves its time. With
    `is_synchronised=False` the channel was created this moment and works after the next half-hour. Its keys and
    certificates live in memory for as long as the process. Raises `MissingExtra` without the extra `sandbox`.
    """

    def __init__(
        self,
        *,
        sender: str = _SENDER,
        user: str = _USER,
        settings: Settings | None = None,
        schedule: Schedule | None = None,
        clock: SandboxClock | None = None,
        is_synchronised: bool = True,
        name: str | None = None,
    ) -> None:
        _door()
        self.clock = clock or SandboxClock()
        self.faults = Faults()
        self.replies = Replies()
        super().__init__(name or f"sandbox-{uuid.uuid4().hex[:8]}")  # no ledger may take a new sandbox for an old one
        self._settings = settings or Settings()
        self._channels = Channels()
        self._made = 0
        self._point = TransferPoint(
            clock=self.clock,
            settings=self._settings,
            schedule=schedule or Schedule(),
            faults=self.faults,
            replies=self.replies,
            channels=self._channels,
        )
        self._requests: list[deque[str]] = []
        self.account = self.register(sender=sender, user=user, is_synchronised=is_synchronised)

    def _server(self) -> Door:
        door = _door()(settings=self._settings, faults=self.faults, channels=self._channels, point=self._point)
        self._requests.append(door.requests)
        return door

    # --- where it is

    @property
    def port(self) -> int:
        """The SFTP port."""
        return self._open.port

    @property
    def environment(self) -> Environment:
        """The real circuit (R): where it is, its host key pinned, quick patience."""
        return self._environment(Circuit.REAL)

    @property
    def circuit_test(self) -> Environment:
        """The circuit test (T)."""
        return self._environment(Circuit.CIRCUIT_TEST)

    @property
    def declaration_test(self) -> Environment:
        """The declaration test (S)."""
        return self._environment(Circuit.DECLARATION_TEST)

    def _environment(self, circuit: Circuit) -> Environment:
        return place.environment(self._name, circuit, port=self.port, fingerprint=self.host_key_fingerprint)

    @property
    def host_key_fingerprint(self) -> str:
        """SHA-256 of the host key, as OpenSSH prints it."""
        return self._open.host_key.get_fingerprint()

    @property
    def known_hosts(self) -> str:
        """The line for a known_hosts file."""
        public = self._open.host_key.export_public_key().decode().split()
        return f"[{place.HOST}]:{self.port} {public[0]} {public[1]}\n"

    # --- the first account

    @property
    def sender(self) -> str:
        """The first account's sender number."""
        return self.account.sender

    @property
    def user(self) -> str:
        """The first account's technical user name."""
        return self.account.user

    @property
    def credential(self) -> Credential:
        """The first account's signing credential, in the shape of PersonalSign 3 Pro, registered on the channel."""
        return self.account.credential

    @property
    def ssh_key(self) -> SshKey:
        """The first account's SSH key, registered on the channel."""
        return self.account.ssh_key

    @staticmethod
    def institutions_pem() -> bytes:
        """The authority that the signatures of answers lead to, as PEM."""
        return pki.pem(papers.institutions_authority())

    @property
    def institutions_authority(self) -> x509.Certificate:
        """The same as a certificate."""
        return papers.institutions_authority()

    # --- accounts

    def register(
        self,
        *,
        sender: str = _SENDER,
        user: str,
        kind: CertificateKind = CertificateKind.PERSONAL_SIGN,
        valid: tuple[datetime, datetime] | None = None,
        purposes: Iterable[str] = SENT,
        is_synchronised: bool = True,
    ) -> Account:
        """Open one more channel. Users of one sender share its folders; each has its own SSH key and certificate."""
        self._made += 1
        now = self.clock()
        works_from = now if is_synchronised else next_synchronisation(now)
        use = str(self._made)
        account = Account(
            sender=sender,
            user=user,
            ssh_key=place.ssh_key(use),
            ssh_private_pem=place.ssh_private_pem(use),
            issued=papers.signer(kind, use=use, valid=valid),
            passphrase=Secret(f"sleutel-{uuid.uuid4().hex[:12]}"),
            created=now,
            works_from=works_from,
        )
        channel = Channel(sender=sender, user=user, created=now, purposes=frozenset(purposes))
        channel.replace_key(account.ssh_key.public_blob, works_from)
        channel.add_certificate(account.issued.certificate, works_from)
        self._channels.add(channel)
        return account

    def replace_ssh_key(self, user: str, key: SshKey, *, at_once: bool = False) -> datetime:
        """Upload another SSH key for a user; returns when it counts."""
        since = self.clock() if at_once else next_synchronisation(self.clock())
        self._channel(user).replace_key(key.public_blob, since)
        return since

    def add_certificate(self, user: str, certificate: x509.Certificate, *, at_once: bool = True) -> datetime:
        """Upload one more signing certificate for a user; returns when it counts."""
        since = self.clock() if at_once else next_synchronisation(self.clock())
        self._channel(user).add_certificate(certificate, since)
        return since

    def certify(
        self,
        public_key: papers.PublicKey,
        kind: CertificateKind = CertificateKind.EID_SIGNATURE,
        *,
        valid: tuple[datetime, datetime] | None = None,
    ) -> x509.Certificate:
        """A certificate for a key that is elsewhere, in a token; `add_certificate` registers it."""
        return papers.certify(public_key, kind, valid=valid)

    @staticmethod
    def unregistered_credential(
        kind: CertificateKind = CertificateKind.PERSONAL_SIGN,
        *,
        valid: tuple[datetime, datetime] | None = None,
    ) -> Credential:
        """A good certificate that is on nobody's channel; `valid` makes it one that is over."""
        passphrase = Secret(f"sleutel-{uuid.uuid4().hex[:12]}")
        issued = papers.signer(kind, use="nobody", valid=valid)
        return Credential.from_pkcs12(issued.pkcs12(passphrase.reveal()), passphrase, allow_expired=True)

    def _channel(self, user: str) -> Channel:
        found = self._channels.get(user)
        if found is None:
            raise ConfigurationError(f"there is no user {user}")
        return found

    # --- what happened

    @property
    def declared(self) -> tuple[Declared, ...]:
        """Every set that was triggered, with the codes it earned."""
        self._point.run_due()
        return tuple(self._point.declared)

    @property
    def filed(self) -> tuple[Declared, ...]:
        """What counts as declared: taken in the real circuit without a code against it."""
        return tuple(each for each in self.declared if not each.codes and each.circuit is Circuit.REAL)

    @property
    def tested(self) -> tuple[Declared, ...]:
        """What was taken in one of the test circuits."""
        return tuple(each for each in self.declared if not each.codes and each.circuit is not Circuit.REAL)

    @property
    def requests(self) -> tuple[str, ...]:
        """The SFTP requests so far, with their paths."""
        return tuple(itertools.chain(*self._requests))

    @property
    def findings(self) -> tuple[str, ...]:
        """Why something was refused, in words a real server would keep to itself."""
        self._point.run_due()
        return tuple(self._point.findings)

    def folder(self, name: str, *, sender: str | None = None) -> dict[str, bytes]:
        """The files in a folder now, by name."""
        with self._point.lock:
            self._point.run_due()
            box = self._point.boxes(sender or self.sender).folders[name]
            return {each: bytes(found.content) for each, found in box.items()}

    # --- what it does unasked

    def send(
        self,
        purpose: str,
        content: bytes | None = None,
        *,
        circuit: Circuit = Circuit.REAL,
        sender: str | None = None,
    ) -> str:
        """Send something nobody asked for (DMNO, DMPI, …); returns its name."""
        return self._point.send(sender or self.sender, circuit, purpose, content)

    def send_strangers_acknowledgement(self, *, circuit: Circuit = Circuit.REAL) -> str:
        """Put an acknowledgement of somebody else's file among the answers; returns its name."""
        with self._point.lock:
            return self._point.acknowledge_stranger(self.sender, circuit, self._point.run_due())

    def drop_connections(self) -> None:
        """Cut every line now."""
        self._open.drop_from_outside()

    # --- documents

    @staticmethod
    def example(kind: str, *, seed: int = 0, forms: int = 1, made: datetime | None = None) -> bytes:
        """A declaration for the purpose `kind`; see `govfile.sandbox.onss.documents`."""
        return documents.example(kind, seed=seed, forms=forms, made=made)


def _door() -> type[Door]:
    """The server's class, imported late: it brings asyncssh."""
    try:
        from govfile.sandbox.onss.door import Door
    except ModuleNotFoundError as missing:
        if missing.name and missing.name.split(".")[0] == "asyncssh":
            raise MissingExtra("asyncssh", "sandbox", purpose="the sandbox") from missing
        raise
    return Door
