"""L-09: every secret the tests make is remembered, and looked for in all that they print, log and leave behind."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from govfile.certificates.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: What the library and its command write: ledgers with their side files, exports, collected answers, logs.
ARTEFACT = re.compile(r".*\.(db|sqlite3?)(-wal|-shm|-journal)?|.*\.(jsonl|csv|log|out|err|part)|status_.*\.xml")
PRIVATE_KEY = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----")
#: Too short or too plain a word would be found by chance, and so would the few digits of sample numbers, which other
#: libraries log with the messages they are in; the tests of what holds such numbers look for them by themselves.
TELLING = re.compile(r"(?=.*[^a-zA-Z])(?!\d{1,11}$).{8,}", re.DOTALL)


class Leaks:
    """The secrets seen so far in this process, and where they turn up."""

    def __init__(self) -> None:
        self.secrets: set[str] = set()

    def watch(self) -> None:
        """Remember the text of every `Secret` made from now on."""
        make = Secret.__init__
        seen = self.secrets

        def remember(self: Secret, text: str) -> None:
            make(self, text)
            if TELLING.fullmatch(text):
                seen.add(text)

        Secret.__init__ = remember  # type: ignore[method-assign]

    def in_text(self, text: str) -> list[str]:
        """The secrets in `text`, each shortened to its first two characters."""
        return [f"{secret[:2]}…" for secret in sorted(self.secrets) if secret in text] if text else []

    def in_folder(self, folder: Path) -> list[str]:
        """The artefacts below `folder` that hold a secret or a private key."""
        wanted = sorted(secret.encode() for secret in self.secrets)
        return [f"{path.relative_to(folder)}" for path in artefacts(folder) if holds(path.read_bytes(), wanted)]


def artefacts(folder: Path) -> Iterator[Path]:
    """The files below `folder` that the library may have written, links and special files left out."""
    for path in folder.rglob("*"):
        if ARTEFACT.fullmatch(path.name) and path.is_file() and not path.is_symlink():
            yield path


def holds(content: bytes, wanted: list[bytes]) -> bool:
    """Whether `content` holds one of the secrets, or any private key."""
    return bool(PRIVATE_KEY.search(content)) or any(secret in content for secret in wanted)
