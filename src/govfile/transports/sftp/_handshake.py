"""From a host name to a session: TCP, SSH, the pinned host key, the login, and the SFTP subsystem."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from typing import TYPE_CHECKING

import attrs

from govfile.certificates.ssh import fingerprint
from govfile.errors import (
    AuthenticationRefused,
    ConfigurationError,
    ConnectionFailed,
    GovfileError,
    Phase,
    ProtocolError,
    Retry,
    TransportError,
)
from govfile.transports._connect import connect_host
from govfile.transports.sftp._packets import printable
from govfile.transports.sftp.host_keys import KINDS
from govfile.transports.sftp.policy import RsaSignatures
from govfile.transports.sftp.values import SessionFacts

if TYPE_CHECKING:
    from govfile.certificates.ssh import SshKey
    from govfile.transports._deadlines import Deadlines, Limit
    from govfile.transports.sftp._ssh import Channel, Connection
    from govfile.transports.sftp.host_keys import HostKeys
    from govfile.transports.sftp.policy import SftpPolicy

logger = logging.getLogger("govfile.transports.sftp")


@attrs.frozen(kw_only=True)
class Place:
    """A server, and how to talk to it."""

    host: str
    port: int
    policy: SftpPolicy
    deadlines: Deadlines

    @property
    def endpoint(self) -> str:
        """For messages."""
        return self.deadlines.endpoint


def shake_hands(place: Place, kinds: tuple[str, ...]) -> Connection:
    """An encrypted connection whose host key (one of `kinds`, the first one the server has) is not yet judged.

    Raises `ConnectionFailed`, `TimedOut`, `ProtocolError`, or a `TransportError` that lists both sides' algorithms.
    """
    from govfile.transports.sftp import _ssh

    sock = connect_host(place.host, place.port, place.deadlines)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    limit = place.deadlines.limit("tls", "shaking hands in SSH")
    connection = _ssh.Connection(sock, kinds, place.policy)
    seconds = max(0.0, limit.end - place.deadlines.monotonic())
    connection.banner_timeout = connection.handshake_timeout = connection.clear_to_send_timeout = seconds
    done = threading.Event()
    try:
        connection.start_client(event=done)
        done.wait(seconds)
        if not connection.is_active() or not done.is_set():
            raise _handshake_failure(place, connection, limit)  # noqa: TRY301
        connection.clear_to_send_timeout = place.policy.timeouts.data
    except BaseException:
        hang_up(connection)
        raise
    return connection


def host_key(connection: Connection) -> tuple[str, bytes]:
    """The kind and the public half (as SSH encodes it) of the key the server proved to have."""
    key = connection.get_remote_server_key()
    return key.get_name(), key.asbytes()


def hang_up(connection: Connection) -> None:
    """Close without waiting for anybody; a thread that reads or writes wakes up at once."""
    with contextlib.suppress(OSError):  # it may be closed already
        connection.sock.shutdown(socket.SHUT_RDWR)
    connection.close()
    connection.sock.close()


def trusted(place: Place, host_keys: HostKeys) -> Connection:
    """A connection to a server that proved to have a pinned key; raises `PeerIdentityError` for any other.

    A fingerprint does not tell the kind of key, so where only fingerprints are pinned each kind that the server has
    is asked for in turn.
    """
    offered: dict[str, str] = {}
    kinds = host_keys.kinds(place.host, place.port)
    while True:
        connection = shake_hands(place, kinds)
        kind, blob = host_key(connection)
        if host_keys.accepts(place.host, place.port, kind, blob):
            return connection
        hang_up(connection)
        offered[kind] = fingerprint(blob)
        kinds = other_kinds(connection, offered) if host_keys.fingerprints else ()
        if not kinds:
            raise host_keys.refusal(place.host, place.port, offered)


def other_kinds(connection: Connection, seen: dict[str, str]) -> tuple[str, ...]:
    """The kinds of host key that the server also has."""
    offer = connection.bounded.offer
    names = set(offer.host_keys) if offer is not None else set()
    if names & {"rsa-sha2-256", "rsa-sha2-512"}:
        names.add("ssh-rsa")
    return tuple(kind for kind in KINDS if kind in names and kind not in seen)


def log_in(place: Place, connection: Connection, user: str, key: SshKey) -> SessionFacts:
    """Sign the login; raises `AuthenticationRefused`, `TimedOut` or `ConnectionFailed`.

    By SHA-1 only as `RsaSignatures` says; one more signature is made where a server gave no list of algorithms.
    """
    from govfile.transports.sftp import _ssh

    identity = _ssh.Identity(key)
    limit = place.deadlines.limit("reply", f"logging in as {user}", Phase.AUTHENTICATE)
    try:
        _present(place, connection, user, identity, limit)
    except AuthenticationRefused:
        if not _may_fall_back(place.policy, connection, key):
            raise
        logger.warning("%s refused %s; signing by SHA-1 (ssh-rsa) once", place.endpoint, identity.used)
        connection.falls_back_to_sha1 = True
        _present(place, connection, user, identity, limit)
    facts = _facts(connection, identity.used)
    logger.info("%s accepted %s, signed by %s, over %s", place.endpoint, user, facts.signature, facts.cipher)
    return facts


def _may_fall_back(policy: SftpPolicy, connection: Connection, key: SshKey) -> bool:
    silent = not connection.server_signatures or "ssh-rsa" in connection.server_signatures
    auto = policy.rsa_signatures is RsaSignatures.AUTO
    return auto and silent and key.kind == "ssh-rsa" and connection.is_active()


def _present(place: Place, connection: Connection, user: str, identity: object, limit: Limit) -> None:
    from govfile.transports.sftp import _ssh

    connection.auth_timeout = max(0.1, limit.end - place.deadlines.monotonic())
    connection.bounded.has_refused = False
    try:
        further = connection.auth_publickey(user, identity)  # type: ignore[arg-type]
    except (_ssh.SshError, EOFError, OSError) as error:
        if place.deadlines.monotonic() >= limit.end:
            raise place.deadlines.passed(limit) from error
        # The library also calls a link that breaks a failed login.
        is_refusal = connection.bounded.has_refused or _has_no_algorithm(connection, identity)
        if isinstance(error, _ssh.LoginRefused) and is_refusal:
            raise _login_refused(place, connection, user, identity) from error
        raise lost(place.endpoint, limit.doing, Phase.AUTHENTICATE, error) from error
    if further:
        raise AuthenticationRefused(
            f"the server wants more than the key of {user}: {', '.join(further)}",
            certain="nothing but the login was sent",
            endpoint=place.endpoint,
            advice="this account must be let in by its SSH key alone",
        )


def _has_no_algorithm(connection: Connection, identity: object) -> bool:
    """Whether nothing was signed because the server takes none of our algorithms."""
    takes = connection.server_signatures
    return bool(takes) and not set(takes) & set(connection.preferred_pubkeys) and not getattr(identity, "used", "")


def _login_refused(place: Place, connection: Connection, user: str, identity: object) -> AuthenticationRefused:
    used, takes = getattr(identity, "used", ""), connection.server_signatures
    if _has_no_algorithm(connection, identity):
        what = f"no common signature algorithm for the login of {user}: the server takes {', '.join(takes)}"
        advice = (
            f"we sign by {', '.join(connection.preferred_pubkeys)}; RsaSignatures.AUTO also signs by ssh-rsa (SHA-1)"
        )
    else:
        what = f"the server refused the key of {user} (signed by {used or 'nothing'})"
        advice = (
            "check the user name and that this key is the registered one; a new account or key may be known only after "
            "the authority's next synchronisation, up to half an hour; do not try in a loop"
        )
    return AuthenticationRefused(what, certain="nothing but the login was sent", endpoint=place.endpoint, advice=advice)


def open_channel(place: Place, connection: Connection) -> Channel:
    """The SFTP subsystem of a logged-in connection; raises `ConnectionFailed`, `ProtocolError` or `TimedOut`."""
    from govfile.transports.sftp import _ssh

    limit = place.deadlines.limit("reply", "opening the SFTP subsystem")
    seconds = max(0.1, limit.end - place.deadlines.monotonic())
    # The library waits without end for the answer about the subsystem.
    watchdog = threading.Timer(seconds, hang_up, [connection])
    watchdog.daemon = True
    watchdog.start()
    try:
        channel = connection.open_session(timeout=seconds)
        channel.in_buffer = _ssh.Inbox()  # type: ignore[assignment]
        channel.invoke_subsystem("sftp")
    except (_ssh.SshError, EOFError, OSError) as error:
        if not watchdog.is_alive() or place.deadlines.monotonic() >= limit.end:
            raise place.deadlines.passed(limit) from error
        if connection.is_active():
            raise ProtocolError(
                "the server lets this account in and opens no SFTP session for it",
                endpoint=place.endpoint,
                advice="ask the server's owner whether the account has SFTP, and how many sessions at once",
            ) from error
        raise lost(place.endpoint, limit.doing, Phase.REQUEST, error) from error
    finally:
        watchdog.cancel()
    return channel


def lost(endpoint: str, doing: str, phase: Phase, cause: BaseException | None = None) -> GovfileError:
    """The connection ended, or broke a bound of ours, while `doing` something."""
    from govfile.transports.sftp import _ssh

    if isinstance(cause, _ssh.Flooded) or isinstance(getattr(cause, "__context__", None), _ssh.Flooded):
        return ProtocolError(
            f"the server floods us, while {doing}",
            excerpt=str(cause)[:120],
            endpoint=endpoint,
            advice="tell the server's owner",
        )
    return ConnectionFailed(
        f"the connection was lost while {doing}", phase=phase, endpoint=endpoint, advice="try again"
    )


def _handshake_failure(place: Place, connection: Connection, limit: Limit) -> GovfileError:
    from govfile.transports.sftp import _ssh

    error = None if connection.is_active() else connection.get_exception()
    causes = {type(error), type(error.__context__)} if error is not None else {TimeoutError}
    failure: GovfileError
    if isinstance(error, _ssh.NoCommonAlgorithm) and connection.bounded.offer is not None:
        failure = _nothing_in_common(place, connection)
    elif TimeoutError in causes or place.deadlines.monotonic() >= limit.end:
        failure = place.deadlines.passed(limit)
    elif isinstance(error, _ssh.SshError) and not causes & {EOFError, ConnectionResetError, _ssh.Flooded}:
        failure = ProtocolError(
            "the SSH handshake failed",
            excerpt=printable(str(error).encode("utf-8", "replace"), 120),
            endpoint=place.endpoint,
            advice="check host and port: an SSH server must answer there",
        )
    else:
        failure = lost(place.endpoint, limit.doing, Phase.TLS, error)
    failure.__cause__ = error
    return failure


def _nothing_in_common(place: Place, connection: Connection) -> TransportError:
    offer = connection.bounded.offer
    assert offer is not None
    sides = (
        ("key exchange", offer.key_exchanges, connection.preferred_kex),
        ("host key", offer.host_keys, connection.preferred_keys),
        ("cipher", offer.ciphers, connection.preferred_ciphers),
        ("MAC", offer.macs, connection.preferred_macs),
    )
    missing = [
        f"{what}: the server offers {', '.join(theirs)}; we {', '.join(ours)}"
        for what, theirs, ours in sides
        if not set(theirs) & set(ours)
    ]
    return TransportError(
        f"no common algorithm with the server ({'; '.join(missing) or 'for compression'})",
        phase=Phase.TLS,
        certain="no login was sent",
        endpoint=place.endpoint,
        retry=Retry.NEVER,
        advice="RsaSignatures.SHA1 also allows the SHA-1 key exchange; beyond that, the server must change",
    )


def _facts(connection: Connection, signature: str) -> SessionFacts:
    offer = connection.bounded.offer
    kind, blob = host_key(connection)
    agreed = [name for name in connection.preferred_kex if offer is not None and name in offer.key_exchanges]
    return SessionFacts(
        server=connection.remote_version,
        host_key=fingerprint(blob),
        host_key_algorithm=str(connection.host_key_type or kind),
        signature=signature,
        server_signatures=connection.server_signatures,
        key_exchange=agreed[0] if agreed else "",
        cipher=connection.local_cipher,
    )


def check_settings(host: str, port: int, user: str) -> None:
    """Raise `ConfigurationError` for what can be no server or user."""
    if not 0 < port < 65536:
        raise ConfigurationError(f"{port} is no TCP port", advice="give a number from 1 to 65535")
    if not host:
        raise ConfigurationError("the host is empty", advice="give a host name or an address")
    if not user or any(mark in user for mark in "\r\n\0"):
        raise ConfigurationError("the user name is empty or holds a line break or NUL")
