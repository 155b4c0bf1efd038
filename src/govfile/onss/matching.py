"""Which of our files an acknowledgement or a notification is about.

The order of evidence: the name of the file, its ticket, our own reference, the stamp of the form. A notification may
come without naming the file at all, so callers do well to give each form a reference and a creation hour (to the
millisecond) of its own. Nothing is guessed: what fits several files fits none.
"""

from __future__ import annotations

import enum
from collections import defaultdict
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

import attrs

from govfile.onss.forms import OWN, FormStamp
from govfile.xml.gather import gather

if TYPE_CHECKING:
    from collections.abc import Iterable

    from govfile.onss.acrf import AcrfForm
    from govfile.onss.forms import FileReference
    from govfile.onss.names import BatchName
    from govfile.onss.notification import NotificationForm

#: Identification, creation date and creation hour of a form.
Stamp: TypeAlias = tuple[str, str, str]

_HEADER = {name: f"Form/{name}" for name in ("Identification", "FormCreationDate", "FormCreationHour")}
_REFERENCE = {name: f"Form/Reference/{name}" for name in ("ReferenceOrigin", "ReferenceNbr")}


@attrs.frozen(kw_only=True)
class Marks:
    """What a declaration says by which its notification can be told: the `references` its sender gave and the `stamps`
    of its forms. `root` is the name of its root element, `identifications` what kinds of form are in it.
    """

    root: str = ""
    references: frozenset[str] = frozenset()
    stamps: frozenset[Stamp] = frozenset()
    identifications: frozenset[str] = frozenset()

    @classmethod
    def of(cls, declaration: BinaryIO) -> Marks:
        """Read a declaration to its end, checking that it is well-formed, in memory that does not grow with its size.

        Raises `InvalidContent` where it is not well-formed XML.
        """
        wanted = frozenset((*_HEADER.values(), *_REFERENCE.values()))
        found = gather(declaration, wanted, what="the declaration")
        references, stamps, identifications = set(), set(), set()
        current: dict[str, str] = {}
        for path, text in found.values:
            if path == _HEADER["Identification"]:  # the first element of a form
                current = {}
                identifications.add(text)
            current[path] = text
            if path == _HEADER["FormCreationHour"]:
                stamp = FormStamp(
                    identification=current.get(_HEADER["Identification"], ""),
                    creation_date=current.get(_HEADER["FormCreationDate"], ""),
                    creation_hour=text,
                )
                stamps.add(stamp.key)
            if path == _REFERENCE["ReferenceNbr"] and current.pop(_REFERENCE["ReferenceOrigin"], "") == OWN:
                references.add(text)
        return cls(
            root=found.root,
            references=frozenset(references - {""}),
            stamps=frozenset(stamp for stamp in stamps if stamp is not None),
            identifications=frozenset(identifications),
        )


@attrs.frozen(kw_only=True)
class Sent:
    """A file of ours as far as it matters here: `id` is the caller's, `name` any of the set's names, `ticket` as an
    acknowledgement gave it ("" so far), `marks` where they are known.
    """

    id: str
    name: BatchName
    ticket: str = ""
    marks: Marks = attrs.field(factory=Marks)


class Evidence(enum.Enum):
    """What told that they belong together, the strongest first."""

    FILE_NAME = "the name of the file"
    TICKET = "the ticket of the file"
    OWN_REFERENCE = "our own reference"
    FORM_STAMP = "the stamp of the form"


@attrs.frozen(kw_only=True)
class Match:
    """The `id` of the file that is meant, None where none is; by which `evidence`; and a `remark` in words where that
    is not plain: the file is another's, several fit, or the ticket is not the one known.
    """

    id: str | None = None
    evidence: Evidence | None = None
    remark: str = ""


class Register:
    """Our files, to be found by what answers say of them."""

    def __init__(self, sent: Iterable[Sent]) -> None:
        self._by_name: dict[str, Sent] = {}
        self._senders: dict[str, str] = {}
        self._by_ticket: dict[str, set[str]] = defaultdict(set)
        self._by_reference: dict[str, set[str]] = defaultdict(set)
        self._by_stamp: dict[Stamp, set[str]] = defaultdict(set)
        for one in sent:
            self.add(one)

    def add(self, sent: Sent) -> None:
        """Remember one more, or what is new of one."""
        self._by_name[sent.name.stem] = sent
        self._senders[sent.id] = sent.name.sender
        if sent.ticket:
            self._by_ticket[sent.ticket].add(sent.id)
        for reference in sent.marks.references:
            self._by_reference[reference].add(sent.id)
        for stamp in sent.marks.stamps:
            self._by_stamp[stamp].add(sent.id)

    def acknowledged(self, form: AcrfForm) -> Match:
        """The file that a form of an acknowledgement is about: it names it, by its GO or one of its other files."""
        return self._named(form.file) or Match(remark="the acknowledgement names no file that can be read")

    def notified(self, form: NotificationForm) -> Match:
        """The file that a form of a notification is about.

        The first evidence that fits one file decides; where it fits several, the next must tell them apart. A name
        that is not ours ends the search: what belongs to others is not claimed by a reference that looks alike. Nor
        is a form that names another sender.
        """
        named = self._named(form.file)
        if named is not None:
            return named
        sender = form.original_file.sender if form.original_file else ""
        stamp = form.original_form.key if form.original_form else None
        steps = (
            (Evidence.TICKET, [self._by_ticket.get(ticket, set()) for ticket in form.tickets]),
            (Evidence.OWN_REFERENCE, [self._by_reference.get(own, set()) for own in form.own_references]),
            (Evidence.FORM_STAMP, [self._by_stamp.get(stamp, set())] if stamp else []),
        )
        candidates: set[str] = set()
        for evidence, found in steps:
            fitting = {one for ids in found for one in ids if sender in ("", self._senders[one])}
            candidates = (candidates & fitting or candidates) if candidates else fitting
            if len(candidates) == 1:
                return Match(id=next(iter(candidates)), evidence=evidence)
        if candidates:
            return Match(remark=f"{len(candidates)} of our files fit, and nothing tells them apart")
        return Match(remark="nothing in it points to a file of ours")

    def _named(self, file: FileReference | None) -> Match | None:
        """By the name of the file; None where no name can be read."""
        if file is None or file.name is None:
            return None
        found = self._by_name.get(file.name.stem)
        if found is None:
            return Match(remark=f"it names the file of somebody else, or one this ledger does not know: {file.name}")
        is_other = bool(found.ticket and file.ticket and found.ticket != file.ticket)
        remark = f"its ticket is {file.ticket[:20]!a}, the acknowledgement gave {found.ticket!a}" if is_other else ""
        return Match(id=found.id, evidence=Evidence.FILE_NAME, remark=remark)
