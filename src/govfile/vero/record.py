"""A prepared record of the Incomes Register: what its head says, and its bytes, which stay as they are.

Source: the register's schemas of 2022 (WageReportsToIR) for the head.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

import attrs

from govfile.errors import InvalidContent, ProtocolError

if TYPE_CHECKING:
    from govfile.certificates.credential import Credential
    from govfile.filing.source import Source
    from govfile.vero.delivery import Subject
    from govfile.xml.parse import Limits
    from govfile.xml.unsigned import UnsignedPart

WAGE_REPORTS = 100
_ROOT = "{http://www.tulorekisteri.fi/2017/1/WageReportsToIR}WageReportsRequestToIR"
_SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"
_LONGEST_ID = 40
_BUSINESS_ID = re.compile(r"\d{7}-\d", re.ASCII)
_LARGEST = 128 * 1024 * 1024


@attrs.frozen
class Party:
    """Who a record belongs to, or who made it: the register's `Type` of id, the id's `code`, and its country.

    A code that is no Business ID may be a person's, and stays out of the repr and of the ledger.
    """

    type: int
    code: str = attrs.field(repr=False)
    country: str | None = None

    def __str__(self) -> str:
        """As the ledger has it: codes that are no Business IDs by the beginning of their SHA-256."""
        shown = self.code
        if not _BUSINESS_ID.fullmatch(self.code):
            shown = f"#{hashlib.sha256(self.code.encode()).hexdigest()[:24]}"
        return f"{self.type}:{shown}" + (f":{self.country}" if self.country else "")

    @classmethod
    def recognise(cls, text: str) -> Party | None:
        """From the ledger's form; None where the code is not in it."""
        kind, _, rest = text.partition(":")
        code, _, country = rest.partition(":")
        if not kind.isdecimal() or not _BUSINESS_ID.fullmatch(code):
            return None
        return cls(int(kind), code, country or None)

    def values(self) -> dict[str, object]:
        """The elements of a message."""
        return {"Type": self.type, "Code": self.code, "CountryCode": self.country}


@attrs.frozen(kw_only=True)
class Record:
    """The head of a record. `name` is what the ledger calls it: record type and DeliveryId, unique for its owner."""

    data_type: int
    delivery_id: str
    is_production: bool
    owner: Party
    creator: Party
    sender: Party
    is_signed: bool
    content: bytes = attrs.field(repr=False)

    @property
    def subject(self) -> Subject:
        """What an answer must be about."""
        from govfile.vero.delivery import Subject

        return Subject(
            delivery_id=self.delivery_id,
            data_type=self.data_type,
            owner=self.owner,
            is_production=self.is_production,
        )

    @property
    def name(self) -> str:
        """Record type and DeliveryId."""
        return ledger_name(self.delivery_id, self.data_type)

    def signed(self, credential: Credential) -> bytes:
        """The record's root element with its signature; one that is signed already stays as it is."""
        from govfile.certificates.signer import SignatureAlgorithm
        from govfile.xml.signing import Reference, sign
        from govfile.xml.splicing import Place

        if self.is_signed:
            return root_alone(self.content)
        whole = sign(
            self.content,
            credential,
            [Reference(id="", is_enveloped=True)],
            Place(path=(_ROOT,)),
            algorithm=SignatureAlgorithm.RSA_SHA256,
            limits=_limits(),
        )
        return root_alone(whole)


def ledger_name(delivery_id: str, data_type: int = WAGE_REPORTS) -> str:
    """What the ledger calls a record."""
    return f"{data_type}/{delivery_id}"


def read_record(source: Source) -> Record:
    """Read a record of wage reports; raises `InvalidContent` when its head does not hold what the register asks for."""
    from govfile.xml.unsigned import read_unsigned

    with source.open() as reader:
        content = reader.read()
    try:
        root = read_unsigned(content, limits=_limits(), what="the record")
    except ProtocolError as error:
        raise InvalidContent(error.what, advice="mend the program that wrote it") from error
    if root.name != _ROOT:
        raise InvalidContent(f"the record is a {root.name.rpartition('}')[2][:60]}, not {_ROOT}")
    data = _only(root, "DeliveryData")
    data_type, faithful = _text(data, "DeliveryDataType"), _text(data, "ProductionEnvironment")
    if data_type != str(WAGE_REPORTS):
        raise InvalidContent(f"the record's DeliveryDataType is not {WAGE_REPORTS}, wage reports")
    if faithful not in ("true", "false"):
        raise InvalidContent("the record's ProductionEnvironment is neither true nor false")
    return Record(
        data_type=WAGE_REPORTS,
        delivery_id=check_delivery_id(_text(data, "DeliveryId")),
        is_production=faithful == "true",
        owner=_party(data, "DeliveryDataOwner"),
        creator=_party(data, "DeliveryDataCreator"),
        sender=_party(data, "DeliveryDataSender"),
        is_signed=root.children[-1].name == _SIGNATURE,
        content=content,
    )


def check_delivery_id(text: str) -> str:
    """A DeliveryId has 1 to 40 printable characters; raises `InvalidContent`."""
    if not 0 < len(text) <= _LONGEST_ID or not text.isprintable():
        raise InvalidContent(f"a DeliveryId has 1 to {_LONGEST_ID} printable characters, this one has {len(text)}")
    return text


def root_alone(document: bytes) -> bytes:
    """The root element's bytes, without a declaration before it, for an envelope around it."""
    from govfile.xml.splicing import span_of

    span = span_of(document, ())
    return document[span.start : span.end]


def _limits() -> Limits:
    """A record may hold thousands of reports."""
    from govfile.xml.parse import Limits

    return Limits(size=_LARGEST, elements=5_000_000)


def _party(data: UnsignedPart, name: str) -> Party:
    found = _only(data, name)
    kind, country = _text(found, "Type"), found.at("CountryCode")
    if not kind.isdecimal():
        raise InvalidContent(f"the Type of the record's {name} is no number")
    return Party(int(kind), _text(found, "Code"), country[0].element.text.strip() if country else None)


def _text(parent: UnsignedPart, name: str) -> str:
    return _only(parent, name).element.text.strip()


def _only(parent: UnsignedPart, name: str) -> UnsignedPart:
    found = parent.at(name)
    if len(found) != 1:
        raise InvalidContent(
            f"the record's {parent.name.rpartition('}')[2]} holds {len(found)} elements {name} outside any namespace, "
            "not one",
            advice="children of the register's messages are in no namespace: leave out a default xmlns on the root",
        )
    return found[0]
