"""A running Finnish sandbox with a profile for the command, and ways to spoil the profile."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from typing import TYPE_CHECKING

import attrs

from govfile import KeyStore, Secret
from govfile.certificates.keystore import SlotId
from govfile.sandbox import VeroSandbox
from govfile.sandbox.vero.command import Papers, write_papers
from support.desks import AnyDesk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from govfile.certificates.keystore import Generation

CUSTOMER = "0123456-7"


@attrs.frozen(kw_only=True)
class VeroCounter(AnyDesk):
    """What a person at the command has: codes, a folder, and papers in it."""

    authority: VeroSandbox
    papers: Papers

    @property
    def codes(self) -> Path:
        """Both codes in a file."""
        path = self.folder / "codes.txt"
        path.write_text(f"{self.papers.transfer_id}\n{self.password}\n")
        return path

    @property
    def password(self) -> str:
        """The transfer password."""
        return self.papers.transfer_password.read_text()

    @property
    def keys(self) -> KeyStore:
        """The profile's key store."""
        return KeyStore(self.folder / "keys", Secret(self.papers.keys_passphrase.read_text()))

    def slot(self, holder: str = CUSTOMER) -> SlotId:
        """A customer's slot."""
        return SlotId("vero", self.authority.environment.name, holder)

    def holding(self, holder: str = CUSTOMER, *, left: float = 30) -> Generation:
        """Have a certificate in use that ends in so many days."""
        issued = self.authority.clock() - timedelta(days=730 - left)
        credential = self.authority.credential_for(holder, issued=issued)
        return self.keys.adopt(self.slot(holder), credential)


@contextlib.contextmanager
def vero_counter(folder: Path) -> Iterator[VeroCounter]:
    """A sandbox of its own, with papers in `folder`."""
    with VeroSandbox() as authority:
        yield VeroCounter(authority=authority, folder=folder, papers=write_papers(authority, folder))
