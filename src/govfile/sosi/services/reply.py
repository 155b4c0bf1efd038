"""Answers by Den Gode Webservice: read by whoever called, written by whoever was called.

Answers are not signed. What one says rests on the TLS connection it came over.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import attrs

from govfile.errors import ProtocolError
from govfile.sosi import constants, times
from govfile.sosi.services.dgws import Soap, check_element
from govfile.sosi.services.fault_codes import FaultCode, refused
from govfile.sosi.services.medcom import FlowStatus, MedcomHeader, header_texts, new_message_id
from govfile.sosi.times import DgwsVersion
from govfile.xml.canonical import escape_text
from govfile.xml.parse import blot, parse
from govfile.xml.soap import read_soap

if TYPE_CHECKING:
    from collections.abc import Mapping

    from govfile.sosi.services.provider import DgwsCall
    from govfile.xml.parse import Limits
    from govfile.xml.soap import SoapFault, SoapMessage

_HEADER = f"{{{constants.MEDCOM}}}Header"
_SECURITY = f"{{{constants.WSSE}}}Security"
_RELATES_TO = f"{{{constants.WSA}}}RelatesTo"


@attrs.frozen(kw_only=True, eq=False)
class DgwsReply:
    """An answer: its `body` (the element in it, able to stand alone; empty for none), or its `fault`.

    `message_id` names the answer, `in_response_to` the message it answers (`relates_to` by WS-Addressing), `flow_id`
    their flow; `created` is in UTC.
    Fields are None where the answer does not say: services differ in what they send. `xml` is the whole envelope.
    """

    body: bytes = attrs.field(default=b"", repr=False)
    message_id: str | None = None
    in_response_to: str | None = None
    relates_to: str | None = None
    flow_id: str | None = None
    flow_status: FlowStatus | None = None
    security_level: int | None = 1
    created: datetime | None = None
    fault: SoapFault | None = None
    soap: Soap = Soap.V1_1
    xml: bytes = attrs.field(default=b"", repr=False)

    @classmethod
    def read(
        cls, body: bytes, *, content_type: str = "text/xml", status: int = 200, limits: Limits | None = None
    ) -> DgwsReply:
        """The answer in an HTTP answer: its `body`, its Content-Type, its `status`; also one in parts (MTOM).

        Raises `ProtocolError` when it is no SOAP message; a fault does not raise here, but in `accepted`.
        """
        message = read_soap(body, content_type=content_type, status=status, limits=limits)
        found = _texts(message)
        level = found.get("SecurityLevel", "")
        return cls(
            body=message.body_child() if message.fault is None and message.body_names else b"",
            message_id=found.get("MessageID") or None,
            in_response_to=found.get("InResponseToMessageID") or None,
            relates_to=_text(message, _RELATES_TO),
            flow_id=found.get("FlowID") or None,
            flow_status=next((status for status in FlowStatus if status.value == found.get("FlowStatus")), None),
            security_level=int(level) if level in {"1", "2", "3", "4", "5"} else None,
            created=_created(message),
            fault=message.fault,
            soap=Soap.V1_1 if message.version == "1.1" else Soap.V1_2,
            xml=message.xml,
        )

    def accepted(
        self,
        message_id: str | None = None,
        *,
        addressed_as: str | None = None,
        operation: str = "",
        endpoint: str = "",
        at: datetime | None = None,
        their_time: datetime | None = None,
    ) -> bytes:
        """The body, when this is a good answer to the message `message_id` (`addressed_as` by WS-Addressing).

        Raises `Rejected` for a fault (`at` and `their_time`: see `refused`), and `ProtocolError` when the answer names
        another message. One that names none is taken: some services leave it out.
        """
        if self.fault is not None:
            raise refused(self.fault, operation=operation, endpoint=endpoint, at=at, their_time=their_time)
        answered = (self.in_response_to, message_id), (self.relates_to, addressed_as)
        if any(None not in pair and pair[0] != pair[1] for pair in answered):
            raise ProtocolError(
                "the answer is to another message than the one that was sent",
                advice="do not use it; tell the service's operator",
                operation=operation,
                endpoint=endpoint,
            )
        return self.body

    @classmethod
    def to(cls, call: DgwsCall, body: bytes, *, flow_status: FlowStatus = FlowStatus.FINALISED) -> DgwsReply:
        """The answer to a call: `body` is one element in UTF-8 that declares its namespaces, or nothing."""
        check_element(body, "the body")
        return cls(
            body=body,
            message_id=new_message_id(),
            in_response_to=call.header.message_id,
            flow_id=call.header.flow_id,
            flow_status=flow_status,
            soap=call.soap,
        )

    def written(self, at: datetime | None = None) -> bytes:
        """The envelope, created at `at` (aware; now, if left out)."""
        header = MedcomHeader(
            message_id=self.message_id or new_message_id(),
            in_response_to=self.in_response_to,
            flow_id=self.flow_id,
            flow_status=self.flow_status,
            security_level=self.security_level,
        )
        return envelope(header, self.body, soap=self.soap, at=at)

    @property
    def content_type(self) -> str:
        """The Content-Type to answer with; the HTTP status is 200."""
        return self.soap.content_type


@attrs.frozen(kw_only=True)
class DgwsFault:
    """A fault to answer with: why a call was not carried out, in a code for programs and a text for people.

    `code` may be any word; those of `FaultCode` are understood. `text` must name no person: it is written as it is,
    but for what looks like a CPR number.
    """

    code: str
    text: str
    in_response_to: str | None = None
    flow_id: str | None = None
    is_callers: bool = False
    soap: Soap = Soap.V1_1

    @classmethod
    def about(cls, error: Exception, call: DgwsCall | None = None, *, soap: Soap = Soap.V1_1) -> DgwsFault:
        """The fault for what went wrong.

        What `verify_request` raised goes out with its code and in its own words, a message that cannot be read as
        `syntax_error`; of anything else only `processing_problem`, since its words are meant for others.
        """
        stated = getattr(error, "fault_code", None)
        if isinstance(stated, FaultCode):
            code, text = stated, str(getattr(error, "what", "")) or stated.value
        elif isinstance(error, ProtocolError):
            code, text = FaultCode.SYNTAX_ERROR, error.what
        else:
            code, text = FaultCode.PROCESSING_PROBLEM, "the service could not carry out the call"
        linked = (call.header.message_id, call.header.flow_id) if call else (None, None)
        return cls(
            code=code.value,
            text=text,
            in_response_to=linked[0],
            flow_id=linked[1],
            soap=call.soap if call else soap,
        )

    def written(self, at: datetime | None = None) -> bytes:
        """The envelope, created at `at` (aware; now, if left out)."""
        header = MedcomHeader(in_response_to=self.in_response_to, flow_id=self.flow_id, security_level=1)
        code = f'<medcom:FaultCode xmlns:medcom="{constants.MEDCOM}">{_escaped(self.code)}</medcom:FaultCode>'
        text = _escaped(blot(self.text))
        if self.soap is Soap.V1_1:
            who = "Client" if self.is_callers else "Server"
            inner = f"<faultcode>soap:{who}</faultcode><faultstring>{text}</faultstring><detail>{code}</detail>"
        else:
            who = "Sender" if self.is_callers else "Receiver"
            inner = (
                f"<soap:Code><soap:Value>soap:{who}</soap:Value></soap:Code>"
                f'<soap:Reason><soap:Text xml:lang="en">{text}</soap:Text></soap:Reason>'
                f"<soap:Detail>{code}</soap:Detail>"
            )
        return envelope(header, f"<soap:Fault>{inner}</soap:Fault>".encode(), soap=self.soap, at=at)

    @property
    def content_type(self) -> str:
        """The Content-Type to answer with; the HTTP status is 500 (SOAP 1.1, section 6.2; SOAP 1.2 part 2, 7.5.2)."""
        return self.soap.content_type


def _escaped(text: str) -> str:
    """Text from anywhere: what XML cannot hold becomes a space."""
    return escape_text("".join(char if char.isprintable() else " " for char in text))


def envelope(header: MedcomHeader, body: bytes, *, soap: Soap, at: datetime | None) -> bytes:
    """An answer's envelope: time stamp and header, no card."""
    before = (
        f'<?xml version="1.0" encoding="UTF-8"?><soap:Envelope xmlns:soap="{soap.value}"><soap:Header>'
        f'<wsse:Security xmlns:wsse="{constants.WSSE}"><wsu:Timestamp xmlns:wsu="{constants.WSU}"><wsu:Created>'
        f"{times.write(at or datetime.now(UTC), DgwsVersion.V1_0_1)}</wsu:Created></wsu:Timestamp></wsse:Security>"
        f"{header.written()}</soap:Header><soap:Body>"
    )
    return before.encode() + body + b"</soap:Body></soap:Envelope>"


def _text(message: SoapMessage, name: str) -> str | None:
    header = message.header_child(name)
    return parse(header, what="the answer's header").text.strip() or None if header else None


def _texts(message: SoapMessage) -> Mapping[str, str]:
    header = message.header_child(_HEADER)
    return header_texts(parse(header, what="the answer's header")) if header else {}


def _created(message: SoapMessage) -> datetime | None:
    security = message.header_child(_SECURITY)
    if security is None:
        return None
    stamps = [found for found in parse(security, what="the answer's header").walk() if found.name == "Created"]
    return times.read(stamps[0].text.strip(), "the answer's Created") if stamps else None
