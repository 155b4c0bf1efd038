"""One conversation with the gateway: a transport, and where things are, found out anew after each login."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from govfile.errors import AuthenticationRefused
from govfile.filing.conversation import Conversation
from govfile.skat.folders import Layout, discover

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from govfile.certificates.credential import Credential
    from govfile.certificates.secret import Secret
    from govfile.filing.conversation import Door
    from govfile.skat.environments import Environment
    from govfile.skat.username import Login
    from govfile.transports.base import FileTransport, RemoteFile

_REGISTERED = (
    "the certificate must be registered with the authority before its first login, for this environment, and the "
    "password be the one issued for it"
)

#: Folders follow roles, which change by the hour; what was seen is believed for this long.
_LAYOUT_AGE = timedelta(minutes=5)


class Session(Conversation):
    """A conversation that knows where things are."""

    def __init__(
        self,
        open_transport: Callable[[], FileTransport],
        login: Login,
        *,
        door: Door,
        clock: Callable[[], datetime],
    ) -> None:
        super().__init__(open_transport, door=door)
        self._clock = clock
        self._layout: Layout | None = None
        self._seen: datetime | None = None
        self.login = login

    def begin(self, transport: FileTransport) -> None:
        """Look where things are. A refused login says what this gateway asks for beforehand."""
        try:
            self.layout(transport)
        except AuthenticationRefused as refused:
            refused.advice = f"{refused.advice}; {_REGISTERED}" if refused.advice else _REGISTERED
            raise

    def forget(self) -> None:
        """Look again next time."""
        self._layout = None

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
