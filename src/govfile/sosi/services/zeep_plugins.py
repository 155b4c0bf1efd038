"""Plug-ins for zeep: `zeep.Client(wsdl, plugins=[DgwsPlugin(sts, card_source)])`.

zeep gives its plug-ins a tree and writes it by itself, so a plug-in alone cannot say which bytes go out. What these
hand back is read from the bytes meant to go out: written anew it may look different, but its canonical form is the
same, and signatures hold. Beyond that they teach zeep's transport to send the very bytes, to send them once more when
a card had expired, and to keep them out of its log. Where it cannot be taught (zeep's asynchronous one), zeep's own
writing goes out.
"""

from __future__ import annotations

import abc
import inspect
import logging
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import attrs

from govfile.errors import ConfigurationError
from govfile.sosi import constants
from govfile.sosi.services.envelopes import taken_apart
from govfile.sosi.services.fault_codes import refused
from govfile.sosi.services.idws import IdwsHeader, IdwsProfile, idws_request
from govfile.sosi.services.reply import DgwsReply
from govfile.sosi.services.sending import PATIENCE, Carrier, Outgoing, is_dgws_fault, now, sent
from govfile.xml.foreign import bytes_of, tree_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from govfile.certificates.credential import Credential
    from govfile.sosi.assertions import Assertion
    from govfile.sosi.sts import SecurityTokenService

_zeep_log = logging.getLogger("zeep.transports")
_zeep_log_without_messages = _zeep_log.getChild("without_messages")
_zeep_log_without_messages.setLevel(logging.INFO)

_FAULT_CODE = f"{{{constants.MEDCOM}}}FaultCode"
_SECURITY = f"{{{constants.WSSE}}}Security"


class _Carried(dict[str, str]):
    """HTTP headers that zeep hands on to its transport, and with them the message they belong to."""

    def __init__(self, headers: dict[str, str], outgoing: Outgoing, as_zeep_writes_it: bytes, clock: Any) -> None:
        super().__init__(headers)
        self.outgoing = outgoing
        self.as_zeep_writes_it = as_zeep_writes_it
        self.clock = clock


class _Teaching(abc.ABC):
    """What both plug-ins do with zeep's message, transport and answer."""

    clock: Callable[[], datetime]

    @abc.abstractmethod
    def _outgoing(self, message: bytes, operation: Any, address: str) -> Outgoing:
        """The message as it is to go out."""

    def egress(self, envelope: Any, http_headers: Any, operation: Any, binding_options: Any) -> tuple[Any, Any]:
        """Called by zeep with a message that is to go out."""
        from zeep.wsdl import utils

        outgoing = self._outgoing(bytes_of(envelope), operation, str(binding_options["address"]))
        tree = tree_of(outgoing.wire)
        teach(operation.binding.wsdl.transport)
        return tree, _Carried(dict(http_headers), outgoing, cast("Any", utils).etree_to_string(tree), self.clock)

    def ingress(self, envelope: Any, http_headers: Any, operation: Any) -> tuple[Any, Any]:
        """Called by zeep with an answer; raises `Rejected` for a fault with a code of Den Gode Webservice."""
        if next(envelope.iter(_FAULT_CODE), None) is not None:
            reply = DgwsReply.read(bytes_of(envelope))
            if reply.fault is not None and is_dgws_fault(reply):
                raise refused(reply.fault, operation=str(operation.name), at=self.clock())
        return envelope, http_headers


class _Carrying:
    """A zeep transport that knows these plug-ins: sends their bytes, and does not log them."""

    session: Any
    operation_timeout: float | None

    def post(self, address: str, message: bytes, headers: Any) -> Any:
        """Called by zeep; what is not from these plug-ins goes as ever."""
        if not isinstance(headers, _Carried):
            return super().post(address, message, headers)  # type: ignore[misc]
        if message != headers.as_zeep_writes_it:
            raise ConfigurationError(
                "something changed the message after the card or token had been put on it",
                certain="nothing was sent",
                advice="put this plug-in last, and give the client no wsse",
            )
        return sent(
            headers.outgoing,
            lambda wire: self._posted(address, wire, dict(headers)),
            endpoint=urlsplit(address).netloc.rpartition("@")[2],
            at=headers.clock,
        )

    def _posted(self, address: str, wire: bytes, headers: dict[str, str]) -> Any:
        from zeep.transports import Transport

        if _own_post(type(self)) is not Transport.post:  # somebody's own transport does what it has to
            return super().post(address, wire, headers)  # type: ignore[misc]
        timeout = PATIENCE if self.operation_timeout is None else self.operation_timeout
        return self.session.post(address, data=wire, headers=headers, timeout=timeout, allow_redirects=False)


