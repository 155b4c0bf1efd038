"""Reading a folder, however many entries the server sends."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from govfile.errors import ProtocolError
from govfile.transports._paths import encode_path
from govfile.transports.sftp._packets import (
    Code,
    Cursor,
    Kind,
    read_names,
    read_status,
    remote_file,
    string,
)

if TYPE_CHECKING:
    from govfile.transports.base import RemoteFile
    from govfile.transports.sftp._packets import Entry
    from govfile.transports.sftp._session import Session

logger = logging.getLogger("govfile.transports.sftp")


def read_folder(session: Session, folder: str, path: bytes) -> list[Entry]:
    """All entries; raises `TransferRefused` for a refusal and `ProtocolError` beyond the policy's listing limit."""
    doing = f"listing {folder}"
    handle = Cursor(session.expect(session.call(Kind.OPENDIR, string(path), doing), Kind.HANDLE, doing)).string()
    entries: list[Entry] = []
    while True:
        reply = session.call(Kind.READDIR, string(handle), doing)
        if reply.kind == Kind.STATUS and read_status(reply.body).code == Code.EOF:
            break
        found = read_names(session.expect(reply, Kind.NAME, doing))
        entries += found
        if not found or len(entries) > session.policy.listing_limit:
            raise ProtocolError(
                f"the listing of {folder} does not end ({len(entries)} entries)",
                endpoint=session.endpoint,
                advice="clear the folder up, or raise the policy's listing_limit",
            )
    session.call(Kind.CLOSE, string(handle), doing)
    return entries


class Names:
    """Paths as the server has them, also those whose names are not UTF-8 and were shown as Latin-1."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._raw: dict[str, bytes] = {}

    def encode(self, path: str) -> bytes:
        """A path as it goes over the wire; raises `InvalidName`."""
        return self._raw.get(path) or encode_path(path)

    def show(self, folder: str, entries: list[Entry]) -> list[RemoteFile]:
        """The entries as values; those that are no files or cannot be named safely are left out, and counted."""
        found, skipped = [], 0
        base = self.encode(folder).rstrip(b"/")
        for entry in entries:
            shown = remote_file(entry)
            if shown is None:
                skipped += entry.name not in (b".", b"..")
                continue
            found.append(shown)
            if shown.name.encode("utf-8") != entry.name:
                self._raw[f"{folder.rstrip('/')}/{shown.name}"] = base + b"/" + entry.name
        if skipped:
            logger.warning("%s: %d entries of %r are no files or have unsafe names", self._endpoint, skipped, folder)
        return found
