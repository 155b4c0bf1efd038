"""Status files: what their names say, what is in them, and which evidence they are.

Sources: the authority's pages on status files and receipts (oid 2297135) and on the content of a status file
(oid 2297137). The names of elements are published, their nesting in status_0 and status_3 is not: so they are found at
any depth, in either spelling, with unknown ones kept.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import attrs

from govfile.filing.states import Proof
from govfile.filing.status import Reading, read_xml, text, texts, unknown_leaves
from govfile.skat.codes import NAME_REUSED, explain
from govfile.skat.danish_time import from_stamp
from govfile.skat.folders import CERTIFICATE_FOLDER, COMPANY_FOLDER
from govfile.xml.parse import blot

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from govfile.xml.parse import Element

_NAME = re.compile(r"status_(?P<middle>.+)_(?P<number>[0-9])\.xml", re.IGNORECASE | re.DOTALL)

_TRANSACTION = ("FTPTransaktionsId", "FTPTransactionId", "FTPTransaktionId", "FTPTransactionsId")
_GATEWAY_ID = ("SKATTransaktionsId", "SKATTransactionId", "SKATTransaktionId", "SKATTransactionsId")
_CODE = ("error.code", "errorcode")
_MESSAGE = ("error.message", "errormessage")
_RESOLUTION = ("error.resolution", "errorresolution")
_STATUS_CODE = ("status.code", "statuscode")
_KNOWN = frozenset(
    name.casefold()
    for name in (
        *_TRANSACTION,
        *_GATEWAY_ID,
        *_CODE,
        *_MESSAGE,
        *_RESOLUTION,
        *_STATUS_CODE,
        "filename",
        "timestamp",
        "service",
    )
)


@attrs.frozen
class StatusName:
    """A status file's name taken apart as far as it can be: `middle` is the service, `_` and the upload's name.

    Services hold dots, uploads hold underscores: where the one ends and the other begins is only known by comparing
    with uploads that were made, which is what `readings` is for.
    """

    remote_name: str
    middle: str
    number: int

    @classmethod
    def parse(cls, remote_name: str) -> StatusName | None:
        """None when it is not the name of a status file."""
        match = _NAME.fullmatch(remote_name)
        return cls(remote_name, match["middle"], int(match["number"])) if match else None

    def readings(self) -> Iterator[tuple[str, str]]:
        """Every (service, upload name) this name can stand for, to be compared with what was really uploaded."""
        for place in (found.start() for found in re.finditer("_", self.middle)):
            if 0 < place < len(self.middle) - 1:
                yield self.middle[:place], self.middle[place + 1 :]


@attrs.frozen(kw_only=True)
class StatusError:
    """One error of a status_0, each part as the authority wrote it."""

    code: str = ""
    message: str = attrs.field(default="", repr=False)
    resolution: str = attrs.field(default="", repr=False)


@attrs.frozen(kw_only=True)
class StatusBlock:
    """What one `file` element says. `path` is the upload's full path and `transaction` its name, as the gateway has
    them; `timestamp` is aware UTC; `words` is the free text of `status.code`; `responses` are names of files put into
    `out`; `unknown` holds (path of element names, text) of everything this version does not know.
    """

    path: str = ""
    transaction: str = ""
    gateway_id: str = ""
    timestamp: datetime | None = None
    words: str = attrs.field(default="", repr=False)
    service: str = ""
    responses: tuple[str, ...] = ()
    errors: tuple[StatusError, ...] = ()
    unknown: tuple[tuple[str, str], ...] = attrs.field(default=(), repr=False)

    @property
    def upload(self) -> str:
        """The upload's name, "" when the block does not say."""
        return self.transaction or self.path.rpartition("/")[2]

    @property
    def folder(self) -> str:
        """The service folder in the upload's path, "" when the block does not say."""
        parts = [part.strip() for part in self.path.split("/") if part.strip()]
        return parts[-2] if len(parts) > 1 else ""

    @property
    def login(self) -> str:
        """The user name in the upload's path (`/CVR_…/UI_…/service/name` gives `CVR_…_UI_…`), "" without one."""
        parts = [part.strip() for part in self.path.split("/") if part.strip()]
        given = len(parts) > 3 and COMPANY_FOLDER.fullmatch(parts[0]) and CERTIFICATE_FOLDER.fullmatch(parts[1])
        return "_".join(parts[:2]) if given else ""

    def agrees_with(self, name: str) -> bool:
        """Whether nothing in the block speaks against its being about the upload `name`."""
        said = {part for part in (self.transaction, self.path.rpartition("/")[2].strip()) if part}
        return not said or name in said


