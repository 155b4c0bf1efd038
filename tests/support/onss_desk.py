"""A running Belgian sandbox with a profile for the command, and ways to spoil the profile."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import attrs

from govfile.sandbox.onss import OnssSandbox
from govfile.sandbox.onss.command import Papers, write_papers
from support.desks import AnyDesk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from govfile.sandbox.onss import Account, Schedule, Settings


@attrs.frozen(kw_only=True)
class OnssDesk(AnyDesk):
    """What a person at the command has: a channel, a folder, and papers in it."""

    authority: OnssSandbox
    papers: Papers

    def sign_with(self, account: Account) -> None:
        """Sign as somebody else."""
        self.papers.pkcs12.write_bytes(account.pkcs12())
        self.papers.passphrase.write_text(account.passphrase.reveal())

    def write(self, purpose: str = "DMFA", *, seed: int = 1, name: str | None = None) -> Path:
        """A declaration on disk."""
        path = self.folder / (name or f"{purpose.lower()}-{seed}.xml")
        path.write_bytes(self.authority.example(purpose, seed=seed))
        return path


@contextlib.contextmanager
def onss_desk(
    folder: Path, *, settings: Settings | None = None, schedule: Schedule | None = None, is_synchronised: bool = True
) -> Iterator[OnssDesk]:
    """A sandbox of its own, with papers in `folder`."""
    with OnssSandbox(settings=settings, schedule=schedule, is_synchronised=is_synchronised) as authority:
        yield OnssDesk(authority=authority, folder=folder, papers=write_papers(authority, folder))