def teach(transport: Any) -> None:
    """Have a zeep transport send what these plug-ins hand out byte for byte; every plug-in does it by itself.

    The transport stays what it is and does all else as before. An asynchronous one is not taught. None writes messages
    into zeep's log any longer, where they would be in full.
    """
    kind = type(transport)
    if getattr(transport, "logger", None) is _zeep_log:
        transport.logger = _zeep_log_without_messages
    if issubclass(kind, _Carrying) or not hasattr(kind, "post") or inspect.iscoroutinefunction(kind.post):
        return
    transport.__class__ = _taught(kind)


_TAUGHT: dict[type, type] = {}


def _taught(kind: type) -> type:
    if kind not in _TAUGHT:
        _TAUGHT[kind] = type(kind.__name__, (_Carrying, kind), {"__module__": kind.__module__, "__doc__": kind.__doc__})
    return _TAUGHT[kind]


def _own_post(kind: type) -> Any:
    """The `post` of the class that was taught."""
    return next(vars(above)["post"] for above in kind.__mro__ if "post" in vars(above) and above is not _Carrying)


class DgwsPlugin(_Teaching, Carrier):
    """Puts a card and a `medcom:Header` on every call, by Den Gode Webservice. Threads may share it.

    `card_source` is a `CardSource`; or what the card is to say (an `IdCard`, which `sts` signs), one signed card, or a
    function that gives cards. With one of the last three, `sts` may be None. `header` is a pattern: every call gets one
    like it, under a new message id; within `using(header)` calls carry exactly that header. Put it last among the
    plug-ins, and give the client no `wsse`: what changes the message afterwards stops the call.

    A fault with a code of Den Gode Webservice raises `Rejected`; `expired_idcard` does so only when a new card did not
    help, or none was to be had. Other faults are zeep's to raise, and so is what goes wrong with the connection.
    """

    def _outgoing(self, message: bytes, operation: Any, address: str) -> Outgoing:  # noqa: ARG002 the same for all
        return attrs.evolve(self.outgoing(message), operation=str(operation.name))


class IdwsPlugin(_Teaching):
    """Puts an identity token on every call and signs it, by OIO IDWS. Threads may share it.

    `token_source` gives a token for the service called, such as `citizen_token` and `from_jwt` hand out; it is called
    for each call. `credential` has the key that the token names (that of `sts`, if left out). Tokens made of a card
    were seen to name no key of the caller's: services that look for one refuse them. The action is that of the
    service's description. `names_address` adds `wsa:To`. Otherwise as `DgwsPlugin`.
    """

    def __init__(
        self,
        sts: SecurityTokenService | None,
        token_source: Callable[[], Assertion],
        *,
        credential: Credential | None = None,
        profile: IdwsProfile = IdwsProfile.OIO_IDWS_1_1,
        names_address: bool = False,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        if credential is None and sts is None:
            raise ConfigurationError("calls with a token are signed: a credential is needed")
        self._credential: Credential = credential or sts.credential  # type: ignore[union-attr]
        self._token_source = token_source
        self._profile = profile
        self._names_address = names_address
        self.clock = clock or (sts.clock if sts is not None else now)

    def _outgoing(self, message: bytes, operation: Any, address: str) -> Outgoing:
        parts = taken_apart(message, refused=(_SECURITY,), left_out=(constants.WSA,))
        action = operation.abstract.wsa_action or operation.soapaction
        header = IdwsHeader(action=action, to=address if self._names_address else None)
        wire = idws_request(
            self._token_source(),
            self._credential,
            body=parts.body,
            header=header,
            profile=self._profile,
            other_headers=parts.headers,
            soap=parts.soap,
            at=self.clock(),
        )
        return Outgoing(wire=wire, addressed_as=header.message_id, operation=str(operation.name))
