"""What becomes of an answer on its way out: signed, put in an envelope, and broken where that was asked for."""

from __future__ import annotations

import functools
import gzip
import re
import struct
import zlib
from typing import TYPE_CHECKING, Any

import attrs

from govfile.sandbox.vero import issuing, xml
from govfile.sandbox.vero.faults import Damage, Lost, Spoilt, Wrong
from govfile.sandbox.vero.signing import sign
from govfile.sandbox.vero.throw_away import Authority
from govfile.sandbox.web import Response

if TYPE_CHECKING:
    from govfile.sandbox.clock import SandboxClock
    from govfile.sandbox.vero.faults import Faults, SoapFault
    from govfile.sandbox.vero.settings import Settings
    from govfile.sandbox.vero.signing import Signer

_HUGE = 200 << 20
_PLAIN = "text/plain; charset=utf-8"
_PAGE = b"<!DOCTYPE html><html><head><title>502</title></head><body><h1>Bad Gateway</h1></body></html>\n"
_VALUE = re.compile(r"<(RetrievalId|Certificate|Status|DeliveryDataStatus|Data)>([^<]+)</")
_OPPOSITES = {"OK": "FAIL", "FAIL": "OK", "2": "3", "3": "2", "4": "3", "5": "3"}
_CONTENT = re.compile(r"<(RetrievalId|Certificate|IRDeliveryId|Data)>[^<]*</\1>")
_STATUS = re.compile(r"<(Status|DeliveryDataStatus)>[^<]*</")
_FINNISH = "<SOAP-ENV:Header><!-- Päätös --></SOAP-ENV:Header>"
_ENTITIES = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">'
    '<!ENTITY e SYSTEM "file:///etc/hostname">]>'
)


@attrs.frozen(kw_only=True)
class Answer:
    """An answer to `operation`: its payload without a signature, and one to another operation for mistaking it."""

    operation: str
    payload: str = attrs.field(repr=False)
    other: str = attrs.field(repr=False)


class Replies:
    """Sends answers in the name of `signer`, a common name."""

    def __init__(self, *, signer: str, clock: SandboxClock, settings: Settings) -> None:
        self._signer = signer
        self._clock = clock
        self._settings = settings
        self._before: dict[str, str] = {}

    def send(self, answer: Answer, faults: Faults) -> Response | None:
        """The response for an answer; None when the link is lost before it."""
        if faults.lost is Lost.AFTER:
            return None
        payload = self._signed(answer, faults)
        before = self._before.get(answer.operation)
        self._before[answer.operation] = payload
        if faults.wrong is Wrong.REPLAYED and before is not None:
            payload = before
        message = xml.envelope(payload)
        response = _damaged(message, faults.damage) if faults.damage is not None else Response(body=message.encode())
        return self._hindered(response, faults)

    def fault(self, code: str, words: str, faults: Faults, *, status: int = 500) -> Response:
        """A SOAP fault."""
        return self._hindered(Response(status=status, body=xml.fault(code, words).encode()), faults)

    def on_request(self, wanted: SoapFault, faults: Faults) -> Response:
        """The SOAP fault somebody asked for."""
        if not wanted.is_12:
            return self.fault(wanted.code, wanted.words, faults, status=wanted.status)
        value = wanted.code if ":" in wanted.code else f"env:{wanted.code}"
        code = xml.element("env:Code", xml.leaf("env:Value", value))
        reason = f'<env:Reason><env:Text xml:lang="en">{wanted.words}</env:Text></env:Reason>'
        body = xml.element("env:Body", xml.element("env:Fault", code, reason))
        text = f'<env:Envelope xmlns:env="{xml.SOAP_12}">{body}</env:Envelope>'
        media = "application/soap+xml; charset=utf-8"
        return self._hindered(Response(status=wanted.status, body=text.encode(), content_type=media), faults)

    def _hindered(self, response: Response, faults: Faults) -> Response:
        changes: dict[str, Any] = {"delay": faults.delay}
        if faults.status is not None:
            changes["status"] = faults.status
        if faults.date_off is not None:
            changes["date"] = self._clock() + faults.date_off
        if faults.pause:
            changes |= {"piece": 100, "pause": faults.pause}
        if faults.lost is Lost.DURING:
            changes["cut_after"] = len(response.body) // 2
        return attrs.evolve(response, **changes)

    # --- signing, and not quite

    def _signed(self, answer: Answer, faults: Faults) -> str:
        payload = _mistaken(answer, faults.wrong)
        spoilt = faults.spoilt
        if spoilt is Spoilt.MISSING:
            return payload
        signed = sign(payload, self._who(spoilt), self._settings.form)
        if spoilt is Spoilt.TAMPERED:
            return _changed(signed)
        if spoilt is Spoilt.TWICE:
            signature = signed[
                signed.index("<ds:Signature>") : signed.index("</ds:Signature>") + len("</ds:Signature>")
            ]
            return signed.replace(signature, signature * 2)
        if spoilt is Spoilt.KEY_ONLY:
            name = xml.element("ds:KeyInfo", xml.leaf("ds:KeyName", self._signer))
            return re.sub(r"<ds:KeyInfo>.*</ds:KeyInfo>", name, signed, flags=re.DOTALL)
        if spoilt is Spoilt.WRAPPED:
            forged = _changed(payload)
            end = forged.rindex("</")
            return forged[:end] + signed + forged[end:]
        return signed

    def _who(self, spoilt: Spoilt | None) -> Signer:
        if spoilt is Spoilt.STRANGER:
            return issuing.stranger()
        by = Authority.DATA_PROVIDERS if spoilt is Spoilt.WRONG_AUTHORITY else Authority.SERVICES
        return issuing.answer_signer(self._signer, year=self._clock().year, by=by, is_over=spoilt is Spoilt.EXPIRED)


