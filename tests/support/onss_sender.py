"""A sender of the Belgian channel that has nothing from us: paramiko carries, the openssl program signs."""

from __future__ import annotations

import base64
import contextlib
import io
import re
import subprocess
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import attrs
import paramiko

from govfile.sandbox.onss import OnssSandbox, SandboxClock
from support.programs import require

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from govfile.sandbox import pki
    from govfile.sandbox.onss import Account, Schedule, Settings

INBOX = {"R": "IN", "T": "INTEST", "S": "INTEST-S"}
OUTBOX = {"R": "OUT", "T": "OUTTEST", "S": "OUTTEST-S"}


def noon() -> datetime:
    """Noon of tomorrow (UTC): a time at which certificates made today are valid."""
    return (datetime.now(UTC) + timedelta(days=1)).replace(hour=12, minute=7, second=0, microsecond=0)


@contextlib.contextmanager
def standing_still(
    *, settings: Settings | None = None, schedule: Schedule | None = None, at: datetime | None = None
) -> Iterator[OnssSandbox]:
    """A sandbox whose clock only tests move."""
    with OnssSandbox(settings=settings, schedule=schedule, clock=SandboxClock(at or noon())) as authority:
        yield authority


@attrs.define
class Sender:
    """One login and its files. `folder` is for what openssl needs."""

    authority: OnssSandbox
    folder: Path
    account: Account
    transport: paramiko.Transport
    sftp: paramiko.SFTPClient
    count: int = 0

    # --- names

    def day(self) -> str:
        """Today in Belgium, by the sandbox's clock."""
        return self.authority.clock().astimezone(ZoneInfo("Europe/Brussels")).strftime("%Y%m%d")

    def stem(self, purpose: str = "DMFA", letter: str = "R") -> str:
        """Elements 2 to 6 of a new name."""
        self.count += 1
        return f"{purpose}.{self.account.sender}.{self.day()}.{self.count:05}.{letter}"

    # --- sending

    def put(self, path: str, content: bytes = b"") -> None:
        """Write a file and close it."""
        with self.sftp.open(path, "w") as writer:
            writer.write(content)

    def declare(
        self,
        *contents: bytes,
        purpose: str = "DMFA",
        letter: str = "R",
        stem: str | None = None,
        signatures: Sequence[bytes | None] | None = None,
    ) -> str:
        """Send a whole set; returns the GO's name. `signatures` None: made here; items that are None: left out."""
        stem = stem or self.stem(purpose, letter)
        parts = len(contents)
        made = signatures if signatures is not None else [base64.b64encode(self.sign(each)) for each in contents]
        for number, (content, signature) in enumerate(zip(contents, made, strict=True), 1):
            self.put(f"{INBOX[letter]}/FI.{stem}.{parts}.{number}", content)
            if signature is not None:
                self.put(f"{INBOX[letter]}/FS.{stem}.{parts}.{number}", signature)
        self.put(f"{INBOX[letter]}/GO.{stem}.{parts}")
        return f"GO.{stem}.{parts}"

    def sign(self, content: bytes, *options: str, by: pki.Issued | None = None) -> bytes:
        """A signature by `openssl cms` in DER: binary, SHA-256, unless `options` say otherwise."""
        signer, data, made = (self.folder / name for name in ("signer.pem", "data", "signature.der"))
        signer.write_bytes((by or self.account.issued).pem())
        data.write_bytes(content)
        command = [require("openssl"), "cms", "-sign", "-signer", str(signer), "-in", str(data), "-out", str(made)]
        command += ["-outform", "DER", *(options or ("-binary", "-md", "sha256"))]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        return made.read_bytes()

    # --- answers

    def wait(self, seconds: float = 10) -> None:
        """Let the sandbox's time pass."""
        self.authority.clock.advance(seconds)

    def answers(self, prefix: str = "FO", letter: str = "R") -> dict[str, bytes]:
        """The answers whose names begin so, oldest first."""
        found = self.authority.folder(OUTBOX[letter], sender=self.account.sender)
        return {name: content for name, content in found.items() if name.startswith(prefix)}

    def codes(self, name: str, letter: str = "R") -> list[str]:
        """The codes with which a file was acknowledged after a while; none: accepted."""
        self.wait()
        found = [acknowledged(each) for each in self.answers("FO.ACRF", letter).values()]
        matching = [codes for subject, codes in found if subject == name]
        assert len(matching) == 1, found
        return matching[0]


@contextlib.contextmanager
def connected(authority: OnssSandbox, folder: Path, account: Account | None = None) -> Iterator[Sender]:
    """A sender that has logged in, by SHA-2."""
    account = account or authority.account
    modern = {"pubkeys": ["ssh-rsa"]}  # older lines of paramiko still sign by SHA-1 where a server asks for it
    transport = paramiko.Transport(("127.0.0.1", authority.port), disabled_algorithms=modern)
    try:
        transport.start_client(timeout=20)
        key = paramiko.RSAKey.from_private_key(io.StringIO(account.ssh_private_pem.decode()))
        transport.auth_publickey(account.user, key)
        sftp = paramiko.SFTPClient.from_transport(transport)
        assert sftp is not None
        yield Sender(authority, folder, account, transport, sftp)
    finally:
        transport.close()


def acknowledged(content: bytes) -> tuple[str, list[str]]:
    """The file an ACRF is about, and its codes."""
    form = form_of(content)
    codes = [text(each) for each in form.iterfind("ReceptionResult/ErrorID")]
    result = form.findtext("ReceptionResult/ResultCode")
    assert result == ("0" if codes else "1")
    assert all(re.fullmatch(r"ACRF-\d{3}", code) for code in codes)
    return form.findtext("FileReference/FileName", ""), [code.removeprefix("ACRF-") for code in codes]


def forms_of(content: bytes) -> list[ET.Element]:
    """The forms of an answer."""
    return ET.fromstring(content).findall("Form")


def form_of(content: bytes) -> ET.Element:
    """The only form of an answer."""
    (form,) = forms_of(content)
    return form


def text(element: ET.Element) -> str:
    """What is written in it."""
    return element.text or ""
