"""Who may log in: senders, technical users, their keys and certificates, and the half-hours at which changes count.

A channel, a new SSH key or a new certificate is known to the server after the next synchronisation, around the hour
and half hour (the portal's manual says so of a new channel; that changes wait too is our inference).
"""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import attrs
from cryptography.hazmat.primitives.serialization import Encoding

from govfile.errors import ConfigurationError
from govfile.sandbox.onss.forms import SENT

if TYPE_CHECKING:
    from cryptography import x509

_HALF_HOUR = timedelta(minutes=30)


def next_synchronisation(at: datetime) -> datetime:
    """The first half-hour after `at`."""
    start = at.replace(minute=0, second=0, microsecond=0)
    return start + _HALF_HOUR * ((at - start) // _HALF_HOUR + 1)


@attrs.define(kw_only=True)
class Channel:
    """One technical user's channel. `purposes` are those ticked for it."""

    sender: str
    user: str
    created: datetime
    purposes: frozenset[str] = frozenset(SENT)
    keys: list[tuple[datetime, bytes]] = attrs.field(factory=list, repr=False)
    certificates: list[tuple[datetime, bytes]] = attrs.field(factory=list, repr=False)

    def key(self, at: datetime) -> bytes | None:
        """The public SSH key that logs in at that time, as SSH encodes it."""
        known = [blob for since, blob in self.keys if since <= at]
        return known[-1] if known else None

    def replace_key(self, blob: bytes, since: datetime) -> None:
        """Upload another SSH key."""
        self.keys.append((since, blob))

    def add_certificate(self, certificate: x509.Certificate, since: datetime) -> None:
        """Upload one more signing certificate."""
        self.certificates.append((since, certificate.public_bytes(Encoding.DER)))

    def registered(self, at: datetime) -> list[bytes]:
        """The signing certificates known at that time, in DER."""
        return [found for since, found in self.certificates if since <= at]


class Channels:
    """All of them, by technical user name (the case counts)."""

    def __init__(self) -> None:
        self._channels: dict[str, Channel] = {}
        self._lock = threading.Lock()

    def add(self, channel: Channel) -> None:
        """Open one more; user names exist once."""
        with self._lock:
            if channel.user in self._channels:
                raise ConfigurationError(f"the user name {channel.user} is taken")
            self._channels[channel.user] = channel

    def get(self, user: str) -> Channel | None:
        """The channel of a user."""
        with self._lock:
            return self._channels.get(user)

    def of(self, sender: str) -> list[Channel]:
        """All channels of a sender."""
        with self._lock:
            return [channel for channel in self._channels.values() if channel.sender == sender]
