"""One slot's folder: a numbered folder for each generation, and the pointer that says which one is in use.

slot folder/
  pointer.json      replaced in one step
  lock
  0001/             key.pem, request.der, about.json; and once the answer was checked: chain.pem, certificate.pem
  0002/ …
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

import attrs
from cryptography.hazmat.primitives.serialization import Encoding

from govfile.certificates._pem import open_certificates
from govfile.certificates.keystore import files
from govfile.certificates.keystore.pointer import About, Pointer, damaged
from govfile.certificates.keystore.slots import Generation, Pending
from govfile.errors import CredentialError, KeyStoreError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cryptography import x509

    from govfile.certificates.keystore.slots import SlotId

_NUMBER = re.compile(r"[0-9]{4,9}")


@attrs.frozen
class Shelf:
    """The folder of the slot; nothing here locks or checks certificates."""

    slot: SlotId
    folder: Path

    @property
    def lock(self) -> Path:
        """The file whose lock guards the slot."""
        return self.folder / "lock"

    @property
    def pointer_file(self) -> Path:
        """The pointer."""
        return self.folder / "pointer.json"

    def pointer(self) -> Pointer:
        """What is in use and what is pending; found out from the generations where no pointer was written yet."""
        if not files.exists(self.pointer_file):
            return self.rebuilt()
        found = Pointer.load(self.pointer_file)
        if found.slot != self.slot:
            raise KeyStoreError(
                f"{self.pointer_file} belongs to the slot {found.slot}",
                advice="put each slot's folder back under the name it had",
            )
        return found

    def rebuilt(self) -> Pointer:
        """The pointer as the generations tell it: in use is what expires last, pending the newest after it.

        A generation that cannot be read is left out.
        """
        current: Generation | None = None
        pending: int | None = None
        for number in self.numbers():
            try:
                found = self.generation(number) if self.is_complete(number) else None
                is_open = found is None and self.is_asked_for(number)
            except CredentialError:
                continue
            if found is not None and (current is None or found.expires >= current.expires):
                current, pending = found, None
            elif is_open:
                pending = number
        return Pointer(slot=self.slot, current=current.number if current else None, pending=pending)

    def numbers(self) -> list[int]:
        """The generations that are there, oldest first."""
        if not files.exists(self.folder):
            return []
        with files.failing(self.folder, "read"):
            return sorted(int(found.name) for found in self.folder.iterdir() if _NUMBER.fullmatch(found.name))

    def place(self, number: int) -> Path:
        """The folder of a generation."""
        return self.folder / f"{number:04d}"

    def is_complete(self, number: int) -> bool:
        """Whether its certificate was accepted."""
        return files.exists(self.place(number) / "certificate.pem")

    def is_asked_for(self, number: int) -> bool:
        """Whether it is a key with a request that nobody has given up."""
        place = self.place(number)
        return (
            files.exists(place / "key.pem") and files.exists(place / "request.der") and not self.about(number).abandoned
        )

    def about(self, number: int) -> About:
        """What the generation says about itself."""
        path = self.place(number) / "about.json"
        found = About.load(path)
        if found.slot != self.slot:
            raise KeyStoreError(f"{path} belongs to the slot {found.slot}", advice="move it to where it was")
        return found

    def save_about(self, number: int, about: About) -> None:
        """Replace it in one step."""
        files.write(self.place(number) / "about.json", about.dump())

    def add(self, contents: dict[str, bytes]) -> int:
        """Put a new generation on the disk, whole or not at all; its number, which no other ever had."""
        number = max([0, *self.numbers()]) + 1
        files.write_folder(self.place(number), contents)
        return number

    def add_certificate(self, number: int, certificate: x509.Certificate, chain: Sequence[x509.Certificate]) -> None:
        """Write down the answer: the certificate last, since it is what makes the generation complete."""
        place = self.place(number)
        files.write(place / "chain.pem", pem(*chain))
        files.write(place / "certificate.pem", pem(certificate))

    def generation(self, number: int, *, is_current: bool = False) -> Generation:
        """A complete generation; raises `KeyStoreError` when its files cannot be read."""
        place = self.place(number)
        return Generation(
            slot=self.slot,
            number=number,
            certificate=_certificates(place / "certificate.pem")[0],
            chain=_certificates(place / "chain.pem"),
            is_current=is_current,
            folder=place,
        )

    def pending(self, number: int) -> Pending:
        """A generation that waits for its certificate; raises `KeyStoreError` when its files cannot be read."""
        about = self.about(number)
        try:
            created = datetime.fromisoformat(about.created)
        except ValueError as error:
            raise damaged(self.place(number) / "about.json") from error
        request = files.read(self.place(number) / "request.der")
        return Pending(
            slot=self.slot,
            number=number,
            request=request,
            created=created,
            notes=about.notes,
            is_answered=self.is_complete(number),
        )


def pem(*certificates: x509.Certificate) -> bytes:
    """The certificates as PEM, one after the other."""
    return b"".join(found.public_bytes(Encoding.PEM) for found in certificates)


def _certificates(path: Path) -> tuple[x509.Certificate, ...]:
    data = files.read(path)
    if not data and path.name == "chain.pem":
        return ()
    try:
        return open_certificates(data, f"certificate {path}")
    except CredentialError as error:
        raise KeyStoreError(
            f"{path} is damaged: {error.what}",
            certain="nothing was changed",
            advice="restore it from a backup, or call repair(), which uses another generation where there is one",
        ) from error
