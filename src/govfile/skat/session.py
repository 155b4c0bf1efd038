"""One conversation with the gateway: a transport, and where things are, found out anew after each login."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

from govfile.errors import AuthenticationRefused, GovfileError, NotAuthorised, TransferRefused
from govfile.skat.folders import Layout, discover

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from govfile.certificates.credential import Credential
    from govfile.certificates.secret import Secret
    from govfile.skat.environments import Environment
    from govfile.skat.username import Login
    from govfile.transports.base import FileTransport, RemoteFile

logger = logging.getLogger("govfile.skat")

#: Folders follow roles, which change by the hour; what was seen is believed for this long.
_LAYOUT_AGE = timedelta(minutes=5)


class Door:
    """What all conversations of one login share: they log in one after the other, and not after a refusal.

    Accounts may lock, so a password that was refused is never tried again, on no connection.
    """

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._refused: AuthenticationRefused | None = None

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


class Session:
    """A transport that is opened when needed and thrown away after a fault. Serves one thread at a time."""

    def __init__(
        self,
        open_transport: Callable[[], FileTransport],
        login: Login,
        *,
        door: Door,
        clock: Callable[[], datetime],
    ) -> None:
        self._open = open_transport
        self._door = door
        self._clock = clock
        self._transport: FileTransport | None = None
        self._process = os.getpid()
        self._layout: Layout | None = None
        self._seen: datetime | None = None
        self.login = login

    @contextlib.contextmanager
    def conversation(self) -> Iterator[FileTransport]:
        """The transport, for one operation; after a fault it is dropped, so that the next operation starts afresh."""
        self._door.check()
        if self._transport is not None and self._process != os.getpid():
            self._transport = self._layout = None  # the parent's connection: using or closing it would harm the parent
        transport = self._transport
        if transport is None:
            transport, self._process = self._open(), os.getpid()
        try:
            if self._transport is None:
                self._transport = transport
                self._door.enter(lambda: self.layout(transport))
            yield transport
        except AuthenticationRefused as refused:
            self._door.refuse(refused)
            self.close()
            raise
        except (TransferRefused, NotAuthorised):
            self._layout = None
            raise
        except GovfileError as error:
            logger.debug("conversation dropped: %s", type(error).__name__)
            self.close()
            raise
        except BaseException:
            self.close()
            raise

    def layout(self, transport: FileTransport) -> Layout:
        """Where things are; asked again after a fault and after five minutes."""
        now = self._clock()
        if self._layout is None or self._seen is None or not timedelta() <= now - self._seen < _LAYOUT_AGE:
            self._layout, self._seen = discover(transport, self.login), now
        return self._layout

    def look(self) -> Layout:
        """Where things are, asked now."""
        before = self._transport
        with self.conversation() as transport:
            if transport is before:
                self._layout = None
            return self.layout(transport)

    def list_out(self, transport: FileTransport) -> tuple[str, list[RemoteFile]]:
        """The path of `out` and the files in it; ("", []) without an `out`, which may come with the first answer."""
        out = self.layout(transport).out
        if out is None:
            self._layout = None
            return "", []
        return out, [entry for entry in transport.list(out) if not entry.is_folder]

    def close(self) -> None:
        """End the conversation; the next operation opens a new one."""
        transport, self._transport, self._layout = self._transport, None, None
        if transport is not None and self._process == os.getpid():
            transport.close()


def connect(environment: Environment, username: str, password: Secret, credential: Credential) -> FileTransport:
    """A connection to an environment's gateway, made on first use."""
    from govfile.transports.ftps import FtpsTransport

    return FtpsTransport(
        environment.host,
        environment.port,
        user=username,
        password=password,
        credential=credential,
        policy=environment.policy,
    )
