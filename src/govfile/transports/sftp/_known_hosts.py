"""The known_hosts format of OpenSSH (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT)."""

from __future__ import annotations

import base64
import binascii
import fnmatch
import hashlib
import hmac
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterator


@attrs.frozen(kw_only=True)
class KnownHost:
    """One line: the hosts it is for (`hosts`, as written), the kind of key, and the key itself."""

    hosts: str
    kind: str
    blob: bytes = attrs.field(repr=False)
    is_revoked: bool = False

    def names(self, host: str, port: int) -> bool:
        """Whether this line is for the host: `[host]:port` unless the port is 22."""
        wanted = shown_host(host, port).lower()
        if self.hosts.startswith("|1|"):
            return self._is_hash_of(wanted)
        patterns = [pattern.lower() for pattern in self.hosts.split(",")]
        if any(_fits(wanted, pattern[1:]) for pattern in patterns if pattern.startswith("!")):
            return False
        return any(_fits(wanted, pattern) for pattern in patterns)

    def _is_hash_of(self, wanted: str) -> bool:
        try:
            salt, digest = (base64.b64decode(part, validate=True) for part in self.hosts[3:].split("|"))
        except (ValueError, binascii.Error):
            return False
        return hmac.compare_digest(hmac.digest(salt, wanted.encode("utf-8"), hashlib.sha1), digest)


def shown_host(host: str, port: int) -> str:
    """A host and port as known_hosts writes them."""
    return host if port == 22 else f"[{host}]:{port}"


def parse_known_hosts(text: str) -> Iterator[KnownHost]:
    """The usable lines; comments, authorities and what cannot be read are left out."""
    for line in text.splitlines():
        words = line.split()
        marker = words.pop(0) if words and words[0].startswith("@") else ""
        if len(words) < 3 or words[0].startswith("#") or marker not in {"", "@revoked"}:
            continue
        try:
            blob = base64.b64decode(words[2], validate=True)
        except (ValueError, binascii.Error):
            continue
        kind = words[1].encode("ascii", "replace")
        if blob.startswith(len(kind).to_bytes(4, "big") + kind):
            yield KnownHost(hosts=words[0], kind=words[1], blob=blob, is_revoked=marker == "@revoked")


def _fits(wanted: str, pattern: str) -> bool:
    """Only * and ? are special there; brackets stand for themselves."""
    return fnmatch.fnmatchcase(wanted, pattern.replace("[", "[[]"))
