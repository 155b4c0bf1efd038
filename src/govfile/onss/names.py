"""The names of the files in a batch: `FI.DMFA.101420.20260302.00001.R.1.1`, its `FS` and `GO`, and those of answers.

Sources: the help centre of the Belgian social security on file names and numbers, its manual on FI, FS and GO files
(version 13), and its flow scenarios for DmfA.
"""

from __future__ import annotations

import enum
import re
from datetime import date, datetime
from typing import TYPE_CHECKING

import attrs

from govfile.errors import InvalidName
from govfile.onss.brussels import now, today
from govfile.onss.name_rules import faults_of

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator

_FORM = re.compile(
    r"(?P<prefix>FI|FS|GO|TD|FO|CO)\.(?P<purpose>[A-Z]{4})\.(?P<sender>[0-9]{6})\.(?P<created>[0-9]{8})"
    r"\.(?P<sequence>[0-9A-Z]{5})\.(?P<environment>[RTS])(?:\.(?P<parts>[1-9])(?:\.(?P<part>[1-9]))?)?"
)


class Prefix(enum.Enum):
    """What a file is: `FI` declaration sent, `FS` signature, `GO` trigger, `TD` cancels, `FO` received, `CO` received
    and compressed.
    """

    FI = "FI"
    FS = "FS"
    GO = "GO"
    TD = "TD"
    FO = "FO"
    CO = "CO"


@attrs.frozen(kw_only=True)
class BatchName:
    """A file's name, taken apart.

    `purpose` four capital letters, `sender` six digits, `created` eight digits (year, month, day), `sequence` five
    digits or capital letters, `environment` R, T or S, `parts` how many declarations belong together (1 to 9) and
    `part` which of them this is; both None where the name does not say, as in most answers.
    """

    prefix: Prefix
    purpose: str
    sender: str
    created: str
    sequence: str
    environment: str
    parts: int | None = None
    part: int | None = None

    @classmethod
    def make(
        cls,
        *,
        purpose: str,
        sender: str,
        sequence: str,
        environment: str,
        parts: int = 1,
        on: date | None = None,
        clock: Callable[[], datetime] = now,
    ) -> BatchName:
        """The trigger's name of a new set; `fi` and `fs` give those of its other files.

        `on` is the date of creation, today in Belgium (by `clock`, aware) if left out. Raises `InvalidName` for
        whatever the authority would refuse, with its code.
        """
        present = today(clock)
        elements = ("GO", purpose, sender, f"{on or present:%Y%m%d}", sequence, environment, str(parts))
        return cls.strict(".".join(elements), on=present)

    @classmethod
    def strict(
        cls, name: str, *, on: date | None = None, sender: str | None = None, used: Container[str] = ()
    ) -> BatchName:
        """Take apart a name that is to be sent; raises `InvalidName` with every fault that `faults_of` finds."""
        faults = faults_of(name, on=on or today(), sender=sender, used=used)
        if faults:
            raise InvalidName(
                "; ".join(map(str, faults)),
                certain="nothing has left the machine",
                advice="FI and FS names end in the number of parts and the part, GO and TD names in the number alone",
            )
        return cls.parse(name)

    @classmethod
    def parse(cls, name: str) -> BatchName:
        """Take apart any name that the authority or a sender may have given, long form or short.

        Neither date nor order of parts is judged here. Raises `InvalidName`.
        """
        found = cls.recognise(name)
        if found is None:
            faults = faults_of(name, strictly=False)
            raise InvalidName("; ".join(map(str, faults)) or f"{name[:60]!a} is no name of a batch file")
        return found

    @classmethod
    def recognise(cls, name: str) -> BatchName | None:
        """As `parse`, and None for a name of another kind."""
        match = _FORM.fullmatch(name)
        if match is None:
            return None
        return cls(
            prefix=Prefix(match["prefix"]),
            purpose=match["purpose"],
            sender=match["sender"],
            created=match["created"],
            sequence=match["sequence"],
            environment=match["environment"],
            parts=int(match["parts"]) if match["parts"] else None,
            part=int(match["part"]) if match["part"] else None,
        )

    # --- the files of one set -----------------------------------------------------------------------------------

    def fi(self, part: int = 1) -> BatchName:
        """The declaration's name; raises `InvalidName` where there is no such part."""
        return self._part(Prefix.FI, part)

    def fs(self, part: int | None = None) -> BatchName:
        """The signature's name: of this file, or of the `part` of a set (its first one if left out)."""
        if self.prefix in (Prefix.FO, Prefix.CO) or (part is None and self.part is not None):
            return attrs.evolve(self, prefix=Prefix.FS)
        return self._part(Prefix.FS, part or 1)

    def go(self) -> BatchName:
        """The trigger's name: no part, since one file triggers all of them."""
        return attrs.evolve(self, prefix=Prefix.GO, part=None)

    def td(self) -> BatchName:
        """The name of the file that asks to cancel the set. What it does, and until when, is not published."""
        return attrs.evolve(self, prefix=Prefix.TD, part=None)

    def in_order(self, *, signed: bool = True) -> tuple[BatchName, ...]:
        """The set's names in the order they are sent: declarations, signatures (where `signed`), and the trigger."""
        numbers = range(1, (self.parts or 1) + 1)
        signatures = tuple(self.fs(number) for number in numbers) if signed else ()
        return (*(self.fi(number) for number in numbers), *signatures, self.go())

    def triggers(self) -> Iterator[BatchName]:
        """The names under which an answer's trigger may lie: the same rest, without the part, without the parts."""
        yield from (attrs.evolve(self, prefix=Prefix.GO), self.go(), attrs.evolve(self.go(), parts=None))

    def _part(self, prefix: Prefix, part: int) -> BatchName:
        parts = self.parts or 1
        if not 1 <= part <= parts:
            raise InvalidName(f"{self} has {parts} parts, and no part {part}")
        return attrs.evolve(self, prefix=prefix, parts=parts, part=part)

    # --- what it says -------------------------------------------------------------------------------------------

    @property
    def stem(self) -> str:
        """Purpose, sender, date, sequence and environment: what all files of a set share, and answers repeat."""
        return f"{self.purpose}.{self.sender}.{self.created}.{self.sequence}.{self.environment}"

    @property
    def date(self) -> date | None:
        """The date of creation, None where the eight digits are no date."""
        try:
            return datetime.strptime(self.created, "%Y%m%d").date()  # noqa: DTZ007 a date has no zone
        except ValueError:
            return None

    def matches(self, answered: str | BatchName) -> bool:
        """Whether the file that an answer names (GO, FI or FS, with parts or without) belongs to this set."""
        other = answered if isinstance(answered, BatchName) else BatchName.recognise(answered.strip())
        return other is not None and other.stem == self.stem

    def __str__(self) -> str:
        numbers = (str(number) for number in (self.parts, self.part) if number is not None)
        return ".".join((self.prefix.value, self.stem, *numbers))
