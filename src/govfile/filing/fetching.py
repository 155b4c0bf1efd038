"""Fetching what an authority left: each file whole and once, kept durably, remembered, and only then perhaps removed.

For each file: download under a temporary name, make sure that it is whole, give it its name durably, record what it
proves, remember that it was received. A crash between any two of these steps repeats the file and changes nothing.
What a file means, and when it counts as whole, is the authority's; that is in its own package.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import attrs

from govfile.errors import InvalidName, TransferAborted, TransferRefused
from govfile.filing.ledger.receipts import Received
from govfile.filing.saving import discard
from govfile.filing.submission import Answer, Evidence
from govfile.transports.base import join

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime
    from pathlib import Path

    from govfile.filing.ledger import Ledger
    from govfile.filing.saving import Folder
    from govfile.filing.scope import Scope
    from govfile.filing.states import Proof
    from govfile.transports.base import FileTransport, RemoteFile

logger = logging.getLogger("govfile.filing")

STILL_WRITTEN = "it is still being written, or was replaced while it was fetched"


@attrs.frozen(kw_only=True)
class Skipped:
    """A remote file that was left for later, and why."""

    remote_name: str
    reason: str


@attrs.frozen(kw_only=True)
class Fetched:
    """A file that was downloaded whole, still under a temporary name. `size` in bytes, `sha256` in hex."""

    entry: RemoteFile
    temporary: Path
    size: int
    sha256: str


@attrs.define
class Fetcher:
    """Fetches into one local folder for one `login` of one sender. Make a new one for each collection.

    `is_durable`: what is remembered is on the disk before the next step. `skipped` are the files left for later.
    """

    folder: Folder
    ledger: Ledger
    scope: Scope
    login: str
    clock: Callable[[], datetime]
    is_durable: bool = attrs.field(kw_only=True)
    skipped: list[Skipped] = attrs.field(factory=list, init=False)

    def fetch(self, transport: FileTransport, remote: str, entry: RemoteFile, limit: int) -> Fetched | None:
        """Download one file of the folder `remote`; None, and a reason in `skipped`, where it is not to be had whole
        within `limit` bytes. Raises `TransportError` when the conversation breaks.
        """
        if entry.size is not None and entry.size > limit:
            self.skip(entry, f"it has {entry.size} bytes, more than the {limit} that are fetched")
            return None
        try:
            with self.folder.writing() as (path, writer):
                receipt = transport.get(join(remote, entry.name), writer, limit=limit)
        except InvalidName as error:
            self.skip(entry, f"it cannot be asked for: {error.what}")
            return None
        except TransferRefused as error:
            self.skip(entry, f"it was there and could not be fetched: {error.code}")
            return None
        except TransferAborted:
            self.skip(entry, f"it is longer than the {limit} bytes that are fetched")
            return None
        if entry.size is not None and entry.size != receipt.size:
            discard(path)
            self.skip(entry, "its size changed while it was fetched: it is still being written")
            return None
        return Fetched(entry=entry, temporary=path, size=receipt.size, sha256=receipt.sha256)

    def keep(self, fetched: Fetched) -> Answer:
        """Give a whole file its name, durably."""
        path = self.folder.keep(fetched.temporary, fetched.entry.name, fetched.sha256)
        return Answer(
            path=path,
            remote_name=fetched.entry.name,
            size=fetched.size,
            sha256=fetched.sha256,
            received_at=self.clock(),
        )

    def was_received(self, entry: RemoteFile) -> bool:
        """Whether it was kept before, by this login; False where the listing gives no size to know it by."""
        return was_received(self.ledger, self.scope, self.login, entry)

    def remember(self, entry: RemoteFile, saved: Answer, what: str, submission_id: str | None) -> None:
        """Note that it was kept, as `what` ("status", "answer" or "unsolicited"), and for which submission."""
        self.ledger.remember_received(
            Received(
                authority=self.scope.authority,
                environment=self.scope.environment,
                login=self.login,
                remote_name=saved.remote_name,
                size=saved.size,
                modified=entry.modified,
                sha256=saved.sha256,
                saved_as=str(saved.path),
                at=saved.received_at,
                submission_id=submission_id,
                what=what,
            ),
            durable=self.is_durable,
        )

    def remove(
        self, transport: FileTransport, remote: str, done: Iterable[RemoteFile], now: Iterable[RemoteFile]
    ) -> tuple[str, ...]:
        """Remove the files `done`, which were saved and recorded, unless the listing `now` shows them changed since."""
        listed = {entry.name: entry for entry in now}
        removed = []
        for entry in done:
            if listed.get(entry.name) != entry:
                continue
            try:
                transport.remove(join(remote, entry.name))
            except TransferRefused as error:
                self.skip(entry, f"saved, but it could not be removed: {error.code}")
                continue
            removed.append(entry.name)
        return tuple(removed)

    def skip(self, entry: RemoteFile, reason: str) -> None:
        """Leave it for later."""
        logger.info("a file was skipped: %s", reason)
        self.skipped.append(Skipped(remote_name=entry.name, reason=reason))


def evidence(proof: Proof, saved: Answer, words: str = "", code: str = "") -> Evidence:
    """What a kept file proves, with its name, digest and place."""
    return Evidence(
        proof=proof,
        detail=words,
        code=code,
        source=saved.remote_name,
        source_sha256=saved.sha256,
        saved_as=str(saved.path),
    )


def was_received(ledger: Ledger, scope: Scope, login: str, entry: RemoteFile) -> bool:
    """Whether `login` kept this file before; False where the listing gives no size to know it by."""
    return entry.size is not None and ledger.was_received(
        authority=scope.authority,
        environment=scope.environment,
        login=login,
        remote_name=entry.name,
        size=entry.size,
        modified=entry.modified,
    )
