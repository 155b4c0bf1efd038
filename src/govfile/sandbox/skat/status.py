"""Status files as the gateway prints them: XML 1.0, UTF-8, `standalone="no"`, no namespace, Danish local time.

Source: the authority's pages on status files and on their content. Where the exact nesting of `response` and `error`
is not published, they stand inside `file`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

import attrs

from govfile.sandbox.skat.faults import Damage
from govfile.sandbox.skat.settings import Spelling

if TYPE_CHECKING:
    from collections.abc import Sequence

_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n'
_WORDS = {0: "ERROR", 1: "File delivered to requested Backend System", 2: "OK", 3: "OK"}
_OVERSIZE = 32 * 1024 * 1024

_BOMB = (
    '<!DOCTYPE status [<!ENTITY a0 "lol">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    + '<!ENTITY local SYSTEM "file:///etc/hostname">]>\n'
)


@attrs.frozen(kw_only=True)
class Status:
    """What one status file says. `names` are the answers put in `out` (3), `code` and the words about it an error's."""

    number: int
    service: str
    name: str
    folder: str
    transaction: str
    at: datetime
    names: Sequence[str] = ()
    code: str = ""
    message: str = ""
    resolution: str = ""

    @property
    def file_name(self) -> str:
        """`status_<service>_<uploaded name>_<number>.xml`."""
        return f"status_{self.service}_{self.name}_{self.number}.xml"

    def xml(self, *, spelling: Spelling = Spelling.TRANSACTION, stray_space: bool = False) -> bytes:
        """The file's bytes; one `file` block for each answer named."""
        blocks = [self._block(spelling, answer, stray_space=stray_space) for answer in self.names or [""]]
        return (_HEAD + "<status>" + "\n".join(blocks) + "</status>\n").encode()

    def _block(self, spelling: Spelling, answer: str, *, stray_space: bool) -> str:
        path = f"{self.folder}/{self.service}/{self.name}"
        if stray_space:
            path = "/ " + path.removeprefix("/")
        lines = [
            ("filename", path),
            ("FTPTransaktionsId", self.name),
            (spelling.value, self.transaction),
            ("timestamp", danish(self.at).strftime("%Y%m%d%H%M%S")),
            ("status.code", _WORDS[self.number]),
            ("service", self.service),
        ]
        text = "".join(f"  <{tag}>{escape(value)}</{tag}>\n" for tag, value in lines)
        if answer:
            text += f"  <response>\n    <filename>{escape(answer)}</filename>\n  </response>\n"
        if self.code:
            text += (
                f"  <error>\n    <error.code>{escape(self.code)}</error.code>\n"
                f"    <error.message>{escape(self.message)}</error.message>\n"
                f"    <error.resolution>{escape(self.resolution)}</error.resolution>\n  </error>\n"
            )
        return f"<file>\n{text}</file>"


def damaged(xml: bytes, damage: Damage) -> bytes:
    """A status file with one thing wrong."""
    body = xml.split(b"\n", 1)[1]
    match damage:
        case Damage.EMPTY:
            return b""
        case Damage.TRUNCATED:
            return xml[: len(xml) // 2]
        case Damage.OVERSIZED:
            return xml + b" " * _OVERSIZE
        case Damage.DOCTYPE:
            return _HEAD.encode() + b"<!DOCTYPE status>\n" + body
        case Damage.ENTITIES:
            named = body.replace(b"</service>", b"&a9;&local;</service>")
            return _HEAD.encode() + _BOMB.encode() + named
        case Damage.NOT_XML:
            return b"%PDF-1.4\r\n\x00\x01 not a status at all\r\n"
        case Damage.UNKNOWN_ELEMENTS:
            extra = b"<afstemning><antal>3</antal><sum>1250.00</sum></afstemning>"
            return xml.replace(b"</file>", extra + b"</file>")


def danish(moment: datetime) -> datetime:
    """Danish local time, no zone: UTC+1; UTC+2 from the last Sunday of March to that of October, 01:00 UTC."""
    utc = moment.astimezone(UTC)
    summer = _last_sunday(utc.year, 3) <= utc < _last_sunday(utc.year, 10)
    return (utc + timedelta(hours=2 if summer else 1)).replace(tzinfo=None)


def started_at(moment: datetime) -> str:
    """The name of what a back end starts by itself: Danish local time, `yyyyMMddHHmmss` and milliseconds."""
    local = danish(moment)
    return f"{local:%Y%m%d%H%M%S}{local.microsecond // 1000:03}"


def _last_sunday(year: int, month: int) -> datetime:
    last = datetime(year, month, 31, 1, tzinfo=UTC)
    return last - timedelta(days=(last.weekday() + 1) % 7)