@attrs.frozen(kw_only=True)
class StatusFile:
    """A status file, read. `problem` says in words why its content cannot be used; then there are no `blocks`."""

    name: StatusName
    reading: Reading
    blocks: tuple[StatusBlock, ...] = ()
    problem: str = ""

    @classmethod
    def read(cls, name: StatusName, raw: bytes) -> StatusFile:
        """Never raises: a file that is empty, cut off or not a status comes back with its `problem`."""
        reading = read_xml(raw, what=f"the status file {name.remote_name!r}")
        if reading.root is None:
            return cls(name=name, reading=reading, problem=reading.problem)
        blocks = _blocks(reading.root)
        if not any(_says_something(block) for block in blocks):
            return cls(name=name, reading=reading, problem="it is XML, but holds nothing that a status file holds")
        return cls(name=name, reading=reading, blocks=blocks)

    def block_for(self, upload: str) -> StatusBlock | None:
        """The block about this upload; None when every block is about another file."""
        exact = (block for block in self.blocks if upload in (block.transaction, block.upload))
        return next(exact, None) or next((block for block in self.blocks if block.agrees_with(upload)), None)

    def proof(self, block: StatusBlock) -> Proof:
        """What this status shows. The number decides; numbers no text speaks of move nothing."""
        if self.name.number == 0:
            reused = any(error.code.strip().casefold() == NAME_REUSED.casefold() for error in block.errors)
            return Proof.NAME_REUSED if reused else Proof.REFUSED
        return {1: Proof.HANDED_OVER, 2: Proof.TAKEN, 3: Proof.ANNOUNCED}.get(self.name.number, Proof.NOTED)


def in_words(block: StatusBlock) -> str:
    """What a block says, fit for a record: our words for known codes, the authority's for others, personal numbers
    blotted out, one line, at most 300 characters.
    """
    if not block.errors:
        return _one_line(block.words)
    parts = []
    for error in block.errors:
        known = explain(error.code)
        theirs = "; ".join(text for text in (error.message, error.resolution) if text)
        parts.append(theirs if theirs and not known.is_known else f"{known.meaning}; {known.advice}")
    return _one_line(" | ".join(dict.fromkeys(parts)))


def _one_line(words: str) -> str:
    printable = "".join(letter if letter.isprintable() else " " for letter in words)
    return blot(" ".join(printable.split()))[:300]


def _blocks(root: Element) -> tuple[StatusBlock, ...]:
    """One block for each `file`; what stands outside them belongs to the only one, or to each that lacks it."""
    files = tuple(found for found in root.find_all("file") if found.children)
    if len(files) < 2:
        return (_block(root),)
    outside = _block(attrs.evolve(root, children=tuple(child for child in root.children if child not in files)))
    return tuple(
        attrs.evolve(
            block,
            errors=block.errors or outside.errors,
            responses=block.responses or outside.responses,
            words=block.words or outside.words,
        )
        for block in map(_block, files)
    )


def _block(element: Element) -> StatusBlock:
    responses = element.find_all("response")
    announced = tuple(dict.fromkeys(_base(name) for found in responses for name in _names_in(found)))
    inside = {id(part) for found in responses for part in found.walk()}
    own = [found for found in element.find_all("filename") if id(found) not in inside and found.text.strip()]
    return StatusBlock(
        path=_clean_path(own[0].text) if own else "",
        transaction=text(element, *_TRANSACTION),
        gateway_id=text(element, *_GATEWAY_ID),
        timestamp=from_stamp(text(element, "timestamp")),
        words=text(element, *_STATUS_CODE),
        service=text(element, "service"),
        responses=tuple(name for name in announced if name),
        errors=_errors(element),
        unknown=unknown_leaves(element, _KNOWN),
    )


def _names_in(response: Element) -> tuple[str, ...]:
    return texts(response, "filename") or ((response.text.strip(),) if response.text.strip() else ())


def _base(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[2].strip()


def _clean_path(path: str) -> str:
    """One published sample has a blank after the first slash."""
    return "/".join(part.strip() for part in path.strip().split("/"))


def _errors(element: Element) -> tuple[StatusError, ...]:
    """Each `error.code` with the message and resolution that stand beside it, at whatever depth."""
    found: list[StatusError] = []
    parts = (*_CODE, *_MESSAGE, *_RESOLUTION)
    for holder in element.walk():
        here = {_part(holder, child): child.text.strip() for child in holder.children if child.text.strip()}
        codes = [child.text.strip() for child in holder.children if _part(holder, child) in _CODE]
        message = next((here[name] for name in _MESSAGE if name in here), "")
        resolution = next((here[name] for name in _RESOLUTION if name in here), "")
        if len(codes) > 1:  # several errors side by side, each code followed by its own texts
            found.extend(_in_turn(holder, parts))
        elif codes or message or resolution:
            found.append(StatusError(code=codes[0] if codes else "", message=message, resolution=resolution))
    return tuple(found)


def _part(holder: Element, child: Element) -> str:
    """An element's name, casefolded; `code` below `error` is `error.code`, and so on."""
    name = child.name.casefold()
    is_nested = holder.name.casefold() == "error" and name in ("code", "message", "resolution")
    return f"error.{name}" if is_nested else name


def _in_turn(holder: Element, parts: tuple[str, ...]) -> Iterator[StatusError]:
    current: dict[str, str] = {}
    for child in holder.children:
        name = _part(holder, child)
        if name not in parts:
            continue
        if name in _CODE and current:
            yield StatusError(**current)
            current = {}
        kind = "code" if name in _CODE else "message" if name in _MESSAGE else "resolution"
        current[kind] = child.text.strip()
    if current:
        yield StatusError(**current)


def _says_something(block: StatusBlock) -> bool:
    return bool(block.upload or block.gateway_id or block.words or block.errors or block.responses)
