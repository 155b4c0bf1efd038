"""`HttpsTransport`: messages to one server."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

import attrs

from govfile.errors import ConfigurationError
from govfile.transports._deadlines import Deadlines
from govfile.transports._tls_failures import TlsSetting
from govfile.transports.base import NO_HEADERS
from govfile.transports.https._connection import open_connection
from govfile.transports.https._exchange import Exchange
from govfile.transports.https._pool import Pool
from govfile.transports.https._target import Target
from govfile.transports.https._tls import TlsContext
from govfile.transports.https_policy import MESSAGE_TIMEOUTS, HttpsPolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from govfile.certificates.credential import Credential
    from govfile.certificates.trust import Trust
    from govfile.transports.base import Reply, Timeouts

_log = logging.getLogger("govfile.transports")


class HttpsTransport:
    """`MessageTransport` to the server at `base_url` (`https://host[:port][/path]`).

    `trust` says which authorities are believed about the server. `credential` is presented as TLS client certificate
    where one is given; its key never reaches a disk where the system has files in memory (Linux has), and one that
    lives in a token cannot be used. Threads may share a transport; after a fork each process goes on with connections
    of its own. Connections that the server has closed meanwhile are noticed before anything is sent.

    Raises `ConfigurationError` for an address that cannot be used, among them `http://` to another computer that the
    policy does not name, and `CredentialError`.
    """

    def __init__(
        self,
        base_url: str,
        *,
        trust: Trust,
        credential: Credential | None = None,
        policy: HttpsPolicy | None = None,
        timeouts: Timeouts = MESSAGE_TIMEOUTS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._policy = policy = policy or HttpsPolicy()
        self._target = Target.parse(base_url)
        self._timeouts = timeouts
        self._monotonic = monotonic
        _check(self._target, policy, credential)
        self._tls = (
            TlsContext(self._target.host, trust, credential, policy, self.endpoint) if self._target.is_tls else None
        )
        self._setting = TlsSetting(self.endpoint, policy.floor, policy.ceiling, credential is not None)
        self._pool = Pool(policy.connections, policy.idle, monotonic)

    @property
    def endpoint(self) -> str:
        """Host and port."""
        return self._target.endpoint

    def post(
        self,
        path: str,
        body: bytes,
        *,
        headers: Mapping[str, str] = NO_HEADERS,
        limit: int | None = None,
        total: float | None = None,
        committing: Callable[[], None] | None = None,
    ) -> Reply:
        """As `MessageTransport.post`; `path` is put behind the base URL's own and may hold a query.

        Raises `ConfigurationError` before anything is sent for a path or a header that cannot stand in a request,
        and `CredentialError` where the server refuses the client certificate.
        """
        head = self._target.head(path, len(body), headers, self._policy.user_agent)
        timeouts = self._timeouts if total is None else attrs.evolve(self._timeouts, total=total)
        deadlines = Deadlines(timeouts, self._monotonic, self.endpoint)
        deadlines.begin()
        began = self._monotonic()
        connection = self._pool.take() or open_connection(self._target, self._policy.proxy, self._tls, deadlines)
        try:
            exchange = Exchange(connection, deadlines, self._setting, self._policy.limit if limit is None else limit)
            reply, is_reusable, kept_for = exchange.run(head, body, committing)
        except BaseException:
            connection.close()
            raise
        if is_reusable:
            self._pool.give(connection, kept_for)
        else:
            connection.close()
        self._report(path, len(body), reply, self._monotonic() - began)
        return reply

    def close(self) -> None:
        """Close the idle connections, and those under way when their calls are done."""
        self._pool.close()

    def _report(self, path: str, sent: int, reply: Reply, seconds: float) -> None:
        where = self.endpoint + path.partition("?")[0]
        _log.debug("POST %s: HTTP %d, %d bytes out, %d in, %.3f s", where, reply.status, sent, len(reply.body), seconds)


def _check(target: Target, policy: HttpsPolicy, credential: Credential | None) -> None:
    if not target.is_tls and not target.is_loopback and target.host not in policy.clear_text_hosts:
        raise ConfigurationError(
            f"{target.endpoint} would be spoken to without TLS",
            advice="use https://, or name the host in clear_text_hosts where nothing secret goes there",
        )
    if not target.is_tls and credential is not None:
        raise ConfigurationError("a client certificate was given for a server without TLS", advice="use https://")
    if policy.proxy is not None and Target.parse(policy.proxy.url, "proxy URL").is_tls:
        raise ConfigurationError("a proxy is spoken to at http://; TLS goes through it to the server")
