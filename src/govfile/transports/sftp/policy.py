"""How an SFTP conversation is held: the settings that an environment fixes."""

from __future__ import annotations

import enum

import attrs

from govfile.transports.base import Timeouts


class RsaSignatures(enum.Enum):
    """By which hash an RSA key signs the login (RFC 8332; `ssh-rsa` of RFC 4253 is SHA-1).

    `AUTO` signs by SHA-2, and by SHA-1 only where the server takes nothing else: it says so in its list of
    algorithms, or gives no list and refuses SHA-2. `SHA2` never signs by SHA-1. `SHA1` signs by SHA-1 alone, and
    also allows the oldest key exchange (diffie-hellman-group14-sha1) where the server has no better one.
    """

    AUTO = "auto"
    SHA2 = "sha2"
    SHA1 = "sha1"


@attrs.frozen(kw_only=True)
class SftpPolicy:
    """Everything about the conversation that is not who we are.

    `rsa_signatures` see there. In `timeouts`, `tls` bounds the SSH handshake and `data` the time in which no byte
    moves. `keep_alive` is the pause (seconds) after which an idle connection is kept up, 0 for never.

    `in_flight` (bytes) bounds what is sent and not yet confirmed, or asked for and not yet received, hence memory;
    `files_in_flight` how many files `put_many` has on the way at once. `confirm_size` asks for the size of each file
    after it was closed. `rekey_after` (bytes) is when new session keys are made (RFC 4253 section 9 says 1 GiB).
    `listing_limit` bounds the entries of one folder, `reply_limit` the bytes of one answer of the server.
    """

    rsa_signatures: RsaSignatures = RsaSignatures.AUTO
    timeouts: Timeouts = attrs.field(factory=Timeouts)
    keep_alive: float = 30.0
    in_flight: int = attrs.field(default=4 * 1024 * 1024, validator=attrs.validators.ge(64 * 1024))
    files_in_flight: int = attrs.field(default=64, validator=attrs.validators.ge(1))
    confirm_size: bool = True
    rekey_after: int = attrs.field(default=1 << 30, validator=attrs.validators.ge(1 << 20))
    listing_limit: int = 200_000
    reply_limit: int = 512 * 1024
