"""What a person at the command has, whatever the authority, and ways to spoil it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import attrs

if TYPE_CHECKING:
    from pathlib import Path


class Configured(Protocol):
    """The papers of a sandbox, as far as their `govfile.toml`."""

    @property
    def config(self) -> Path:
        """The `govfile.toml`."""
        ...


@attrs.frozen(kw_only=True)
class AnyDesk:
    """A folder and papers in it."""

    folder: Path
    papers: Configured

    @property
    def config(self) -> Path:
        """The `govfile.toml`."""
        return self.papers.config

    def change(self, old: str, new: str) -> None:
        """Rewrite a part of the configuration that must be there."""
        text = self.config.read_text()
        assert old in text
        self.config.write_text(text.replace(old, new))
