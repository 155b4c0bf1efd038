"""The packets of SFTP version 3 (draft-ietf-secsh-filexfer-02): how requests are written and answers read."""

from __future__ import annotations

import enum
import stat
import struct
from datetime import UTC, datetime
from typing import NamedTuple

from govfile.errors import ProtocolError
from govfile.transports.base import RemoteFile

VERSION = 3


class Kind(enum.IntEnum):
    """The types of packet we send or understand."""

    INIT = 1
    VERSION = 2
    OPEN = 3
    CLOSE = 4
    READ = 5
    WRITE = 6
    LSTAT = 7
    FSTAT = 8
    OPENDIR = 11
    READDIR = 12
    REMOVE = 13
    REALPATH = 16
    STAT = 17
    RENAME = 18
    STATUS = 101
    HANDLE = 102
    DATA = 103
    NAME = 104
    ATTRS = 105
    EXTENDED = 200
    EXTENDED_REPLY = 201


class Code(enum.IntEnum):
    """The status codes of version 3, and those later versions added that servers send all the same."""

    OK = 0
    EOF = 1
    NO_SUCH_FILE = 2
    PERMISSION_DENIED = 3
    FAILURE = 4
    BAD_MESSAGE = 5
    NO_CONNECTION = 6
    CONNECTION_LOST = 7
    OP_UNSUPPORTED = 8
    FILE_ALREADY_EXISTS = 11
    WRITE_PROTECT = 12
    NO_SPACE_ON_FILESYSTEM = 14
    QUOTA_EXCEEDED = 15


_NAMES = {code.value: f"SSH_FX_{code.name}" for code in Code}


class Status(NamedTuple):
    """A STATUS answer: its code, and the server's words (printable, bounded)."""

    code: int
    text: str

    @property
    def name(self) -> str:
        """The code as the specification writes it."""
        return _NAMES.get(self.code, f"SFTP status {self.code}")

    def __str__(self) -> str:
        return f"{self.name} ({self.text})" if self.text else self.name


class Open(enum.IntFlag):
    """The flags of OPEN."""

    READ = 0x01
    WRITE = 0x02
    CREATE = 0x08
    TRUNCATE = 0x10
    EXCLUSIVE = 0x20


class Reply(NamedTuple):
    """An answer: its type, and what follows the request's number."""

    kind: int
    body: bytes


class Attributes(NamedTuple):
    """What the server says of a file; None for what it leaves out."""

    size: int | None = None
    mode: int | None = None
    modified: datetime | None = None


class Entry(NamedTuple):
    """One name of a NAME answer."""

    name: bytes
    attributes: Attributes


_HEAD = struct.Struct(">IBI")
_LONG = struct.Struct(">Q")
_WORD = struct.Struct(">I")
_NO_ATTRIBUTES = b"\0\0\0\0"


def string(data: bytes) -> bytes:
    """A string: its length and its bytes."""
    return _WORD.pack(len(data)) + data


def request(kind: Kind, number: int, body: bytes) -> bytes:
    """A whole packet."""
    return _HEAD.pack(5 + len(body), kind, number) + body


def opening(path: bytes, flags: Open) -> bytes:
    """The body of OPEN."""
    return string(path) + _WORD.pack(flags) + _NO_ATTRIBUTES


def write(number: int, handle: bytes, offset: int, data: bytes | memoryview) -> bytes:
    """A whole WRITE packet."""
    head = _HEAD.pack(5 + 4 + len(handle) + 12 + len(data), Kind.WRITE, number)
    return b"".join((head, string(handle), _LONG.pack(offset), _WORD.pack(len(data)), data))


def reading(handle: bytes, offset: int, length: int) -> bytes:
    """The body of READ."""
    return string(handle) + _LONG.pack(offset) + _WORD.pack(length)


def printable(data: bytes, limit: int = 300) -> str:
    """The server's words, bounded, without control characters."""
    text = data[: 4 * limit].decode("utf-8", "replace")
    return "".join(mark if mark.isprintable() else "�" for mark in text)[:limit]


class Cursor:
    """Reads the fields of an answer; raises `ProtocolError` where it ends early."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def word(self) -> int:
        """A 32-bit number."""
        return int.from_bytes(self._take(4), "big")

    def long(self) -> int:
        """A 64-bit number."""
        return int.from_bytes(self._take(8), "big")

    def string(self) -> bytes:
        """A string."""
        return self._take(self.word())

    @property
    def rest(self) -> bytes:
        """What has not been read yet."""
        return self._data[self._at :]

    def _take(self, count: int) -> bytes:
        end = self._at + count
        if end > len(self._data):
            raise ProtocolError("an SFTP answer ends early", excerpt=printable(self._data[:40]))
        piece, self._at = self._data[self._at : end], end
        return piece


def read_status(body: bytes) -> Status:
    """A STATUS answer; some servers leave the text out."""
    cursor = Cursor(body)
    code = cursor.word()
    return Status(code, printable(cursor.string()) if cursor.rest else "")


def read_attributes(cursor: Cursor) -> Attributes:
    """The ATTRS structure, as far as it is there."""
    flags = cursor.word()
    size = cursor.long() if flags & 0x1 else None
    if flags & 0x2:
        cursor.long()  # user and group
    mode = cursor.word() if flags & 0x4 else None
    modified = None
    if flags & 0x8:
        cursor.word()  # last access
        modified = datetime.fromtimestamp(cursor.word(), UTC)
    if flags & 0x80000000:
        for _ in range(cursor.word()):
            cursor.string()
            cursor.string()
    return Attributes(size, mode, modified)


def read_names(body: bytes) -> list[Entry]:
    """The entries of a NAME answer."""
    cursor = Cursor(body)
    found = []
    for _ in range(cursor.word()):
        name = cursor.string()
        cursor.string()  # the line of `ls -l`, which says nothing that can be relied on
        found.append(Entry(name, read_attributes(cursor)))
    return found


def read_extensions(body: bytes) -> dict[bytes, bytes]:
    """The extensions that a VERSION answer names."""
    cursor, found = Cursor(body), {}
    while cursor.rest:
        name = cursor.string()
        found[name] = cursor.string()
    return found


def remote_file(entry: Entry) -> RemoteFile | None:
    """An entry as a value; None for what is neither a file, a folder nor a link, or cannot be named safely.

    A name that is not UTF-8 is shown as Latin-1.
    """
    size, mode, modified = entry.attributes
    form = stat.S_IFMT(mode) if mode is not None else 0
    try:
        name = entry.name.decode("utf-8")
    except UnicodeDecodeError:
        name = entry.name.decode("latin-1")
    if form not in {0, stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK} or not _is_name(name):
        return None
    return RemoteFile(
        name=name,
        is_folder=form == stat.S_IFDIR,
        size=size if form in {0, stat.S_IFREG} else None,
        modified=modified,
    )


def _is_name(name: str) -> bool:
    """Whether it names something in this folder, and shows no control characters."""
    return (
        name not in {"", ".", ".."} and "/" not in name and not any(ord(mark) < 32 or ord(mark) == 127 for mark in name)
    )
