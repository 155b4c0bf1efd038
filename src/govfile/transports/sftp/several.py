"""`SeveralSessions`: one login's files over several sessions at once, where one session does not fill the line."""

from __future__ import annotations

import functools
import heapq
import logging
import threading
from typing import TYPE_CHECKING, Any

import attrs

from govfile.errors import ConfigurationError, GovfileError
from govfile.transports.base import TransferType

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import BinaryIO, Protocol

    from govfile.transports.base import Content, ExclusiveTransport, FileTransport, GetReceipt, PutReceipt, RemoteFile
    from govfile.transports.sftp.values import Upload

    Outcome = PutReceipt | GovfileError
    Committing = Callable[[Upload], None]

    class ManyAtOnce(Protocol):
        """A transport with several files on the way at once."""

        def put_many(
            self, uploads: Sequence[Upload], *, committing: Committing | None = None
        ) -> tuple[PutReceipt | GovfileError, ...]: ...


logger = logging.getLogger("govfile.transports.sftp")

#: Sessions, at most.
MOST = 16

#: What one small file costs beside its bytes (bytes): so that many empty ones are spread too.
_PER_FILE = 4096


@attrs.define(eq=False)
class _Share:
    """What one session is to send: positions in the whole list, and what became of them or what stopped it."""

    transport: ExclusiveTransport
    positions: list[int] = attrs.field(factory=list)
    outcomes: Sequence[Outcome] = ()
    failure: BaseException | None = None
    has_begun: bool = False

    def send(self, uploads: Sequence[Upload], committing: Committing | None) -> None:
        def begin(upload: Upload) -> None:
            self.has_begun = True
            if committing is not None:
                committing(upload)

        try:
            chosen = [uploads[position] for position in self.positions]
            self.outcomes = put_all(self.transport, chosen, begin)
        except BaseException as error:  # noqa: BLE001 raised, or the share sent otherwise, by whoever waits for it
            self.failure = error


class SeveralSessions:
    """A transport of up to `count` sessions, each made by `open_session` and connected when it is needed.

    `put_many` spreads its files over all of them; everything else goes over the first. A server that lets in fewer
    sessions gets the files over those it lets in. Serves one thread, like the transports it is made of. Raises
    `ConfigurationError` for a count outside 1 to 16.
    """

    def __init__(self, open_session: Callable[[], ExclusiveTransport], count: int) -> None:
        if not 1 <= count <= MOST:
            raise ConfigurationError(f"{count} connections: give a number from 1 to {MOST}")
        self._sessions = [open_session() for _ in range(count)]
        self._first = self._sessions[0]

    @property
    def endpoint(self) -> str:
        """Host and port."""
        return self._first.endpoint

    def home(self) -> str:
        """See `FileTransport.home`."""
        return self._first.home()

    def list(self, folder: str) -> list[RemoteFile]:
        """See `FileTransport.list`."""
        return self._first.list(folder)

    def put(
        self,
        path: str,
        content: Content,
        *,
        transfer_type: TransferType = TransferType.BINARY,
        committing: Callable[[], None] | None = None,
        progress: Callable[[int, int | None], None] | None = None,
        rewrite: bool = False,
    ) -> PutReceipt:
        """See `SftpTransport.put`: one file crosses over one session."""
        return self._first.put(
            path, content, transfer_type=transfer_type, committing=committing, progress=progress, rewrite=rewrite
        )

    def put_many(self, uploads: Sequence[Upload], *, committing: Committing | None = None) -> tuple[Outcome, ...]:
        """Send several independent files; a receipt or an error for each, in order. See `SftpTransport.put_many`.

        `committing` is called from several threads. What it raises, like a `KeyboardInterrupt`, is raised again once
        every session has stopped: the outcome of what was on its way is unknown then.
        """
        found: dict[int, Outcome] = {}
        for share in self._sent(uploads, committing):
            found.update(zip(share.positions, share.outcomes, strict=True))
        return tuple(found[position] for position in range(len(uploads)))

    def get(
        self,
        path: str,
        into: BinaryIO,
        *,
        limit: int | None = None,
        progress: Callable[[int, int | None], None] | None = None,
    ) -> GetReceipt:
        """See `FileTransport.get`."""
        return self._first.get(path, into, limit=limit, progress=progress)

    def remove(self, path: str) -> None:
        """See `FileTransport.remove`."""
        self._first.remove(path)

    def close(self) -> None:
        """End every session; never raises, and may be called twice."""
        for session in self._sessions:
            session.close()

    # --- inside -------------------------------------------------------------------------------------------------

    def _sent(self, uploads: Sequence[Upload], committing: Committing | None) -> Sequence[_Share]:
        shares = self._shares(uploads)
        self._side_by_side(shares, uploads, committing)
        working = [share.transport for share in shares if share.failure is None]
        for share in shares:
            if working and isinstance(share.failure, GovfileError) and not share.has_begun:
                logger.info("%s lets in fewer sessions than asked for", self.endpoint)
                share.transport, share.failure = working[0], None
                share.send(uploads, committing)
            if share.failure is not None:
                raise share.failure
        return shares

    def _shares(self, uploads: Sequence[Upload]) -> Sequence[_Share]:
        """The largest first, each to the session with the least to do so far; within a share in the order given."""
        shares = [_Share(session) for session in self._sessions[: max(1, len(uploads))]]
        load = [(0, number) for number in range(len(shares))]
        for position in sorted(range(len(uploads)), key=lambda each: -uploads[each].content.size):
            done, number = heapq.heappop(load)
            shares[number].positions.append(position)
            heapq.heappush(load, (done + uploads[position].content.size + _PER_FILE, number))
        for share in shares:
            share.positions.sort()
        return shares

    def _side_by_side(self, shares: Sequence[_Share], uploads: Sequence[Upload], committing: Committing | None) -> None:
        """The first share in this thread, the others beside it; all have ended when this returns or raises."""
        threads = [
            threading.Thread(target=share.send, args=(uploads, committing), name="govfile-sftp", daemon=True)
            for share in shares[1:]
        ]
        try:
            for thread in threads:
                thread.start()
            shares[0].send(uploads, committing)
            if shares[0].failure is not None and not isinstance(shares[0].failure, Exception):
                self._cut(shares)
            for thread in threads:
                thread.join()
        except BaseException:
            self._cut(shares)
            for thread in threads:
                if thread.ident is not None:
                    thread.join()
            raise

    @staticmethod
    def _cut(shares: Sequence[_Share]) -> None:
        """Somebody wants to stop: the other sessions are ended under their threads, which then come back at once."""
        for share in shares:
            share.transport.close()


def put_all(transport: FileTransport, uploads: Sequence[Upload], committing: Committing) -> Sequence[Outcome]:
    """Send several independent files: many at once where the transport can, else one after the other."""
    many: ManyAtOnce | None = transport if hasattr(transport, "put_many") else None  # type: ignore[assignment]
    if many is not None:
        return many.put_many(uploads, committing=committing)
    found: list[Outcome] = []
    for upload in uploads:
        again: dict[str, Any] = {"rewrite": True} if upload.rewrite else {}
        begin = functools.partial(committing, upload)
        try:
            found.append(transport.put(upload.path, upload.content, committing=begin, **again))
        except GovfileError as error:
            found.append(error)
    return found
