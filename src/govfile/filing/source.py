"""The document to file, as the caller has it: bytes, a path or an open file; hashed once, sent once."""

from __future__ import annotations

import hashlib
import io
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

import attrs

from govfile.errors import InvalidContent

if TYPE_CHECKING:
    from collections.abc import Callable

    Look = Callable[[BinaryIO], object]

#: What the filing calls take: a path (`str` or path object, never guessed to be content), the bytes themselves, or a
#: binary file that can seek.
Document = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO

#: Documents up to this size (bytes) are read into memory once, so that they cannot change while they are sent.
HELD_IN_MEMORY = 8 * 1024 * 1024

_BLOCK = 1024 * 1024


@attrs.frozen(kw_only=True)
class Source:
    """A document, measured: `size` in bytes, `sha256` (64 hex digits), `path` where it came from a file."""

    size: int
    sha256: str
    path: Path | None = None
    _held: bytes | None = attrs.field(default=None, repr=False, alias="held")
    _file: BinaryIO | None = attrs.field(default=None, repr=False, eq=False, alias="file")

    @classmethod
    def of(cls, document: Document, *, look: Look | None = None) -> Source:
        """Read `document` once and measure it; `look` reads the same bytes in the same reading.

        Raises `InvalidContent` when it is missing, a folder, unreadable, or a file object that is not binary or
        cannot seek; and what `look` raises.
        """
        if isinstance(document, bytes | bytearray | memoryview):
            return cls._from_bytes(bytes(document), look=look)
        if isinstance(document, str | os.PathLike):
            return cls._from_path(Path(document), look)
        return cls._from_file(document, look)

    @classmethod
    def _from_bytes(cls, content: bytes, path: Path | None = None, *, look: Look | None = None) -> Source:
        if look is not None:
            look(io.BytesIO(content))
        return cls(size=len(content), sha256=hashlib.sha256(content).hexdigest(), path=path, held=content)

    @classmethod
    def _from_path(cls, path: Path, look: Look | None) -> Source:
        try:
            path = path.absolute()
            _check_kind(path)
            with path.open("rb") as reader:
                if os.fstat(reader.fileno()).st_size <= HELD_IN_MEMORY:
                    return cls._from_bytes(reader.read(), path, look=look)
                size, digest = _measure(reader, look)
        except InvalidContent:  # which is a ValueError too
            raise
        except FileNotFoundError as error:
            raise InvalidContent(f"{path} is not there", advice="check the path") from error
        except (OSError, ValueError) as error:
            raise InvalidContent(
                f"{path} cannot be read: {_reason(error)}", advice="check the path, and who may read it"
            ) from error
        return cls(size=size, sha256=digest, path=path)

    @classmethod
    def _from_file(cls, reader: BinaryIO, look: Look | None) -> Source:
        given: object = reader
        if isinstance(given, io.TextIOBase) or not hasattr(given, "read"):
            raise InvalidContent(f"{type(reader).__name__} is not a binary file", advice="open it with mode 'rb'")
        try:
            reader.seek(0)
            size, digest = _measure(reader, look)
        except InvalidContent:  # which is a ValueError too
            raise
        except (OSError, ValueError) as error:
            raise InvalidContent(
                f"the file object cannot be read and rewound: {error}",
                advice="give one that is open and can be rewound, or the path or the bytes",
            ) from error
        except TypeError as error:  # a wrapper as `tempfile` makes them shows only by what it reads that it is text
            kind = type(reader).__name__
            raise InvalidContent(f"{kind} does not read bytes", advice="open it with mode 'rb'") from error
        return cls(size=size, sha256=digest, file=reader)

    @property
    def held(self) -> int:
        """Bytes of it that are in memory."""
        return len(self._held) if self._held is not None else 0

    def open(self) -> BinaryIO:
        """A fresh reader at the start; raises `InvalidContent` when the file can no longer be read."""
        if self._held is not None:
            return io.BytesIO(self._held)
        try:
            if self.path is not None:
                return self.path.open("rb")
            assert self._file is not None
            self._file.seek(0)
            return cast("BinaryIO", _Borrowed(self._file))
        except (OSError, ValueError) as error:
            raise InvalidContent(
                f"{self.path or 'the file object'} can no longer be read: {error}",
                advice="put the document back as it was, and submit it again",
            ) from error


def _check_kind(path: Path) -> None:
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise InvalidContent(f"{path} is a folder", advice="give the file itself")
    if not stat.S_ISREG(mode):  # opening a pipe would wait for a writer
        raise InvalidContent(f"{path} is not a regular file", advice="copy it to a regular file first")


def _reason(error: OSError | ValueError) -> str:
    return str(getattr(error, "strerror", None) or error)


def _measure(reader: BinaryIO, look: Look | None) -> tuple[int, str]:
    measuring = _Measuring(reader)
    if look is not None:
        look(cast("BinaryIO", measuring))
    while measuring.read(_BLOCK):
        continue
    return measuring.size, measuring.digest.hexdigest()


class _Measuring(io.BufferedIOBase):
    """What is read through it is counted and hashed."""

    def __init__(self, reader: BinaryIO) -> None:
        self._reader = reader
        self.digest = hashlib.sha256()
        self.size = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        block = self._reader.read(-1 if size is None else size)
        self.digest.update(block)
        self.size += len(block)
        return block


class _Borrowed(io.BufferedIOBase):
    """The caller's own file object: closing our view of it leaves it open."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def read(self, size: int | None = -1, /) -> bytes:
        return self._file.read(-1 if size is None else size)
