"""From declarations to a claim: everything that can be checked before anything leaves the machine.

The document is read once: for its SHA-256, which the ledger and the signature share, for its form, and for the marks
by which its notification will be told.
"""

from __future__ import annotations

import hashlib
import json
import logging
from typing import TYPE_CHECKING

import attrs

from govfile.certificates.cms import Digest
from govfile.errors import ConfigurationError, InvalidContent
from govfile.filing.claim import Claim
from govfile.filing.sets import Numbered, Part, SetClaim, SetDraft
from govfile.filing.source import Source
from govfile.onss.brussels import today
from govfile.onss.contents import START, remarks_on
from govfile.onss.environments import Signing
from govfile.onss.fs import sign_file
from govfile.onss.matching import Marks
from govfile.onss.names import BatchName
from govfile.onss.purposes import purpose as purpose_of
from govfile.onss.sequences import MOST, sequence_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from typing import BinaryIO

    from govfile.certificates.credential import Credential
    from govfile.filing.scope import Scope
    from govfile.filing.source import Document
    from govfile.onss.environments import Environment
    from govfile.onss.purposes import Purpose

logger = logging.getLogger("govfile.onss")

MOST_PARTS = 9

#: How many marks of one declaration are remembered; more would make the ledger grow with every worker declared.
_MOST_MARKS = 2000


@attrs.frozen(kw_only=True)
class Filing:
    """What is filed at once: one declaration, or the parts that belong together, and what `submit` takes beside."""

    parts: tuple[Document, ...] = attrs.field(repr=False)
    purpose: str
    key: str | None = None
    again: str | None = None
    sign: bool | None = None


@attrs.frozen(kw_only=True)
class Declaration:
    """One part that passed every local check, and the marks found in it."""

    source: Source
    marks: Marks


@attrs.frozen(kw_only=True)
class Prepared:
    """A filing that passed every local check. `sha256` stands for all parts together."""

    filing: Filing
    purpose: Purpose
    declarations: tuple[Declaration, ...]
    sha256: str
    is_signed: bool


@attrs.frozen(kw_only=True)
class Preparer:
    """Prepares filings for one sender in one environment. `credential` None: there is no signing key."""

    environment: Environment
    scope: Scope
    user: str
    credential: Credential | None
    clock: Callable[[], datetime]

    def prepare(self, filing: Filing) -> Prepared:
        """Check the words and the documents.

        Raises `InvalidName` for what is no purpose, `InvalidContent` for what is no declaration of it, and
        `ConfigurationError`.
        """
        if not 1 <= len(filing.parts) <= MOST_PARTS:
            raise ConfigurationError(f"{len(filing.parts)} parts: a set has 1 to {MOST_PARTS}")
        if filing.again is not None and not filing.again.strip():
            raise ConfigurationError("again= needs a reason", advice="say in words why the content is filed again")
        purpose = purpose_of(filing.purpose)
        if not purpose.is_sent:
            raise ConfigurationError(
                f"{purpose.code} is what the authority sends: {purpose.meaning}", certain="nothing was sent"
            )
        declarations = tuple(_read(document, purpose) for document in filing.parts)
        digests = [found.source.sha256 for found in declarations]
        if len(set(digests)) < len(digests):
            raise InvalidContent("two parts of the set are the same", certain="nothing was claimed or sent")
        whole = digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode("ascii")).hexdigest()
        return Prepared(
            filing=filing,
            purpose=purpose,
            declarations=declarations,
            sha256=whole,
            is_signed=self._is_signed(filing.sign),
        )

    def draft(self, prepared: Prepared) -> SetDraft:
        """The set, signed, to be claimed under the next number of this Belgian day."""
        return self.signed_draft(prepared)[0]

    def signed_draft(self, prepared: Prepared) -> tuple[SetDraft, tuple[bytes, ...]]:
        """The same, and the signatures of its parts."""
        day = today(self.clock)
        signatures = tuple(self._sign(found.source) for found in prepared.declarations) if prepared.is_signed else ()
        parts = len(prepared.declarations)

        def named(number: int) -> SetClaim:
            go = BatchName.make(
                purpose=prepared.purpose.code,
                sender=self.scope.sender,
                sequence=sequence_text(number),
                environment=self.environment.letter,
                parts=parts,
                on=day,
                clock=self.clock,
            )
            kept = tuple((str(go.fs(part)), signature) for part, signature in enumerate(signatures, start=1))
            return SetClaim(claim=self._claim(prepared, go), parts=_parts(prepared, go), kept=kept)

        return SetDraft(numbered=self.numbered(f"{day:%Y%m%d}"), named=named), signatures

    def numbered(self, day: str) -> Numbered:
        """The counter of a day (YYYYMMDD)."""
        return Numbered(**self.scope.where(), day=day, most=MOST)

    def wish(self, prepared: Prepared) -> tuple[object, ...]:
        """What makes two calls the same wish."""
        filing = prepared.filing
        return prepared.purpose.code, prepared.sha256, self.user, filing.key, filing.again

    def _claim(self, prepared: Prepared, go: BatchName) -> Claim:
        sources = [found.source for found in prepared.declarations]
        return Claim(
            authority=self.scope.authority,
            environment=self.scope.environment,
            sender=self.scope.sender,
            service=prepared.purpose.code,
            name=str(go),
            size=sum(source.size for source in sources),
            sha256=prepared.sha256,
            filed_by=self.user,
            certificate=self.credential.fingerprint if self.credential and prepared.is_signed else "",
            key=prepared.filing.key,
            again=prepared.filing.again,
            source_path=str(sources[0].path) if sources[0].path else None,
            set_names=tuple(map(str, go.in_order(signed=prepared.is_signed))),
        )

    def _is_signed(self, asked: bool | None) -> bool:
        policy = self.environment.signing
        signs = asked
        if signs is None:
            signs = policy is Signing.ALWAYS or (policy is Signing.WITH_KEY and self.credential is not None)
        if signs and self.credential is None:
            raise ConfigurationError(
                f"files of {self.environment.name} are signed, and no signing certificate is given",
                certain="nothing was sent",
                advice="give the credential whose .cer is loaded on the channel",
            )
        return signs

    def _sign(self, source: Source) -> bytes:
        assert self.credential is not None
        return sign_file(
            Digest.from_hex(source.sha256), self.credential, layout=self.environment.layout, clock=self.clock
        )


