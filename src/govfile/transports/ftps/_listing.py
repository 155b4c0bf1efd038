"""Listings: MLSD (RFC 3659), and what older servers print for LIST and NLST."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from govfile.errors import ProtocolError
from govfile.transports.base import RemoteFile
from govfile.transports.ftps._control import logger
from govfile.transports.ftps._replies import printable, size_in

if TYPE_CHECKING:
    from collections.abc import Callable

#: A longer line (bytes) is no entry.
_LINE = 8 * 1024

_UNIX = re.compile(r"([-dlbcps])[-rwxsStT]{9}[.+@]?\s+\d+\s+\S+\s+\S+\s+(\d+)\s+\S+\s+\S+\s+\S+ (.+)")
_DOS = re.compile(r"\d{2}-\d{2}-\d{2,4}\s+\d{2}:\d{2}\s*[AP]M\s+(<DIR>|\d+)\s+(.+)")
_TIME = re.compile(r"(\d{14})(?:\.(\d{1,6})\d*)?")


class Lines:
    """Splits what comes into lines; at most `limit` entries, each of bounded length. Raises `ProtocolError` beyond."""

    def __init__(self, limit: int, endpoint: str, take: Callable[[bytes], None]) -> None:
        self._limit = limit
        self._endpoint = endpoint
        self._take = take
        self._rest = b""
        self.count = 0

    @property
    def is_whole(self) -> bool:
        """Whether what came so far ends with a line's end."""
        return not self._rest

    def feed(self, block: bytes) -> None:
        """Add what came."""
        lines = (self._rest + block).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            self._one(line)
        if len(self._rest) > _LINE:
            raise self._too_long(self._rest)

    def end(self) -> None:
        """No more will come."""
        if self._rest:
            self._one(self._rest)
            self._rest = b""

    def _one(self, line: bytes) -> None:
        line = line.removesuffix(b"\r")
        if not line:
            return
        if len(line) > _LINE:
            raise self._too_long(line)
        self.count += 1
        if self.count > self._limit:
            raise ProtocolError(
                f"the server sent more than {self._limit} entries in one folder",
                excerpt=printable(line, 80),
                endpoint=self._endpoint,
                advice="raise the policy's listing_limit if the folder really is that large",
            )
        self._take(line)

    def _too_long(self, line: bytes) -> ProtocolError:
        return ProtocolError(
            f"the server sent a listing line of more than {_LINE} bytes",
            excerpt=printable(line, 80),
            endpoint=self._endpoint,
            advice="report it to whoever runs the server: no file has such a name",
        )


class Entries:
    """The entries of one listing. What cannot be a file of ours is skipped, and reported once in the log.

    `raw` holds the bytes of names that are not UTF-8: they are shown as Latin-1 and asked for as they are.
    """

    def __init__(self, endpoint: str) -> None:
        self.found: list[RemoteFile] = []
        self.raw: dict[str, bytes] = {}
        self.odd: list[bytes] = []
        self._endpoint = endpoint
        self._names: set[str] = set()

    def machine(self, line: bytes) -> None:
        """One line of MLSD: facts, a space, the name."""
        facts_raw, space, name = line.partition(b" ")
        facts = {}
        for fact in facts_raw.decode("ascii", "replace").split(";"):
            key, equals, value = fact.partition("=")
            if equals:
                facts[key.lower()] = value
        if not space or not facts:
            self.odd.append(line)
            return
        kind = facts.get("type", "file").lower()
        if kind in ("cdir", "pdir"):
            return
        modified = _moment(facts.get("modify", ""))
        self._add(name, is_folder=kind == "dir", size=size_in(facts.get("size", "")), modified=modified)

    def human(self, line: bytes) -> None:
        """One line of LIST, as Unix and Windows servers print it."""
        text = line.decode("latin-1")
        if found := _UNIX.fullmatch(text):
            name = found[3].split(" -> ")[0] if found[1] == "l" else found[3]
            is_folder, size = found[1] == "d", None if found[1] == "d" else size_in(found[2])
        elif found := _DOS.fullmatch(text):
            name = found[2]
            is_folder, size = found[1] == "<DIR>", size_in(found[1])
        else:
            if not re.fullmatch(r"total \d+", text):
                self.odd.append(line)
            return
        self._add(name.encode("latin-1"), is_folder=is_folder, size=size)

    def name_only(self, line: bytes) -> None:
        """One line of NLST; a name that is known already adds nothing."""
        name = line.rpartition(b"/")[2]
        if self._shown(name) not in self._names:
            self._add(name)

    def report(self) -> None:
        """Say in the log what was skipped."""
        if self.odd:
            examples = ", ".join(printable(line, 60) for line in self.odd[:3])
            logger.warning("%s: %d entries of a listing skipped, such as %s", self._endpoint, len(self.odd), examples)

    def _add(
        self, raw: bytes, *, is_folder: bool = False, size: int | None = None, modified: datetime | None = None
    ) -> None:
        name = self._shown(raw)
        if name in ("", ".", "..") or "/" in name or not name.isprintable():
            if name not in (".", ".."):
                self.odd.append(raw)
            return
        if name.encode("utf-8") != raw:
            self.raw[name] = raw
        self._names.add(name)
        self.found.append(RemoteFile(name=name, is_folder=is_folder, size=size, modified=modified))

    def _shown(self, raw: bytes) -> str:
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            return raw.decode("latin-1")


def _moment(text: str) -> datetime | None:
    """An aware UTC time from `YYYYMMDDHHMMSS[.ffffff]`; None for anything else."""
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    try:
        moment = datetime.strptime(found[1], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    return moment.replace(microsecond=int((found[2] or "0").ljust(6, "0")))
