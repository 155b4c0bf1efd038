"""What a server shows before anybody trusts it, for a person to compare. Nothing is stored, nobody logs in."""

from __future__ import annotations

import base64
import time
from typing import TYPE_CHECKING

from govfile.certificates.ssh import fingerprint
from govfile.transports._deadlines import Deadlines
from govfile.transports.sftp._handshake import Place, check_settings, hang_up, host_key, other_kinds, shake_hands
from govfile.transports.sftp._known_hosts import shown_host
from govfile.transports.sftp.host_keys import KINDS, OfferedKey
from govfile.transports.sftp.policy import SftpPolicy

if TYPE_CHECKING:
    from collections.abc import Callable


def offered_host_keys(
    host: str, port: int = 22, *, policy: SftpPolicy | None = None, monotonic: Callable[[], float] = time.monotonic
) -> tuple[OfferedKey, ...]:
    """The host keys of a server, one of each kind, with their fingerprints and known_hosts lines.

    Compare a fingerprint with what the server's owner says on another way, then pin it. Raises `TransportError` or
    `ProtocolError`.
    """
    check_settings(host, port, "nobody")
    policy = policy or SftpPolicy()
    place = Place(
        host=host, port=port, policy=policy, deadlines=Deadlines(policy.timeouts, monotonic, f"{host}:{port}")
    )
    place.deadlines.begin()
    seen: dict[str, str] = {}
    found: list[OfferedKey] = []
    kinds: tuple[str, ...] = KINDS
    while kinds:
        connection = shake_hands(place, kinds)
        kind, blob = host_key(connection)
        hang_up(connection)
        seen[kind] = fingerprint(blob)
        line = f"{shown_host(host, port)} {kind} {base64.b64encode(blob).decode('ascii')}"
        found.append(OfferedKey(kind=kind, fingerprint=seen[kind], known_hosts_line=line))
        kinds = other_kinds(connection, seen)
    return tuple(found)