def _read(document: Document, purpose: Purpose) -> Declaration:
    found: list[Marks] = []
    start = b""

    def look(reader: BinaryIO) -> None:
        nonlocal start
        beginning = _Beginning(reader)
        try:
            found.append(Marks.of(beginning))  # type: ignore[arg-type] # reads, and nothing else
        finally:
            start = beginning.start

    try:
        source = Source.of(document, look=look)
    except InvalidContent as error:
        error.certain = error.certain or "nothing was claimed or sent"
        raise
    (marks,) = found
    for remark in remarks_on(start, size=source.size, purpose=purpose):
        logger.warning("%s", remark)
    _check_form(marks, purpose)
    return Declaration(source=source, marks=marks)


def _check_form(marks: Marks, purpose: Purpose) -> None:
    forms = sorted(marks.identifications) or [""]
    contradiction = next(filter(None, (purpose.contradiction(marks.root, form) for form in forms)), "")
    if not contradiction:
        return
    if not purpose.is_pair_certain:
        logger.warning("this may be no %s declaration: %s", purpose.code, contradiction)
        return
    raise InvalidContent(
        f"this is no {purpose.code} declaration: {contradiction} (ACRF-158)",
        certain="nothing was claimed or sent",
        advice="give the purpose that belongs to the file",
    )


class _Beginning:
    """A reader that keeps the first bytes that went through it."""

    def __init__(self, reader: BinaryIO) -> None:
        self._reader = reader
        self.start = b""

    def read(self, size: int = -1) -> bytes:
        block = self._reader.read(size)
        if len(self.start) < START:
            self.start += block[:START]
        return block


def _parts(prepared: Prepared, go: BatchName) -> tuple[Part, ...]:
    return tuple(
        Part(
            name=str(go.fi(position)),
            size=found.source.size,
            sha256=found.source.sha256,
            source_path=str(found.source.path) if found.source.path else None,
            marks=write_marks(found.marks),
        )
        for position, found in enumerate(prepared.declarations, start=1)
    )


def write_marks(marks: Marks) -> str:
    """Marks as JSON, as far as they are remembered."""
    references = sorted(marks.references)[:_MOST_MARKS]
    stamps = sorted(marks.stamps)[:_MOST_MARKS]
    return json.dumps([references, stamps], ensure_ascii=True, separators=(",", ":"))


def read_marks(texts: Sequence[str]) -> Marks:
    """The marks of all parts of a set together."""
    references: set[str] = set()
    stamps: set[tuple[str, str, str]] = set()
    for text in texts:
        own, of_forms = json.loads(text) if text else ([], [])
        references.update(own)
        stamps.update((stamp[0], stamp[1], stamp[2]) for stamp in of_forms)
    return Marks(references=frozenset(references), stamps=frozenset(stamps))


def parts_of(declaration: Document | Sequence[Document]) -> tuple[Document, ...]:
    """One document, or the parts of a list or tuple."""
    if isinstance(declaration, list | tuple):
        return tuple(declaration)
    return (declaration,)  # type: ignore[return-value] # other sequences are documents: text and bytes
