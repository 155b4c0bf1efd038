"""Acknowledgements of receipt (ACRF): the transfer point took a file, or refused it as a whole.

A positive one says that the file passed formal checks; what becomes of its declarations comes as a notification.
Sources: the schema ACRF_20231 and the glossary of the acknowledgement.
"""

from __future__ import annotations

import enum

import attrs

from govfile.filing.states import Proof
from govfile.filing.status import Reading, read_xml
from govfile.onss.codes import ErrorCode, explain
from govfile.onss.forms import FileReference, FormStamp
from govfile.onss.reading import Unknown, all_leaves, block, decode_forms, leaf


class Reception(enum.Enum):
    """What the acknowledgement says, by its result code."""

    REFUSED = "0"
    ACCEPTED = "1"


@attrs.frozen(kw_only=True)
class ReceptionResult:
    """The result as it came: `code` and all `error_ids` (`ACRF-` and three digits)."""

    code: str = leaf("ResultCode")
    error_ids: tuple[str, ...] = all_leaves("ErrorID")


@attrs.frozen(kw_only=True)
class AcrfForm(FormStamp):
    """One form of an acknowledgement. `unknown` holds (path, text) of what this version does not know."""

    file: FileReference | None = block("FileReference", FileReference)
    reception: ReceptionResult | None = block("ReceptionResult", ReceptionResult)
    unknown: Unknown = attrs.field(default=(), repr=False)

    @property
    def result(self) -> Reception | None:
        """None where the result code is missing or neither of the two that are published."""
        code = self.reception.code if self.reception else ""
        return Reception(code) if code in ("0", "1") else None

    @property
    def ticket(self) -> str:
        """The file's ticket, which notifications repeat, "" where there is none."""
        return self.file.ticket if self.file else ""

    @property
    def errors(self) -> tuple[ErrorCode, ...]:
        """Every error id, explained."""
        return tuple(map(explain, self.reception.error_ids)) if self.reception else ()

    @property
    def proof(self) -> Proof:
        """What it shows of the file. A refusal counts whether it is called provisional or final, as the published
        sample of a refusal is called provisional; a code that is not published moves nothing.
        """
        proven = {Reception.ACCEPTED: Proof.TAKEN, Reception.REFUSED: Proof.REFUSED, None: Proof.NOTED}[self.result]
        if proven is Proof.REFUSED and any(error.number == "133" for error in self.errors):
            return Proof.NAME_REUSED
        return proven

    def in_words(self) -> str:
        """What it says, for a record: our words, no data of persons."""
        if self.result is Reception.ACCEPTED:
            return f"the file was taken, ticket {self.ticket or 'not given'}"
        if self.result is None:
            return "the acknowledgement has no result that is known"
        said = [f"{error.code}: {error.meaning}; {error.advice}" for error in self.errors]
        return " | ".join(said) or "the file was refused without a reason"


@attrs.frozen(kw_only=True)
class Acrf:
    """An acknowledgement, read. `problem` says in words why it cannot be used; then there are no `forms`."""

    reading: Reading
    forms: tuple[AcrfForm, ...] = ()
    unknown: Unknown = attrs.field(default=(), repr=False)
    problem: str = ""


def parse_acrf(raw: bytes) -> Acrf:
    """The content of an `FO.ACRF…` file. Never raises: a file that cannot be used comes back with its `problem`."""
    reading = read_xml(raw, what="the acknowledgement")
    if reading.root is None:
        return Acrf(reading=reading, problem=reading.problem)
    if reading.root.name.casefold() != "acrf":
        return Acrf(reading=reading, problem=f"its root element is {reading.root.name[:40]!a}, not ACRF")
    forms, unknown = decode_forms(AcrfForm, reading.root)
    problem = "" if forms else "it holds no Form"
    return Acrf(reading=reading, forms=forms, unknown=unknown, problem=problem)
