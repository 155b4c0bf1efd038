"""Looking after a store: what is not as it should be, and what can be mended without losing anything."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import attrs

from govfile.certificates._material import key_of
from govfile.certificates.keystore import files
from govfile.certificates.keystore.pointer import Pointer, whose
from govfile.certificates.keystore.shelf import Shelf
from govfile.certificates.keystore.slots import Finding
from govfile.errors import CredentialError, KeyStoreError, KeyStoreTooNew

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from govfile.certificates.keystore.keys import Keys
    from govfile.certificates.keystore.slots import SlotId


def shelves(root: Path) -> Iterator[Shelf | Finding]:
    """The slots of a store, and a finding for each folder that cannot be told whose it is."""
    if not files.exists(root):
        return
    with files.failing(root, "read"):
        folders = sorted(found for found in root.iterdir() if not found.name.startswith(".") and found.is_dir())
    for folder in folders:
        try:
            slot = _whose(folder)
        except KeyStoreError as error:
            yield Finding(slot=None, path=folder, what=error.what)
            continue
        if slot is None:
            continue  # made by a process that ended before it put anything in
        if folder.name == slot.folder:
            yield Shelf(slot, folder)
        else:
            yield Finding(slot=slot, path=folder, what=f"the folder of {slot} must be called {slot.folder}")


def _whose(folder: Path) -> SlotId | None:
    """The slot a folder belongs to, by its pointer or, where that is gone, by its generations."""
    first: KeyStoreError | None = None
    with files.failing(folder, "read"):
        places = [folder / "pointer.json", *sorted(folder.glob("[0-9]*/about.json"))]
    for path in filter(files.exists, places):
        try:
            return whose(path)
        except KeyStoreError as error:
            first = first or error
    if first is not None:
        raise first
    return None


# --- looking ----------------------------------------------------------------------------------------------------


def inspect(root: Path, keys: Keys | None) -> list[Finding]:
    """All that is wrong with a store; with `keys` every key is opened."""
    found = list(_drafts(root, None)) if files.exists(root) else []
    for shelf in shelves(root):
        found += [shelf] if isinstance(shelf, Finding) else _of_shelf(shelf, keys)
    return found


def _of_shelf(shelf: Shelf, keys: Keys | None) -> list[Finding]:
    found = [*_drafts(shelf.folder, shelf.slot), *_links(shelf)]
    sound: dict[int, bool] = {}
    for number in shelf.numbers():
        wrong = _of_generation(shelf, number, keys)
        sound[number] = not wrong
        found += wrong
    return [*found, *_of_pointer(shelf, sound)]


def _of_generation(shelf: Shelf, number: int, keys: Keys | None) -> list[Finding]:
    place, key_file = shelf.place(number), shelf.place(number) / "key.pem"
    found = list(_drafts(place, shelf.slot))
    try:
        shelf.about(number)
        if not files.is_private(key_file):
            found.append(_finding(shelf, key_file, "others than its owner may read or write the key", mend=True))
        elif keys is not None:
            _check_key(shelf, number, keys)
        if shelf.is_complete(number):
            shelf.generation(number)
    except CredentialError as error:
        found.append(_finding(shelf, place, error.what))
    return found


def _check_key(shelf: Shelf, number: int, keys: Keys) -> None:
    """Raise `CredentialError` unless the key opens and belongs to the certificate, where there is one."""
    key = keys.open(shelf.place(number) / "key.pem")
    if shelf.is_complete(number) and key_of(shelf.generation(number).certificate) != key.public_key():
        raise CredentialError("the key does not belong to the certificate beside it")


def _of_pointer(shelf: Shelf, sound: dict[int, bool]) -> list[Finding]:
    path = shelf.pointer_file
    if not files.exists(path):
        return [_finding(shelf, path, "the pointer is not there", mend=True)] if sound else []
    try:
        pointer = shelf.pointer()
    except KeyStoreError as error:
        return [_finding(shelf, path, error.what, mend=not isinstance(error, KeyStoreTooNew))]
    found = []
    if pointer.current is not None and not (sound.get(pointer.current) and shelf.is_complete(pointer.current)):
        found.append(_finding(shelf, path, f"generation {pointer.current}, in use, is not sound", mend=True))
    if pointer.pending is not None and pointer.pending not in sound:
        found.append(_finding(shelf, path, f"generation {pointer.pending}, pending, is not there", mend=True))
    if _better(shelf, pointer, lambda number: sound.get(number, False)) != pointer:
        found.append(_finding(shelf, path, "a later generation is there and not taken up", mend=True))
    return found


def _finding(shelf: Shelf, path: Path, what: str, *, mend: bool = False) -> Finding:
    return Finding(slot=shelf.slot, path=path, what=what, is_repairable=mend)


def _drafts(folder: Path, slot: SlotId | None) -> Iterator[Finding]:
    with files.failing(folder, "read"):
        names = sorted(found for found in folder.iterdir() if found.name.startswith(files.DRAFT))
    for path in names:
        yield Finding(slot=slot, path=path, what="left unfinished by a process that ended", is_repairable=True)


def _links(shelf: Shelf) -> Iterator[Finding]:
    with files.failing(shelf.folder, "read"):
        links = sorted(path for path in shelf.folder.rglob("*") if path.is_symlink())
    for path in links:
        yield _finding(shelf, path, "is a link; put the file itself there")


# --- mending ----------------------------------------------------------------------------------------------------


def mend(root: Path, keys: Keys, locked: Callable[[SlotId], AbstractContextManager[None]]) -> list[Finding]:
    """Mend what can be mended, each slot under its lock; what was done."""
    done: list[Finding] = []
    for shelf in shelves(root):
        if isinstance(shelf, Shelf):
            with locked(shelf.slot):
                done += _mend_shelf(shelf, keys)
    return done


def clear_drafts(folder: Path, slot: SlotId | None) -> list[Finding]:
    """Remove what was left unfinished in a folder, whose lock the caller holds."""
    found = list(_drafts(folder, slot))
    for finding in found:
        with files.failing(finding.path, "removed"):
            files.remove_draft(finding.path)
    return found


def _mend_shelf(shelf: Shelf, keys: Keys) -> list[Finding]:
    done = clear_drafts(shelf.folder, shelf.slot)
    for number in shelf.numbers():
        done += clear_drafts(shelf.place(number), shelf.slot)
        key_file = shelf.place(number) / "key.pem"
        if files.exists(key_file) and not files.is_private(key_file):
            files.make_private(key_file)
            done.append(_finding(shelf, key_file, "only its owner may read and write the key now", mend=True))
    return done + _mend_pointer(shelf, keys)


def _mend_pointer(shelf: Shelf, keys: Keys) -> list[Finding]:
    def is_sound(number: int) -> bool:
        try:
            _check_key(shelf, number, keys)
        except CredentialError:
            return False
        return True

    was: Pointer | None = None
    with contextlib.suppress(KeyStoreError):
        was = Pointer.load(shelf.pointer_file)
    if was is None and _is_too_new(shelf):
        return []
    start = was if was is not None and was.slot == shelf.slot else Pointer(slot=shelf.slot)
    wanted = _better(shelf, start, is_sound)
    if wanted == was:
        return []
    wanted.save(shelf.pointer_file)
    what = f"in use is generation {wanted.current or 'none'}, pending {wanted.pending or 'none'}"
    return [_finding(shelf, shelf.pointer_file, what, mend=True)]


def _is_too_new(shelf: Shelf) -> bool:
    try:
        shelf.pointer()
    except KeyStoreTooNew:
        return True
    except KeyStoreError:
        return False
    return False


def _better(shelf: Shelf, pointer: Pointer, is_sound: Callable[[int], bool]) -> Pointer:
    """The pointer as it should be: forward to a later sound generation, and back only from one that is not sound."""
    numbers = shelf.numbers()
    expires = {number: _expires(shelf, number) for number in numbers if shelf.is_complete(number)}
    usable = {number: end for number, end in expires.items() if end is not None and is_sound(number)}
    current = pointer.current if pointer.current in usable else None
    newer = {number: end for number, end in usable.items() if current is None or number > current}
    if newer:
        best = max(newer, key=lambda number: (newer[number], number))
        if current is None or newer[best] > usable[current]:
            current = best
    if current is None and expires:
        current = pointer.current  # nothing sound: leave it for somebody to look at
    floor = current or 0
    waiting = [number for number in numbers if number > floor and number not in expires and _waits(shelf, number)]
    pending = pointer.pending if pointer.pending in waiting else (waiting[-1] if waiting else None)
    return attrs.evolve(pointer, current=current, pending=pending)


def _expires(shelf: Shelf, number: int) -> float | None:
    try:
        return shelf.generation(number).expires.timestamp()
    except CredentialError:
        return None


def _waits(shelf: Shelf, number: int) -> bool:
    try:
        return shelf.is_asked_for(number)
    except CredentialError:
        return False