def _mistaken(answer: Answer, wrong: Wrong | None) -> str:
    payload = answer.payload
    if wrong is Wrong.OTHER_OPERATION:
        return answer.other
    if wrong is Wrong.UNKNOWN_ELEMENT:
        end = payload.rindex("</")
        return f"{payload[:end]}<Novelty>new</Novelty>{payload[end:]}"
    if wrong is Wrong.UNKNOWN_STATUS:
        return _STATUS.sub(lambda found: f"<{found[1]}>{'PENDING' if found[1] == 'Status' else '99'}</", payload)
    if wrong is Wrong.NOTHING_IN_IT:
        return _CONTENT.sub("", payload)
    return payload


def _changed(payload: str) -> str:
    """The first value that matters changed: a status into another, anything else in its middle."""

    def change(found: re.Match[str]) -> str:
        name, value = found[1], found[2]
        middle = len(value) // 2
        other = value[:middle] + ("0" if value[middle] != "0" else "1") + value[middle + 1 :]
        return f"<{name}>{_OPPOSITES.get(value, other)}</"

    return _VALUE.sub(change, payload, count=1)


def _damaged(message: str, damage: Damage) -> Response:
    whole = message.encode()
    header = "<SOAP-ENV:Header/>"
    nested = f"<SOAP-ENV:Header>{'<d>' * 300}{'</d>' * 300}</SOAP-ENV:Header>"
    bodies = {
        Damage.NOT_XML: b"\x00\x01\x02 this is not XML",
        Damage.TRUNCATED: whole[: len(whole) // 2],
        Damage.WRONG_CHARSET: message.replace(header, _FINNISH).encode("latin-1"),
        Damage.DOCTYPE: b"<!DOCTYPE x>" + whole,
        Damage.ENTITIES: (_ENTITIES + message.replace(header, "<SOAP-ENV:Header>&d;&e;</SOAP-ENV:Header>")).encode(),
        Damage.DEEP: message.replace(header, nested).encode(),
        Damage.SOAP_12: message.replace(xml.SOAP, xml.SOAP_12).encode(),
    }
    if damage in bodies:
        return Response(body=bodies[damage])
    return _instead(whole, damage)


def _instead(whole: bytes, damage: Damage) -> Response:
    responses = {
        Damage.HTML: Response(status=502, body=_PAGE, content_type="text/html; charset=utf-8"),
        Damage.EMPTY: Response(),
        Damage.NO_CONTENT: Response(status=204, content_type=""),
        Damage.REDIRECT: Response(status=307, headers={"Location": "https://elsewhere.invalid/"}, content_type=_PLAIN),
        Damage.ENDLESS: Response(body=whole, chunked=True, filler=1 << 40),
        Damage.HUGE: Response(body=whole, filler=_HUGE),
    }
    if damage in responses:
        return responses[damage]
    return Response(body=_bomb(), headers={"Content-Encoding": "gzip"})


@functools.cache
def _bomb() -> bytes:
    """Blanks in gzip (RFC 1952): one compressed piece again and again, since compressing all of it takes seconds."""
    piece = b" " * (1 << 20)
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block = squeeze.compress(piece) + squeeze.flush(zlib.Z_FULL_FLUSH)
    check, times = 0, _HUGE // len(piece)
    for _ in range(times):
        check = zlib.crc32(piece, check)
    end = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS).flush()
    return gzip.compress(b"")[:10] + block * times + end + struct.pack("<II", check, _HUGE)
