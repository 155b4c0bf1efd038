"""Receiving one file or one listing, to a clean end."""

from __future__ import annotations

import contextlib
import hashlib
from typing import TYPE_CHECKING

from govfile.errors import ConnectionFailed, Phase, TimedOut, TransferAborted
from govfile.transports._writing import write_whole
from govfile.transports.ftps._failures import DataLost, Interrupted
from govfile.transports.ftps._session import refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    from govfile.transports.ftps._data import Transfer
    from govfile.transports.ftps._replies import Reply
    from govfile.transports.ftps._session import Session


def receive(session: Session, transfer: Transfer, take: Callable[[bytes], None]) -> tuple[Reply, bool]:
    """Hand every block to `take`; the final reply, and whether the data ended cleanly.

    The data connection is closed in every case.
    """
    channel, deadlines = transfer.channel, session.deadlines
    try:
        while block := channel.receive(deadlines.flowing("receiving")):
            take(block)
        with contextlib.suppress(DataLost, TimedOut):  # it may be closed already; few servers wait for our goodbye
            channel.say_goodbye(deadlines.limit("close", "closing the data connection"))
        transfer.finish()
    except (Interrupted, DataLost):
        transfer.abort()
        return transfer.replies.wait(), False
    except BaseException:
        transfer.abort()
        raise
    return transfer.replies.wait(), channel.ended_cleanly


class Download:
    """Writes what comes, counts it, digests it, and stops at a limit."""

    def __init__(
        self,
        path: str,
        into: BinaryIO,
        limit: int | None,
        expected: int | None,
        progress: Callable[[int, int | None], None] | None,
        endpoint: str,
    ) -> None:
        self.size = 0
        self._path = path
        self._into = into
        self._limit = limit
        self._expected = expected
        self._progress = progress
        self._endpoint = endpoint
        self._digest = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """Of what was written, 64 hex digits."""
        return self._digest.hexdigest()

    def take(self, block: bytes) -> None:
        """One block; raises `TransferAborted` beyond the limit, when writing fails, or when the caller cancels."""
        if self._limit is not None and self.size + len(block) > self._limit:
            raise self._aborted(f"{self._path} is larger than the limit of {self._limit} bytes")
        try:
            write_whole(self._into, block)
        except (OSError, ValueError) as error:
            raise self._aborted(f"{self._path} cannot be written here: {error}") from error
        self._digest.update(block)
        self.size += len(block)
        if self._progress is not None:
            try:
                self._progress(self.size, self._expected)
            except Exception as error:
                raise self._aborted(f"cancelled by the progress callback ({type(error).__name__})") from error

    def check_end(self, reply: Reply, *, clean: bool, ask_size: Callable[[], int | None]) -> None:
        """Raise unless the file is whole: the server says so, and TLS or the file's size shows it."""
        if reply.is_refusal:
            raise refused(f"send the whole of {self._path}", reply, self._endpoint)
        if reply.code not in (226, 250) or (not clean and ask_size() != self.size):
            raise ConnectionFailed(
                f"{self._path} may be cut off after {self.size} bytes: the data ended without a TLS close ({reply})",
                phase=Phase.TRANSFER,
                endpoint=self._endpoint,
                certain="what was written is not to be relied on",
                advice="fetch it again",
            )

    def _aborted(self, what: str) -> TransferAborted:
        return TransferAborted(what, certain="the file still lies at the other side", endpoint=self._endpoint)
