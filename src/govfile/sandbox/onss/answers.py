"""The texts of answers: acknowledgements (ACRF 2023/1), notifications (NOTIFICATION 2022/3), and what comes unasked.

Their elements and order are those of the published schemas; values are the sandbox's own.
"""

from __future__ import annotations

import itertools
import zlib
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

import attrs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from govfile.sandbox.onss.replies import Anomaly, Replies
    from govfile.sandbox.onss.rules import HandledForm

_SCHEMAS = "20263"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_LONGEST_NAME = 80

#: Purpose → (root element, identification) of what comes without being asked for.
UNSOLICITED = {
    "DMNO": ("DmfAUpdateNotification", "DMFANOT"),
    "DMPI": ("DmfAPID", "DMFAPID"),
    "IDFL": ("IDFLUX", "IDFLUX"),
    "BEWA": ("BewareNotification", "BEWARE"),
}


@attrs.frozen(kw_only=True)
class Subject:
    """What an answer is about: the file's name as the answer gives it, and its ticket."""

    file_name: str
    ticket: str
    sender: str


def acrf(subject: Subject, codes: Sequence[str], *, at: datetime, form: str = "FA", has_ticket: bool = True) -> bytes:
    """An acknowledgement: accepted when there are no codes. `form` is FA (final) or PA (provisional)."""
    reception = [_text("ResultCode", "0" if codes else "1"), *(_text("ErrorID", f"ACRF-{code}") for code in codes)]
    content = [
        *_header("ACRF001", at, form),
        _file_reference(subject, has_ticket=has_ticket),
        _element("ReceptionResult", *reception),
    ]
    return _document("ACRF", [content])


def notification(
    subject: Subject, handled: Sequence[HandledForm], results: Sequence[int], *, at: datetime, replies: Replies
) -> bytes:
    """One form for each form handled; `results` are taken in turn."""
    codes = itertools.cycle(results)
    return _document("NOTIFICATION", [_handled(subject, form, next(codes), at, replies) for form in handled])


def unsolicited(purpose: str, *, at: datetime, number: int) -> bytes:
    """Something of `purpose` that nobody asked for; the content is a sample."""
    root, identification = UNSOLICITED.get(purpose, (purpose, f"{purpose}001"))
    sample = _element("SampleContent", _text("Number", str(number)))
    return _document(root, [[*_header(identification, at, "SU"), sample]])


def _handled(subject: Subject, form: HandledForm, result: int, at: datetime, replies: Replies) -> list[str]:
    content = _header("NOTI001", at, "PA" if result == 3 else "FA")
    if replies.file_reference:
        content.append(_file_reference(subject, has_ticket=True))
    content.append(_element("HandledOriginalFile", _text("SenderId", subject.sender)))
    if replies.original_form:
        content.append(_original(form))
    if replies.ticket_reference:
        content.append(_reference("Reference", "2", subject.ticket))
    if replies.own_reference:
        content += [_reference("Reference", "1", number) for number in form.references[:3]]
    content.append(_reference("HandledReference", "2", f"{subject.ticket}{zlib.crc32(repr(form).encode()):08X}"))
    content.append(_result(result, replies))
    return content


def _original(form: HandledForm) -> str:
    return _element(
        "HandledOriginalForm",
        _text("Identification", form.identification),
        _text("FormCreationDate", form.date),
        _text("FormCreationHour", form.hour),
    )


def _result(result: int, replies: Replies) -> str:
    diagnosis = [_text("Diagnosis", str(replies.diagnosis))] if result == 0 and replies.diagnosis is not None else []
    return _element(
        "HandlingResult", _text("ResultCode", str(result)), *diagnosis, *(_anomaly(each) for each in replies.anomalies)
    )


def _anomaly(anomaly: Anomaly) -> str:
    correction = [_text("CorrectionType", anomaly.correction)] if anomaly.correction else []
    return _element(
        "AnomalyReport",
        _text("ErrorID", anomaly.error_id),
        _text("TagName", anomaly.tag),
        _text("Value", anomaly.value),
        _text("AnomalyClass", anomaly.anomaly_class),
        _text("AnomalyLabel", anomaly.label),
        *([_element("SystemCorrection", *correction)] if correction else []),
    )


def _file_reference(subject: Subject, *, has_ticket: bool) -> str:
    ticket = [_text("ReferenceOrigin", "2"), _text("ReferenceNbr", subject.ticket)] if has_ticket else []
    return _element("FileReference", _text("FileName", _printable(subject.file_name)), *ticket)


def _reference(name: str, origin: str, number: str) -> str:
    return _element(name, _text("ReferenceType", "1"), _text("ReferenceOrigin", origin), _text("ReferenceNbr", number))


def _header(identification: str, at: datetime, form: str) -> list[str]:
    local = at.astimezone(ZoneInfo("Europe/Brussels"))
    return [
        _text("Identification", identification),
        _text("FormCreationDate", local.strftime("%Y-%m-%d")),
        _text("FormCreationHour", local.strftime("%H:%M:%S.") + f"{local.microsecond // 1000:03}"),
        _text("AttestationStatus", "0"),
        _text("TypeForm", form),
    ]


def _printable(name: str) -> str:
    return "".join(found if found.isprintable() else "?" for found in name[:_LONGEST_NAME])


def _text(name: str, value: str) -> str:
    return f"<{name}>{escape(value)}</{name}>"


def _element(name: str, *children: str) -> str:
    return f"<{name}>{''.join(children)}</{name}>"


def _document(root: str, forms: Sequence[Sequence[str]]) -> bytes:
    opening = f'<{root} xmlns:xsi="{_XSI}" xsi:noNamespaceSchemaLocation="{root}_{_SCHEMAS}.xsd">'
    lines = [_element("Form", *form) for form in forms]
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', opening, *lines, f"</{root}>", ""]).encode()
