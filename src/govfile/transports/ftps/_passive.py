"""Data ports: asked for passively, connected to at the server's own address."""

from __future__ import annotations

import contextlib
import re
import socket
from typing import TYPE_CHECKING, Any

from govfile.errors import ConnectionFailed, Phase, ProtocolError, TimedOut
from govfile.transports._connect import connect_address
from govfile.transports.ftps._control import logger
from govfile.transports.ftps._failures import SessionEnded, lost
from govfile.transports.ftps._session import refused
from govfile.transports.ftps_policy import Passive

if TYPE_CHECKING:
    from govfile.transports.ftps._replies import Reply
    from govfile.transports.ftps._session import Session

_EXTENDED = re.compile(r"\((.)\1\1(\d{1,5})\1\)")
_PASSIVE = re.compile(r"(?<!\d)(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3})(?!\d)")

#: Bytes that may wait in the socket until the network takes them. More would grow cold in memory, and progress would
#: run ahead of the link. What is on its way to the server, on a long link too, is not bounded by it.
_UNSENT = 128 * 1024
_UNSENT_OPTION: int | None = getattr(socket, "TCP_NOTSENT_LOWAT", None)


class DataPorts:
    """Asks for passive ports and connects to them; remembers which command the server takes."""

    def __init__(self, passive: Passive) -> None:
        self._extended: bool | None = {Passive.AUTO: None, Passive.EPSV: True, Passive.PASV: False}[passive]
        self._may_change = passive is Passive.AUTO

    def connect(self, session: Session) -> tuple[socket.socket, int]:
        """A TCP connection to a fresh passive port, and the port's number.

        The address is always that of the control connection, whatever a PASV reply says.
        """
        port = self._asked_ahead(session)
        if port is not None:
            with contextlib.suppress(ConnectionFailed):  # the server has let go of it
                return self._reach(session, port), port
        port = self._ask(session, session.peer[0])
        return self._reach(session, port), port

    def _reach(self, session: Session, port: int) -> socket.socket:
        if not _within(port, session.policy.data_ports):
            logger.warning(
                "%s opened data port %d, outside the documented range %s",
                session.control.endpoint,
                port,
                session.policy.data_ports,
            )
        family, address = session.peer
        limit = session.deadlines.limit("connect", f"connecting to the data port {port}")
        target: Any = (address[0], port, *address[2:])
        try:
            sock = connect_address(family, target, session.deadlines, limit)
        except TimedOut as error:
            raise TimedOut(
                f"data port {port} did not answer within {limit.seconds:g} s",
                which=error.which,
                phase=Phase.CONNECT,
                certain="no document was handed over",
                endpoint=session.control.endpoint,
                advice=_firewall(port, session),
            ) from error
        except OSError as error:
            raise ConnectionFailed(
                f"data port {port} cannot be reached: {error.strerror}",
                certain="no document was handed over",
                endpoint=session.control.endpoint,
                advice=_firewall(port, session),
            ) from error
        if _UNSENT_OPTION is not None:
            with contextlib.suppress(OSError):  # not every kernel has it
                sock.setsockopt(socket.IPPROTO_TCP, _UNSENT_OPTION, _UNSENT)
        return sock

    def ask_ahead(self, session: Session) -> None:
        """Ask for the data port of the next transfer now, while nobody waits for it."""
        if self._extended is not None and session.policy.ask_ahead:
            session.control.ask_ahead("EPSV" if self._extended else "PASV")

    def _asked_ahead(self, session: Session) -> int | None:
        """The port that was asked for ahead; None where there is none, or none that is still good."""
        reply = session.control.take_ahead("EPSV" if self._extended else "PASV")
        if reply is None or reply.is_refusal:
            return None
        port = _port_of(reply)
        if port is None:  # the answer to something else: whatever comes next would be taken for another one
            raise SessionEnded(lost(session.control.endpoint, "asking for a data port", Phase.REQUEST))
        return port

    def _ask(self, session: Session, family: int) -> int:
        if self._extended is None:
            self._extended = family == socket.AF_INET6
        reply = session.ask("EPSV" if self._extended else "PASV")
        if reply.code >= 500 and self._may_change and family == socket.AF_INET:
            self._extended = not self._extended
            reply = session.ask("EPSV" if self._extended else "PASV")
        self._may_change = self._may_change and reply.is_refusal
        if reply.is_refusal:
            raise refused("open a data port", reply, session.control.endpoint)
        port = _port_of(reply)
        if port is None:
            raise ProtocolError(
                "the server named no usable data port", excerpt=str(reply)[:80], endpoint=session.control.endpoint
            )
        return port


def _port_of(reply: Reply) -> int | None:
    port = 0
    if reply.code == 229 and (found := _EXTENDED.search(reply.text)):
        port = int(found[2])
    elif reply.code == 227 and (found := _PASSIVE.search(reply.text)):
        high, low = int(found[5]), int(found[6])
        port = high * 256 + low if max(high, low) < 256 else 0
    return port if 0 < port < 65536 else None


def _within(port: int, span: tuple[int, int] | None) -> bool:
    return span is None or span[0] <= port <= span[1]


def _firewall(port: int, session: Session) -> str:
    """What to look at when a data port cannot be reached; names the ranges that matter."""
    policy, control_port = session.policy, session.peer[1][1]
    if policy.data_ports is None:
        return f"let TCP port {port} and the server's other data ports out through the firewall"
    low, high = policy.data_ports
    advice = f"let TCP port {control_port} and all of {low}-{high} out through the firewall"
    earlier = policy.earlier_data_ports
    if not _within(port, policy.data_ports):
        return f"{advice}; port {port} lies outside that range, ask the authority"
    if earlier is not None and not _within(port, earlier):
        return f"{advice}; port {port} lies outside {earlier[0]}-{earlier[1]}, the range that older rules let through"
    return advice
