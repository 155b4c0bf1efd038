"""What the store writes down about itself, as JSON with the number of its form."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import attrs

from govfile.certificates.keystore import files
from govfile.certificates.keystore.slots import SlotId
from govfile.errors import KeyStoreError, KeyStoreTooNew

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

#: The form this version writes. It reads no later one.
SCHEMA = 1


@attrs.frozen(kw_only=True)
class Pointer:
    """A slot's state: which generation is in use, and which waits for its certificate."""

    slot: SlotId
    current: int | None = None
    pending: int | None = None

    def save(self, path: Path) -> None:
        """Replace the file in one step."""
        save(path, {**attrs.asdict(self.slot), "current": self.current, "pending": self.pending})

    @classmethod
    def load(cls, path: Path) -> Pointer:
        """Raises `KeyStoreError` when the file cannot be read, or says what makes no sense."""
        found = load(path)
        current, pending = found.get("current"), found.get("pending")
        for number in (current, pending):
            if not (number is None or (type(number) is int and number > 0)):
                raise damaged(path)
        return cls(slot=_slot(found, path), current=current, pending=pending)


@attrs.frozen(kw_only=True)
class About:
    """What a generation says about itself: whose it is, when its key was made, and what the authority's part noted."""

    slot: SlotId
    created: str
    notes: Mapping[str, str] = MappingProxyType({})
    abandoned: str = ""

    def dump(self) -> bytes:
        """As the file holds it."""
        return dump(
            {
                **attrs.asdict(self.slot),
                "created": self.created,
                "notes": dict(self.notes),
                "abandoned": self.abandoned,
            }
        )

    @classmethod
    def load(cls, path: Path) -> About:
        """Raises `KeyStoreError` when the file cannot be read, or says what makes no sense."""
        found = load(path)
        notes = found.get("notes")
        texts = [found.get("created"), found.get("abandoned"), *(notes.values() if isinstance(notes, dict) else [None])]
        if not all(isinstance(text, str) for text in texts):
            raise damaged(path)
        return cls(slot=_slot(found, path), created=found["created"], notes=notes or {}, abandoned=found["abandoned"])


def dump(content: dict[str, Any]) -> bytes:
    """JSON with the number of its form."""
    return (json.dumps({"schema": SCHEMA, **content}, ensure_ascii=False, indent=1) + "\n").encode()


def save(path: Path, content: dict[str, Any]) -> None:
    """Replace the file in one step."""
    files.write(path, dump(content))


def load(path: Path) -> dict[str, Any]:
    """The file's content; raises `KeyStoreTooNew` for a later form, `KeyStoreError` for what is no such file."""
    try:
        found: Any = json.loads(files.read(path))
    except (ValueError, RecursionError) as error:
        raise damaged(path) from error
    if not isinstance(found, dict):
        raise damaged(path)
    schema = found.get("schema")
    if type(schema) is not int or schema < 1:
        raise damaged(path)
    if schema > SCHEMA:
        raise KeyStoreTooNew(
            f"{path} was written by a newer version of govfile (form {schema}, this one knows {SCHEMA})",
            certain="nothing was changed",
            advice="use that version or a later one",
        )
    return found


def whose(path: Path) -> SlotId:
    """The slot a pointer or an about file names; raises what `load` raises."""
    return _slot(load(path), path)


def damaged(path: Path) -> KeyStoreError:
    """The error for a file that cannot be believed."""
    return KeyStoreError(
        f"{path} is damaged: it is cut short, or something else wrote it",
        certain="the keys and certificates are in files of their own beside it",
        advice="call repair(), which finds out from those, or restore a backup",
    )


def _slot(found: dict[str, Any], path: Path) -> SlotId:
    texts = [found.get(name) for name in ("authority", "environment", "holder")]
    if not all(isinstance(text, str) and text for text in texts):
        raise damaged(path)
    return SlotId(*(str(text) for text in texts))
