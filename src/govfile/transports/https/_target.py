"""The server a transport speaks to, and the first lines of a request to it."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import attrs

from govfile.errors import ConfigurationError
from govfile.transports._connect import is_address

if TYPE_CHECKING:
    from collections.abc import Mapping

_PATH = re.compile(r"/[!-\"$-~]*|")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t -~\x80-\xff]*")
_OURS = {"host", "content-length", "transfer-encoding", "connection", "keep-alive", "expect", "upgrade", "te"}


@attrs.frozen
class Target:
    """Where requests go: `host` in ASCII, `port`, whether by TLS, and the path `prefix` of everything there."""

    host: str
    port: int
    is_tls: bool
    prefix: str = ""

    @classmethod
    def parse(cls, url: str, what: str = "base URL") -> Target:
        """From `https://host[:port][/prefix]`, or `http://`; raises `ConfigurationError`."""
        try:
            split = urlsplit(url)
            port = split.port
            host = _ascii(split.hostname or "")
        except ValueError as error:  # also a UnicodeError
            raise ConfigurationError(f"the {what} cannot be read") from error
        if split.scheme not in {"http", "https"} or not host:
            raise ConfigurationError(f"the {what} is not of the form https://host:port")
        if split.username is not None or split.query or split.fragment or not _PATH.fullmatch(split.path):
            raise ConfigurationError(
                f"the {what} holds more than scheme, host, port and path",
                advice="a user name and a password are settings of their own",
            )
        is_tls = split.scheme == "https"
        return cls(host, port or (443 if is_tls else 80), is_tls, split.path.rstrip("/"))

    @property
    def is_loopback(self) -> bool:
        """Whether it is this computer."""
        return self.host == "localhost" or (is_address(self.host) and ipaddress.ip_address(self.host).is_loopback)

    @property
    def endpoint(self) -> str:
        """Host and port, as in messages and in CONNECT."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def _host_header(self) -> str:
        usual = self.port == (443 if self.is_tls else 80)
        return self.endpoint.rpartition(":")[0] if usual else self.endpoint

    def head(self, path: str, size: int, headers: Mapping[str, str], agent: str) -> bytes:
        """The lines above a body of `size` bytes; raises `ConfigurationError` for what cannot stand in them."""
        if not _PATH.fullmatch(path):
            raise ConfigurationError("the path of a request begins with / and holds no space and no #")
        given = {name.lower(): value for name, value in headers.items()}
        for name, value in headers.items():
            if not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
                raise ConfigurationError(f"the header {name!r} cannot be sent as it is")
            if name.lower() in _OURS:
                raise ConfigurationError(f"the header {name} is the transport's own")
        lines = [f"POST {self.prefix + path or '/'} HTTP/1.1", f"Host: {self._host_header}"]
        for name, value in (("User-Agent", agent), ("Accept-Encoding", "identity")):
            if name.lower() not in given:
                lines.append(f"{name}: {value}")
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, f"Content-Length: {size}", "", ""]).encode("latin-1")


def _ascii(host: str) -> str:
    """The name as DNS and certificates spell it."""
    host = host.removesuffix(".")
    return (host if host.isascii() else host.encode("idna").decode("ascii")).lower()
