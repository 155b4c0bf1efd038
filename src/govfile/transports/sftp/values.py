"""The values `SftpTransport` speaks in, beside those of every file transport."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from govfile.transports.base import Content


@attrs.frozen(kw_only=True)
class Upload:
    """One file for `SftpTransport.put_many`: `content` goes to `path`.

    A file that is there already is never touched (`DuplicateName`), unless `rewrite` says that it is an earlier part
    of our own. `rename_to` is its last name, given once every write and the close were confirmed.
    """

    path: str
    content: Content
    rewrite: bool = False
    rename_to: str | None = None


@attrs.frozen(kw_only=True)
class SessionFacts:
    """What was agreed with the server: names of algorithms as SSH writes them.

    `signature` is the algorithm our key signed the login with, `server_signatures` those the server says it takes
    (empty where it does not say), `host_key` the pinned key's fingerprint (`SHA256:…`).
    """

    server: str
    host_key: str
    host_key_algorithm: str
    signature: str
    server_signatures: tuple[str, ...]
    key_exchange: str
    cipher: str

    @property
    def uses_sha1(self) -> bool:
        """Whether the login or the host key rests on SHA-1."""
        return "ssh-rsa" in {self.signature, self.host_key_algorithm} or self.key_exchange.endswith("-sha1")
