"""One request and its answer, and what is known when they do not come about."""

from __future__ import annotations

import http.client
import ssl
from typing import TYPE_CHECKING

import attrs

from govfile.errors import ConnectionFailed, GovfileError, OutcomeUnknown, Phase, ProtocolError
from govfile.transports._tls_failures import certificate_refusal
from govfile.transports.https._answer import read_answer
from govfile.transports.https._tls import reasons
from govfile.transports.https._watch import Passed, TooMuch, Watch, is_readable

if TYPE_CHECKING:
    from collections.abc import Callable

    from govfile.transports._deadlines import Deadlines
    from govfile.transports._tls_failures import TlsSetting
    from govfile.transports.base import Reply
    from govfile.transports.https._connection import Connection

#: Heads, chunk sizes and the like beside the body: as much as the body once more, and this many bytes.
_OVERHEAD = 1024 * 1024
_SENT = "the request was sent; what became of it is not known"
#: Up to this size, in bytes, head and body leave together.
_TOGETHER = 64 * 1024


@attrs.frozen
class Exchange:
    """A request about to be sent on a connection that stands; its answer's body is bounded by `limit` bytes."""

    connection: Connection
    deadlines: Deadlines
    setting: TlsSetting
    limit: int

    def run(self, head: bytes, body: bytes, committing: Callable[[], None] | None) -> tuple[Reply, bool, float | None]:
        """The answer, whether the connection can be used again, and for how long the server says it keeps it."""
        connection = self.connection
        is_first, connection.uses = connection.uses == 0, connection.uses + 1
        watch = Watch(self.deadlines, 2 * self.limit + _OVERHEAD, "the server was to answer", ("reply", "data"))
        connection.sock.watch = watch
        if committing is not None:
            committing()
        whole = self._send(watch, head, body)
        try:
            reply, is_reusable, kept = read_answer(connection.sock, self.limit)
        except ProtocolError as error:
            error.endpoint = self.setting.endpoint
            error.certain = error.certain or _SENT
            raise
        except Passed as passed:
            raise self._unknown(f"no whole answer came within {passed.limit.seconds:g} s", passed) from passed
        except TooMuch as error:
            raise self._unknown(f"the answer was not read to its end: {error}") from error
        except ssl.SSLError as error:
            refused = certificate_refusal(reasons(error), self.setting) if is_first and not watch.received else None
            raise refused or self._lost(error) from error
        except (OSError, http.client.IncompleteRead) as error:
            raise self._lost(error) from error
        except (http.client.HTTPException, ValueError) as error:
            raise self._no_http(error) from error
        return reply, is_reusable and whole, kept

    def _send(self, watch: Watch, head: bytes, body: bytes) -> bool:
        """Send all of it; False where the server answered before it had it all."""
        sock = self.connection.sock
        try:
            if len(body) <= _TOGETHER:
                sock.sendall(head + body)
            else:
                sock.sendall(head)
                sock.sendall(body)
        except OSError as error:
            if not watch.sent:
                raise self._nothing_left(error) from error
            if not is_readable(sock):
                reason = "the server took no more of it" if isinstance(error, Passed) else "the connection broke"
                raise self._unknown(f"{reason} while the request was being sent") from error
            return False
        return True

    def _nothing_left(self, error: OSError) -> GovfileError:
        """A part of a TLS record means nothing to who gets it, so that what is not counted did not arrive."""
        if isinstance(error, Passed):
            return self.deadlines.passed(error.limit._replace(doing="the request was to be sent"))
        return ConnectionFailed(
            "the connection broke before the request could be sent",
            phase=Phase.REQUEST,
            endpoint=self.setting.endpoint,
            certain="no byte of the request left",
            advice="try again",
        )

    def _lost(self, error: Exception) -> OutcomeUnknown:
        return self._unknown(f"the connection ended before the whole answer was there ({type(error).__name__})")

    def _unknown(self, what: str, passed: Passed | None = None) -> OutcomeUnknown:
        which = f" (deadline: {passed.limit.which})" if passed else ""
        return OutcomeUnknown(
            f"{what}{which}",
            evidence=f"the request, or a part of it, was sent to {self.setting.endpoint}; then {what}",
            how_to_resolve="find out whether it was acted on before it is sent again",
            endpoint=self.setting.endpoint,
        )

    def _no_http(self, error: Exception) -> ProtocolError:
        return ProtocolError(
            f"the server's answer is no HTTP that can be read ({type(error).__name__})",
            certain=_SENT,
            endpoint=self.setting.endpoint,
            advice="check host and port, and what stands between here and the server",
        )
