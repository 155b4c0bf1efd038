"""How an HTTPS conversation is held: the settings that an environment fixes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from govfile.certificates.secret import check_secret
from govfile.transports.base import Timeouts
from govfile.transports.ftps_policy import TlsVersion, check_versions

if TYPE_CHECKING:
    from govfile.certificates.secret import Secret

#: For an exchange of messages that a person or a program waits for; every call is bounded in all.
MESSAGE_TIMEOUTS = Timeouts(connect=30.0, tls=30.0, reply=60.0, data=30.0, total=120.0)


@attrs.frozen(kw_only=True)
class Proxy:
    """A proxy that lets TLS through (CONNECT), at `http://host:port`; `user` and `password` where it asks for them."""

    url: str
    user: str = ""
    password: Secret | None = None

    def __attrs_post_init__(self) -> None:
        if self.password is not None:
            check_secret(self.password, "proxy's password")


@attrs.frozen(kw_only=True)
class HttpsPolicy:
    """Everything about the conversation that is neither the server nor who we are.

    `floor` and `ceiling` bound the TLS version (None: no upper bound). `clear_text_hosts` names the hosts that may be
    spoken to without TLS, besides this computer itself. `proxy` is the only one ever used: settings of the
    surroundings count for nothing. `limit` bounds an answer in bytes. A connection is kept for `idle` seconds (a
    server closes its own after five or more, and a request that meets the closing has an unknown outcome), and at
    most `connections` are kept at once; as many calls may be under way as there are threads. Raises
    `ConfigurationError` where no TLS version lies between the bounds.
    """

    floor: TlsVersion = TlsVersion.TLS_1_2
    ceiling: TlsVersion | None = None
    clear_text_hosts: tuple[str, ...] = ()
    proxy: Proxy | None = None
    limit: int = 16 * 1024 * 1024
    idle: float = 4.0
    connections: int = 8
    user_agent: str = "govfile"

    def __attrs_post_init__(self) -> None:
        check_versions(self.floor, self.ceiling)
