"""Reads a folder by whatever listing command the server knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from govfile.errors import ConnectionFailed, Phase, TransferRefused
from govfile.transports.ftps._control import logger
from govfile.transports.ftps._listing import Entries, Lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from govfile.transports.ftps._replies import Reply

#: The server does not know the command (RFC 959, section 4.2.1).
_NOT_KNOWN = frozenset({500, 502})

#: LIST and NLST of an empty folder are refused with these by some servers, and so is one that is not there.
_PERHAPS_EMPTY = frozenset({450, 550})


class FolderReader:
    """Lists folders. `ask` sends a harmless command; `fetch` runs a transfer, hands its blocks on, and returns the
    final reply and whether the data ended cleanly.
    """

    def __init__(
        self,
        ask: Callable[[str, bytes | None], Reply],
        fetch: Callable[[str, bytes | None, Callable[[bytes], None]], tuple[Reply, bool]],
        limit: int,
        endpoint: str,
    ) -> None:
        self._ask = ask
        self._fetch = fetch
        self._limit = limit
        self._endpoint = endpoint
        self._knows_mlsd = True

    def read(self, folder: bytes, home: Callable[[], bytes]) -> Entries:
        """The entries of `folder`; raises `TransferRefused` when it is not there or may not be listed."""
        if self._knows_mlsd:
            entries = Entries(self._endpoint)
            try:
                self._run("MLSD", folder, entries.machine)
            except TransferRefused as error:
                if error.code not in _NOT_KNOWN:
                    raise
                self._knows_mlsd = False
            else:
                return entries
        return self._read_by_list(b"./" + folder if folder.startswith(b"-") else folder, home)

    def _read_by_list(self, folder: bytes, home: Callable[[], bytes]) -> Entries:
        """LIST, and NLST for the names of what LIST printed in an unknown way."""
        entries = Entries(self._endpoint)
        try:
            self._run("LIST", folder, entries.human)
            if entries.odd:
                entries.odd.clear()
                self._run("NLST", folder, entries.name_only)
        except TransferRefused as error:
            if error.code not in _PERHAPS_EMPTY:
                raise
        if not entries.found:
            self._enter(folder, home())
        return entries

    def _enter(self, folder: bytes, home: bytes) -> None:
        """An empty list may mean that the folder is not there: only entering it tells."""
        reply = self._ask("CWD", folder)
        if reply.code != 250:
            raise TransferRefused(
                f"the folder cannot be entered: {reply}", code=reply.code, reply=str(reply), endpoint=self._endpoint
            )
        reply = self._ask("CWD", home)
        if reply.code != 250:
            raise ConnectionFailed(
                f"the way back to the first folder is closed: {reply}", phase=Phase.REQUEST, endpoint=self._endpoint
            )

    def _run(self, verb: str, folder: bytes, take: Callable[[bytes], None]) -> None:
        lines = Lines(self._limit, self._endpoint, take)
        reply, clean = self._fetch(verb, folder, lines.feed)
        if reply.is_refusal:
            raise TransferRefused(
                f"the server refused to list: {reply}", code=reply.code, reply=str(reply), endpoint=self._endpoint
            )
        if reply.code not in (226, 250) or not (clean or lines.is_whole):
            raise ConnectionFailed(
                f"the listing was cut off ({reply})", phase=Phase.TRANSFER, endpoint=self._endpoint, advice="try again"
            )
        if not clean:
            logger.info(
                "%s ended a listing without a TLS close; its reply %s is taken for the end", self._endpoint, reply
            )
        lines.end()
