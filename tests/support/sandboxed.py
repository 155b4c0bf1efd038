"""A running sandbox with a profile for the command, and ways to spoil the profile."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import attrs

from govfile.sandbox.skat import SkatSandbox
from govfile.sandbox.skat.command import Papers, write_papers
from support.desks import AnyDesk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from govfile.sandbox.skat import Identity, Schedule, Settings


@attrs.frozen(kw_only=True)
class Desk(AnyDesk):
    """What a person at the command has: a gateway, a folder, and papers in it."""

    authority: SkatSandbox
    papers: Papers

    def use(self, identity: Identity) -> None:
        """File as somebody else."""
        self.papers.pkcs12.write_bytes(identity.pkcs12())
        self.papers.passphrase.write_text(identity.passphrase.reveal())
        self.papers.password.write_text(identity.password.reveal())

    def write(self, service: str = "Udlaan", *, seed: int = 1, name: str | None = None) -> Path:
        """A document on disk."""
        path = self.folder / (name or self.authority.example_name(service, seed=seed))
        path.write_bytes(self.authority.example(service, seed=seed))
        return path


@contextlib.contextmanager
def desk(folder: Path, *, settings: Settings | None = None, schedule: Schedule | None = None) -> Iterator[Desk]:
    """A sandbox of its own, with papers in `folder`."""
    with SkatSandbox(settings=settings, schedule=schedule) as authority:
        yield Desk(authority=authority, folder=folder, papers=write_papers(authority, folder))
