"""Sending many files over one session: their requests overlap, each file's own order is kept."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from govfile.errors import GovfileError, Phase, TransferAborted
from govfile.transports._paths import encode_path
from govfile.transports._reading import CheckedReader
from govfile.transports.sftp._failures import with_certainty
from govfile.transports.sftp._upload import Sending

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from govfile.transports.base import PutReceipt
    from govfile.transports.sftp._session import Session
    from govfile.transports.sftp.values import Upload

_NOT_STARTED = "nothing of it was sent"


class Uploads:
    """A run of uploads; `outcomes` has a receipt or an error for each, in the order they were given."""

    def __init__(
        self,
        session: Session,
        uploads: Sequence[Upload],
        committing: Callable[[Upload], None] | None,
        progress: Callable[[Upload, int], None] | None,
    ) -> None:
        self.outcomes: list[PutReceipt | GovfileError | None] = [None] * len(uploads)
        self.loss: GovfileError | None = None
        self._session = session
        self._waiting = deque(enumerate(uploads))
        self._active: dict[int, Sending] = {}
        self._committing = committing
        self._progress = progress

    def run(self) -> None:
        """Send them all; a failure of one file stops no other, the loss of the link stops all (`loss`).

        What `committing` raises comes out when the files already on their way have come to their ends; nothing of its
        own file was sent, and none is begun after it.
        """
        stopped: BaseException | None = None
        while self._waiting or self._active:
            try:
                self._begin_some()
            except Exception as error:  # noqa: BLE001 - it is raised once the others have come to their ends
                stopped = error
                self._waiting.clear()
            try:
                self._turn()
            except GovfileError as error:
                self._lose(error)
        if stopped is not None:
            raise stopped

    def close(self) -> None:
        """Close the sources of files that are still open, after an exception that is none of ours."""
        for sending in self._active.values():
            sending.release()

    def _turn(self) -> None:
        if not self._active:
            return
        self._fill()
        self._session.turn("sending", Phase.TRANSFER)
        for index in [index for index, sending in self._active.items() if sending.outcome is not None]:
            self.outcomes[index] = self._active.pop(index).outcome

    def _fill(self) -> None:
        budget = self._session.policy.in_flight - sum(sending.unconfirmed for sending in self._active.values())
        for sending in self._active.values():
            if budget <= 0:
                break
            before = sending.unconfirmed
            sending.fill(before + budget)
            budget -= sending.unconfirmed - before

    def _begin_some(self) -> None:
        while self._waiting and len(self._active) < self._session.policy.files_in_flight:
            index, upload = self._waiting.popleft()
            try:
                sending = self._prepare(upload)
            except GovfileError as error:
                self.outcomes[index] = with_certainty(error, error.certain or _NOT_STARTED)
                continue
            try:
                if self._committing is not None:
                    self._committing(upload)
            except BaseException:
                sending.release()
                raise
            sending.start()
            self._active[index] = sending

    def _prepare(self, upload: Upload) -> Sending:
        last = None if upload.rename_to is None else encode_path(upload.rename_to)
        paths = encode_path(upload.path), last
        tell = self._progress
        if tell is not None:
            try:
                tell(upload, 0)
            except Exception as error:
                raise TransferAborted(
                    f"cancelled by the progress callback ({type(error).__name__})",
                    certain=_NOT_STARTED,
                    phase=Phase.REQUEST,
                ) from error
        reader = CheckedReader(upload.content)
        return Sending(self._session, upload, paths, reader, None if tell is None else lambda done: tell(upload, done))

    def _lose(self, error: GovfileError) -> None:
        """The link is gone: each file says for itself what is certain."""
        self.loss = error
        for index, sending in self._active.items():
            sending.interrupted(error)
            self.outcomes[index] = sending.outcome
        for index, _ in self._waiting:
            self.outcomes[index] = with_certainty(error, _NOT_STARTED)
        self._active.clear()
        self._waiting.clear()
