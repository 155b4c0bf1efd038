"""Replies of an FTP server (RFC 959, section 4.2), read within bounds."""

from __future__ import annotations

import attrs

from govfile.errors import ProtocolError

#: A reply of more lines than this is not believed.
MAX_LINES = 1000


@attrs.frozen
class Reply:
    """A complete reply: its code, and its lines without the code. Control characters are shown as escapes."""

    code: int
    lines: tuple[str, ...]

    @property
    def is_preliminary(self) -> bool:
        """1xx: more will come."""
        return self.code < 200

    @property
    def is_refusal(self) -> bool:
        """4xx or 5xx."""
        return self.code >= 400

    @property
    def text(self) -> str:
        """The lines, joined by a space."""
        return " ".join(line for line in self.lines if line)

    @property
    def file_size(self) -> int | None:
        """Bytes, where this answers SIZE (RFC 3659, section 4); None where it does not."""
        return size_in(self.text) if self.code == 213 else None

    def __str__(self) -> str:
        return f"{self.code} {self.text}".rstrip()


def size_in(text: str) -> int | None:
    """A file's size in bytes as a server writes it; None for anything else, and for what no file can have."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def printable(raw: bytes, limit: int = 2000) -> str:
    """Text from outside, safe to print: undecodable bytes and control characters as escapes, cut at `limit`."""
    text = raw[: 4 * limit].decode("utf-8", "backslashreplace")[:limit]
    if text.isprintable():
        return text
    return "".join(mark if mark.isprintable() else mark.encode("unicode_escape").decode("ascii") for mark in text)


class ReplyReader:
    """Bytes in, complete replies out; at most `limit` bytes (and `MAX_LINES` lines) a reply."""

    def __init__(self, limit: int, endpoint: str) -> None:
        self._limit = limit
        self._endpoint = endpoint
        self._buffer = bytearray()
        self._lines: list[bytes] = []
        self._used = 0
        #: A secret that may just have been sent: blotted out, should the server repeat it.
        self.hidden = ""

    @property
    def is_empty(self) -> bool:
        """Whether nothing has come that has not been handed out."""
        return not self._buffer and not self._lines

    def feed(self, received: bytes) -> None:
        """Add what came."""
        self._buffer += received

    def next(self) -> Reply | None:
        """The next complete reply; None when more bytes are needed. Raises `ProtocolError` on anything else."""
        while (end := self._buffer.find(b"\n")) >= 0:
            self._used += end + 1
            self._check_bounds(self._used)
            line = bytes(self._buffer[:end]).removesuffix(b"\r")
            del self._buffer[: end + 1]
            self._lines.append(line)
            if self._ends(line):
                return self._finish()
        self._check_bounds(self._used + len(self._buffer))
        return None

    def _check_bounds(self, used: int) -> None:
        if used > self._limit or len(self._lines) > MAX_LINES:
            raise self._error(f"a reply of more than {self._limit} bytes or {MAX_LINES} lines")

    def _ends(self, line: bytes) -> bool:
        """Whether `line` is the last of its reply: the first line's code, followed by a space or nothing."""
        code = self._lines[0][:3]
        if len(self._lines) == 1 and not (code.isdigit() and len(code) == 3 and 100 <= int(code) <= 699):
            raise self._error("a line that is not a reply")
        mark = line[3:4]
        if len(self._lines) == 1 and mark not in (b"", b" ", b"-"):
            raise self._error("a line that is not a reply")
        return line[:3] == code and mark in (b"", b" ")

    def _finish(self) -> Reply:
        lines, self._lines, self._used = self._lines, [], 0
        code = lines[0][:3]
        prefixes = (code + b" ", code + b"-")
        texts = [self._shown(line[4:] if line.startswith(prefixes) or line == code else line) for line in lines]
        return Reply(int(code), tuple(texts))

    def _error(self, what: str) -> ProtocolError:
        line = self._lines[0] if self._lines else bytes(self._buffer[:80])
        return ProtocolError(
            f"the server sent {what}",
            excerpt=self._shown(line)[:80],
            endpoint=self._endpoint,
            advice="check that host and port belong to an FTPS server",
        )

    def _shown(self, line: bytes) -> str:
        text = printable(line)
        return text.replace(self.hidden, "***") if self.hidden else text
