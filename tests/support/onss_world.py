"""A small world for the channel's tests: a clock nobody waits for, folders in memory, and answers written by hand.

What answers knows nothing of the client's code: it reads what was stored when a trigger arrived.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import attrs
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs7

from govfile import Ledger, onss
from govfile.certificates.credential import Credential
from govfile.certificates.signer import SoftwareSigner
from govfile.certificates.ssh import SshKey
from govfile.transports.base import TransferType
from govfile.transports.memory import MemoryServer, MemoryTransport
from support.pki import Authority, ec_key, plain
from support.skat_world import Clock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from govfile.transports.base import ExclusiveTransport

SENDER = "101420"
USER = "EXPDEMOENTREPRISE"
TICKET = "03804UE9XCMQZ"
FOLDERS = ("IN", "OUT", "INTEST", "OUTTEST", "INTEST-S", "OUTTEST-S")

FORM = """
 <Form>
  <Identification>DMFA</Identification>
  <FormCreationDate>2026-01-05</FormCreationDate>
  <FormCreationHour>{hour}</FormCreationHour>
  <AttestationStatus>0</AttestationStatus>
  <TypeForm>SU</TypeForm>
  <Reference><ReferenceType>1</ReferenceType><ReferenceOrigin>1</ReferenceOrigin>\
<ReferenceNbr>{own}</ReferenceNbr></Reference>
 </Form>"""

HEADER = """<Identification>{kind}</Identification><FormCreationDate>2026-01-05</FormCreationDate>
<FormCreationHour>10:00:00.000</FormCreationHour><AttestationStatus>0</AttestationStatus><TypeForm>{type}</TypeForm>"""

FILE = """<FileReference><FileName>{name}</FileName><ReferenceOrigin>2</ReferenceOrigin>\
<ReferenceNbr>{ticket}</ReferenceNbr></FileReference>"""

REFERENCE = """<Reference><ReferenceType>1</ReferenceType><ReferenceOrigin>{}</ReferenceOrigin>
<ReferenceNbr>{}</ReferenceNbr></Reference>"""

ACRF = """<?xml version="1.0" encoding="UTF-8"?><ACRF>{forms}</ACRF>"""
NOTI = """<?xml version="1.0" encoding="UTF-8"?><NOTIFICATION>{forms}</NOTIFICATION>"""


def declaration(seed: int = 1, *, forms: int = 1) -> bytes:
    """A DmfA of so many forms, each with a reference and an hour of its own."""
    inside = "".join(FORM.format(hour=f"09:00:{seed % 60:02}.{form:03}", own=own(seed, form)) for form in range(forms))
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<DmfAOriginal><!-- {seed} -->{inside}\n</DmfAOriginal>\n'.encode()


def own(seed: int, form: int = 0) -> str:
    """The reference of a form."""
    return f"OURS-{seed:05}-{form}"


@functools.cache
def credential(common_name: str = "Signer Voorbeeld", number: int = 3) -> Credential:
    """A signing credential valid from 2021 to 2040."""
    begin, end = datetime(2021, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
    issuer = Authority.create(plain("Issuer Voorbeeld"), key=ec_key(2), not_before=datetime(2020, 1, 1, tzinfo=UTC))
    identity = issuer.issue(plain(common_name), key=ec_key(number), not_before=begin, not_after=end)
    return Credential.from_signer(SoftwareSigner(identity.key), identity.certificate, allow_expired=True)


@functools.cache
def ssh_key() -> SshKey:
    """A login key; nobody looks at it here."""
    key = ec.generate_private_key(ec.SECP256R1())
    return SshKey.from_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))


def signature(content: bytes, by: Credential | None = None) -> bytes:
    """An FS file as an institution may write it, made by another library than the client's."""
    who = by or credential("Institution", 4)
    builder = pkcs7.PKCS7SignatureBuilder().set_data(content)
    key: Any = who.private_key
    signed = builder.add_signer(who.certificate, key, hashes.SHA256())
    options = [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary]
    return base64.encodebytes(signed.sign(Encoding.DER, options))


@attrs.frozen
class Triggered:
    """A set as it lay there when its trigger arrived: the trigger's name, and the other files by name."""

    name: str
    files: dict[str, bytes]


