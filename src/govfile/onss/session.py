"""One conversation with the channel: a transport, a login that may not be known yet, and the two folders."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from govfile.errors import AuthenticationRefused, ChannelNotYetSynchronised, ConfigurationError, TransferRefused
from govfile.filing.conversation import Conversation, Door
from govfile.onss.accounts import explained

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from govfile.certificates.ssh import SshKey
    from govfile.onss.environments import Environment
    from govfile.transports.base import ExclusiveTransport, FileTransport, RemoteFile


class Session(Conversation):
    """A conversation with one environment. `created` is when the channel was made, None where nobody says."""

    def __init__(
        self,
        open_transport: Callable[[], ExclusiveTransport],
        environment: Environment,
        *,
        door: Door,
        clock: Callable[[], datetime],
        created: datetime | None,
    ) -> None:
        super().__init__(open_transport, door=door)
        self._clock = clock
        self._created = created
        self.environment = environment

    @contextlib.contextmanager
    def conversation(self) -> Iterator[FileTransport]:
        """As its base; a login refused while the channel is new says when it may be known.

        Such a refusal is forgotten once that time has come; any other one is never tried again.
        """
        refused = self._door.refused
        if isinstance(refused, ChannelNotYetSynchronised) and self._clock() >= refused.expected:
            self._door.forgive()
        try:
            with super().conversation() as transport:
                yield transport
        except AuthenticationRefused as error:
            if isinstance(error, ChannelNotYetSynchronised):
                raise
            better = explained(error, created=self._created, at=self._clock())
            self._door.refuse(better)
            if better is error:
                raise
            raise better from error

    def list_answers(self, transport: FileTransport) -> list[RemoteFile]:
        """The files in the folder with answers."""
        return self._list(transport, self.environment.answers)

    def list_uploads(self, transport: FileTransport) -> list[RemoteFile]:
        """The files in the folder to send into."""
        return self._list(transport, self.environment.upload)

    def _list(self, transport: FileTransport, folder: str) -> list[RemoteFile]:
        try:
            return [entry for entry in transport.list(folder) if not entry.is_folder]
        except TransferRefused as error:
            raise missing(folder, self.environment, error) from error


def missing(folder: str, environment: Environment, error: TransferRefused) -> ConfigurationError:
    """The error for a folder that is not there, or not for this account."""
    return ConfigurationError(
        f"the folder {folder} of {environment.name} cannot be used: {error.reply}",
        certain="nothing was triggered",
        advice="an account may lack an environment: ask the contact centre to open it, or use another environment",
        endpoint=error.endpoint,
    )


def connect(environment: Environment, user: str, key: SshKey) -> ExclusiveTransport:
    """A connection to an environment, made on first use. Raises `ConfigurationError` while no host key is pinned."""
    from govfile.transports.sftp import SftpTransport

    if environment.host_keys is None:
        raise ConfigurationError(
            f"no host key is pinned for {environment.name}",
            certain="nothing was sent",
            advice="let the contact centre confirm the fingerprint, then give the environment "
            "host_keys=HostKeys.pinned('SHA256:…')",
        )
    return SftpTransport(
        environment.host,
        environment.port,
        user=user,
        key=key,
        host_keys=environment.host_keys,
        policy=environment.policy,
    )
