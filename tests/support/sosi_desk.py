"""A running Danish token service with a profile for the command, and ways to spoil the profile."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import attrs

from govfile.sandbox.sosi import SosiSandbox
from govfile.sandbox.sosi.command import Papers, write_papers
from support.desks import AnyDesk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from govfile.sandbox.sosi import Holder, Settings


@attrs.frozen(kw_only=True)
class SosiDesk(AnyDesk):
    """What a person at the command has: a token service, a folder, and papers in it."""

    authority: SosiSandbox
    papers: Papers

    def sign_with(self, holder: Holder) -> None:
        """Ask as somebody else."""
        self.papers.employee.write_bytes(holder.pkcs12())
        self.papers.employee_passphrase.write_text(holder.passphrase.reveal())

    def write(self, name: str, content: bytes) -> Path:
        """A file."""
        path = self.folder / name
        path.write_bytes(content)
        return path


@contextlib.contextmanager
def sosi_desk(folder: Path, *, settings: Settings | None = None) -> Iterator[SosiDesk]:
    """A sandbox of its own, with papers in `folder`."""
    with SosiSandbox(settings=settings) as authority:
        yield SosiDesk(authority=authority, folder=folder, papers=write_papers(authority, folder))
