"""The checks that every authority shares: what lies on this machine, what lies on the way, and what is kept."""

from __future__ import annotations

import abc
import os
import socket
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from govfile import errors
from govfile.cli.doctor.steps import Found, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from govfile.certificates.credential import Credential
    from govfile.cli.config import SecretRef
    from govfile.cli.session import Session
    from govfile.transports.base import FileTransport, Timeouts

    #: The checks in their order: name, the check itself, the names of those it needs.
    Plan = Sequence[tuple[str, Callable[[], Found], tuple[str, ...]]]

#: A clock before this version was made is certainly wrong.
MADE = datetime(2026, 1, 1, tzinfo=UTC)
_TOLERANCE = timedelta(minutes=2)

REMEDIES = {
    "configuration": "correct govfile.toml; `docs/reference/cli.md` lists its keys",
    "passphrase": "refer to the credential's passphrase (or PIN) by env, file or keyring",
    "certificate": "check file and passphrase with: govfile cert inspect FILE",
    "name lookup": "check the host in the profile and this machine's name servers",
    "ledger": "restore it from a backup; never delete it: it is what keeps anything from being filed twice",
    "answers folder": "make the folder, or let this user write to it",
    "clock": "set this computer's clock by a time server (NTP)",
}


class Conversation(Protocol):
    """How an environment is spoken to, as far as these checks look at it."""

    @property
    def timeouts(self) -> Timeouts:
        """In seconds."""
        ...


class Environment(Protocol):
    """An environment, as far as these checks look at it."""

    @property
    def name(self) -> str:
        """What the ledger keeps filings apart by."""
        ...

    @property
    def host(self) -> str:
        """Where it is."""
        ...

    @property
    def port(self) -> int:
        """Where it listens."""
        ...

    @property
    def policy(self) -> Conversation:
        """How it is spoken to."""
        ...


class Checks(abc.ABC):
    """The shared checks of a profile; each authority's derive from it.

    Each part they share is made once, by the first that needs it. `clock` gives aware UTC times. `remedies` says what
    to do about each check that fails.
    """

    remedies: Mapping[str, str] = REMEDIES

    def __init__(self, session: Session, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._session = session
        self._clock = clock
        self._newest: datetime | None = None

    @property
    def _place(self) -> Environment:
        return self._session.environment

    @abc.abstractmethod
    def plan(self) -> Plan:
        """Which checks there are, in their order."""

    def steps(self) -> list[Step]:
        """The checks in their order, nothing done yet."""
        return [
            Step(name=name, check=check, needs=needs, remedy=self.remedies[name]) for name, check, needs in self.plan()
        ]

    def kept(self) -> Plan:
        """The checks of what a client keeps, which end the plan for a channel of files."""
        return [
            ("ledger", self.ledger, ("configuration",)),
            ("answers folder", self.answers_folder, ("configuration",)),
            ("clock", self.clock, ("configuration",)),
        ]

    def close(self) -> None:
        """End the conversation with the other side, where there was one."""
        transport: FileTransport | None = self.__dict__.get("_transport")
        if transport is not None:
            transport.close()

    def _waiting(self, transport: FileTransport, folder: str) -> int:
        """How many files wait in a folder; the newest of them bears witness about the clock."""
        entries = transport.list(folder)
        self._newest = max((entry.modified for entry in entries if entry.modified), default=None)
        return len(entries)

    def configuration(self) -> Found:
        """The file, the profile and its environment can be read."""
        return Found(f"profile {self._session.profile.name}, {self._place.name} at {self._place.host}")

    def passphrase(self) -> Found:
        """The reference to the credential's passphrase or PIN leads to one."""
        profile = self._session.profile
        reference = profile.places.secret(profile.table, "passphrase")
        if isinstance(profile.table.values.get("credential"), dict):
            reference = reference or profile.places.secret(profile.table.table("credential"), "pin")
        if reference is None:
            return Found("none is configured")
        reference.resolve()
        return readable_by(reference)

    @cached_property
    def _credential(self) -> Credential:
        from govfile.cli.keys import load_credential

        return load_credential(self._session.profile, whenever=True)

    def certificate(self) -> Found:
        """Key and certificate can be read and fit, whatever their dates."""
        subject = self._credential.subject
        return Found(f"key and certificate fit; {subject.organisation or subject.common_name or 'no name in it'}")

    def validity(self) -> Found:
        """The certificate is valid now, and for a while yet."""
        now = self._clock()
        self._credential.check(now)
        left = (self._credential.expires - now).days
        soon = self._credential.expires_within(now) is not None
        remedy = f"order its successor now: {self.remedies['validity']}" if soon else ""
        return Found(f"valid until {self._credential.expires:%Y-%m-%d}, {left} days", remedy)

    def name_lookup(self) -> Found:
        """The host's name is found."""
        host, port = self._place.host, self._place.port
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise errors.ConnectionFailed(
                f"the name {host} is not found: {error}", phase=errors.Phase.RESOLVE
            ) from error
        return Found(f"{host} is {', '.join(sorted({str(address[4][0]) for address in found}))}")

    def control_port(self) -> Found:
        """The control port takes connections."""
        environment = self._place
        endpoint = (environment.host, environment.port)
        try:
            socket.create_connection(endpoint, timeout=environment.policy.timeouts.connect).close()
        except OSError as error:
            reason = error.strerror or error
            raise errors.ConnectionFailed(f"port {environment.port} of {environment.host}: {reason}") from error
        return Found(f"port {environment.port} takes connections")

    def ledger(self) -> Found:
        """The ledger can be opened, and every record holds."""
        from govfile.cli.ledgers import check_can_be_made, is_there

        if not is_there(self._session.profile):
            check_can_be_made(self._session.profile)
            return Found("there is none yet", "the first filing makes it; if there was one before, restore that first")
        with self._session.open_ledger() as ledger:
            findings = list(ledger.verify())
            ahead = next(iter(ledger.search(since=self._clock() + _TOLERANCE, limit=1)), None)
        if ahead is not None:
            self._newest = max(filter(None, (self._newest, ahead.created)))
        if findings:
            raise errors.LedgerDamaged(f"{len(findings)} findings, the first: {findings[0]}")
        return Found("sound")

    def answers_folder(self) -> Found:
        """Where answers are to be kept can be written."""
        folder = self._session.profile.places.path(self._session.profile.table, "into")
        if folder is None:
            return Found("none is configured; `collect` needs --into")
        nearest = next(place for place in (folder, *folder.parents) if os.path.lexists(place))
        if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
            raise errors.ConfigurationError(f"{nearest} is no folder this user can write to")
        return Found(f"{folder}" if nearest == folder else f"{folder} is not there yet; collecting makes it")

    def clock(self) -> Found:
        """Nothing shows that this computer's clock is behind."""
        now = self._clock()
        if now < MADE:
            raise errors.ConfigurationError(f"the clock says {now:%Y-%m-%d}, which is before this version was made")
        if self._newest is not None and self._newest > now + _TOLERANCE:
            behind = self._newest - now
            raise errors.ConfigurationError(
                f"the other side or the ledger has times {int(behind.total_seconds())} seconds ahead of this clock"
            )
        return Found(f"{now:%Y-%m-%d %H:%M:%S} UTC; nothing contradicts it")


def readable_by(reference: SecretRef | None) -> Found:
    """Where a secret comes from, with a warning when every user can read it."""
    assert reference is not None
    if reference.file is not None and os.name == "posix" and reference.file.stat().st_mode & 0o004:
        return Found(f"{reference}, which every user can read", f"chmod 600 {reference.file}")
    return Found(f"found: {reference}")
