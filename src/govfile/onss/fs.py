"""The FS file: a detached signature, as base64 in one of three layouts; and reading it in any of them.

Sources: the help centre's pages on signatures for base64 on one line or in columns of 76 characters that a lone CR
separates; published clients for lines of 64 characters that end in CRLF, without header. That a single line passes
is documented and not seen in practice, hence the choice.
"""

from __future__ import annotations

import base64
import binascii
import enum
import re
from typing import TYPE_CHECKING

import attrs

from govfile.certificates.cms import CmsReport, Digest, sign_detached, verify_detached
from govfile.errors import ProtocolError, TrustError
from govfile.onss.brussels import now

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from govfile.certificates.cms import Content
    from govfile.certificates.credential import Credential
    from govfile.certificates.trust import Trust

#: An FS file holds some two kilobytes; one beyond this (bytes) is not read.
LARGEST = 2 * 1024 * 1024

_ARMOUR = re.compile(
    rb"\s*-----BEGIN (CMS|PKCS7|PKCS #7 SIGNED DATA)-----(?P<inside>.*?)-----END \1-----\s*", re.DOTALL
)
_SEQUENCE = 0x30


class Layout(enum.Enum):
    """How the base64 is laid out.

    `SINGLE` one line without any line end; `COL76_CR` columns of 76 separated by a lone carriage return; `COL64_CRLF`
    lines of 64, each ended by CRLF.
    """

    SINGLE = "single"
    COL76_CR = "col76cr"
    COL64_CRLF = "col64crlf"


def encode_fs(der: bytes, layout: Layout = Layout.SINGLE) -> bytes:
    """A signature (DER) as the bytes of an FS file."""
    text = base64.b64encode(der)
    if layout is Layout.COL76_CR:
        return b"\r".join(_columns(text, 76))
    if layout is Layout.COL64_CRLF:
        return b"".join(line + b"\r\n" for line in _columns(text, 64))
    return text


def decode_fs(raw: bytes) -> bytes:
    """The signature in an FS file: base64 with any line ends and blanks, with or without a PEM header, or plain DER.

    Raises `ProtocolError` for an empty file, one beyond 2 MiB, and one that holds no base64.
    """
    if len(raw) > LARGEST:
        raise ProtocolError(f"the signature file has {len(raw)} bytes, more than the {LARGEST} that are read")
    content = raw.removeprefix(b"\xef\xbb\xbf")
    if content[:1] == bytes((_SEQUENCE,)):  # base64 of a signature begins with M
        return content
    armoured = _ARMOUR.fullmatch(content)
    text = b"".join((armoured["inside"] if armoured else content).split())
    if not text:
        raise ProtocolError("the signature file is empty")
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ProtocolError("the signature file holds no base64", excerpt=_printable(raw[:60])) from error


def sign_file(
    content: Content, credential: Credential, *, layout: Layout = Layout.SINGLE, clock: Callable[[], datetime] = now
) -> bytes:
    """The bytes of the FS file for a declaration: its digest, its bytes, or the open file, read to its end.

    The bytes are signed as they are, no line end changed, and what was written is read back and verified before it is
    handed out. Raises what `sign_detached` raises.
    """
    subject: Content = content if isinstance(content, Digest) else Digest.of(content)
    written = encode_fs(sign_detached(subject, credential, clock=clock), layout)
    report = verify_detached(decode_fs(written), subject)
    if not report.is_sound:
        raise ProtocolError(
            "the signature just made does not verify: " + "; ".join(report.problems), certain="nothing was sent"
        )
    return written


@attrs.frozen(kw_only=True)
class AnswerSignature:
    """What the FS of an answer shows. `report` is None, with a `problem` in words, where it cannot be read.

    `is_over_unpacked`: of a compressed answer, the unpacked bytes were signed and not the stored ones.
    """

    report: CmsReport | None = None
    problem: str = ""
    is_over_unpacked: bool = False


def verify_answer(
    content: bytes,
    fs: bytes,
    *,
    unpacked: bytes | None = None,
    trust: Trust | None = None,
    at: datetime | None = None,
) -> AnswerSignature:
    """Judge the signature of an answer (FO or CO) by its FS file; never raises for what others sent.

    Whether the FS of a compressed answer signs the stored or the `unpacked` bytes is not published: both are tried.
    Without `trust` the chain is not judged.
    """
    try:
        der = decode_fs(fs)
        report = verify_detached(der, content, trust=trust, at=at)
        if unpacked is not None and not report.digest_matches:
            other = verify_detached(der, unpacked, trust=trust, at=at)
            if other.digest_matches:
                return AnswerSignature(report=other, is_over_unpacked=True)
    except (ProtocolError, TrustError) as error:
        return AnswerSignature(problem=error.what)
    return AnswerSignature(report=report)


def _columns(text: bytes, width: int) -> list[bytes]:
    return [text[start : start + width] for start in range(0, len(text), width)]


def _printable(raw: bytes) -> str:
    return "".join(chr(byte) if 32 <= byte < 127 else "." for byte in raw)
