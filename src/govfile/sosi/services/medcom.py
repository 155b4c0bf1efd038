"""The header of Den Gode Webservice, `medcom:Header`: which message this is, how urgent, and under which level.

Source: MedCom's schema for DGWS 1.0 and 1.0.1 (the header is the same in both), with the spellings of the wire.
"""

from __future__ import annotations

import base64
import enum
import secrets
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import attrs

from govfile.errors import InvalidContent, ProtocolError
from govfile.sosi._text import check_text
from govfile.sosi._words import Word, known
from govfile.sosi.constants import MEDCOM
from govfile.xml.canonical import escape_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from govfile.xml.parse import Element

#: What libraries of the national platform end their message ids with.
_SEAL = b"SOSI"


class TimeOut(enum.Enum):
    """How old a card may be, counted from its issue; the value is the word on the wire, in minutes."""

    MINUTES_5 = "5"
    MINUTES_30 = "30"
    HOURS_8 = "480"
    HOURS_24 = "1440"
    UNBOUND = "unbound"

    @property
    def age(self) -> timedelta | None:
        """The age; None for no bound."""
        return None if self is TimeOut.UNBOUND else timedelta(minutes=int(self.value))


class FlowStatus(enum.Enum):
    """Whether more messages of a flow are to come; the value is the word on the wire, spelt as it is there."""

    RUNNING = "flow_running"
    FINALISED = "flow_finalized_succesfully"


class Priority(enum.Enum):
    """How urgent a message is; the value is the word on the wire."""

    ACUTE = "AKUT"
    HURRIED = "HASTER"
    ROUTINE = "RUTINE"


def new_message_id() -> str:
    """A message id nobody has used: a UUID."""
    return str(uuid.uuid4())


def seal_message_id(at: datetime | None = None, *, randomness: Callable[[int], bytes] = secrets.token_bytes) -> str:
    """A message id in the form of the Seal libraries: Base64 of milliseconds since 1970, eight random bytes, `SOSI`.

    `at` is an aware time, now if left out.
    """
    moment = at or datetime.now(UTC)
    milliseconds = int(moment.timestamp() * 1000)
    return base64.b64encode(milliseconds.to_bytes(8, "big") + randomness(8) + _SEAL).decode("ascii")


def trimmed(text: str) -> str:
    """An id as it arrives: white space around it does not survive the way."""
    return text.strip()


def _trimmed(text: str | None) -> str | None:
    return None if text is None else trimmed(text)


def _checked_id(what: str, value: str | None) -> None:
    if value is not None:
        check_text(what, value)


@attrs.frozen(kw_only=True)
class MedcomHeader:
    """What goes into `medcom:Header`.

    `message_id` names the message: sent again because the link was lost, it keeps its id, and so does the header; a
    new message gets a new header (`for_new_message`). `flow_id` groups messages. `security_level` (1 to 5) is the
    card's level when left out. `timeout` is how old the card may be for this call. `non_repudiation` asks for a
    receipt, which many services refuse to give.

    Raises `InvalidContent` for ids that XML cannot hold and levels outside 1 to 5.
    """

    message_id: str = attrs.field(factory=new_message_id, converter=trimmed)
    flow_id: str | None = attrs.field(default=None, converter=_trimmed)
    in_response_to: str | None = attrs.field(default=None, converter=_trimmed)
    security_level: int | None = None
    timeout: TimeOut | None = None
    flow_status: FlowStatus | None = None
    priority: Priority | None = None
    non_repudiation: bool | None = None

    def __attrs_post_init__(self) -> None:
        _checked_id("the message's id", self.message_id)
        _checked_id("the flow's id", self.flow_id)
        _checked_id("the id of the message answered", self.in_response_to)
        if self.security_level is not None and self.security_level not in range(1, 6):
            raise InvalidContent(f"there is no security level {self.security_level}", advice="levels go from 1 to 5")

    def for_new_message(self, message_id: str | None = None) -> MedcomHeader:
        """The same for the next message of the flow, under a new id."""
        return attrs.evolve(self, message_id=message_id or new_message_id(), in_response_to=None)

    def written(self, level: int | None = None) -> str:
        """The element as text, declaring its own namespace; `level` stands where the header names none."""
        stated = self.security_level if self.security_level is not None else level
        receipt = "" if self.non_repudiation is None else "yes" if self.non_repudiation else "no"
        return (
            f'<medcom:Header xmlns:medcom="{MEDCOM}">'
            f"{_element('SecurityLevel', '' if stated is None else str(stated))}"
            f"{_element('TimeOut', self.timeout.value if self.timeout else '')}"
            f"<medcom:Linking>{_element('FlowID', self.flow_id)}{_element('MessageID', self.message_id)}"
            f"{_element('InResponseToMessageID', self.in_response_to)}</medcom:Linking>"
            f"{_element('FlowStatus', self.flow_status.value if self.flow_status else '')}"
            f"{_element('Priority', self.priority.value if self.priority else '')}"
            f"{_element('RequireNonRepudiationReceipt', receipt)}</medcom:Header>"
        )

    @classmethod
    def of(cls, element: Element) -> MedcomHeader:
        """The header as a message has it; raises `ProtocolError` for words that do not exist and what is missing."""
        texts = header_texts(element)
        level = texts.get("SecurityLevel")
        if level is not None and level not in {"1", "2", "3", "4", "5"}:
            raise ProtocolError("the message's header names a security level that does not exist")
        if not texts.get("MessageID"):
            raise ProtocolError("the message's header has no MessageID")
        receipt = texts.get("RequireNonRepudiationReceipt")
        if receipt not in {None, "yes", "no"}:
            raise ProtocolError("the message's header says neither yes nor no to a receipt")
        try:
            return cls(
                message_id=texts["MessageID"],
                flow_id=texts.get("FlowID") or None,
                in_response_to=texts.get("InResponseToMessageID") or None,
                security_level=int(level) if level else None,
                timeout=_word(TimeOut, texts.get("TimeOut")),
                flow_status=_word(FlowStatus, texts.get("FlowStatus")),
                priority=_word(Priority, texts.get("Priority")),
                non_repudiation=None if receipt is None else receipt == "yes",
            )
        except InvalidContent as error:
            raise ProtocolError(f"the message's header cannot be read: {error.what}") from error


_ONE_LEVEL_DOWN = "Linking"


def header_texts(element: Element) -> dict[str, str]:
    """The texts of a header's elements by local name; those of other namespaces are left out.

    Raises `ProtocolError` where one stands twice.
    """
    found: dict[str, str] = {}
    linking = tuple(child for child in element.children if child.name == _ONE_LEVEL_DOWN)
    if len(linking) > 1:
        raise ProtocolError("the message's header has more than one Linking")
    for child in (*element.children, *(inner for one in linking for inner in one.children)):
        if child.namespace != MEDCOM or child.name == _ONE_LEVEL_DOWN:
            continue
        if child.name in found:
            raise ProtocolError(f"the message's header has {child.name} twice", advice="tell whoever sent it")
        found[child.name] = child.text.strip()
    return found


def _element(name: str, value: str | None) -> str:
    return f"<medcom:{name}>{escape_text(value)}</medcom:{name}>" if value else ""


def _word(kind: type[Word], text: str | None) -> Word | None:
    if text is None:
        return None
    found = known(kind, text)
    if found is None:
        raise ProtocolError(f"the message's header has a {kind.__name__} that does not exist")
    return found
