"""Fixed-width files of the Classic eKapital areas, checked line by line before they leave.

Sources: the authority's page on status files, which names the checks (record length, first and last record), and its
pension record layout (oid 2288339: 868 positions, start record 0001, end record 9998). The lengths of the other areas
and the character set are not published here: then every line must be as long as the first, and bytes are counted.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, BinaryIO

import attrs

from govfile.errors import ConfigurationError, InvalidContent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from govfile.transports.base import Content

_LONGEST_LINE = 1024 * 1024


class Counting(enum.Enum):
    """What a record's length counts."""

    BYTES = "bytes"
    CHARACTERS = "characters"


def _check_ascii(_rules: object, attribute: attrs.Attribute[str], start: str) -> None:
    if not start.isascii():
        raise ConfigurationError(f"{attribute.name}={start!r}: record numbers are ASCII")


@attrs.frozen(kw_only=True)
class RecordRules:
    """`length` of every record (None: that of the first), without its line end; how the `first` and the `last` record
    begin ("" for no rule); what `counting` counts, in `encoding` when it is characters.
    """

    length: int | None = None
    first: str = attrs.field(default="0001", validator=_check_ascii)
    last: str = attrs.field(default="9998", validator=_check_ascii)
    counting: Counting = Counting.BYTES
    encoding: str = "utf-8"

    def __call__(self, content: Content) -> None:
        """Read the document once, in constant memory; raises `InvalidContent` naming the record and the rule."""
        with content.open() as reader:
            self._check(_records(reader))

    def _check(self, records: Iterator[bytes]) -> None:
        wanted, number, record = self.length, 0, b""
        for number, record in enumerate(records, start=1):
            length = self._measure(record, number)
            if number == 1:
                wanted = length if wanted is None else wanted
                self._begins(record, self.first, "the first record", "FIRST_RECORD_INCORRECT")
            if length != wanted:
                raise InvalidContent(
                    f"record {number} has {length} {self.counting.value}, not {wanted}",
                    advice="the gateway refuses it as RECORD_LENGTH_INCORRECT; fill every record to its full width",
                )
        if number == 0:
            raise InvalidContent("the document holds no record", advice="check the program that wrote it")
        self._begins(record, self.last, f"the last record ({number})", "LAST_RECORD_INCORRECT")

    def _measure(self, record: bytes, number: int) -> int:
        if self.counting is Counting.BYTES:
            return len(record)
        try:
            return len(record.decode(self.encoding))
        except UnicodeDecodeError as error:
            raise InvalidContent(
                f"record {number} is not {self.encoding} at byte {error.start + 1}",
                advice="set the encoding the file is written in",
            ) from error
        except LookupError as error:
            raise ConfigurationError(f"no encoding is called {self.encoding!r}") from error

    @staticmethod
    def _begins(record: bytes, start: str, which: str, code: str) -> None:
        if not record.startswith(start.encode("ascii")):
            raise InvalidContent(
                f"{which} does not begin with {start}",
                advice=f"the gateway refuses it as {code}; check the file is whole",
            )


def _records(reader: BinaryIO) -> Iterator[bytes]:
    while line := reader.readline(_LONGEST_LINE + 2):
        record = line[:-2] if line.endswith(b"\r\n") else line.removesuffix(b"\n")
        if len(record) > _LONGEST_LINE:
            raise InvalidContent(
                f"a record is longer than {_LONGEST_LINE} bytes: the document is not a file of records",
                advice="each record stands on a line of its own",
            )
        yield record
