"""What the gateway and the back ends refuse, judged on the bytes as they arrived.

Two layers, as published: the gateway itself looks at Classic files and answers with a status 0 that carries one of its
codes. Everything else is for the back end, which takes the file and says what is wrong in its answer; no codes are
published for that, so the answer speaks in words. Sources: the pages on status files, on the Rente areas (folders,
names, KontoID, zip format 6.3.4 with UTF-8 names) and on the pension record (868 positions, 0001 first, 9998 last).
"""

from __future__ import annotations

import lzma
import zipfile
import zlib
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, BinaryIO
from xml.parsers import expat

import attrs

from govfile.sandbox.skat.services import Family, family

if TYPE_CHECKING:
    from collections.abc import Iterator

    from govfile.sandbox.skat.settings import Settings

Content = BinaryIO | SpooledTemporaryFile[bytes]

VALIDATION_PREFIX = "val_"

_KONTO_ID_LENGTH = 30
_KONTO_ID_FORBIDDEN = frozenset("\\!*'();:@&=+$,/?#[]")
_FIRST, _LAST = b"0001", b"9998"
_LONGEST_RECORD = 64 * 1024
_UNPACK_LIMIT = 256 * 1024 * 1024
_ENCRYPTED, _UTF8 = 0x1, 0x800
_MANY = 20
_UNREADABLE = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    NotImplementedError,
    EOFError,
    OSError,
    ValueError,
    lzma.LZMAError,
    zlib.error,
)
_BLOCK = 64 * 1024


@attrs.frozen(kw_only=True)
class Judgement:
    """`code`: the gateway refuses with it (status 0). `findings`: what the back end rejects the file for."""

    code: str | None = None
    findings: tuple[str, ...] = ()

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return self.code is None and not self.findings


def judge(service: str, name: str, content: Content, *, is_ascii: bool, settings: Settings) -> Judgement:
    """Look at a whole upload; `content` is read from its start."""
    content.seek(0)
    kind = family(service)
    if kind is Family.CLASSIC:
        if not is_ascii:
            return Judgement(code="FILE_NOT_UPLOADED_IN_ASCII_MODE")
        return Judgement(code=_classic(content, settings.record_length.get(service)))
    if kind is Family.RENTE:
        outer = () if name.lower().endswith(".zip") else (f"{name} is not a zip file by its name",)
        return Judgement(findings=(*outer, *_rente(content)))
    if kind is Family.CUSTOMS:
        return Judgement(findings=_well_formed(content))
    return Judgement()


def _classic(content: Content, length: int | None) -> str | None:
    """The gateway's code for the first thing wrong, None when all records fit."""
    last = _record(content)
    if last is None or not last.startswith(_FIRST):
        return "FIRST_RECORD_INCORRECT"
    length = length or len(last)
    while len(last) == length:
        record = _record(content)
        if record is None:
            return None if last.startswith(_LAST) else "LAST_RECORD_INCORRECT"
        last = record
    return "RECORD_LENGTH_INCORRECT"


def _record(content: Content) -> bytes | None:
    """The next record without its CRLF; a bare line feed is not the end of a line on the wire, and stays in it."""
    record = b""
    while line := content.readline(_LONGEST_RECORD):
        record += line
        if line.endswith(b"\r\n") or len(record) > _LONGEST_RECORD:
            return record.removesuffix(b"\r\n")
    return record or None


def _rente(content: Content) -> tuple[str, ...]:
    try:
        with zipfile.ZipFile(content) as archive:
            members = archive.infolist()
            findings = [finding for member in members for finding in _konto_id(member)]
            findings += _repeated([member.filename for member in members])
            if not members:
                findings.append("the zip is empty")
            if not findings:
                findings += _unpacks(archive, members)
    except _UNREADABLE as error:
        return (f"the zip cannot be read: {error}",)
    return tuple(findings[:_MANY])


def _konto_id(member: zipfile.ZipInfo) -> Iterator[str]:
    name = member.orig_filename
    if not member.filename:
        yield "a file without a name, so without a KontoID"
        return
    if member.is_dir() or "/" in name or "\\" in name:
        yield f"folders are not allowed in the zip: {name}"
        return
    if len(name) > _KONTO_ID_LENGTH:
        yield f"KontoID of {len(name)} characters, more than {_KONTO_ID_LENGTH}: {name}"
    if forbidden := sorted(_KONTO_ID_FORBIDDEN.intersection(name)):
        yield f"KontoID with forbidden characters {' '.join(forbidden)}: {name}"
    if not name.isascii() and not member.flag_bits & _UTF8:
        yield f"name not marked as UTF-8: {name}"
    if member.flag_bits & _ENCRYPTED:
        yield f"encrypted: {name}"


def _repeated(names: list[str]) -> list[str]:
    seen: set[str] = set()
    repeated = []
    for name in names:
        if name in seen:
            repeated.append(f"KontoID used twice: {name}")
        seen.add(name)
    return repeated


def _unpacks(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo]) -> list[str]:
    if sum(member.file_size for member in members) > _UNPACK_LIMIT:
        return []  # a sandbox does not unpack what may be a bomb; the directory was sound
    damaged = archive.testzip()
    return [f"damaged: {damaged}"] if damaged else []


def _well_formed(content: Content) -> tuple[str, ...]:
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        while block := content.read(_BLOCK):
            parser.Parse(block, False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        return (f"not well-formed XML: {error}",)
    except (LookupError, ValueError) as error:
        return (f"XML in an encoding that is not read: {error}",)
    except _DoctypeFoundError:
        return ("a document type declaration is not allowed",)
    return ()


class _DoctypeFoundError(Exception):
    """Raised from within the parser."""


def _refuse_doctype(*_: object) -> None:
    raise _DoctypeFoundError
