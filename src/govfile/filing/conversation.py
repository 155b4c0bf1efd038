"""Conversations with one other side: opened when needed, thrown away after a fault, and never tried after a refusal."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from typing import TYPE_CHECKING

from govfile.errors import AuthenticationRefused, GovfileError, NotAuthorised, TransferRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from govfile.transports.base import FileTransport

logger = logging.getLogger("govfile.filing")


class Door:
    """What all conversations of one login share: they log in one after the other, and not after a refusal.

    Accounts may lock, so a password that was refused is never tried again, on no connection.
    """

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._refused: AuthenticationRefused | None = None

    @property
    def refused(self) -> AuthenticationRefused | None:
        """The refusal there was, if any."""
        return self._refused

    def forgive(self) -> None:
        """Let the next one try: what refused it has changed."""
        self._refused = None

    def check(self) -> None:
        """Raise the refusal there was, if any."""
        if self._refused is not None:
            raise self._refused

    def enter(self, first: Callable[[], object]) -> None:
        """Do what a conversation begins with, which logs in; raises what `first` does, or an earlier refusal."""
        with self._turn:
            self.check()
            try:
                first()
            except AuthenticationRefused as refused:
                self.refuse(refused)
                raise

    def refuse(self, refused: AuthenticationRefused) -> None:
        """Remember a refusal."""
        self._refused = refused


class Conversation:
    """A transport that is opened when needed and thrown away after a fault. Serves one thread at a time."""

    def __init__(self, open_transport: Callable[[], FileTransport], *, door: Door) -> None:
        self._open = open_transport
        self._door = door
        self._transport: FileTransport | None = None
        self._process = os.getpid()

    @contextlib.contextmanager
    def conversation(self) -> Iterator[FileTransport]:
        """The transport, for one operation; after a fault it is dropped, so that the next operation starts afresh."""
        self._door.check()
        if self._transport is not None and self._process != os.getpid():
            self._transport = None  # the parent's connection: using or closing it would harm the parent
            self.forget()
        transport = self._transport
        if transport is None:
            transport, self._process = self._open(), os.getpid()
        try:
            if self._transport is None:
                self._transport = transport
                self._door.enter(lambda: self.begin(transport))
            yield transport
        except AuthenticationRefused as refused:
            self._door.refuse(refused)
            self.close()
            raise
        except (TransferRefused, NotAuthorised):
            self.forget()
            raise
        except GovfileError as error:
            logger.debug("conversation dropped: %s", type(error).__name__)
            self.close()
            raise
        except BaseException:
            self.close()
            raise

    def begin(self, transport: FileTransport) -> None:
        """What a conversation begins with; it logs in."""
        transport.home()

    def forget(self) -> None:
        """Forget what was learnt of the other side."""

    def close(self) -> None:
        """End the conversation; the next operation opens a new one."""
        transport, self._transport = self._transport, None
        self.forget()
        if transport is not None and self._process == os.getpid():
            transport.close()