class Server(MemoryServer):
    """Folders of one sender; remembers what was triggered, for ever, and answers when told."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        super().__init__([f"/{folder}" for folder in FOLDERS], clock=clock, is_exclusive=True)
        self.triggered: list[Triggered] = []
        self.moves_at_once = False
        self._answers = 0

    def store(self, path: str, data: bytes, transfer_type: TransferType = TransferType.BINARY) -> None:
        super().store(path, data, transfer_type)
        folder, _, name = self.absolute(path).lstrip("/").partition("/")
        if folder.startswith("IN") and name.startswith("GO"):
            stem = name[3:]
            lying = self.lying(folder)
            mine = {each: lying[each] for each in lying if each[3:].startswith(f"{stem}.")}
            self.triggered.append(Triggered(name, mine))
            if self.moves_at_once:
                for each in (*mine, name):
                    del self.files[f"/{folder}/{each}"]

    def lying(self, folder: str = "IN") -> dict[str, bytes]:
        """The files in a folder."""
        start = f"/{folder}/"
        return {path.removeprefix(start): found.data for path, found in self.files.items() if path.startswith(start)}

    def answer(
        self,
        purpose: str,
        content: bytes | str,
        *,
        folder: str = "OUT",
        prefix: str = "FO",
        fs: bytes | None = b"",
        go: bool = True,
    ) -> str:
        """Lay an answer into the folder, signed unless told otherwise; returns its name."""
        self._answers += 1
        letter = {"OUT": "R", "OUTTEST": "T", "OUTTEST-S": "S"}[folder]
        rest = f"{purpose}.999999.20260105.{self._answers:05}.{letter}"
        raw = content.encode() if isinstance(content, str) else content
        self.store(f"/{folder}/{prefix}.{rest}", raw)
        if fs is not None:
            self.store(f"/{folder}/FS.{rest}", fs or signature(raw))
        if go:
            self.store(f"/{folder}/GO.{rest}", b"")
        return f"{prefix}.{rest}"

    def acknowledge(self, name: str, *codes: str, ticket: str = TICKET, form: str = "FA", **how: Any) -> str:
        """An acknowledgement of the file called `name`; with codes, a refusal."""
        return self.answer("ACRF", acrf(name, *codes, ticket=ticket, form=form), **how)

    def notify(self, *forms: str, **how: Any) -> str:
        """A notification of such forms."""
        return self.answer("NOTI", NOTI.format(forms="".join(forms)), **how)


def acrf(name: str, *codes: str, ticket: str = TICKET, form: str = "FA") -> str:
    """An acknowledgement's XML."""
    ids = "".join(f"<ErrorID>ACRF-{code}</ErrorID>" for code in codes)
    result = f"<ReceptionResult><ResultCode>{0 if codes else 1}</ResultCode>{ids}</ReceptionResult>"
    header = HEADER.format(kind="ACRF001", type=form)
    return ACRF.format(forms=f"<Form>{header}{FILE.format(name=name, ticket=ticket)}{result}</Form>")


def notified(
    seed: int = 1,
    form: int = 0,
    *,
    result: int = 1,
    name: str = "",
    ticket: str = "",
    type_form: str = "FA",
    has_reference: bool = True,
    anomalies: str = "",
) -> str:
    """One form of a notification, about one form of `declaration(seed)`."""
    file = FILE.format(name=name, ticket=TICKET) if name else ""
    stamp = f"""<HandledOriginalForm><Identification>DMFA</Identification>
<FormCreationDate>2026-01-05</FormCreationDate>
<FormCreationHour>09:00:{seed % 60:02}.{form:03}</FormCreationHour></HandledOriginalForm>"""
    references = REFERENCE.format(1, own(seed, form)) if has_reference else ""
    references += REFERENCE.format(2, ticket) if ticket else ""
    handled = f"""<HandledReference><ReferenceType>1</ReferenceType><ReferenceOrigin>2</ReferenceOrigin>
<ReferenceNbr>F{seed:04}{form:04}</ReferenceNbr></HandledReference>"""
    handling = f"<HandlingResult><ResultCode>{result}</ResultCode>{anomalies}</HandlingResult>"
    header = HEADER.format(kind="NOTI001", type=type_form)
    return f"<Form>{header}{file}{stamp}{references}{handled}{handling}</Form>"


@attrs.define
class World:
    """A sender, its ledger, and the channel's folders in memory."""

    folder: Path
    clock: Clock = attrs.field(factory=Clock)
    server: Server = attrs.field(init=False)
    ledger: Ledger = attrs.field(init=False)
    wrap: Callable[[Any], Any] = lambda transport: transport
    opened: list[Any] = attrs.field(factory=list)

    def __attrs_post_init__(self) -> None:
        self.server = Server(self.clock)
        self.ledger = Ledger.open(self.folder / "filings.db", clock=self.clock)

    @property
    def into(self) -> Path:
        """Where answers are collected."""
        return self.folder / "answers"

    def channel(self, environment: onss.Environment = onss.PRODUCTION, **settings: Any) -> onss.Channel:
        """A channel on the folders in memory."""
        settings.setdefault("sender", SENDER)
        settings.setdefault("user", USER)
        settings.setdefault("ssh_key", ssh_key())
        settings.setdefault("ledger", self.ledger)
        settings.setdefault("clock", self.clock)
        settings.setdefault("sleep", self.clock.sleep)
        settings.setdefault("transport", self.open)
        who = settings.pop("credential", credential())
        return onss.Channel(environment, who, **settings)

    def open(self) -> ExclusiveTransport:
        """One more connection."""
        transport = self.wrap(MemoryTransport(self.server))
        self.opened.append(transport)
        return transport  # type: ignore[no-any-return]

    def write(self, seed: int = 1, *, forms: int = 1) -> Path:
        """A declaration on disk."""
        path = self.folder / f"dmfa-{seed}.xml"
        path.write_bytes(declaration(seed, forms=forms))
        return path


def digest(content: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(content).hexdigest()
