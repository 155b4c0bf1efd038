"""A small world for the gateway's tests: a clock nobody waits for, a gateway in memory with a back end, a company.

The back end knows nothing of the client's code: it reads what was stored and writes status files by hand.
"""

from __future__ import annotations

import functools
import hashlib
import io
import zipfile
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import attrs

from govfile import Ledger, Secret, skat
from govfile.certificates.credential import Credential
from govfile.certificates.signer import SoftwareSigner
from govfile.transports.base import TransferType
from govfile.transports.memory import MemoryServer, MemoryTransport
from support.pki import OCES3_TEST_ISSUER, Authority, ec_key, oces2, oces3

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cryptography import x509

    from govfile.transports.base import FileTransport

CVR = "10101010"
UUID = "00000000-0000-4000-8000-000000000001"
OTHER_UUID = "00000000-0000-4000-8000-000000000002"
START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
HOME = f"/CVR_{CVR}/UI_{UUID}"

LOCAL = skat.Environment(name="local", host="localhost", is_test=None)

STATUS = """<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<status><file>
  <filename>{path}</filename>
  <FTPTransaktionsId>{name}</FTPTransaktionsId>
  <SKATTransactionId>ci1767600000000_1_{number}</SKATTransactionId>
  <timestamp>20260105100005</timestamp>
  <status.code>{words}</status.code>
  <service>{service}</service>{more}
</file></status>"""

ERROR = """
  <error><error.code>{code}</error.code><error.message>an example</error.message></error>"""

REUSED = "FILENAME_CANNOT_BE_REUSED_FOR_TRANSACTION"


@functools.cache
def authority(issuer: x509.Name = OCES3_TEST_ISSUER) -> Authority:
    """An issuer, made once a process."""
    return Authority.create(issuer, key=ec_key(0), not_before=datetime(2020, 1, 1, tzinfo=UTC))


@functools.cache
def credential(subject: x509.Name, issuer: x509.Name = OCES3_TEST_ISSUER) -> Credential:
    """A credential valid from 2021 to 2040."""
    begin, end = datetime(2021, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
    identity = authority(issuer).issue(subject, key=ec_key(1), not_before=begin, not_after=end)
    return Credential.from_signer(SoftwareSigner(identity.key), identity.certificate, allow_expired=True)


def organisation(uuid: str = UUID, cvr: str = CVR) -> Credential:
    """An OCES3 organisation's."""
    return credential(oces3(cvr=cvr, uuid=uuid))


def old_company(number: str = "9876543210") -> Credential:
    """An OCES2 company's."""
    return credential(oces2(cvr=CVR, number=number))


class Clock:
    """Time that passes when somebody sleeps, or when told."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now
        self.slept: list[float] = []
        self.while_asleep: Callable[[], None] = lambda: None

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        """Pass the time, then let the world move on."""
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)
        self.while_asleep()

    def advance(self, **by: float) -> None:
        """Pass the time: `advance(hours=7)`."""
        self.now += timedelta(**by)


class Server(MemoryServer):
    """Remembers every arrival, for ever: (path, SHA-256, transfer type)."""

    def __init__(self, home: str = HOME, clock: Callable[[], datetime] = lambda: START) -> None:
        super().__init__(home=home, clock=clock)
        self.arrivals: list[tuple[str, str, TransferType]] = []
        for service in ("Udlaan", "AKSA", "CPS", "Manifest.AnkomstdeklarationOpret", "A", "A_b"):
            self.make_folder(f"{HOME}/{service}")
        self.make_folder(f"{HOME}/out")

    def store(self, path: str, data: bytes, transfer_type: TransferType = TransferType.BINARY) -> None:
        super().store(path, data, transfer_type)
        if "/out/" not in path:
            self.arrivals.append((self.absolute(path), hashlib.sha256(data).hexdigest(), transfer_type))

    @property
    def names(self) -> list[str]:
        """The names of all arrivals, in order."""
        return [path.rpartition("/")[2] for path, _, _ in self.arrivals]

    def put_out(self, name: str, data: bytes) -> None:
        """Lay a file into `out`."""
        self.store(f"{HOME}/out/{name}", data)

    def status(self, service: str, name: str, number: int, *, words: str = "OK", more: str = "") -> str:
        """Lay a status file into `out`; returns its name."""
        path = f"{HOME}/{service}/{name}"
        content = STATUS.format(path=path, name=name, number=number, words=words, service=service, more=more)
        remote = f"status_{service}_{name}_{number}.xml"
        self.put_out(remote, content.encode())
        return remote

    def refuse(self, service: str, name: str, code: str) -> str:
        """Lay a status 0 into `out`."""
        return self.status(service, name, 0, words="ERROR", more=ERROR.format(code=code))

    def answer(self, service: str, name: str, *, announced: bool = True, content: bytes = b"<svar>ok</svar>") -> str:
        """Lay an answer into `out`, with its status 3; returns the answer's name."""
        remote = f"{service}_SvarFil_{name.rpartition('.')[0]}.xml"
        if announced:
            self.status(service, name, 3, more=f"<response><filename>{remote}</filename></response>")
        self.put_out(remote, content)
        return remote

    def run(self) -> None:
        """What a diligent back end does with all arrivals: statuses 1 and 2, an answer and status 3; or a refusal."""
        seen: set[str] = set()
        for path, _, _ in self.arrivals:
            _, service, name = path.rsplit("/", 2)
            if name in seen:
                self.refuse(service, name, REUSED)
                continue
            seen.add(name)
            for number in (1, 2):
                self.status(service, name, number)
            self.answer(service, name)


@attrs.define
class World:
    """A company, its ledger, and a gateway in memory."""

    folder: Path
    clock: Clock = attrs.field(factory=Clock)
    server: Server = attrs.field(factory=Server)
    ledger: Ledger = attrs.field(init=False)
    wrap: Callable[[FileTransport], FileTransport] = lambda transport: transport
    opened: list[FileTransport] = attrs.field(factory=list)

    def __attrs_post_init__(self) -> None:
        self.server.clock = self.clock
        self.ledger = Ledger.open(self.folder / "filings.db", clock=self.clock)

    @property
    def into(self) -> Path:
        """Where answers are collected."""
        return self.folder / "answers"

    def gateway(self, who: Credential | None = None, **settings: Any) -> skat.Gateway:
        """A gateway on the server in memory."""
        settings.setdefault("ledger", self.ledger)
        settings.setdefault("clock", self.clock)
        settings.setdefault("sleep", self.clock.sleep)
        settings.setdefault("transport", self.open)
        settings.setdefault("password", Secret("a password of the tests"))
        return skat.Gateway(settings.pop("environment", LOCAL), who or organisation(), **settings)

    def open(self) -> FileTransport:
        """One more connection."""
        transport = self.wrap(MemoryTransport(self.server))
        self.opened.append(transport)
        return transport


def report(seed: int = 1, *, accounts: int = 2) -> bytes:
    """A Rente zip: one XML file for each account."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for account in range(accounts):
            name = f"{seed:06d}{account:04d}.xml"
            archive.writestr(zipfile.ZipInfo(name), f"<Laan><KontoID>{name}</KontoID></Laan>")
    return content.getvalue()


def records(*middle: str, width: int = 80) -> bytes:
    """A Classic file: start record, records, end record."""
    lines = [line.ljust(width) for line in ("0001", *(f"0100{text}" for text in middle), "9998")]
    return "\r\n".join(lines).encode() + b"\r\n"
