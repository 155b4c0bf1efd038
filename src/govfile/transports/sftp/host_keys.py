"""Host keys: which one a server must show. None is ever learnt by itself."""

from __future__ import annotations

import base64
import binascii
import re
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from govfile.certificates.ssh import fingerprint
from govfile.errors import ConfigurationError, PeerIdentityError
from govfile.transports.sftp._known_hosts import KnownHost, parse_known_hosts, shown_host

if TYPE_CHECKING:
    import os

#: The kinds of host key we ask for, the preferred one first.
KINDS = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa")

_FINGERPRINT = re.compile(r"SHA256:([A-Za-z0-9+/]{43})=?")


@attrs.frozen(kw_only=True)
class OfferedKey:
    """A host key as a server showed it: its `kind` in SSH, its `fingerprint`, and the line for a known_hosts file."""

    kind: str
    fingerprint: str
    known_hosts_line: str


@attrs.frozen(kw_only=True)
class HostKeys:
    """The host keys that are believed: `fingerprints` (`SHA256:…`) for any host, and the lines of known_hosts files."""

    fingerprints: tuple[str, ...] = ()
    entries: tuple[KnownHost, ...] = ()

    @classmethod
    def pinned(cls, *fingerprints: str) -> HostKeys:
        """Exactly the keys with these SHA-256 fingerprints, as `ssh-keygen -l` prints them.

        Raises `ConfigurationError` for none, and for what is no such fingerprint.
        """
        if not fingerprints:
            raise ConfigurationError("no host key is pinned", advice="give the fingerprint the server's owner names")
        return cls(fingerprints=tuple(_checked(text) for text in fingerprints))

    @classmethod
    def from_known_hosts(cls, source: str | os.PathLike[str] | bytes) -> HostKeys:
        """The keys of a known_hosts file: its path, or its content as bytes.

        Plain and hashed names, patterns, ports as `[host]:8022` and `@revoked` are understood; lines with
        `@cert-authority` and lines that cannot be read are left out. Raises `ConfigurationError` when the file cannot
        be read or has no usable line.
        """
        if isinstance(source, bytes):
            data, called = source, "the known_hosts content"
        else:
            place = Path(source).expanduser()
            called = f"the known_hosts file {place}"
            try:
                data = place.read_bytes()
            except OSError as error:
                raise ConfigurationError(f"{called} cannot be read: {error.strerror}") from error
        entries = tuple(parse_known_hosts(data.decode("utf-8", "replace")))
        if not entries:
            raise ConfigurationError(f"{called} holds no host key", advice="each line reads: host kind base64")
        return cls(entries=entries)

    def kinds(self, host: str, port: int) -> tuple[str, ...]:
        """The kinds of key to ask for: those pinned for this host first, then the others."""
        known = [entry.kind for entry in self._of(host, port) if not entry.is_revoked]
        first = [kind for kind in KINDS if kind in known]
        return tuple(dict.fromkeys([*first, *KINDS]))

    def accepts(self, host: str, port: int, kind: str, blob: bytes) -> bool:
        """Whether this is a pinned key of the host (`blob`: the public key as SSH encodes it), and not revoked."""
        entries = [entry for entry in self._of(host, port) if entry.kind == kind and entry.blob == blob]
        if any(entry.is_revoked for entry in entries):
            return False
        return bool(entries) or fingerprint(blob) in self.fingerprints

    def check(self, host: str, port: int, kind: str, blob: bytes) -> None:
        """Raise `PeerIdentityError`, naming both fingerprints, unless this is a pinned key of the host."""
        if not self.accepts(host, port, kind, blob):
            raise self.refusal(host, port, {kind: fingerprint(blob)})

    def refusal(self, host: str, port: int, offered: dict[str, str]) -> PeerIdentityError:
        """The error for a server that showed `offered` (fingerprint by kind)."""
        pinned = [*self.fingerprints]
        pinned += [fingerprint(entry.blob) for entry in self._of(host, port) if not entry.is_revoked]
        shows = ", ".join(f"{kind} {found}" for kind, found in offered.items())
        known = f"pinned: {', '.join(pinned)}" if pinned else "none is pinned for it"
        return PeerIdentityError(
            f"the host key of {shown_host(host, port)} is not the pinned one: it shows {shows}; {known}",
            certain="no login was sent, and the key was not stored",
            endpoint=shown_host(host, port),
            advice="ask the server's owner for its fingerprint; pin the new key only when it matches",
        )

    def _of(self, host: str, port: int) -> list[KnownHost]:
        return [entry for entry in self.entries if entry.names(host, port)]


def _checked(text: str) -> str:
    found = _FINGERPRINT.fullmatch(text.strip())
    try:
        if found is not None and len(base64.b64decode(found[1] + "=", validate=True)) == 32:
            return f"SHA256:{found[1]}"
    except binascii.Error:
        pass
    raise ConfigurationError(
        f"{text[:60]!r} is no SHA-256 fingerprint of a host key",
        advice="it reads SHA256: and 43 characters, as ssh-keygen -l -E sha256 prints it",
    )
